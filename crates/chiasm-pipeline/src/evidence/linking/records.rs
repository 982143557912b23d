//! The records of a store into patients.
//!
//! Everything that sources have said of a record is put together; records are compared, orders that they share join
//! them, decisions of people and messages count as they rank, and the whole is written as a new state of the tables
//! `links`, `pairs` and `clocks`. No event is touched: linking again, or taking a merge back, changes which records a
//! patient has and nothing else.

use super::clocks::{self, Clock};
use super::orders;
use super::review::evidence;
use super::said::{Who, ledger, name, who};
use super::tellings::tellings;
use crate::{Error, Progress};
use chiasm_linkage::{ClusterConfig, LinkConfig, Records, ReviewReason, guarded_persons, link};
use chiasm_store::{Commit, LinkRow, PairRow, RecordId, Store};
use serde::Serialize;
use std::collections::BTreeMap;

/// What linking a store did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Linked {
    /// Records.
    pub records: usize,
    /// Patients that they are.
    pub patients: usize,
    /// Records that are not alone.
    pub linked: usize,
    /// Pairs of records that name the same order.
    pub ordered: usize,
    /// Pairs for a person to decide.
    pub review: usize,
    /// Of them, pairs that a file's age, sex or dates contradict.
    pub wrong_patient: usize,
    /// Records whose number was given to two people: they link nobody unasked.
    pub reused: usize,
    /// What messages and people said, in force.
    pub decisions: usize,
    /// Merges of messages that name a number which no record has.
    pub unknown: usize,
    /// How far the clocks of systems differ.
    pub clocks: Vec<Clock>,
}

/// How often linking begins again because more was said meanwhile.
const ATTEMPTS: usize = 5;

/// Links the records of a store anew; again where somebody decides while it does. Records that arrive meanwhile wait for
/// the next time: a store that listens is never still.
///
/// A patient's number is the smallest of the records' numbers: it stays while that record stays, and a merge
/// that is taken back gives both patients the numbers that they had.
///
/// # Errors
/// Where the store cannot be read or written, or more was said each time.
pub fn link_store(store: &mut Store, progress: &dyn Progress) -> Result<Linked, Error> {
    for _ in 1..ATTEMPTS {
        store.refresh()?;
        match link_once(store, progress) {
            Err(Error::Store(chiasm_store::Error::Outdated)) => {}
            done => return done,
        }
    }
    store.refresh()?;
    link_once(store, progress)
}

fn link_once(store: &mut Store, progress: &dyn Progress) -> Result<Linked, Error> {
    progress.begin("linking", 4);
    let Who { all, reused } = who(store)?;
    let (ledger, unknown) = ledger(store, &all)?;
    let decided = ledger.decisions();
    let order: Vec<RecordId> = all.keys().copied().collect();
    let names: Vec<String> = order.iter().map(|r| name(*r)).collect();
    let records = Records::from_identities(names.iter().map(String::as_str).zip(all.values()));
    progress.advance();
    let told = tellings(store)?;
    progress.advance();
    let index: BTreeMap<RecordId, u32> = order.iter().copied().zip(0..).collect();
    let shared = orders::orders(&told, &index);
    let mut guard = orders::guard(&told, &order, &all);
    reused.iter().filter_map(|record| index.get(record)).for_each(|number| guard.add_reused(*number));
    let mut found = link(&records, &LinkConfig::default());
    found.add_orders(&records, &shared);
    progress.advance();
    let persons = guarded_persons(&records, &found, &decided, &guard, ClusterConfig::default());
    let record = |row: u32| order[row as usize];
    let mut links = Vec::new();
    for group in persons.groups() {
        let subject_id = group.iter().map(|r| record(*r).0).min().unwrap_or_default();
        links.extend(group.iter().map(|r| LinkRow { record_id: record(*r), subject_id }));
    }
    let row = |left: u32, right: u32, probability: f64, reason: String| -> Result<PairRow, Error> {
        Ok(PairRow {
            record_l: record(left),
            record_r: record(right),
            probability,
            state: if reason.is_empty() { "linked" } else { "review" }.to_owned(),
            reason,
            evidence: evidence(&records, &found, &guard, left, right)?,
        })
    };
    let mut pairs = Vec::with_capacity(persons.links.len() + persons.review.len() + reused.len());
    for (left, right, probability) in &persons.links {
        pairs.push(row(*left, *right, *probability, String::new())?);
    }
    for review in &persons.review {
        pairs.push(row(review.left, review.right, review.probability, reason(review.reason)?)?);
    }
    for record in &reused {
        pairs.push(reused_number(*record)?);
    }
    let done = Linked {
        records: records.len(),
        patients: records.len() - links.len() + persons.groups().len(),
        linked: links.len(),
        ordered: shared.len(),
        review: persons.review.len() + reused.len(),
        wrong_patient: persons.review.iter().filter(|r| r.reason == ReviewReason::WrongPatient).count(),
        reused: reused.len(),
        decisions: decided.len(),
        unknown,
        clocks: clocks::estimate(&told),
    };
    let clocks = done.clocks.iter().map(Clock::to_row).collect();
    let (links, said) = (Some((links, pairs)), Some(store.said()));
    store.commit(&Commit { links, said, clocks: Some(clocks), ..Commit::default() })?;
    progress.advance();
    Ok(done)
}

/// A record on the list for review, by itself.
fn reused_number(record: RecordId) -> Result<PairRow, Error> {
    let conflict = "the record's own sources describe two people: its number was given out again";
    let evidence = serde_json::json!([{ "prior": 0.0 }, { "conflict": conflict }]);
    Ok(PairRow {
        record_l: record,
        record_r: record,
        probability: 0.0,
        state: "review".to_owned(),
        reason: reason(ReviewReason::ReusedNumber)?,
        evidence: serde_json::to_string(&evidence).map_err(Error::json("evidence"))?,
    })
}

/// A reason as tables have it.
fn reason(reason: ReviewReason) -> Result<String, Error> {
    let reason = serde_json::to_value(reason).map_err(Error::json("a reason"))?;
    Ok(reason.as_str().unwrap_or("doubtful").to_owned())
}

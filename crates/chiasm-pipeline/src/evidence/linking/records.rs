//! The records of a store into patients.
//!
//! Everything that sources have said of a record is put together; records are compared, orders that they share join
//! them, decisions of people and messages count as they rank, and the whole is written as a new state of the tables
//! `links`, `pairs` and `clocks`. No event is touched: linking again, or taking a merge back, changes which records a
//! patient has and nothing else.

use super::clocks::{self, Clock};
use super::orders;
use super::review::evidence;
use super::said::{identities, ledger, name};
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
    /// What messages and people said, in force.
    pub decisions: usize,
    /// Merges of messages that name a number which no record has.
    pub unknown: usize,
    /// How far the clocks of systems differ.
    pub clocks: Vec<Clock>,
}

/// Links the records of a store anew.
///
/// A patient's number is the smallest of the records' numbers: it stays while that record stays, and a merge
/// that is taken back gives both patients the numbers that they had.
///
/// # Errors
/// Where the store cannot be read or written.
pub fn link_store(store: &mut Store, progress: &dyn Progress) -> Result<Linked, Error> {
    progress.begin("linking", 4);
    let all = identities(store)?;
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
    let guard = orders::guard(&told, &order, &all);
    let mut found = link(&records, &LinkConfig::default());
    found.add_orders(&records, &shared);
    progress.advance();
    let who = guarded_persons(&records, &found, &decided, &guard, ClusterConfig::default());
    let record = |row: u32| order[row as usize];
    let mut links = Vec::new();
    for group in who.groups() {
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
    let mut pairs = Vec::with_capacity(who.links.len() + who.review.len());
    for (left, right, probability) in &who.links {
        pairs.push(row(*left, *right, *probability, String::new())?);
    }
    for review in &who.review {
        let reason = serde_json::to_value(review.reason).map_err(Error::json("a reason"))?;
        let reason = reason.as_str().unwrap_or("doubtful").to_owned();
        pairs.push(row(review.left, review.right, review.probability, reason)?);
    }
    let done = Linked {
        records: records.len(),
        patients: records.len() - links.len() + who.groups().len(),
        linked: links.len(),
        ordered: shared.len(),
        review: who.review.len(),
        wrong_patient: who.review.iter().filter(|r| r.reason == ReviewReason::WrongPatient).count(),
        decisions: decided.len(),
        unknown,
        clocks: clocks::estimate(&told),
    };
    let clocks = done.clocks.iter().map(Clock::to_row).collect();
    store.commit(&Commit { links: Some((links, pairs)), clocks: Some(clocks), ..Commit::default() })?;
    progress.advance();
    Ok(done)
}

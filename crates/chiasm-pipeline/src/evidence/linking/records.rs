//! The records of a store into patients.
//!
//! Everything that sources have said of a record is put together; records are compared, decisions of people and
//! messages count as they rank, and the whole is written as a new state of the tables `links` and `pairs`.
//! No event is touched: linking again, or taking a merge back, changes which records a patient has and nothing else.

use crate::evidence::taking::SourceStatement;
use crate::{Error, Progress};
use chiasm_linkage::{
    ClusterConfig, Decision, Evidence, Identifier, Identity, Ledger, LinkConfig, Linkage, RecordPair,
    Records, Voice, link, persons, waterfall_svg, waterfall_text,
};
use chiasm_store::{Commit, IdentityRow, LinkRow, PairRow, RecordId, StatementRow, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What linking a store did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Linked {
    /// Records.
    pub records: usize,
    /// Patients that they are.
    pub patients: usize,
    /// Records that are not alone.
    pub linked: usize,
    /// Pairs for a person to decide.
    pub review: usize,
    /// What messages and people said, in force.
    pub decisions: usize,
    /// Merges of messages that name a number which no record has.
    pub unknown: usize,
}

/// A person's word, as the store keeps it.
#[derive(Serialize, Deserialize)]
struct PersonStatement {
    record_l: i64,
    record_r: i64,
    decision: Decision,
}

/// Everything that sources said of each record, the newest first.
fn identities(store: &Store) -> Result<BTreeMap<RecordId, Identity>, Error> {
    let mut all: BTreeMap<RecordId, Identity> = BTreeMap::new();
    for rows in store.scan::<IdentityRow>() {
        for row in rows? {
            let said: Identity = serde_json::from_str(&row.identity).map_err(Error::json("an identity"))?;
            let known = all.entry(row.record_id).or_default();
            *known = both(said, std::mem::take(known));
        }
    }
    Ok(all)
}

/// Two descriptions of one record as one: what the newer says comes first.
fn both(newer: Identity, older: Identity) -> Identity {
    fn union<T: PartialEq>(mut first: Vec<T>, second: Vec<T>) -> Vec<T> {
        for item in second {
            if !first.contains(&item) {
                first.push(item);
            }
        }
        first
    }
    Identity {
        identifiers: union(newer.identifiers, older.identifiers),
        names: union(newer.names, older.names),
        birth: newer.birth.or(older.birth),
        sex: newer.sex.or(older.sex),
        addresses: union(newer.addresses, older.addresses),
        phones: union(newer.phones, older.phones),
        emails: union(newer.emails, older.emails),
    }
}

/// What was said of who is who, in the order in which it was said; and how much of it names nobody here.
fn ledger(store: &Store, all: &BTreeMap<RecordId, Identity>) -> Result<(Ledger, usize), Error> {
    let mut by_number: BTreeMap<(&str, &str), RecordId> = BTreeMap::new();
    for (record, identity) in all {
        for Identifier { authority, value, .. } in &identity.identifiers {
            by_number.entry((authority, value)).or_insert(*record);
        }
    }
    // A record's own key names that record, whoever else mentions it.
    for (record, identity) in all {
        if let Some(key) = identity.key().filter(|k| store.record(&k.authority, &k.value) == *record) {
            by_number.insert((&key.authority, &key.value), *record);
        }
    }
    let mut rows = Vec::new();
    for part in store.scan::<StatementRow>() {
        rows.extend(part?);
    }
    rows.sort_by_key(|r| r.number);
    let (mut ledger, mut unknown) = (Ledger::default(), 0);
    for row in rows {
        if row.by == "person" {
            let said: PersonStatement =
                serde_json::from_str(&row.statement).map_err(Error::json("a decision"))?;
            ledger.say(pair(RecordId(said.record_l), RecordId(said.record_r)), said.decision, Voice::Person);
            continue;
        }
        let said: SourceStatement =
            serde_json::from_str(&row.statement).map_err(Error::json("a statement"))?;
        let find = |i: &Identifier| by_number.get(&(i.authority.as_str(), i.value.as_str())).copied();
        match (find(&said.kept), find(&said.other)) {
            (Some(kept), Some(other)) if kept != other => {
                let decision = if said.same { Decision::Same } else { Decision::Different };
                ledger.say(pair(kept, other), decision, Voice::Message);
            }
            (Some(_), Some(_)) => {}
            _ => unknown += 1,
        }
    }
    Ok((ledger, unknown))
}

/// Ids are written with all their digits, so that their order as text is that of the numbers.
fn id(record: RecordId) -> String {
    format!("{:019}", record.0)
}

fn pair(one: RecordId, other: RecordId) -> RecordPair {
    RecordPair::new(id(one), id(other))
}

/// Links the records of a store anew.
///
/// A patient's number is the smallest of the records' numbers: it stays while that record stays, and a merge
/// that is taken back gives both patients the numbers that they had.
///
/// # Errors
/// Where the store cannot be read or written.
pub fn link_store(store: &mut Store, progress: &dyn Progress) -> Result<Linked, Error> {
    progress.begin("linking", 3);
    let all = identities(store)?;
    let (ledger, unknown) = ledger(store, &all)?;
    let decided = ledger.decisions();
    let order: Vec<RecordId> = all.keys().copied().collect();
    let names: Vec<String> = order.iter().map(|r| id(*r)).collect();
    let records = Records::from_identities(names.iter().map(String::as_str).zip(all.values()));
    progress.advance();
    let found = link(&records, &LinkConfig::default());
    progress.advance();
    let who = persons(&records, &found, &decided, ClusterConfig::default());
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
            evidence: evidence(&records, &found, left, right)?,
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
        review: who.review.len(),
        decisions: decided.len(),
        unknown,
    };
    store.commit(&Commit { links: Some((links, pairs)), ..Commit::default() })?;
    progress.advance();
    Ok(done)
}

/// The prior and the weight of each field, as JSON.
fn evidence(records: &Records, found: &Linkage, left: u32, right: u32) -> Result<String, Error> {
    let mut lines = vec![serde_json::json!({ "prior": found.prior_bits() })];
    for weight in found.evidence(records, left, right) {
        lines.push(serde_json::to_value(weight).map_err(Error::json("evidence"))?);
    }
    serde_json::to_string(&lines).map_err(Error::json("evidence"))
}

/// The pairs that a person should look at, the likeliest first.
///
/// # Errors
/// Where the store cannot be read.
pub fn review(store: &Store) -> Result<Vec<PairRow>, Error> {
    let mut rows = all_pairs(store)?;
    rows.retain(|r| r.state == "review");
    rows.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Ok(rows)
}

fn all_pairs(store: &Store) -> Result<Vec<PairRow>, Error> {
    let mut rows = Vec::new();
    for part in store.scan::<PairRow>() {
        rows.extend(part?);
    }
    Ok(rows)
}

/// What speaks for and against two records being one person.
pub struct Why {
    /// The pair, with its state and reason.
    pub pair: PairRow,
    /// For a terminal.
    pub text: String,
    /// As a picture.
    pub svg: String,
}

/// Why two records are linked, or are for a person to look at.
///
/// # Errors
/// [`Error::Unknown`] where the last linking neither linked nor doubted them.
pub fn why(store: &Store, one: i64, other: i64) -> Result<Why, Error> {
    let mine = |r: &PairRow| [(one, other), (other, one)].contains(&(r.record_l.0, r.record_r.0));
    let found = all_pairs(store)?.into_iter().find(mine).ok_or_else(|| Error::Unknown {
        what: "pair of records",
        name: format!("{one} {other}"),
        hint: "; the last `chiasm link` neither linked nor doubted them directly".to_owned(),
    })?;
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Line {
        Prior { prior: f64 },
        Weight { field: String, level: String, weight: f32 },
    }
    let lines: Vec<Line> = serde_json::from_str(&found.evidence).map_err(Error::json("evidence"))?;
    let (mut prior, mut weights) = (0.0, Vec::new());
    for line in lines {
        match line {
            Line::Prior { prior: bits } => prior = bits,
            Line::Weight { field, level, weight } => weights.push(Evidence { field, level, weight }),
        }
    }
    Ok(Why { pair: found, text: waterfall_text(prior, &weights), svg: waterfall_svg(prior, &weights) })
}

/// Writes down what a person decided of two records, and links anew.
///
/// # Errors
/// [`Error::Unknown`] where the store has no such record.
pub fn decide(
    store: &mut Store,
    one: i64,
    other: i64,
    same: bool,
    progress: &dyn Progress,
) -> Result<Linked, Error> {
    let all = identities(store)?;
    for record in [one, other] {
        if !all.contains_key(&RecordId(record)) {
            let hint = "; `chiasm link --review` lists pairs of them".to_owned();
            return Err(Error::Unknown { what: "record", name: record.to_string(), hint });
        }
    }
    if one == other {
        let hint = "; a pair is two records".to_owned();
        return Err(Error::Unknown { what: "pair of records", name: format!("{one} {other}"), hint });
    }
    let decision = if same { Decision::Same } else { Decision::Different };
    let said = PersonStatement { record_l: one.min(other), record_r: one.max(other), decision };
    let said = serde_json::to_string(&said).map_err(Error::json("a decision"))?;
    store.commit(&Commit { decisions: vec![said], ..Commit::default() })?;
    link_store(store, progress)
}

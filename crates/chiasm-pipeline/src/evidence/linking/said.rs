//! What sources and people said: who each record is, and which records are one patient's.

use super::records::{Linked, link_store};
use crate::evidence::taking::SourceStatement;
use crate::{Error, Progress};
use chiasm_linkage::{Decision, Identifier, Identity, Ledger, RecordPair, Voice, contradict};
use chiasm_store::{Commit, IdentityRow, RecordId, StatementRow, Store};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A person's word, as the store keeps it.
#[derive(Serialize, Deserialize)]
struct PersonStatement {
    record_l: i64,
    record_r: i64,
    decision: Word,
}

/// What a person says of two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// They are one patient.
    Same,
    /// They are two.
    Different,
    /// The last word of a person on them counts no more: it is as if it had not been said.
    Undone,
}

/// How many of a record's descriptions, each of another name, birth or sex, are held against each other.
const DESCRIPTIONS: usize = 32;

/// Who the records of a store are.
pub(crate) struct Who {
    /// Everything that sources said of each record, what was said last first.
    pub all: BTreeMap<RecordId, Identity>,
    /// The records of which they described two people: their number was given out again.
    pub reused: BTreeSet<RecordId>,
}

/// Puts together what sources said of each record.
pub(crate) fn who(store: &Store) -> Result<Who, Error> {
    let mut told: BTreeMap<RecordId, Vec<(i64, Identity)>> = BTreeMap::new();
    for rows in store.scan::<IdentityRow>() {
        for row in rows? {
            let one = serde_json::from_str(&row.identity).map_err(Error::json("an identity"))?;
            // What has no time is the last word.
            told.entry(row.record_id).or_default().push((row.told.unwrap_or(i64::MAX), one));
        }
    }
    let in_order = |(record, mut said): (RecordId, Vec<(i64, Identity)>)| {
        // Stable: what was said at the same time stays in the order in which it came.
        said.sort_by_key(|(at, _)| *at);
        (record, said.into_iter().map(|(_, one)| one).collect())
    };
    let said: BTreeMap<RecordId, Vec<Identity>> = told.into_iter().map(in_order).collect();
    let two_people = |said: &[Identity]| {
        // A new account number or address is no other person.
        let same = |a: &Identity, b: &Identity| (&a.names, a.birth, a.sex) == (&b.names, b.birth, b.sex);
        let mut told: Vec<&Identity> = Vec::new();
        for one in said {
            if told.len() < DESCRIPTIONS && !told.iter().any(|other| same(one, other)) {
                told.push(one);
            }
        }
        let mut pairs =
            told.iter().enumerate().flat_map(|(at, one)| told[..at].iter().map(move |two| (*one, *two)));
        pairs.any(|(one, two)| contradict(one, two))
    };
    let reused = said.iter().filter(|(_, said)| two_people(said)).map(|(record, _)| *record).collect();
    let together =
        |said: Vec<Identity>| said.into_iter().fold(Identity::default(), |known, one| both(one, known));
    Ok(Who { all: said.into_iter().map(|(record, said)| (record, together(said))).collect(), reused })
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
pub(crate) fn ledger(store: &Store, all: &BTreeMap<RecordId, Identity>) -> Result<(Ledger, usize), Error> {
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
    let mut spoken: BTreeMap<RecordPair, Vec<usize>> = BTreeMap::new();
    for row in rows {
        if row.by == "person" {
            let said: PersonStatement =
                serde_json::from_str(&row.statement).map_err(Error::json("a decision"))?;
            let two = pair(RecordId(said.record_l), RecordId(said.record_r));
            let decision = match said.decision {
                Word::Same => Decision::Same,
                Word::Different => Decision::Different,
                Word::Undone => {
                    let last = spoken.get_mut(&two).and_then(Vec::pop);
                    last.map(|entry| ledger.undo(entry)).transpose()?;
                    continue;
                }
            };
            let entry = ledger.say(two.clone(), decision, Voice::Person);
            spoken.entry(two).or_default().push(entry);
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
pub(crate) fn name(record: RecordId) -> String {
    format!("{:019}", record.0)
}

fn pair(one: RecordId, other: RecordId) -> RecordPair {
    RecordPair::new(name(one), name(other))
}

/// Writes down what a person decided of two records, and links anew.
///
/// # Errors
/// [`Error::Unknown`] where the store has no such record, or no decision to take back.
pub fn decide(
    store: &mut Store,
    one: i64,
    other: i64,
    word: Word,
    progress: &dyn Progress,
) -> Result<Linked, Error> {
    let Who { all, .. } = who(store)?;
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
    if word == Word::Undone && !spoken(store, one, other)? {
        let hint = "; no person's decision on it is in force".to_owned();
        return Err(Error::Unknown { what: "decision on", name: format!("{one} {other}"), hint });
    }
    let said = PersonStatement { record_l: one.min(other), record_r: one.max(other), decision: word };
    let said = serde_json::to_string(&said).map_err(Error::json("a decision"))?;
    store.commit(&Commit { decisions: vec![said], ..Commit::default() })?;
    link_store(store, progress)
}

/// Whether a person's decision on two records is in force.
fn spoken(store: &Store, one: i64, other: i64) -> Result<bool, Error> {
    let mut count = 0_usize;
    for rows in store.scan::<StatementRow>() {
        for row in rows?.into_iter().filter(|r| r.by == "person") {
            let said: PersonStatement =
                serde_json::from_str(&row.statement).map_err(Error::json("a decision"))?;
            if (said.record_l, said.record_r) == (one.min(other), one.max(other)) {
                count = if said.decision == Word::Undone { count.saturating_sub(1) } else { count + 1 };
            }
        }
    }
    Ok(count > 0)
}

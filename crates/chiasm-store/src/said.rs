//! Who records were said to be, so that the same is not written twice.

use crate::RecordId;
use crate::rows::IdentityRow;
use crate::seen::digits;
use std::collections::{HashMap, HashSet};

/// The descriptions of records that a store has.
#[derive(Debug, Default)]
pub(crate) struct Said {
    descriptions: HashSet<(RecordId, [u8; 16])>,
    /// What was said last of what a person has one of: when, and its hash.
    last: HashMap<RecordId, (i64, i64)>,
}

impl Said {
    /// Adds a description, if it is new: beside what is here and in `before`.
    ///
    /// One that was said before is new again where something else was said in between, so that a correction which
    /// is taken back counts: of what a person has one of, the last word is the one that holds. What is said again
    /// with nothing else in between is not written, so that a message which arrives after one that was sent later and
    /// only repeats what is known can win over it.
    pub fn add(&mut self, row: &IdentityRow, before: &Self) -> bool {
        let description = (row.record_id, digits(&row.hash).unwrap_or_default());
        let known = self.descriptions.contains(&description) || before.descriptions.contains(&description);
        let last = self.last.get(&row.record_id).or_else(|| before.last.get(&row.record_id));
        let told = row.told.unwrap_or(i64::MAX);
        let later = row.facts.is_some_and(|facts| last.is_none_or(|last| told >= last.0 && facts != last.1));
        if !known {
            self.descriptions.insert(description);
        }
        if let Some(facts) = row.facts.filter(|_| later) {
            self.last.insert(row.record_id, (told, facts));
        }
        !known || later
    }
}

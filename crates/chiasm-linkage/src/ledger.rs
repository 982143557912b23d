use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Two records by their ids, the smaller first: the same pair whichever way round it is named.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(String, String)", into = "(String, String)")]
pub struct RecordPair(String, String);

impl RecordPair {
    /// The pair of two ids.
    pub fn new(one: impl Into<String>, other: impl Into<String>) -> Self {
        let (one, other) = (one.into(), other.into());
        if one <= other { Self(one, other) } else { Self(other, one) }
    }

    /// The smaller id.
    pub fn left(&self) -> &str {
        &self.0
    }

    /// The greater id.
    pub fn right(&self) -> &str {
        &self.1
    }
}

impl From<(String, String)> for RecordPair {
    fn from((one, other): (String, String)) -> Self {
        Self::new(one, other)
    }
}

impl From<RecordPair> for (String, String) {
    fn from(pair: RecordPair) -> Self {
        (pair.0, pair.1)
    }
}

impl std::fmt::Debug for RecordPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordPair [redacted]")
    }
}

/// What somebody says of two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// They are of one person.
    Same,
    /// They are of two persons.
    Different,
}

/// Who says it. A later word of the same rank replaces an earlier one; a person outranks a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// A system: an HL7 A40 merge (`Same`) or A37 unlink (`Different`).
    Message,
    /// A person who looked at the pair.
    Person,
}

/// What counts of all that was said of two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// One person, or two.
    pub decision: Decision,
    /// Who says so.
    pub voice: Voice,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// Somebody said something of a pair.
    Said {
        /// The pair.
        pair: RecordPair,
        /// What.
        decision: Decision,
        /// Who.
        voice: Voice,
    },
    /// The entry at a place counts no more.
    Undone {
        /// Its place, from 0.
        entry: usize,
    },
}

/// Everything that anybody said about who is who, in order; nothing is ever taken out.
///
/// The decisions in force are a function of the entries alone, so an undo restores exactly what was
/// before, and linking again with other data or another threshold keeps every decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    /// A ledger read back, in the order in which it was written.
    pub fn from_entries(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    /// All entries in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Writes down what somebody says; returns the entry's place.
    pub fn say(&mut self, pair: RecordPair, decision: Decision, voice: Voice) -> usize {
        self.entries.push(Entry::Said { pair, decision, voice });
        self.entries.len() - 1
    }

    /// Takes back the entry at a place (an undo too: that is a redo).
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`] where there is none, or it is undone already.
    pub fn undo(&mut self, entry: usize) -> Result<usize, Error> {
        if !self.in_force().get(entry).copied().unwrap_or(false) {
            return Err(Error::NoSuchEntry { expected: entry });
        }
        self.entries.push(Entry::Undone { entry });
        Ok(self.entries.len() - 1)
    }

    /// Which entries count. An undo may itself be undone, so this is worked out from the last backward.
    fn in_force(&self) -> Vec<bool> {
        let mut counts = vec![true; self.entries.len()];
        for place in (0..self.entries.len()).rev() {
            if let (true, Entry::Undone { entry }) = (counts[place], &self.entries[place])
                && *entry < place
            {
                counts[*entry] = false;
            }
        }
        counts
    }

    /// The decisions in force: for each pair the last word of the highest voice.
    pub fn decisions(&self) -> BTreeMap<RecordPair, Verdict> {
        let mut said: BTreeMap<RecordPair, Verdict> = BTreeMap::new();
        for (entry, counts) in self.entries.iter().zip(self.in_force()) {
            if let (true, Entry::Said { pair, decision, voice }) = (counts, entry) {
                let verdict = Verdict { decision: *decision, voice: *voice };
                let known = said.entry(pair.clone()).or_insert(verdict);
                if *voice >= known.voice {
                    *known = verdict;
                }
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries() -> impl Strategy<Value = Vec<(u8, u8, bool, bool)>> {
        proptest::collection::vec((0_u8..5, 0_u8..5, any::<bool>(), any::<bool>()), 0..20)
    }

    fn ledger(said: &[(u8, u8, bool, bool)]) -> Ledger {
        let mut ledger = Ledger::default();
        for &(a, b, same, person) in said {
            let decision = if same { Decision::Same } else { Decision::Different };
            let voice = if person { Voice::Person } else { Voice::Message };
            ledger.say(RecordPair::new(a.to_string(), b.to_string()), decision, voice);
        }
        ledger
    }

    proptest! {
        #[test]
        fn an_undo_restores_exactly(before in entries(), more in entries()) {
            let mut ledger = ledger(&before);
            let decisions = ledger.decisions();
            let places: Vec<usize> = more.iter().map(|&(a, b, same, person)| {
                let decision = if same { Decision::Same } else { Decision::Different };
                let voice = if person { Voice::Person } else { Voice::Message };
                ledger.say(RecordPair::new(a.to_string(), b.to_string()), decision, voice)
            }).collect();
            let after = ledger.decisions();
            let undone: Vec<usize> = places.iter().map(|&place| ledger.undo(place).unwrap()).collect();
            prop_assert_eq!(ledger.decisions(), decisions);
            for place in undone.into_iter().rev() {
                ledger.undo(place).unwrap();
            }
            prop_assert_eq!(ledger.decisions(), after);
        }

        #[test]
        fn reads_back_as_written(said in entries()) {
            let ledger = ledger(&said);
            let text = serde_json::to_string(&ledger).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
        }
    }

    #[test]
    fn a_person_outranks_a_message() {
        let mut ledger = Ledger::default();
        let pair = || RecordPair::new("b", "a");
        ledger.say(pair(), Decision::Different, Voice::Person);
        ledger.say(pair(), Decision::Same, Voice::Message);
        assert_eq!(ledger.decisions()[&RecordPair::new("a", "b")].decision, Decision::Different);
        ledger.undo(0).unwrap();
        assert_eq!(ledger.decisions()[&pair()].decision, Decision::Same);
        assert_eq!(ledger.undo(0), Err(Error::NoSuchEntry { expected: 0 }));
        assert_eq!(ledger.undo(9), Err(Error::NoSuchEntry { expected: 9 }));
    }
}

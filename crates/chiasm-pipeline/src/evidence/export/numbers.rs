//! Which number a patient has outside.
//!
//! A subject of a MEDS set keeps its number. A patient that several numbers were linked to has the first: that
//! of the set that was taken first, in it the smallest. Where two patients claim one number, it goes to the one whose set
//! was taken first, and the other has its number in this store, as has a patient that no MEDS set knows.

use super::survey::Survey;
use crate::Error;
use chiasm_linkage::Identity;
use chiasm_store::{IdentityRow, Store};
use std::collections::{BTreeSet, HashMap};

/// The numbers of a store's patients.
pub(super) struct Numbers {
    /// By the store's own number.
    pub of: HashMap<i64, i64>,
    /// Which patient has a number.
    taken: HashMap<i64, i64>,
    by_authority: HashMap<(String, i64), i64>,
    by_number: HashMap<i64, Option<i64>>,
    pub renumbered: u64,
    pub joined: u64,
}

impl Numbers {
    /// Gives every patient its number.
    ///
    /// # Errors
    /// Where the store's identities cannot be read.
    pub fn of(store: &Store, survey: &Survey) -> Result<Self, Error> {
        let mut numbers = Self {
            of: HashMap::new(),
            taken: HashMap::new(),
            by_authority: HashMap::new(),
            by_number: HashMap::new(),
            renumbered: 0,
            joined: 0,
        };
        let mut ranks: HashMap<String, usize> = HashMap::new();
        // By patient: rank of the set, number. In order, so that the choice does not hang on chance.
        let mut claims: HashMap<i64, BTreeSet<(usize, i64)>> = HashMap::new();
        for rows in store.scan::<IdentityRow>() {
            for row in rows? {
                if !survey.meds_records.contains(&row.record_id) {
                    continue;
                }
                let identity: Identity =
                    serde_json::from_str(&row.identity).map_err(Error::json("an identity"))?;
                let Some(key) = identity.key() else { continue };
                // A record may be named by others too; its own key is the one that makes its number.
                if store.record(&key.authority, &key.value) != row.record_id {
                    continue;
                }
                let Some(number) = key.value.parse::<i64>().ok().filter(|n| n.to_string() == key.value)
                else {
                    continue;
                };
                let Some(patient) = survey.patient_of.get(&row.record_id).copied() else { continue };
                let next = ranks.len();
                let rank = *ranks.entry(key.authority.clone()).or_insert(next);
                claims.entry(patient).or_default().insert((rank, number));
                numbers.by_authority.insert((key.authority.clone(), number), patient);
                let same = numbers.by_number.entry(number).or_insert(Some(patient));
                if *same != Some(patient) {
                    *same = None;
                }
            }
        }
        numbers.joined = claims.values().filter(|c| c.len() > 1).count() as u64;
        let mut order: Vec<(usize, i64, i64)> = claims
            .iter()
            .filter_map(|(patient, c)| c.first().map(|(rank, n)| (*rank, *n, *patient)))
            .collect();
        order.sort_unstable();
        for (_, number, patient) in order {
            if !numbers.give(number, patient) {
                numbers.renumbered += 1;
            }
        }
        for patient in survey.patients.keys() {
            let mut number = *patient;
            while !numbers.of.contains_key(patient) && !numbers.give(number, *patient) {
                number = number.wrapping_add(1) & i64::MAX;
            }
        }
        Ok(numbers)
    }

    /// Gives a number where it is free.
    fn give(&mut self, number: i64, patient: i64) -> bool {
        if self.taken.contains_key(&number) {
            return false;
        }
        self.taken.insert(number, patient);
        self.of.insert(patient, number);
        true
    }

    /// The number outside of what a set calls `number`; a subject of whom there is no event keeps it where nobody
    /// else has it.
    pub fn outside(&self, set: &str, number: i64) -> Option<i64> {
        let named = self.by_authority.get(&(set.to_owned(), number)).copied();
        let patient = named.or_else(|| self.by_number.get(&number).copied().flatten());
        match patient {
            Some(patient) => self.of.get(&patient).copied(),
            None => (!self.taken.contains_key(&number)).then_some(number),
        }
    }
}

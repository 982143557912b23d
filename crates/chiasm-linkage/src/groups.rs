//! Groups of records that grow into persons, and what speaks against joining two of them.

use crate::cluster::ReviewReason;
use crate::guard::Guard;
use crate::link::Linkage;
use crate::records::Records;
use std::collections::{BTreeMap, BTreeSet};

/// Groups that grow, each known by its smallest record.
pub(crate) struct Groups {
    parent: Vec<u32>,
    members: BTreeMap<u32, Vec<u32>>,
    apart: BTreeSet<(u32, u32)>,
}

/// How many records of each of two groups are held against each other before they are joined.
const WITNESSES: usize = 8;

impl Groups {
    pub(crate) fn new(records: &Records) -> Self {
        Self { parent: (0..records.len() as u32).collect(), members: BTreeMap::new(), apart: BTreeSet::new() }
    }

    pub(crate) fn smallest(&mut self, record: u32) -> u32 {
        let mut root = record;
        while self.parent[root as usize] != root {
            self.parent[root as usize] = self.parent[self.parent[root as usize] as usize];
            root = self.parent[root as usize];
        }
        root
    }

    pub(crate) fn same(&mut self, a: u32, b: u32) -> bool {
        self.smallest(a) == self.smallest(b)
    }

    fn group(&mut self, record: u32) -> Vec<u32> {
        let root = self.smallest(record);
        self.members.get(&root).cloned().unwrap_or_else(|| vec![root])
    }

    pub(crate) fn decided_apart(&mut self, a: u32, b: u32) -> bool {
        if self.apart.is_empty() {
            return false;
        }
        let (here, there) = (self.group(a), self.group(b));
        here.iter().any(|&x| there.iter().any(|&y| self.apart.contains(&(x.min(y), x.max(y)))))
    }

    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.smallest(a), self.smallest(b));
        if a == b {
            return;
        }
        let (keep, gone) = (a.min(b), a.max(b));
        let mut members = self.group(gone);
        self.members.remove(&gone);
        self.members.entry(keep).or_insert_with(|| vec![keep]).append(&mut members);
        self.parent[gone as usize] = keep;
    }

    /// Keeps the two records of each pair apart, whatever links them.
    pub(crate) fn part(&mut self, pairs: impl Iterator<Item = (u32, u32)>) {
        self.apart.extend(pairs);
    }

    /// The pairs of records that two groups are held against each other by: the first of each, the two themselves
    /// before the others. `None` where somebody decided that they are apart.
    fn witnesses(&mut self, a: u32, b: u32) -> Option<Vec<(u32, u32)>> {
        if self.decided_apart(a, b) {
            return None;
        }
        let [here, there] = [a, b].map(|own| {
            let group = self.group(own);
            let others = group.into_iter().filter(|r| *r != own).take(WITNESSES - 1);
            std::iter::once(own).chain(others).collect::<Vec<_>>()
        });
        Some(here.iter().flat_map(|x| there.iter().map(move |y| (*x, *y))).collect())
    }

    /// What speaks against joining the groups of two records that a message merges.
    pub(crate) fn against_merge(
        &mut self,
        records: &Records,
        linkage: &Linkage,
        guard: &Guard<'_>,
        a: u32,
        b: u32,
    ) -> Option<ReviewReason> {
        let Some(pairs) = self.witnesses(a, b) else { return Some(ReviewReason::Decided) };
        pairs.into_iter().find_map(|(x, y)| {
            if guard.is_reused(x) || guard.is_reused(y) {
                Some(ReviewReason::ReusedNumber)
            } else if !guard.conflicts(x, y).is_empty() {
                Some(ReviewReason::WrongPatient)
            } else {
                linkage.against_merge(records, x, y).then_some(ReviewReason::MergeAgainstFields)
            }
        })
    }

    /// What speaks against joining the groups of two records.
    pub(crate) fn objection(
        &mut self,
        records: &Records,
        linkage: &Linkage,
        guard: &Guard<'_>,
        a: u32,
        b: u32,
    ) -> Option<ReviewReason> {
        let Some(pairs) = self.witnesses(a, b) else { return Some(ReviewReason::Decided) };
        let mut log_odds = 0.0;
        for &(x, y) in &pairs {
            if let Some(reason) = linkage.conflict(records, x, y) {
                return Some(reason);
            }
            if !guard.conflicts(x, y).is_empty() {
                return Some(ReviewReason::WrongPatient);
            }
            log_odds += linkage.log_odds(records, x, y);
        }
        // On average over the pairs they are two.
        (pairs.len() > 1 && log_odds < 0.0).then_some(ReviewReason::Chain)
    }
}

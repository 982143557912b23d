//! What of a commit a store does not have yet.

use crate::rows::{AssetRow, EntryRow, IdentityRow, SourceRow, StatementRow, TakenRow};
use crate::said::Said;
use crate::seen::{Seen, digits};
use crate::{Commit, Committed, EventRow, Taken};
use std::collections::{BTreeMap, HashSet};

/// The rows that a commit adds, by table.
#[derive(Default)]
pub(crate) struct Fresh<'a> {
    pub done: Committed,
    /// By bucket.
    pub events: BTreeMap<u32, Vec<&'a EventRow>>,
    pub entries: Vec<EntryRow>,
    pub rows: Vec<TakenRow>,
    pub identities: Vec<&'a IdentityRow>,
    pub assets: Vec<&'a AssetRow>,
    pub statements: Vec<StatementRow>,
    pub sources: Vec<&'a SourceRow>,
}

impl<'a> Fresh<'a> {
    pub fn of(commit: &'a Commit, seen: &Seen, buckets: u32) -> Self {
        let mut fresh = Self::default();
        let (mut here, mut rows, mut held) = (HashSet::new(), HashSet::new(), HashSet::new());
        let (mut told, mut said) = (Said::default(), Vec::new());
        for taken in &commit.taken {
            let key = digits(&taken.entry.key).unwrap_or_default();
            let before = fresh.rows.len();
            let again = seen.entries.contains(&key) || !here.insert(key);
            let events = if again { Vec::new() } else { fresh.events(taken, seen, &mut rows) };
            if again || !taken.rows.is_empty() && fresh.rows.len() == before {
                fresh.done.repeated += 1;
                continue;
            }
            fresh.done.entries += 1;
            fresh.done.events += events.len() as u64;
            fresh.entries.push(EntryRow { events: events.len() as i64, ..taken.entry.clone() });
            for event in events {
                let bucket = event.record.map_or(0, |r| r.bucket(buckets));
                fresh.events.entry(bucket).or_default().push(event);
            }
            fresh.identities.extend(taken.identities.iter().filter(|row| told.add(row, &seen.said)));
            fresh.assets.extend(taken.assets.iter().filter(|row| {
                let id = digits(&row.asset).unwrap_or_default();
                !seen.assets.contains(&id) && held.insert(id)
            }));
            said.extend(taken.statements.iter().map(|s| ("source", s)));
        }
        said.extend(commit.decisions.iter().map(|s| ("person", s)));
        let numbered = said.into_iter().zip(seen.statements + 1..);
        let row = |((by, statement), number): ((&str, &String), i64)| StatementRow {
            number,
            by: by.to_owned(),
            statement: statement.clone(),
        };
        fresh.statements = numbered.map(row).collect();
        let new = |s: &&SourceRow| digits(&s.key).is_none_or(|k| !seen.sources.contains(&k));
        fresh.sources = commit.sources.iter().filter(new).collect();
        fresh
    }

    /// The events of an entry; of one that is rows, those of the rows that are new.
    fn events(
        &mut self,
        taken: &'a Taken,
        seen: &Seen,
        here: &mut HashSet<crate::RowKey>,
    ) -> Vec<&'a EventRow> {
        if taken.rows.is_empty() {
            return taken.events.iter().collect();
        }
        let (mut new, mut left) = (Vec::with_capacity(taken.events.len()), &taken.events[..]);
        for (key, count) in &taken.rows {
            let (own, others) = left.split_at((*count).min(left.len()));
            left = others;
            if !seen.rows.contains(key) && here.insert(*key) {
                self.rows.push(TakenRow { key: *key });
                new.extend(own);
            }
        }
        new
    }
}

use crate::blocking::{Atom, atoms};
use crate::compare::{Cache, Comparer};
use crate::link::{Evidence, Linkage};
use crate::records::{Records, RecordsBuilder};
use crate::sampling::mix;
use crate::score::Scorer;
use crate::{FieldKind, Identity};
use rayon::prelude::*;

/// Lists of more records than this are left to narrower keys.
const LONGEST: usize = 1_000;
/// Most records that one question is compared with.
const MOST: usize = 3_000;

/// Finds whose record a new one is, among records that were linked before.
pub struct Index {
    records: Records,
    comparer: Comparer,
    scorer: Scorer,
    atoms: Vec<Atom>,
    keys: Vec<Postings>,
    cache: Cache,
}

/// The records of each value of a key, sorted by the value's hash.
struct Postings {
    atoms: Vec<usize>,
    values: Vec<u32>,
    rows: Vec<u32>,
}

/// A record that the new one may belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Its number among the indexed records.
    pub row: u32,
    /// Chance that both are of one person, from this pair alone.
    pub probability: f64,
    /// What each field says.
    pub evidence: Vec<Evidence>,
}

impl Index {
    /// Indexes records with what was learned when they were linked. The records' second table, if there is
    /// one, is searched like the first.
    pub fn new(mut records: Records, linkage: Linkage) -> Self {
        (records.tables, records.second) = (1, records.len());
        let Linkage { comparer, scorer, used, .. } = linkage;
        let mut atoms = atoms(&records, &comparer);
        let keys = used.into_par_iter().map(|key| postings(&records, &atoms, key)).collect();
        for atom in &mut atoms {
            atom.columns = Vec::new();
        }
        Self { records, comparer, scorer, atoms, keys, cache: Cache::new(14) }
    }

    /// The records that somebody may be, the likeliest first: at most `most`, each with at least the
    /// probability `least`. The index is as before afterwards.
    pub fn match_identity(&mut self, identity: &Identity, least: f64, most: usize) -> Vec<Match> {
        let mut builder = RecordsBuilder::new();
        builder.push_identity("", identity);
        self.find(&builder.finish(), least, most)
    }

    /// The same for a row of a table: its cells as [`RecordsBuilder::push`] takes them.
    pub fn match_row<'a>(
        &mut self,
        cells: impl IntoIterator<Item = (FieldKind, &'a str, &'a str)>,
        least: f64,
        most: usize,
    ) -> Vec<Match> {
        let mut builder = RecordsBuilder::new();
        builder.push("", cells);
        self.find(&builder.finish(), least, most)
    }

    /// How many records are indexed.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The id of record `row` as it stands in the source.
    pub fn id(&self, row: u32) -> &str {
        self.records.id(row)
    }

    fn find(&mut self, asked: &Records, least: f64, most: usize) -> Vec<Match> {
        let sizes = self.records.push_last(asked);
        let own = (self.records.len() - 1) as u32;
        let floor = self.scorer.bits_for(least);
        let mut found: Vec<(u32, f32)> = Vec::new();
        for row in self.candidates(own) {
            if let Some(total) =
                self.scorer.reaches(&self.comparer, &self.records, (row, own), floor, &mut self.cache)
            {
                found.push((row, total));
            }
        }
        found.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
        found.truncate(most);
        let explain = |&(row, total): &(u32, f32)| Match {
            row,
            probability: self.scorer.probability_of(f64::from(total)),
            evidence: self.comparer.evidence(&self.scorer, &self.records, row, own),
        };
        let matches = found.iter().map(explain).collect();
        // Numbers of new values are given again to others: what the cache knows of them must go.
        if self.records.drop_last(&sizes) {
            self.cache.clear();
        }
        matches
    }

    /// The records that share a key with record `own`, from the shortest lists up.
    fn candidates(&self, own: u32) -> Vec<u32> {
        let values: Vec<Vec<u32>> = self.atoms.iter().map(|atom| atom.of(&self.records, own)).collect();
        let mut lists: Vec<&[u32]> = Vec::new();
        for key in &self.keys {
            let hashes = match key.atoms[..] {
                [one] => values[one].iter().filter(|&&v| v != 0).map(|&v| hash(v, 0)).collect(),
                [one, other] if values[one][0] != 0 && values[other][0] != 0 => {
                    vec![hash(values[one][0], values[other][0])]
                }
                _ => Vec::new(),
            };
            for hash in hashes {
                let from = key.values.partition_point(|&v| v < hash);
                let length = key.values[from..].partition_point(|&v| v == hash);
                if length <= LONGEST {
                    lists.push(&key.rows[from..from + length]);
                }
            }
        }
        lists.sort_by_key(|list| list.len());
        let mut rows: Vec<u32> = Vec::new();
        for list in lists {
            if rows.len() + list.len() > MOST {
                break;
            }
            rows.extend(list);
        }
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

fn hash(one: u32, other: u32) -> u32 {
    mix(u64::from(one) << 32 | u64::from(other)) as u32
}

fn postings(records: &Records, atoms: &[Atom], key: Vec<usize>) -> Postings {
    let mut entries: Vec<(u32, u32)> = match key[..] {
        [one, other] => {
            let both = atoms[one].columns[0].iter().zip(&atoms[other].columns[0]);
            let rows = (0..records.len() as u32).zip(both);
            rows.filter(|(_, (x, y))| **x != 0 && **y != 0).map(|(row, (&x, &y))| (hash(x, y), row)).collect()
        }
        _ => {
            let columns = key.iter().flat_map(|&atom| &atoms[atom].columns);
            let rows = columns.flat_map(|column| (0_u32..).zip(column));
            rows.filter(|(_, x)| **x != 0).map(|(row, &x)| (hash(x, 0), row)).collect()
        }
    };
    entries.sort_unstable();
    entries.dedup();
    let (values, rows) = entries.into_iter().unzip();
    Postings { atoms: key, values, rows }
}

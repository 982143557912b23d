//! Rows of a table as entries: each row with a key of its own, so that a table that is exported again, longer or in
//! another order, brings only what is new in it.

use super::{Entry, Mention, Sink, SinkError};
use chiasm_linkage::Identity;
use chiasm_record::{Event, Finding};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Rows that are one entry, where they have fewer bytes together than this.
const FULL: (usize, usize) = (1024, 4 << 20);

/// Rows of a table that will be one entry.
pub(crate) struct RowBlock {
    /// Begins the key of every row.
    table: blake3::Hasher,
    /// What the file has had so far, 8 bytes of each row's hash...
    once: HashSet<u64>,
    /// ...and how often what it has had more than once.
    often: HashMap<u64, u64>,
    keys: Vec<[u8; 16]>,
    mentions: Vec<Mention>,
    bytes: usize,
    lines: Option<(u64, u64)>,
    findings: BTreeMap<String, usize>,
}

impl RowBlock {
    /// For a file of the table that has these names: the same row of another table is another row.
    pub fn of(names: &[&str]) -> Self {
        let mut table = blake3::Hasher::new();
        names.iter().for_each(|name| put(&mut table, name.as_bytes()));
        Self {
            table,
            once: HashSet::new(),
            often: HashMap::new(),
            keys: Vec::new(),
            mentions: Vec::new(),
            bytes: 0,
            lines: None,
            findings: BTreeMap::new(),
        }
    }

    /// Adds a row: where it stands, what makes it this row, and what it says of whom.
    pub fn add<'c>(
        &mut self,
        line: u64,
        cells: impl Iterator<Item = &'c [u8]>,
        identity: Identity,
        events: Vec<Event>,
    ) {
        let mut hash = self.table.clone();
        for cell in cells {
            self.bytes += cell.len();
            put(&mut hash, cell);
        }
        let mut key = short(&hash);
        // The same row twice in one file is two rows there, and the same two in the next export.
        if !self.once.insert(key as u64) {
            let times = self.often.entry(key as u64).or_insert(0);
            *times += 1;
            hash.update(&times.to_le_bytes());
            key = short(&hash);
        }
        self.keys.push(key.to_le_bytes());
        self.mentions.push(Mention { identity: Some(identity), events });
        self.lines = Some((self.lines.map_or(line, |(first, _)| first), line));
    }

    /// Whether it is time to give it away.
    pub fn is_full(&self) -> bool {
        self.keys.len() >= FULL.0 || self.bytes >= FULL.1
    }

    /// Adds a doubt that costs nothing.
    pub fn find(&mut self, message: &str, n: usize) {
        *self.findings.entry(message.to_owned()).or_default() += n;
    }

    /// Hands over what is there, and begins anew.
    pub fn give(&mut self, origin: &str, sink: &mut dyn Sink) -> Result<(), SinkError> {
        let (rows, subjects) = (std::mem::take(&mut self.keys), std::mem::take(&mut self.mentions));
        let findings = std::mem::take(&mut self.findings);
        let lines = self.lines.take();
        self.bytes = 0;
        if rows.is_empty() && findings.is_empty() {
            return Ok(());
        }
        let mut key = self.table.clone();
        rows.iter().for_each(|row| {
            key.update(row);
        });
        sink.entry(Entry {
            key: *key.finalize().as_bytes(),
            place: lines.map_or_else(String::new, |(first, last)| format!("lines {first}-{last}")),
            subjects,
            rows,
            links: Vec::new(),
            assets: Vec::new(),
            findings: findings.into_iter().map(|(message, n)| Finding::new(origin, message, n)).collect(),
        })
    }
}

/// 16 bytes of a hash.
fn short(hash: &blake3::Hasher) -> u128 {
    u128::from_le_bytes(*hash.finalize().as_bytes().first_chunk().unwrap_or(&[0; 16]))
}

fn put(hash: &mut blake3::Hasher, bytes: &[u8]) {
    hash.update(&(bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(rows: &[u8]) -> Vec<[u8; 16]> {
        let mut block = RowBlock::of(&["lab.csv"]);
        for (line, row) in (2..).zip(rows) {
            block.add(line, [&[*row][..]].into_iter(), Identity::default(), Vec::new());
        }
        let mut sink: Vec<Entry> = Vec::new();
        block.give("lab.csv", &mut sink).unwrap();
        sink.into_iter().flat_map(|e| e.rows).collect()
    }

    proptest! {
        /// However a table grows and is sorted, what it had is what it has, as often as it had it.
        #[test]
        fn a_row_keeps_its_key(mut rows in prop::collection::vec(0_u8..20, 0..60), more in prop::collection::vec(0_u8..20, 0..60), turn in 0_usize..60) {
            let before: HashSet<[u8; 16]> = keys(&rows).into_iter().collect();
            prop_assert_eq!(before.len(), rows.len());
            rows.extend(&more);
            let turn = turn.min(rows.len());
            rows.rotate_left(turn);
            let after: HashSet<[u8; 16]> = keys(&rows).into_iter().collect();
            prop_assert_eq!(after.len(), rows.len());
            prop_assert!(before.is_subset(&after));
        }
    }

    #[test]
    fn cells_and_tables_are_told_apart() {
        let key = |table: &str, cells: &[&str]| {
            let mut block = RowBlock::of(&[table]);
            block.add(2, cells.iter().map(|c| c.as_bytes()), Identity::default(), Vec::new());
            block.keys[0]
        };
        assert_eq!(key("a", &["x", "y"]), key("a", &["x", "y"]));
        assert_ne!(key("a", &["x", "y"]), key("b", &["x", "y"]));
        assert_ne!(key("a", &["xy", ""]), key("a", &["x", "y"]));
    }
}

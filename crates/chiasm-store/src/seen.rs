//! What has been taken, so that it is not taken twice.

use crate::known::{Keys, first};
use crate::rows::{IdentityRow, StatementRow, TakenRow};
use crate::said::Said;
use crate::{Error, Manifest, Part, Store, Table, parts};
use std::collections::HashSet;

/// The keys of what is committed: 16 bytes of each hash.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The commit whose keys are all here.
    commit: Option<u64>,
    /// The parts whose keys are here.
    files: HashSet<String>,
    /// The parts of tables' rows whose keys are here.
    row_files: HashSet<String>,
    pub entries: Keys,
    pub rows: Keys,
    pub sources: Keys,
    pub said: Said,
    pub assets: Keys,
    pub statements: i64,
}

impl Seen {
    /// Says that all keys of a state are here.
    pub fn know(&mut self, manifest: &Manifest) {
        self.files.extend(manifest.parts.iter().map(|p| p.file.clone()));
        self.commit = Some(manifest.commit);
    }
}

impl Store {
    /// Whether an entry of that key is there.
    ///
    /// # Errors
    /// Where the table of entries cannot be read.
    pub fn has_entry(&mut self, key: &[u8; 32]) -> Result<bool, Error> {
        self.look()?;
        Ok(self.seen.entries.contains(&first(key)))
    }

    /// Whether a file of that key was read to its end.
    ///
    /// # Errors
    /// Where the table of sources cannot be read.
    pub fn has_source(&mut self, key: &[u8; 32]) -> Result<bool, Error> {
        self.look()?;
        Ok(self.seen.sources.contains(&first(key)))
    }

    /// Reads the keys of tables' rows that are new in the manifest: there are as many as rows, and only who reads
    /// tables needs them.
    pub(crate) fn look_at_rows(&mut self) -> Result<(), Error> {
        let new: Vec<Part> = self
            .manifest
            .of(Table::Rows)
            .filter(|p| !self.seen.row_files.contains(&p.file))
            .cloned()
            .collect();
        for part in new {
            let rows: Vec<TakenRow> = parts::read(&self.place, &part)?;
            self.seen.rows.extend(rows.into_iter().map(|r| r.key));
            self.seen.row_files.insert(part.file);
        }
        Ok(())
    }

    /// Reads the keys of what is new in the manifest. Parts that others have merged are read again: their keys
    /// are known already, but for what was committed in between.
    pub(crate) fn look(&mut self) -> Result<(), Error> {
        if self.seen.commit == Some(self.manifest.commit) {
            return Ok(());
        }
        let new: Vec<Part> =
            self.manifest.parts.iter().filter(|p| !self.seen.files.contains(&p.file)).cloned().collect();
        for part in new {
            match part.table {
                Table::Entries => {
                    let keys = parts::texts(&self.place, &part, "key")?;
                    self.seen.entries.extend(keys.iter().filter_map(|k| digits(k)));
                }
                Table::Sources => {
                    let keys = parts::texts(&self.place, &part, "key")?;
                    self.seen.sources.extend(keys.iter().filter_map(|k| digits(k)));
                }
                Table::Assets => {
                    let ids = parts::texts(&self.place, &part, "asset")?;
                    self.seen.assets.extend(ids.iter().filter_map(|k| digits(k)));
                }
                Table::Identities => {
                    let rows: Vec<IdentityRow> = parts::read(&self.place, &part)?;
                    let none = Said::default();
                    rows.iter().for_each(|row| {
                        self.seen.said.add(row, &none);
                    });
                }
                Table::Statements => {
                    let rows: Vec<StatementRow> = parts::read(&self.place, &part)?;
                    let last = rows.iter().map(|r| r.number).max().unwrap_or(0);
                    self.seen.statements = self.seen.statements.max(last);
                }
                Table::Rows
                | Table::Events
                | Table::Quarantine
                | Table::Links
                | Table::Pairs
                | Table::Clocks => {}
            }
            self.seen.files.insert(part.file);
        }
        self.seen.commit = Some(self.manifest.commit);
        Ok(())
    }
}

/// The first 16 bytes of a hash in hexadecimal.
pub(crate) fn digits(hash: &str) -> Option<[u8; 16]> {
    chiasm_record::AssetId::parse(hash).map(|id| first(id.bytes()))
}

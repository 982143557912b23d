//! Where everything that was read comes together, in order: batches that are committed as a whole.

use super::normalise::Tally;
use super::preparing::{Prepared, Step};
use super::site::IngestSite;
use crate::Error;
use chiasm_linkage::Identifier;
use chiasm_record::Finding;
use chiasm_store::{Commit, QuarantineRow, SourceRow, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A batch is committed when it has so many events...
const EVENTS: usize = 200_000;
/// ...or so many entries...
const ENTRIES: usize = 50_000;
/// ...or so many bytes in memory.
const BYTES: usize = 192 << 20;

/// What a source says of two of its identifiers, as the store keeps it.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct SourceStatement {
    /// Whether they are one person, or two.
    pub same: bool,
    /// The one that remains in use.
    pub kept: Identifier,
    /// The other.
    pub other: Identifier,
    /// The file and the place in it.
    pub origin: String,
}

/// What was taken, for the report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Files read to their end.
    pub files: u64,
    /// Entries that are new.
    pub entries: u64,
    /// Their events.
    pub events: u64,
    /// Entries that were there already.
    pub repeated: u64,
    /// Parts that went to quarantine.
    pub rejected: u64,
}

/// What an ingest did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ingested {
    /// By format.
    pub formats: BTreeMap<String, u64>,
    /// Altogether.
    pub totals: Totals,
    /// Files that were read to their end at an earlier time, with the same bindings.
    pub unchanged: u64,
    /// Files that belong to others and were read with them: a header's signal.
    pub companions: u64,
    /// Codes, units.
    pub tally: Tally,
}

/// A batch on its way into the store.
pub(crate) struct Taking<'a> {
    store: &'a mut Store,
    site: &'a IngestSite,
    batch: Commit,
    events: usize,
    bytes: usize,
    /// What was done so far.
    pub done: Ingested,
    file: File,
}

/// What is known of the file that is being read.
#[derive(Default)]
struct File {
    origin: String,
    format: &'static str,
    entries: u64,
    events: u64,
    rejected: u64,
    findings: BTreeMap<(String, String), usize>,
}

impl<'a> Taking<'a> {
    pub fn new(store: &'a mut Store, site: &'a IngestSite) -> Self {
        Self {
            store,
            site,
            batch: Commit::default(),
            events: 0,
            bytes: 0,
            done: Ingested::default(),
            file: File::default(),
        }
    }

    /// Takes the next step.
    pub fn take(&mut self, step: Step) -> Result<(), Error> {
        match step {
            Step::Begin { origin, format } => self.file = File { origin, format, ..File::default() },
            Step::Entry(prepared) => self.entry(*prepared)?,
            Step::Repeated(n) => self.done.totals.repeated += n,
            Step::Refused(row) => {
                self.file.rejected += 1;
                self.done.totals.rejected += 1;
                self.bytes += size_of::<QuarantineRow>() + 300 + row.message.len();
                self.batch.quarantine.push(*row);
            }
            Step::End { format, key, bytes } => self.end(format, key, bytes)?,
            Step::Unchanged => self.done.unchanged += 1,
            Step::Companion => self.done.companions += 1,
        }
        let Commit { taken, sources, .. } = &self.batch;
        if self.events >= EVENTS || taken.len() + sources.len() >= ENTRIES || self.bytes >= BYTES {
            self.commit()?;
        }
        Ok(())
    }

    fn entry(&mut self, prepared: Prepared) -> Result<(), Error> {
        if self.store.has_entry(&prepared.key)? {
            self.done.totals.repeated += 1;
            return Ok(());
        }
        let Prepared { taken, findings, tally, weight, .. } = prepared;
        self.done.tally.add(tally);
        for finding in findings {
            *self.file.findings.entry((finding.place, finding.message)).or_default() += finding.count;
        }
        self.file.entries += 1;
        self.file.events += taken.events.len() as u64;
        self.events += taken.events.len();
        self.bytes += weight;
        self.batch.taken.push(taken);
        Ok(())
    }

    fn end(&mut self, format: &str, key: [u8; 32], bytes: u64) -> Result<(), Error> {
        let file = std::mem::take(&mut self.file);
        let findings: Vec<Finding> =
            file.findings.into_iter().map(|((place, message), n)| Finding::new(place, message, n)).collect();
        self.done.totals.files += 1;
        *self.done.formats.entry(format.to_owned()).or_default() += 1;
        self.batch.sources.push(SourceRow {
            key: hex(&key),
            source: self.site.name.clone(),
            origin: file.origin,
            format: file.format.to_owned(),
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            entries: file.entries as i64,
            events: file.events as i64,
            rejected: file.rejected as i64,
            findings: serde_json::to_string(&findings).map_err(Error::json("findings"))?,
        });
        Ok(())
    }

    /// Commits what is there.
    pub fn commit(&mut self) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.batch);
        (self.events, self.bytes) = (0, 0);
        let done = self.store.commit(&batch)?;
        self.done.totals.entries += done.entries;
        self.done.totals.events += done.events;
        self.done.totals.repeated += done.repeated;
        Ok(())
    }

    /// The store, as it was after the last commit.
    pub fn store(&self) -> &Store {
        self.store
    }

    /// Puts a row of the quarantine's own into the batch.
    pub fn settle(&mut self, row: QuarantineRow) {
        self.batch.quarantine.push(row);
    }
}

pub(crate) fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

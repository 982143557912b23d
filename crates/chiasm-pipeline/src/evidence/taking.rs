//! Where every reader's entries go: identities get their record numbers, codes and units their common
//! names, assets their place, and all of it is committed in batches.

use super::normalise::{Normalise, Tally};
use super::site::IngestSite;
use crate::Error;
use chiasm_ingest::feed::{AssetBytes, Entry, LinkKind, Rejected, Sink, SinkError};
use chiasm_linkage::{Identifier, Identity};
use chiasm_record::{AssetId, Finding};
use chiasm_store::{
    AssetRow, Commit, EntryRow, EventRow, IdentityRow, QuarantineRow, RecordId, SourceRow, Store, Taken,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A batch is committed when it has so many events...
const EVENTS: usize = 200_000;
/// ...or so many entries...
const ENTRIES: usize = 50_000;
/// ...or so many bytes of text.
const BYTES: usize = 128 << 20;

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

/// A batch on its way into the store.
pub(crate) struct Taking<'a> {
    pub store: &'a mut Store,
    site: &'a IngestSite,
    normalise: Normalise<'a>,
    batch: Commit,
    events: usize,
    bytes: usize,
    /// Over all files.
    pub totals: Totals,
    /// Of this file.
    file: File,
}

/// What is known of the file that is being read.
#[derive(Default)]
struct File {
    origin: String,
    format: String,
    entries: u64,
    events: u64,
    rejected: u64,
    findings: BTreeMap<(String, String), usize>,
}

impl<'a> Taking<'a> {
    pub fn new(store: &'a mut Store, site: &'a IngestSite) -> Self {
        let normalise = Normalise::of(&site.bindings);
        let (batch, file) = (Commit::default(), File::default());
        Self { store, site, normalise, batch, events: 0, bytes: 0, totals: Totals::default(), file }
    }

    /// Begins a file.
    pub fn begin(&mut self, origin: &str, format: &str) {
        self.file = File { origin: origin.to_owned(), format: format.to_owned(), ..File::default() };
    }

    /// Ends a file that was read to its end: it need not be read again.
    pub fn end(&mut self, key: [u8; 32], bytes: u64) -> Result<(), Error> {
        let file = std::mem::take(&mut self.file);
        let findings: Vec<Finding> =
            file.findings.into_iter().map(|((place, message), n)| Finding::new(place, message, n)).collect();
        self.totals.files += 1;
        self.batch.sources.push(SourceRow {
            key: hex(&key),
            source: self.site.name.clone(),
            origin: file.origin,
            format: file.format,
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            entries: file.entries as i64,
            events: file.events as i64,
            rejected: file.rejected as i64,
            findings: serde_json::to_string(&findings).map_err(crate::Error::json("findings"))?,
        });
        if self.batch.sources.len() >= ENTRIES {
            self.commit()?;
        }
        Ok(())
    }

    /// Commits what is there.
    pub fn commit(&mut self) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.batch);
        (self.events, self.bytes) = (0, 0);
        let done = self.store.commit(&batch)?;
        self.totals.entries += done.entries;
        self.totals.events += done.events;
        self.totals.repeated += done.repeated;
        Ok(())
    }

    /// The codes that no binding names, and what was done to units.
    pub fn tally(&self) -> &Tally {
        &self.normalise.tally
    }

    fn take(&mut self, entry: Entry) -> Result<(), Error> {
        if self.store.has_entry(&entry.key)? {
            self.totals.repeated += 1;
            return Ok(());
        }
        let origin = match entry.place.as_str() {
            "" => self.file.origin.clone(),
            place => format!("{}, {place}", self.file.origin),
        };
        let mut taken = Taken {
            entry: EntryRow {
                key: hex(&entry.key),
                source: self.site.name.clone(),
                origin: origin.clone(),
                events: entry.events() as i64,
            },
            events: Vec::with_capacity(entry.events()),
            identities: Vec::new(),
            assets: Vec::new(),
            statements: Vec::new(),
        };
        for mention in entry.subjects {
            let record = match mention.identity {
                None => None,
                Some(identity) => self.identify(identity, &mut taken)?,
            };
            for mut event in mention.events {
                self.normalise.event(&mut event);
                event.attributes.sort();
                self.bytes += 200 + event.text.as_ref().map_or(0, String::len);
                self.bytes += event.attributes.iter().map(|(n, v)| n.len() + v.len()).sum::<usize>();
                let source = self.site.name.clone();
                taken.events.push(EventRow { record, event, source, origin: origin.clone() });
            }
        }
        for asset in entry.assets {
            let bytes = match &asset.bytes {
                AssetBytes::Memory(bytes) => {
                    self.store.put_asset(bytes)?;
                    bytes.len() as u64
                }
                AssetBytes::File(path) => self.store.put_asset_file(path, &asset.id)?,
            };
            taken.assets.push(AssetRow {
                asset: asset.id.to_string(),
                media_type: asset.media_type,
                bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            });
        }
        for link in entry.links {
            let statement = SourceStatement {
                same: link.kind == LinkKind::Same,
                kept: self.canonical(link.kept),
                other: self.canonical(link.other),
                origin: origin.clone(),
            };
            taken.statements.push(serde_json::to_string(&statement).map_err(Error::json("a statement"))?);
        }
        for finding in entry.findings {
            *self.file.findings.entry((finding.place, finding.message)).or_default() += finding.count;
        }
        self.file.entries += 1;
        self.file.events += taken.events.len() as u64;
        self.events += taken.events.len();
        self.batch.taken.push(taken);
        if self.events >= EVENTS || self.batch.taken.len() >= ENTRIES || self.bytes >= BYTES {
            self.commit()?;
        }
        Ok(())
    }

    fn canonical(&self, mut identifier: Identifier) -> Identifier {
        if identifier.authority.is_empty() {
            identifier.authority = self.site.name.clone();
        }
        identifier.authority = self.site.bindings.authority(&identifier.authority).to_owned();
        identifier
    }

    /// The record of an identity; what it says beyond the key is kept.
    fn identify(&mut self, identity: Identity, taken: &mut Taken) -> Result<Option<RecordId>, Error> {
        let mut identity = identity;
        identity.identifiers = identity
            .identifiers
            .into_iter()
            .filter(|i| !i.value.is_empty())
            .map(|i| self.canonical(i))
            .collect();
        let Some(key) = identity.key() else { return Ok(None) };
        let record = self.store.record(&key.authority, &key.value);
        let json = serde_json::to_string(&identity).map_err(Error::json("an identity"))?;
        taken.identities.push(IdentityRow {
            record_id: record,
            source: self.site.name.clone(),
            hash: blake3::hash(json.as_bytes()).to_hex().to_string(),
            identity: json,
        });
        Ok(Some(record))
    }

    /// Puts a part that breaks a rule into quarantine: its bytes, where they are given. Of a file that came over
    /// a network and is nowhere else, the whole of it, however large.
    fn refuse(&mut self, rejected: Rejected) -> Result<(), Error> {
        let whole = PathBuf::from(&self.file.origin);
        let asset = match &rejected.bytes {
            Some(bytes) => Some(self.store.put_asset(bytes)?),
            None if super::inbox::holds(self.store, &whole) => Some(self.keep(&whole)?),
            None => None,
        };
        let content = match (&rejected.bytes, &asset) {
            (None, Some(id)) => id.to_string().into(),
            (bytes, _) => bytes.clone().unwrap_or_default(),
        };
        self.quarantine(rejected, &content, asset.map(|id| id.to_string()))
    }

    /// Keeps a whole file.
    fn keep(&mut self, path: &Path) -> Result<AssetId, Error> {
        let fault = |source| Error::Read { path: path.to_owned(), source };
        let mut hasher = blake3::Hasher::new();
        let mut file = std::fs::File::open(path).map_err(fault)?;
        std::io::copy(&mut file, &mut hasher).map_err(fault)?;
        let id = AssetId::new(*hasher.finalize().as_bytes());
        self.store.put_asset_file(path, &id)?;
        Ok(id)
    }

    fn quarantine(&mut self, rejected: Rejected, content: &[u8], asset: Option<String>) -> Result<(), Error> {
        let mut hash = blake3::Hasher::new();
        for part in [&self.site.name, &self.file.origin, &rejected.place, &rejected.rule] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(content);
        self.file.rejected += 1;
        self.totals.rejected += 1;
        self.batch.quarantine.push(QuarantineRow {
            id: hash.finalize().to_hex().to_string(),
            source: self.site.name.clone(),
            origin: self.file.origin.clone(),
            place: rejected.place,
            offset: rejected.offset.and_then(|o| i64::try_from(o).ok()),
            format: self.file.format.clone(),
            rule: rejected.rule,
            message: rejected.message,
            asset,
            state: "open".to_owned(),
        });
        Ok(())
    }

    /// Puts a row of the quarantine's own into the batch.
    pub fn settle(&mut self, row: QuarantineRow) {
        self.batch.quarantine.push(row);
    }
}

impl Sink for Taking<'_> {
    fn entry(&mut self, entry: Entry) -> Result<(), SinkError> {
        self.take(entry).map_err(|e| SinkError(Box::new(e)))
    }

    fn reject(&mut self, rejected: Rejected) -> Result<(), SinkError> {
        self.refuse(rejected).map_err(|e| SinkError(Box::new(e)))
    }
}

pub(crate) fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

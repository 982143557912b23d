//! What a reader hands over, made ready for the store: identities get their record numbers, codes and units
//! their common names, assets their place. Any thread may do this; the order of the store is not its concern.

use super::normalise::{Normalise, Tally};
use super::site::IngestSite;
use super::taking::{SourceStatement, hex};
use crate::Error;
use chiasm_ingest::feed::{AssetBytes, Entry, LinkKind, Rejected, Sink, SinkError};
use chiasm_linkage::{Identifier, IdentifierKind, Identity};
use chiasm_record::{AssetId, Event, Finding, KnownBasis};
use chiasm_store::{
    AssetDesk, AssetRow, EntryRow, EventRow, IdentityRow, Known, Place, QuarantineRow, RecordId, Store, Taken,
};
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// A step of reading a source, in the order in which they happen.
pub(crate) enum Step {
    /// A file begins.
    Begin { origin: String, format: &'static str },
    /// Something new in it.
    Entry(Box<Prepared>),
    /// So many entries were there already.
    Repeated(u64),
    /// Something that breaks a rule.
    Refused(Box<QuarantineRow>),
    /// The file ends, read to its end.
    End { format: &'static str, key: [u8; 32], bytes: u64 },
    /// A file that was read to its end at an earlier time.
    Unchanged,
    /// A file that is read with another.
    Companion,
}

impl Step {
    /// Bytes in memory, roughly.
    pub fn weight(&self) -> usize {
        match self {
            Self::Entry(prepared) => prepared.weight,
            _ => 256,
        }
    }
}

/// An entry, ready to be committed.
pub(crate) struct Prepared {
    pub key: [u8; 32],
    pub taken: Taken,
    pub findings: Vec<Finding>,
    pub tally: Tally,
    /// Bytes in memory, roughly.
    pub weight: usize,
}

/// Where steps go.
pub(crate) type Out<'a> = &'a mut dyn FnMut(Step) -> Result<(), Error>;

/// What all threads share: the site's bindings, and the store as far as reading needs it.
pub(crate) struct Ground<'a> {
    pub site: &'a IngestSite,
    pub known: Known,
    desk: AssetDesk,
    /// What lies in the store's inbox is nowhere else.
    inbox: Option<PathBuf>,
}

impl<'a> Ground<'a> {
    pub fn of(store: &mut Store, site: &'a IngestSite) -> Result<Self, Error> {
        let inbox = match store.place() {
            Place::Folder(root) => Some(super::inbox::folder(root)),
            Place::Remote(_) => None,
        };
        Ok(Self { site, known: store.known()?, desk: store.desk()?, inbox })
    }
}

/// Makes entries ready; every file has one.
pub(crate) struct Preparing<'a> {
    ground: &'a Ground<'a>,
    pub out: Out<'a>,
    /// Of the file that is being read.
    origin: String,
    format: &'static str,
    skipped: Cell<u64>,
}

impl<'a> Preparing<'a> {
    pub fn new(ground: &'a Ground<'a>, out: Out<'a>) -> Self {
        Self { ground, out, origin: String::new(), format: "unknown", skipped: Cell::new(0) }
    }

    /// Begins a file.
    pub fn begin(&mut self, origin: &str, format: &'static str) -> Result<(), Error> {
        self.tell_skipped()?;
        (self.origin, self.format) = (origin.to_owned(), format);
        (self.out)(Step::Begin { origin: origin.to_owned(), format })
    }

    /// Ends a file that was read to its end: it need not be read again.
    pub fn end(&mut self, key: [u8; 32], bytes: u64) -> Result<(), Error> {
        self.tell_skipped()?;
        (self.out)(Step::End { format: self.format, key, bytes })
    }

    fn tell_skipped(&mut self) -> Result<(), Error> {
        match self.skipped.take() {
            0 => Ok(()),
            n => (self.out)(Step::Repeated(n)),
        }
    }

    fn take(&mut self, mut entry: Entry) -> Result<(), Error> {
        let known = &self.ground.known;
        let rows = entry.rows.len();
        if rows > 0 {
            // Each is looked up once: others commit meanwhile.
            let new: Vec<bool> = entry.rows.iter().map(|row| !known.has_row(row)).collect();
            let (mut of_rows, mut of_subjects) = (new.iter(), new.iter());
            entry.rows.retain(|_| of_rows.next().is_some_and(|new| *new));
            entry.subjects.retain(|_| of_subjects.next().is_some_and(|new| *new));
        }
        if known.has_entry(&entry.key) || rows > 0 && entry.rows.is_empty() {
            self.skipped.set(self.skipped.get() + 1);
            return Ok(());
        }
        self.tell_skipped()?;
        let prepared = self.prepare(entry)?;
        (self.out)(Step::Entry(Box::new(prepared)))
    }

    fn prepare(&self, entry: Entry) -> Result<Prepared, Error> {
        let origin = match entry.place.as_str() {
            "" => self.origin.clone(),
            place => format!("{}, {place}", self.origin),
        };
        let source = &self.ground.site.name;
        let events = entry.events();
        let mut taken = Taken {
            entry: EntryRow {
                key: hex(&entry.key),
                source: source.clone(),
                origin: origin.clone(),
                events: events as i64,
            },
            events: Vec::with_capacity(events),
            rows: Vec::with_capacity(entry.rows.len()),
            identities: Vec::new(),
            assets: Vec::new(),
            statements: Vec::new(),
        };
        let normalise = Normalise::of(&self.ground.site.bindings);
        let mut tally = Tally::default();
        let mut weight = size_of::<Prepared>() + 200 + origin.len();
        let (mut rows, mut last) = (entry.rows.into_iter(), None::<(Identity, Option<RecordId>)>);
        for mention in entry.subjects {
            taken.rows.extend(rows.next().map(|row| (row, mention.events.len())));
            let told = told(&mention.events);
            let record = match (mention.identity, &last) {
                (None, _) => None,
                // Rows of one person stand together.
                (Some(identity), Some((same, record))) if *same == identity => {
                    if let Some(said) = taken.identities.last_mut().filter(|_| record.is_some()) {
                        said.told = said.told.max(told);
                    }
                    *record
                }
                (Some(identity), _) => {
                    let record = self.identify(identity.clone(), told, &mut taken)?;
                    last = Some((identity, record));
                    record
                }
            };
            for mut event in mention.events {
                normalise.order(&mut event);
                normalise.event(&mut event, &mut tally);
                event.attributes.sort();
                weight += size_of::<EventRow>() + 100 + origin.len() + source.len();
                weight += event.text.as_ref().map_or(0, String::len);
                weight += event.attributes.iter().map(|(n, v)| 64 + n.len() + v.len()).sum::<usize>();
                taken.events.push(EventRow { record, event, source: source.clone(), origin: origin.clone() });
            }
        }
        weight += taken.identities.iter().map(|i| 200 + i.identity.len()).sum::<usize>();
        for asset in entry.assets {
            let bytes = match &asset.bytes {
                AssetBytes::Memory(bytes) => {
                    self.ground.desk.put(bytes)?;
                    bytes.len() as u64
                }
                AssetBytes::File(path) => self.ground.desk.put_file(path, &asset.id)?,
            };
            weight += 300;
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
        Ok(Prepared { key: entry.key, taken, findings: entry.findings, tally, weight })
    }

    fn canonical(&self, mut identifier: Identifier) -> Identifier {
        if identifier.authority.is_empty() {
            identifier.authority = self.ground.site.name.clone();
        }
        identifier.authority = self.ground.site.bindings.authority(&identifier.authority).to_owned();
        identifier
    }

    /// The record of an identity; what it says beyond the key is kept.
    fn identify(
        &self,
        mut identity: Identity,
        told: Option<i64>,
        taken: &mut Taken,
    ) -> Result<Option<RecordId>, Error> {
        identity.identifiers =
            identity.identifiers.into_iter().filter(|i| !i.is_filler()).map(|i| self.canonical(i)).collect();
        if identity.identifiers.is_empty() && identity.describes() {
            // A person without a number: a record of this entry alone, which linking may find to be somebody's.
            let value = format!("{}-{}", taken.entry.key, taken.identities.len());
            let authority = format!("{}|entry", self.ground.site.name);
            identity.identifiers.push(Identifier { authority, value, kind: IdentifierKind::Other });
        }
        let Some(key) = identity.key() else { return Ok(None) };
        let record = self.ground.known.record(&key.authority, &key.value);
        let json = serde_json::to_string(&identity).map_err(Error::json("an identity"))?;
        taken.identities.push(IdentityRow {
            record_id: record,
            source: self.ground.site.name.clone(),
            hash: blake3::hash(json.as_bytes()).to_hex().to_string(),
            told,
            facts: facts(&identity),
            identity: json,
        });
        Ok(Some(record))
    }

    /// Puts a part that breaks a rule into quarantine: its bytes, where they are given. Of a file that came over
    /// a network and is nowhere else, the whole of it, however large.
    pub fn refuse(&mut self, rejected: Rejected) -> Result<(), Error> {
        let whole = Path::new(&self.origin);
        let asset = match &rejected.bytes {
            Some(bytes) => Some(self.ground.desk.put(bytes)?),
            None if self.ground.inbox.as_ref().is_some_and(|inbox| whole.starts_with(inbox)) => {
                Some(self.keep(whole)?)
            }
            None => None,
        };
        let content = match (&rejected.bytes, &asset) {
            (None, Some(id)) => id.to_string().into(),
            (bytes, _) => bytes.clone().unwrap_or_default(),
        };
        self.quarantine(rejected, &content, asset.map(|id| id.to_string()))
    }

    /// Keeps a whole file.
    fn keep(&self, path: &Path) -> Result<AssetId, Error> {
        let fault = |source| Error::Read { path: path.to_owned(), source };
        let mut hasher = blake3::Hasher::new();
        let mut file = std::fs::File::open(path).map_err(fault)?;
        std::io::copy(&mut file, &mut hasher).map_err(fault)?;
        let id = AssetId::new(*hasher.finalize().as_bytes());
        self.ground.desk.put_file(path, &id)?;
        Ok(id)
    }

    fn quarantine(&mut self, rejected: Rejected, content: &[u8], asset: Option<String>) -> Result<(), Error> {
        let mut hash = blake3::Hasher::new();
        for part in [&self.ground.site.name, &self.origin, &rejected.place, &rejected.rule] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(content);
        let row = QuarantineRow {
            id: hash.finalize().to_hex().to_string(),
            source: self.ground.site.name.clone(),
            origin: self.origin.clone(),
            place: rejected.place,
            offset: rejected.offset.and_then(|o| i64::try_from(o).ok()),
            format: self.format.to_owned(),
            rule: rejected.rule,
            message: rejected.message,
            asset,
            state: "open".to_owned(),
        };
        (self.out)(Step::Refused(Box::new(row)))
    }
}

/// When a source said who somebody is: the latest time of what it tells of them. A date of birth is none.
fn told(events: &[Event]) -> Option<i64> {
    let said = |event: &Event| {
        let (at, basis) = event.times.usable_from()?;
        (basis != KnownBasis::Happened || event.modality.as_str() != "demographics").then_some(at)
    };
    events.iter().filter_map(said).max()
}

/// A hash of what a person has one of, where it is said.
fn facts(identity: &Identity) -> Option<i64> {
    let Identity { birth, sex, .. } = identity;
    (birth.is_some() || sex.is_some()).then(|| {
        let birth = birth.map(|b| (b.year, b.month, b.day));
        let hash = blake3::hash(format!("{birth:?} {sex:?}").as_bytes());
        i64::from_le_bytes(*hash.as_bytes().first_chunk().unwrap_or(&[0; 8]))
    })
}

impl Sink for Preparing<'_> {
    fn entry(&mut self, entry: Entry) -> Result<(), SinkError> {
        self.take(entry).map_err(|e| SinkError(Box::new(e)))
    }

    fn reject(&mut self, rejected: Rejected) -> Result<(), SinkError> {
        self.refuse(rejected).map_err(|e| SinkError(Box::new(e)))
    }

    fn has(&self, key: &[u8; 32]) -> bool {
        let there = self.ground.known.has_entry(key);
        self.skipped.set(self.skipped.get() + u64::from(there));
        there
    }
}

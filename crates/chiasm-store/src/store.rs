use crate::columns::Row;
use crate::fresh::Fresh;
use crate::parts::Encoded;
use crate::place::Place;
use crate::rows::{AssetRow, ClockRow, EntryRow, IdentityRow, LinkRow, PairRow, QuarantineRow, SourceRow};
use crate::seen::Seen;
use crate::{
    AssetDesk, Error, EventRow, Known, Manifest, Part, RecordId, RowKey, Table, hold, known, merge, parts,
};
use bytes::Bytes;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashSet};
use std::fs::File;

/// Into how many buckets a new store divides its records.
const BUCKETS: u32 = 16;
/// How often a commit is tried while others commit too.
const ATTEMPTS: usize = 50;
/// Bytes of the key under which identifiers are hashed into [`RecordId`]s.
const KEY: usize = 32;

/// Evidence on disk: events, who they are about, assets, and what could not be read.
///
/// A commit shows whole or not at all: its files are written and synced first, then one new manifest
/// names them. A reader keeps the manifest that it opened. Several processes may commit to one store; who
/// comes second looks again at what is there.
#[derive(Debug)]
pub struct Store {
    pub(crate) place: Place,
    pub(crate) manifest: Manifest,
    pub(crate) seen: Seen,
    /// Takes assets; the next commit makes them durable.
    pub(crate) desk: AssetDesk,
    key: [u8; KEY],
    /// Says to others that somebody is here.
    held: Option<File>,
}

/// An entry with everything in it.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The entry.
    pub entry: EntryRow,
    /// Its events.
    pub events: Vec<EventRow>,
    /// Where it is rows of a table: the key of each, and how many of `events` are its, in their order. Rows that
    /// are there already are left out.
    pub rows: Vec<(RowKey, usize)>,
    /// Who its records are.
    pub identities: Vec<IdentityRow>,
    /// Its assets, put already.
    pub assets: Vec<AssetRow>,
    /// What it says of who is who, as JSON.
    pub statements: Vec<String>,
}

/// What is to be committed together.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Entries; those that are there already are left out.
    pub taken: Vec<Taken>,
    /// Files read to their end.
    pub sources: Vec<SourceRow>,
    /// What broke a rule.
    pub quarantine: Vec<QuarantineRow>,
    /// What a person says of who is who, as JSON.
    pub decisions: Vec<String>,
    /// All links anew, and why.
    pub links: Option<(Vec<LinkRow>, Vec<PairRow>)>,
    /// What [`Store::said`] was when the links were worked out; they are refused where more was said since.
    pub said: Option<u64>,
    /// All clocks anew.
    pub clocks: Option<Vec<ClockRow>>,
}

/// What a commit changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Entries that are new.
    pub entries: u64,
    /// Their events.
    pub events: u64,
    /// Entries that were there already.
    pub repeated: u64,
}

impl Store {
    /// Opens the store at a place, or makes one with `key`, which the caller draws at random: it makes
    /// the record numbers of this store unlike those of any other.
    ///
    /// # Errors
    /// [`Error::Version`], [`Error::Damaged`], [`Error::Io`], [`Error::Remote`].
    pub fn create(place: Place, key: [u8; KEY]) -> Result<Self, Error> {
        if Manifest::newest(&place)?.is_none() {
            place.create("key", &key)?;
            Manifest::empty(BUCKETS).publish(&place)?;
        }
        Self::open(place)
    }

    /// Opens a store that is there.
    ///
    /// # Errors
    /// [`Error::NoStore`] where there is none; otherwise as [`Store::create`].
    pub fn open(place: Place) -> Result<Self, Error> {
        let none = || Error::NoStore { place: place.label() };
        // Where there is no store, no lock is left behind.
        Manifest::newest(&place)?.ok_or_else(none)?;
        let held = hold::beside_others(&place);
        let manifest = Manifest::newest(&place)?.ok_or_else(none)?;
        let key = place.read("key")?;
        let key = key[..].try_into().map_err(|_| Error::Damaged {
            place: "key".to_owned(),
            expected: format!("{KEY} bytes"),
            found: format!("{}", key.len()),
        })?;
        let seen = Seen::default();
        let desk = AssetDesk::new(place.clone(), seen.assets.clone());
        Ok(Self { place, manifest, seen, desk, key, held })
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The state that this reader sees.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The number of a source system's record.
    ///
    /// The same authority and identifier give the same number in this store and another in any other.
    pub fn record(&self, authority: &str, identifier: &str) -> RecordId {
        known::record(&self.key, authority, identifier)
    }

    /// How many statements of who is who there are; they are only ever added to.
    pub fn said(&self) -> u64 {
        self.manifest.rows(Table::Statements)
    }

    /// Sees what others have committed since.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn refresh(&mut self) -> Result<(), Error> {
        let none = || Error::NoStore { place: self.place.label() };
        self.manifest = Manifest::newest(&self.place)?.ok_or_else(none)?;
        Ok(())
    }

    /// What has been taken, for threads that read sources.
    ///
    /// # Errors
    /// Where a table cannot be read.
    pub fn known(&mut self) -> Result<Known, Error> {
        self.look()?;
        self.look_at_rows()?;
        Ok(Known::of(self.key, &self.seen.entries, &self.seen.rows, &self.seen.sources))
    }

    /// Commits: afterwards all of it is on disk and every new reader sees it.
    ///
    /// # Errors
    /// [`Error::Outdated`] where links were worked out from less than is there. Nobody may rely on it then; committing
    /// the same again is always right.
    pub fn commit(&mut self, commit: &Commit) -> Result<Committed, Error> {
        for _ in 0..ATTEMPTS {
            if commit.said.is_some_and(|said| said != self.said()) {
                return Err(Error::Outdated);
            }
            self.look()?;
            if commit.taken.iter().any(|taken| !taken.rows.is_empty()) {
                self.look_at_rows()?;
            }
            let (done, new) = self.prepare(commit)?;
            if new.is_empty() && commit.links.is_none() && commit.clocks.is_none() {
                // Who committed it may have been killed before its name was on the disk.
                self.manifest.settle(&self.place)?;
                return Ok(done);
            }
            let mut next = self.manifest.clone();
            next.commit += 1;
            if commit.links.is_some() {
                next.parts.retain(|p| !matches!(p.table, Table::Links | Table::Pairs));
            }
            if commit.clocks.is_some() {
                next.parts.retain(|p| p.table != Table::Clocks);
            }
            next.parts.extend(new);
            if self.publish(next)? {
                self.look()?;
                return Ok(done);
            }
            self.refresh()?;
        }
        Err(Error::Contended { attempts: ATTEMPTS })
    }

    /// Makes the next state durable and shows it; `false` where somebody else was faster.
    pub(crate) fn publish(&mut self, next: Manifest) -> Result<bool, Error> {
        let there: HashSet<&str> = self.manifest.parts.iter().map(|p| p.file.as_str()).collect();
        let new = next.parts.iter().map(|p| &p.file).filter(|file| !there.contains(file.as_str()));
        let assets = self.desk.unsettled();
        let names: BTreeSet<String> = new.chain(&assets).cloned().collect();
        self.place.settle(&names, self.held.as_ref())?;
        self.desk.settled(&assets);
        if !next.publish(&self.place)? {
            return Ok(false);
        }
        self.manifest = next;
        Ok(true)
    }

    /// Writes the parts of what is new in a commit.
    fn prepare(&self, commit: &Commit) -> Result<(Committed, Vec<Part>), Error> {
        let Fresh { done, events, entries, rows, identities, assets, statements, sources } =
            Fresh::of(commit, &self.seen, self.manifest.buckets);
        // Made on all threads and written by this one: a remote place may need the runtime that it runs in.
        let events: Vec<Encoded> = events
            .into_par_iter()
            .map(|(bucket, mut rows)| {
                rows.sort_by(|a, b| a.order().cmp(&b.order()));
                parts::encode(Some(bucket), &rows)
            })
            .collect::<Result<_, _>>()?;
        let mut new: Vec<Part> =
            events.into_iter().map(|e| e.publish(&self.place)).collect::<Result<_, _>>()?;
        new.extend(parts::write(&self.place, None, &refs(&entries))?);
        new.extend(parts::write(&self.place, None, &refs(&rows))?);
        new.extend(parts::write(&self.place, None, &identities)?);
        new.extend(parts::write(&self.place, None, &assets)?);
        new.extend(parts::write(&self.place, None, &refs(&statements))?);
        new.extend(parts::write(&self.place, None, &sources)?);
        new.extend(parts::write(&self.place, None, &refs(&commit.quarantine))?);
        if let Some((links, pairs)) = &commit.links {
            new.extend(parts::write(&self.place, None, &refs(links))?);
            new.extend(parts::write(&self.place, None, &refs(pairs))?);
        }
        if let Some(clocks) = &commit.clocks {
            new.extend(parts::write(&self.place, None, &refs(clocks))?);
        }
        // A part of the same content may be there already: it is one part.
        let there: HashSet<&str> = self.manifest.parts.iter().map(|p| p.file.as_str()).collect();
        new.retain(|p| {
            matches!(p.table, Table::Links | Table::Pairs | Table::Clocks) || !there.contains(p.file.as_str())
        });
        Ok((done, new))
    }

    /// Makes few files of many small ones. Readers that are open keep what they have.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn compact(&mut self) -> Result<usize, Error> {
        for _ in 0..ATTEMPTS {
            // All that goes into a merged part is known before, so none of it need be read again after.
            self.look()?;
            let mut next = self.manifest.clone();
            let merged = merge::merge(&self.place, &mut next.parts)?;
            if merged == 0 {
                return Ok(0);
            }
            next.commit += 1;
            if self.publish(next)? {
                self.seen.know(&self.manifest);
                return Ok(merged);
            }
            self.refresh()?;
        }
        Err(Error::Contended { attempts: ATTEMPTS })
    }

    /// All rows of a table, part by part.
    pub fn scan<R: Row>(&self) -> impl Iterator<Item = Result<Vec<R>, Error>> {
        self.manifest.of(R::TABLE).map(|part| parts::read(&self.place, part))
    }

    /// Hands over all rows of a table, some at a time: less in memory than a part has.
    ///
    /// # Errors
    /// Where a part cannot be read.
    pub fn each<R: Row>(&self, take: &mut dyn FnMut(Vec<R>)) -> Result<(), Error> {
        for part in self.manifest.of(R::TABLE) {
            for rows in parts::batches(&self.place, part)? {
                take(rows?);
            }
        }
        Ok(())
    }

    /// Some columns of a table, batch by batch: what a look over all of it costs least.
    ///
    /// # Errors
    /// Where a part cannot be read, or has no such column.
    pub fn columns(
        &self,
        table: Table,
        names: &[&str],
        each: &mut dyn FnMut(&arrow::array::RecordBatch),
    ) -> Result<(), Error> {
        for part in self.manifest.of(table) {
            for batch in parts::columns(&self.place, part, names)? {
                each(&batch?);
            }
        }
        Ok(())
    }

    /// The events of some records, in time order.
    ///
    /// # Errors
    /// Where a part cannot be read.
    pub fn events(&self, records: &[RecordId]) -> Result<Vec<EventRow>, Error> {
        let wanted: HashSet<RecordId> = records.iter().copied().collect();
        let buckets: HashSet<u32> = wanted.iter().map(|r| r.bucket(self.manifest.buckets)).collect();
        let mut events = Vec::new();
        for part in self.manifest.of(Table::Events).filter(|p| p.bucket.is_some_and(|b| buckets.contains(&b)))
        {
            events.extend(parts::events(&self.place, part, &wanted)?);
        }
        events.sort_by(|a, b| {
            let order = |r: &EventRow| (r.event.times.happened.map(chiasm_record::Moment::start), r.record);
            order(a).cmp(&order(b)).then_with(|| a.event.code.cmp(&b.event.code))
        });
        Ok(events)
    }

    /// The bytes of an asset.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`] where there is no such asset.
    pub fn asset(&self, id: &chiasm_record::AssetId) -> Result<Bytes, Error> {
        self.place.read(&crate::assets::name(id))
    }
}

fn refs<T>(rows: &[T]) -> Vec<&T> {
    rows.iter().collect()
}

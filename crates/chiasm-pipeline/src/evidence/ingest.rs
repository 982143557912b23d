//! Files, folders and archives into the store: resumable, and stopped by nothing but a full disk.

use super::normalise::Tally;
use super::site::IngestSite;
use super::taking::{Taking, Totals};
use crate::{Error, Progress};
use chiasm_ingest::Budget;
use chiasm_ingest::feed::{FeedFormat, Packing, Rejected, Sink, Source, tabular, unpack};
use chiasm_store::Store;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Layers of packing that are unpacked.
const LAYERS: usize = 8;
/// Bytes that one archive may unpack to, over all its layers.
const UNPACKED: u64 = 64 << 30;
/// Bytes at the beginning of a file that tell its format.
const HEAD: usize = 1 << 16;
/// A file that cannot be read at all is kept in quarantine up to this size; a larger one stays where it is.
const KEPT: u64 = 16 << 20;

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

/// Reads `sources` (files, folders, archives) into the store.
///
/// What a killed run committed is not read again, and the same content twice changes nothing.
///
/// # Errors
/// Where the store cannot be written, or a source that was named is not there. What is wrong inside a
/// source goes to quarantine and the run goes on.
pub fn ingest(
    sources: &[PathBuf],
    site: &IngestSite,
    store: &mut Store,
    progress: &dyn Progress,
) -> Result<Ingested, Error> {
    let mut files = Vec::new();
    for path in sources {
        if !path.exists() {
            return Err(Error::Missing { path: path.clone(), hint: String::new() });
        }
        let before = files.len();
        gather(path, &mut files)?;
        files[before..].sort();
    }
    let scratch = scratch(store)?;
    let mut walk = Walk { taking: Taking::new(store, site), site, done: Ingested::default() };
    progress.begin("reading", files.len());
    for path in &files {
        let origin = path.to_string_lossy().into_owned();
        walk.source(&Source::file(path).called(origin), scratch.path(), &mut Budget::new(UNPACKED), 0)?;
        progress.advance();
    }
    walk.taking.commit()?;
    walk.taking.store.compact()?;
    let Walk { taking, mut done, .. } = walk;
    done.tally = taking.tally().clone();
    done.totals = taking.totals;
    Ok(done)
}

/// A folder for what is unpacked: inside a local store, so that nothing of a patient lies elsewhere.
fn scratch(store: &Store) -> Result<tempfile::TempDir, Error> {
    let root = match store.place() {
        chiasm_store::Place::Folder(root) => root.join("tmp"),
        chiasm_store::Place::Remote(_) => std::env::temp_dir(),
    };
    fs::create_dir_all(&root)
        .and_then(|()| tempfile::Builder::new().prefix("unpacked-").tempdir_in(&root))
        .map_err(|source| Error::Write { path: root, source })
}

/// The plain files at or below a path. Links are not followed: what lies outside was not named.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let fault = |source| Error::Read { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(fault)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_dir() {
            gather(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

struct Walk<'a> {
    taking: Taking<'a>,
    site: &'a IngestSite,
    done: Ingested,
}

impl Walk<'_> {
    /// One file: read, unpacked, or refused.
    fn source(
        &mut self,
        source: &Source,
        scratch: &Path,
        budget: &mut Budget,
        layer: usize,
    ) -> Result<(), Error> {
        let outcome = self.read(source, scratch, budget, layer);
        match outcome {
            Ok(()) => Ok(()),
            // The store cannot be written: nothing else is worth trying.
            Err(Error::Ingest(chiasm_ingest::Error::Sink { place, source })) => {
                Err(Error::Ingest(chiasm_ingest::Error::Sink { place, source }))
            }
            Err(Error::Ingest(chiasm_ingest::Error::Io { path, source })) if is_full(&source) => {
                Err(Error::Write { path: scratch.join(path), source })
            }
            Err(Error::Ingest(error)) => self.refuse(source, rule(&error), &error.to_string()),
            Err(other) => Err(other),
        }
    }

    fn read(
        &mut self,
        source: &Source,
        scratch: &Path,
        budget: &mut Budget,
        layer: usize,
    ) -> Result<(), Error> {
        let (key, bytes) = self.key(source)?;
        if self.taking.store.has_source(&key)? {
            self.done.unchanged += 1;
            return Ok(());
        }
        let head = source.head(HEAD)?;
        let name = source.origin.as_str();
        if let Some(table) = self.site.bindings.table(name).filter(|_| Packing::of(&head).is_none()) {
            self.taking.begin(name, "table");
            tabular::read(source, table, &self.site.feed, &mut self.taking)?;
            return self.finish("table", key, bytes);
        }
        if let Some(format) = FeedFormat::of(&head, name) {
            self.taking.begin(name, format.name());
            format.read(source, &self.site.feed, &mut self.taking)?;
            return self.finish(format.name(), key, bytes);
        }
        if let Some(packing) = Packing::of(&head) {
            if layer == LAYERS {
                return Err(chiasm_ingest::Error::TooDeep { place: name.to_owned(), limit: LAYERS }.into());
            }
            let folder = tempfile::tempdir_in(scratch)
                .map_err(|source| Error::Write { path: scratch.to_owned(), source })?;
            for member in unpack(source, packing, folder.path(), budget)? {
                self.source(&member, scratch, budget, layer + 1)?;
            }
            self.taking.begin(name, "archive");
            return self.finish("archive", key, bytes);
        }
        if FeedFormat::is_companion(source) {
            self.done.companions += 1;
            return Ok(());
        }
        self.refuse(source, "format.unknown", "expected a format that can be read, found another")
    }

    fn finish(&mut self, format: &str, key: [u8; 32], bytes: u64) -> Result<(), Error> {
        *self.done.formats.entry(format.to_owned()).or_default() += 1;
        self.taking.end(key, bytes)
    }

    /// What makes two files the same to a site: their content and the bindings that they are read with.
    fn key(&self, source: &Source) -> Result<([u8; 32], u64), Error> {
        let mut hasher = blake3::Hasher::new();
        let fault = |e| Error::Read { path: PathBuf::from(&source.origin), source: e };
        std::io::copy(&mut source.open()?, &mut hasher).map_err(fault)?;
        let bytes = hasher.count();
        let content = hasher.finalize();
        let mut key = blake3::Hasher::new();
        key.update(content.as_bytes());
        key.update(&self.site.hash);
        key.update(self.site.name.as_bytes());
        // Where the name says what is in a file, the same bytes under another name are another file.
        key.update(source.origin.rsplit(['/', '!']).find(|p| !p.is_empty()).unwrap_or_default().as_bytes());
        if let Some(set) = chiasm_ingest::meds::set(source) {
            key.update(b"\0");
            key.update(set.as_bytes());
        }
        Ok((*key.finalize().as_bytes(), bytes))
    }

    fn refuse(&mut self, source: &Source, rule: &str, message: &str) -> Result<(), Error> {
        self.taking.begin(&source.origin, "unknown");
        let bytes = source.bytes(KEPT).ok();
        let rejected = Rejected {
            place: String::new(),
            offset: None,
            rule: rule.to_owned(),
            message: message.to_owned(),
            bytes,
        };
        let place = source.origin.clone();
        let sunk = |source: chiasm_ingest::feed::SinkError| {
            Error::Ingest(chiasm_ingest::Error::Sink { place, source })
        };
        self.taking.reject(rejected).map_err(sunk)
    }
}

/// Whether this can only be said of a disk that is written to: an archive that does not fit on it is none that
/// is damaged.
fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as K;
    matches!(error.kind(), K::StorageFull | K::QuotaExceeded | K::FileTooLarge | K::ReadOnlyFilesystem)
}

/// The rule that an error of a whole file stands for.
fn rule(error: &chiasm_ingest::Error) -> &'static str {
    use chiasm_ingest::Error as E;
    match error {
        E::TooLarge { .. } => "file.size",
        E::TooDeep { .. } => "file.layers",
        E::Outside { .. } => "file.outside",
        E::DuplicateMember { .. } => "file.member",
        E::MissingFile { .. } => "file.missing",
        E::Io { .. } => "file.unreadable",
        E::Empty { .. } => "file.empty",
        E::Damaged { .. } => "file.damaged",
        _ => "file.content",
    }
}

//! One source after the other, on as many threads as there are: recognised, unpacked, read, or refused.
//!
//! Threads take files in order and read ahead; what they read comes out in the order of the files, so a store
//! is the same whatever the number of threads. How far they are ahead is bounded, and memory with it.

use super::preparing::{Ground, Preparing, Step};
use crate::Error;
use chiasm_ingest::Budget;
use chiasm_ingest::feed::{FeedFormat, Packing, Rejected, Source, tabular, unpack};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// Layers of packing that are unpacked.
const LAYERS: usize = 8;
/// Bytes that one archive may unpack to at most, over all its layers.
const UNPACKED: u64 = 64 << 30;
/// Bytes at the beginning of a file that tell its format.
const HEAD: usize = 1 << 16;
/// A file that cannot be read at all is kept in quarantine up to this size; a larger one stays where it is.
const KEPT: u64 = 16 << 20;
/// Steps are handed over together when there are so many of them, or so many bytes in them.
const TOGETHER: (usize, usize) = (256, 1 << 18);
/// So many hand-overs of one file may wait.
const WAITING: usize = 8;

/// What every thread needs.
pub(crate) struct Reading<'a> {
    pub ground: Ground<'a>,
    /// A folder for what is unpacked.
    pub scratch: &'a Path,
}

/// Steps of one file, or why the run must end.
pub(crate) type Steps = Receiver<Result<Vec<Step>, Error>>;
/// Where they go.
type Out = SyncSender<Result<Vec<Step>, Error>>;

impl Reading<'_> {
    /// Reads files on all threads and gives `take` their steps in order, `next` after each file.
    pub fn all(
        &self,
        files: &[PathBuf],
        mut take: impl FnMut(Step) -> Result<(), Error>,
        mut next: impl FnMut(),
    ) -> Result<(), Error> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len()).max(1);
        let (order, in_order) = sync_channel::<Steps>(2 * threads);
        let queue = Mutex::new(Some((files.iter(), order)));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some((path, steps)) = claim(&queue) {
                        self.file(path, steps);
                    }
                });
            }
            // Moved in here, it is gone when something fails, and the threads that send to it stop.
            let in_order = in_order;
            for steps in &in_order {
                for together in steps {
                    together?.into_iter().try_for_each(&mut take)?;
                }
                next();
            }
            Ok(())
        })
    }

    fn file(&self, path: &Path, steps: Out) {
        let mut together = Vec::new();
        let mut weight = 0;
        let mut out = |step: Step| {
            weight += step.weight();
            together.push(step);
            if together.len() >= TOGETHER.0 || weight >= TOGETHER.1 {
                weight = 0;
                return steps.send(Ok(std::mem::take(&mut together))).map_err(|_| Error::Stopped);
            }
            Ok(())
        };
        let origin = path.to_string_lossy().into_owned();
        let source = Source::file(path).called(origin);
        let mut budget = Budget::of_archive(source.len().unwrap_or(0), UNPACKED);
        let mut preparing = Preparing::new(&self.ground, &mut out);
        let outcome = self.source(&source, &mut preparing, &mut budget, 0);
        // Nobody listens where the run has ended already.
        let _ = steps.send(Ok(together));
        if let Err(error) = outcome {
            let _ = steps.send(Err(error));
        }
    }

    /// One file: read, unpacked, or refused.
    fn source(
        &self,
        source: &Source,
        to: &mut Preparing<'_>,
        budget: &mut Budget,
        layer: usize,
    ) -> Result<(), Error> {
        match caught(&source.origin, || self.read(source, to, budget, layer)) {
            // The store cannot be written: nothing else is worth trying.
            Err(Error::Ingest(chiasm_ingest::Error::Sink { place, source })) => {
                Err(Error::Ingest(chiasm_ingest::Error::Sink { place, source }))
            }
            Err(Error::Ingest(chiasm_ingest::Error::Io { path, source })) if is_full(&source) => {
                Err(Error::Write { path: self.scratch.join(path), source })
            }
            Err(Error::Ingest(error)) => refuse(source, to, rule(&error), &error.to_string()),
            other => other,
        }
    }

    fn read(
        &self,
        source: &Source,
        to: &mut Preparing<'_>,
        budget: &mut Budget,
        layer: usize,
    ) -> Result<(), Error> {
        let head = match source.head(HEAD) {
            Err(error) => return refuse(source, to, "file.unreadable", &error.to_string()),
            Ok(head) => head,
        };
        let format = FeedFormat::of(&head, &source.origin);
        let (key, bytes) = match self.key(source, format) {
            Err(error @ Error::Read { .. }) => {
                return refuse(source, to, "file.unreadable", &error.to_string());
            }
            key => key?,
        };
        if self.ground.known.has_source(&key) {
            return (to.out)(Step::Unchanged);
        }
        let (name, site) = (source.origin.as_str(), self.ground.site);
        if let Some(table) = site.bindings.table(name).filter(|_| Packing::of(&head).is_none()) {
            to.begin(name, "table")?;
            tabular::read(source, table, &site.feed, to)?;
            return to.end(key, bytes);
        }
        if let Some(format) = format {
            to.begin(name, format.name())?;
            format.read(source, &site.feed, to)?;
            return to.end(key, bytes);
        }
        if let Some(packing) = Packing::of(&head) {
            if layer == LAYERS {
                return Err(chiasm_ingest::Error::TooDeep { place: name.to_owned(), limit: LAYERS }.into());
            }
            let folder = tempfile::tempdir_in(self.scratch)
                .map_err(|source| Error::Write { path: self.scratch.to_owned(), source })?;
            for member in unpack(source, packing, folder.path(), budget)? {
                self.source(&member, to, budget, layer + 1)?;
            }
            to.begin(name, "archive")?;
            return to.end(key, bytes);
        }
        if FeedFormat::is_companion(source) {
            return (to.out)(Step::Companion);
        }
        refuse(source, to, "format.unknown", "expected a format that can be read, found another")
    }

    /// What makes two files the same to a site: their content, that of files which are read with them, and the
    /// bindings.
    fn key(&self, source: &Source, format: Option<FeedFormat>) -> Result<([u8; 32], u64), Error> {
        let mut hasher = blake3::Hasher::new();
        let fault = |e| Error::Read { path: PathBuf::from(&source.origin), source: e };
        std::io::copy(&mut source.open()?, &mut hasher).map_err(fault)?;
        let bytes = hasher.count();
        for beside in format.map_or_else(Vec::new, |f| f.companions(source)) {
            hasher.update(&[0]);
            hasher.update(beside.origin.as_bytes());
            std::io::copy(&mut beside.open()?, &mut hasher).map_err(fault)?;
        }
        let content = hasher.finalize();
        let mut key = blake3::Hasher::new();
        key.update(content.as_bytes());
        key.update(&self.ground.site.hash);
        key.update(self.ground.site.name.as_bytes());
        // Where the name says what is in a file, the same bytes under another name are another file.
        key.update(source.origin.rsplit(['/', '!']).find(|p| !p.is_empty()).unwrap_or_default().as_bytes());
        // The same bytes in two MEDS sets are two files.
        if let Some(set) = chiasm_ingest::meds::set(source) {
            key.update(b"\0");
            key.update(set.as_bytes());
        }
        Ok((*key.finalize().as_bytes(), bytes))
    }
}

/// What a reader gives; its own fault is an error of what it read, and no more than that.
pub(crate) fn caught<T>(place: &str, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let fault = |_| Err(chiasm_ingest::Error::Fault { place: place.to_owned() }.into());
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(fault)
}

fn refuse(source: &Source, to: &mut Preparing<'_>, rule: &str, message: &str) -> Result<(), Error> {
    to.begin(&source.origin, "unknown")?;
    to.refuse(Rejected {
        place: String::new(),
        offset: None,
        rule: rule.to_owned(),
        message: message.to_owned(),
        bytes: source.bytes(KEPT).ok(),
    })
}

/// Whether this can only be said of a disk that is written to: an archive that does not fit on it is none that
/// is damaged.
fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as K;
    matches!(error.kind(), K::StorageFull | K::QuotaExceeded | K::FileTooLarge | K::ReadOnlyFilesystem)
}

/// The next file, and where its steps go. Who claims a file also tells its turn, so that turns are in order.
type Queue<'f> = Mutex<Option<(std::slice::Iter<'f, PathBuf>, SyncSender<Steps>)>>;

fn claim<'f>(queue: &Queue<'f>) -> Option<(&'f PathBuf, Out)> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let (files, order) = queue.as_mut()?;
    let (steps, receiver) = sync_channel(WAITING);
    let path = files.next().filter(|_| order.send(receiver).is_ok());
    if path.is_none() {
        // Whoever waits for turns learns that there are no more.
        *queue = None;
    }
    path.map(|path| (path, steps))
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
        E::Fault { .. } => "reader.fault",
        _ => "file.content",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_a_reader_is_an_error_of_its_file_without_words() {
        let fault = caught::<()>("a.hl7", || panic!("Ada Byron"));
        let Err(Error::Ingest(error)) = fault else { panic!("{fault:?}") };
        assert_eq!(rule(&error), "reader.fault");
        assert!(error.to_string().contains("a.hl7") && !error.to_string().contains("Ada"), "{error}");
        assert_eq!(caught("a.hl7", || Ok(7)).unwrap(), 7);
    }
}

//! Where whatever comes over a network lands before anyone is told that it arrived.
//!
//! ```text
//! INBOX/objects/dicom-HASH.dcm    one DICOM Part 10 file per object, named by the BLAKE3 of its bytes
//! INBOX/objects/fhir-HASH.ndjson  one file per page or export file (.json for a single resource or Bundle)
//! INBOX/journal/hl7-NNNNNN.mllp   sealed: HL7 v2 messages one after the other, each 0B .. 1C 0D
//! INBOX/journal/hl7-NNNNNN.open   being written by a listener
//! INBOX/partial/                  on the way; what a killed process left here was never acknowledged
//! ```
//!
//! A [`Receipt`] is a promise: file and folder were made durable before it was given. The reading side needs no
//! [`Inbox`]: [`sealed`] lists what is complete and [`done`] removes it.

mod disk;
mod draft;
mod folder;
mod journal;
mod recover;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use disk::{Disk, DiskFile, LocalDisk};
pub use draft::Draft;

use crate::Error;
use folder::Folder;
use journal::Journal;

const OBJECTS: &str = "objects";
const JOURNAL: &str = "journal";
const PARTIAL: &str = "partial";
const LOCK: &str = "lock";

/// When a journal's segment is sealed, so that it can be read in.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// At this many bytes.
    pub bytes: u64,
    /// This long after its first message.
    pub after: Duration,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { bytes: 16 << 20, after: Duration::from_secs(5) }
    }
}

/// What a file in the inbox is; says how it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A DICOM Part 10 file.
    Instance,
    /// FHIR resources, one a line.
    Ndjson,
    /// One FHIR resource or Bundle.
    Json,
}

impl Kind {
    fn name(self, hash: &str) -> String {
        match self {
            Kind::Instance => format!("dicom-{hash}.dcm"),
            Kind::Ndjson => format!("fhir-{hash}.ndjson"),
            Kind::Json => format!("fhir-{hash}.json"),
        }
    }
}

/// The promise that something is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The file's name: of an object, or of the journal's segment.
    pub name: String,
    /// Its size in bytes: of an object, or of the message.
    pub bytes: u64,
    /// Whether it was not there before. Always true of a message.
    pub new: bool,
}

/// The folders of objects.
pub(crate) struct Shelf {
    disk: Arc<dyn Disk>,
    objects: Folder,
    partial: PathBuf,
    next: AtomicU64,
}

impl Shelf {
    fn next_temporary(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.partial.join(format!("{}-{number}", std::process::id()))
    }
}

/// An inbox that can be written to; clones share it. Dropping the last seals the journal.
#[derive(Clone)]
pub struct Inbox {
    shelf: Arc<Shelf>,
    journal: Option<Arc<Journal>>,
}

impl Inbox {
    /// Opens an inbox for objects and messages, made where it is missing; cuts torn tails and seals what an
    /// earlier listener left open.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process keeps the journal, [`Error::Disk`].
    pub fn open(folder: &Path, rotation: Rotation) -> Result<Self, Error> {
        Self::open_on(folder, rotation, Arc::new(LocalDisk))
    }

    /// Opens an inbox on the file operations given.
    ///
    /// # Errors
    /// As [`Inbox::open`].
    pub fn open_on(folder: &Path, rotation: Rotation, disk: Arc<dyn Disk>) -> Result<Self, Error> {
        let mut inbox = Self::objects_on(folder, disk.clone())?;
        let path = folder.join(JOURNAL);
        let lock = lock_soon(&path)?.ok_or_else(|| Error::InUse { dir: folder.into() })?;
        recover::seal_left(&path, disk.as_ref())?;
        inbox.journal = Some(Arc::new(Journal::start(Folder::new(path, disk), lock, rotation)?));
        Ok(inbox)
    }

    /// Opens an inbox for objects alone, beside a listener that may be running.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn open_objects(folder: &Path) -> Result<Self, Error> {
        Self::objects_on(folder, Arc::new(LocalDisk))
    }

    fn objects_on(folder: &Path, disk: Arc<dyn Disk>) -> Result<Self, Error> {
        let (objects, partial) = (folder.join(OBJECTS), folder.join(PARTIAL));
        for path in [&objects, &partial, &folder.join(JOURNAL)] {
            fs::create_dir_all(path).map_err(Error::disk("make the inbox's folders"))?;
        }
        for path in [Some(folder), folder.parent()].into_iter().flatten() {
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            disk.sync_folder(path).map_err(Error::disk("make the inbox's folders durable"))?;
        }
        recover::drop_partial(&partial);
        let objects = Folder::new(objects, disk.clone());
        Ok(Self { shelf: Arc::new(Shelf { disk, objects, partial, next: AtomicU64::new(0) }), journal: None })
    }

    /// Begins an object that comes in pieces.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn draft(&self) -> Result<Draft, Error> {
        Draft::new(self.shelf.clone())
    }

    /// Keeps a whole DICOM Part 10 file.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn put_instance(&self, part10: &[u8]) -> Result<Receipt, Error> {
        self.put(part10, Kind::Instance)
    }

    /// Keeps a whole file of a kind.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn put(&self, bytes: &[u8], kind: Kind) -> Result<Receipt, Error> {
        let mut draft = self.draft()?;
        draft.append(bytes)?;
        draft.keep(kind)
    }

    /// Keeps one HL7 message, without its MLLP frame, and waits until it is durable.
    ///
    /// # Errors
    /// [`Error::Message`] for one that cannot be framed, [`Error::Disk`], [`Error::Closed`] without a journal.
    pub fn put_message(&self, message: &[u8]) -> Result<Receipt, Error> {
        let (tell, told) = std::sync::mpsc::channel();
        self.put_message_then(message, move |outcome| {
            let _ = tell.send(outcome);
        });
        told.recv().unwrap_or(Err(Error::Closed))
    }

    /// As [`Inbox::put_message`], without waiting: `then` is called when the message is durable or refused.
    ///
    /// All messages that wait at one time share one write and one sync. `then` runs on the journal's own thread
    /// and must return at once.
    pub fn put_message_then(
        &self,
        message: &[u8],
        then: impl FnOnce(Result<Receipt, Error>) + Send + 'static,
    ) {
        match &self.journal {
            Some(journal) => journal.put(message, Box::new(then)),
            None => then(Err(Error::Closed)),
        }
    }

    /// Seals the journal's present segment, so that [`sealed`] lists it.
    ///
    /// # Errors
    /// [`Error::Disk`], [`Error::Closed`] without a journal.
    pub fn seal(&self) -> Result<(), Error> {
        self.journal.as_ref().map_or(Err(Error::Closed), |journal| journal.seal())
    }
}

/// Lists the files ready to be read in, sorted by name: objects, then sealed segments of messages.
///
/// Where no listener runs, segments that a killed one left open are cut to their last whole message and sealed
/// first.
///
/// # Errors
/// [`Error::Disk`] when a folder cannot be listed; an inbox that is not there is empty.
pub fn sealed(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let journal = folder.join(JOURNAL);
    if journal.is_dir()
        && let Some(_held) = lock(&journal)?
    {
        recover::seal_left(&journal, &LocalDisk)?;
    }
    let mut files = Vec::new();
    for path in [folder.join(OBJECTS), journal] {
        if !path.is_dir() {
            continue;
        }
        let start = files.len();
        for entry in fs::read_dir(&path).map_err(Error::disk("list the inbox"))? {
            let file = entry.map_err(Error::disk("list the inbox"))?.path();
            if is_sealed(&file) {
                files.push(file);
            }
        }
        if let Some(these) = files.get_mut(start..) {
            // The shorter first: numbers grow a digit.
            these.sort_by_cached_key(|file| (file.as_os_str().len(), file.clone()));
        }
    }
    Ok(files)
}

/// Removes a file that was read in and committed.
///
/// One that is gone already is no error, so this may be repeated after a crash.
///
/// # Errors
/// [`Error::NotSealed`] for a path that is not a sealed file directly in this inbox, [`Error::Disk`].
pub fn done(folder: &Path, file: &Path) -> Result<(), Error> {
    let ours = [OBJECTS, JOURNAL].iter().any(|part| file.parent() == Some(&folder.join(part)));
    if !ours || !is_sealed(file) {
        return Err(Error::NotSealed { file: file.into() });
    }
    match fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::disk("remove a file read in")(e)),
        _ => Ok(()),
    }
}

fn is_sealed(file: &Path) -> bool {
    let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    (name.starts_with("dicom-") && name.ends_with(".dcm"))
        || (name.starts_with("fhir-") && (name.ends_with(".json") || name.ends_with(".ndjson")))
        || (name.starts_with("hl7-") && name.ends_with(".mllp"))
}

/// As [`lock`], with a little patience: [`sealed`] may hold it for the moment in which it seals what was left.
fn lock_soon(journal: &Path) -> Result<Option<File>, Error> {
    for _ in 0..10 {
        if let Some(held) = lock(journal)? {
            return Ok(Some(held));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    lock(journal)
}

/// Takes the journal's lock, which ends with the process that holds it; `None` when another has it.
fn lock(journal: &Path) -> Result<Option<File>, Error> {
    let file = File::options().create(true).append(true).open(journal.join(LOCK));
    let file = file.map_err(Error::disk("open the journal's lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(e)) => Err(Error::disk("lock the journal")(e)),
    }
}

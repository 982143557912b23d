//! What an inbox promises, on disks that fail in every way they can.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chiasm_exchange::Error;
use chiasm_exchange::inbox::{Disk, DiskFile, Inbox, Kind, Rotation, done, sealed};
use support::{message, messages_of};

/// A disk on which nothing lasts but what was synced, and on which each operation can be made to fail.
#[derive(Clone, Default)]
struct Unreliable(Arc<Faults>);

#[derive(Default)]
struct Faults {
    /// Bytes left before the disk is full; negative is for ever.
    room: AtomicI64,
    limited: AtomicBool,
    sync: AtomicBool,
    folder: AtomicBool,
    cut: AtomicBool,
    /// Names that were made and whose folder was not synced since.
    made: Mutex<HashSet<PathBuf>>,
    renamed: Mutex<Vec<(PathBuf, PathBuf)>>,
}

struct Unsynced {
    faults: Arc<Faults>,
    file: File,
    written: u64,
    pending: Vec<u8>,
}

fn fail_if(flag: &AtomicBool, kind: ErrorKind) -> io::Result<()> {
    if flag.load(Ordering::SeqCst) { Err(kind.into()) } else { Ok(()) }
}

impl Disk for Unreliable {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        self.0.made.lock().unwrap().insert(path.into());
        Ok(Box::new(Unsynced { faults: self.0.clone(), file, written: 0, pending: Vec::new() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.renamed.lock().unwrap().push((from.into(), to.into()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if self.0.renamed.lock().unwrap().iter().any(|(from, _)| from == path) {
            return Err(ErrorKind::NotFound.into()); // it has its new name already
        }
        fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        fail_if(&self.0.folder, ErrorKind::Other)?;
        self.0.made.lock().unwrap().retain(|made| made.parent() != Some(path));
        let mut renamed = self.0.renamed.lock().unwrap();
        for (from, to) in renamed.extract_if(.., |(_, to)| to.parent() == Some(path)) {
            fs::rename(from, to)?;
        }
        Ok(())
    }
}

impl DiskFile for Unsynced {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.faults.limited.load(Ordering::SeqCst) {
            let room = self.faults.room.load(Ordering::SeqCst).max(0) as usize;
            if room < bytes.len() {
                // Torn: the first part is written, and even reaches the disk.
                self.pending.extend(&bytes[..room]);
                self.file.write_all(&std::mem::take(&mut self.pending))?;
                self.written += room as u64;
                self.faults.room.store(0, Ordering::SeqCst);
                return Err(ErrorKind::StorageFull.into());
            }
            self.faults.room.fetch_sub(bytes.len() as i64, Ordering::SeqCst);
        }
        self.pending.extend(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.faults.sync.load(Ordering::SeqCst) {
            self.pending.clear(); // the system drops what it could not write and says so once
            return Err(ErrorKind::Other.into());
        }
        self.written += self.pending.len() as u64;
        self.file.write_all(&std::mem::take(&mut self.pending))
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        fail_if(&self.faults.cut, ErrorKind::Other)?;
        self.pending.clear();
        self.file.set_len(length)
    }
}

impl Unreliable {
    /// The power fails: what was not synced is gone. Returns what a machine would find.
    fn lose_power(&self) {
        for made in self.0.made.lock().unwrap().drain() {
            let _ = fs::remove_file(made);
        }
        self.0.renamed.lock().unwrap().clear();
    }
}

fn open(folder: &Path, disk: &Unreliable) -> Inbox {
    let rotation = Rotation { bytes: 4000, after: Duration::from_secs(60) };
    Inbox::open_on(folder, rotation, Arc::new(disk.clone())).unwrap()
}

fn all_messages(folder: &Path) -> Vec<Vec<u8>> {
    let files = sealed(folder).unwrap();
    files.iter().filter(|f| f.extension().is_some_and(|e| e == "mllp")).flat_map(|f| messages_of(f)).collect()
}

/// A copy of what is on disk now, as the next start of the machine would find it.
fn snapshot(folder: &Path, disk: &Unreliable) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let (made, renamed) = (disk.0.made.lock().unwrap(), disk.0.renamed.lock().unwrap());
    for part in ["objects", "journal", "partial"] {
        fs::create_dir_all(copy.path().join(part)).unwrap();
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if !made.contains(&path) || renamed.iter().any(|(from, _)| *from == path) {
                fs::copy(&path, copy.path().join(part).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    copy
}

#[test]
fn what_was_acknowledged_survives_the_loss_of_power_at_every_moment() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Unreliable::default();
    let inbox = open(folder.path(), &disk);
    let mut told = Vec::new();
    for number in 0..40 {
        inbox.put_message(&message(number, 300)).unwrap();
        told.push(message(number, 300));
        let object = inbox.put_instance(format!("object {number}").as_bytes()).unwrap();
        assert!(object.new);
        let found = snapshot(folder.path(), &disk);
        assert_eq!(all_messages(found.path()), told);
        let objects = sealed(found.path()).unwrap().iter().filter(|f| f.ends_with(&object.name)).count();
        assert_eq!(objects, 1);
    }
    drop(inbox);
    disk.lose_power();
    assert_eq!(all_messages(folder.path()), told);
}

#[test]
fn the_same_object_twice_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(folder.path(), Rotation::default()).unwrap();
    let first = inbox.put_instance(b"the same").unwrap();
    let again = inbox.put_instance(b"the same").unwrap();
    assert_eq!((first.new, again.new, &first.name), (true, false, &again.name));
    assert_eq!(first.name, format!("dicom-{}.dcm", blake3::hash(b"the same")));
    inbox.put(b"{}\n", Kind::Ndjson).unwrap();
    let files = sealed(folder.path()).unwrap();
    assert_eq!(files.len(), 2);
    assert_eq!(fs::read_dir(folder.path().join("partial")).unwrap().count(), 0);
    for file in &files {
        done(folder.path(), file).unwrap();
        done(folder.path(), file).unwrap();
    }
    assert!(sealed(folder.path()).unwrap().is_empty());
}

#[test]
fn only_sealed_files_of_this_inbox_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let _inbox = Inbox::open(folder.path(), Rotation::default()).unwrap();
    for bad in ["journal/lock", "journal/../journal/hl7-000001.mllp", "../other/hl7-000001.mllp", "objects"] {
        assert!(matches!(done(folder.path(), &folder.path().join(bad)), Err(Error::NotSealed { .. })));
    }
}

#[test]
fn a_full_disk_refuses_and_leaves_a_readable_journal() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Unreliable::default();
    let inbox = open(folder.path(), &disk);
    inbox.put_message(&message(1, 200)).unwrap();
    for room in [0, 1, 57, 150] {
        disk.0.room.store(room, Ordering::SeqCst);
        disk.0.limited.store(true, Ordering::SeqCst);
        let refused = inbox.put_message(&message(2, 200));
        assert!(matches!(refused, Err(Error::Disk { kind: ErrorKind::StorageFull, .. })), "{refused:?}");
        assert!(inbox.put_instance(&[7; 500]).is_err());
        disk.0.limited.store(false, Ordering::SeqCst);
    }
    inbox.put_message(&message(3, 200)).unwrap();
    assert_eq!(all_messages(snapshot(folder.path(), &disk).path()), [message(1, 200), message(3, 200)]);
    drop(inbox);
    assert_eq!(all_messages(folder.path()), [message(1, 200), message(3, 200)]);
    assert_eq!(fs::read_dir(folder.path().join("partial")).unwrap().count(), 0);
    assert_eq!(sealed(folder.path()).unwrap().len(), 1);
}

#[test]
fn a_segment_whose_sync_failed_is_never_written_to_again() {
    for cut_fails in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let disk = Unreliable::default();
        let inbox = open(folder.path(), &disk);
        let first = inbox.put_message(&message(1, 200)).unwrap();
        disk.0.sync.store(true, Ordering::SeqCst);
        disk.0.cut.store(cut_fails, Ordering::SeqCst);
        assert!(inbox.put_message(&message(2, 200)).is_err());
        assert!(inbox.put_instance(b"not kept").is_err());
        disk.0.sync.store(false, Ordering::SeqCst);
        disk.0.cut.store(false, Ordering::SeqCst);
        let next = inbox.put_message(&message(3, 200)).unwrap();
        assert_ne!(first.name, next.name);
        drop(inbox);
        assert_eq!(all_messages(folder.path()), [message(1, 200), message(3, 200)]);
    }
}

#[test]
fn a_folder_that_could_not_be_synced_is_not_trusted_until_it_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Unreliable::default();
    let inbox = open(folder.path(), &disk);
    disk.0.folder.store(true, Ordering::SeqCst);
    assert!(inbox.put_instance(b"one").is_err());
    assert!(inbox.put_message(&message(1, 100)).is_err());
    disk.0.folder.store(false, Ordering::SeqCst);
    assert!(inbox.put_instance(b"one").is_err(), "a later success says nothing about the name");
    drop(inbox);
    disk.lose_power();
    let inbox = open(folder.path(), &disk);
    inbox.put_instance(b"one").unwrap();
    inbox.put_message(&message(1, 100)).unwrap();
    drop(inbox);
    assert_eq!(all_messages(folder.path()), [message(1, 100)]);
}

#[test]
fn a_torn_tail_is_cut_wherever_it_was_torn() {
    let whole = {
        let mut bytes = Vec::new();
        for number in 0..3 {
            bytes.push(0x0B);
            bytes.extend(message(number, 120));
            bytes.extend([0x1C, 0x0D]);
        }
        bytes
    };
    let one = whole.len() / 3;
    let near = |length: &usize| length % one < 3 || length % one > one - 4 || length.is_multiple_of(29);
    for length in (0..=whole.len()).filter(near) {
        let folder = tempfile::tempdir().unwrap();
        drop(Inbox::open(folder.path(), Rotation::default()).unwrap());
        let mut torn = whole[..length].to_vec();
        if length % 3 == 0 {
            torn.extend([0; 50]); // a hole that was never filled
        }
        fs::write(folder.path().join("journal/hl7-000009.open"), torn).unwrap();
        let found = all_messages(folder.path());
        assert_eq!(found.len(), length / one, "{length} bytes");
        let inbox = Inbox::open(folder.path(), Rotation::default()).unwrap();
        let next = inbox.put_message(&message(7, 10)).unwrap();
        assert!(next.name.as_str() > "hl7-000009.mllp" || length < one);
    }
}

#[test]
fn a_number_is_never_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut names = HashSet::new();
    for _ in 0..5 {
        let inbox = Inbox::open(folder.path(), Rotation::default()).unwrap();
        assert!(names.insert(inbox.put_message(b"MSH|").unwrap().name));
        drop(inbox);
        for file in sealed(folder.path()).unwrap() {
            done(folder.path(), &file).unwrap();
        }
    }
    let notes = fs::read_dir(folder.path().join("journal")).unwrap().count();
    assert_eq!(notes, 2, "the lock and one note");
}

#[test]
fn one_process_keeps_the_journal_and_others_add_objects() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(folder.path(), Rotation::default()).unwrap();
    let mut under_way = inbox.draft().unwrap();
    under_way.append(b"half").unwrap();
    assert!(matches!(Inbox::open(folder.path(), Rotation::default()), Err(Error::InUse { .. })));
    let beside = Inbox::open_objects(folder.path()).unwrap();
    beside.put_instance(b"pulled").unwrap();
    assert!(matches!(beside.put_message(b"MSH|"), Err(Error::Closed)));
    inbox.put_message(b"MSH|").unwrap();
    assert_eq!(sealed(folder.path()).unwrap().len(), 1, "the open segment is not listed");
    inbox.seal().unwrap();
    assert_eq!(sealed(folder.path()).unwrap().len(), 2);
    under_way.append(b" and half").unwrap();
    under_way.keep(Kind::Instance).unwrap();
    assert_eq!(sealed(folder.path()).unwrap().len(), 3);
}

#[test]
fn a_segment_is_sealed_by_size_and_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = Rotation { bytes: 1000, after: Duration::from_millis(100) };
    let inbox = Inbox::open(folder.path(), rotation).unwrap();
    for number in 0..20 {
        inbox.put_message(&message(number, 400)).unwrap();
    }
    assert!(sealed(folder.path()).unwrap().len() >= 5);
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(all_messages(folder.path()).len(), 20);
}

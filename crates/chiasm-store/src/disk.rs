//! A local folder's files: whole or not there, and durable when somebody is told so.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the files apart that one process writes at the same time.
static NEXT: AtomicU64 = AtomicU64::new(0);
/// More files than this are made durable by one call for the whole file system.
const FEW: usize = 4;

/// A file that nobody sees until it has its name; removed where it never gets one.
pub(crate) struct Temporary {
    path: PathBuf,
    pub file: File,
}

impl Temporary {
    /// An empty file in the store's `tmp` folder.
    pub fn beside(root: &Path) -> io::Result<Self> {
        let folder = root.join("tmp");
        make(&folder)?;
        loop {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}-{n}", std::process::id()));
            match File::create_new(&path) {
                Ok(file) => return Ok(Self { path, file }),
                // Another's with the same process number: killed earlier, or in another container.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Gives the file its name durably; `false` where that name is taken.
    pub fn publish(self, path: &Path) -> io::Result<bool> {
        self.file.sync_all()?;
        make(path.parent().unwrap_or(Path::new(".")))?;
        // A link, not a rename: a rename would replace what somebody else has put there.
        match fs::hard_link(&self.path, path) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(e) => return Err(e),
        }
        sync_folder(path)?;
        Ok(true)
    }

    /// Gives the file its name, in place of what may be there. Not durable before [`settle`].
    pub fn name(self, path: &Path) -> io::Result<()> {
        match fs::rename(&self.path, path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
                fs::rename(&self.path, path)
            }
            done => done,
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Only a left-over; the next clean-up takes what stays.
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes a file that is named by its content. One that is there with this content is left alone; one that
/// is there with another is what a power failure left, and is replaced.
pub(crate) fn put(root: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = root.join(name);
    let length = fs::metadata(&path).map(|m| m.len());
    if length.is_ok_and(|n| n == bytes.len() as u64) && fs::read(&path)? == bytes {
        return Ok(());
    }
    let mut temporary = Temporary::beside(root)?;
    temporary.file.write_all(bytes)?;
    temporary.name(&path)
}

/// Makes files below `root` durable: content and names. `held` is a file on the same file system that was
/// open before they were written, so that no failure of a write escapes it.
pub(crate) fn settle(root: &Path, names: &BTreeSet<String>, held: Option<&File>) -> io::Result<()> {
    if names.len() > FEW
        && let Some(held) = held
        && whole(held)?
    {
        return Ok(());
    }
    let mut folders = BTreeSet::new();
    for name in names {
        File::open(root.join(name))?.sync_all()?;
        // Up to the root: somebody else may have made a folder and not come as far as this.
        folders.extend(Path::new(name).ancestors().skip(1));
    }
    folders.into_iter().try_for_each(|folder| File::open(root.join(folder))?.sync_all())
}

/// Makes a whole file system durable, where that is one call and the file system is known to mean it:
/// hundreds of files cost no more than one. Linux reports failed writes here since 5.8.
#[cfg(target_os = "linux")]
fn whole(held: &File) -> io::Result<bool> {
    /// ext4, XFS, Btrfs, F2FS, tmpfs: `include/uapi/linux/magic.h`.
    const KNOWN: [i64; 5] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994];
    #[allow(clippy::useless_conversion)] // another width on other processors
    let kind = rustix::fs::fstatfs(held).map(|s| i64::from(s.f_type));
    if !kind.is_ok_and(|kind| KNOWN.contains(&kind)) {
        return Ok(false);
    }
    rustix::fs::syncfs(held)?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
fn whole(_held: &File) -> io::Result<bool> {
    Ok(false)
}

/// Makes a folder and what is missing above it, durably.
fn make(folder: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut above = folder;
    while !above.as_os_str().is_empty() && !above.exists() {
        missing.push(above);
        above = above.parent().unwrap_or(Path::new(""));
    }
    if missing.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    missing.into_iter().try_for_each(sync_folder)
}

/// Makes sure that a file's name is on the disk, and not only its bytes.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The files below `folder`, as paths from `root`; none where there is no such folder.
pub(crate) fn walk(root: &Path, folder: &Path, names: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(folder)) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(root, &name, names)?;
        } else {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_file_that_got_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut temporary = Temporary::beside(folder.path()).unwrap();
        temporary.file.write_all(b"half").unwrap();
        drop(temporary);
        assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn what_another_left_under_our_number_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        let next = NEXT.load(Ordering::Relaxed);
        for n in next..next + 200 {
            fs::write(folder.path().join(format!("tmp/{}-{n}", std::process::id())), b"theirs").unwrap();
        }
        put(folder.path(), "a/b", b"ours").unwrap();
        assert_eq!(fs::read(folder.path().join("a/b")).unwrap(), b"ours");
        for entry in fs::read_dir(folder.path().join("tmp")).unwrap() {
            assert_eq!(fs::read(entry.unwrap().path()).unwrap(), b"theirs");
        }
    }

    #[test]
    fn a_torn_file_is_replaced_and_many_are_settled_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let held = File::create(folder.path().join("lock")).unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        for torn in [&b""[..], b"con", b"cantent", b"content and more"] {
            fs::write(folder.path().join("a/b"), torn).unwrap();
            put(folder.path(), "a/b", b"content").unwrap();
            assert_eq!(fs::read(folder.path().join("a/b")).unwrap(), b"content");
        }
        let names: BTreeSet<String> = (0..FEW + 9).map(|n| format!("a/{n}/c")).collect();
        for name in &names {
            put(folder.path(), name, name.as_bytes()).unwrap();
        }
        settle(folder.path(), &names, Some(&held)).unwrap();
        settle(folder.path(), &names, None).unwrap();
        let missing = BTreeSet::from(["a/none".to_owned()]);
        assert!(settle(folder.path(), &missing, None).is_err());
    }
}

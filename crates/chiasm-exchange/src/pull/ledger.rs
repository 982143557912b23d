//! Which objects were fetched from a server already, and where a pull was stopped.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;

/// The instances that an inbox has had from one server: `INBOX/pulled/HASH`, one UID a line, written when the
/// object is durable. So a pull that was stopped goes on where it was, and one that ended fetches what is new.
pub struct Ledger {
    file: File,
    known: HashSet<[u8; 16]>,
}

impl Ledger {
    /// Opens the ledger of a server, known by its address.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn open(inbox: &Path, server: &str) -> Result<Self, Error> {
        let failed = || Error::disk("open the list of what was pulled");
        let folder = inbox.join("pulled");
        fs::create_dir_all(&folder).map_err(failed())?;
        let name = blake3::hash(server.trim_end_matches('/').as_bytes()).to_hex();
        let path = folder.join(name.get(..32).unwrap_or_default());
        let file = OpenOptions::new().append(true).create(true).open(&path).map_err(failed())?;
        let written = fs::read(&path).map_err(failed())?;
        // A line that was cut names another object, or none.
        let whole = written.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        if whole < written.len() {
            file.set_len(whole as u64).map_err(failed())?;
        }
        let lines = written.get(..whole).unwrap_or_default().split(|&b| b == b'\n');
        let known = lines.filter(|line| !line.is_empty()).map(key).collect();
        Ok(Self { file, known })
    }

    /// Whether an instance was fetched.
    #[must_use]
    pub fn has(&self, uid: &str) -> bool {
        self.known.contains(&key(uid.as_bytes()))
    }

    /// Notes an instance that is durable. A line that is lost is no harm: the object is fetched again.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn add(&mut self, uid: &str) -> Result<(), Error> {
        self.file.write_all(format!("{uid}\n").as_bytes()).map_err(Error::disk("note what was pulled"))?;
        self.known.insert(key(uid.as_bytes()));
        Ok(())
    }
}

/// Where a search or an export was, so that it goes on there after it was stopped: `INBOX/pulled/HASH.next`.
pub struct Bookmark(PathBuf);

impl Bookmark {
    /// The bookmark of what is asked, told apart by its words.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn open(inbox: &Path, asked: &str) -> Result<Self, Error> {
        let folder = inbox.join("pulled");
        fs::create_dir_all(&folder).map_err(Error::disk("open the list of what was pulled"))?;
        let name = blake3::hash(asked.as_bytes()).to_hex();
        Ok(Self(folder.join(format!("{}.next", name.get(..32).unwrap_or_default()))))
    }

    /// The address that was noted, if that is not longer ago than a server remembers it (a day).
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let age = fs::metadata(&self.0).ok()?.modified().ok()?.elapsed().ok()?;
        if age > Duration::from_secs(24 * 3600) {
            return None;
        }
        fs::read_to_string(&self.0).ok()?.strip_suffix('\n').map(str::to_owned)
    }

    /// Notes an address. One that is lost or cut is no harm: all is asked for again.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn set(&self, place: &str) -> Result<(), Error> {
        fs::write(&self.0, format!("{place}\n")).map_err(Error::disk("note what was pulled"))
    }

    /// Forgets it: all has come, or it leads nowhere.
    pub fn clear(&self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn key(uid: &[u8]) -> [u8; 16] {
    let hash = blake3::hash(uid);
    std::array::from_fn(|i| hash.as_bytes().get(i).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_is_no_object() {
        let folder = tempfile::tempdir().unwrap();
        let open = |server| Ledger::open(folder.path(), server).unwrap();
        open("http://a/").add("1.2.3").unwrap();
        let path = fs::read_dir(folder.path().join("pulled")).unwrap().next().unwrap().unwrap().path();
        fs::write(&path, "1.2.3\n1.2.4").unwrap();
        let mut ledger = open("http://a");
        assert!(ledger.has("1.2.3") && !ledger.has("1.2.4"));
        ledger.add("1.2.5").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1.2.3\n1.2.5\n");
        assert!(!open("http://b").has("1.2.3"));
    }

    #[test]
    fn a_bookmark_is_whole_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let mark = Bookmark::open(folder.path(), "http://a Patient").unwrap();
        assert_eq!(mark.place(), None);
        mark.set("http://a/2").unwrap();
        assert_eq!(mark.place().as_deref(), Some("http://a/2"));
        assert_eq!(Bookmark::open(folder.path(), "http://a Other").unwrap().place(), None);
        fs::write(&mark.0, "http://a/").unwrap();
        assert_eq!(mark.place(), None, "a cut line");
        mark.clear();
        mark.clear();
    }
}

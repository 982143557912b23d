//! Where a store's files are: a folder, or an object store such as S3.

use crate::Error;
use bytes::Bytes;
use futures::TryStreamExt;
use futures::executor::block_on;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path as ObjectPath};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder or an object store, by the few verbs that a store needs.
///
/// A remote that needs an async runtime (S3, GCS, Azure) must be called from a thread that has entered
/// one; a folder and memory need none.
#[derive(Clone, Debug)]
pub enum Place {
    /// A local folder. What is written is on the disk before a call returns.
    Folder(PathBuf),
    /// Anything that `object_store` can reach.
    Remote(Arc<dyn ObjectStore>),
}

/// Tells the files apart that one process writes at the same time.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Place {
    /// The name of the place in messages.
    pub fn label(&self) -> String {
        match self {
            Self::Folder(root) => root.display().to_string(),
            Self::Remote(store) => store.to_string(),
        }
    }

    /// Writes a file that must not be there yet: wholly and durably, or not at all. `false` where a
    /// file of that name is there already.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, Error> {
        match self {
            Self::Folder(root) => {
                let fault = |source| Error::Io { place: name.to_owned(), action: "written", source };
                let path = root.join(name);
                if path.exists() {
                    // Whoever put it there may not have come as far as this.
                    sync_folder(&path).map_err(fault)?;
                    return Ok(false);
                }
                let temporary = Temporary::beside(root).map_err(fault)?;
                let mut file = File::create(&temporary.0).map_err(fault)?;
                file.write_all(bytes).and_then(|()| file.sync_all()).map_err(fault)?;
                temporary.publish(&path).map_err(fault)
            }
            Self::Remote(store) => {
                let options = PutOptions::from(PutMode::Create);
                let bytes = Bytes::copy_from_slice(bytes);
                match block_on(store.put_opts(&ObjectPath::from(name), bytes.into(), options)) {
                    Ok(_) => Ok(true),
                    Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
                    Err(source) => Err(Error::Remote { place: name.to_owned(), action: "written", source }),
                }
            }
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn read(&self, name: &str) -> Result<Bytes, Error> {
        match self {
            Self::Folder(root) => fs::read(root.join(name)).map(Bytes::from).map_err(|source| Error::Io {
                place: name.to_owned(),
                action: "read",
                source,
            }),
            Self::Remote(store) => {
                block_on(async { store.get(&ObjectPath::from(name)).await?.bytes().await })
                    .map_err(|source| Error::Remote { place: name.to_owned(), action: "read", source })
            }
        }
    }

    /// Whether a file is there.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn has(&self, name: &str) -> Result<bool, Error> {
        match self {
            Self::Folder(root) => root.join(name).try_exists().map_err(|source| Error::Io {
                place: name.to_owned(),
                action: "read",
                source,
            }),
            Self::Remote(store) => match block_on(store.head(&ObjectPath::from(name))) {
                Ok(_) => Ok(true),
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(source) => Err(Error::Remote { place: name.to_owned(), action: "read", source }),
            },
        }
    }

    /// The names of the files below a folder, sorted; none where there is no such folder.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        let mut names = match self {
            Self::Folder(root) => {
                let mut names = Vec::new();
                walk(root, Path::new(folder), &mut names).map_err(|source| Error::Io {
                    place: folder.to_owned(),
                    action: "listed",
                    source,
                })?;
                names
            }
            Self::Remote(store) => {
                let prefix = ObjectPath::from(folder);
                let objects = block_on(store.list(Some(&prefix)).try_collect::<Vec<_>>())
                    .map_err(|source| Error::Remote { place: folder.to_owned(), action: "listed", source })?;
                objects.into_iter().map(|o| o.location.to_string()).collect()
            }
        };
        names.sort_unstable();
        Ok(names)
    }

    /// Removes a file; nothing happens where there is none.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        match self {
            Self::Folder(root) => match fs::remove_file(root.join(name)) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    Err(Error::Io { place: name.to_owned(), action: "removed", source })
                }
                _ => Ok(()),
            },
            Self::Remote(store) => match block_on(store.delete(&ObjectPath::from(name))) {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(source) => Err(Error::Remote { place: name.to_owned(), action: "removed", source }),
            },
        }
    }

    /// The object store that queries read from.
    ///
    /// # Errors
    /// [`Error::Remote`] where the folder cannot be opened.
    pub(crate) fn objects(&self) -> Result<Arc<dyn ObjectStore>, Error> {
        match self {
            Self::Folder(root) => {
                let local = object_store::local::LocalFileSystem::new_with_prefix(root);
                local.map(|l| Arc::new(l) as Arc<dyn ObjectStore>).map_err(|source| Error::Remote {
                    place: self.label(),
                    action: "read",
                    source,
                })
            }
            Self::Remote(store) => Ok(store.clone()),
        }
    }
}

/// A file that is not there for anybody until it is published; removed where it never is.
pub(crate) struct Temporary(pub PathBuf);

impl Temporary {
    /// A name in the store's `tmp` folder that nobody else uses.
    pub fn beside(root: &Path) -> std::io::Result<Self> {
        let folder = root.join("tmp");
        fs::create_dir_all(&folder)?;
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self(folder.join(format!("{}-{n}", std::process::id()))))
    }

    /// Gives a written and synced file its name; `false` where that name is taken.
    pub fn publish(self, path: &Path) -> std::io::Result<bool> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut made = Vec::new();
        let mut above = folder;
        while !above.exists() {
            made.push(above);
            above = above.parent().unwrap_or(Path::new("."));
        }
        fs::create_dir_all(folder)?;
        // A link, not a rename: a rename would replace what somebody else has put there.
        match fs::hard_link(&self.0, path) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(e) => return Err(e),
        }
        made.into_iter().try_for_each(sync_folder)?;
        sync_folder(path)?;
        Ok(true)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Only a left-over; the next clean-up takes what stays.
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes sure that a file's name is on the disk, and not only its bytes.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn walk(root: &Path, folder: &Path, names: &mut Vec<String>) -> std::io::Result<()> {
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

    fn places() -> (tempfile::TempDir, [Place; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let places = [
            Place::Folder(folder.path().to_owned()),
            Place::Remote(Arc::new(object_store::memory::InMemory::new())),
        ];
        (folder, places)
    }

    #[test]
    fn a_name_is_given_once() {
        let (_folder, places) = places();
        for place in places {
            assert!(place.create("a/b/1", b"one").unwrap());
            assert!(!place.create("a/b/1", b"two").unwrap());
            assert_eq!(&place.read("a/b/1").unwrap()[..], b"one");
            assert_eq!(place.list("a").unwrap(), ["a/b/1"]);
            assert_eq!(place.list("none").unwrap(), [""; 0]);
            place.remove("a/b/1").unwrap();
            place.remove("a/b/1").unwrap();
            assert!(!place.has("a/b/1").unwrap());
            assert!(place.read("a/b/1").is_err());
        }
    }

    #[test]
    fn nothing_is_left_of_a_file_that_was_not_published() {
        let (folder, _) = places();
        let temporary = Temporary::beside(folder.path()).unwrap();
        fs::write(&temporary.0, b"half").unwrap();
        drop(temporary);
        assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    }
}

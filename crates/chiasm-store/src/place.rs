//! Where a store's files are: a folder, or an object store such as S3.

use crate::Error;
use crate::disk::{self, Temporary};
use bytes::Bytes;
use futures::TryStreamExt;
use futures::executor::block_on;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path as ObjectPath};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder or an object store, by the few verbs that a store needs.
///
/// A remote that needs an async runtime (S3, GCS, Azure) must be called from a thread that has entered
/// one; a folder and memory need none.
#[derive(Clone, Debug)]
pub enum Place {
    /// A local folder.
    Folder(PathBuf),
    /// Anything that `object_store` can reach.
    Remote(Arc<dyn ObjectStore>),
}

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
                let create = || {
                    let path = root.join(name);
                    if path.exists() {
                        // Whoever put it there may not have come as far as this.
                        disk::sync_folder(&path)?;
                        return Ok(false);
                    }
                    let mut temporary = Temporary::beside(root)?;
                    temporary.file.write_all(bytes)?;
                    temporary.publish(&path)
                };
                create().map_err(written(name))
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

    /// Writes a file that is named by its content: wholly or not at all, and durable in a folder only
    /// after `Place::settle`. Nothing happens where it is there.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Folder(root) => disk::put(root, name, bytes).map_err(written(name)),
            Self::Remote(_) => self.create(name, bytes).map(|_| ()),
        }
    }

    /// Makes what was [put](Place::put) durable. `held` is a file beside them, open since before.
    ///
    /// # Errors
    /// [`Error::Io`]: none of them may be relied on.
    pub(crate) fn settle(&self, names: &BTreeSet<String>, held: Option<&File>) -> Result<(), Error> {
        match self {
            Self::Folder(root) => disk::settle(root, names, held).map_err(written(&self.label())),
            Self::Remote(_) => Ok(()),
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
                disk::walk(root, Path::new(folder), &mut names).map_err(|source| Error::Io {
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

fn written(name: &str) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Io { place: name.to_owned(), action: "written", source }
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
}

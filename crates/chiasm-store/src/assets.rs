//! Bytes beside the events, named by their hash.

use crate::disk::Temporary;
use crate::known::{Keys, first};
use crate::place::Place;
use crate::{Error, Store};
use chiasm_record::AssetId;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are hashed at a time.
const BLOCK: usize = 1 << 17;

/// The path of an asset inside the store.
pub fn name(id: &AssetId) -> String {
    let digits = id.to_string();
    format!("assets/{}/{}", &digits[..2], &digits[2..])
}

/// Takes assets into a store, from any thread; all clones are one desk.
///
/// The next commit makes them durable, all together: one wait for the disk, not one for each.
#[derive(Clone, Debug)]
pub struct AssetDesk {
    place: Place,
    committed: Keys,
    unsettled: Arc<Mutex<BTreeSet<String>>>,
}

impl AssetDesk {
    pub(crate) fn new(place: Place, committed: Keys) -> Self {
        Self { place, committed, unsettled: Arc::default() }
    }

    /// Keeps bytes; nothing happens where they are there already.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn put(&self, bytes: &[u8]) -> Result<AssetId, Error> {
        let id = AssetId::new(*blake3::hash(bytes).as_bytes());
        if !self.has(&id) {
            self.place.put(&name(&id), bytes)?;
            self.lock().insert(name(&id));
        }
        Ok(id)
    }

    /// Keeps a copy of a file, which must have the hash `id`; says how many bytes it has.
    ///
    /// # Errors
    /// [`Error::AssetChanged`] where it has another; [`Error::Io`] or [`Error::Remote`].
    pub fn put_file(&self, path: &Path, id: &AssetId) -> Result<u64, Error> {
        let name = name(id);
        let fault = |action| {
            let name = name.clone();
            move |source| Error::Io { place: name, action, source }
        };
        let mut from = File::open(path).map_err(fault("read"))?;
        let bytes = from.metadata().map_err(fault("read"))?.len();
        if self.has(id) {
            return Ok(bytes);
        }
        let Place::Folder(root) = &self.place else {
            let mut all = Vec::new();
            from.read_to_end(&mut all).map_err(fault("read"))?;
            return match self.put(&all)? {
                put if put == *id => Ok(bytes),
                _ => Err(Error::AssetChanged),
            };
        };
        let there = File::open(root.join(&name)).and_then(|there| copy(there, &mut std::io::sink()));
        if !there.is_ok_and(|hash| hash == *id.bytes()) {
            let mut to = Temporary::beside(root).map_err(fault("written"))?;
            let hash = copy(from, &mut to.file).map_err(fault("written"))?;
            if hash != *id.bytes() {
                return Err(Error::AssetChanged);
            }
            to.name(&root.join(&name)).map_err(fault("written"))?;
        }
        self.lock().insert(name);
        Ok(bytes)
    }

    /// The names of what is not durable yet.
    pub(crate) fn unsettled(&self) -> BTreeSet<String> {
        self.lock().clone()
    }

    /// Says that these are durable now.
    pub(crate) fn settled(&self, names: &BTreeSet<String>) {
        self.lock().retain(|name| !names.contains(name));
    }

    /// Whether an asset is committed, or put since. A file that no commit names may be what a power failure
    /// left of one.
    fn has(&self, id: &AssetId) -> bool {
        self.committed.contains(&first(id.bytes())) || self.lock().contains(&name(id))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Where assets of this store are put, from any thread.
    ///
    /// # Errors
    /// Where the table of assets cannot be read.
    pub fn desk(&mut self) -> Result<AssetDesk, Error> {
        self.look()?;
        Ok(self.desk.clone())
    }

    /// As [`AssetDesk::put`].
    ///
    /// # Errors
    /// As there.
    pub fn put_asset(&mut self, bytes: &[u8]) -> Result<AssetId, Error> {
        self.desk()?.put(bytes)
    }

    /// As [`AssetDesk::put_file`].
    ///
    /// # Errors
    /// As there.
    pub fn put_asset_file(&mut self, path: &Path, id: &AssetId) -> Result<u64, Error> {
        self.desk()?.put_file(path, id)
    }
}

/// Copies to the end; gives the hash of what was copied.
fn copy(mut from: File, to: &mut dyn Write) -> std::io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0; BLOCK];
    loop {
        match from.read(&mut block)? {
            0 => return Ok(*hasher.finalize().as_bytes()),
            n => {
                hasher.update(&block[..n]);
                to.write_all(&block[..n])?;
            }
        }
    }
}

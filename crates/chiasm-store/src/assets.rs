//! Bytes beside the events, named by their hash.

use crate::disk::Temporary;
use crate::place::Place;
use crate::seen::first;
use crate::{Error, Store};
use chiasm_record::AssetId;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Bytes that are hashed at a time.
const BLOCK: usize = 1 << 16;

/// The path of an asset inside the store.
pub fn name(id: &AssetId) -> String {
    let digits = id.to_string();
    format!("assets/{}/{}", &digits[..2], &digits[2..])
}

impl Store {
    /// Keeps bytes; nothing happens where they are there already. The next commit makes them durable.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn put_asset(&mut self, bytes: &[u8]) -> Result<AssetId, Error> {
        let id = AssetId::new(*blake3::hash(bytes).as_bytes());
        if !self.has_asset(&id)? {
            self.place.put(&name(&id), bytes)?;
            self.unsettled.insert(name(&id));
        }
        Ok(id)
    }

    /// Keeps a copy of a file, which must have the hash `id`; says how many bytes it has. The next commit makes
    /// it durable.
    ///
    /// # Errors
    /// [`Error::AssetChanged`] where it has another; [`Error::Io`] or [`Error::Remote`].
    pub fn put_asset_file(&mut self, path: &Path, id: &AssetId) -> Result<u64, Error> {
        let name = name(id);
        let fault = |action| {
            let name = name.clone();
            move |source| Error::Io { place: name, action, source }
        };
        let mut from = File::open(path).map_err(fault("read"))?;
        let bytes = from.metadata().map_err(fault("read"))?.len();
        if self.has_asset(id)? {
            return Ok(bytes);
        }
        let Place::Folder(root) = &self.place else {
            let mut all = Vec::new();
            from.read_to_end(&mut all).map_err(fault("read"))?;
            return match self.put_asset(&all)? {
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
        self.unsettled.insert(name);
        Ok(bytes)
    }

    /// Whether an asset is committed, or put since. A file that no commit names may be what a power failure
    /// left of one.
    fn has_asset(&mut self, id: &AssetId) -> Result<bool, Error> {
        self.look()?;
        Ok(self.seen.assets.contains(&first(id.bytes())) || self.unsettled.contains(&name(id)))
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

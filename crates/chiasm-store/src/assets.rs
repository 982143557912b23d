//! Bytes beside the events, named by their hash.

use crate::place::{Place, Temporary};
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
    /// Keeps bytes; nothing happens where they are there already.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn put_asset(&self, bytes: &[u8]) -> Result<AssetId, Error> {
        let id = AssetId::new(*blake3::hash(bytes).as_bytes());
        self.place().create(&name(&id), bytes)?;
        Ok(id)
    }

    /// Keeps a copy of a file, which must have the hash `id`; says how many bytes it has.
    ///
    /// # Errors
    /// [`Error::AssetChanged`] where it has another; [`Error::Io`] or [`Error::Remote`].
    pub fn put_asset_file(&self, path: &Path, id: &AssetId) -> Result<u64, Error> {
        let name = name(id);
        let fault = |action| {
            let name = name.clone();
            move |source| Error::Io { place: name, action, source }
        };
        let mut from = File::open(path).map_err(fault("read"))?;
        let bytes = from.metadata().map_err(fault("read"))?.len();
        if self.place().has(&name)? {
            return Ok(bytes);
        }
        let Place::Folder(root) = self.place() else {
            let mut all = Vec::new();
            from.read_to_end(&mut all).map_err(fault("read"))?;
            return match self.put_asset(&all)? {
                put if put == *id => Ok(bytes),
                _ => Err(Error::AssetChanged),
            };
        };
        let temporary = Temporary::beside(root).map_err(fault("written"))?;
        let mut to = File::create(&temporary.0).map_err(fault("written"))?;
        let mut hasher = blake3::Hasher::new();
        let mut block = vec![0; BLOCK];
        loop {
            match from.read(&mut block).map_err(fault("read"))? {
                0 => break,
                n => {
                    hasher.update(&block[..n]);
                    to.write_all(&block[..n]).map_err(fault("written"))?;
                }
            }
        }
        if hasher.finalize().as_bytes() != id.bytes() {
            return Err(Error::AssetChanged);
        }
        to.sync_all().map_err(fault("written"))?;
        temporary.publish(&root.join(&name)).map_err(fault("written"))?;
        Ok(bytes)
    }
}

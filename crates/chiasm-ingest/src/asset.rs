use crate::Error;
use crate::feed::{Asset, AssetBytes, Source};
use chiasm_record::AssetId;
use std::io::Read;

/// All of a source as it stands, as one asset; a file is hashed in pieces and not held in memory.
pub(crate) fn whole_file(source: &Source, media_type: &str) -> Result<Asset, Error> {
    let Some(path) = source.path() else {
        return Ok(Asset::memory(media_type, source.bytes(u64::MAX - 1)?));
    };
    let failed = |e| Error::Io { path: path.to_owned(), source: e };
    let mut hasher = blake3::Hasher::new();
    let mut bytes = source.open()?;
    let mut piece = vec![0; 1 << 17];
    loop {
        match bytes.read(&mut piece).map_err(failed)? {
            0 => break,
            n => hasher.update(&piece[..n]),
        };
    }
    let id = AssetId::new(*hasher.finalize().as_bytes());
    Ok(Asset { id, media_type: media_type.to_owned(), bytes: AssetBytes::File(path.to_owned()) })
}

use crate::{Error, address::Address, address::fault};
use std::{fs::File, path::Path};

/// The BLAKE3 hash of a file's bytes in lower-case hexadecimal (64 digits).
///
/// For `archive.zip!/member` it is the archive's: what changes the archive may change the member.
///
/// # Errors
/// [`Error::MissingFile`] and [`Error::Io`].
///
/// # Source
/// O'Connor et al. 2020, BLAKE3: one function, fast everywhere.
pub fn fingerprint(path: &Path) -> Result<String, Error> {
    let file = Address::of(path).file;
    let mut hasher = blake3::Hasher::new();
    File::open(&file).and_then(|f| hasher.update_reader(f).map(|_| ())).map_err(|e| fault(&file, e))?;
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_blake3_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc.csv");
        std::fs::write(&path, "abc").unwrap();
        // b3sum's answer for the three bytes "abc", also in the BLAKE3 paper's reference code.
        let expected = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
        assert_eq!(fingerprint(&path).unwrap(), expected);
        assert_eq!(fingerprint(&folder.path().join("abc.csv!/member")).unwrap(), expected);
        assert!(matches!(fingerprint(&folder.path().join("abd.csv")), Err(Error::MissingFile { .. })));
    }
}

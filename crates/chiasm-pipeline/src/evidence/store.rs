//! A store by its folder, and answers of it as text.

use crate::Error;
use arrow::array::RecordBatch;
use chiasm_store::Place;
pub use chiasm_store::Store;
use std::path::Path;

/// Opens the store in a folder.
///
/// # Errors
/// Where there is none.
pub fn open(folder: &Path) -> Result<Store, Error> {
    Ok(Store::open(Place::Folder(folder.to_owned()))?)
}

/// Opens the store in a folder to write to it, or makes one there with `secret`, 32 random bytes. What killed
/// programs left in it is removed first, unless somebody else has it open.
///
/// # Errors
/// [`Error::NotEmpty`] where the folder holds something else.
pub fn create(folder: &Path, secret: [u8; 32]) -> Result<Store, Error> {
    if !folder.join("manifest").is_dir() && folder.is_dir() {
        let mut entries = std::fs::read_dir(folder)
            .map_err(|source| Error::Read { path: folder.to_owned(), source })?
            .filter_map(Result::ok)
            // What a store has before its first commit: a key, an inbox, leftovers of a stopped program.
            .filter(|e| !matches!(e.file_name().to_str(), Some("key" | "tmp" | "inbox" | "lock")));
        if entries.next().is_some() {
            return Err(Error::NotEmpty { path: folder.to_owned() });
        }
    }
    let place = Place::Folder(folder.to_owned());
    Store::reclaim(&place)?;
    Ok(Store::create(place, secret)?)
}

/// Removes what belongs to no state of the store any more, where nobody has it open.
///
/// # Errors
/// Where the store cannot be read, or a file not removed.
pub fn reclaim(folder: &Path) -> Result<(), Error> {
    Store::reclaim(&Place::Folder(folder.to_owned()))?;
    Ok(())
}

/// Rows as a table of text.
///
/// # Errors
/// Where a column cannot be shown.
pub fn to_table(batches: &[RecordBatch]) -> Result<String, Error> {
    let table = arrow::util::pretty::pretty_format_batches(batches).map_err(shown)?;
    Ok(table.to_string())
}

/// Rows as a JSON list of objects; missing cells are left out.
///
/// # Errors
/// Where a column cannot be shown.
pub fn to_json(batches: &[RecordBatch]) -> Result<String, Error> {
    let mut writer = arrow::json::ArrayWriter::new(Vec::new());
    let batches: Vec<&RecordBatch> = batches.iter().collect();
    writer.write_batches(&batches).and_then(|()| writer.finish()).map_err(shown)?;
    let bytes = writer.into_inner();
    Ok(if bytes.is_empty() { "[]".to_owned() } else { String::from_utf8_lossy(&bytes).into_owned() })
}

fn shown(source: arrow::error::ArrowError) -> Error {
    Error::Store(chiasm_store::Error::Rows { place: "the answer".to_owned(), source: source.into() })
}

//! MEDS 0.4: a folder with `data/**/*.parquet`, and what is said of all of it in `metadata/`.
//!
//! A row becomes an event: `LOINC//2345-7` becomes `LOINC|2345-7`, and whatever the event does not say as the row
//! does is kept in attributes, so that [`restored`] gives the row back:
//!
//! | attribute | holds |
//! |---|---|
//! | `meds` | `shard#row`: where the row stood |
//! | `meds.code`, `meds.numeric_value` | the code where it was made a common one, the bits of a NaN that is not the usual one |
//! | `meds.<column>` | a column that MEDS does not name, as text, see [`from_text`] |
//!
//! A subject's number is the key of its record. `codes.parquet`, `subject_splits.parquet` and `dataset.json` become
//! events about nobody with the file as their asset, and so does the schema of each shard.
//!
//! # Source
//! The Medical Event Data Standard 0.4, package `meds` 0.4.1 (`meds.schema`).

mod cells;
mod check;
mod metadata;
mod place;
mod restore;
mod rows;
mod schema;
mod terms;

pub use cells::from_text;
pub use check::check;
pub use metadata::{METADATA, SHARD, parquet_rows, parquet_schema};
pub use restore::{Restored, restored};

use crate::Error;
use crate::columnar::{Columnar, MAGIC};
use crate::feed::{Feed, Sink, Source};
use place::Place;
use schema::File;

/// The standard's version.
pub const VERSION: &str = "0.4";
/// Rows that are decoded together, and at most are one entry.
const BATCH: usize = 1024;

/// Any Parquet file (what it holds is said at its end), and `metadata/dataset.json`.
pub fn recognises(head: &[u8], name: &str) -> bool {
    head.starts_with(MAGIC) || is_dataset(head, name)
}

fn is_dataset(head: &[u8], name: &str) -> bool {
    let mut parts = name.rsplit(['/', '!']);
    let named = parts.next() == Some("dataset.json") && parts.next().is_none_or(|p| p == "metadata");
    named
        && head.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
        && !head.windows(14).any(|w| w == b"\"resourceType\"")
}

/// The name of the set that a file belongs to, where it lies in one that says its name: two sets may have a file
/// of the same bytes.
pub fn set(source: &Source) -> Option<String> {
    let name = source.origin.as_str();
    (name.ends_with(".parquet") || name.ends_with("dataset.json")).then(|| Place::of(source).name).flatten()
}

/// Reads a file of a MEDS data set.
///
/// # Errors
/// [`Error::UnsupportedType`] where a Parquet file has the columns of none, [`Error::Damaged`], [`Error::Sink`].
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let place = Place::of(source);
    if !source.head(MAGIC.len())?.starts_with(MAGIC) {
        return metadata::dataset(source, &place, feed, sink);
    }
    let file = Columnar::open(source, BATCH)?;
    match File::of(&source.origin, &file)? {
        File::Data => rows::read(source, file, &place, feed, sink),
        File::Codes => metadata::keep(source, "codes.parquet", file, &place, feed, sink),
        File::Splits => metadata::keep(source, "subject_splits.parquet", file, &place, feed, sink),
    }
}

#[cfg(test)]
mod tests;

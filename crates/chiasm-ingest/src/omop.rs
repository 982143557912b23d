//! OMOP CDM 5.4 as a folder of tables, CSV or Parquet, names in any letter case.
//!
//! A row of a clinical table becomes an event of its person: `concept_id` becomes `system|code` by the CONCEPT
//! table beside it (`OMOP|concept_id` where there is none, `OMOP_SOURCE|value` where the concept is 0), every
//! other column an attribute. What ends is an event of its own, so that nothing of an end is known at the beginning.
//! A datetime counts before its date; midnight sharp is how the CDM writes that the hour is not known.
//!
//! Of CONCEPT only what the table being read names is held: the table is read once for its concept ids, then
//! CONCEPT once, row by row.
//!
//! # Source
//! OMOP Common Data Model 5.4, OHDSI (ohdsi.github.io/CommonDataModel/cdm54.html) and its DDL.

mod check;
mod concepts;
mod event;
mod person;
mod read;
mod rows;
mod table;

pub use check::check;

use crate::Error;
use crate::columnar::MAGIC;
use crate::feed::{Feed, Sink, Source};
use table::Table;

/// A table of the CDM by its file's name and its header.
pub fn recognises(head: &[u8], name: &str) -> bool {
    Table::of(head, name).is_some()
}

/// Reads a table.
///
/// # Errors
/// [`Error::UnsupportedType`] where a required column is not there,
/// [`Error::Damaged`], [`Error::Sink`].
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    read::read(source, &table(source)?, feed, sink)
}

/// The table that a source is.
fn table(source: &Source) -> Result<Table, Error> {
    let head = source.head(HEAD)?;
    Table::of(&head, &source.origin).ok_or_else(|| Error::UnsupportedType {
        place: source.origin.clone(),
        expected: "a table of the OMOP CDM under its name, with its columns",
        found: "another file".to_owned(),
    })
}

/// Bytes that hold the header.
const HEAD: usize = 1 << 16;

fn is_parquet(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

#[cfg(test)]
mod tests;

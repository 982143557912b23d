//! Parquet: a table whose columns have types.
//!
//! Text stays text. Booleans (0 and 1), floats and integers become numbers; 64-bit integers of which any
//! lies beyond what a double holds exactly (2^53) become text, and decimals of more than 15 digits too, so
//! that no two ids ever become one. Dates and times become ISO 8601 text, instants with a time zone in UTC.
//! Nested and binary columns are refused.

mod column;

use crate::{Budget, Error, delimited::unique};
use bytes::Bytes;
use chiasm_record::Table;
use column::Builder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::panic::{AssertUnwindSafe, catch_unwind};

const EXPECTED: &str = "a whole Parquet file";
/// Rows decoded at a time.
const BATCH: usize = 4096;
/// What a cell costs the budget beside its text: a pointer and a length, or a number that may be null.
const CELL: u64 = 16;

/// The table in `bytes`.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Empty`] without columns, [`Error::DuplicateColumn`],
/// [`Error::UnsupportedType`] with the column, [`Error::TooLarge`] past the budget.
pub fn parse(origin: &str, bytes: &[u8], budget: &mut Budget) -> Result<Table, Error> {
    // The decoder trusts lengths in altered files in places and then panics; that too is a damaged file.
    catch_unwind(AssertUnwindSafe(|| decode(origin, bytes, budget))).unwrap_or_else(|_| {
        Err(damaged(origin, "values that contradict the file's own description".to_owned()))
    })
}

fn decode(origin: &str, bytes: &[u8], budget: &mut Budget) -> Result<Table, Error> {
    let broken = |e: &dyn std::error::Error| damaged(origin, e.to_string());
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(bytes)).map_err(|e| broken(&e))?;
    let schema = builder.schema().clone();
    if schema.fields().is_empty() {
        return Err(Error::Empty { place: origin.to_owned(), expected: "at least one column" });
    }
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    unique(origin, &names)?;
    let metadata = builder.metadata();
    let rows = metadata.file_metadata().num_rows();
    let rows = usize::try_from(rows).map_err(|_| damaged(origin, format!("{rows} rows")))?;
    let unpacked =
        metadata.row_groups().iter().map(|g| u64::try_from(g.total_byte_size()).unwrap_or(u64::MAX));
    budget.spend(unpacked.fold(0, u64::saturating_add), origin)?;
    budget.spend((rows as u64).saturating_mul(CELL * names.len() as u64), origin)?;

    let mut columns =
        schema.fields().iter().map(|field| Builder::new(origin, field)).collect::<Result<Vec<_>, _>>()?;
    let mut found = 0;
    for batch in builder.with_batch_size(BATCH).build().map_err(|e| broken(&e))? {
        let batch = batch.map_err(|e| broken(&e))?;
        found += batch.num_rows();
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            column.extend(array, budget)?;
        }
    }
    if found != rows {
        return Err(damaged(origin, format!("{found} of {rows} rows")));
    }
    let columns = columns.into_iter().map(Builder::finish).collect();
    Ok(Table { origin: origin.to_owned(), columns, rows, lines: Vec::new() })
}

fn damaged(place: &str, found: String) -> Error {
    Error::Damaged { place: place.to_owned(), expected: EXPECTED, found }
}

#[cfg(test)]
mod tests;

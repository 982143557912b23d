//! The Parquet files of a store: written whole, named by their content, read whole or by record.

use crate::columns::Row;
use crate::input::Input;
use crate::place::Place;
use crate::{Error, EventRow, Part, RecordId, Table};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{Int64Type, Schema};
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::Statistics;
use std::collections::HashSet;
use std::sync::Arc;

/// Rows of a row group: small enough that one patient's events cost little to find.
const ROW_GROUP: usize = 1 << 16;
/// Rows that become columns at a time.
const CHUNK: usize = 1 << 13;
/// Columns whose texts are long and seldom the same: a dictionary of them and their extremes cost time and
/// answer no question.
const LONG: [&str; 7] = ["key", "attributes", "as_sent", "origin", "identity", "statement", "evidence"];

/// Writes rows as one part; none where there are no rows.
pub(crate) fn write<R: Row>(place: &Place, bucket: Option<u32>, rows: &[&R]) -> Result<Option<Part>, Error> {
    if rows.is_empty() {
        return Ok(None);
    }
    encode(bucket, rows)?.publish(place).map(Some)
}

/// Rows as one part, in memory.
pub(crate) fn encode<R: Row>(bucket: Option<u32>, rows: &[&R]) -> Result<Encoded, Error> {
    let mut draft = Draft::new(R::TABLE, R::batch(&[])?.schema())?;
    for rows in rows.chunks(CHUNK) {
        draft.push(&R::batch(rows)?)?;
    }
    draft.finish(bucket)
}

/// A part that is being written.
pub(crate) struct Draft {
    table: Table,
    writer: ArrowWriter<Vec<u8>>,
    rows: u64,
}

impl Draft {
    pub fn new(table: Table, schema: Arc<Schema>) -> Result<Self, Error> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_created_by("chiasm".to_owned());
        for column in LONG {
            properties = properties
                .set_column_dictionary_enabled(column.into(), false)
                .set_column_statistics_enabled(column.into(), EnabledStatistics::None);
        }
        let writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties.build()));
        let writer = writer.map_err(|e| unwritten(table, e))?;
        Ok(Self { table, writer, rows: 0 })
    }

    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(|e| unwritten(self.table, e))
    }

    /// The part with its name.
    pub fn finish(self, bucket: Option<u32>) -> Result<Encoded, Error> {
        let (table, rows) = (self.table, self.rows);
        let bytes = self.writer.into_inner().map_err(|e| unwritten(table, e))?;
        let hash = blake3::hash(&bytes).to_hex();
        let name = &hash.as_str()[..32];
        let file = match bucket {
            Some(bucket) => format!("{}/bucket={bucket:03}/{name}.parquet", table.name()),
            None => format!("{}/{name}.parquet", table.name()),
        };
        Ok(Encoded { part: Part { table, bucket, file, rows, bytes: bytes.len() as u64 }, bytes })
    }
}

/// A part that is not in its place yet.
pub(crate) struct Encoded {
    part: Part,
    bytes: Vec<u8>,
}

impl Encoded {
    /// Puts the part into its place.
    pub fn publish(self, place: &Place) -> Result<Part, Error> {
        place.put(&self.part.file, &self.bytes)?;
        Ok(self.part)
    }
}

fn unwritten(table: Table, error: parquet::errors::ParquetError) -> Error {
    Error::Rows { place: table.name().into(), source: error.into() }
}

pub(crate) fn damaged(part: &Part, error: impl std::fmt::Display) -> Error {
    Error::Damaged { place: part.file.clone(), expected: "Parquet".to_owned(), found: error.to_string() }
}

pub(crate) fn builder(place: &Place, part: &Part) -> Result<ParquetRecordBatchReaderBuilder<Input>, Error> {
    ParquetRecordBatchReaderBuilder::try_new(Input::open(place, &part.file)?).map_err(|e| damaged(part, e))
}

fn collect<R: Row>(part: &Part, reader: ParquetRecordBatchReader) -> Result<Vec<R>, Error> {
    let mut rows = Vec::new();
    for batch in reader {
        rows.extend(R::rows(&batch.map_err(|e| damaged(part, e))?)?);
    }
    Ok(rows)
}

/// All rows of a part.
pub(crate) fn read<R: Row>(place: &Place, part: &Part) -> Result<Vec<R>, Error> {
    collect(part, builder(place, part)?.build().map_err(|e| damaged(part, e))?)
}

/// All rows of a part, some at a time.
pub(crate) fn batches<'a, R: Row + 'a>(
    place: &Place,
    part: &'a Part,
) -> Result<impl Iterator<Item = Result<Vec<R>, Error>> + 'a, Error> {
    let reader = builder(place, part)?.build().map_err(|e| damaged(part, e))?;
    Ok(reader.map(move |batch| R::rows(&batch.map_err(|e| damaged(part, e))?)))
}

/// Some columns of a part, batch by batch.
pub(crate) fn columns(
    place: &Place,
    part: &Part,
    names: &[&str],
) -> Result<impl Iterator<Item = Result<RecordBatch, Error>>, Error> {
    let builder = builder(place, part)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
    let reader = builder.with_projection(mask).build().map_err(|e| damaged(part, e))?;
    let part = part.clone();
    Ok(reader.map(move |batch| batch.map_err(|e| damaged(&part, e))))
}

/// One column of text of a part.
pub(crate) fn texts(place: &Place, part: &Part, column: &str) -> Result<Vec<String>, Error> {
    let builder = builder(place, part)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    let reader = builder.with_projection(mask).build().map_err(|e| damaged(part, e))?;
    let mut found = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|e| damaged(part, e))?;
        let array = batch.column_by_name(column).and_then(|c| c.as_string_opt::<i32>());
        let array = array.ok_or_else(|| damaged(part, "no such column"))?;
        found.extend(array.iter().flatten().map(str::to_owned));
    }
    Ok(found)
}

/// The events of some records in a part. Row groups that hold none of them are not read.
pub(crate) fn events(place: &Place, part: &Part, wanted: &HashSet<RecordId>) -> Result<Vec<EventRow>, Error> {
    let builder = builder(place, part)?;
    let groups = (0..builder.metadata().num_row_groups()).filter(|&g| {
        let statistics = builder.metadata().row_group(g).column(0).statistics();
        let Some(Statistics::Int64(range)) = statistics else { return true };
        let (Some(least), Some(most)) = (range.min_opt(), range.max_opt()) else { return true };
        wanted.iter().any(|r| (*least..=*most).contains(&r.0))
    });
    let groups: Vec<usize> = groups.collect();
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["record_id"]);
    let wanted = wanted.clone();
    let mine = ArrowPredicateFn::new(mask, move |batch: RecordBatch| {
        let records = batch.column(0).as_primitive::<Int64Type>();
        let flags = (0..records.len())
            .map(|i| records.is_valid(i) && wanted.contains(&RecordId(records.value(i))))
            .collect::<Vec<bool>>();
        Ok(BooleanArray::from(flags))
    });
    let reader = builder
        .with_row_groups(groups)
        .with_row_filter(RowFilter::new(vec![Box::new(mine)]))
        .build()
        .map_err(|e| damaged(part, e))?;
    collect(part, reader)
}

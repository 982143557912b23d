//! The Parquet files of a store: written whole, named by their content, read whole or by record.

use crate::columns::Row;
use crate::place::Place;
use crate::{Error, EventRow, Part, RecordId, Table, rows};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::statistics::Statistics;
use std::collections::{BTreeMap, HashSet};

/// Rows of a row group: small enough that one patient's events cost little to find.
const ROW_GROUP: usize = 1 << 16;
/// Parts with fewer rows than this are merged...
const SMALL: u64 = 1 << 18;
/// ...once there are as many of them...
const MANY: usize = 8;
/// ...into parts of at most this many rows, which fit into memory.
const LARGE: u64 = 1 << 20;

/// Writes rows as one part; none where there are no rows.
pub(crate) fn write<R: Row>(place: &Place, bucket: Option<u32>, rows: &[R]) -> Result<Option<Part>, Error> {
    if rows.is_empty() {
        return Ok(None);
    }
    let table = R::TABLE;
    let fault =
        |e: parquet::errors::ParquetError| Error::Rows { place: table.name().into(), source: e.into() };
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_created_by("chiasm".to_owned())
        .build();
    let schema = R::batch(&[])?.schema();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties)).map_err(fault)?;
    for rows in rows.chunks(ROW_GROUP) {
        writer.write(&R::batch(rows)?).map_err(fault)?;
    }
    let bytes = writer.into_inner().map_err(fault)?;
    let hash = blake3::hash(&bytes).to_hex();
    let name = &hash.as_str()[..32];
    let file = match bucket {
        Some(bucket) => format!("{}/bucket={bucket:03}/{name}.parquet", table.name()),
        None => format!("{}/{name}.parquet", table.name()),
    };
    place.put(&file, &bytes)?;
    Ok(Some(Part { table, bucket, file, rows: rows.len() as u64, bytes: bytes.len() as u64 }))
}

fn damaged(part: &Part, error: impl std::fmt::Display) -> Error {
    Error::Damaged { place: part.file.clone(), expected: "Parquet".to_owned(), found: error.to_string() }
}

fn builder(place: &Place, part: &Part) -> Result<ParquetRecordBatchReaderBuilder<bytes::Bytes>, Error> {
    ParquetRecordBatchReaderBuilder::try_new(place.read(&part.file)?).map_err(|e| damaged(part, e))
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

/// Merges small parts of the same table and bucket; says how many went into others.
pub(crate) fn merge(place: &Place, all: &mut Vec<Part>) -> Result<usize, Error> {
    let mut small: BTreeMap<(Table, Option<u32>), Vec<Part>> = BTreeMap::new();
    for part in all.iter().filter(|p| p.rows < SMALL) {
        small.entry((part.table, part.bucket)).or_default().push(part.clone());
    }
    let mut merged = 0;
    for ((table, bucket), group) in small {
        if group.len() < MANY {
            continue;
        }
        for group in chunks(group) {
            let part = match table {
                Table::Events => {
                    let mut rows: Vec<EventRow> = concat(place, &group)?;
                    rows.sort_by(|a, b| a.order().cmp(&b.order()));
                    write(place, bucket, &rows)?
                }
                Table::Identities => write(place, bucket, &concat::<rows::IdentityRow>(place, &group)?)?,
                Table::Entries => write(place, bucket, &concat::<rows::EntryRow>(place, &group)?)?,
                Table::Sources => write(place, bucket, &concat::<rows::SourceRow>(place, &group)?)?,
                Table::Assets => write(place, bucket, &concat::<rows::AssetRow>(place, &group)?)?,
                Table::Quarantine => write(place, bucket, &concat::<rows::QuarantineRow>(place, &group)?)?,
                Table::Links => write(place, bucket, &concat::<rows::LinkRow>(place, &group)?)?,
                Table::Pairs => write(place, bucket, &concat::<rows::PairRow>(place, &group)?)?,
                Table::Clocks => write(place, bucket, &concat::<rows::ClockRow>(place, &group)?)?,
                Table::Statements => write(place, bucket, &concat::<rows::StatementRow>(place, &group)?)?,
            };
            let gone: HashSet<&str> = group.iter().map(|p| p.file.as_str()).collect();
            // The merged part stands where the first of them stood: the order of parts is that of time.
            let at = all.iter().position(|p| gone.contains(p.file.as_str())).unwrap_or(all.len());
            all.retain(|p| !gone.contains(p.file.as_str()));
            if let Some(part) = part {
                all.insert(at.min(all.len()), part);
            }
            merged += group.len();
        }
    }
    Ok(merged)
}

/// Groups of parts of at most [`LARGE`] rows together.
fn chunks(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let mut groups: Vec<Vec<Part>> = Vec::new();
    let mut rows = u64::MAX;
    for part in parts {
        if rows.saturating_add(part.rows) > LARGE {
            groups.push(Vec::new());
            rows = 0;
        }
        rows += part.rows;
        if let Some(group) = groups.last_mut() {
            group.push(part);
        }
    }
    groups.retain(|g| g.len() > 1);
    groups
}

fn concat<R: Row>(place: &Place, parts: &[Part]) -> Result<Vec<R>, Error> {
    let mut rows = Vec::new();
    for part in parts {
        rows.extend(read(place, part)?);
    }
    Ok(rows)
}

//! Parquet a batch of rows at a time, for files that are larger than memory. ([`crate::parquet`] reads a
//! whole file as a table.)
//!
//! Texts come as views: a value that a million rows share lies in memory once, so a small file cannot
//! grow without bound.

use crate::delimited::unique;
use crate::feed::Source;
use crate::{Budget, Error};
use arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Bytes of text that any file may give...
const TEXT: u64 = 1 << 30;
/// ...and as many times its own size: a column of few values packs well, and no honest one much better.
const GROWTH: u64 = 200;
/// Bytes of text of one column that are copied at a time.
const TOGETHER: usize = 256 << 20;

/// What the texts of a file may come to: views cost nothing until they are copied.
///
/// # Errors
/// As [`Source::len`].
pub(crate) fn allowance(source: &Source) -> Result<Budget, Error> {
    Ok(Budget::new(source.len()?.saturating_mul(GROWTH).max(TEXT)))
}

/// The texts of a column, if they can be copied.
///
/// # Errors
/// [`Error::TooLarge`] where they are a bomb.
pub(crate) fn copied(place: &str, views: &StringViewArray) -> Result<Vec<Option<String>>, Error> {
    let bytes: usize = views.iter().flatten().map(str::len).sum();
    if bytes > TOGETHER {
        return Err(Error::TooLarge { place: place.to_owned(), limit: TOGETHER as u64 });
    }
    Ok(views.iter().map(|c| c.map(str::to_owned)).collect())
}

/// What a Parquet file begins and ends with.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// A Parquet file on its way through memory.
pub(crate) struct Columnar {
    origin: String,
    /// The columns as the file has them, dictionaries opened.
    pub schema: SchemaRef,
    /// Rows, by the file's own word.
    pub rows: u64,
    /// Row groups.
    pub groups: usize,
    reader: ParquetRecordBatchReader,
}

impl Columnar {
    /// Opens a file to be read `batch` rows at a time.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Empty`] without columns, [`Error::DuplicateColumn`].
    pub fn open(source: &Source, batch: usize) -> Result<Self, Error> {
        Self::only(source, batch, &|_| true)
    }

    /// Opens a file of which only some columns are wanted, by their names.
    ///
    /// # Errors
    /// As [`Columnar::open`].
    pub fn only(source: &Source, batch: usize, wanted: &dyn Fn(&str) -> bool) -> Result<Self, Error> {
        let origin = source.origin.as_str();
        let input = match source.path() {
            Some(path) => Input::File(File::open(path).map_err(|e| crate::address::fault(path, e))?),
            None => Input::Memory(source.bytes(u64::MAX)?),
        };
        guarded(origin, || {
            let broken = |e: ParquetError| damaged(origin, &e);
            let found = ArrowReaderMetadata::load(&input, ArrowReaderOptions::new()).map_err(broken)?;
            let names: Vec<String> = found.schema().fields().iter().map(|f| f.name().clone()).collect();
            if names.is_empty() {
                return Err(Error::Empty { place: origin.to_owned(), expected: "at least one column" });
            }
            unique(origin, &names)?;
            let at: Vec<usize> = (0..names.len()).filter(|i| wanted(&names[*i])).collect();
            let of = |change: fn(&DataType) -> DataType| {
                let fields = found.schema().fields().iter();
                let fields: Vec<Field> =
                    fields.map(|f| Field::new(f.name(), change(f.data_type()), f.is_nullable())).collect();
                Arc::new(Schema::new(fields))
            };
            let schema = of(opened).project(&at).map(Arc::new).map_err(|e| damaged(origin, &e))?;
            let options = ArrowReaderOptions::new().with_schema(of(as_view));
            let views = ArrowReaderMetadata::try_new(found.metadata().clone(), options).map_err(broken)?;
            let rows = u64::try_from(found.metadata().file_metadata().num_rows()).unwrap_or(0);
            let groups = found.metadata().num_row_groups();
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, views);
            let mask = ProjectionMask::roots(builder.parquet_schema(), at);
            let reader = builder.with_projection(mask).with_batch_size(batch).build().map_err(broken)?;
            Ok(Self { origin: origin.to_owned(), schema, rows, groups, reader })
        })
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let (origin, reader) = (&self.origin, &mut self.reader);
        guarded(origin, || reader.next().transpose().map_err(|e| damaged(origin, &e)))
    }
}

/// The decoder trusts lengths in altered files in places and then panics; that too is a damaged file.
fn guarded<T>(origin: &str, decode: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(damaged(origin, &"values that contradict the file's own description")))
}

fn damaged(place: &str, found: &dyn std::fmt::Display) -> Error {
    Error::Damaged { place: place.to_owned(), expected: "a whole Parquet file", found: found.to_string() }
}

/// A type without its dictionary and its views.
fn opened(kind: &DataType) -> DataType {
    match kind {
        DataType::Dictionary(_, values) => opened(values),
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        kind => kind.clone(),
    }
}

fn as_view(kind: &DataType) -> DataType {
    match opened(kind) {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        kind => kind,
    }
}

/// `array` as `to`, cells that do not fit as missing; `None` where no cell of the type ever fits.
pub(crate) fn cast(array: &ArrayRef, to: &DataType) -> Option<ArrayRef> {
    cast_with_options(array, to, &CastOptions { safe: true, ..CastOptions::default() }).ok()
}

/// Whether a column holds text.
pub(crate) fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// What a column holds, in a word.
pub(crate) fn kind(kind: &DataType) -> String {
    kind.to_string().chars().take(60).collect()
}

/// Where a file's bytes are.
enum Input {
    File(File),
    Memory(Bytes),
}

impl Length for Input {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file),
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }
}

impl ChunkReader for Input {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(match self {
            Self::File(file) => Box::new(BufReader::new(ChunkReader::get_read(file, start)?)),
            Self::Memory(bytes) => Box::new(ChunkReader::get_read(bytes, start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Memory(bytes) => bytes.get_bytes(start, length),
        }
    }
}

use crate::Error;
use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Cells held before they are written.
const HELD: usize = 1 << 19;

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Whole,
    Number,
    Text,
    Yes,
}

/// One value.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Whole(i64),
    Number(f64),
    Text(String),
    Yes(bool),
    Nothing,
}

impl From<&str> for Cell {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Cell {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<i64> for Cell {
    fn from(v: i64) -> Self {
        Self::Whole(v)
    }
}
impl From<u64> for Cell {
    fn from(v: u64) -> Self {
        Self::Whole(v as i64)
    }
}
impl From<f64> for Cell {
    fn from(v: f64) -> Self {
        Self::Number(v)
    }
}
impl From<bool> for Cell {
    fn from(v: bool) -> Self {
        Self::Yes(v)
    }
}
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Nothing, Into::into)
    }
}

/// A Parquet file that grows row by row.
pub(crate) struct Table {
    path: PathBuf,
    columns: &'static [(&'static str, Kind)],
    schema: Arc<Schema>,
    writer: ArrowWriter<File>,
    held: Vec<Vec<Cell>>,
    rows: u64,
}

impl Table {
    /// # Errors
    /// [`Error::Write`].
    pub(crate) fn new(path: &Path, columns: &'static [(&'static str, Kind)]) -> Result<Self, Error> {
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, kind)| {
                let data = match kind {
                    Kind::Whole => DataType::Int64,
                    Kind::Number => DataType::Float64,
                    Kind::Text => DataType::Utf8,
                    Kind::Yes => DataType::Boolean,
                };
                Field::new(*name, data, true)
            })
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let file = File::create(path).map_err(|e| fault(path, e))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
            .map_err(|e| fault(path, io::Error::other(e)))?;
        Ok(Self { path: path.to_owned(), columns, schema, writer, held: Vec::new(), rows: 0 })
    }

    /// Adds rows, each with a cell per column.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub(crate) fn push(&mut self, rows: Vec<Vec<Cell>>) -> Result<(), Error> {
        self.rows += rows.len() as u64;
        self.held.extend(rows);
        if self.held.len() * self.columns.len() >= HELD { self.flush() } else { Ok(()) }
    }

    /// Writes what is held and the file's foot; says how many rows there are.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub(crate) fn close(mut self) -> Result<u64, Error> {
        self.flush()?;
        self.writer.close().map_err(|e| fault(&self.path, io::Error::other(e)))?;
        Ok(self.rows)
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let column = |(i, (_, kind)): (usize, &(&str, Kind))| -> ArrayRef {
            let cells = held.iter().map(|row| row.get(i).unwrap_or(&Cell::Nothing));
            match kind {
                Kind::Whole => Arc::new(Int64Array::from_iter(cells.map(|c| match c {
                    Cell::Whole(v) => Some(*v),
                    _ => None,
                }))),
                Kind::Number => Arc::new(Float64Array::from_iter(cells.map(|c| match c {
                    Cell::Number(v) => Some(*v),
                    _ => None,
                }))),
                Kind::Text => Arc::new(StringArray::from_iter(cells.map(|c| match c {
                    Cell::Text(v) => Some(v.as_str()),
                    _ => None,
                }))),
                Kind::Yes => Arc::new(BooleanArray::from_iter(cells.map(|c| match c {
                    Cell::Yes(v) => Some(*v),
                    _ => None,
                }))),
            }
        };
        let arrays = self.columns.iter().enumerate().map(column).collect();
        let failed = |e: io::Error| fault(&self.path, e);
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|e| failed(io::Error::other(e)))?;
        self.writer.write(&batch).map_err(|e| failed(io::Error::other(e)))?;
        self.writer.flush().map_err(|e| failed(io::Error::other(e)))
    }
}

fn fault(path: &Path, source: io::Error) -> Error {
    Error::Write { path: path.to_owned(), source }
}

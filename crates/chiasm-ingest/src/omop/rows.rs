//! A table's rows as texts, CSV or Parquet, in bounded memory.

use super::table::{Table, delimiter, header};
use super::{HEAD, is_parquet};
use crate::columnar::{Columnar, allowance, cast};
use crate::delimited::unique;
use crate::feed::Source;
use crate::{Budget, Error};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use arrow::datatypes::DataType;
use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

/// Bytes of one row.
const ROW: usize = 16 << 20;
/// Rows of Parquet that are decoded together.
const BATCH: usize = 1024;

/// The rows of a table.
pub(super) struct Rows {
    origin: String,
    /// The columns' names in small letters.
    pub names: Vec<String>,
    /// Columns that hold neither text, numbers nor times.
    pub unread: usize,
    inner: Inner,
}

enum Inner {
    Text {
        reader: csv::Reader<Limited>,
        row: csv::ByteRecord,
        since: Rc<Cell<usize>>,
    },
    Parquet {
        file: Columnar,
        columns: Vec<Option<StringViewArray>>,
        at: usize,
        rows: usize,
        before: u64,
        budget: Budget,
    },
}

/// One row.
#[derive(Default)]
pub(super) struct Row {
    /// The line of a text, the row of a Parquet file from 0.
    pub number: u64,
    /// Bytes before it, in a text.
    pub offset: Option<u64>,
    /// Its cells; an empty one is missing.
    pub cells: Vec<String>,
    /// What is wrong with it as a row.
    pub broken: Option<String>,
}

impl Rows {
    /// Opens a table of which some columns are wanted, all where `wanted` says so of each.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::DuplicateColumn`], [`Error::Empty`].
    pub fn open(source: &Source, table: &Table, wanted: &dyn Fn(&str) -> bool) -> Result<Self, Error> {
        let origin = source.origin.clone();
        let head = source.head(HEAD)?;
        if is_parquet(&head) {
            let file = Columnar::only(source, BATCH, &|n| wanted(&n.to_ascii_lowercase()))?;
            let names: Vec<String> =
                file.schema.fields().iter().map(|f| f.name().to_ascii_lowercase()).collect();
            unique(&origin, &names)?;
            let unread = file.schema.fields().iter().filter(|f| !is_readable(f.data_type())).count();
            let inner = Inner::Parquet {
                file,
                columns: Vec::new(),
                at: 0,
                rows: 0,
                before: 0,
                budget: allowance(source)?,
            };
            return Ok(Self { origin, names, unread, inner });
        }
        let line = head.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let delimiter = delimiter(&line);
        let names = header(&line, delimiter);
        unique(&origin, &names)?;
        let since = Rc::new(Cell::new(0));
        let limited = Limited { inner: source.open()?, since: since.clone() };
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            // Athena writes its tables with tabs and does not mind quotes.
            .quoting(delimiter != b'\t' || !matches!(table.kind, super::table::Kind::Concept))
            .flexible(true)
            .from_reader(limited);
        Ok(Self {
            origin,
            names,
            unread: 0,
            inner: Inner::Text { reader, row: csv::ByteRecord::new(), since },
        })
    }

    /// Reads the next row into `into`; `false` at the end.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn next(&mut self, into: &mut Row) -> Result<bool, Error> {
        into.broken = None;
        into.cells.resize(self.names.len(), String::new());
        into.cells.iter_mut().for_each(String::clear);
        match &mut self.inner {
            Inner::Text { reader, row, since } => {
                since.set(0);
                let more = reader.read_byte_record(row).map_err(|_| Error::Damaged {
                    place: self.origin.clone(),
                    expected: "delimited text",
                    found: format!("a row after line {} that does not end within 16 MiB", into.number),
                })?;
                if !more {
                    return Ok(false);
                }
                let position = row.position();
                into.number = position.map_or(0, csv::Position::line);
                into.offset = position.map(csv::Position::byte);
                if row.len() != self.names.len() {
                    let (expected, found) = (self.names.len(), row.len());
                    into.broken = Some(format!("expected {expected} cells, found {found}"));
                    return Ok(true);
                }
                for (cell, bytes) in into.cells.iter_mut().zip(row.iter()) {
                    put(cell, &String::from_utf8_lossy(bytes));
                }
                Ok(true)
            }
            Inner::Parquet { file, columns, at, rows, before, budget } => {
                while *at == *rows {
                    *before += *rows as u64;
                    let Some(batch) = file.next()? else { return Ok(false) };
                    *columns = texts(&batch);
                    (*at, *rows) = (0, batch.num_rows());
                }
                into.number = *before + *at as u64;
                into.offset = None;
                for (cell, column) in into.cells.iter_mut().zip(columns.iter()) {
                    let Some(column) = column.as_ref().filter(|c| c.is_valid(*at)) else { continue };
                    if column.value(*at).len() > ROW {
                        into.broken = Some("expected cells of at most 16 MiB, found a longer one".to_owned());
                        continue;
                    }
                    budget.spend(column.value(*at).len() as u64, &self.origin)?;
                    put(cell, column.value(*at));
                }
                *at += 1;
                Ok(true)
            }
        }
    }

    /// Where a row stands, in words.
    pub fn place(&self, row: &Row) -> String {
        match self.inner {
            Inner::Text { .. } => format!("line {}", row.number),
            Inner::Parquet { .. } => format!("row {}", row.number),
        }
    }
}

/// A cell as it counts: the words by which databases write that there is none are none.
fn put(cell: &mut String, text: &str) {
    let text = text.trim();
    if !matches!(text, "NULL" | "\\N" | "null") {
        cell.push_str(text);
    }
}

fn is_readable(kind: &DataType) -> bool {
    use DataType::*;
    kind.is_primitive() || matches!(kind, Boolean | Null | Utf8 | LargeUtf8 | Utf8View)
}

/// The columns of a batch as texts; `None` where they have none.
fn texts(batch: &RecordBatch) -> Vec<Option<StringViewArray>> {
    let text = |array: &ArrayRef| {
        // Names of zones need a database of their own: instants are told in UTC.
        let utc = match array.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                cast(array, &DataType::Timestamp(*unit, Some("+00:00".into())))?
            }
            _ => array.clone(),
        };
        let texts = cast(&utc, &DataType::Utf8View)?;
        Some(texts.as_string_view().clone())
    };
    batch.columns().iter().map(|c| text(c).filter(|_| is_readable(c.data_type()))).collect()
}

/// A reader that gives up where a row does not end: a quote that nobody closes must not fill memory.
struct Limited {
    inner: Box<dyn crate::feed::ReadSeek>,
    since: Rc<Cell<usize>>,
}

impl Read for Limited {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.since.get() > ROW {
            return Err(std::io::Error::other("a row of more than 16 MiB"));
        }
        let n = self.inner.read(into)?;
        self.since.set(self.since.get() + n);
        Ok(n)
    }
}

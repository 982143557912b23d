//! The few types that columns have, to Arrow and back.

use crate::{Error, RowKey, Table};
use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryArray, FixedSizeBinaryBuilder, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use std::sync::Arc;

/// A row of a table: its columns are listed twice, once each way, in one place.
pub trait Row: Sized {
    /// The table.
    const TABLE: Table;

    /// Rows to columns.
    ///
    /// # Errors
    /// [`Error::Rows`], which would be a mistake in the list of columns.
    fn batch(rows: &[&Self]) -> Result<RecordBatch, Error>;

    /// Columns to rows, by name.
    ///
    /// # Errors
    /// [`Error::Rows`] where a column is missing or has another type.
    fn rows(batch: &RecordBatch) -> Result<Vec<Self>, Error>;
}

/// Columns on their way to a batch.
pub(crate) struct Columns {
    table: Table,
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    pub fn of(table: Table) -> Self {
        Self { table, fields: Vec::new(), arrays: Vec::new() }
    }

    fn push(mut self, name: &str, array: ArrayRef, nullable: bool) -> Self {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
        self
    }

    pub fn text<'a>(self, name: &str, cells: impl Iterator<Item = &'a str>) -> Self {
        self.push(name, Arc::new(StringArray::from_iter_values(cells)), false)
    }

    pub fn maybe_text<'a>(self, name: &str, cells: impl Iterator<Item = Option<&'a str>>) -> Self {
        self.push(name, Arc::new(cells.collect::<StringArray>()), true)
    }

    pub fn long(self, name: &str, cells: impl Iterator<Item = i64>) -> Self {
        self.push(name, Arc::new(Int64Array::from_iter_values(cells)), false)
    }

    pub fn maybe_long(self, name: &str, cells: impl Iterator<Item = Option<i64>>) -> Self {
        self.push(name, Arc::new(cells.collect::<Int64Array>()), true)
    }

    /// Hashes of 16 bytes.
    pub fn key<'a>(self, name: &str, cells: impl Iterator<Item = &'a RowKey>) -> Self {
        let mut keys = FixedSizeBinaryBuilder::new(16);
        // Every cell has the builder's width, so none is refused.
        cells.for_each(|cell| keys.append_value(cell).unwrap_or_default());
        self.push(name, Arc::new(keys.finish()), false)
    }

    pub fn maybe_int(self, name: &str, cells: impl Iterator<Item = Option<i32>>) -> Self {
        self.push(name, Arc::new(cells.collect::<Int32Array>()), true)
    }

    pub fn maybe_number(self, name: &str, cells: impl Iterator<Item = Option<f64>>) -> Self {
        self.push(name, Arc::new(cells.collect::<Float64Array>()), true)
    }

    /// Microseconds since 1970-01-01T00:00Z, without a zone, as MEDS has them.
    pub fn maybe_time(self, name: &str, cells: impl Iterator<Item = Option<i64>>) -> Self {
        self.push(name, Arc::new(cells.collect::<TimestampMicrosecondArray>()), true)
    }

    pub fn batch(self) -> Result<RecordBatch, Error> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)
            .map_err(|e| Error::Rows { place: self.table.name().to_owned(), source: e.into() })
    }
}

/// A batch's columns by name.
pub(crate) struct Reader<'a> {
    table: Table,
    batch: &'a RecordBatch,
}

impl<'a> Reader<'a> {
    pub fn of(table: Table, batch: &'a RecordBatch) -> Self {
        Self { table, batch }
    }

    fn column<T: Array + 'static>(&self, name: &str, expected: &DataType) -> Result<&'a T, Error> {
        let place = || format!("{}.{name}", self.table.name());
        let array = self
            .batch
            .column_by_name(name)
            .ok_or_else(|| Error::Rows { place: place(), source: "there is no such column".into() })?;
        array.as_any().downcast_ref().ok_or_else(|| Error::Rows {
            place: place(),
            source: format!("expected {expected}, found {}", array.data_type()).into(),
        })
    }

    pub fn text(&self, name: &str) -> Result<impl Fn(usize) -> Option<String> + 'a, Error> {
        let array: &StringArray = self.column(name, &DataType::Utf8)?;
        Ok(|i| array.is_valid(i).then(|| array.value(i).to_owned()))
    }

    pub fn long(&self, name: &str) -> Result<impl Fn(usize) -> Option<i64> + 'a, Error> {
        let array: &Int64Array = self.column(name, &DataType::Int64)?;
        Ok(|i| array.is_valid(i).then(|| array.value(i)))
    }

    pub fn key(&self, name: &str) -> Result<impl Fn(usize) -> RowKey + 'a, Error> {
        let array: &FixedSizeBinaryArray = self.column(name, &DataType::FixedSizeBinary(16))?;
        Ok(|i| array.value(i).try_into().unwrap_or_default())
    }

    pub fn int(&self, name: &str) -> Result<impl Fn(usize) -> Option<i32> + 'a, Error> {
        let array: &Int32Array = self.column(name, &DataType::Int32)?;
        Ok(|i| array.is_valid(i).then(|| array.value(i)))
    }

    pub fn number(&self, name: &str) -> Result<impl Fn(usize) -> Option<f64> + 'a, Error> {
        let array: &Float64Array = self.column(name, &DataType::Float64)?;
        Ok(|i| array.is_valid(i).then(|| array.value(i)))
    }

    pub fn time(&self, name: &str) -> Result<impl Fn(usize) -> Option<i64> + 'a, Error> {
        let array: &TimestampMicrosecondArray =
            self.column(name, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        Ok(|i| array.is_valid(i).then(|| array.value(i)))
    }
}

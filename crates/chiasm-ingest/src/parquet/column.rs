use super::damaged;
use crate::{Budget, Error};
use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, Decimal128Type, Field, Float64Type},
};
use chiasm_record::{Cells, Column};

/// The largest integer up to which every integer is a double of its own: 2^53.
const EXACT: u128 = 1 << 53;
/// The most decimal digits that a double keeps.
const DIGITS: u8 = 15;

/// Collects one column over the batches of a file.
pub(super) struct Builder {
    /// File and column, for messages.
    place: String,
    name: String,
    cells: Collected,
}

enum Collected {
    Text(Vec<Box<str>>),
    Number(Vec<Option<f64>>),
    /// 64-bit integers, numbers or text once all are known.
    Integer(Vec<Option<i128>>),
}

impl Builder {
    /// # Errors
    /// [`Error::UnsupportedType`] where the field is neither text, numbers nor times.
    pub fn new(origin: &str, field: &Field) -> Result<Self, Error> {
        let place = format!("{origin}, column '{}'", field.name());
        match collected(field.data_type()) {
            Some(cells) => Ok(Self { place, name: field.name().clone(), cells }),
            None => {
                let (expected, found) = ("text, numbers, dates or times", kind(field.data_type()));
                Err(Error::UnsupportedType { place, expected, found })
            }
        }
    }

    /// Appends the cells of `array`.
    pub fn extend(&mut self, array: &ArrayRef, budget: &mut Budget) -> Result<(), Error> {
        match &mut self.cells {
            Collected::Number(cells) => {
                let array = converted(array, &DataType::Float64, &self.place)?;
                cells.extend(array.as_primitive::<Float64Type>().iter());
            }
            Collected::Integer(cells) => {
                let array = converted(array, &DataType::Decimal128(20, 0), &self.place)?;
                cells.extend(array.as_primitive::<Decimal128Type>().iter());
            }
            Collected::Text(cells) => {
                let array = converted(&in_utc(array, &self.place)?, &DataType::LargeUtf8, &self.place)?;
                for cell in array.as_string::<i64>() {
                    let cell = cell.unwrap_or_default();
                    budget.spend(cell.len() as u64, &self.place)?;
                    cells.push(cell.into());
                }
            }
        }
        Ok(())
    }

    /// The column with every cell seen.
    pub fn finish(self) -> Column {
        let cells = match self.cells {
            Collected::Text(cells) => Cells::Text(cells),
            Collected::Number(cells) => Cells::Number(cells),
            Collected::Integer(cells) if cells.iter().flatten().all(|v| v.unsigned_abs() <= EXACT) => {
                Cells::Number(cells.into_iter().map(|v| v.map(|v| v as f64)).collect())
            }
            Collected::Integer(cells) => {
                let text = |v: Option<i128>| v.map_or_else(String::new, |v| v.to_string()).into();
                Cells::Text(cells.into_iter().map(text).collect())
            }
        };
        Column { name: self.name, cells }
    }
}

/// How cells of `kind` are collected, `None` where they are not.
fn collected(kind: &DataType) -> Option<Collected> {
    use DataType::*;
    Some(match kind {
        Dictionary(_, values) => return collected(values),
        Null | Boolean | Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32 | Float16 | Float32 | Float64 => {
            Collected::Number(Vec::new())
        }
        Int64 | UInt64 => Collected::Integer(Vec::new()),
        Decimal32(p, _) | Decimal64(p, _) | Decimal128(p, _) | Decimal256(p, _) if *p <= DIGITS => {
            Collected::Number(Vec::new())
        }
        Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => Collected::Text(Vec::new()),
        Utf8 | LargeUtf8 | Utf8View => Collected::Text(Vec::new()),
        Date32 | Date64 | Timestamp(..) | Time32(_) | Time64(_) => Collected::Text(Vec::new()),
        _ => return None,
    })
}

/// A type's name without its inner fields.
fn kind(kind: &DataType) -> String {
    let name = format!("{kind:?}");
    name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// `array` as `to`; a value that does not fit is an error, whose own message would show the value.
fn converted(array: &ArrayRef, to: &DataType, place: &str) -> Result<ArrayRef, Error> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, to, &options)
        .map_err(|_| damaged(place, format!("a {} out of range", kind(array.data_type()))))
}

/// Dictionaries opened, and instants of a named time zone in UTC: names of zones need a database of their own.
fn in_utc(array: &ArrayRef, place: &str) -> Result<ArrayRef, Error> {
    match array.data_type() {
        DataType::Dictionary(_, values) => in_utc(&converted(array, values, place)?, place),
        DataType::Timestamp(unit, Some(_)) => {
            converted(array, &DataType::Timestamp(*unit, Some("+00:00".into())), place)
        }
        _ => Ok(array.clone()),
    }
}

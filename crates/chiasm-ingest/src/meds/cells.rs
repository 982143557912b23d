//! Cells of columns that MEDS does not name, as text and back without a bit lost.
//!
//! A cell is written as Arrow writes it (`42`, `2.5`, `2024-03-05T08:00:00`) where reading that back gives the
//! very same cell, and otherwise (lists, structures, bytes, a NaN with a payload) as `=` and the base64 of
//! Arrow's row encoding of it. Cells of text are themselves.

use crate::Error;
use crate::columnar::{cast, copied, is_text, kind};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, StringViewArray, new_null_array};
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What marks a cell in row encoding. No number, time or truth value that Arrow writes begins with it.
const MARK: char = '=';

/// Whether a type has cells that text can stand for. A list has none: Arrow makes a list of any text.
fn is_plain(of: &DataType) -> bool {
    is_text(of) || of.is_primitive() || *of == DataType::Boolean
}

/// Whether cells of a type can be kept.
pub(super) fn supports(of: &DataType) -> bool {
    is_text(of) || RowConverter::supports_fields(&[SortField::new(of.clone())])
}

/// The cells of a column as text.
///
/// # Errors
/// [`Error::UnsupportedType`] where the type is none that [`supports`].
pub(super) fn to_text(place: &str, array: &ArrayRef) -> Result<Vec<Option<String>>, Error> {
    let fault = |_: ArrowError| unsupported(place, array.data_type());
    if is_text(array.data_type()) {
        let views = cast(array, &DataType::Utf8View).ok_or_else(|| unsupported(place, array.data_type()))?;
        return copied(place, views.as_string_view());
    }
    let plain = if is_plain(array.data_type()) { cast(array, &DataType::Utf8View) } else { None };
    let texts = plain.as_ref().map(|p| p.as_string_view());
    let text = |texts: &StringViewArray, i: usize| texts.is_valid(i).then(|| texts.value(i).to_owned());
    if let Some(texts) = texts.filter(|_| array.data_type().is_integer()) {
        return Ok((0..array.len()).map(|i| text(texts, i)).collect());
    }
    let back = plain.as_ref().and_then(|p| cast(p, array.data_type()));
    let converter = RowConverter::new(vec![SortField::new(array.data_type().clone())]).map_err(fault)?;
    let rows = converter.convert_columns(std::slice::from_ref(array)).map_err(fault)?;
    let again = back.map(|b| converter.convert_columns(&[b])).transpose().map_err(fault)?;
    let cell = |i: usize| {
        if array.is_null(i) {
            return None;
        }
        let same = again.as_ref().is_some_and(|again| again.row(i) == rows.row(i));
        match texts.filter(|_| same) {
            Some(texts) => text(texts, i),
            None => Some(format!("{MARK}{}", BASE64.encode(rows.row(i).data()))),
        }
    };
    Ok((0..array.len()).map(cell).collect())
}

/// A column of `of` out of texts that `to_text` made; a text that is no such cell is missing.
///
/// # Errors
/// [`Error::UnsupportedType`] where the type is none that `supports`.
pub fn from_text(place: &str, cells: &[Option<&str>], of: &DataType) -> Result<ArrayRef, Error> {
    let fault = || unsupported(place, of);
    let marked = |cell: &Option<&str>| !is_text(of) && cell.is_some_and(|c| c.starts_with(MARK));
    let plain: StringArray = cells.iter().map(|c| c.filter(|_| !marked(c))).collect();
    let none_plain = plain.null_count() == plain.len();
    let plain: ArrayRef = if none_plain || !is_plain(of) {
        new_null_array(of, cells.len())
    } else {
        cast(&(Arc::new(plain) as ArrayRef), of).ok_or_else(fault)?
    };
    if !cells.iter().any(marked) {
        return Ok(plain);
    }
    let converter = RowConverter::new(vec![SortField::new(of.clone())]).map_err(|_| fault())?;
    let missing = converter.convert_columns(&[new_null_array(of, 1)]).map_err(|_| fault())?;
    let bytes: Vec<Option<Vec<u8>>> = cells
        .iter()
        .map(|c| c.filter(|_| marked(c)).and_then(|c| BASE64.decode(&c[MARK.len_utf8()..]).ok()))
        .collect();
    let parser = converter.parser();
    let rows = bytes.iter().map(|b| b.as_deref().map_or_else(|| missing.row(0), |b| parser.parse(b)));
    // Bytes that are no row of this type make the converter panic.
    let decoded = catch_unwind(AssertUnwindSafe(|| converter.convert_rows(rows)));
    let decoded = decoded.ok().and_then(Result::ok).and_then(|mut a| a.pop()).ok_or_else(fault)?;
    let mask: BooleanArray = cells.iter().map(|c| Some(marked(c))).collect();
    zip(&mask, &decoded, &plain).map_err(|_| fault())
}

fn unsupported(place: &str, of: &DataType) -> Error {
    Error::UnsupportedType {
        place: place.to_owned(),
        expected: "a column of a type that can be kept",
        found: kind(of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        BinaryArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array, ListArray,
        TimestampNanosecondArray, UInt8Array,
    };
    use arrow::datatypes::Int32Type;

    fn kept(array: ArrayRef) -> Vec<Option<String>> {
        let texts = to_text("c", &array).unwrap();
        let cells: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        let back = from_text("c", &cells, array.data_type()).unwrap();
        // Rows compare bit for bit, NaN payloads and signed zeros too.
        let converter = RowConverter::new(vec![SortField::new(array.data_type().clone())]).unwrap();
        let rows = |a: &ArrayRef| converter.convert_columns(std::slice::from_ref(a)).unwrap();
        assert!(rows(&back).iter().eq(rows(&array).iter()), "{array:?} {texts:?} {back:?}");
        texts
    }

    #[test]
    fn every_type_comes_back_as_it_was() {
        let text = |c: &[Option<&str>]| Arc::new(c.iter().copied().collect::<StringArray>()) as ArrayRef;
        assert_eq!(kept(text(&[Some("=x"), Some(""), None]))[0].as_deref(), Some("=x"));
        assert_eq!(
            kept(Arc::new(Int64Array::from(vec![Some(i64::MIN), None])))[0].as_deref(),
            Some("-9223372036854775808")
        );
        kept(Arc::new(UInt8Array::from(vec![Some(255), None])));
        kept(Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])));
        let nan = f32::from_bits(0x7fa0_0001);
        let floats = kept(Arc::new(Float32Array::from(vec![
            0.1,
            -0.0,
            f32::INFINITY,
            f32::NAN,
            nan,
            f32::MIN_POSITIVE / 8.0,
        ])));
        assert_eq!(floats[0].as_deref(), Some("0.1"));
        assert!(floats[4].as_ref().unwrap().starts_with('='));
        kept(Arc::new(Float64Array::from(vec![Some(1e300), None, Some(5e-324), Some(2.0f64.powi(60))])));
        kept(Arc::new(Date32Array::from(vec![0, 19_000, i32::MAX, -700_000])));
        let times = TimestampNanosecondArray::from(vec![Some(1), None, Some(i64::MAX), Some(-1)]);
        kept(Arc::new(times.clone()));
        kept(Arc::new(times.with_timezone("+02:00")));
        kept(Arc::new(
            Decimal128Array::from(vec![Some(12345), None]).with_precision_and_scale(20, 4).unwrap(),
        ));
        kept(Arc::new(BinaryArray::from(vec![Some(&b"\xff\0="[..]), None])));
        kept(Arc::new(BinaryArray::from(vec![Some(&b"=AA"[..]), Some(&b"plain"[..]), None])));
        kept(Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None]),
            Some(vec![None]),
            None,
            Some(vec![]),
        ])));
        kept(Arc::new(StringArray::new_null(3)));
    }

    #[test]
    fn texts_that_are_no_cell_are_missing_or_refused() {
        let back = from_text("c", &[Some("x"), Some("7")], &DataType::Int32).unwrap();
        assert!(back.is_null(0) && back.is_valid(1));
        for bad in ["=", "=AA", "=!!", "=AQ"] {
            let _ = from_text("c", &[Some(bad), Some("7")], &DataType::Int32);
            let list = DataType::new_list(DataType::Utf8, true);
            let _ = from_text("c", &[Some(bad)], &list);
        }
    }
}

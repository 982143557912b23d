use super::*;
use arrow::{
    array::*,
    datatypes::{DataType, Field, Int32Type, Schema},
    record_batch::RecordBatch,
};
use chiasm_record::Cells;
use parquet::arrow::ArrowWriter;
use std::sync::Arc;

fn write(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Table, Error> {
    parse("t.parquet", bytes, &mut Budget::default())
}

fn column(array: ArrayRef) -> Cells {
    read(&write(vec![("x", array)])).unwrap().columns.remove(0).cells
}

fn text(cells: &[&str]) -> Cells {
    Cells::Text(cells.iter().map(|&c| c.into()).collect())
}

#[test]
fn text_of_every_layout_is_text() {
    let words = [Some("001"), None, Some("é")];
    let expected = text(&["001", "", "é"]);
    assert_eq!(column(Arc::new(StringArray::from_iter(words))), expected);
    assert_eq!(column(Arc::new(LargeStringArray::from_iter(words))), expected);
    assert_eq!(column(Arc::new(StringViewArray::from_iter(words))), expected);
    assert_eq!(column(Arc::new(DictionaryArray::<Int32Type>::from_iter(words))), expected);
}

#[test]
fn numbers_of_every_width_are_numbers() {
    let expected = Cells::Number(vec![Some(1.0), None, Some(0.0)]);
    let numbers: [ArrayRef; 8] = [
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        Arc::new(Int8Array::from(vec![Some(1), None, Some(0)])),
        Arc::new(UInt32Array::from(vec![Some(1), None, Some(0)])),
        Arc::new(Int64Array::from(vec![Some(1), None, Some(0)])),
        Arc::new(UInt64Array::from(vec![Some(1), None, Some(0)])),
        Arc::new(Float32Array::from(vec![Some(1.0), None, Some(0.0)])),
        Arc::new(Float64Array::from(vec![Some(1.0), None, Some(0.0)])),
        Arc::new(
            Decimal128Array::from(vec![Some(100), None, Some(0)]).with_precision_and_scale(10, 2).unwrap(),
        ),
    ];
    for array in numbers {
        let kind = array.data_type().clone();
        assert_eq!(column(array), expected, "{kind}");
    }
    let coded = DictionaryArray::new(
        Int32Array::from(vec![Some(1), None, Some(0)]),
        Arc::new(Float64Array::from(vec![0.0, 1.0])),
    );
    assert_eq!(column(Arc::new(coded)), expected);
}

#[test]
fn integers_too_long_for_a_double_stay_apart_as_text() {
    let ids = vec![Some(9_007_199_254_740_993), Some(9_007_199_254_740_992), None];
    assert_eq!(column(Arc::new(Int64Array::from(ids))), text(&["9007199254740993", "9007199254740992", ""]));
    assert_eq!(column(Arc::new(UInt64Array::from(vec![u64::MAX]))), text(&["18446744073709551615"]));
    assert_eq!(column(Arc::new(Int64Array::from(vec![i64::MIN]))), text(&["-9223372036854775808"]));
    let digits =
        Decimal128Array::from(vec![1_234_567_890_123_456_789]).with_precision_and_scale(20, 2).unwrap();
    assert_eq!(column(Arc::new(digits)), text(&["12345678901234567.89"]));
}

#[test]
fn times_are_iso_text() {
    assert_eq!(column(Arc::new(Date32Array::from(vec![Some(18_292), None]))), text(&["2020-01-31", ""]));
    let seconds = 18_292 * 86_400 + 3_661;
    let naive = TimestampMillisecondArray::from(vec![seconds * 1_000 + 5]);
    assert_eq!(column(Arc::new(naive)), text(&["2020-01-31T01:01:01.005"]));
    for zone in ["UTC", "+00:00", "Europe/Berlin"] {
        let instant = TimestampMicrosecondArray::from(vec![seconds * 1_000_000]).with_timezone(zone);
        assert_eq!(column(Arc::new(instant)), text(&["2020-01-31T01:01:01Z"]), "{zone}");
    }
    let time = Time64MicrosecondArray::from(vec![3_661_000_000]);
    assert_eq!(column(Arc::new(time)), text(&["01:01:01"]));
}

#[test]
fn a_time_out_of_range_is_an_error_without_the_value() {
    let array: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX / 1000]));
    let message = read(&write(vec![("day", array)])).unwrap_err().to_string();
    assert!(message.contains("column 'day'") && !message.contains("9223372036854775"), "{message}");
}

#[test]
fn nested_and_binary_columns_are_refused_by_name() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
    let error = read(&write(vec![("path", Arc::new(list))])).unwrap_err().to_string();
    assert_eq!(error, "t.parquet, column 'path': expected text, numbers, dates or times, found List");
    let error = read(&write(vec![("raw", Arc::new(BinaryArray::from(vec![&b"x"[..]])))])).unwrap_err();
    assert!(matches!(error, Error::UnsupportedType { .. }));
}

#[test]
fn rows_have_numbers_not_lines_and_names_are_unique() {
    let array = || -> ArrayRef { Arc::new(Int32Array::from_iter_values(0..10_000)) };
    let table = read(&write(vec![("a", array()), ("b", array())])).unwrap();
    assert_eq!((table.rows, table.lines.len()), (10_000, 0));
    assert_eq!(table.place(9_999), "t.parquet, row 10000");
    assert_eq!(table.columns[1].cells.text(9_999), "9999");
    let twice = write(vec![("a", array()), ("a", array())]);
    assert!(matches!(read(&twice), Err(Error::DuplicateColumn { first: 1, second: 2, .. })));
}

#[test]
fn what_unpacks_past_the_budget_is_refused() {
    let long = "x".repeat(1 << 20);
    let coded: DictionaryArray<Int32Type> = std::iter::repeat_n(long.as_str(), 1000).collect();
    assert_eq!(coded.data_type(), &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)));
    let bytes = write(vec![("x", Arc::new(coded))]);
    assert!(bytes.len() < 4 << 20);
    let result = parse("t", &bytes, &mut Budget::new(64 << 20));
    assert!(matches!(result, Err(Error::TooLarge { .. })));
}

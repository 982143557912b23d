//! MEDS data sets made at random, of every type that a column may have: into a store, out again, and the
//! same to the bit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array, Int64Array,
    ListArray, RecordBatch, StringArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow::row::{RowConverter, SortField};
use chiasm_pipeline::Silent;
use chiasm_pipeline::evidence::{export, ingest, site::IngestSite, store};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Xorshift: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// A cell, or none.
    fn maybe<T>(&mut self, cell: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(4) > 0).then(|| cell(self))
    }

    fn text(&mut self) -> String {
        let words = [
            "",
            " ",
            "=",
            "=AA",
            "a",
            "NaN",
            "0",
            "{\"x\":1}",
            "\u{0}",
            "ä|b",
            "\u{1F600}\n",
            "null",
            "LOINC//1-8",
        ];
        let word = words[self.below(words.len() as u64) as usize];
        if self.below(3) == 0 { format!("{word}{}", self.next()) } else { word.to_owned() }
    }
}

const CODES: [&str; 9] = [
    "MEDS_BIRTH",
    "LOINC//2345-7",
    "LOINC/2345-7",
    "LOINC|2345-7",
    "LAB//1//mg/dL",
    "",
    "x|y|z",
    "ICD10CM//E11.9",
    "ä//b",
];

/// A column that MEDS does not name.
fn column(kind: u64, n: usize, dice: &mut Dice) -> ArrayRef {
    fn all<T>(n: usize, dice: &mut Dice, cell: impl Fn(&mut Dice) -> T) -> Vec<Option<T>> {
        (0..n).map(|_| dice.maybe(&cell)).collect()
    }
    match kind {
        0 => Arc::new(StringArray::from(all(n, dice, Dice::text))),
        1 => Arc::new(Int64Array::from(all(n, dice, |d| d.next() as i64))),
        2 => Arc::new(Float64Array::from(all(n, dice, |d| f64::from_bits(d.next())))),
        3 => Arc::new(BooleanArray::from(all(n, dice, |d| d.below(2) == 0))),
        4 => Arc::new(Date32Array::from(all(n, dice, |d| d.next() as i32))),
        5 => Arc::new(TimestampNanosecondArray::from(all(n, dice, |d| d.next() as i64)).with_timezone("UTC")),
        6 => {
            let cells = all(n, dice, |d| d.next().to_le_bytes().to_vec());
            Arc::new(BinaryArray::from_iter(cells))
        }
        7 => {
            let lists =
                all(n, dice, |d| (0..d.below(3)).map(|_| d.maybe(|d| d.next() as i32)).collect::<Vec<_>>());
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))
        }
        8 => Arc::new(Int8Array::from(all(n, dice, |d| d.next() as i8))),
        _ => Arc::new(Float32Array::from(all(n, dice, |d| f32::from_bits(d.next() as u32)))),
    }
}

fn write(path: &Path, batch: &RecordBatch) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// A set below `root`, of some shards with the same columns.
fn make(root: &Path, seed: u64) {
    let mut dice = Dice(seed);
    dice.next();
    let kinds: Vec<u64> = (0..dice.below(6)).map(|_| dice.below(10)).collect();
    let (value, text) = (dice.below(5) > 0, dice.below(5) > 0);
    for shard in 0..1 + dice.below(3) {
        let mut rows: Vec<(i64, Option<i64>)> = Vec::new();
        for subject in 0..dice.below(6) {
            let subject = (subject as i64 - 2) * 1_000_003 + shard as i64;
            let mut times: Vec<Option<i64>> = (0..dice.below(400))
                .map(|_| dice.maybe(|d| d.below(40) as i64 * 86_400_000_000 - 1_000_000_000_000))
                .collect();
            times.sort_unstable();
            rows.extend(times.into_iter().map(|t| (subject, t)));
        }
        let n = rows.len();
        let code = |dice: &mut Dice| CODES[dice.below(CODES.len() as u64) as usize];
        let mut fields = vec![
            Field::new("subject_id", DataType::Int64, false),
            Field::new("time", DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None), true),
            Field::new("code", DataType::Utf8, false),
        ];
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.0))),
            Arc::new(rows.iter().map(|r| r.1).collect::<TimestampMicrosecondArray>()),
            Arc::new(StringArray::from_iter_values((0..n).map(|_| code(&mut dice)))),
        ];
        if value {
            fields.push(Field::new("numeric_value", DataType::Float32, true));
            arrays.push(column(9, n, &mut dice));
        }
        if text {
            fields.push(Field::new("text_value", DataType::LargeUtf8, true));
            arrays.push(cast(&column(0, n, &mut dice), &DataType::LargeUtf8).unwrap());
        }
        for (i, kind) in kinds.iter().enumerate() {
            let array = column(*kind, n, &mut dice);
            let name = ["unit", "modality", "code2", "meds", "value_as_sent", "set"][i].to_owned();
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
        write(&root.join(format!("data/part{}/{shard}.parquet", shard % 2)), &batch);
    }
    fs::create_dir_all(root.join("metadata")).unwrap();
    fs::write(root.join("metadata/dataset.json"), format!("{{\"dataset_name\": \"set {seed}\"}}")).unwrap();
}

fn shards(root: &Path) -> BTreeMap<PathBuf, RecordBatch> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.join("data")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
            let schema = reader.schema().clone();
            let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
            let all = concat_batches(&schema, &batches).unwrap();
            found.insert(path.strip_prefix(root).unwrap().to_owned(), all);
        }
    }
    found.retain(|_, batch| batch.num_rows() > 0);
    found
}

/// Each subject's rows in order, to the bit.
fn by_subject(batch: &RecordBatch, columns: &[String]) -> BTreeMap<i64, Vec<Vec<u8>>> {
    let arrays: Vec<ArrayRef> = columns
        .iter()
        .map(|name| batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}")).clone())
        .collect();
    let fields = arrays.iter().map(|a| SortField::new(a.data_type().clone())).collect();
    let rows = RowConverter::new(fields).unwrap().convert_columns(&arrays).unwrap();
    let subjects: &Int64Array = batch.column(0).as_any().downcast_ref().unwrap();
    let mut found: BTreeMap<i64, Vec<Vec<u8>>> = BTreeMap::new();
    for (i, subject) in subjects.iter().enumerate() {
        found.entry(subject.unwrap()).or_default().push(rows.row(i).data().to_vec());
    }
    found
}

#[test]
fn a_set_comes_out_as_it_went_in_whatever_its_columns() {
    // A site that changes codes, units and values: what comes out is what was sent all the same.
    let site = "name = \"s\"\n[ingest]\nzone = \"Asia/Kathmandu\"\n[ingest.codes]\n\"LOINC|2345-7\" = \"X|1\"\n\"x|y|z\" = \"LOINC|2345-7\"\n";
    let mut rows = 0;
    for seed in 1..=24 {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("set");
        make(&set, seed * 0x9E37_79B9_7F4A_7C15);
        let site = IngestSite::parse(site, "site").unwrap();
        let mut there = store::create(&folder.path().join("store"), [7; 32]).unwrap();
        let done = ingest::ingest(std::slice::from_ref(&set), &site, &mut there, &Silent).unwrap();
        assert_eq!(done.totals.rejected, 0, "seed {seed}");
        let out = folder.path().join("out");
        let exported = export::meds(&there, &out, None, &Silent).unwrap();
        let (before, after) = (shards(&set), shards(&out));
        assert!(before.keys().eq(after.keys()), "seed {seed}: {:?} {:?}", before.keys(), after.keys());
        for (name, batch) in &before {
            let columns: Vec<String> = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
            for field in batch.schema().fields() {
                let same = after[name].schema().field_with_name(field.name()).unwrap().data_type().clone();
                assert_eq!(&same, field.data_type(), "seed {seed}: {}", field.name());
            }
            let (mine, theirs) = (by_subject(batch, &columns), by_subject(&after[name], &columns));
            assert!(mine == theirs, "seed {seed}, {}: rows differ", name.display());
            rows += batch.num_rows() as u64;
        }
        assert_eq!(exported.events, before.values().map(|b| b.num_rows() as u64).sum::<u64>());
        let told = fs::read_to_string(out.join("metadata/dataset.json")).unwrap();
        assert!(told.contains(&format!("set {}", seed * 0x9E37_79B9_7F4A_7C15)), "{told}");
    }
    assert!(rows > 10_000, "{rows}");
}

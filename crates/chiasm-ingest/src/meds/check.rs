use super::place::Place;
use super::schema::{File, NAMED};
use super::{BATCH, VERSION};
use crate::Error;
use crate::columnar::{Columnar, MAGIC, cast, kind};
use crate::feed::{Checked, Severity, Source};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use std::collections::HashSet;

/// Bytes of `dataset.json`.
const DATASET: u64 = 1 << 20;
/// Subjects and codes that are told apart; beyond that, repetitions are not looked for.
const TOLD_APART: usize = 4_000_000;

/// Says what a file of a MEDS data set holds, and which rules it breaks.
///
/// # Errors
/// [`Error::Damaged`] where it cannot be read to its end, [`Error::UnsupportedType`] where it is no file of MEDS.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut checked = Checked::new("MEDS", Some(VERSION.to_owned()));
    if !source.head(MAGIC.len())?.starts_with(MAGIC) {
        dataset(source, &mut checked)?;
        return Ok(checked);
    }
    let mut file = Columnar::open(source, BATCH)?;
    let what = File::of(&source.origin, &file)?;
    let name = match what {
        File::Data => "data",
        File::Codes => "codes",
        File::Splits => "subject splits",
    };
    checked.content("file", name);
    checked.content("rows", file.rows);
    checked.content("row groups", file.groups);
    columns(what, &file, &mut checked);
    let codes = if what == File::Data { codes_beside(source) } else { None };
    let mut seen = Seen { codes, ..Seen::default() };
    while let Some(batch) = file.next()? {
        match what {
            File::Data => seen.data(&batch),
            File::Codes => seen.keys(&batch, "code"),
            File::Splits => seen.keys(&batch, "subject_id"),
        }
    }
    seen.tell(what, &mut checked);
    Ok(checked)
}

/// The exact types that the standard demands.
fn columns(what: File, file: &Columnar, checked: &mut Checked) {
    let text = |k: &DataType| matches!(k, DataType::Utf8 | DataType::LargeUtf8);
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let mut extra = Vec::new();
    for field in file.schema.fields() {
        let found = field.data_type();
        let (fits, expected) = match (what, field.name().as_str()) {
            (File::Data | File::Splits, "subject_id") => (*found == DataType::Int64, "int64"),
            (File::Data, "time") => (*found == micros, "timestamp[us] without a zone"),
            (File::Data, "numeric_value") => (*found == DataType::Float32, "float32"),
            (File::Data, "code" | "text_value") | (File::Splits, "split") => (text(found), "text"),
            (File::Codes, "code" | "description") => (text(found), "text"),
            (File::Codes, "parent_codes") => {
                let list = matches!(found, DataType::List(f) | DataType::LargeList(f) if text(f.data_type()));
                (list, "lists of text")
            }
            (File::Splits, _) => (false, "no column beside subject_id and split"),
            _ => {
                extra.push(field.name().as_str());
                continue;
            }
        };
        if !fits {
            let (place, found) = (format!("column '{}'", field.name()), kind(found));
            checked.fault(Severity::Error, "meds.type", place, format!("expected {expected}, found {found}"));
        }
    }
    if what == File::Data {
        for name in NAMED.iter().filter(|n| file.schema.column_with_name(n).is_none()) {
            checked.fault(
                Severity::Information,
                "meds.column",
                "",
                format!("no column '{name}', which may be absent"),
            );
        }
    }
    if what == File::Codes {
        for name in
            ["description", "parent_codes"].iter().filter(|n| file.schema.column_with_name(n).is_none())
        {
            checked.fault(Severity::Warning, "meds.column", "", format!("expected a column '{name}'"));
        }
    }
    checked.content("other columns", if extra.is_empty() { "none".to_owned() } else { extra.join(", ") });
}

/// What is found in the rows.
#[derive(Default)]
struct Seen {
    row: u64,
    codes: Option<HashSet<String>>,
    found: HashSet<String>,
    unknown: u64,
    null_subjects: u64,
    null_codes: u64,
    unsorted: (u64, u64),
    scattered: (u64, u64),
    repeated: (u64, u64),
    subjects: HashSet<i64>,
    keys: HashSet<String>,
    last: Option<(i64, Option<i64>)>,
}

/// Counts, and remembers the first.
fn count(of: &mut (u64, u64), row: u64) {
    if of.0 == 0 {
        of.1 = row;
    }
    of.0 += 1;
}

impl Seen {
    fn data(&mut self, batch: &RecordBatch) {
        let column = |name: &str, to: &DataType| batch.column_by_name(name).and_then(|c| cast(c, to));
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        let (Some(subjects), Some(times), Some(codes)) = (
            column("subject_id", &DataType::Int64),
            column("time", &micros),
            column("code", &DataType::Utf8View),
        ) else {
            return;
        };
        let (subjects, times, codes) = (
            subjects.as_primitive::<Int64Type>(),
            times.as_primitive::<TimestampMicrosecondType>(),
            codes.as_string_view(),
        );
        for i in 0..batch.num_rows() {
            let row = self.row;
            self.row += 1;
            if codes.is_null(i) {
                self.null_codes += 1;
            } else {
                let code = codes.value(i);
                if self.codes.as_ref().is_some_and(|known| !known.contains(code)) {
                    self.unknown += 1;
                }
                if self.found.len() < TOLD_APART && !self.found.contains(code) {
                    self.found.insert(code.to_owned());
                }
            }
            if subjects.is_null(i) {
                self.null_subjects += 1;
                continue;
            }
            let (subject, time) = (subjects.value(i), times.is_valid(i).then(|| times.value(i)));
            if let Some((_, before)) = self.last.filter(|(last, _)| *last == subject) {
                if before > time {
                    count(&mut self.unsorted, row);
                }
            } else if self.subjects.contains(&subject) {
                count(&mut self.scattered, row);
            } else if self.subjects.len() < TOLD_APART {
                self.subjects.insert(subject);
            }
            self.last = Some((subject, time));
        }
    }

    fn keys(&mut self, batch: &RecordBatch, name: &str) {
        let column = batch.column_by_name(name).and_then(|c| cast(c, &DataType::Utf8View));
        let Some(column) = column else { return };
        for key in column.as_string_view() {
            let row = self.row;
            self.row += 1;
            match key {
                None => self.null_codes += 1,
                Some(key) if self.keys.contains(key) => count(&mut self.repeated, row),
                Some(key) if self.keys.len() < TOLD_APART => {
                    self.keys.insert(key.to_owned());
                }
                Some(_) => {}
            }
        }
    }

    fn tell(self, what: File, checked: &mut Checked) {
        let mut rule = |n: u64, first: Option<u64>, severity, rule: &str, message: &str| {
            if n > 0 {
                let place = first.map_or_else(String::new, |row| format!("row {row}"));
                checked.fault(severity, rule, place, format!("{message} ({n} rows)"));
            }
        };
        let (error, warning) = (Severity::Error, Severity::Warning);
        if what == File::Data {
            rule(
                self.null_subjects,
                None,
                error,
                "meds.subject_id",
                "expected a subject's number, found none",
            );
            rule(self.null_codes, None, error, "meds.code", "expected a code, found none");
            let message = "expected the rows of a subject in the order of time, those without one first";
            rule(self.unsorted.0, Some(self.unsorted.1), error, "meds.sorted", message);
            let message = "expected the rows of a subject one after the other";
            rule(self.scattered.0, Some(self.scattered.1), error, "meds.contiguous", message);
            let message = "expected codes that metadata/codes.parquet has, found others";
            rule(self.unknown, None, warning, "meds.codes", message);
            checked.content("subjects", self.subjects.len());
            checked.content("codes", self.found.len());
            return;
        }
        rule(self.null_codes, None, error, "meds.key", "expected a key, found none");
        let message = "expected each key once, found one again";
        rule(self.repeated.0, Some(self.repeated.1), error, "meds.key", message);
    }
}

/// The codes of the set's `codes.parquet`, where it lies where it should.
fn codes_beside(source: &Source) -> Option<HashSet<String>> {
    let file = Place::root(source)?.join("metadata").join("codes.parquet");
    let mut file = Columnar::open(&Source::file(&file), BATCH).ok()?;
    let mut codes = HashSet::new();
    while let Some(batch) = file.next().ok()? {
        let column = batch.column_by_name("code").and_then(|c| cast(c, &DataType::Utf8View))?;
        codes.extend(column.as_string_view().iter().flatten().map(str::to_owned));
        if codes.len() > TOLD_APART {
            return None;
        }
    }
    Some(codes)
}

/// The keys of `dataset.json` that the standard names: texts, and lists of columns.
const TEXTS: [&str; 9] = [
    "dataset_name",
    "dataset_version",
    "etl_name",
    "etl_version",
    "meds_version",
    "created_at",
    "license",
    "location_uri",
    "description_uri",
];
const LISTS: [&str; 5] = [
    "raw_source_id_columns",
    "code_modifier_columns",
    "additional_value_modality_columns",
    "site_id_columns",
    "other_extension_columns",
];

fn dataset(source: &Source, checked: &mut Checked) -> Result<(), Error> {
    let json = valid_dataset(source)?;
    checked.content("file", "dataset.json");
    for (key, value) in &json {
        let fits = match key.as_str() {
            key if TEXTS.contains(&key) => value.is_string() || value.is_null(),
            key if LISTS.contains(&key) => {
                value.is_null()
                    || value.as_array().is_some_and(|l| l.iter().all(serde_json::Value::is_string))
            }
            _ => {
                checked.fault(Severity::Warning, "meds.dataset.key", key, "expected a key of the standard");
                continue;
            }
        };
        if !fits {
            let message = "expected text, or a list of columns' names";
            checked.fault(Severity::Error, "meds.dataset.value", key, message);
        }
    }
    for key in ["dataset_name", "dataset_version", "etl_name", "etl_version", "meds_version"] {
        if let Some(text) = json.get(key).and_then(serde_json::Value::as_str) {
            checked.content(key, text);
        }
    }
    Ok(())
}

/// The object in `dataset.json`.
///
/// # Errors
/// [`Error::Damaged`] where it is none.
pub(super) fn valid_dataset(source: &Source) -> Result<serde_json::Map<String, serde_json::Value>, Error> {
    serde_json::from_slice(&source.bytes(DATASET)?).map_err(|e| Error::Damaged {
        place: source.origin.clone(),
        expected: "a JSON object",
        found: format!("other text at line {}, column {}", e.line(), e.column()),
    })
}

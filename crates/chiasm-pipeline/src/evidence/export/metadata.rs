//! What is said of the whole set: `codes.parquet`, `subject_splits.parquet`, `dataset.json`.

use super::columns::{Layout, Own};
use super::numbers::Numbers;
use super::shards::{unwritten, writer};
use super::survey::Survey;
use crate::Error;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, new_null_array,
};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use chiasm_ingest::meds;
use chiasm_record::AssetId;
use chiasm_store::Store;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Writes `codes.parquet`: the codes of the sets as they came, then every other code of a row; says how many.
///
/// # Errors
/// Where a set's own file cannot be read, or the new one not be written.
pub(super) fn codes(store: &Store, survey: &Survey, folder: &Path) -> Result<usize, Error> {
    let mut fields = vec![
        Field::new("code", DataType::Utf8, false),
        Field::new("description", DataType::Utf8, true),
        Field::new("parent_codes", DataType::new_list(DataType::Utf8, true), true),
    ];
    let mut batches = Vec::new();
    for (_, asset) in survey.newest("codes.parquet") {
        let bytes = store.asset(&asset)?;
        for field in meds::parquet_schema("codes.parquet", bytes.clone())?.fields() {
            if !fields.iter().any(|f| f.name() == field.name()) {
                fields.push(Field::new(field.name(), field.data_type().clone(), true));
            }
        }
        batches.extend(meds::parquet_rows("codes.parquet", bytes)?);
    }
    let schema = Arc::new(Schema::new(fields));
    let (path, mut writer) = open(folder, "codes.parquet", &schema)?;
    let mut there: HashSet<String> = HashSet::new();
    for batch in batches {
        let batch = as_schema(&batch, &schema)?;
        let column = batch.column(0).as_string::<i32>();
        // Of two sets that say something of one code, the first counts.
        let new: BooleanArray =
            column.iter().map(|c| Some(c.is_some_and(|c| there.insert(c.to_owned())))).collect();
        let batch = filter_record_batch(&batch, &new).map_err(shown)?;
        writer.write(&batch).map_err(|e| unwritten(&path, e))?;
    }
    let more: Vec<(&String, &Option<String>)> =
        survey.codes.iter().filter(|(code, _)| !there.contains(*code)).collect();
    for rows in more.chunks(1 << 16) {
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(code, _)| code.as_str()))),
            Arc::new(rows.iter().map(|(_, words)| words.as_deref()).collect::<StringArray>()),
        ];
        arrays.extend(schema.fields().iter().skip(2).map(|f| new_null_array(f.data_type(), rows.len())));
        let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(shown)?;
        writer.write(&batch).map_err(|e| unwritten(&path, e))?;
    }
    writer.close().map_err(|e| unwritten(&path, e))?;
    Ok(there.len() + more.len())
}

/// A batch with the columns of another schema: what it does not have is missing.
fn as_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Error> {
    let array = |field: &Arc<Field>| match batch.column_by_name(field.name()) {
        Some(array) => cast(array, field.data_type())
            .unwrap_or_else(|_| new_null_array(field.data_type(), batch.num_rows())),
        None => new_null_array(field.data_type(), batch.num_rows()),
    };
    // A row without a code is no row: it goes before the column says that there is none.
    let arrays: Vec<ArrayRef> = schema.fields().iter().map(array).collect();
    let valid: BooleanArray = (0..batch.num_rows()).map(|i| Some(arrays[0].is_valid(i))).collect();
    let loose = Schema::new(
        schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect::<Vec<_>>(),
    );
    let all = RecordBatch::try_new(Arc::new(loose), arrays).map_err(shown)?;
    let kept = filter_record_batch(&all, &valid).map_err(shown)?;
    RecordBatch::try_new(schema.clone(), kept.columns().to_vec()).map_err(shown)
}

/// Writes `subject_splits.parquet` where a set has one: each subject under its number, the first word counts.
///
/// # Errors
/// As [`codes`].
pub(super) fn splits(store: &Store, survey: &Survey, numbers: &Numbers, folder: &Path) -> Result<(), Error> {
    let files = survey.newest("subject_splits.parquet");
    if files.is_empty() {
        return Ok(());
    }
    let schema = Arc::new(Schema::new(vec![
        Field::new("subject_id", DataType::Int64, false),
        Field::new("split", DataType::Utf8, false),
    ]));
    let (mut subjects, mut names, mut told) = (Vec::new(), Vec::new(), HashSet::new());
    for (set, asset) in files {
        for batch in meds::parquet_rows("subject_splits.parquet", store.asset(&asset)?)? {
            let column = |name: &str, to: &DataType| {
                batch.column_by_name(name).and_then(|c| cast(c, to).ok()).ok_or_else(|| {
                    shown(arrow::error::ArrowError::SchemaError(format!("no column '{name}'")))
                })
            };
            let (ids, texts) = (column("subject_id", &DataType::Int64)?, column("split", &DataType::Utf8)?);
            for (id, text) in ids.as_primitive::<Int64Type>().iter().zip(texts.as_string::<i32>()) {
                let (Some(id), Some(text)) = (id, text) else { continue };
                if let Some(number) = numbers.outside(set, id).filter(|n| told.insert(*n)) {
                    subjects.push(number);
                    names.push(text.to_owned());
                }
            }
        }
    }
    let arrays: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(subjects)), Arc::new(StringArray::from(names))];
    let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(shown)?;
    let (path, mut writer) = open(folder, "subject_splits.parquet", &schema)?;
    writer.write(&batch).and_then(|()| writer.close().map(|_| ())).map_err(|e| unwritten(&path, e))
}

/// Writes `dataset.json`: that of the one set that everything came from, or a new one.
///
/// # Errors
/// As [`codes`].
pub(super) fn dataset(
    store: &Store,
    survey: &Survey,
    layout: &Layout,
    name: Option<&str>,
    folder: &Path,
) -> Result<(), Error> {
    let path = folder.join("metadata").join("dataset.json");
    let fault = |source| Error::Write { path: path.clone(), source };
    let said = survey.newest("dataset.json");
    let said: Vec<Said> = said.iter().map(|(_, asset)| Said::of(store, asset)).collect::<Result<_, _>>()?;
    if let (true, None, [one]) = (survey.is_one_set(), name, &said[..]) {
        return fs::write(&path, &one.bytes).map_err(fault);
    }
    let mut all = Map::new();
    let known: Vec<&str> = said.iter().filter_map(|s| s.json.get("dataset_name")?.as_str()).collect();
    let parts = known.into_iter().chain(survey.others.iter().map(String::as_str));
    let joined = parts.collect::<Vec<_>>().join(" + ");
    let given = name.map(str::to_owned).unwrap_or(joined);
    if !given.is_empty() {
        all.insert("dataset_name".to_owned(), json!(given));
    }
    let versions: Vec<&Value> = said.iter().filter_map(|s| s.json.get("dataset_version")).collect();
    if let ([version], true) = (&versions[..], survey.is_one_set()) {
        all.insert("dataset_version".to_owned(), (*version).clone());
    }
    all.insert("etl_name".to_owned(), json!("chiasm"));
    all.insert("etl_version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    all.insert("meds_version".to_owned(), json!(meds::VERSION));
    // Which of the further columns are what, by the sets' own word and the store's.
    for (key, own) in [
        ("raw_source_id_columns", &[Own::Encounter][..]),
        ("code_modifier_columns", &[Own::Unit]),
        ("additional_value_modality_columns", &[]),
        ("site_id_columns", &[Own::Source]),
        ("other_extension_columns", &[Own::Modality, Own::Known]),
    ] {
        let mut names: Vec<String> = Vec::new();
        for list in said.iter().filter_map(|s| s.json.get(key)?.as_array()) {
            names.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        let added = layout.extras.iter().filter(|e| e.own.is_some_and(|o| own.contains(&o)));
        names.extend(added.map(|e| e.name.clone()));
        let mut seen = HashSet::new();
        names.retain(|n| seen.insert(n.clone()));
        if !names.is_empty() {
            all.insert(key.to_owned(), json!(names));
        }
    }
    let mut text = serde_json::to_string_pretty(&all).map_err(Error::json("dataset.json"))?;
    text.push('\n');
    fs::write(&path, text).map_err(fault)
}

/// A set's own `dataset.json`.
struct Said {
    bytes: Vec<u8>,
    json: Value,
}

impl Said {
    fn of(store: &Store, asset: &AssetId) -> Result<Self, Error> {
        let bytes = store.asset(asset)?.to_vec();
        let json = serde_json::from_slice(&bytes).map_err(Error::json("dataset.json"))?;
        Ok(Self { bytes, json })
    }
}

fn open(
    folder: &Path,
    name: &str,
    schema: &SchemaRef,
) -> Result<(PathBuf, parquet::arrow::ArrowWriter<File>), Error> {
    let path = folder.join("metadata").join(name);
    let fault = |source| Error::Write { path: path.clone(), source };
    fs::create_dir_all(folder.join("metadata")).map_err(fault)?;
    let writer = writer(File::create(&path).map_err(fault)?, schema, &path)?;
    Ok((path, writer))
}

fn shown(source: arrow::error::ArrowError) -> Error {
    Error::Store(chiasm_store::Error::Rows { place: "the export".to_owned(), source: source.into() })
}

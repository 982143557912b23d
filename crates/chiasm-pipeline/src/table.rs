//! Held-out predictions as a table that any tool reads.

use crate::fold::FoldResult;
use crate::{Error, folder};
use arrow::array::{ArrayRef, Float64Array, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use chiasm_cohort::Examples;
use chiasm_record::SubjectId;
use parquet::arrow::ArrowWriter;
use std::path::Path;
use std::sync::Arc;

/// Repeat, fold, row of the examples, the fold's result, and the row's number in it.
type Held<'a> = (usize, usize, usize, &'a FoldResult, usize);

/// Writes `predictions.parquet`: one row per repeat and subject with the fold that held it out, what it
/// has, the answer of every modality alone and of every fusion (`NAME`, or `NAME_OUTPUT` with several
/// outputs), and the answer of the fusion that the fold chose (`nested`) with its interval.
///
/// # Errors
/// [`Error::Write`].
pub fn write_predictions(
    path: &Path,
    examples: &Examples,
    results: &[Vec<FoldResult>],
    names: &[String],
) -> Result<(), Error> {
    let broken = |message: String| Error::Broken { path: path.to_path_buf(), message };
    let modalities = examples.modalities();
    let outputs = &examples.task().outputs;
    let mut rows: Vec<Held<'_>> = Vec::new();
    for (repeat, folds) in results.iter().enumerate() {
        for (fold, result) in folds.iter().enumerate() {
            rows.extend(result.rows.iter().enumerate().map(|(i, &row)| (repeat, fold, row, result, i)));
        }
    }
    rows.sort_by_key(|&(repeat, _, row, ..)| (repeat, row));

    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut add = |name: String, kind: DataType, column: ArrayRef| {
        fields.push(Field::new(name, kind, true));
        columns.push(column);
    };
    let text = |of: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|r| of(r.2))))
    };
    let count = |of: &dyn Fn(&Held<'_>) -> usize| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| of(r) as i32)))
    };
    add(
        "subject".into(),
        DataType::Utf8,
        text(&|row| examples.subjects().get(row).map(SubjectId::to_string).unwrap_or_default()),
    );
    add("repeat".into(), DataType::Int32, count(&|r| r.0 + 1));
    add("fold".into(), DataType::Int32, count(&|r| r.1 + 1));
    add("present".into(), DataType::Utf8, text(&|row| examples.availability(row).label(&modalities)));
    let named = |name: &str, k: usize| {
        if outputs.len() == 1 { name.to_owned() } else { format!("{name}_{}", outputs[k]) }
    };
    for k in 0..outputs.len() {
        for (model, name) in names.iter().enumerate() {
            let values =
                rows.iter().map(|&(_, _, _, fold, i)| fold.models[model].answer[i].as_ref().map(|a| a[k]));
            add(named(name, k), DataType::Float64, Arc::new(Float64Array::from_iter(values)));
        }
        let nested = rows.iter().map(|&(_, _, _, fold, i)| {
            fold.models[fold.singles + fold.fusion].answer[i].as_ref().map(|a| a[k])
        });
        add(named("nested", k), DataType::Float64, Arc::new(Float64Array::from_iter(nested)));
        let low = rows.iter().map(|&(_, _, _, fold, i)| fold.interval[i].get(k).and_then(|b| b.0));
        add(named("low", k), DataType::Float64, Arc::new(Float64Array::from_iter(low)));
        let high = rows.iter().map(|&(_, _, _, fold, i)| fold.interval[i].get(k).and_then(|b| b.1));
        add(named("high", k), DataType::Float64, Arc::new(Float64Array::from_iter(high)));
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|e| broken(e.to_string()))?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, None).map_err(|e| broken(e.to_string()))?;
    writer.write(&batch).map_err(|e| broken(e.to_string()))?;
    writer.close().map_err(|e| broken(e.to_string()))?;
    folder::write_whole(path, &bytes)
}

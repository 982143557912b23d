use super::survey::Survey;
use crate::Error;
use arrow::array::{
    ArrayRef, Float32Array, Int64Array, LargeStringArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chiasm_ingest::meds::{self, restored};
use chiasm_record::Moment;
use chiasm_store::{EventRow, Store};
use jiff::Timestamp;
use std::sync::Arc;

/// The columns of every shard.
pub(super) struct Layout {
    pub schema: SchemaRef,
    pub extras: Vec<Extra>,
}

/// A column that MEDS does not name.
pub(super) struct Extra {
    pub name: String,
    /// Where a MEDS row keeps its cell.
    attribute: String,
    kind: DataType,
    /// What an event of another source says there.
    pub own: Option<Own>,
}

/// What the store says of an event beside what MEDS has columns for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Unit,
    Modality,
    Known,
    Encounter,
    Source,
}

impl Own {
    /// All of them with the names of their columns.
    const ALL: [(Self, &'static str); 5] = [
        (Self::Unit, "unit"),
        (Self::Modality, "modality"),
        (Self::Known, "known_time"),
        (Self::Encounter, "encounter"),
        (Self::Source, "source"),
    ];

    fn kind(self) -> DataType {
        match self {
            Self::Known => DataType::Timestamp(TimeUnit::Microsecond, None),
            _ => DataType::Utf8,
        }
    }

    fn cell(self, row: &EventRow) -> Option<String> {
        match self {
            Self::Unit => row.event.unit.clone(),
            Self::Modality => Some(row.event.modality.as_str().to_owned()),
            Self::Known => {
                let (at, _) = row.event.times.usable_from()?;
                let text = Timestamp::from_microsecond(at).ok()?.to_string();
                Some(text.trim_end_matches('Z').to_owned())
            }
            Self::Encounter => row.event.encounter.clone(),
            Self::Source => Some(row.source.clone()),
        }
    }
}

impl Layout {
    /// The columns of all sets in the order in which they came, and those of the store itself where there are events of
    /// other sources. A column that has two types in two shards is text.
    ///
    /// # Errors
    /// Where a shard's schema cannot be read.
    pub fn of(store: &Store, survey: &Survey) -> Result<Self, Error> {
        let mut extras: Vec<Extra> = Vec::new();
        for asset in &survey.schemas {
            let schema = meds::parquet_schema("a shard's schema", store.asset(asset)?)?;
            for field in schema.fields() {
                let (name, kind) = (field.name(), field.data_type());
                if base().iter().any(|f| f.name() == name) {
                    continue;
                }
                match extras.iter_mut().find(|e| e.name == *name) {
                    Some(there) if there.kind == *kind => {}
                    Some(there) => there.kind = DataType::Utf8,
                    None => extras.push(Extra {
                        attribute: format!("meds.{name}"),
                        name: name.clone(),
                        kind: kind.clone(),
                        own: None,
                    }),
                }
            }
        }
        for (own, name) in Own::ALL.into_iter().filter(|_| !survey.others.is_empty()) {
            match extras.iter_mut().find(|e| e.name == name) {
                Some(there) => {
                    let text = matches!(there.kind, DataType::Utf8 | DataType::LargeUtf8);
                    let fits = if own == Own::Known { there.kind == own.kind() } else { text };
                    there.own = fits.then_some(own);
                }
                None => extras.push(Extra {
                    attribute: format!("meds.{name}"),
                    name: name.to_owned(),
                    kind: own.kind(),
                    own: Some(own),
                }),
            }
        }
        let mut fields = base();
        fields.extend(extras.iter().map(|e| Field::new(&e.name, e.kind.clone(), true)));
        Ok(Self { schema: Arc::new(Schema::new(fields)), extras })
    }

    /// Rows of a shard, each with its subject's number.
    ///
    /// # Errors
    /// [`Error::Ingest`] where a cell cannot become what its column holds.
    pub fn batch(&self, rows: &[(i64, &EventRow)]) -> Result<RecordBatch, Error> {
        let meds: Vec<_> = rows.iter().map(|(_, row)| restored(&row.event)).collect();
        let both = || rows.iter().map(|(_, row)| *row).zip(&meds);
        let value = |(row, meds): (&EventRow, &Option<meds::Restored<'_>>)| match meds {
            Some(meds) => meds.value,
            None => row.event.value.map(|v| v as f32),
        };
        let time = |row: &EventRow| row.event.times.happened.map(Moment::start);
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|(number, _)| *number))),
            Arc::new(rows.iter().map(|(_, row)| time(row)).collect::<TimestampMicrosecondArray>()),
            Arc::new(StringArray::from_iter_values(
                both().map(|(row, meds)| meds.map_or(row.event.code.as_str(), |m| m.code)),
            )),
            Arc::new(both().map(value).collect::<Float32Array>()),
            Arc::new(rows.iter().map(|(_, row)| row.event.text.as_deref()).collect::<LargeStringArray>()),
        ];
        for extra in &self.extras {
            let own: Vec<Option<String>> = both()
                .map(|(row, meds)| extra.own.filter(|_| meds.is_none()).and_then(|own| own.cell(row)))
                .collect();
            let cells: Vec<Option<&str>> = both()
                .zip(&own)
                .map(|((row, meds), own)| match meds {
                    Some(_) => row.event.attribute(&extra.attribute),
                    None => own.as_deref(),
                })
                .collect();
            arrays.push(meds::from_text(&format!("column '{}'", extra.name), &cells, &extra.kind)?);
        }
        RecordBatch::try_new(self.schema.clone(), arrays).map_err(|e| {
            Error::Store(chiasm_store::Error::Rows { place: "the export".to_owned(), source: e.into() })
        })
    }
}

/// The columns that MEDS names.
fn base() -> Vec<Field> {
    vec![
        Field::new("subject_id", DataType::Int64, false),
        Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, None), true),
        Field::new("code", DataType::Utf8, false),
        Field::new("numeric_value", DataType::Float32, true),
        Field::new("text_value", DataType::LargeUtf8, true),
    ]
}

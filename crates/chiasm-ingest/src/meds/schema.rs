use crate::Error;
use crate::columnar::{Columnar, is_text};
use arrow::datatypes::DataType;

/// The Parquet files of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    /// `data/**/*.parquet`.
    Data,
    /// `metadata/codes.parquet`.
    Codes,
    /// `metadata/subject_splits.parquet`.
    Splits,
}

impl File {
    /// What a file is by its columns.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] where it is none, or a column that the reader needs has another type.
    pub fn of(origin: &str, file: &Columnar) -> Result<Self, Error> {
        let has = |name: &str| file.schema.column_with_name(name).is_some();
        let unknown = |found: &str| Error::UnsupportedType {
            place: origin.to_owned(),
            expected: "the columns of a MEDS file (subject_id, time, code; or code, description; or subject_id, split) \
                       or of an OMOP table under its name",
            found: found.to_owned(),
        };
        let kind = if has("subject_id") && has("time") && has("code") {
            Self::Data
        } else if has("subject_id") && has("split") {
            Self::Splits
        } else if has("subject_id") && has("prediction_time") {
            return Err(unknown("labels of a task, which are answers and not evidence"));
        } else if has("code")
            && !has("subject_id")
            && !has("time")
            && (has("description") || has("parent_codes"))
        {
            Self::Codes
        } else {
            return Err(unknown("other columns"));
        };
        for (name, fits, expected) in kind.types() {
            let Some((_, field)) = file.schema.column_with_name(name) else { continue };
            if !fits(field.data_type()) {
                return Err(Error::UnsupportedType {
                    place: format!("{origin}, column '{name}'"),
                    expected,
                    found: crate::columnar::kind(field.data_type()),
                });
            }
        }
        Ok(kind)
    }

    /// The types that can be read, which are a little more than the standard allows.
    fn types(self) -> &'static [Readable] {
        match self {
            Self::Data => &[
                ("subject_id", DataType::is_integer, "whole numbers"),
                ("time", is_time, "times without a zone, in microseconds"),
                ("code", is_text, "text"),
                ("numeric_value", is_number, "32-bit numbers"),
                ("text_value", is_text, "text"),
            ],
            Self::Codes => &[("code", is_text, "text")],
            Self::Splits => {
                &[("subject_id", DataType::is_integer, "whole numbers"), ("split", is_text, "text")]
            }
        }
    }
}

/// A column, whether a type can be read, and what can.
type Readable = (&'static str, fn(&DataType) -> bool, &'static str);

/// Seconds, milliseconds and microseconds come without loss; what is finer does not.
fn is_time(kind: &DataType) -> bool {
    use arrow::datatypes::TimeUnit;
    matches!(kind, DataType::Timestamp(unit, None) if *unit != TimeUnit::Nanosecond)
}

fn is_number(kind: &DataType) -> bool {
    matches!(kind, DataType::Float32 | DataType::Float16 | DataType::Float64)
}

/// The columns that MEDS names, in its order.
pub(super) const NAMED: [&str; 5] = ["subject_id", "time", "code", "numeric_value", "text_value"];

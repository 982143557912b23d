use chiasm_record::Scale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of evidence: either columns of tables or a bag of vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModalityBinding {
    /// What a person calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Columns, in the order of the features.
    #[serde(default)]
    pub columns: Vec<Columns>,
    /// Vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bag: Option<BagBinding>,
}

/// Columns of one table that are read alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// The table's name in the site.
    pub table: String,
    /// Column names, or patterns with `*`.
    pub names: Vec<String>,
    /// Columns that a pattern should not take: names or patterns.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// How to read them.
    pub kind: ColumnKind,
    /// UCUM unit of a numeric column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The plausible range of a numeric column, both ends included. A value outside is a Finding and
    /// is taken as missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// Numeric values beyond these ends are moved to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<[f64; 2]>,
    /// The codes of an ordered column, lowest first. Without it the codes are numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<String>>,
    /// The codes of a nominal column that are levels in any case. Other codes of the training data follow,
    /// sorted (a Finding where levels are declared).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<String>>,
    /// Marks that mean "missing" in these columns, beside the table's.
    #[serde(default)]
    pub missing: Vec<String>,
    /// The transformation before learning, fitted on training rows.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = ["linear", "log", "rank"]))]
    pub scale: Scale,
}

/// How a column is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// A quantity.
    Numeric,
    /// A code whose order means something.
    Ordered,
    /// A code without order.
    Nominal,
}

/// A bag of vectors: each slot (a stain, a view) has a table of vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BagBinding {
    /// The slots, in the order in which the run keeps them.
    pub slots: Vec<Slot>,
    /// How many tiles stand side by side in a vector. Fewer may stand centred between zeros.
    #[serde(default = "one")]
    pub tiles: usize,
}

/// One slot of a bag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The slot's name.
    pub name: String,
    /// The table of vectors.
    pub table: String,
}

fn one() -> usize {
    1
}

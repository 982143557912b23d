use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One file of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableBinding {
    /// The path below the data folder. `{parameter}` is filled in by the recipe; `archive.zip!/member`
    /// is a member of an archive.
    pub file: String,
    /// The key column, where it is another than the site's. `""` is a column without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Marks that mean "missing", where they are others than the site's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<String>>,
    /// Whether the file holds one vector per key (NPZ) instead of columns.
    #[serde(default)]
    pub vectors: bool,
    /// What several rows of one subject mean.
    #[serde(default)]
    pub repeats: Repeats,
    /// Columns that are known only after the index time: names, or patterns with `*`. They can never
    /// become inputs. (Columns that an outcome names are such by themselves.)
    #[serde(default)]
    pub outcome_columns: Vec<String>,
    /// For a long table: the table whose subjects were looked at, so that "no row" means 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub census: Option<String>,
    /// Columns worked out from a long table's rows, one value a subject.
    #[serde(default)]
    pub derive: Vec<Derived>,
}

/// What several rows of one subject mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeats {
    /// An error: one row a subject.
    #[default]
    Error,
    /// The rows must agree in every column that is used (slides of one patient).
    Identical,
    /// A long table, used through derived columns alone.
    Many,
}

/// A column worked out from the rows of a long table, one value a subject.
///
/// The rows that count are those that fit `among` and `where`. A subject without a row is missing,
/// unless the table's `census` lists it: then nothing was found there, and `count`, `any` and `sum` are 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// The column's name, used by modalities as if it stood in the table.
    pub name: String,
    /// What is worked out.
    pub op: Operation,
    /// The column that `sum`, `mean` and `max` work on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The rows that count: each column holds one of the texts (a text may hold `*`).
    #[serde(default, rename = "where")]
    pub filter: BTreeMap<String, Vec<String>>,
    /// The rows looked at in the first place: what a `share` is a share of.
    #[serde(default)]
    pub among: BTreeMap<String, Vec<String>>,
    /// `count` only: rows that agree in all these columns count once.
    #[serde(default)]
    pub distinct: Vec<String>,
}

/// What a derived column works out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// The number of rows that count.
    Count,
    /// 1 where a row counts, else 0.
    Any,
    /// The sum of a column over the rows that count.
    Sum,
    /// The mean of a column over the rows that count.
    Mean,
    /// The largest value of a column over the rows that count.
    Max,
    /// Rows that count, as a share of the rows `among` which they were looked for.
    Share,
}

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A partition of the subjects by one column: bands of a number, or names for codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubgroupBinding {
    /// The table's name in the site.
    pub table: String,
    /// The column.
    pub column: String,
    /// Where the bands of a number begin, ascending: `[50, 65]` makes "under 50", "50 to under 65" and
    /// "65 and over".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<f64>,
    /// What codes mean. Without labels and cuts, the codes themselves name the parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

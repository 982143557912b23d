use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Folds that the source gives: one file a fold, with the ids for training and for validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FoldsBinding {
    /// The path below the data folder; `{fold}` is the fold's number from 0.
    pub files: String,
    /// How many folds there are.
    pub count: usize,
    /// The column of training ids.
    pub train: String,
    /// The column of validation ids.
    pub validation: String,
}

use chiasm_record::{Feature, Modality, Task};
use serde::{Deserialize, Serialize};

/// What a run was trained on, kept with it: a later prediction reads its data by this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The site's name.
    pub site: String,
    /// The question, with what its outputs are called.
    pub task: Task,
    /// The modalities that there were, in recipe order.
    pub modalities: Vec<ModalitySchema>,
}

/// One modality as it was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModalitySchema {
    /// The modality.
    pub modality: Modality,
    /// What it holds.
    pub content: ContentSchema,
}

/// What a modality holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentSchema {
    /// Features, each from a column.
    Table(Vec<FeatureSchema>),
    /// Vectors from slots.
    Bag(BagSchema),
}

/// One feature and the column that it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureSchema {
    /// The table's name in the site.
    pub table: String,
    /// The column in that table.
    pub column: String,
    /// The feature, with the levels of a nominal one.
    pub feature: Feature,
    /// The codes of an ordered feature in their order; empty where the codes are numbers themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// The 5th and the 95th percentile of a numeric feature's training values; absent for other kinds and
    /// where few subjects have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle: Option<[f64; 2]>,
}

/// A bag of vectors as it was trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BagSchema {
    /// The slots' names.
    pub slots: Vec<String>,
    /// Values per vector (after cutting into tiles).
    pub width: usize,
}

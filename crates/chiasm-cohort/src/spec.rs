use chiasm_record::TaskKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a recipe asks of any site: modalities and a task, by name. No path, no code of one hospital.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CohortSpec {
    /// When the prediction is made, in words: nothing known only later may be an input.
    pub index_time: String,
    /// The kinds of evidence, in the order in which the run keeps them.
    pub modalities: Vec<Wanted>,
    /// The question.
    pub task: TaskSpec,
    /// The site's partitions that the report looks at separately.
    #[serde(default)]
    pub subgroups: Vec<String>,
    /// The name of folds that the source gives, where they are to be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<String>,
}

/// A modality that a recipe wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The modality's name, as the site knows it.
    pub name: String,
    /// Whether a subject without it is left out of training (and a source without it is an error).
    #[serde(default)]
    pub required: bool,
}

/// The question that a recipe asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// The kind of question.
    #[schemars(with = "String", extend("enum" = ["binary", "multi_class", "multi_label", "regression", "survival"]))]
    pub kind: TaskKind,
    /// The outcome's name, as the site knows it.
    pub outcome: String,
    /// For a binary question about an event with a time: does it happen within this many years?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon_years: Option<f64>,
}

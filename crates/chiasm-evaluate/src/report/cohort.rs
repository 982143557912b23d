use super::Measure;
use chiasm_record::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A modality and how many subjects have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModalityCount {
    /// The modality's name.
    pub name: String,
    /// Subjects who have it.
    pub n: usize,
}

/// One step from the files to the subjects evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowStep {
    /// What was done: `with a known outcome`.
    pub step: String,
    /// Subjects left after it.
    pub n: usize,
    /// Subjects left out by it.
    pub dropped: usize,
    /// Why they were left out, where any were.
    pub reason: Option<String>,
}

/// A doubt about the input: where, what, how often. Without ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFinding {
    /// Where: a file, table or column.
    pub place: String,
    /// What was seen, in one sentence.
    pub message: String,
    /// How many times.
    pub count: usize,
}

impl From<&Finding> for ReportFinding {
    fn from(finding: &Finding) -> Self {
        Self { place: finding.place.clone(), message: finding.message.clone(), count: finding.count }
    }
}

/// How the data were split and the models trained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Protocol {
    /// The method in words, a sentence each.
    pub words: Vec<String>,
    /// Outer folds; 0 where there is one fixed split.
    pub outer_folds: usize,
    /// Inner folds, in which settings and fusion are chosen.
    pub inner_folds: usize,
    /// Repeats of the cross-validation.
    pub repeats: usize,
    /// The seed that fixes every random choice.
    pub seed: u64,
}

/// The metrics in one part of the cohort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subgroup {
    /// What the cohort was divided by: `sex`.
    pub partition: String,
    /// The part: `female`.
    pub part: String,
    /// Subjects.
    pub n: usize,
    /// Subjects with the event.
    pub events: Option<usize>,
    /// As in [`super::ModelResult::metrics`], of the chosen fusion; empty where there are too few to judge.
    pub metrics: BTreeMap<String, Measure>,
}

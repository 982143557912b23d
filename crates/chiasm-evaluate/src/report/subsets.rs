use super::Measure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the chosen fusion does when it may look at these modalities only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubsetResult {
    /// The modalities shown, in recipe order. Never empty.
    pub modalities: Vec<String>,
    /// Subjects who have at least one of them.
    pub n: usize,
    /// The chosen fusion's value of the report's metric on those subjects.
    pub metric: Option<Measure>,
    /// The best single modality of this subset; `null` where no single could be judged.
    pub best_single: Option<String>,
    /// That modality's value of the metric on the same subjects.
    pub best_single_metric: Option<Measure>,
}

/// The subjects who have exactly these modalities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pattern {
    /// The modalities that these subjects have, in recipe order; empty for those who have none.
    pub modalities: Vec<String>,
    /// How many subjects.
    pub n: usize,
    /// How many of them had the event.
    pub events: Option<usize>,
    /// The chosen fusion's value of the report's metric; `null` where there are too few to judge.
    pub metric: Option<Measure>,
    /// Share of these subjects whose prediction set holds the truth.
    pub coverage: Option<f64>,
    /// Share of these subjects for whom the run gives no answer.
    pub abstention_rate: Option<f64>,
}

/// Whether the prediction sets hold what they promise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conformal {
    /// The share of subjects that the sets promise to cover, such as 0.9.
    pub confidence: f64,
    /// The share that they cover on untouched data.
    pub coverage: Measure,
    /// The share of subjects for whom the set is not a single answer, so that the run abstains.
    pub abstention_rate: Measure,
}

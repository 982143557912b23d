use crate::{Availability, SubjectId};
use serde::{Deserialize, Serialize};

/// A number with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The point estimate.
    pub estimate: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

/// Why there is no answer for a subject. A value, not an error; never a default score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Abstention {
    /// The subject has none of the run's modalities.
    NothingPresent,
    /// At the run's confidence the answer could be any of several.
    Uncertain,
}

impl std::fmt::Display for Abstention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NothingPresent => "at least one modality required",
            Self::Uncertain => "the evidence at hand does not separate the answers at the run's confidence",
        })
    }
}

/// How far one modality moved the prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModalityShare {
    /// Position in the recipe.
    pub modality: usize,
    /// Shapley value on the log-odds or log-risk.
    pub share: f64,
}

/// What a prediction rests on, on the scale of the log-odds or log-risk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// The answer for a subject of whom nothing is known: f(none).
    pub base: f64,
    /// Shapley values of the modalities present; they sum to f(all present) − f(none).
    pub shares: Vec<ModalityShare>,
    /// Pairwise Shapley interaction indices `(a, b, value)` with a < b.
    pub interactions: Vec<(usize, usize, f64)>,
    /// Standard error of the shares where they were sampled (more than 12 modalities), else `None`.
    pub sampling_error: Option<f64>,
}

/// One subject's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Whom it is about.
    pub subject: SubjectId,
    /// Which modalities it rests on.
    pub present: Availability,
    /// Per output of the task: probability, number, or log-risk relative to the training mean.
    pub value: Vec<f64>,
    /// Lower end per output.
    pub low: Vec<f64>,
    /// Upper end per output.
    pub high: Vec<f64>,
    /// Why there is no usable answer, if so.
    pub abstention: Option<Abstention>,
    /// Per output: what it rests on.
    pub attribution: Vec<Attribution>,
}

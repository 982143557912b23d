//! What a run predicted for subjects that the predicting model had not seen: all that evaluation knows.

use chiasm_record::{Attribution, Availability, Modality, Outcome, Task};

/// The held-out predictions of a repeated cross-validation, with the outcomes.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldOut {
    /// The question.
    pub task: Task,
    /// The answers, one a subject.
    pub outcome: Outcome,
    /// Years at which a survival question is answered; `None` for other questions.
    pub horizon: Option<f64>,
    /// Years at which survival curves are told, ascending; empty for other questions.
    pub times: Vec<f64>,
    /// The modalities, in recipe order; each has a single model of the same name.
    pub modalities: Vec<Modality>,
    /// Per subject: which modalities it has.
    pub availability: Vec<Availability>,
    /// Partitions for the subgroup part: name, and per subject its part, `None` where not known.
    pub subgroups: Vec<(String, Vec<Option<String>>)>,
    /// The fusions.
    pub fusions: Vec<FusionName>,
    /// The share of subjects whose prediction set shall hold the truth.
    pub confidence: f64,
    /// The repeats. Never empty.
    pub repeats: Vec<HeldOutRepeat>,
    /// The fusion that the final model (trained on all subjects) uses: index into `fusions`.
    pub selected: usize,
    /// The single modality that is best inside all subjects: index into `modalities`.
    pub best_single: usize,
}

/// A fusion as the report names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FusionName {
    /// The recipe's name for it.
    pub name: String,
    /// `stacked`, `concat`, `attention` or `cross_attention`.
    pub kind: String,
    /// Positions of the modalities that it can look at.
    pub modalities: Availability,
}

/// One repeat: every subject predicted once.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldOutRepeat {
    /// Per subject: the fold that held it out.
    pub fold: Vec<usize>,
    /// Per fold: what its training subjects chose.
    pub choices: Vec<FoldChoice>,
    /// Per modality: its single model. A subject without the modality has the base rate.
    pub singles: Vec<Scores>,
    /// Per fusion.
    pub fusions: Vec<Scores>,
    /// The fusion that each fold chose, looking only at each subset: a subject is scored on what it has
    /// of the subset, NaN where it has none of it. Includes the full set where the number of modalities
    /// allows; with many modalities not every subset is there.
    pub subsets: Vec<(Availability, Scores)>,
    /// Per subject, per output: the interval of the chosen fusion's answer. Empty for a subject without
    /// any modality.
    pub interval: Vec<Vec<(f64, f64)>>,
    /// Per subject: whether the run abstained.
    pub abstained: Vec<bool>,
    /// Per subject: whether the prediction set (or interval, for a regression) holds the truth; `None`
    /// where that cannot be known (censored before the horizon, nothing present).
    pub covered: Vec<Option<bool>>,
    /// Per subject: what the chosen fusion's answer rests on (first output), `None` with nothing present.
    pub attribution: Vec<Option<Attribution>>,
}

/// What one fold's training subjects chose.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldChoice {
    /// Index into the fusions.
    pub fusion: usize,
    /// Index into the modalities.
    pub single: usize,
    /// Inner loss of every single model, then of every fusion; smaller is better.
    pub losses: Vec<f64>,
    /// Thresholds on the answer of the chosen fusion, locked on the training subjects' out-of-fold
    /// answers: `(rule, threshold)`. Empty unless the task is binary.
    pub thresholds: Vec<(String, f64)>,
}

/// A model's predictions, `[subject][output]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Calibrated, on the link scale: log-odds, value, log-risk. NaN where nothing was seen (subsets only).
    pub link: Vec<Vec<f64>>,
    /// The answer: probability, value, or risk of the event by the horizon. NaN likewise.
    pub answer: Vec<Vec<f64>>,
    /// `[subject][time]`: the chance of no event up to each of [`HeldOut::times`]. Empty for other
    /// questions and for subsets.
    pub survival: Vec<Vec<f64>>,
}

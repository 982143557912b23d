use super::Measure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One point of a ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RocPoint {
    /// 1 − specificity, ascending along the curve.
    pub false_positive_rate: f64,
    /// Sensitivity.
    pub true_positive_rate: f64,
}

/// The ROC curve of one model, from (0, 0) to (1, 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RocCurve {
    /// The model's name.
    pub model: String,
    /// The points, ascending; thinned to at most a few hundred.
    pub points: Vec<RocPoint>,
}

/// A decision threshold, locked on tuning data, and what it does on untouched data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RocThreshold {
    /// How it was chosen: `Youden on tuning data`, `sensitivity 90 % on tuning data`.
    pub rule: String,
    /// The predicted risk from which a subject counts as positive.
    pub threshold: f64,
    /// Positives among those with the event (Wilson interval).
    pub sensitivity: Option<Measure>,
    /// Negatives among those without the event (Wilson interval).
    pub specificity: Option<Measure>,
    /// Share with the event among the positives (Wilson interval).
    pub ppv: Option<Measure>,
    /// Share without the event among the negatives (Wilson interval).
    pub npv: Option<Measure>,
}

/// Net benefit at one threshold: true positives minus weighted false positives, per subject.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionPoint {
    /// The risk from which one would act.
    pub threshold: f64,
    /// Acting on the chosen fusion.
    pub fusion: f64,
    /// Acting on the best single modality.
    pub best_single: Option<f64>,
    /// Acting on everyone. (Acting on no one is 0.)
    pub treat_all: f64,
}

/// Subjects of similar predicted risk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationBin {
    /// Mean predicted risk.
    pub predicted: f64,
    /// Share who had the event (survival: by the horizon, Kaplan-Meier).
    pub observed: Measure,
    /// Subjects in the bin.
    pub n: usize,
}

/// Whether predicted risks match what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// Calibration in the large, on the log-odds; 0 is perfect, above 0 means risks are too low.
    pub intercept: Option<Measure>,
    /// Slope of outcome on predicted log-odds or log-risk; 1 is perfect, below 1 means risks are too extreme.
    pub slope: Option<Measure>,
    /// The calibration curve.
    pub bins: Vec<CalibrationBin>,
    /// The same per availability pattern.
    pub patterns: Vec<PatternCalibration>,
}

/// Calibration among the subjects who have exactly these modalities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PatternCalibration {
    /// The modalities, in recipe order.
    pub modalities: Vec<String>,
    /// How many subjects.
    pub n: usize,
    /// As in [`Calibration::intercept`].
    pub intercept: Option<Measure>,
    /// As in [`Calibration::slope`].
    pub slope: Option<Measure>,
}

/// The metric when each modality of each subject is hidden with this probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DegradationPoint {
    /// Probability of hiding, 0 to 0.9. Every subject keeps at least one modality.
    pub missing: f64,
    /// The chosen fusion.
    pub fusion: Measure,
    /// The best single modality, which gives the mean prediction where it is hidden.
    pub best_single: Option<Measure>,
}

/// Kaplan-Meier curves by predicted risk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SurvivalCurves {
    /// The groups, lowest risk first. They were made by models that learned from the other subjects'
    /// outcomes, so a log-rank test between them would not keep its level (Simon et al. 2011,
    /// doi:10.1093/bib/bbr001); the comparisons of the report say what can be tested.
    pub groups: Vec<RiskGroup>,
}

/// One group of predicted risk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskGroup {
    /// `lowest third of predicted risk`, and so on.
    pub name: String,
    /// Subjects.
    pub n: usize,
    /// Events.
    pub events: usize,
    /// The curve at evenly spaced times from 0 on; it holds from one to the next.
    pub points: Vec<CurvePoint>,
    /// Subjects at risk at round times, the same times in every group.
    pub at_risk: Vec<AtRisk>,
}

/// A step of a survival curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurvePoint {
    /// Years.
    pub time: f64,
    /// Share free of the event from this time on.
    pub survival: f64,
    /// Lower end of the 95 % interval.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval.
    pub high: Option<f64>,
}

/// How many subjects are still followed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtRisk {
    /// Years.
    pub time: f64,
    /// Subjects without event and still followed just before.
    pub n: usize,
}

use chiasm_record::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A number with its 95 % interval, as far as both could be computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// The point estimate.
    pub estimate: f64,
    /// Lower end of the 95 % interval; `null` where there is no interval.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval; `null` where there is no interval.
    pub high: Option<f64>,
}

impl Measure {
    /// What can be said of an estimate: nothing where the estimate is not finite, no interval where
    /// an end is not.
    pub fn new(value: Estimate) -> Option<Self> {
        let Estimate { estimate, low, high } = value;
        let bounded = low.is_finite() && high.is_finite();
        estimate.is_finite().then(|| Self {
            estimate,
            low: bounded.then_some(low),
            high: bounded.then_some(high),
        })
    }

    /// A number without an interval; nothing where it is not finite.
    pub fn point(estimate: f64) -> Option<Self> {
        estimate.is_finite().then_some(Self { estimate, low: None, high: None })
    }
}

/// What role a model plays in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// One modality alone.
    Single,
    /// One kind of fusion.
    Fusion,
    /// The whole procedure: in each fold the fusion that won inside its training data.
    Nested,
    /// Something to compare against that is neither: a published score, clinical data only.
    Reference,
}

/// One model and how well it did on untouched data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelResult {
    /// Its name: the modality of a single, the kind of a fusion.
    pub name: String,
    /// Its role.
    pub kind: ModelKind,
    /// The modalities that it reads, in recipe order.
    pub modalities: Vec<String>,
    /// `stacked`, `attention`, `cross_attention` or `concat`; `null` for a model of one modality.
    pub fusion: Option<String>,
    /// By name: `auroc`, `auprc`, `brier`, `log_loss`, `accuracy`, `c_index`, `uno_c`, `ibs`, `rmse`,
    /// `mae`, `r2`, `calibration_intercept`, `calibration_slope`; `auroc_<label>` for one label of several.
    pub metrics: BTreeMap<String, Measure>,
}

/// Two models on the same subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The first model's name.
    pub a: String,
    /// The second model's name.
    pub b: String,
    /// What was compared.
    pub metric: String,
    /// Metric of `a` minus metric of `b`. For metrics where less is better, below 0 favours `a`.
    pub difference: f64,
    /// Lower end of the difference's 95 % interval.
    pub low: Option<f64>,
    /// Upper end of the difference's 95 % interval.
    pub high: Option<f64>,
    /// Two-sided p value.
    pub p: Option<f64>,
    /// The p value after Holm's correction over the comparisons of its family: those of a fusion with a single
    /// modality, or those between fusions.
    pub p_holm: Option<f64>,
    /// The test: `DeLong`, `paired concordance`, `paired influence functions`.
    pub test: String,
    /// Whether the verdict rests on this comparison.
    #[serde(default)]
    pub decides: bool,
}

/// Whether fusion helped. The words of a report follow it and are never stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The fusion is better than the best single modality, beyond chance.
    FusionBetter,
    /// Any gain is too small to matter.
    NoGain,
    /// The fusion is worse than the best single modality, beyond chance.
    FusionWorse,
    /// The data cannot tell.
    Inconclusive,
}

impl Verdict {
    /// The verdict as `report.json` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FusionBetter => "fusion_better",
            Self::NoGain => "no_gain",
            Self::FusionWorse => "fusion_worse",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What one outer fold chose, from its own training data alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoldSelection {
    /// Repeat of the cross-validation, from 1.
    pub repeat: usize,
    /// Outer fold, from 1.
    pub fold: usize,
    /// The fusion that it chose.
    pub chosen: String,
    /// The single modality that did best.
    pub best_single: String,
    /// The out-of-fold loss of each model inside the fold's training subjects; smaller is better.
    pub scores: BTreeMap<String, f64>,
}

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What drives the prediction, over all subjects.
///
/// Shares are Shapley values of the modalities present; a subject's shares sum to
/// f(all present) − f(none).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttributionSummary {
    /// The unit of the shares: `log-odds`, `log-risk`, or the outcome's own unit.
    pub scale: String,
    /// Per modality, in recipe order.
    pub modalities: Vec<ModalitySummary>,
    /// Per pair of modalities.
    pub interactions: Vec<InteractionSummary>,
    /// `[subject][modality]` in the order of `modalities`, `null` where absent. At most
    /// [`AttributionSummary::MAX_SUBJECTS`] subjects, without ids and without values, ordered by their sum.
    pub shares: Vec<Vec<Option<f64>>>,
    /// Standard error of the shares where they were sampled (more than 12 modalities).
    pub sampling_error: Option<f64>,
}

impl AttributionSummary {
    /// The largest number of subjects in [`AttributionSummary::shares`].
    pub const MAX_SUBJECTS: usize = 1_000;
}

/// How far one modality moves predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModalitySummary {
    /// The modality's name.
    pub name: String,
    /// Subjects who have it.
    pub n: usize,
    /// Mean over them of the share's absolute value.
    pub mean_abs_share: f64,
    /// For subjects who lack it: how far the prediction would likely move if it were acquired
    /// (mean absolute change among training subjects who have it).
    pub value_of_acquiring: Option<f64>,
    /// The features that move most, largest first.
    pub features: Vec<FeatureShare>,
}

/// How far one feature moves predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureShare {
    /// The feature's name at the site.
    pub name: String,
    /// Mean absolute share.
    pub mean_abs_share: f64,
    /// Rank correlation of value and share, −1 to 1: above 0, higher values raise the prediction.
    /// `null` for codes without order.
    pub direction: Option<f64>,
}

/// How much two modalities say only together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InteractionSummary {
    /// The first modality.
    pub a: String,
    /// The second modality.
    pub b: String,
    /// Mean over subjects who have both of the interaction index.
    pub mean: f64,
    /// Mean of its absolute value.
    pub mean_abs: f64,
}

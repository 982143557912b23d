//! What a recipe says about learning.

use crate::net::NetConfig;
use crate::prepare::BagForm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How one numeric table is learned. Several may stand in a list; the training data choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LearnerConfig {
    /// Ridge regression on standardised columns, with missing-indicators.
    Ridge {
        /// Penalties to try, per column: with `p` columns the fit maximises the summed log-likelihood
        /// minus `penalty * p / 2 * |b|^2`, so one grid suits narrow and wide tables.
        penalties: Vec<f64>,
        /// Keep this many principal components first (for images and omics); all columns if absent.
        #[serde(default)]
        components: Option<usize>,
        /// How a bag of vectors becomes columns.
        #[serde(default)]
        bag: BagForm,
    },
    /// A random forest (or extremely randomised trees) that marginalises over missing cells.
    Forest {
        /// Number of trees.
        trees: usize,
        /// Smallest number of training subjects in a leaf.
        min_leaf: usize,
        /// Share of the columns tried at each split; the square root of their number if absent.
        #[serde(default)]
        columns: Option<f64>,
        /// Draw split points at random instead of searching them.
        #[serde(default)]
        extra: bool,
        /// How a bag of vectors becomes columns.
        #[serde(default)]
        bag: BagForm,
    },
    /// Gradient-boosted trees.
    Boosted {
        /// Number of trees.
        rounds: usize,
        /// Shrinkage per tree.
        learning_rate: f64,
        /// Largest depth of a tree.
        depth: usize,
        /// Share of subjects drawn for each tree.
        subsample: f64,
        /// How a bag of vectors becomes columns.
        #[serde(default)]
        bag: BagForm,
    },
}

/// How the modalities are joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FusionConfig {
    /// A calibrated expert per modality, combined on the link scale with weights that are not negative
    /// and shrink toward each other.
    Stacked {
        /// Name in the report.
        name: String,
        /// Strengths to try of the shrinkage toward equal weights (of scores in units of their spread):
        /// 0 lets every weight go its way, a thousand keeps them equal.
        shrinkage: Vec<f64>,
    },
    /// One table of the modalities named, one learner.
    Concat {
        /// Name in the report.
        name: String,
        /// Which modalities; all tables if absent.
        #[serde(default)]
        modalities: Option<Vec<String>>,
        /// The learner.
        learner: LearnerConfig,
    },
    /// Tokens of every modality meet by attention or cross-attention, as `net.kind` says.
    Net {
        /// Name in the report.
        name: String,
        /// The network.
        net: NetConfig,
    },
}

impl FusionConfig {
    /// Name in the report.
    pub fn name(&self) -> &str {
        match self {
            Self::Stacked { name, .. } | Self::Concat { name, .. } | Self::Net { name, .. } => name,
        }
    }
}

/// Everything that a recipe says about learning, with names resolved to positions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnConfig {
    /// Per modality in recipe order: the settings that its expert may take.
    pub experts: Vec<Vec<LearnerConfig>>,
    /// The fusions to try.
    pub fusions: Vec<FusionConfig>,
    /// Folds of the cross-fitting inside each training set.
    pub inner_folds: usize,
}

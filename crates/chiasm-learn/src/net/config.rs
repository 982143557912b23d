//! How a [`super::Net`] is built and trained: data, so that a recipe can hold it.

use crate::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A neural fusion model as a recipe writes it. Every key has a default that suits a cohort of a few
/// hundred patients; unknown keys are refused.
///
/// The shape that users know from the literature, image patches asking genes:
///
/// ```
/// let config: chiasm_learn::net::NetConfig = serde_json::from_str(r#"{
///     "kind": "cross_attention", "width": 256, "heads": 8, "layers": 1, "feed_forward": 0,
///     "pooling": "mean", "asks": ["patches"],
///     "encoders": {
///         "patches": { "kind": "linear" },
///         "genes": { "kind": "mlp", "hidden": [512] }
///     }
/// }"#)?;
/// assert_eq!(config.heads, 8);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetConfig {
    /// How the modalities meet.
    pub kind: FusionKind,
    /// Width of a token.
    pub width: usize,
    /// Number of attention blocks.
    pub layers: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// Hidden width of a block's feed-forward part as a multiple of `width`; 0 leaves it out.
    pub feed_forward: usize,
    /// How a row's tokens become one vector.
    pub pooling: Pooling,
    /// The modalities that ask in `cross_attention`; the others answer. Empty: the bags ask, or the
    /// first modality where there is no bag (and where there are bags alone).
    pub asks: Vec<String>,
    /// The encoder of a modality by its name; a modality that is not named gets `linear`.
    pub encoders: BTreeMap<String, EncoderConfig>,
    /// Share of the activations dropped within the fusion blocks while training, 0 to 1.
    pub dropout: f64,
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows per step.
    pub batch: usize,
    /// The largest step size of AdamW.
    pub lr: f64,
    /// How the step size goes over the epochs.
    pub schedule: Schedule,
    /// AdamW's decoupled weight decay.
    pub weight_decay: f64,
    /// The chance that a row shows a random non-empty subset of its modalities at a training step.
    pub modality_dropout: f64,
    /// Weight of the losses of each modality on its own, beside the loss of the fusion.
    pub aux_weight: f64,
    /// Networks trained from different seeds whose scores are averaged.
    pub seeds: usize,
    /// The loss of a survival outcome.
    pub survival: SurvivalLoss,
    /// Weight of each class (binary: no, yes; multi-label: of the positives of each label). Empty: all 1.
    pub class_weights: Vec<f64>,
    /// Stop when the loss on rows held back from training no longer falls.
    pub early_stopping: Option<EarlyStopping>,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            kind: FusionKind::Attention,
            width: 32,
            layers: 2,
            heads: 4,
            feed_forward: 2,
            pooling: Pooling::Query,
            asks: Vec::new(),
            encoders: BTreeMap::new(),
            dropout: 0.1,
            epochs: 40,
            batch: 64,
            lr: 2e-3,
            schedule: Schedule::Cosine,
            weight_decay: 0.01,
            modality_dropout: 0.5,
            aux_weight: 0.1,
            seeds: 1,
            survival: SurvivalLoss::Cox,
            class_weights: Vec::new(),
            early_stopping: None,
        }
    }
}

/// How the modalities meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FusionKind {
    /// Every token attends to every token that is there.
    Attention,
    /// Some modalities' tokens ask, the others' answer. Where one side is absent, the side that is
    /// there asks itself.
    CrossAttention,
}

/// How a row's tokens become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// A learned query attends to the tokens.
    Query,
    /// Their mean.
    Mean,
}

/// How the step size goes over the epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Up over the first twentieth of the steps, then down to 0 along half a cosine.
    Cosine,
    /// The same throughout.
    Constant,
}

/// The loss of a survival outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SurvivalLoss {
    /// Cox partial likelihood within the batch, ties after Efron.
    Cox,
    /// Cox partial likelihood within the batch, ties after Breslow.
    CoxBreslow,
    /// Discrete-time hazards over bins with equal numbers of events.
    Discrete {
        /// Number of bins, at least 1.
        bins: usize,
    },
}

/// When to stop before the last epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Share of the training rows held back, above 0 and at most 0.5.
    pub fraction: f64,
    /// Epochs without a better loss before stopping.
    pub patience: usize,
}

/// Nonlinearity of an encoder's hidden layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Gaussian error linear unit.
    #[default]
    Gelu,
    /// Scaled exponential linear unit.
    Selu,
}

/// How the vectors of a bag become tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BagPooling {
    /// Each vector is a token.
    #[default]
    Tokens,
    /// One token: a mean weighted by gated attention (ABMIL).
    Gated,
    /// One token: the mean.
    Mean,
}

/// From a modality's vector (or each vector of its bag) to a token. The last layer of each kind is
/// linear, and its bias is the modality's embedding: it tells the tokens of one modality from another's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EncoderConfig {
    /// One linear layer.
    Linear {},
    /// Hidden layers with a nonlinearity and dropout, then a linear layer.
    Mlp {
        /// Width of each hidden layer, the input's side first.
        hidden: Vec<usize>,
        /// The nonlinearity.
        #[serde(default)]
        activation: Activation,
        /// Share of the hidden values dropped while training, 0 to 1.
        #[serde(default)]
        dropout: f64,
    },
    /// Self-normalising: SELU, LeCun initialisation, alpha dropout.
    Snn {
        /// Width of each hidden layer, the input's side first.
        hidden: Vec<usize>,
        /// Share of the hidden values dropped while training, 0 to 1.
        #[serde(default)]
        dropout: f64,
    },
    /// For a set of vectors: hidden layers (possibly none), a linear layer, then pooling.
    Bag {
        /// Width of each hidden layer, the input's side first.
        #[serde(default)]
        hidden: Vec<usize>,
        /// The nonlinearity.
        #[serde(default)]
        activation: Activation,
        /// Share of the hidden values dropped while training, 0 to 1.
        #[serde(default)]
        dropout: f64,
        /// How the vectors become tokens.
        #[serde(default)]
        pool: BagPooling,
    },
}

impl NetConfig {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// [`Error::Shape`] names the key, what it holds and what is expected.
    pub fn check(&self) -> Result<(), Error> {
        let bad = |key: &str, found: &dyn std::fmt::Display, expected: &str| {
            Err(Error::Shape { message: format!("{key}: found {found}, expected {expected}") })
        };
        for (key, value, most) in [
            ("width", self.width, 1 << 14),
            ("heads", self.heads, 1 << 10),
            ("batch", self.batch, usize::MAX),
            ("seeds", self.seeds, 1 << 10),
        ] {
            if value == 0 || value > most {
                return bad(key, &value, &format!("1 to {most}"));
            }
        }
        if self.layers > 1 << 10 {
            return bad("layers", &self.layers, "at most 1024");
        }
        if self.feed_forward > 1 << 6 {
            return bad("feed_forward", &self.feed_forward, "at most 64");
        }
        if !self.width.is_multiple_of(self.heads) {
            return bad("heads", &self.heads, &format!("a divisor of width {}", self.width));
        }
        for (key, value) in
            [("lr", self.lr), ("weight_decay", self.weight_decay), ("aux_weight", self.aux_weight)]
        {
            if !(value.is_finite() && value >= 0.0) {
                return bad(key, &value, "a finite number, 0 or more");
            }
        }
        if !(0.0..=1.0).contains(&self.modality_dropout) {
            return bad("modality_dropout", &self.modality_dropout, "0 to 1");
        }
        let hidden_dropout = self.encoders.values().map(|e| e.dropout());
        for value in hidden_dropout.chain([self.dropout]) {
            if !(0.0..1.0).contains(&value) {
                return bad("dropout", &value, "0 or more and below 1");
            }
        }
        for (name, encoder) in &self.encoders {
            if encoder.hidden().iter().any(|&w| w == 0 || w > 1 << 16) {
                return bad(&format!("encoders.{name}.hidden"), &"a width out of range", "1 to 65536");
            }
        }
        if let SurvivalLoss::Discrete { bins } = self.survival
            && !(1..=1000).contains(&bins)
        {
            return bad("survival.bins", &bins, "1 to 1000");
        }
        if let Some(weight) = self.class_weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return bad("class_weights", weight, "finite numbers, 0 or more");
        }
        if let Some(stop) = self.early_stopping
            && !(stop.fraction > 0.0 && stop.fraction <= 0.5)
        {
            return bad("early_stopping.fraction", &stop.fraction, "above 0, at most 0.5");
        }
        Ok(())
    }
}

impl EncoderConfig {
    /// Width of each hidden layer.
    pub(crate) fn hidden(&self) -> &[usize] {
        match self {
            Self::Linear {} => &[],
            Self::Mlp { hidden, .. } | Self::Snn { hidden, .. } | Self::Bag { hidden, .. } => hidden,
        }
    }

    /// Share of the hidden values dropped while training.
    pub(crate) fn dropout(&self) -> f64 {
        match self {
            Self::Linear {} => 0.0,
            Self::Mlp { dropout, .. } | Self::Snn { dropout, .. } | Self::Bag { dropout, .. } => *dropout,
        }
    }

    /// The nonlinearity of the hidden layers.
    pub(crate) fn activation(&self) -> Activation {
        match self {
            Self::Linear {} => Activation::Gelu,
            Self::Mlp { activation, .. } | Self::Bag { activation, .. } => *activation,
            Self::Snn { .. } => Activation::Selu,
        }
    }

    /// How the vectors of a bag become tokens.
    pub(crate) fn pooling(&self) -> BagPooling {
        match self {
            Self::Bag { pool, .. } => *pool,
            _ => BagPooling::Tokens,
        }
    }

    /// Whether it is the self-normalising kind.
    pub(crate) fn self_normalising(&self) -> bool {
        matches!(self, Self::Snn { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_and_impossible_values_are_refused() {
        assert!(serde_json::from_str::<NetConfig>(r#"{"widht": 3}"#).is_err());
        assert!(
            serde_json::from_str::<NetConfig>(r#"{"encoders": {"a": {"kind": "linear", "x": 1}}}"#).is_err()
        );
        for json in [
            r#"{"width": 30, "heads": 4}"#,
            r#"{"width": 0}"#,
            r#"{"batch": 0}"#,
            r#"{"dropout": 1.0}"#,
            r#"{"lr": -1.0}"#,
            r#"{"encoders": {"a": {"kind": "mlp", "hidden": [0]}}}"#,
            r#"{"survival": {"kind": "discrete", "bins": 0}}"#,
            r#"{"early_stopping": {"fraction": 0.9, "patience": 3}}"#,
        ] {
            let config: NetConfig = serde_json::from_str(json).unwrap();
            assert!(matches!(config.check(), Err(Error::Shape { .. })), "{json}");
        }
        NetConfig::default().check().unwrap();
    }

    #[test]
    fn it_survives_json_and_has_a_schema() {
        let config = NetConfig {
            encoders: [("rna".to_string(), EncoderConfig::Snn { hidden: vec![64], dropout: 0.2 })].into(),
            survival: SurvivalLoss::Discrete { bins: 10 },
            ..NetConfig::default()
        };
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<NetConfig>(&json).unwrap(), config);
        let schema = serde_json::to_string(&schemars::schema_for!(NetConfig)).unwrap();
        assert!(schema.contains("modality_dropout"));
    }
}

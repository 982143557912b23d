//! One modality's vectors to tokens.

use super::config::{Activation, BagPooling, EncoderConfig};
use super::layers::{Linear, Noise, Weights};
use super::ops::{self, Spans};
use crate::Error;
use candle_core::Tensor;
use std::sync::Arc;

/// Vectors of one modality, of the rows that have it.
pub(crate) struct Packed {
    /// `[vectors, width]`.
    pub(crate) x: Tensor,
    /// Slot of each vector; empty where the modality has no slots.
    pub(crate) slots: Vec<usize>,
    /// Which vectors belong to which of those rows.
    pub(crate) spans: Arc<Spans>,
}

/// Hidden layers, a linear layer to the tokens' width, an embedding for each slot of a bag, and pooling
/// within the bag where it is asked for.
#[derive(Clone)]
pub(crate) struct Encoder {
    config: EncoderConfig,
    hidden: Vec<Linear>,
    last: Linear,
    slots: Option<Tensor>,
    gate: Option<(Linear, Linear)>,
}

impl Encoder {
    /// For vectors of `width`, from `slots` slots where the modality is a bag, to tokens of width `d`.
    pub(crate) fn build(
        weights: &mut Weights,
        name: &str,
        config: &EncoderConfig,
        width: usize,
        slots: Option<usize>,
        d: usize,
    ) -> Result<Self, Error> {
        let mut from = width;
        let mut hidden = Vec::new();
        for (i, &to) in config.hidden().iter().enumerate() {
            let name = format!("{name}.{i}");
            hidden.push(match config.self_normalising() {
                true => weights.lecun(&name, from, to)?,
                false => weights.linear(&name, from, to)?,
            });
            from = to;
        }
        let last = weights.linear(&format!("{name}.last"), from, d)?;
        let slots = match slots {
            Some(n) if n > 1 => Some(weights.table(format!("{name}.slots"), n, d)?),
            _ => None,
        };
        let gate = match config.pooling() {
            BagPooling::Gated => {
                let gate = weights.linear(&format!("{name}.gate"), d, 2 * d)?;
                // A bias would shift all scores of a row alike and change nothing.
                Some((gate, weights.map(&format!("{name}.score"), d, 1)?))
            }
            _ => None,
        };
        Ok(Self { config: config.clone(), hidden, last, slots, gate })
    }

    /// Shape: `[vectors, width]` -> `[tokens, d]`.
    pub(crate) fn encode(&self, packed: &Packed, noise: &mut Noise) -> Result<Tensor, Error> {
        let mut x = packed.x.clone();
        for layer in &self.hidden {
            x = layer.forward(&x)?;
            x = match self.config.activation() {
                Activation::Gelu => ops::gelu(&x)?,
                Activation::Selu => ops::selu(&x)?,
            };
            x = match self.config.self_normalising() {
                true => noise.alpha_drop(x, self.config.dropout())?,
                false => noise.drop(x, self.config.dropout())?,
            };
        }
        x = self.last.forward(&x)?;
        if let Some(table) = &self.slots {
            x = (x + ops::gather(table, packed.slots.clone())?)?;
        }
        Ok(match (&self.gate, self.config.pooling()) {
            (Some((gate, score)), _) => {
                let scores = score.forward(&ops::gated(&gate.forward(&x)?)?)?;
                ops::span_softmax_pool(&x, &scores, &packed.spans)?
            }
            (None, BagPooling::Mean) => ops::span_mean(&x, &packed.spans)?,
            (None, _) => x,
        })
    }

    /// Which tokens belong to which row, given which vectors do.
    pub(crate) fn tokens(&self, vectors: &Arc<Spans>) -> Arc<Spans> {
        match self.config.pooling() {
            BagPooling::Tokens => vectors.clone(),
            BagPooling::Gated | BagPooling::Mean => {
                Arc::new(Spans::from_lengths((0..vectors.len()).map(|_| 1)))
            }
        }
    }
}

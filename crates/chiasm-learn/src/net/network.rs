//! One network: an encoder for each modality, the fusion, and a head for each modality on its own.

use super::config::{EncoderConfig, NetConfig};
use super::encoder::Encoder;
use super::evidence::Evidence;
use super::fusion::{Fusion, Members};
use super::layers::{Linear, Noise, Weights};
use super::ops::{self, Spans};
use crate::Error;
use candle_core::Tensor;
use chiasm_record::Availability;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A modality as the network was trained on it. Part of the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModalityShape {
    /// Its name.
    pub(crate) name: String,
    /// Width of a vector.
    pub(crate) width: usize,
    /// Number of slots of a bag; none for a vector per subject.
    pub(crate) slots: Option<usize>,
}

#[derive(Clone)]
pub(crate) struct Network {
    encoders: Vec<Encoder>,
    fusion: Fusion,
    /// Per modality: its tokens' mean to scores, for the auxiliary losses.
    alone: Vec<Linear>,
}

/// The tokens of some rows, modality after modality.
pub(crate) struct Encoded {
    /// `[tokens, d]`.
    tokens: Tensor,
    /// Per modality: its first token, which of the rows have it, and their tokens.
    parts: Vec<Option<EncodedPart>>,
}

struct EncodedPart {
    tokens: Tensor,
    start: usize,
    /// Positions among the encoded rows.
    rows: Vec<usize>,
    spans: Arc<Spans>,
}

impl Network {
    pub(crate) fn build(
        weights: &mut Weights,
        config: &NetConfig,
        modalities: &[ModalityShape],
        outputs: usize,
    ) -> Result<Self, Error> {
        let plain = EncoderConfig::Linear {};
        let mut encoders = Vec::new();
        for (m, shape) in modalities.iter().enumerate() {
            let encoder = config.encoders.get(&shape.name).unwrap_or(&plain);
            encoders.push(Encoder::build(
                weights,
                &format!("encoder.{m}"),
                encoder,
                shape.width,
                shape.slots,
                config.width,
            )?);
        }
        let fusion = Fusion::build(weights, config, asks(config, modalities), outputs)?;
        let mut alone = Vec::new();
        if config.aux_weight > 0.0 && modalities.len() > 1 {
            for m in 0..modalities.len() {
                alone.push(weights.linear(&format!("alone.{m}"), config.width, outputs)?);
            }
        }
        Ok(Self { encoders, fusion, alone })
    }

    /// Encodes `rows`, each modality once and only for the rows whose entry of `used` holds it.
    pub(crate) fn encode(
        &self,
        evidence: &Evidence,
        rows: &[usize],
        used: &[Availability],
        noise: &mut Noise,
    ) -> Result<Encoded, Error> {
        let (mut parts, mut all, mut start) = (Vec::new(), Vec::new(), 0);
        for (m, encoder) in self.encoders.iter().enumerate() {
            let having: Vec<usize> = (0..rows.len()).filter(|&i| used[i].contains(m)).collect();
            if having.is_empty() {
                parts.push(None);
                continue;
            }
            let packed = evidence.pack(m, &having.iter().map(|&i| rows[i]).collect::<Vec<_>>())?;
            let tokens = encoder.encode(&packed, noise)?;
            let spans = encoder.tokens(&packed.spans);
            all.push(tokens.clone());
            let length = spans.tokens();
            parts.push(Some(EncodedPart { tokens, start, rows: having, spans }));
            start += length;
        }
        let tokens = match all.len() {
            0 => return Err(Error::NothingPresent),
            1 => all.swap_remove(0),
            _ => Tensor::cat(&all, 0)?,
        };
        Ok(Encoded { tokens, parts })
    }

    /// Fuses subsets of what was encoded: each pair names a row (by its position among the encoded ones)
    /// and modalities, all of them encoded. Shape: `[pairs, outputs]`.
    pub(crate) fn fuse(
        &self,
        encoded: &Encoded,
        pairs: &[(usize, Availability)],
        noise: &mut Noise,
    ) -> Result<Tensor, Error> {
        let mut members: Members = vec![Vec::new(); pairs.len()];
        for (m, part) in encoded.parts.iter().enumerate() {
            let Some(part) = part else { continue };
            for (members, (row, subset)) in members.iter_mut().zip(pairs) {
                if subset.contains(m)
                    && let Ok(at) = part.rows.binary_search(row)
                {
                    let span = part.spans.get(at);
                    members.push((m, part.start + span.start..part.start + span.end));
                }
            }
        }
        self.fusion.forward(&encoded.tokens, &members, noise)
    }

    /// The scores of each encoded modality on its own: the rows (positions among the encoded ones) and
    /// `[rows, outputs]`.
    pub(crate) fn alone<'a>(&self, encoded: &'a Encoded) -> Result<Vec<(&'a [usize], Tensor)>, Error> {
        let mut scores = Vec::new();
        for (head, part) in self.alone.iter().zip(&encoded.parts) {
            let Some(part) = part else { continue };
            let pooled = match part.spans.tokens() == part.rows.len() {
                true => part.tokens.clone(),
                false => ops::span_mean(&part.tokens, &part.spans)?,
            };
            scores.push((part.rows.as_slice(), head.forward(&pooled)?));
        }
        Ok(scores)
    }
}

/// Per modality: whether it asks in cross-attention.
fn asks(config: &NetConfig, modalities: &[ModalityShape]) -> Vec<bool> {
    if !config.asks.is_empty() {
        return modalities.iter().map(|m| config.asks.contains(&m.name)).collect();
    }
    let bags: Vec<bool> = modalities.iter().map(|m| m.slots.is_some()).collect();
    if bags.iter().all(|b| *b == bags[0]) { (0..modalities.len()).map(|m| m == 0).collect() } else { bags }
}

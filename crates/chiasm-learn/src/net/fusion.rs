//! Tokens of whichever modalities a row has, to that row's scores.

use super::config::{FusionKind, NetConfig, Pooling};
use super::layers::{Linear, Noise, Norm, Weights};
use super::ops::{self, Spans};
use crate::Error;
use candle_core::Tensor;
use std::ops::Range;
use std::sync::Arc;

/// Fuses the tokens of whichever modalities a row has.
///
/// A row is a span of tokens, and only evidence that is there has tokens. Blocks are pre-norm:
/// `x + attention(norm x)`, then `x + feed_forward(norm x)`.
///
/// # Source
/// Vaswani et al. 2017, arXiv:1706.03762; learned query pooling: Lee et al. 2019, arXiv:1810.00825.
#[derive(Clone)]
pub(crate) struct Fusion {
    kind: FusionKind,
    heads: usize,
    dropout: f64,
    /// Per modality: whether it asks (cross-attention).
    asks: Vec<bool>,
    blocks: Vec<Block>,
    norm: Norm,
    query: Option<(Tensor, Linear)>,
    head: Linear,
}

#[derive(Clone)]
struct Block {
    attention: Attention,
    out: Linear,
    feed_forward: Option<(Norm, Linear, Linear)>,
}

#[derive(Clone)]
enum Attention {
    /// Norm, then queries, keys and values at once.
    Within(Norm, Linear),
    /// Norm and queries of those that ask; norm, keys and values of those that answer.
    Across(Norm, Linear, Norm, Linear),
}

/// Where the tokens of each row stand: one list of `(modality, tokens)` a row.
pub(crate) type Members = Vec<Vec<(usize, Range<usize>)>>;

/// Token positions row after row.
struct Order {
    index: Vec<usize>,
    spans: Arc<Spans>,
}

impl Order {
    fn new(members: &Members, asks: impl Fn(&[(usize, Range<usize>)], usize) -> bool) -> Self {
        let mut index = Vec::new();
        let lengths: Vec<usize> = members
            .iter()
            .map(|row| {
                let before = index.len();
                for (m, tokens) in row {
                    if asks(row, *m) {
                        index.extend(tokens.clone());
                    }
                }
                index.len() - before
            })
            .collect();
        Self { index, spans: Arc::new(Spans::from_lengths(lengths)) }
    }
}

impl Fusion {
    pub(crate) fn build(
        weights: &mut Weights,
        config: &NetConfig,
        asks: Vec<bool>,
        outputs: usize,
    ) -> Result<Self, Error> {
        let d = config.width;
        let mut blocks = Vec::new();
        for l in 0..config.layers {
            let attention = match config.kind {
                FusionKind::Attention => Attention::Within(
                    weights.norm(&format!("block.{l}.norm"), d)?,
                    weights.linear(&format!("block.{l}.qkv"), d, 3 * d)?,
                ),
                FusionKind::CrossAttention => Attention::Across(
                    weights.norm(&format!("block.{l}.asking.norm"), d)?,
                    weights.linear(&format!("block.{l}.q"), d, d)?,
                    weights.norm(&format!("block.{l}.answering.norm"), d)?,
                    weights.linear(&format!("block.{l}.kv"), d, 2 * d)?,
                ),
            };
            let out = weights.linear(&format!("block.{l}.out"), d, d)?;
            let inner = config.feed_forward * d;
            let feed_forward = match inner {
                0 => None,
                _ => Some((
                    weights.norm(&format!("block.{l}.feed_forward.norm"), d)?,
                    weights.linear(&format!("block.{l}.feed_forward.0"), d, inner)?,
                    weights.linear(&format!("block.{l}.feed_forward.1"), inner, d)?,
                )),
            };
            blocks.push(Block { attention, out, feed_forward });
        }
        let norm = weights.norm("norm", d)?;
        let query = match config.pooling {
            Pooling::Query => {
                Some((weights.table("pool.query".into(), 1, d)?, weights.linear("pool.kv", d, 2 * d)?))
            }
            Pooling::Mean => None,
        };
        let head = weights.linear("head", d, outputs)?;
        Ok(Self {
            kind: config.kind,
            heads: config.heads,
            dropout: config.dropout,
            asks,
            blocks,
            norm,
            query,
            head,
        })
    }

    /// Shapes: `tokens [tokens, d]`, `members` one entry a row -> `[rows, outputs]`.
    ///
    /// # Errors
    /// [`Error::NothingPresent`] where a row has no token.
    pub(crate) fn forward(
        &self,
        tokens: &Tensor,
        members: &Members,
        noise: &mut Noise,
    ) -> Result<Tensor, Error> {
        let (mut x, asking, answers) = match self.kind {
            FusionKind::Attention => {
                let order = Order::new(members, |_, _| true);
                (ops::gather(tokens, order.index)?, order.spans, None)
            }
            FusionKind::CrossAttention => {
                // A side that is absent is replaced by the side that is there.
                let side = |row: &[(usize, Range<usize>)], m: usize, asks: bool| {
                    self.asks[m] == asks || row.iter().all(|(other, _)| self.asks[*other] != asks)
                };
                let asking = Order::new(members, |row, m| side(row, m, true));
                let answering = Order::new(members, |row, m| side(row, m, false));
                let answers = (ops::gather(tokens, answering.index)?, answering.spans);
                (ops::gather(tokens, asking.index)?, asking.spans, Some(answers))
            }
        };
        if (0..asking.len()).any(|row| asking.get(row).is_empty()) {
            return Err(Error::NothingPresent);
        }
        for block in &self.blocks {
            let attended = match (&block.attention, &answers) {
                (Attention::Across(norm, q, answering_norm, kv), Some((answers, spans))) => {
                    let q = q.forward(&norm.forward(&x)?)?;
                    let kv = kv.forward(&answering_norm.forward(answers)?)?;
                    ops::cross_attention(&q, &kv, self.heads, &asking, spans)?
                }
                (Attention::Within(norm, qkv), _) => {
                    ops::self_attention(&qkv.forward(&norm.forward(&x)?)?, self.heads, &asking)?
                }
                (Attention::Across(..), None) => return Err(Error::NothingPresent),
            };
            x = (x + noise.drop(block.out.forward(&attended)?, self.dropout)?)?;
            if let Some((norm, up, down)) = &block.feed_forward {
                let inner = ops::gelu(&up.forward(&norm.forward(&x)?)?)?;
                x = (x + noise.drop(down.forward(&inner)?, self.dropout)?)?;
            }
        }
        let x = self.norm.forward(&x)?;
        let pooled = match &self.query {
            Some((query, kv)) => {
                let one = Arc::new(Spans::from_lengths(vec![1; asking.len()]));
                let q = ops::gather(query, vec![0; asking.len()])?;
                ops::cross_attention(&q, &kv.forward(&x)?, self.heads, &one, &asking)?
            }
            None => ops::span_mean(&x, &asking)?,
        };
        self.head.forward(&pooled)
    }
}

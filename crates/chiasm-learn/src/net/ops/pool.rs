//! A row's tokens to one vector.

use super::math::{dot, exp};
use super::{Spans, floats, output, read, tensor};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use std::sync::Arc;

/// The mean of each row's tokens. Shape: `[tokens, d]` -> `[rows, d]`; an empty row gives zeros.
pub(crate) fn span_mean(x: &Tensor, spans: &Arc<Spans>) -> Result<Tensor> {
    x.apply_op1(Mean(spans.clone()))
}

/// The mean of each row's tokens, weighted by the softmax of their scores within the row.
/// Shapes: `x [tokens, d]`, `scores [tokens, 1]` -> `[rows, d]`; an empty row gives zeros.
pub(crate) fn span_softmax_pool(x: &Tensor, scores: &Tensor, spans: &Arc<Spans>) -> Result<Tensor> {
    x.apply_op2(scores, SoftmaxPool(spans.clone()))
}

fn add(to: &mut [f32], weight: f32, x: &[f32]) {
    for (to, x) in to.iter_mut().zip(x) {
        *to += weight * x;
    }
}

struct Mean(Arc<Spans>);

impl CustomOp1 for Mean {
    fn name(&self) -> &'static str {
        "chiasm-span-mean"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (tokens, d) = layout.shape().dims2()?;
        if tokens != self.0.tokens() {
            candle_core::bail!("mean: {tokens} tokens, expected {}", self.0.tokens());
        }
        let x = floats(x, layout)?;
        let mut y = vec![0.0; self.0.len() * d];
        for (row, y) in y.chunks_exact_mut(d).enumerate() {
            let span = self.0.get(row);
            let weight = 1.0 / span.len().max(1) as f32;
            for t in span {
                add(y, weight, &x[t * d..(t + 1) * d]);
            }
        }
        output(y, (self.0.len(), d))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        let (tokens, d) = x.dims2()?;
        let mut dx = vec![0.0; tokens * d];
        read(&gradient, |g| {
            for (row, g) in g.chunks_exact(d).enumerate() {
                let span = self.0.get(row);
                let weight = 1.0 / span.len().max(1) as f32;
                for t in span {
                    add(&mut dx[t * d..(t + 1) * d], weight, g);
                }
            }
            Ok(())
        })?;
        Ok(Some(tensor(dx, (tokens, d))?))
    }
}

struct SoftmaxPool(Arc<Spans>);

/// The softmax of one row's scores.
fn softmax(scores: &[f32]) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut weights: Vec<f32> = scores.iter().map(|s| exp(s - most)).collect();
    let total: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= total);
    weights
}

impl CustomOp2 for SoftmaxPool {
    fn name(&self) -> &'static str {
        "chiasm-span-softmax-pool"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        s: &CpuStorage,
        s_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (tokens, d) = x_layout.shape().dims2()?;
        if tokens != self.0.tokens() || s_layout.shape().elem_count() != tokens {
            candle_core::bail!("pool: {tokens} tokens, expected {}", self.0.tokens());
        }
        let (x, scores) = (floats(x, x_layout)?, floats(s, s_layout)?);
        let mut y = vec![0.0; self.0.len() * d];
        for (row, y) in y.chunks_exact_mut(d).enumerate() {
            let span = self.0.get(row);
            for (t, weight) in span.clone().zip(softmax(&scores[span])) {
                add(y, weight, &x[t * d..(t + 1) * d]);
            }
        }
        output(y, (self.0.len(), d))
    }

    fn bwd(
        &self,
        x: &Tensor,
        scores: &Tensor,
        _y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let (tokens, d) = x.dims2()?;
        let (mut dx, mut ds) = (vec![0.0; tokens * d], vec![0.0; tokens]);
        read(x, |x| {
            read(scores, |scores| {
                read(&gradient, |g| {
                    for (row, g) in g.chunks_exact(d).enumerate() {
                        let span = self.0.get(row);
                        let weights = softmax(&scores[span.clone()]);
                        let slopes: Vec<f32> = span.clone().map(|t| dot(g, &x[t * d..(t + 1) * d])).collect();
                        let mean = dot(&weights, &slopes);
                        for ((t, weight), slope) in span.zip(weights).zip(slopes) {
                            add(&mut dx[t * d..(t + 1) * d], weight, g);
                            ds[t] = weight * (slope - mean);
                        }
                    }
                    Ok(())
                })
            })
        })?;
        Ok((Some(tensor(dx, (tokens, d))?), Some(tensor(ds, scores.shape())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Inputs, gradients_match};
    use super::*;

    #[test]
    fn means_and_their_gradients() {
        let spans = Arc::new(Spans::from_lengths([2, 1, 3]));
        let stock = |t: &[Tensor]| {
            let mean = |at, n| t[0].narrow(0, at, n)?.mean_keepdim(0);
            Tensor::cat(&[mean(0, 2)?, mean(2, 1)?, mean(3, 3)?], 0)
        };
        gradients_match(&Inputs::new(&[&[6, 5]]), |t| span_mean(&t[0], &spans), Some(&stock));
        let stock = |t: &[Tensor]| {
            let pool = |at, n| {
                let e = t[1].narrow(0, at, n)?.exp()?;
                let weighted = t[0].narrow(0, at, n)?.broadcast_mul(&e.broadcast_div(&e.sum_keepdim(0)?)?)?;
                weighted.sum_keepdim(0)
            };
            Tensor::cat(&[pool(0, 2)?, pool(2, 1)?, pool(3, 3)?], 0)
        };
        gradients_match(
            &Inputs::new(&[&[6, 5], &[6, 1]]),
            |t| span_softmax_pool(&t[0], &t[1], &spans),
            Some(&stock),
        );
    }
}

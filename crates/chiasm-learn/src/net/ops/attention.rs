//! Multi-head attention within packed rows. A row's queries see that row's keys alone, so what is
//! absent has weight exactly zero: it is not there.

use super::math::{dot, exp};
use super::{Spans, floats, output, read, tensor, vectorised};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Tokens attend to all tokens of their row. Shape: `[tokens, 3d]` (queries, keys, values side by
/// side) -> `[tokens, d]`. Weights are `softmax(q·k / √(d/heads))` and sum to 1 within a row.
pub(crate) fn self_attention(qkv: &Tensor, heads: usize, spans: &Arc<Spans>) -> Result<Tensor> {
    qkv.apply_op1(SelfAttention { heads, spans: spans.clone() })
}

/// A row's queries attend to the keys of the same row. Shapes: `q [queries, d]`, `kv [keys, 2d]` (keys,
/// values side by side) -> `[queries, d]`. A row without keys gives zeros.
pub(crate) fn cross_attention(
    q: &Tensor,
    kv: &Tensor,
    heads: usize,
    asking: &Arc<Spans>,
    answering: &Arc<Spans>,
) -> Result<Tensor> {
    q.apply_op2(kv, CrossAttention { heads, asking: asking.clone(), answering: answering.clone() })
}

/// Rows that one thread takes at a time.
const GROUP: usize = 8;

/// The heads' geometry.
#[derive(Clone, Copy)]
struct Heads {
    heads: usize,
    /// Width of all heads together.
    d: usize,
}

/// Vectors of width `d` that start at column `offset` of rows of `stride` floats.
#[derive(Clone, Copy)]
struct Side<'a> {
    values: &'a [f32],
    stride: usize,
    offset: usize,
}

impl Side<'_> {
    /// Vector `token`'s share of the head that starts at column `head`.
    #[inline(always)]
    fn get(&self, token: usize, head: usize, size: usize) -> &[f32] {
        &self.values[token * self.stride + self.offset + head..][..size]
    }
}

/// The attention weights of query `i` over the tokens `keys`, into `weights`.
#[inline(always)]
fn weigh(weights: &mut [f32], query: &[f32], k: Side, keys: &Range<usize>, head: usize, scale: f32) {
    let size = query.len();
    let mut most = f32::NEG_INFINITY;
    for (weight, j) in weights.iter_mut().zip(keys.clone()) {
        *weight = dot(query, k.get(j, head, size)) * scale;
        most = most.max(*weight);
    }
    let mut total = 0.0;
    for weight in weights.iter_mut() {
        *weight = exp(*weight - most);
        total += *weight;
    }
    for weight in weights.iter_mut() {
        *weight /= total;
    }
}

impl Heads {
    fn new(d: usize, heads: usize) -> Result<Self> {
        if heads == 0 || d == 0 || !d.is_multiple_of(heads) {
            candle_core::bail!("attention: {heads} heads do not divide width {d}");
        }
        Ok(Self { heads, d })
    }

    /// Writes one row's results. `out` holds the row's queries alone: `[queries, d]`.
    #[inline(always)]
    fn forward(
        self,
        out: &mut [f32],
        [q, k, v]: [Side; 3],
        asking: Range<usize>,
        answering: Range<usize>,
        weights: &mut Vec<f32>,
    ) {
        let size = self.d / self.heads;
        let scale = 1.0 / (size as f32).sqrt();
        weights.clear();
        weights.resize(answering.len(), 0.0);
        for (y, i) in out.chunks_exact_mut(self.d).zip(asking) {
            for head in (0..self.d).step_by(size) {
                weigh(weights, q.get(i, head, size), k, &answering, head, scale);
                let y = &mut y[head..head + size];
                for (&weight, j) in weights.iter().zip(answering.clone()) {
                    for (y, v) in y.iter_mut().zip(v.get(j, head, size)) {
                        *y += weight * v;
                    }
                }
            }
        }
    }

    /// Adds one row's gradients to `back`.
    #[inline(always)]
    fn backward(
        self,
        back: &mut Back,
        gradient: &[f32],
        [q, k, v]: [Side; 3],
        asking: Range<usize>,
        answering: Range<usize>,
    ) {
        let (d, size) = (self.d, self.d / self.heads);
        let scale = 1.0 / (size as f32).sqrt();
        back.reset(d, asking.len(), answering.len());
        let Back { dq, dk, dv, weights, slopes } = back;
        for (at, (i, g)) in asking.zip(gradient.chunks_exact(d)).enumerate() {
            for head in (0..d).step_by(size) {
                let query = q.get(i, head, size);
                let g = &g[head..head + size];
                weigh(weights, query, k, &answering, head, scale);
                let mut mean = 0.0;
                for ((slope, &weight), j) in slopes.iter_mut().zip(weights.iter()).zip(answering.clone()) {
                    *slope = dot(g, v.get(j, head, size));
                    mean += *slope * weight;
                }
                let dq = &mut dq[at * d + head..][..size];
                for (to, j) in answering.clone().enumerate() {
                    let weight = weights[to];
                    let slope = weight * (slopes[to] - mean) * scale;
                    let key = k.get(j, head, size);
                    let dk = &mut dk[to * d + head..][..size];
                    let dv = &mut dv[to * d + head..][..size];
                    for c in 0..size {
                        dq[c] += slope * key[c];
                        dk[c] += slope * query[c];
                        dv[c] += weight * g[c];
                    }
                }
            }
        }
    }
}

/// One row's gradients: `dq [queries, d]`, `dk` and `dv [keys, d]`; and room to work.
#[derive(Default)]
struct Back {
    dq: Vec<f32>,
    dk: Vec<f32>,
    dv: Vec<f32>,
    weights: Vec<f32>,
    slopes: Vec<f32>,
}

impl Back {
    fn reset(&mut self, d: usize, queries: usize, keys: usize) {
        for (values, n) in [
            (&mut self.dq, queries * d),
            (&mut self.dk, keys * d),
            (&mut self.dv, keys * d),
            (&mut self.weights, keys),
            (&mut self.slopes, keys),
        ] {
            values.clear();
            values.resize(n, 0.0);
        }
    }
}

/// `work` on every item, on one thread where there is little of it.
fn each<T: Send>(items: Vec<T>, floats: usize, work: impl Fn(T) + Sync + Send) {
    if floats <= super::SERIAL || rayon::current_num_threads() == 1 {
        items.into_iter().for_each(work);
    } else {
        items.into_par_iter().for_each(work);
    }
}

struct SelfAttention {
    heads: usize,
    spans: Arc<Spans>,
}

impl CustomOp1 for SelfAttention {
    fn name(&self) -> &'static str {
        "chiasm-self-attention"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (tokens, width) = layout.shape().dims2()?;
        let heads = Heads::new(width / 3, self.heads)?;
        if tokens != self.spans.tokens() {
            candle_core::bail!("attention: {tokens} tokens, expected {}", self.spans.tokens());
        }
        let x = floats(x, layout)?;
        let [q, k, v] = [0, 1, 2].map(|i| Side { values: x, stride: width, offset: i * heads.d });
        let mut y = vec![0.0; tokens * heads.d];
        let groups = self.spans.groups(GROUP);
        let items: Vec<_> = self.spans.split(&mut y, heads.d, &groups).into_iter().zip(groups).collect();
        each(items, x.len(), |(y, rows)| {
            vectorised(
                #[inline(always)]
                || {
                    let (mut weights, mut rest) = (Vec::new(), &mut *y);
                    for row in rows.clone() {
                        let span = self.spans.get(row);
                        let (out, tail) = rest.split_at_mut(span.len() * heads.d);
                        rest = tail;
                        heads.forward(out, [q, k, v], span.clone(), span, &mut weights);
                    }
                },
            );
        });
        output(y, (tokens, heads.d))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        let (tokens, width) = x.dims2()?;
        let heads = Heads::new(width / 3, self.heads)?;
        let d = heads.d;
        let mut dx = vec![0.0; tokens * width];
        read(x, |x| {
            read(&gradient, |g| {
                let [q, k, v] = [0, 1, 2].map(|i| Side { values: x, stride: width, offset: i * d });
                let groups = self.spans.groups(GROUP);
                let items: Vec<_> =
                    self.spans.split(&mut dx, width, &groups).into_iter().zip(groups).collect();
                each(items, x.len(), |(dx, rows)| {
                    vectorised(
                        #[inline(always)]
                        || {
                            let (mut back, mut rest) = (Back::default(), &mut *dx);
                            for row in rows.clone() {
                                let span = self.spans.get(row);
                                let (out, tail) = rest.split_at_mut(span.len() * width);
                                rest = tail;
                                let g = &g[span.start * d..span.end * d];
                                heads.backward(&mut back, g, [q, k, v], span.clone(), span);
                                for (t, out) in out.chunks_exact_mut(width).enumerate() {
                                    let at = t * d..(t + 1) * d;
                                    out[..d].copy_from_slice(&back.dq[at.clone()]);
                                    out[d..2 * d].copy_from_slice(&back.dk[at.clone()]);
                                    out[2 * d..3 * d].copy_from_slice(&back.dv[at]);
                                }
                            }
                        },
                    );
                });
                Ok(())
            })
        })?;
        Ok(Some(tensor(dx, (tokens, width))?))
    }
}

struct CrossAttention {
    heads: usize,
    asking: Arc<Spans>,
    answering: Arc<Spans>,
}

impl CrossAttention {
    fn heads(&self, q: (usize, usize), kv: (usize, usize)) -> Result<Heads> {
        let fits = q.0 == self.asking.tokens() && kv.0 == self.answering.tokens() && kv.1 == 2 * q.1;
        if !fits || self.asking.len() != self.answering.len() {
            candle_core::bail!("attention: queries {q:?} do not fit keys and values {kv:?}");
        }
        Heads::new(q.1, self.heads)
    }
}

impl CustomOp2 for CrossAttention {
    fn name(&self) -> &'static str {
        "chiasm-cross-attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        kv: &CpuStorage,
        kv_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let heads = self.heads(q_layout.shape().dims2()?, kv_layout.shape().dims2()?)?;
        let d = heads.d;
        let (q, kv) = (floats(q, q_layout)?, floats(kv, kv_layout)?);
        let work = q.len() + kv.len();
        let q = Side { values: q, stride: d, offset: 0 };
        let [k, v] = [0, d].map(|offset| Side { values: kv, stride: 2 * d, offset });
        let mut y = vec![0.0; q.values.len()];
        let groups = self.asking.groups(GROUP);
        let items: Vec<_> = self.asking.split(&mut y, d, &groups).into_iter().zip(groups).collect();
        each(items, work, |(y, rows)| {
            vectorised(
                #[inline(always)]
                || {
                    let (mut weights, mut rest) = (Vec::new(), &mut *y);
                    for row in rows.clone() {
                        let span = self.asking.get(row);
                        let (out, tail) = rest.split_at_mut(span.len() * d);
                        rest = tail;
                        heads.forward(out, [q, k, v], span, self.answering.get(row), &mut weights);
                    }
                },
            );
        });
        output(y, q_layout.shape().clone())
    }

    fn bwd(
        &self,
        q: &Tensor,
        kv: &Tensor,
        _y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let heads = self.heads(q.dims2()?, kv.dims2()?)?;
        let d = heads.d;
        let (mut dq, mut dkv) = (vec![0.0; q.elem_count()], vec![0.0; kv.elem_count()]);
        read(q, |q| {
            read(kv, |kv| {
                read(&gradient, |g| {
                    let q = Side { values: q, stride: d, offset: 0 };
                    let [k, v] = [0, d].map(|offset| Side { values: kv, stride: 2 * d, offset });
                    let groups = self.asking.groups(GROUP);
                    let asked = self.asking.split(&mut dq, d, &groups);
                    let answered = self.answering.split(&mut dkv, 2 * d, &groups);
                    let items: Vec<_> = asked.into_iter().zip(answered).zip(groups).collect();
                    each(items, q.values.len() + kv.len(), |((dq, dkv), rows)| {
                        vectorised(
                            #[inline(always)]
                            || {
                                let mut back = Back::default();
                                let (mut rest_q, mut rest_kv) = (&mut *dq, &mut *dkv);
                                for row in rows.clone() {
                                    let (asking, answering) = (self.asking.get(row), self.answering.get(row));
                                    let (dq, tail) = rest_q.split_at_mut(asking.len() * d);
                                    rest_q = tail;
                                    let (dkv, tail) = rest_kv.split_at_mut(answering.len() * 2 * d);
                                    rest_kv = tail;
                                    let g = &g[asking.start * d..asking.end * d];
                                    heads.backward(&mut back, g, [q, k, v], asking, answering);
                                    dq.copy_from_slice(&back.dq);
                                    for (t, out) in dkv.chunks_exact_mut(2 * d).enumerate() {
                                        out[..d].copy_from_slice(&back.dk[t * d..(t + 1) * d]);
                                        out[d..].copy_from_slice(&back.dv[t * d..(t + 1) * d]);
                                    }
                                }
                            },
                        );
                    });
                    Ok(())
                })
            })
        })?;
        Ok((Some(tensor(dq, q.shape())?), Some(tensor(dkv, kv.shape())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Inputs, gradients_match};
    use super::*;
    use candle_core::{D, Device};

    /// Attention by stock operations: all tokens against all, the others' rows masked out.
    fn stock(
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        heads: usize,
        asking: &Spans,
        answering: &Spans,
    ) -> Result<Tensor> {
        let (n, d) = q.dims2()?;
        let m = k.dim(0)?;
        let mut mask = vec![f32::NEG_INFINITY; n * m];
        for row in 0..asking.len() {
            for i in asking.get(row) {
                for j in answering.get(row) {
                    mask[i * m + j] = 0.0;
                }
            }
        }
        let mask = Tensor::from_vec(mask, (n, m), &Device::Cpu)?;
        let size = d / heads;
        let split = |t: &Tensor| t.reshape(((), heads, size))?.transpose(0, 1)?.contiguous();
        let scores =
            (split(q)?.matmul(&split(k)?.t()?)? * (1.0 / (size as f64).sqrt()))?.broadcast_add(&mask)?;
        let e = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
        let p = e.broadcast_div(&e.sum_keepdim(D::Minus1)?)?;
        p.matmul(&split(v)?)?.transpose(0, 1)?.reshape((n, d))
    }

    #[test]
    fn self_attention_is_masked_attention_for_rows_of_any_length() {
        let spans = Arc::new(Spans::from_lengths([3, 1, 25, 0, 6]));
        gradients_match(
            &Inputs::new(&[&[35, 36]]),
            |t| self_attention(&t[0], 3, &spans),
            Some(&|t| {
                let part = |i: usize| t[0].narrow(1, i * 12, 12)?.contiguous();
                stock(&part(0)?, &part(1)?, &part(2)?, 3, &spans, &spans)
            }),
        );
    }

    #[test]
    fn cross_attention_is_masked_attention() {
        let asking = Arc::new(Spans::from_lengths([2, 20, 1]));
        let answering = Arc::new(Spans::from_lengths([4, 1, 3]));
        gradients_match(
            &Inputs::new(&[&[23, 32], &[8, 64]]),
            |t| cross_attention(&t[0], &t[1], 2, &asking, &answering),
            Some(&|t| {
                let part = |i: usize| t[1].narrow(1, i * 32, 32)?.contiguous();
                stock(&t[0], &part(0)?, &part(1)?, 2, &asking, &answering)
            }),
        );
    }
}

//! Layer normalisation.

use super::math::sum_by;
use super::{by_chunks, columns, floats, output, read, tensor, vectorised};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

const EPSILON: f32 = 1e-5;

/// Each row to mean 0 and variance 1, then times `w` plus `b`. Shapes: `x [n, d]`, `w [d]`, `b [d]`.
pub(crate) fn layer_norm(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    x.apply_op3(w, b, LayerNorm)
}

struct LayerNorm;

/// Mean and reciprocal standard deviation.
#[inline(always)]
fn moments(x: &[f32]) -> (f32, f32) {
    let n = x.len() as f32;
    let mean = sum_by(
        x.len(),
        #[inline(always)]
        |i| x[i],
    ) / n;
    let variance = sum_by(
        x.len(),
        #[inline(always)]
        |i| (x[i] - mean) * (x[i] - mean),
    ) / n;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "chiasm-layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let d = columns(x_layout)?;
        let (x, w, b) = (floats(x, x_layout)?, floats(w, w_layout)?, floats(b, b_layout)?);
        if w.len() != d || b.len() != d {
            candle_core::bail!("layer norm: weight of {}, expected {d}", w.len());
        }
        let mut y = vec![0.0; x.len()];
        by_chunks(&mut y, x, d, |y, x| {
            vectorised(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(d).zip(x.chunks_exact(d)) {
                        let (mean, scale) = moments(x);
                        for i in 0..d {
                            y[i] = (x[i] - mean) * scale * w[i] + b[i];
                        }
                    }
                },
            );
        });
        output(y, x_layout.shape().clone())
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _b: &Tensor,
        _y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let d = w.elem_count();
        let (dx, dw, db) = read(x, |x| read(w, |w| read(&gradient, |g| Ok(backward(x, w, g)))))?;
        Ok((Some(tensor(dx, x.shape())?), Some(tensor(dw, d)?), Some(tensor(db, d)?)))
    }
}

/// Rows whose shares of the weights' gradients are summed together; fixed, so that the sum's order is.
const ROWS: usize = 128;

fn backward(x: &[f32], w: &[f32], g: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let d = w.len();
    let mut dx = vec![0.0; x.len()];
    let chunks = dx.par_chunks_mut(ROWS * d).zip(x.par_chunks(ROWS * d)).zip(g.par_chunks(ROWS * d));
    let work = |((dx, x), g): ((&mut [f32], &[f32]), &[f32])| {
        vectorised(
            #[inline(always)]
            || backward_rows(dx, x, w, g),
        )
    };
    let parts: Vec<Vec<f32>> = if x.len() <= super::SERIAL {
        let serial = (0..x.len()).step_by(ROWS * d);
        let mut rest = dx.as_mut_slice();
        serial
            .map(|at| {
                let end = (at + ROWS * d).min(x.len());
                let (head, tail) = std::mem::take(&mut rest).split_at_mut(end - at);
                rest = tail;
                work(((head, &x[at..end]), &g[at..end]))
            })
            .collect()
    } else {
        chunks.map(work).collect()
    };
    let mut total = vec![0.0; 2 * d];
    for part in parts {
        for (total, part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
    let db = total.split_off(d);
    (dx, total, db)
}

/// Writes `dx`; returns the rows' share of `dw` and `db`, one after the other.
#[inline(always)]
fn backward_rows(dx: &mut [f32], x: &[f32], w: &[f32], g: &[f32]) -> Vec<f32> {
    let d = w.len();
    let mut total = vec![0.0; 2 * d];
    let (dw, db) = total.split_at_mut(d);
    let mut unit = vec![0.0; d];
    for ((dx, x), g) in dx.chunks_exact_mut(d).zip(x.chunks_exact(d)).zip(g.chunks_exact(d)) {
        let (mean, scale) = moments(x);
        for i in 0..d {
            unit[i] = (x[i] - mean) * scale;
            dw[i] += g[i] * unit[i];
            db[i] += g[i];
            dx[i] = g[i] * w[i];
        }
        let level = sum_by(
            d,
            #[inline(always)]
            |i| dx[i],
        ) / d as f32;
        let slope = sum_by(
            d,
            #[inline(always)]
            |i| dx[i] * unit[i],
        ) / d as f32;
        for i in 0..d {
            dx[i] = scale * (dx[i] - level - unit[i] * slope);
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::super::check::{Inputs, gradients_match};
    use super::*;

    #[test]
    fn it_is_layer_norm_by_stock_operations() {
        let stock = |t: &[Tensor]| {
            let x = t[0].broadcast_sub(&t[0].mean_keepdim(1)?)?;
            let scale = (x.sqr()?.mean_keepdim(1)? + 1e-5)?.sqrt()?;
            x.broadcast_div(&scale)?.broadcast_mul(&t[1])?.broadcast_add(&t[2])
        };
        for rows in [3, 300] {
            let inputs = Inputs::new(&[&[rows, 19], &[19], &[19]]);
            gradients_match(&inputs, |t| layer_norm(&t[0], &t[1], &t[2]), Some(&stock));
        }
    }
}

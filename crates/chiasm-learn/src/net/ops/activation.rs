//! Nonlinearities.

use super::math::{erf_and_bell, exp, sigmoid, tanh};
use super::{columns, floats, map, map_two, output, read, tensor};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use std::f32::consts::FRAC_1_SQRT_2;

/// The Gaussian error linear unit, exact form: `x Φ(x)`. Any shape.
pub(crate) fn gelu(x: &Tensor) -> Result<Tensor> {
    x.apply_op1(Gelu)
}

/// The scaled exponential linear unit. Any shape.
///
/// # Source
/// Klambauer et al. 2017, arXiv:1706.02515.
pub(crate) fn selu(x: &Tensor) -> Result<Tensor> {
    x.apply_op1(Selu)
}

/// `tanh(a) · σ(b)` of the two halves of each row. Shape: `[n, 2h]` -> `[n, h]`.
///
/// # Source
/// Ilse et al. 2018, arXiv:1802.04712, equation 9.
pub(crate) fn gated(x: &Tensor) -> Result<Tensor> {
    x.apply_op1(Gated)
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "chiasm-gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = map(
            floats(x, layout)?,
            #[inline(always)]
            |x| 0.5 * x * (1.0 + erf_and_bell(x * FRAC_1_SQRT_2).0),
        );
        output(y, layout.shape().clone())
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        derivative(
            x,
            gradient,
            #[inline(always)]
            |x, g| {
                let (erf, bell) = erf_and_bell(x * FRAC_1_SQRT_2);
                g * (0.5 * (1.0 + erf) + x * 0.398_942_3 * bell)
            },
        )
    }
}

pub(super) const SELU_SCALE: f32 = 1.050_701;
pub(super) const SELU_ALPHA: f32 = 1.673_263_2;

struct Selu;

impl CustomOp1 for Selu {
    fn name(&self) -> &'static str {
        "chiasm-selu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = map(
            floats(x, layout)?,
            #[inline(always)]
            |x| SELU_SCALE * if x > 0.0 { x } else { SELU_ALPHA * (exp(x) - 1.0) },
        );
        output(y, layout.shape().clone())
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        derivative(
            x,
            gradient,
            #[inline(always)]
            |x, g| g * SELU_SCALE * if x > 0.0 { 1.0 } else { SELU_ALPHA * exp(x) },
        )
    }
}

fn derivative(x: &Tensor, gradient: &Tensor, f: impl Fn(f32, f32) -> f32 + Sync) -> Result<Option<Tensor>> {
    let gradient = gradient.contiguous()?;
    let dx = read(x, |x| read(&gradient, |g| Ok(map_two(x, g, f))))?;
    Ok(Some(tensor(dx, x.shape())?))
}

struct Gated;

impl CustomOp1 for Gated {
    fn name(&self) -> &'static str {
        "chiasm-gated"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, width) = layout.shape().dims2()?;
        let h = columns(layout)? / 2;
        let mut y = Vec::with_capacity(n * h);
        for row in floats(x, layout)?.chunks_exact(width) {
            let (a, b) = row.split_at(h);
            y.extend(a.iter().zip(b).map(|(&a, &b)| tanh(a) * sigmoid(b)));
        }
        output(y, (n, h))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        let (n, width) = x.dims2()?;
        let h = width / 2;
        let mut dx = vec![0.0; n * width];
        read(x, |x| {
            read(&gradient, |g| {
                for ((dx, x), g) in
                    dx.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(g.chunks_exact(h))
                {
                    for i in 0..h {
                        let (t, s) = (tanh(x[i]), sigmoid(x[h + i]));
                        dx[i] = g[i] * (1.0 - t * t) * s;
                        dx[h + i] = g[i] * t * s * (1.0 - s);
                    }
                }
                Ok(())
            })
        })?;
        Ok(Some(tensor(dx, x.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Inputs, gradients_match};
    use super::*;

    #[test]
    fn gelu_is_candles_gelu() {
        gradients_match(&Inputs::new(&[&[9, 11]]), |t| gelu(&t[0]), Some(&|t| t[0].gelu_erf()));
    }

    #[test]
    fn selu_is_a_scaled_elu() {
        let stock = |t: &[Tensor]| t[0].elu(f64::from(SELU_ALPHA))? * f64::from(SELU_SCALE);
        gradients_match(&Inputs::new(&[&[9, 11]]), |t| selu(&t[0]), Some(&stock));
    }

    #[test]
    fn gated_is_tanh_times_sigmoid() {
        let stock = |t: &[Tensor]| {
            let b = t[0].narrow(1, 4, 4)?;
            let sigmoid = (b.neg()?.exp()? + 1.0)?.recip()?;
            t[0].narrow(1, 0, 4)?.tanh()? * sigmoid
        };
        gradients_match(&Inputs::new(&[&[5, 8]]), |t| gated(&t[0]), Some(&stock));
    }
}

//! The linear layer.

use super::gemm::{View, multiply};
use super::{floats, needs_gradient, output, read, tensor, vectorised};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

/// `x wᵀ + b`. Shapes: `x [n, in]`, `w [out, in]`, `b [out]` -> `[n, out]`.
pub(crate) fn linear(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    x.apply_op3(w, b, Linear)
}

struct Linear;

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "chiasm-linear"
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
        let (n, k) = x_layout.shape().dims2()?;
        let out = b_layout.shape().dims1()?;
        if w_layout.dims() != [out, k] {
            candle_core::bail!("linear: weight {:?}, expected [{out}, {k}]", w_layout.dims());
        }
        let (x, w, b) = (floats(x, x_layout)?, floats(w, w_layout)?, floats(b, b_layout)?);
        let mut y = Vec::with_capacity(n * out);
        for _ in 0..n {
            y.extend_from_slice(b);
        }
        multiply(&mut y, true, View::new(x, k), View::new(w, k).transposed());
        output(y, (n, out))
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
        let (out, k) = w.dims2()?;
        let n = x.dim(0)?;
        read(&gradient, |g| {
            let dx = match needs_gradient(x) {
                false => None,
                true => Some(read(w, |w| {
                    let mut dx = vec![0.0; n * k];
                    multiply(&mut dx, false, View::new(g, out), View::new(w, k));
                    tensor(dx, (n, k))
                })?),
            };
            let dw = read(x, |x| {
                let mut dw = vec![0.0; out * k];
                multiply(&mut dw, false, View::new(g, out).transposed(), View::new(x, k));
                tensor(dw, (out, k))
            })?;
            let mut db = vec![0.0f32; out];
            vectorised(
                #[inline(always)]
                || {
                    for row in g.chunks_exact(out) {
                        for (total, g) in db.iter_mut().zip(row) {
                            *total += g;
                        }
                    }
                },
            );
            Ok((dx, Some(dw), Some(tensor(db, out)?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Inputs, gradients_match};
    use super::*;

    #[test]
    fn it_is_candles_linear_layer() {
        let inputs = Inputs::new(&[&[5, 7], &[3, 7], &[3]]);
        gradients_match(
            &inputs,
            |t| linear(&t[0], &t[1], &t[2]),
            Some(&|t| t[0].matmul(&t[1].t()?)?.broadcast_add(&t[2])),
        );
    }
}

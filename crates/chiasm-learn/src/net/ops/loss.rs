//! A loss that knows its own gradient, as an operation.

use super::{floats, output, read, tensor};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// The scalar `f(scores).0`, whose gradient is `f(scores).1` (as long as the scores).
pub(crate) fn scalar_loss(
    scores: &Tensor,
    f: impl Fn(&[f32]) -> (f64, Vec<f32>) + Send + Sync + 'static,
) -> Result<Tensor> {
    scores.apply_op1(Loss(f))
}

struct Loss<F>(F);

impl<F: Fn(&[f32]) -> (f64, Vec<f32>) + Send + Sync> CustomOp1 for Loss<F> {
    fn name(&self) -> &'static str {
        "chiasm-loss"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        output(vec![(self.0)(floats(scores, layout)?).0 as f32], ())
    }

    fn bwd(&self, scores: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let weight = gradient.to_scalar::<f32>()?;
        let mut ds = read(scores, |s| Ok((self.0)(s).1))?;
        ds.iter_mut().for_each(|g| *g *= weight);
        Ok(Some(tensor(ds, scores.shape())?))
    }
}

//! Rows in another order, or again and again.

use super::{floats, output, read, tensor};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// The rows named, in that order; a row may be named more than once. Shape: `[n, d]` -> `[index, d]`.
pub(crate) fn gather(x: &Tensor, index: Vec<usize>) -> Result<Tensor> {
    x.apply_op1(Gather(index))
}

struct Gather(Vec<usize>);

impl CustomOp1 for Gather {
    fn name(&self) -> &'static str {
        "chiasm-gather"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, d) = layout.shape().dims2()?;
        if let Some(at) = self.0.iter().find(|&&at| at >= n) {
            candle_core::bail!("gather: row {at} of {n}");
        }
        let x = floats(x, layout)?;
        let mut y = Vec::with_capacity(self.0.len() * d);
        for &at in &self.0 {
            y.extend_from_slice(&x[at * d..(at + 1) * d]);
        }
        output(y, (self.0.len(), d))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        let (n, d) = x.dims2()?;
        let mut dx = vec![0.0f32; n * d];
        read(&gradient, |g| {
            for (&at, g) in self.0.iter().zip(g.chunks_exact(d)) {
                for (to, g) in dx[at * d..(at + 1) * d].iter_mut().zip(g) {
                    *to += g;
                }
            }
            Ok(())
        })?;
        Ok(Some(tensor(dx, (n, d))?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Inputs, gradients_match};
    use super::*;
    use candle_core::Device;

    #[test]
    fn it_is_index_select() {
        let stock = |t: &[Tensor]| t[0].index_select(&Tensor::new(&[2u32, 0, 2, 1, 3], &Device::Cpu)?, 0);
        gradients_match(&Inputs::new(&[&[4, 3]]), |t| gather(&t[0], vec![2, 0, 2, 1, 3]), Some(&stock));
    }
}

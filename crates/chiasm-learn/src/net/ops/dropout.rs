//! Dropout whose mask is a function of a seed and the position, the same whatever the threads.

use super::activation::{SELU_ALPHA, SELU_SCALE};
use super::{floats, output, read, tensor, vectorised};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// Sets a share `p` of the elements to zero and scales the others by `1 / (1 - p)`. Any shape.
pub(crate) fn dropout(x: &Tensor, p: f64, seed: u64) -> Result<Tensor> {
    if p <= 0.0 {
        return Ok(x.clone());
    }
    let keep = 1.0 - p as f32;
    x.apply_op1(Dropout { seed, keep, scale: 1.0 / keep, shift: 0.0, dropped: 0.0 })
}

/// Sets a share `p` of the elements to SELU's lower limit, then restores mean and variance. Any shape.
///
/// # Source
/// Klambauer et al. 2017, arXiv:1706.02515, section 2.
pub(crate) fn alpha_dropout(x: &Tensor, p: f64, seed: u64) -> Result<Tensor> {
    if p <= 0.0 {
        return Ok(x.clone());
    }
    let keep = 1.0 - p as f32;
    let dropped = -SELU_SCALE * SELU_ALPHA;
    let scale = 1.0 / (keep + dropped * dropped * keep * (1.0 - keep)).sqrt();
    x.apply_op1(Dropout { seed, keep, scale, shift: -scale * dropped * (1.0 - keep), dropped })
}

/// `scale * (x or dropped) + shift`.
struct Dropout {
    seed: u64,
    keep: f32,
    scale: f32,
    shift: f32,
    dropped: f32,
}

impl Dropout {
    /// Whether element `i` stays, by hashing it with both halves of the seed.
    ///
    /// # Source
    /// The mixing function is lowbias32: Wellons 2018, github.com/skeeto/hash-prospector.
    #[inline(always)]
    fn stays(&self, i: u32) -> bool {
        let hash = mix(mix(i ^ self.seed as u32) ^ (self.seed >> 32) as u32);
        hash < (self.keep * 4_294_967_296.0) as u32
    }

    /// `scale * x[i] + shift` where `i` stays, else `dropped`.
    fn apply(&self, x: &[f32], shift: f32, dropped: f32) -> Vec<f32> {
        let mut y = vec![0.0; x.len()];
        vectorised(
            #[inline(always)]
            || {
                for (i, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                    *y = if self.stays(i as u32) { self.scale * x + shift } else { dropped };
                }
            },
        );
        y
    }
}

#[inline(always)]
fn mix(mut z: u32) -> u32 {
    z = (z ^ (z >> 16)).wrapping_mul(0x7feb_352d);
    z = (z ^ (z >> 15)).wrapping_mul(0x846c_a68b);
    z ^ (z >> 16)
}

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "chiasm-dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = floats(x, layout)?;
        let dropped = self.scale * self.dropped + self.shift;
        output(self.apply(x, self.shift, dropped), layout.shape().clone())
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        let dx = read(&gradient, |g| Ok(self.apply(g, 0.0, 0.0)))?;
        Ok(Some(tensor(dx, x.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Inputs, gradients_match};
    use super::*;
    use candle_core::Device;

    fn moments(v: &[f32]) -> (f32, f32) {
        let mean = v.iter().sum::<f32>() / v.len() as f32;
        (mean, v.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / v.len() as f32)
    }

    #[test]
    fn the_share_the_mean_and_the_gradient() {
        let x = Tensor::ones(20_000, candle_core::DType::F32, &Device::Cpu).unwrap();
        let y: Vec<f32> = dropout(&x, 0.3, 5).unwrap().to_vec1().unwrap();
        assert!((moments(&y).0 - 1.0).abs() < 0.02);
        assert!(y.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-6));
        gradients_match(&Inputs::new(&[&[9, 9]]), |t| dropout(&t[0], 0.3, 5), None);
        gradients_match(&Inputs::new(&[&[9, 9]]), |t| alpha_dropout(&t[0], 0.3, 5), None);
    }

    #[test]
    fn alpha_dropout_keeps_mean_and_variance() {
        // Nearly standard normal values: the number of ones among 64 random bits, centred and scaled.
        let uniform = Dropout { seed: 0, keep: 0.5, scale: 1.0, shift: 0.0, dropped: 0.0 };
        let bits = |i: usize| (0..64).filter(|b| uniform.stays((i * 64 + b) as u32)).count() as f32;
        let x: Vec<f32> = (0..20_000).map(|i| (bits(i) - 32.0) / 4.0).collect();
        let x = Tensor::from_vec(x, 20_000, &Device::Cpu).unwrap();
        let y: Vec<f32> = alpha_dropout(&x, 0.2, 9).unwrap().to_vec1().unwrap();
        let (mean, variance) = moments(&y);
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}

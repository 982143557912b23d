//! `exp`, `erf`, `tanh` and sums that the compiler can vectorise.

/// `e^x` to 2e-7 relative, for `x` of any size (saturating near the ends of `f32`).
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let tail = 0.5 + r * (0.166_666_65 + r * (0.041_665_8 + r * (0.008_334_5 + r * 0.001_392_6)));
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    (1.0 + r * (1.0 + r * tail)) * power
}

/// The error function and `e^(-x²)`, which its formula needs anyway. Absolute error 2e-7.
///
/// # Source
/// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
#[inline(always)]
pub(super) fn erf_and_bell(x: f32) -> (f32, f32) {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let bell = exp(-x * x);
    let tail = 0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4)));
    ((1.0 - tail * t * bell).copysign(x), bell)
}

/// The logistic function.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// The sum of `f(i)` over `0..n`, in sixteen interleaved partial sums: an order that vectorises and
/// never changes.
#[inline(always)]
pub(super) fn sum_by(n: usize, f: impl Fn(usize) -> f32) -> f32 {
    sum_in_lanes::<16>(n, f)
}

#[inline(always)]
fn sum_in_lanes<const LANES: usize>(n: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let whole = n / LANES * LANES;
    let mut at = 0;
    while at < whole {
        for (lane, total) in lanes.iter_mut().enumerate() {
            *total += f(at + lane);
        }
        at += LANES;
    }
    let mut rest = 0.0;
    for i in whole..n {
        rest += f(i);
    }
    // Halves onto halves, which takes few steps in a register.
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0] + rest
}

/// The inner product of two slices of the same length; eight lanes, for the narrow heads of small networks.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    sum_in_lanes::<8>(
        n,
        #[inline(always)]
        |i| a[i] * b[i],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_erf_are_close_to_the_reference() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0;
            let reference = f64::from(x).exp();
            assert!((f64::from(exp(x)) - reference).abs() <= 4e-7 * reference, "exp({x})");
        }
        for i in -600..=600 {
            let x = f64::from(i) / 100.0;
            let reference = statrs::function::erf::erf(x);
            assert!((f64::from(erf_and_bell(x as f32).0) - reference).abs() < 5e-7, "erf({x})");
            assert!((f64::from(tanh(x as f32)) - x.tanh()).abs() < 5e-7, "tanh({x})");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }
}

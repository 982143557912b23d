//! From a standard error or a count to an interval.

use crate::Error;
use chiasm_record::Estimate;
use statrs::distribution::{ContinuousCDF, Normal};

/// The 97.5 % point of the standard normal: half the width of a 95 % interval in standard errors.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// `estimate ± z·se`, cut to `range`.
pub(crate) fn normal(estimate: f64, standard_error: f64, range: (f64, f64)) -> Estimate {
    Estimate {
        estimate,
        low: (estimate - Z_95 * standard_error).max(range.0),
        high: (estimate + Z_95 * standard_error).min(range.1),
    }
}

/// The two-sided p-value of a standard normal statistic.
pub(crate) fn two_sided(z: f64) -> f64 {
    (2.0 * Normal::standard().sf(z.abs())).min(1.0)
}

/// A proportion with Wilson's 95 % score interval, which stays inside 0..1 and does not collapse
/// at 0 or `n` successes.
///
/// # Errors
/// [`Error::TooFew`] where `n` is 0, [`Error::OutOfRange`] where `successes` exceeds it.
///
/// # Source
/// Wilson 1927, doi:10.1080/01621459.1927.10502953; R's `prop.test(correct = FALSE)`.
pub fn wilson(successes: usize, n: usize) -> Result<Estimate, Error> {
    super::check::at_least("trials", 1, n)?;
    if successes > n {
        return Err(Error::OutOfRange {
            what: "successes",
            position: 0,
            expected: "no more than the trials",
        });
    }
    let (n, p, z2) = (n as f64, successes as f64 / n as f64, Z_95 * Z_95);
    let centre = p + z2 / (2.0 * n);
    let half = Z_95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends the score interval touches 0 or 1 exactly; rounding must not move it off.
    let low = if p == 0.0 { 0.0 } else { ((centre - half) / scale).max(0.0) };
    let high = if p == 1.0 { 1.0 } else { ((centre + half) / scale).min(1.0) };
    Ok(Estimate { estimate: p, low, high })
}

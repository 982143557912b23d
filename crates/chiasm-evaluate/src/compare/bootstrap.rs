//! Intervals and tests for any metric, by drawing the subjects anew.

use super::Difference;
use super::difference::vanishes;
use crate::Error;
use crate::metrics::check;
use chiasm_record::Estimate;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// A metric's estimate with its bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// The metric on the subjects themselves, with the percentile interval.
    pub estimate: Estimate,
    /// Standard deviation over the replicates.
    pub standard_error: f64,
    /// Replicates in which the metric was defined.
    pub replicates: usize,
}

/// The patient-level percentile bootstrap of `metric`, a function of which of `n` subjects to take.
///
/// Subjects are drawn with replacement; replicate `b` has its own random stream, so the result
/// depends on the seed and not on the number of threads. Replicates without a defined value (say,
/// one class only) are left out.
///
/// # Errors
/// [`Error::TooFew`] without subjects or with fewer than two replicates; [`Error::Replicates`] where
/// over one in ten has no value; and the metric's own on the subjects themselves.
///
/// # Source
/// Efron & Tibshirani 1993, chapter 13; quantiles as R's type 7.
pub fn bootstrap(
    n: usize,
    replicates: usize,
    seed: u64,
    metric: impl Fn(&[usize]) -> Result<f64, Error> + Sync,
) -> Result<Bootstrap, Error> {
    check::at_least("subjects", 1, n)?;
    check::at_least("replicates", 2, replicates)?;
    let everyone: Vec<usize> = (0..n).collect();
    let estimate = metric(&everyone)?;
    check::finite("metric", &[estimate])?;
    let values = draw(n, replicates, seed, metric)?;
    let Spread { low, high, standard_error } = spread(&values);
    let estimate = Estimate { estimate, low, high };
    Ok(Bootstrap { estimate, standard_error, replicates: values.len() })
}

/// The paired bootstrap of `a − b`: both metrics see the same subjects in every replicate.
///
/// The p value is twice the smaller share of replicates on either side of 0, the estimate itself
/// counted among them, so it is never below 2 / (replicates + 1).
///
/// # Errors
/// As [`bootstrap`].
///
/// # Source
/// Efron & Tibshirani 1993, chapters 13 and 15; the added one: Davison & Hinkley 1997, 4.2.
pub fn paired_bootstrap(
    n: usize,
    replicates: usize,
    seed: u64,
    a: impl Fn(&[usize]) -> Result<f64, Error> + Sync,
    b: impl Fn(&[usize]) -> Result<f64, Error> + Sync,
) -> Result<Difference, Error> {
    check::at_least("subjects", 1, n)?;
    check::at_least("replicates", 2, replicates)?;
    let metric = |rows: &[usize]| Ok(a(rows)? - b(rows)?);
    let everyone: Vec<usize> = (0..n).collect();
    let estimate = metric(&everyone)?;
    check::finite("metric", &[estimate])?;
    let values = draw(n, replicates, seed, metric)?;
    let Spread { low, high, standard_error } = spread(&values);
    if vanishes(standard_error) {
        return Difference::without_spread(estimate);
    }
    let share = |side: &dyn Fn(f64) -> bool| {
        (values.iter().filter(|v| side(**v)).count() + 1) as f64 / (values.len() + 1) as f64
    };
    Ok(Difference {
        difference: Estimate { estimate, low, high },
        standard_error,
        statistic: estimate / standard_error,
        p: (2.0 * share(&|v| v <= 0.0).min(share(&|v| v >= 0.0))).min(1.0),
    })
}

/// The defined values of all replicates, ascending.
fn draw(
    n: usize,
    replicates: usize,
    seed: u64,
    metric: impl Fn(&[usize]) -> Result<f64, Error> + Sync,
) -> Result<Vec<f64>, Error> {
    let drawn: Vec<Option<f64>> = (0..replicates as u64)
        .into_par_iter()
        .map(|replicate| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(replicate);
            let rows: Vec<usize> = (0..n).map(|_| rng.random_range(0..n as u64) as usize).collect();
            metric(&rows).ok().filter(|v| v.is_finite())
        })
        .collect();
    let mut values: Vec<f64> = drawn.into_iter().flatten().collect();
    let failed = replicates - values.len();
    if failed * 10 > replicates || values.len() < 2 {
        return Err(Error::Replicates { failed, of: replicates });
    }
    values.sort_by(f64::total_cmp);
    Ok(values)
}

struct Spread {
    low: f64,
    high: f64,
    standard_error: f64,
}

fn spread(sorted: &[f64]) -> Spread {
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let variance = sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Spread { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975), standard_error: variance.sqrt() }
}

/// R's type 7: linear between order statistics.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(values: &[f64]) -> impl Fn(&[usize]) -> Result<f64, Error> + Sync + '_ {
        |rows| Ok(rows.iter().map(|&r| values[r]).sum::<f64>() / rows.len() as f64)
    }

    #[test]
    fn quantiles_are_r_type_7() {
        // R: quantile(c(1, 2, 4, 8, 16), c(.025, .975))
        let v = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert!((quantile(&v, 0.025) - 1.1).abs() < 1e-12);
        assert!((quantile(&v, 0.975) - 15.2).abs() < 1e-12);
    }

    #[test]
    fn the_interval_of_a_mean_is_near_the_normal_one() {
        let values: Vec<f64> = (0..200).map(|i| f64::from(i % 20)).collect();
        let b = bootstrap(200, 4_000, 1, mean_of(&values)).unwrap();
        // Standard error of the mean: sqrt(33.25 / 200).
        assert!((b.standard_error - 0.40774).abs() < 0.015, "{b:?}");
        assert!((b.estimate.low - (9.5 - 0.799)).abs() < 0.06, "{b:?}");
        assert!((b.estimate.high - (9.5 + 0.799)).abs() < 0.06, "{b:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 37)).collect();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bootstrap(50, 300, 9, mean_of(&values)).unwrap())
        };
        assert_eq!(on(1), on(2));
        assert_ne!(on(1), bootstrap(50, 300, 10, mean_of(&values)).unwrap());
    }

    #[test]
    fn a_metric_that_is_rarely_defined_is_an_error() {
        let fragile = |rows: &[usize]| {
            if rows[0] == 0 { Ok(1.0) } else { Err(Error::OneClass { positives: 0, of: 1 }) }
        };
        assert!(matches!(bootstrap(10, 100, 1, fragile), Err(Error::Replicates { of: 100, .. })));
    }

    #[test]
    fn pairing_sees_a_small_steady_gain() {
        let b: Vec<f64> = (0..60).map(|i| f64::from(i % 13)).collect();
        let a: Vec<f64> = b.iter().enumerate().map(|(i, v)| v + 0.1 + 0.05 * (i % 2) as f64).collect();
        let d = paired_bootstrap(60, 999, 3, mean_of(&a), mean_of(&b)).unwrap();
        assert!(d.difference.low > 0.1 && (d.p - 0.002).abs() < 1e-12, "{d:?}");
        let none = paired_bootstrap(60, 999, 3, mean_of(&b), mean_of(&b)).unwrap();
        assert_eq!(none, Difference::NONE);
    }
}

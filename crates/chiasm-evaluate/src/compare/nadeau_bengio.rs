//! Whether a learning method is better than another, from cross-validation.

use super::Difference;
use super::difference::vanishes;
use super::paired::same_folds;
use crate::Error;
use crate::metrics::check;
use crate::metrics::repeated::{Repeat, RowMetric, defined, pick, subjects};
use chiasm_record::Estimate;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The corrected resampled t-test over the per-fold differences of all repeats.
///
/// The folds' training sets overlap, so their differences are not independent; the variance of
/// their mean is taken as `(1/k + test/train)` of theirs instead of `1/k`. Repeating more therefore
/// gains little. `test_over_train` is the folds' number of test subjects over that of training
/// subjects: 0.25 for 5 folds; see [`test_over_train`].
///
/// # Errors
/// [`Error::TooFew`] with fewer than two differences; [`Error::NoSpread`] where they are all the same
/// and not 0; [`Error::NotFinite`]; [`Error::OutOfRange`] for a ratio that is not above 0.
///
/// # Source
/// Nadeau & Bengio 2003, doi:10.1023/A:1024068626366; over repeats as in Bouckaert & Frank 2004.
pub fn nadeau_bengio(differences: &[f64], test_over_train: f64) -> Result<Difference, Error> {
    check::at_least("fold differences", 2, differences.len())?;
    check::finite("fold differences", differences)?;
    if !(test_over_train > 0.0 && test_over_train.is_finite()) {
        return Err(Error::OutOfRange { what: "test over train", position: 0, expected: "above 0" });
    }
    let k = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / k;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (k - 1.0);
    let standard_error = ((1.0 / k + test_over_train) * variance).sqrt();
    if vanishes(standard_error) {
        return Difference::without_spread(mean);
    }
    let law = StudentsT::new(0.0, 1.0, k - 1.0).map_err(|_| Error::NoSpread { what: "differences" })?;
    let statistic = mean / standard_error;
    let half = law.inverse_cdf(0.975) * standard_error;
    Ok(Difference {
        difference: Estimate { estimate: mean, low: mean - half, high: mean + half },
        standard_error,
        statistic,
        p: (2.0 * law.sf(statistic.abs())).min(1.0),
    })
}

/// The difference `a − b` of a metric in each fold of each repeat, in that order. Folds in which the
/// metric is not defined (one class only, no comparable pair) are left out.
///
/// # Errors
/// [`Error::OutOfRange`] where the models' folds differ; [`Error::TooFew`] without a repeat; the
/// metric's own where it is defined in no fold of a repeat.
pub fn fold_differences(a: &[Repeat], b: &[Repeat], metric: impl RowMetric) -> Result<Vec<f64>, Error> {
    same_folds(a, b)?;
    let mut differences = Vec::new();
    for (a, b) in a.iter().zip(b) {
        differences.extend(defined(a.folds(), |rows| {
            Ok(metric(rows, &pick(a.score, rows))? - metric(rows, &pick(b.score, rows))?)
        })?);
    }
    Ok(differences)
}

/// The mean over folds of test subjects over training subjects.
///
/// # Errors
/// [`Error::TooFew`] without a repeat, or with a repeat of one fold, which trains on nobody.
pub fn test_over_train(repeats: &[Repeat]) -> Result<f64, Error> {
    let n = subjects(repeats)?;
    let (mut sum, mut count) = (0.0, 0.0);
    for repeat in repeats {
        let folds = repeat.folds();
        check::at_least("folds of a repeat", 2, folds.len())?;
        for rows in folds {
            sum += rows.len() as f64 / (n - rows.len()) as f64;
            count += 1.0;
        }
    }
    Ok(sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeating_the_same_folds_does_not_buy_certainty() {
        let five = [0.02, 0.05, -0.01, 0.03, 0.04];
        let many: Vec<f64> = five.iter().copied().cycle().take(500).collect();
        let (few, many) = (nadeau_bengio(&five, 0.25).unwrap(), nadeau_bengio(&many, 0.25).unwrap());
        // Population variance of the five: 0.000424. However often repeated, a quarter of it stays.
        let floor = (0.25f64 * 0.000424).sqrt();
        assert!(few.standard_error > many.standard_error && many.standard_error > floor);
        // The uncorrected test would divide by sqrt(0.000424 / 500) and claim a statistic of 28.
        assert!(many.statistic < 0.026 / floor, "{many:?}");
    }

    #[test]
    fn no_difference_and_no_spread() {
        assert_eq!(nadeau_bengio(&[0.0; 5], 0.25), Ok(Difference::NONE));
        assert_eq!(nadeau_bengio(&[0.1; 5], 0.25), Err(Error::NoSpread { what: "differences" }));
        assert!(nadeau_bengio(&[0.1, 0.2], 0.0).is_err());
    }

    #[test]
    fn the_ratio_of_five_even_folds_is_a_quarter() {
        let fold: Vec<usize> = (0..20).map(|i| i % 5).collect();
        let score = [0.0; 20];
        assert_eq!(test_over_train(&[Repeat { fold: &fold, score: &score }]), Ok(0.25));
        assert!(test_over_train(&[Repeat { fold: &[0; 20], score: &score }]).is_err());
    }
}

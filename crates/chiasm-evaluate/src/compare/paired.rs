//! Paired tests from the influence that each subject has on a metric.

use super::Difference;
use crate::Error;
use crate::metrics::repeated::{Repeat, fold_concordances, subjects};
use crate::metrics::survival::{Concordance, harrell};
use crate::metrics::{Delong, check};

/// DeLong's paired test of the AUROC of score `a` against score `b` on the same subjects.
///
/// # Errors
/// Those of [`Delong::fit`]; [`Error::NoSpread`] where the areas differ but do not vary.
///
/// # Source
/// DeLong et al. 1988, doi:10.2307/2531595; pROC's `roc.test(method = "delong")`.
pub fn delong_test(positive: &[bool], a: &[f64], b: &[f64]) -> Result<Difference, Error> {
    let (a, b) = (Delong::fit(positive, a)?, Delong::fit(positive, b)?);
    Difference::normal(a.auroc - b.auroc, a.variance() + b.variance() - 2.0 * a.covariance(&b))
}

/// Paired test of Harrell's C of risk `a` against risk `b` on the same subjects.
///
/// # Errors
/// Those of [`harrell`]; [`Error::NoSpread`] where they differ but do not vary.
///
/// # Source
/// The joint variance of R's `survival::concordance(fit1, fit2)`.
pub fn concordance_test(time: &[f64], event: &[bool], a: &[f64], b: &[f64]) -> Result<Difference, Error> {
    let (a, b) = (harrell(time, event, a)?, harrell(time, event, b)?);
    Difference::normal(a.c - b.c, joint_variance(&a, &b))
}

/// As [`delong_test`] on the pooled out-of-fold scores of each repeat: mean difference and mean
/// variance over repeats. Unlike [`super::nadeau_bengio`] it asks about these trained models on new
/// subjects, not about training anew, and so calls too much: of 8,000 runs on pure noise (80
/// subjects, 4 × 5 folds, see `tests/false_findings.rs`) it called 12 % different, 4.6 % better and
/// 7.6 % worse. A report therefore widens its variance; see `assess/comparisons.rs`.
///
/// # Errors
/// [`Error::TooFew`] without a repeat, and those of [`delong_test`].
pub fn repeated_auroc_test(positive: &[bool], a: &[Repeat], b: &[Repeat]) -> Result<Difference, Error> {
    let n = same_folds(a, b)?;
    check::length("outcome", n, positive.len())?;
    over_repeats(a, b, |a, b| {
        let (a, b) = (Delong::fit(positive, a.score)?, Delong::fit(positive, b.score)?);
        Ok((a.auroc - b.auroc, a.variance() + b.variance() - 2.0 * a.covariance(&b)))
    })
}

/// As [`concordance_test`], within each fold: mean difference over folds and repeats; the variance
/// of a repeat is that of a mean of independent folds, averaged over repeats.
///
/// # Errors
/// [`Error::TooFew`] without a repeat; [`Error::NoComparablePair`]; and those of bad input.
pub fn repeated_concordance_test(
    time: &[f64],
    event: &[bool],
    a: &[Repeat],
    b: &[Repeat],
) -> Result<Difference, Error> {
    let n = same_folds(a, b)?;
    check::length("time", n, time.len())?;
    check::length("event", n, event.len())?;
    over_repeats(a, b, |a, b| {
        let a = fold_concordances(time, event, a)?;
        let b = fold_concordances(time, event, b)?;
        let k = a.len() as f64;
        let difference: f64 = a.iter().zip(&b).map(|(a, b)| a.c - b.c).sum();
        let variance: f64 = a.iter().zip(&b).map(|(a, b)| joint_variance(a, b)).sum();
        Ok((difference / k, variance / (k * k)))
    })
}

fn joint_variance(a: &Concordance, b: &Concordance) -> f64 {
    a.variance() + b.variance() - 2.0 * a.covariance(b)
}

fn over_repeats(
    a: &[Repeat],
    b: &[Repeat],
    of: impl Fn(&Repeat, &Repeat) -> Result<(f64, f64), Error>,
) -> Result<Difference, Error> {
    let (mut difference, mut variance) = (0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (d, v) = of(a, b)?;
        difference += d;
        variance += v;
    }
    let r = a.len() as f64;
    Difference::normal(difference / r, variance / r)
}

/// Both models were tested on the same folds. Returns the number of subjects.
pub(super) fn same_folds(a: &[Repeat], b: &[Repeat]) -> Result<usize, Error> {
    let n = subjects(a)?;
    check::length("repeats of the second model", a.len(), b.len())?;
    check::length("subjects of the second model", n, subjects(b)?)?;
    for (a, b) in a.iter().zip(b) {
        if let Some(position) = a.fold.iter().zip(b.fold).position(|(x, y)| x != y) {
            let expected = "the same fold for both models";
            return Err(Error::OutOfRange { what: "fold", position, expected });
        }
    }
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    const Y: [bool; 6] = [true, false, true, false, true, false];

    #[test]
    fn a_model_does_not_differ_from_itself() {
        let s = [0.9, 0.2, 0.1, 0.3, 0.8, 0.5];
        let squared: Vec<f64> = s.iter().map(|x| x * x).collect();
        assert_eq!(delong_test(&Y, &s, &squared), Ok(Difference::NONE));
        assert_eq!(concordance_test(&s, &Y, &s, &squared), Ok(Difference::NONE));
    }

    #[test]
    fn areas_that_differ_without_varying_are_no_test() {
        let up = [0.9, 0.1, 0.8, 0.2, 0.7, 0.3];
        let down: Vec<f64> = up.iter().map(|x| -x).collect();
        assert_eq!(delong_test(&Y, &up, &down), Err(Error::NoSpread { what: "differences" }));
    }

    #[test]
    fn other_folds_are_refused() {
        let s = [0.9, 0.2, 0.1, 0.3, 0.8, 0.5];
        let a = [Repeat { fold: &[0, 0, 0, 1, 1, 1], score: &s }];
        let b = [Repeat { fold: &[0, 0, 1, 0, 1, 1], score: &s }];
        assert!(matches!(
            repeated_auroc_test(&Y, &a, &b),
            Err(Error::OutOfRange { what: "fold", position: 2, .. })
        ));
    }
}

//! One estimate from the out-of-fold predictions of a repeated cross-validation.
//!
//! Each repeat predicts every subject once, by a model that did not see it. Averaging over repeats
//! takes out the luck of the split, but the subjects stay the same ones: the intervals here are as
//! wide as those of a single repeat, so nobody gets certainty by repeating.
//!
//! Two ways to read a repeat. *Pooled*: one metric over all its predictions, right for calibrated
//! probabilities. *By fold*: the mean of the folds' metrics, right where scores of different folds
//! share no scale, as with the log-risks of a Cox model.

use super::survival::{Concordance, harrell};
use super::{Delong, check, interval};
use crate::Error;
use chiasm_record::Estimate;

/// One repeat: for every subject the fold that held it out and the score that it got.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Repeat<'a> {
    /// Per subject: its fold, from 0.
    pub fold: &'a [usize],
    /// Per subject: its out-of-fold score.
    pub score: &'a [f64],
}

impl Repeat<'_> {
    /// The subjects of each fold; folds without subjects are left out.
    pub(crate) fn folds(&self) -> Vec<Vec<usize>> {
        let mut rows = std::collections::BTreeMap::<usize, Vec<usize>>::new();
        for (row, &fold) in self.fold.iter().enumerate() {
            rows.entry(fold).or_default().push(row);
        }
        rows.into_values().collect()
    }
}

/// The mean over repeats of the pooled AUROC. The interval is DeLong's, its variance averaged over repeats.
///
/// # Errors
/// [`Error::TooFew`] without a repeat, and those of [`Delong::fit`].
pub fn auroc(positive: &[bool], repeats: &[Repeat]) -> Result<Estimate, Error> {
    let n = subjects(repeats)?;
    check::length("outcome", n, positive.len())?;
    let (mut sum, mut variance) = (0.0, 0.0);
    for repeat in repeats {
        let fit = Delong::fit(positive, repeat.score)?;
        sum += fit.auroc;
        variance += fit.variance();
    }
    let r = repeats.len() as f64;
    Ok(interval::normal(sum / r, (variance / r).sqrt(), (0.0, 1.0)))
}

/// The mean over repeats and folds of Harrell's C. The variance of a repeat is that of a mean of
/// independent folds; it is averaged over repeats. Folds without a comparable pair are left out.
///
/// # Errors
/// [`Error::TooFew`] without a repeat; [`Error::NoComparablePair`] where a whole repeat has none; and
/// those of bad input.
pub fn concordance(time: &[f64], event: &[bool], repeats: &[Repeat]) -> Result<Estimate, Error> {
    let n = subjects(repeats)?;
    check::length("time", n, time.len())?;
    check::length("event", n, event.len())?;
    let (mut sum, mut variance) = (0.0, 0.0);
    for repeat in repeats {
        let fits = fold_concordances(time, event, repeat)?;
        let k = fits.len() as f64;
        sum += fits.iter().map(|f| f.c).sum::<f64>() / k;
        variance += fits.iter().map(Concordance::variance).sum::<f64>() / (k * k);
    }
    let r = repeats.len() as f64;
    Ok(interval::normal(sum / r, (variance / r).sqrt(), (0.0, 1.0)))
}

/// Harrell's C per fold, without the folds that have no comparable pair. Which folds those are
/// depends on the outcome alone, so two models of the same folds line up.
pub(crate) fn fold_concordances(
    time: &[f64],
    event: &[bool],
    repeat: &Repeat,
) -> Result<Vec<Concordance>, Error> {
    defined(repeat.folds(), |rows| {
        let (t, s) = (pick(time, rows), pick(repeat.score, rows));
        let e: Vec<bool> = rows.iter().map(|&r| event[r]).collect();
        harrell(&t, &e, &s)
    })
}

/// A metric of some rows, from their numbers and scores: `metric(rows, scores_of_rows)`.
pub trait RowMetric: Fn(&[usize], &[f64]) -> Result<f64, Error> + Sync {}
impl<F: Fn(&[usize], &[f64]) -> Result<f64, Error> + Sync> RowMetric for F {}

/// The mean over repeats of a metric over all predictions of a repeat, as a function of which
/// subjects to take (with repetition): made for [`crate::compare::bootstrap`].
///
/// ```
/// use chiasm_evaluate::{compare::bootstrap, metrics::{brier, repeated::{Repeat, pooled}}};
/// let outcome = [true, false, true, false];
/// let repeats = [Repeat { fold: &[0, 0, 1, 1], score: &[0.8, 0.3, 0.6, 0.1] }];
/// let mean_brier = pooled(&repeats, |rows, p| brier(&rows.iter().map(|&r| outcome[r]).collect::<Vec<_>>(), p));
/// let estimate = bootstrap(4, 200, 7, mean_brier)?.estimate;
/// assert!(estimate.low <= estimate.estimate && estimate.estimate <= estimate.high);
/// # Ok::<(), chiasm_evaluate::Error>(())
/// ```
pub fn pooled<'a>(
    repeats: &'a [Repeat<'a>],
    metric: impl RowMetric + 'a,
) -> impl Fn(&[usize]) -> Result<f64, Error> + Sync + 'a {
    move |rows| {
        subjects(repeats)?;
        let values = repeats.iter().map(|r| metric(rows, &pick(r.score, rows)));
        mean(&values.collect::<Result<Vec<_>, _>>()?)
    }
}

/// As [`pooled`], but the mean over repeats of the mean over folds of the fold's metric. Folds in
/// which the metric is not defined (one class only, no comparable pair) are left out.
pub fn by_fold<'a>(
    repeats: &'a [Repeat<'a>],
    metric: impl RowMetric + 'a,
) -> impl Fn(&[usize]) -> Result<f64, Error> + Sync + 'a {
    move |rows| {
        subjects(repeats)?;
        let of_repeat = |r: &Repeat| {
            let mut folds = std::collections::BTreeMap::<usize, Vec<usize>>::new();
            for &row in rows {
                folds.entry(r.fold[row]).or_default().push(row);
            }
            mean(&defined(folds.into_values().collect(), |rows| metric(rows, &pick(r.score, rows)))?)
        };
        mean(&repeats.iter().map(of_repeat).collect::<Result<Vec<_>, _>>()?)
    }
}

/// The number of subjects, the same in every repeat.
pub(crate) fn subjects(repeats: &[Repeat]) -> Result<usize, Error> {
    let Some(first) = repeats.first() else {
        return Err(Error::TooFew { what: "repeats", needed: 1, found: 0 });
    };
    for repeat in repeats {
        check::length("folds of a repeat", first.score.len(), repeat.fold.len())?;
        check::length("scores of a repeat", first.score.len(), repeat.score.len())?;
    }
    Ok(first.score.len())
}

/// The value of each fold that has one; the last refusal if none has.
pub(crate) fn defined<T>(
    folds: Vec<Vec<usize>>,
    value: impl Fn(&[usize]) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    let mut refusal = Error::TooFew { what: "subjects", needed: 1, found: 0 };
    for rows in &folds {
        match value(rows) {
            Ok(v) => found.push(v),
            Err(e @ (Error::OneClass { .. } | Error::NoComparablePair { .. })) => refusal = e,
            Err(e) => return Err(e),
        }
    }
    if found.is_empty() { Err(refusal) } else { Ok(found) }
}

pub(crate) fn pick(values: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|&r| values[r]).collect()
}

fn mean(values: &[f64]) -> Result<f64, Error> {
    check::at_least("values", 1, values.len())?;
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics;

    const Y: [bool; 6] = [true, false, true, false, true, false];
    const FOLD: [usize; 6] = [0, 0, 0, 1, 1, 1];
    const SCORE: [f64; 6] = [0.9, 0.2, 0.1, 0.3, 0.8, 0.5];

    #[test]
    fn repeating_the_same_predictions_narrows_nothing() {
        let one = Repeat { fold: &FOLD, score: &SCORE };
        let (a, b) = (auroc(&Y, &[one]).unwrap(), auroc(&Y, &[one; 10]).unwrap());
        assert!((a.low - b.low).abs() < 1e-12 && (a.high - b.high).abs() < 1e-12);
        assert_eq!(a.estimate, metrics::auroc(&Y, &SCORE).unwrap());
    }

    #[test]
    fn concordance_does_not_compare_across_folds() {
        let time = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0];
        let risk = [9.0, 8.0, 7.0, 0.3, 0.2, 0.1];
        let c = concordance(&time, &[true; 6], &[Repeat { fold: &FOLD, score: &risk }]).unwrap();
        assert_eq!(c.estimate, 1.0);
        assert!(harrell(&time, &[true; 6], &risk).unwrap().c < 1.0);
    }

    #[test]
    fn folds_without_a_value_are_left_out_and_no_fold_is_an_error() {
        let y = [true, false, true, true, true, true];
        let repeats = [Repeat { fold: &FOLD, score: &SCORE }];
        let of =
            |rows: &[usize], s: &[f64]| metrics::auroc(&rows.iter().map(|&r| y[r]).collect::<Vec<_>>(), s);
        assert_eq!(by_fold(&repeats, of)(&[0, 1, 2, 3, 4, 5]), Ok(0.5));
        assert_eq!(by_fold(&repeats, of)(&[3, 4]), Err(Error::OneClass { positives: 2, of: 2 }));
        assert!(matches!(auroc(&Y, &[]), Err(Error::TooFew { what: "repeats", .. })));
        let short = Repeat { fold: &FOLD[..5], score: &SCORE };
        assert!(matches!(auroc(&Y, &[short]), Err(Error::Length { .. })));
    }
}

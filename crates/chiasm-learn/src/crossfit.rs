//! Cross-fitting: what a model says of training subjects that it has not seen.

use crate::linear::{Linear, Options};
use crate::matrix::Matrix;
use crate::{Error, head};
use chiasm_cohort::Examples;
use chiasm_record::{Availability, Outcome};
use rayon::prelude::*;

/// Anything that scores subjects through a set of modalities.
pub trait Scorer: Sync {
    /// Scores on the link scale. Shape: `[rows, outputs]`; `sets` has one set a row. NaN where the
    /// scorer sees nothing of the row.
    ///
    /// # Errors
    /// Whatever the model reports.
    fn score(&self, examples: &Examples, rows: &[usize], sets: &[Availability]) -> Result<Matrix, Error>;
}

/// One model a fold, each trained without its fold.
pub struct CrossFitted<M> {
    /// The fold of each training subject.
    folds: Vec<usize>,
    models: Vec<M>,
}

impl<M: Scorer> CrossFitted<M> {
    /// Wraps the models of the folds `0..models.len()`.
    pub fn new(folds: Vec<usize>, models: Vec<M>) -> Self {
        Self { folds, models }
    }

    /// The out-of-fold scores of all training subjects, looking only at `set(row)`.
    /// Shape: `[subjects, outputs]`.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn score(
        &self,
        examples: &Examples,
        outputs: usize,
        set: impl Fn(usize) -> Availability + Sync,
    ) -> Result<Matrix, Error> {
        let mut all = Matrix::zeros(examples.len(), outputs);
        let parts: Vec<(Vec<usize>, Matrix)> = self
            .models
            .par_iter()
            .enumerate()
            .map(|(fold, model)| {
                let rows: Vec<usize> = (0..examples.len()).filter(|&r| self.folds[r] == fold).collect();
                let sets: Vec<Availability> = rows.iter().map(|&r| set(r)).collect();
                let scores = model.score(examples, &rows, &sets)?;
                Ok((rows, scores))
            })
            .collect::<Result<_, Error>>()?;
        for (rows, scores) in parts {
            for (i, row) in rows.into_iter().enumerate() {
                all.row_mut(row).copy_from_slice(scores.row(i));
            }
        }
        Ok(all)
    }
}

/// Out-of-fold losses of a scorer, after the best straight line through its scores: minus the
/// log-likelihood (partial for survival) per subject, summed over outputs. Smaller is better.
///
/// The line makes scorers comparable whose scores are right in order but too bold or too timid.
/// A subject of whom the scorer sees nothing counts at the base rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Over all subjects.
    pub mean: f64,
    /// Within each fold, so that two scorers can be compared fold by fold.
    by_fold: Vec<f64>,
}

impl Loss {
    /// The loss of `scores` (`[subjects, outputs]`, out of fold).
    ///
    /// # Errors
    /// [`Error::CannotLearn`] where the outcome does not vary (one of several labels may not).
    pub fn of(scores: &Matrix, outcome: &Outcome, folds: &[usize]) -> Result<Self, Error> {
        let count = folds.iter().max().map_or(0, |last| last + 1);
        let (mut mean, mut by_fold) = (0.0, vec![0.0; count]);
        for (k, answer) in head::marginals(outcome, scores.cols).iter().enumerate() {
            let base = head::base_rate(answer);
            let column =
                (0..scores.rows).map(|r| scores.row(r)[k]).map(|s| if s.is_finite() { s } else { base });
            let x = Matrix { rows: scores.rows, cols: 1, values: column.collect() };
            let options = Options { non_negative: true, ..Options::default() };
            let line = match Linear::fit(&x, answer, 1e-3, &options) {
                // A label that everyone or no one has tells no scorer from another.
                Err(Error::CannotLearn { .. }) if scores.cols > 1 => continue,
                line => line?,
            };
            mean -= line.log_likelihood / scores.rows as f64;
            let fitted = line.predict(&x)?;
            for (fold, loss) in by_fold.iter_mut().enumerate() {
                let rows: Vec<usize> = (0..folds.len()).filter(|&r| folds[r] == fold).collect();
                // The likelihood of the fold's subjects given the line: a fit in which only the level
                // is free.
                let nothing = Matrix::zeros(rows.len(), 1);
                let options = Options { offset: Some(fitted.select(&rows)), ..Options::default() };
                match Linear::fit(&nothing, &answer.select(&rows), 1.0, &options) {
                    Ok(within) => *loss -= within.log_likelihood / rows.len() as f64,
                    // A fold in which this answer does not vary tells no scorer from another.
                    Err(Error::CannotLearn { .. }) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(Self { mean, by_fold })
    }

    /// Whether this is smaller than `other` by more than one standard error of the difference over folds.
    pub fn clearly_below(&self, other: &Self) -> bool {
        let differences: Vec<f64> = self.by_fold.iter().zip(&other.by_fold).map(|(a, b)| a - b).collect();
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        mean + (variance / n).sqrt() < 0.0
    }
}

/// The scorer to use: the first, unless another's loss is clearly below it; of those the smallest.
///
/// The first is the plain one, which a bolder one must beat: on a small cohort differences between
/// held-out losses are mostly chance, and following them is a way of overfitting.
///
/// # Source
/// The one-standard-error rule of Breiman et al. 1984 (CART), section 3.4.3.
pub fn plainest_of_the_best(losses: &[Loss]) -> usize {
    let Some(first) = losses.first() else { return 0 };
    let better = losses.iter().enumerate().filter(|(_, loss)| loss.clearly_below(first));
    better.min_by(|a, b| a.1.mean.total_cmp(&b.1.mean)).map_or(0, |(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(by_fold: &[f64]) -> Loss {
        Loss { mean: by_fold.iter().sum::<f64>() / by_fold.len() as f64, by_fold: by_fold.to_vec() }
    }

    #[test]
    fn chance_does_not_depose_the_first() {
        let first = loss(&[0.50, 0.60, 0.55, 0.52]);
        let lucky = loss(&[0.40, 0.68, 0.50, 0.56]);
        let better = loss(&[0.45, 0.54, 0.51, 0.47]);
        assert!(lucky.mean < first.mean);
        assert_eq!(plainest_of_the_best(&[first.clone(), lucky.clone()]), 0);
        assert_eq!(plainest_of_the_best(&[first, lucky, better]), 2);
    }

    #[test]
    fn a_label_that_nobody_has_counts_for_nothing() {
        let common = |i: usize| i.is_multiple_of(3);
        let folds: Vec<usize> = (0..40).map(|i| i / 20).collect();
        let score = |i: usize| if common(i) { 0.5 } else { -0.2 };
        let values = (0..40).flat_map(|i| [score(i), 0.1]).collect();
        let both = Matrix { rows: 40, cols: 2, values };
        let labels = Outcome::MultiLabel((0..40).map(|i| vec![common(i), false]).collect());
        let one = Matrix { rows: 40, cols: 1, values: (0..40).map(score).collect() };
        let alone = Loss::of(&one, &Outcome::Binary((0..40).map(common).collect()), &folds).unwrap();
        assert_eq!(Loss::of(&both, &labels, &folds).unwrap(), alone);
        let calibration = crate::calibrate::Calibration::fit(&labels, &both, &[]).unwrap();
        let mut scores = [0.5, 0.1];
        calibration.apply(Availability::all(1), &mut scores);
        assert_eq!(scores[1], 0.1);
    }

    #[test]
    fn loss_is_the_likelihood_of_the_line() {
        // Scores that say nothing: the loss is the entropy of the outcome.
        let outcome = Outcome::Binary((0..40).map(|i| i % 4 == 0).collect());
        let folds: Vec<usize> = (0..40).map(|i| i / 20).collect();
        let scores = Matrix { rows: 40, cols: 1, values: vec![f64::NAN; 40] };
        let loss = Loss::of(&scores, &outcome, &folds).unwrap();
        let entropy = -(0.25f64 * 0.25f64.ln() + 0.75 * 0.75f64.ln());
        assert!((loss.mean - entropy).abs() < 1e-9, "{} {entropy}", loss.mean);
        assert!((loss.by_fold[1] - entropy).abs() < 1e-9);
    }
}

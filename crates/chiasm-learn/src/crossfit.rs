//! Cross-fitting: what a model says of training subjects that it has not seen.

use crate::matrix::Matrix;
use crate::{Error, head};
use crate::linear::{Linear, Options};
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

/// Mean loss per subject of out-of-fold scores after the best straight line through them: minus the
/// log-likelihood (partial for survival), summed over outputs. Smaller is better.
///
/// The line makes scorers comparable whose scores are right in order but too bold or too timid.
/// A subject of whom the scorer sees nothing counts at the base rate.
///
/// # Errors
/// [`Error::CannotLearn`] where the outcome does not vary.
pub fn loss(scores: &Matrix, outcome: &Outcome) -> Result<f64, Error> {
    let mut total = 0.0;
    for (k, answer) in head::marginals(outcome, scores.cols).iter().enumerate() {
        let base = head::base_rate(answer);
        let column = (0..scores.rows).map(|r| scores.row(r)[k]).map(|s| if s.is_finite() { s } else { base });
        let x = Matrix { rows: scores.rows, cols: 1, values: column.collect() };
        let line = Linear::fit(&x, answer, 1e-3, &Options { non_negative: true, ..Options::default() })?;
        total -= line.log_likelihood;
    }
    Ok(total / scores.rows.max(1) as f64)
}

//! Calibration per availability pattern, shrunk toward the pooled fit.

use crate::linear::{Linear, Options};
use crate::matrix::Matrix;
use crate::{Error, head};
use chiasm_record::{Availability, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Subjects with the rarer answer that the pooled line counts as, against a pattern's own line.
const POOLED_COUNTS_AS: f64 = 20.0;

/// Straight lines on the link scale that make scores mean what they say: one over all training
/// subjects as they are, one for each pattern of modalities looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// One line per output.
    pooled: Vec<Line>,
    /// Per pattern, one line per output.
    patterns: BTreeMap<Availability, Vec<Line>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    intercept: f64,
    slope: f64,
}

impl Calibration {
    /// Fits the lines.
    ///
    /// `own`: out-of-fold scores of the training subjects as they are, `[subjects, outputs]`;
    /// `patterns`: the same, looking only at the pattern's modalities. NaN where nothing is seen.
    ///
    /// # Errors
    /// [`Error::CannotLearn`] where the outcome does not vary (one of several labels may not).
    pub fn fit(outcome: &Outcome, own: &Matrix, patterns: &[(Availability, Matrix)]) -> Result<Self, Error> {
        let answers = head::marginals(outcome, own.cols);
        let pooled = answers
            .iter()
            .enumerate()
            .map(|(k, answer)| match Line::fit(answer, own, k) {
                Ok((line, _)) => Ok(line),
                // A label that everyone or no one has: nothing to correct its scores by.
                Err(Error::CannotLearn { .. }) if answers.len() > 1 => {
                    Ok(Line { intercept: 0.0, slope: 1.0 })
                }
                Err(other) => Err(other),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let patterns = patterns
            .iter()
            .map(|(set, scores)| {
                let lines = answers
                    .iter()
                    .zip(&pooled)
                    .enumerate()
                    .map(|(k, (answer, pooled))| match Line::fit(answer, scores, k) {
                        Ok((mut own, weight)) => {
                            if let Outcome::Survival { .. } = outcome {
                                // A Cox fit knows no level: the line meets the pooled one at the
                                // pattern's mean score.
                                own.intercept =
                                    pooled.intercept + (pooled.slope - own.slope) * mean(scores, k);
                            }
                            Ok(own.toward(pooled, weight / (weight + POOLED_COUNTS_AS)))
                        }
                        // Too few subjects have the pattern to say anything of their own.
                        Err(Error::CannotLearn { .. }) => Ok(*pooled),
                        Err(other) => Err(other),
                    })
                    .collect::<Result<Vec<_>, Error>>()?;
                Ok((*set, lines))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { pooled, patterns })
    }

    /// Calibrates the scores of one subject looked at through `set`. Shape: `[outputs]`.
    pub fn apply(&self, set: Availability, scores: &mut [f64]) {
        let lines = self.patterns.get(&set).unwrap_or(&self.pooled);
        for (score, line) in scores.iter_mut().zip(lines) {
            *score = line.intercept + line.slope * *score;
        }
    }
}

/// Mean of the finite scores of one output.
fn mean(scores: &Matrix, output: usize) -> f64 {
    let seen: Vec<f64> = (0..scores.rows).map(|r| scores.row(r)[output]).filter(|s| s.is_finite()).collect();
    seen.iter().sum::<f64>() / seen.len().max(1) as f64
}

impl Line {
    /// The line and how many subjects with the rarer answer it rests on.
    fn fit(answer: &Outcome, scores: &Matrix, output: usize) -> Result<(Self, f64), Error> {
        let rows: Vec<usize> = (0..scores.rows).filter(|&r| scores.row(r)[output].is_finite()).collect();
        let answer = answer.select(&rows);
        let x = Matrix {
            rows: rows.len(),
            cols: 1,
            values: rows.iter().map(|&r| scores.row(r)[output]).collect(),
        };
        let weight = match &answer {
            Outcome::Binary(yes) => {
                let events = yes.iter().filter(|&&y| y).count();
                events.min(yes.len() - events)
            }
            Outcome::Survival { event, .. } => event.iter().filter(|&&e| e).count(),
            _ => rows.len(),
        };
        if weight == 0 {
            return Err(Error::CannotLearn {
                place: "calibration".into(),
                message: "the outcome does not vary among the subjects with this pattern".into(),
            });
        }
        // Barely penalised, so that perfectly separated scores keep a finite line; never falling, so
        // that calibration cannot turn an order round.
        let options = Options { non_negative: true, ..Options::default() };
        let fit = Linear::fit(&x, &answer, 1e-2, &options)?;
        Ok((Self { intercept: fit.intercept[0], slope: fit.coefficients[0][0] }, weight as f64))
    }

    fn toward(self, pooled: &Self, weight: f64) -> Self {
        let mix = |own: f64, pooled: f64| weight * own + (1.0 - weight) * pooled;
        Self { intercept: mix(self.intercept, pooled.intercept), slope: mix(self.slope, pooled.slope) }
    }
}

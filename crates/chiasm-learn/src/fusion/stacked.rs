//! Late fusion: an expert per modality, their scores combined on the link scale, with weights of its
//! own for every subset of modalities.

use crate::linear::{Linear, Options};
use crate::matrix::Matrix;
use crate::{Error, head};
use chiasm_record::{Availability, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How the scores of the experts in each subset become one score.
///
/// For every subset the weights were fitted on the out-of-fold scores of training subjects who have
/// all of it. They are not negative and shrink toward equal weights, whose common size is fitted too;
/// so two modalities that say the same do not count twice, and a small cohort cannot choose wildly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stacked {
    /// Number of modalities in the recipe.
    modalities: usize,
    /// Per output: subset -> combination.
    combinations: Vec<BTreeMap<Availability, Combination>>,
    /// Per output: what is believed of nobody in particular.
    base: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Combination {
    intercept: f64,
    /// One weight per modality of the subset, in recipe order.
    weights: Vec<f64>,
}

/// Fewest training subjects who have all of a subset for weights of its own; below, the weights of the
/// full set serve, as far as they reach.
const FEWEST: usize = 20;

impl Stacked {
    /// Fits the combination of each of `subsets`.
    ///
    /// `scores`: per modality the out-of-fold scores of its expert, `[subjects, outputs]`, NaN where a
    /// subject lacks it.
    ///
    /// # Errors
    /// [`Error::CannotLearn`] where the outcome does not vary.
    pub fn fit(
        scores: &[Matrix],
        outcome: &Outcome,
        outputs: usize,
        subsets: &BTreeSet<Availability>,
        shrinkage: f64,
    ) -> Result<Self, Error> {
        let answers = head::marginals(outcome, outputs);
        let mut combinations = Vec::with_capacity(outputs);
        for (k, answer) in answers.iter().enumerate() {
            let column = |m: usize, row: usize| scores[m].row(row)[k];
            let fitted = subsets
                .iter()
                .filter(|s| !s.is_empty())
                .map(|&subset| Ok((subset, Combination::fit(subset, &column, answer, shrinkage)?)))
                .collect::<Result<BTreeMap<_, _>, Error>>()?;
            combinations.push(fitted);
        }
        let base = answers.iter().map(head::base_rate).collect();
        Ok(Self { modalities: scores.len(), combinations, base })
    }

    /// The score of one output from the experts' scores of one subject, looking only at `subset`.
    fn combine(&self, output: usize, subset: Availability, score: impl Fn(usize) -> f64) -> f64 {
        if subset.is_empty() {
            return self.base[output];
        }
        match self.combinations[output].get(&subset) {
            Some(c) => c.intercept + subset.iter().zip(&c.weights).map(|(m, w)| w * score(m)).sum::<f64>(),
            // More modalities than every subset was fitted for: the mean of the pairs' and singles'
            // combinations that lie inside, each a calibrated score of its own.
            None => {
                let inside: Vec<f64> = self.combinations[output]
                    .iter()
                    .filter(|(s, _)| subset.includes(**s))
                    .map(|(s, c)| {
                        c.intercept + s.iter().zip(&c.weights).map(|(m, w)| w * score(m)).sum::<f64>()
                    })
                    .collect();
                if inside.is_empty() {
                    self.base[output]
                } else {
                    inside.iter().sum::<f64>() / inside.len() as f64
                }
            }
        }
    }

    /// Combined scores: number `i` is about row `at[i]` of the experts' scores, looked at through
    /// `set(i)`. `scores`: per modality `[subjects, outputs]`. Returns `[at, outputs]`.
    pub fn score(&self, scores: &[Matrix], at: &[usize], set: impl Fn(usize) -> Availability) -> Matrix {
        let mut all = Matrix::zeros(at.len(), self.base.len());
        for (i, &row) in at.iter().enumerate() {
            for (k, value) in all.row_mut(i).iter_mut().enumerate() {
                *value = self.combine(k, set(i), |m| scores[m].row(row)[k]);
            }
        }
        all
    }

    /// The weight of each modality when all are present, per output; `None` where that was not fitted.
    pub fn full_weights(&self) -> Vec<Option<Vec<f64>>> {
        let full = Availability::all(self.modalities);
        self.combinations.iter().map(|c| c.get(&full).map(|c| c.weights.clone())).collect()
    }
}

impl Combination {
    fn fit(
        subset: Availability,
        score: &impl Fn(usize, usize) -> f64,
        answer: &Outcome,
        shrinkage: f64,
    ) -> Result<Self, Error> {
        let members: Vec<usize> = subset.iter().collect();
        let rows: Vec<usize> =
            (0..answer.len()).filter(|&r| members.iter().all(|&m| score(m, r).is_finite())).collect();
        let answer = answer.select(&rows);
        if rows.len() < FEWEST || !varies(&answer) {
            let weights = vec![1.0 / members.len() as f64; members.len()];
            return Ok(Self { intercept: 0.0, weights });
        }
        // Each score in units of its own spread, so that shrinkage treats bold and timid experts alike.
        let spreads: Vec<f64> = members.iter().map(|&m| spread(rows.iter().map(|&r| score(m, r)))).collect();
        let scaled = |row: usize| members.iter().zip(&spreads).map(move |(&m, s)| score(m, row) / s);
        let sum =
            Matrix { rows: rows.len(), cols: 1, values: rows.iter().map(|&r| scaled(r).sum()).collect() };
        // The common weight: one slope on the sum, barely penalised so that separation stays finite.
        let options =
            |prior: Vec<f64>| Options { prior: Some(vec![prior]), non_negative: true, ..Options::default() };
        let common = Linear::fit(&sum, &answer, 1e-2, &options(vec![0.0]))?.coefficients[0][0];
        let x = Matrix {
            rows: rows.len(),
            cols: members.len(),
            values: rows.iter().flat_map(|&r| scaled(r)).collect(),
        };
        let fit = Linear::fit(&x, &answer, shrinkage, &options(vec![common; members.len()]))?;
        let weights = fit.coefficients[0].iter().zip(&spreads).map(|(w, s)| w / s).collect();
        Ok(Self { intercept: fit.intercept[0], weights })
    }
}

/// Standard deviation; 1 where the values do not vary.
fn spread(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / n;
    let spread = (values.map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    if spread > 0.0 { spread } else { 1.0 }
}

/// Whether there is anything to learn: both answers, an event, or two values.
pub(crate) fn varies(answer: &Outcome) -> bool {
    match answer {
        Outcome::Binary(yes) => yes.contains(&true) && yes.contains(&false),
        Outcome::Survival { event, .. } => event.contains(&true),
        Outcome::Regression(values) => values.iter().any(|v| *v != values[0]),
        Outcome::MultiClass(classes) => classes.iter().any(|c| *c != classes[0]),
        Outcome::MultiLabel(labels) => labels.iter().any(|l| *l != labels[0]),
    }
}

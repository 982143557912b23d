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
    /// Per output: subset -> combination.
    combinations: Vec<BTreeMap<Availability, Combination>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Combination {
    intercept: f64,
    /// One weight per modality of the subset, in recipe order.
    weights: Vec<f64>,
}

/// Fewest training subjects who have all of a subset for weights of its own.
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
                .filter_map(|&subset| {
                    let fit = Combination::fit(subset, &column, answer, shrinkage).transpose()?;
                    Some(fit.map(|combination| (subset, combination)))
                })
                .collect::<Result<BTreeMap<_, _>, Error>>()?;
            combinations.push(fitted);
        }
        Ok(Self { combinations })
    }

    /// The score of one output from the experts' scores of one subject, looking only at `subset`.
    fn combine(&self, output: usize, subset: Availability, score: impl Fn(usize) -> f64) -> f64 {
        if let Some(c) = self.combinations[output].get(&subset) {
            return c.apply(subset, &score);
        }
        // Not fitted (too few had it all, or too many subsets): the mean of the largest fitted subsets
        // inside, each of which is a score of its own. Of nothing, nothing is said.
        let inside: Vec<Availability> =
            self.combinations[output].keys().copied().filter(|s| subset.includes(*s)).collect();
        let largest: Vec<Availability> =
            inside.iter().copied().filter(|s| !inside.iter().any(|t| t != s && t.includes(*s))).collect();
        let total: f64 = largest.iter().map(|s| self.combinations[output][s].apply(*s, &score)).sum();
        if largest.is_empty() { f64::NAN } else { total / largest.len() as f64 }
    }

    /// Combined scores: number `i` is about row `at[i]` of the experts' scores, looked at through
    /// `set(i)`. `scores`: per modality `[subjects, outputs]`. Returns `[at, outputs]`.
    pub fn score(&self, scores: &[Matrix], at: &[usize], set: impl Fn(usize) -> Availability) -> Matrix {
        let mut all = Matrix::zeros(at.len(), self.combinations.len());
        for (i, &row) in at.iter().enumerate() {
            for (k, value) in all.row_mut(i).iter_mut().enumerate() {
                *value = self.combine(k, set(i), |m| scores[m].row(row)[k]);
            }
        }
        all
    }
}

impl Combination {
    fn apply(&self, subset: Availability, score: &impl Fn(usize) -> f64) -> f64 {
        self.intercept + subset.iter().zip(&self.weights).map(|(m, w)| w * score(m)).sum::<f64>()
    }

    /// `None` where fewer than [`FEWEST`] subjects have all of the subset, or their outcome does not vary.
    fn fit(
        subset: Availability,
        score: &impl Fn(usize, usize) -> f64,
        answer: &Outcome,
        shrinkage: f64,
    ) -> Result<Option<Self>, Error> {
        let members: Vec<usize> = subset.iter().collect();
        let rows: Vec<usize> =
            (0..answer.len()).filter(|&r| members.iter().all(|&m| score(m, r).is_finite())).collect();
        let level = level(answer, &rows);
        let answer = answer.select(&rows);
        if rows.len() < FEWEST || !varies(&answer) {
            return Ok(None);
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
        Ok(Some(Self { intercept: fit.intercept[0] + level, weights }))
    }
}

/// The log-risk of the mean subject among `rows` against all subjects: events over the events that the
/// cumulative hazard of all leads to expect. A Cox fit knows no level, but those who have a modality may
/// be at another risk than those who lack it. 0 unless survival.
fn level(answer: &Outcome, rows: &[usize]) -> f64 {
    let Outcome::Survival { time, event } = answer else { return 0.0 };
    let even = vec![0.0; time.len()];
    let own: Vec<f64> = rows.iter().map(|&r| time[r]).collect();
    let expected: f64 = head::baseline_hazard(time, event, &even, &own).iter().sum();
    let observed = rows.iter().filter(|&&r| event[r]).count() as f64;
    ((observed + 1.0) / (expected + 1.0)).ln()
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

//! Log-likelihoods as functions of the scores, shared by ridge regression and boosting.

use super::cox::{Cox, Sums};
use crate::Error;
use chiasm_record::Outcome;

/// An outcome with its weights, ready to be asked for value, gradient and curvature at any scores.
///
/// Scores lie row by row: `eta[row * outputs + output]`.
#[derive(Clone, Debug)]
pub(crate) struct Likelihood {
    head: Head,
    weights: Vec<f64>,
    outputs: usize,
}

#[derive(Clone, Debug)]
enum Head {
    Squared(Vec<f64>),
    /// `[row * labels + label]`, 0 or 1.
    Logistic(Vec<f64>),
    Softmax(Vec<usize>),
    Cox(Cox),
}

/// The log-likelihood near one vector of scores.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) value: f64,
    /// Shape: `[rows * outputs]`.
    pub(crate) gradient: Vec<f64>,
    /// Diagonal of the negated Hessian. Shape: `[rows * outputs]`.
    pub(crate) diagonal: Vec<f64>,
    chance: Vec<f64>,
    sums: Sums,
}

/// Checks row weights, or gives every row the weight 1.
pub(crate) fn row_weights(place: &str, rows: usize, weights: Option<&[f64]>) -> Result<Vec<f64>, Error> {
    let weights = weights.map_or_else(|| vec![1.0; rows], <[f64]>::to_vec);
    if weights.len() != rows {
        return Err(Error::Shape { message: format!("{place}: {} weights, expected {rows}", weights.len()) });
    }
    if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || weights.iter().sum::<f64>() <= 0.0 {
        return Err(Error::Shape {
            message: format!("{place}: weights must be finite, not negative and not all zero"),
        });
    }
    Ok(weights)
}

impl Likelihood {
    /// Checks that the outcome can teach: two classes, an event with someone else at risk, finite values.
    pub(crate) fn new(
        place: &str,
        outcome: &Outcome,
        weights: Vec<f64>,
        classes: Option<usize>,
    ) -> Result<Self, Error> {
        let n = outcome.len();
        let cannot = |message: &str| Err(Error::CannotLearn { place: place.into(), message: message.into() });
        let counted = |r: &usize| weights[*r] > 0.0;
        let (head, outputs) = match outcome {
            Outcome::Binary(y) => {
                let positive = (0..n).filter(counted).filter(|&r| y[r]).count();
                if positive == 0 || positive == (0..n).filter(counted).count() {
                    return cannot("one class only");
                }
                (Head::Logistic(y.iter().map(|&b| f64::from(u8::from(b))).collect()), 1)
            }
            Outcome::MultiLabel(y) => {
                let labels = y.first().map_or(0, Vec::len);
                if labels == 0 || y.iter().any(|l| l.len() != labels) {
                    return cannot("rows differ in their number of labels, or there is none");
                }
                (Head::Logistic(y.iter().flatten().map(|&b| f64::from(u8::from(b))).collect()), labels)
            }
            Outcome::MultiClass(y) => {
                let most = y.iter().max().map_or(0, |&c| c + 1);
                let k = classes.unwrap_or(most);
                if most > k {
                    return cannot("a class beyond the number of classes");
                }
                let seen: std::collections::BTreeSet<usize> = (0..n).filter(counted).map(|r| y[r]).collect();
                if seen.len() < 2 {
                    return cannot("one class only");
                }
                (Head::Softmax(y.clone()), k)
            }
            Outcome::Regression(y) => {
                if y.iter().any(|v| !v.is_finite()) {
                    return cannot("an outcome is not a finite number");
                }
                (Head::Squared(y.clone()), 1)
            }
            Outcome::Survival { time, event } => {
                if event.len() != n {
                    return cannot("times and events differ in number");
                }
                if time.iter().any(|t| !t.is_finite() || *t < 0.0) {
                    return cannot("a time is negative or not a finite number");
                }
                if !(0..n).filter(counted).any(|r| event[r]) {
                    return cannot("no event");
                }
                (Head::Cox(Cox::new(time, event, &weights)), 1)
            }
        };
        Ok(Self { head, weights, outputs })
    }

    /// Number of scores a row.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Whether the scores have a level that the likelihood can see (Cox's has none).
    pub(crate) fn has_level(&self) -> bool {
        !matches!(self.head, Head::Cox(_))
    }

    /// The constant scores of greatest likelihood; a class or label never (or always) seen counts as
    /// half an observation. Shape: `[outputs]`.
    pub(crate) fn constant(&self) -> Vec<f64> {
        let total: f64 = self.weights.iter().sum();
        match &self.head {
            Head::Squared(y) => vec![y.iter().zip(&self.weights).map(|(y, w)| w * y).sum::<f64>() / total],
            Head::Logistic(y) => {
                let k = self.outputs;
                let positive = |l: usize| -> f64 {
                    self.weights.iter().enumerate().map(|(r, w)| w * y[r * k + l]).sum::<f64>()
                };
                (0..k)
                    .map(|l| {
                        let p = positive(l);
                        let half = total / (2.0 * self.weights.len() as f64);
                        let (p, q) = if p <= 0.0 || p >= total {
                            (p + half, total - p + half)
                        } else {
                            (p, total - p)
                        };
                        (p / q).ln()
                    })
                    .collect()
            }
            Head::Softmax(y) => {
                let half = total / (2.0 * self.weights.len() as f64);
                let mut mass = vec![0.0; self.outputs];
                for (c, w) in y.iter().zip(&self.weights) {
                    mass[*c] += w;
                }
                let logs: Vec<f64> = mass.iter().map(|m| (m.max(half) / total).ln()).collect();
                let mean = logs.iter().sum::<f64>() / logs.len() as f64;
                logs.iter().map(|l| l - mean).collect()
            }
            Head::Cox(_) => vec![0.0],
        }
    }

    /// Value, gradient and diagonal curvature at `eta` (shape `[rows * outputs]`).
    pub(crate) fn at(&self, eta: &[f64]) -> Point {
        let (n, k) = (self.weights.len(), self.outputs);
        let mut gradient = vec![0.0; n * k];
        let mut diagonal = vec![0.0; n * k];
        let mut chance = Vec::new();
        let mut sums = Sums::default();
        let mut value = 0.0;
        match &self.head {
            Head::Squared(y) => {
                for r in 0..n {
                    let rest = y[r] - eta[r];
                    value -= 0.5 * self.weights[r] * rest * rest;
                    gradient[r] = self.weights[r] * rest;
                    diagonal[r] = self.weights[r];
                }
            }
            Head::Logistic(y) => {
                for r in 0..n {
                    let w = self.weights[r];
                    for i in r * k..(r + 1) * k {
                        let p = 1.0 / (1.0 + (-eta[i]).exp());
                        let softplus = eta[i].max(0.0) + (-eta[i].abs()).exp().ln_1p();
                        value += w * (y[i] * eta[i] - softplus);
                        gradient[i] = w * (y[i] - p);
                        diagonal[i] = w * p * (1.0 - p);
                    }
                }
            }
            Head::Softmax(y) => {
                chance = vec![0.0; n * k];
                for r in 0..n {
                    let w = self.weights[r];
                    let scores = &eta[r * k..(r + 1) * k];
                    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let sum: f64 = scores.iter().map(|s| (s - top).exp()).sum();
                    value += w * (scores[y[r]] - top - sum.ln());
                    for c in 0..k {
                        let p = (scores[c] - top).exp() / sum;
                        let hit = if y[r] == c { 1.0 } else { 0.0 };
                        chance[r * k + c] = p;
                        gradient[r * k + c] = w * (hit - p);
                        diagonal[r * k + c] = w * p * (1.0 - p);
                    }
                }
            }
            Head::Cox(cox) => (value, sums) = cox.at(eta, &mut gradient, &mut diagonal),
        }
        Point { value, gradient, diagonal, chance, sums }
    }

    /// The negated Hessian at `point` times `v`. Shapes: `[rows * outputs]`.
    pub(crate) fn curvature(&self, point: &Point, v: &[f64], out: &mut [f64]) {
        match &self.head {
            Head::Squared(_) | Head::Logistic(_) => {
                for ((out, v), d) in out.iter_mut().zip(v).zip(&point.diagonal) {
                    *out = v * d;
                }
            }
            Head::Softmax(_) => {
                let k = self.outputs;
                for (r, w) in self.weights.iter().enumerate() {
                    let row = r * k..(r + 1) * k;
                    let p = &point.chance[row.clone()];
                    let mean: f64 = p.iter().zip(&v[row.clone()]).map(|(p, v)| p * v).sum();
                    for c in 0..k {
                        out[r * k + c] = w * p[c] * (v[r * k + c] - mean);
                    }
                }
            }
            Head::Cox(cox) => cox.curvature(&point.sums, v, out),
        }
    }
}

//! What training asks of the scores: a loss per kind of question, with its gradient.

use super::config::{NetConfig, SurvivalLoss};
use crate::Error;
use chiasm_record::Outcome;
use serde::{Deserialize, Serialize};

mod survival;

use survival::{cox, hazards};

/// How the network's raw outputs become scores on the link scale. Part of the checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Link {
    /// Log-odds of each output.
    Logistic,
    /// Log-probabilities of the classes.
    Softmax,
    /// `mean + sd · output`, in the outcome's unit.
    Value {
        /// Mean of the training outcomes.
        mean: f64,
        /// Their standard deviation.
        sd: f64,
    },
    /// Log-risk.
    LogRisk,
    /// Logits of the hazards of bins that end at these times (years); the score is the log of the
    /// cumulative hazard over all bins.
    Hazards {
        /// The bins' upper ends, ascending.
        edges: Vec<f64>,
    },
}

impl Link {
    /// Scores of one row from its raw outputs.
    pub(crate) fn apply(&self, raw: &[f64]) -> Vec<f64> {
        match self {
            Self::Logistic | Self::LogRisk => raw.to_vec(),
            Self::Softmax => {
                let most = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total = raw.iter().map(|x| (x - most).exp()).sum::<f64>().ln() + most;
                raw.iter().map(|x| x - total).collect()
            }
            Self::Value { mean, sd } => raw.iter().map(|x| mean + sd * x).collect(),
            Self::Hazards { .. } => vec![raw.iter().map(|&z| softplus(z)).sum::<f64>().ln()],
        }
    }

    /// Number of scores of a row that has `raw` raw outputs.
    pub(crate) fn scores(&self, raw: usize) -> usize {
        if matches!(self, Self::Hazards { .. }) { 1 } else { raw }
    }
}

/// The training rows' answers in the form that the loss reads.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Yes or no for each output: `[row][output]`, and the weight of no and of yes per output.
    Logistic { positive: Vec<Vec<bool>>, weights: Vec<[f64; 2]> },
    /// The class of each row and the weight of each class.
    Classes { class: Vec<usize>, weights: Vec<f64> },
    /// Standardised values.
    Value(Vec<f64>),
    /// Follow-up for the Cox partial likelihood.
    Cox { time: Vec<f64>, event: Vec<bool>, efron: bool },
    /// Follow-up in bins: how many bins were survived, and whether the event fell into the next one.
    Hazards { survived: Vec<usize>, event: Vec<bool> },
}

impl Target {
    /// Reads an outcome; also says how scores are linked and how many raw outputs they need.
    ///
    /// # Errors
    /// [`Error::Shape`] for answers that do not fit `outputs` or the class weights;
    /// [`Error::CannotLearn`] for one class only, no event, or no spread.
    pub(crate) fn new(
        outcome: &Outcome,
        outputs: usize,
        config: &NetConfig,
    ) -> Result<(Self, Link, usize), Error> {
        let shape = |message: String| Error::Shape { message };
        let cannot = |message: &str| Error::CannotLearn { place: "net".into(), message: message.into() };
        let single =
            matches!(outcome, Outcome::Binary(_) | Outcome::Regression(_) | Outcome::Survival { .. });
        if outputs == 0 || (single && outputs != 1) {
            return Err(shape(format!("{outputs} outputs do not fit the outcome")));
        }
        let given = &config.class_weights;
        let expected = match outcome {
            Outcome::Binary(_) => 2,
            Outcome::MultiClass(_) | Outcome::MultiLabel(_) => outputs,
            _ => 0,
        };
        if !given.is_empty() && given.len() != expected {
            return Err(shape(format!("class_weights: found {}, expected {expected}", given.len())));
        }
        let weight = |i: usize| given.get(i).copied().unwrap_or(1.0);
        let sound = |v: &f64| v.is_finite();
        Ok(match outcome {
            Outcome::Binary(answers) => {
                if answers.iter().all(|&b| b) || !answers.iter().any(|&b| b) {
                    return Err(cannot("one class only"));
                }
                let positive = answers.iter().map(|&b| vec![b]).collect();
                (Self::Logistic { positive, weights: vec![[weight(0), weight(1)]] }, Link::Logistic, 1)
            }
            Outcome::MultiLabel(labels) => {
                if let Some(row) = labels.iter().position(|l| l.len() != outputs) {
                    return Err(shape(format!(
                        "row {row}: {} labels, expected {outputs}",
                        labels[row].len()
                    )));
                }
                let weights = (0..outputs).map(|o| [1.0, weight(o)]).collect();
                (Self::Logistic { positive: labels.clone(), weights }, Link::Logistic, outputs)
            }
            Outcome::MultiClass(class) => {
                if let Some(row) = class.iter().position(|&c| c >= outputs) {
                    return Err(shape(format!("row {row}: class {}, expected below {outputs}", class[row])));
                }
                if class.iter().all(|c| Some(c) == class.first()) {
                    return Err(cannot("one class only"));
                }
                let weights = (0..outputs).map(weight).collect();
                (Self::Classes { class: class.clone(), weights }, Link::Softmax, outputs)
            }
            Outcome::Regression(values) => {
                if let Some(row) = values.iter().position(|v| !sound(v)) {
                    return Err(shape(format!("row {row}: an outcome that is not finite")));
                }
                let n = values.len().max(1) as f64;
                let mean = values.iter().sum::<f64>() / n;
                let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
                if !(sd > 0.0 && sd.is_finite()) {
                    return Err(cannot("outcomes without spread"));
                }
                (Self::Value(values.iter().map(|v| (v - mean) / sd).collect()), Link::Value { mean, sd }, 1)
            }
            Outcome::Survival { time, event } => {
                if time.len() != event.len() || !time.iter().all(|t| sound(t) && *t >= 0.0) {
                    return Err(shape("a follow-up time that is missing, negative or not finite".into()));
                }
                if !event.iter().any(|&e| e) {
                    return Err(cannot("no event"));
                }
                match config.survival {
                    SurvivalLoss::Cox | SurvivalLoss::CoxBreslow => {
                        let efron = config.survival == SurvivalLoss::Cox;
                        (Self::Cox { time: time.clone(), event: event.clone(), efron }, Link::LogRisk, 1)
                    }
                    SurvivalLoss::Discrete { bins } => {
                        let edges = survival::edges(time, event, bins);
                        let survived =
                            time.iter().zip(event).map(|(&t, &e)| survival::survived(&edges, t, e)).collect();
                        let bins = edges.len();
                        (Self::Hazards { survived, event: event.clone() }, Link::Hazards { edges }, bins)
                    }
                }
            }
        })
    }

    /// The loss of `rows`, whose raw outputs are `scores` (`[rows, outputs]`), and its gradient. A weighted
    /// mean over rows (over events for Cox).
    pub(crate) fn loss(&self, rows: &[usize], scores: &[f32]) -> (f64, Vec<f32>) {
        let outputs = scores.len() / rows.len().max(1);
        let mut gradient = vec![0.0f64; scores.len()];
        let mut loss = 0.0;
        let mut total = 0.0;
        let score = |i: usize| f64::from(scores[i]);
        match self {
            Self::Logistic { positive, weights } => {
                for (i, &row) in rows.iter().enumerate() {
                    for (o, &yes) in positive[row].iter().enumerate() {
                        let (at, weight) = (i * outputs + o, weights[o][usize::from(yes)]);
                        let z = score(at);
                        loss += weight * if yes { softplus(-z) } else { softplus(z) };
                        gradient[at] = weight * (sigmoid(z) - f64::from(u8::from(yes)));
                        total += weight;
                    }
                }
            }
            Self::Classes { class, weights } => {
                for (i, &row) in rows.iter().enumerate() {
                    let raw: Vec<f64> = (0..outputs).map(|o| score(i * outputs + o)).collect();
                    let logs = Link::Softmax.apply(&raw);
                    let weight = weights[class[row]];
                    loss -= weight * logs[class[row]];
                    for (o, log) in logs.iter().enumerate() {
                        gradient[i * outputs + o] =
                            weight * (log.exp() - f64::from(u8::from(o == class[row])));
                    }
                    total += weight;
                }
            }
            Self::Value(values) => {
                for (i, &row) in rows.iter().enumerate() {
                    let error = score(i) - values[row];
                    loss += error * error;
                    gradient[i] = 2.0 * error;
                    total += 1.0;
                }
            }
            Self::Cox { time, event, efron } => {
                let follow_up: Vec<(f64, bool)> = rows.iter().map(|&r| (time[r], event[r])).collect();
                let scores: Vec<f64> = (0..rows.len()).map(score).collect();
                loss = cox(&scores, &follow_up, *efron, &mut gradient);
                total = follow_up.iter().filter(|f| f.1).count() as f64;
            }
            Self::Hazards { survived, event } => {
                for (i, &row) in rows.iter().enumerate() {
                    let at = i * outputs..(i + 1) * outputs;
                    let raw: Vec<f64> = at.clone().map(score).collect();
                    loss += hazards(&raw, survived[row], event[row], &mut gradient[at]);
                    total += 1.0;
                }
            }
        }
        if total <= 0.0 {
            return (0.0, vec![0.0; scores.len()]);
        }
        (loss / total, gradient.into_iter().map(|g| (g / total) as f32).collect())
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// `ln(1 + e^z)` without overflow.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(outcome: Outcome, outputs: usize, config: &NetConfig) -> (Target, Link, usize) {
        Target::new(&outcome, outputs, config).unwrap()
    }

    #[test]
    fn every_gradient_is_the_difference_quotient() {
        let time = vec![1.0, 2.0, 2.0, 2.0, 3.5, 0.0, 4.0, 2.5];
        let event = vec![true, true, true, false, true, false, false, true];
        let survival = Outcome::Survival { time, event };
        let plain = NetConfig::default();
        let with = |survival| NetConfig { survival, ..NetConfig::default() };
        let binary = Outcome::Binary((0..8).map(|i| i % 3 == 0).collect());
        let weighted = NetConfig { class_weights: vec![1.0, 3.0], ..NetConfig::default() };
        let cases = [
            target(binary.clone(), 1, &plain),
            target(binary, 1, &weighted),
            target(Outcome::MultiClass((0..8).map(|i| i % 3).collect()), 3, &plain),
            target(Outcome::MultiLabel((0..8).map(|i| vec![i % 2 == 0, i % 3 == 0]).collect()), 2, &weighted),
            target(Outcome::Regression((0..8).map(f64::from).collect()), 1, &plain),
            target(survival.clone(), 1, &plain),
            target(survival.clone(), 1, &with(SurvivalLoss::CoxBreslow)),
            target(survival, 1, &with(SurvivalLoss::Discrete { bins: 3 })),
        ];
        for (target, _, outputs) in cases {
            let rows = [7, 1, 2, 0, 4, 3, 6];
            let scores: Vec<f32> =
                (0..rows.len() * outputs).map(|i| ((i * 5 + 2) % 9) as f32 / 4.0 - 1.0).collect();
            let (_, gradient) = target.loss(&rows, &scores);
            for at in 0..scores.len() {
                let moved = |by: f32| {
                    let mut scores = scores.clone();
                    scores[at] += by;
                    target.loss(&rows, &scores).0
                };
                let difference = (moved(1.0 / 512.0) - moved(-1.0 / 512.0)) * 256.0;
                assert!(
                    (difference - f64::from(gradient[at])).abs() < 1e-5,
                    "{target:?} at {at}: {difference} {}",
                    gradient[at]
                );
            }
        }
    }

    #[test]
    fn answers_that_cannot_teach_are_refused() {
        let config = NetConfig::default();
        let cannot = |outcome: Outcome, outputs| Target::new(&outcome, outputs, &config).unwrap_err();
        assert!(matches!(cannot(Outcome::Binary(vec![true; 3]), 1), Error::CannotLearn { .. }));
        assert!(matches!(cannot(Outcome::MultiClass(vec![0, 3]), 3), Error::Shape { .. }));
        assert!(matches!(cannot(Outcome::Regression(vec![1.0, f64::NAN]), 1), Error::Shape { .. }));
        let censored = Outcome::Survival { time: vec![1.0], event: vec![false] };
        assert!(matches!(cannot(censored, 1), Error::CannotLearn { .. }));
        let negative = Outcome::Survival { time: vec![-1.0], event: vec![true] };
        assert!(matches!(cannot(negative, 1), Error::Shape { .. }));
    }
}

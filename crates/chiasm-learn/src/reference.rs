//! What the chosen fusion said of its training subjects out of fold: the witnesses for intervals,
//! prediction sets, baseline risk and the value of missing evidence.

use crate::conformal::Witness;
use crate::matrix::Matrix;
use chiasm_record::{Availability, Outcome};
use serde::{Deserialize, Serialize};

/// Subjects with the most similar score that tell how far a new modality would move a prediction.
const NEIGHBOURS: usize = 50;

/// Calibrated out-of-fold scores of the training subjects with what must be known of their answers: no
/// ids, no follow-up times, and in the order of the score, which is no order of the data's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Per output, per subject: yes or no with its weight, `None` where that is not known. For survival:
    /// the event by the horizon. Empty for a regression.
    answers: Vec<Vec<Option<(bool, f64)>>>,
    /// A regression's values; empty otherwise.
    values: Vec<f64>,
    /// Each subject as it is: `[subjects][outputs]`, `None` where nothing was seen.
    own: Vec<Option<Vec<f64>>>,
    /// Per pattern: the subjects who have all of it, looked at through it alone.
    patterns: Vec<(Availability, Vec<Option<Vec<f64>>>)>,
}

impl Reference {
    /// Keeps calibrated scores, NaN where nothing was seen. `horizon`: years at which survival is answered.
    pub fn new(
        outcome: &Outcome,
        own: &Matrix,
        patterns: &[(Availability, Matrix)],
        horizon: Option<f64>,
    ) -> Self {
        let mut order: Vec<usize> = (0..own.rows).collect();
        order.sort_by(|&a, &b| own.row(a)[0].total_cmp(&own.row(b)[0]));
        let answers = (0..own.cols).map(|k| answers(outcome, k, horizon));
        let answers = answers.filter(|a| a.iter().any(Option::is_some));
        Self {
            answers: answers.map(|a| order.iter().map(|&r| a[r]).collect()).collect(),
            values: match outcome {
                Outcome::Regression(values) => order.iter().map(|&r| values[r]).collect(),
                _ => Vec::new(),
            },
            own: kept(own, &order),
            patterns: patterns.iter().map(|(set, scores)| (*set, kept(scores, &order))).collect(),
        }
    }

    /// Out-of-fold scores of the subjects as they are with their answers to a yes-or-no output, where
    /// both are known.
    pub fn own(&self, output: usize) -> impl Iterator<Item = (&[f64], bool)> {
        let answers = self.answers.get(output).into_iter().flatten();
        self.own.iter().zip(answers).filter_map(|(s, a)| Some((s.as_deref()?, (*a)?.0)))
    }

    /// The subjects who have all of `set`, looked at through it; all subjects as they are where the
    /// pattern was not kept.
    fn seen(&self, set: Availability) -> &[Option<Vec<f64>>] {
        self.patterns.iter().find(|(s, _)| *s == set).map_or(&self.own, |(_, scores)| scores)
    }

    /// Witnesses of a yes-or-no output for a subject with pattern `set`, sorted by score. For survival:
    /// the event by the horizon, among subjects whose state there is known, weighted by the inverse
    /// probability of not being censored until then. Empty for a regression.
    pub fn witnesses(&self, set: Availability, output: usize) -> Vec<Witness> {
        let answers = self.answers.get(output).into_iter().flatten();
        let mut witnesses: Vec<Witness> = self
            .seen(set)
            .iter()
            .zip(answers)
            .filter_map(|(scores, answer)| {
                let (yes, weight) = (*answer)?;
                Some(Witness { score: scores.as_ref()?[output], yes, weight })
            })
            .collect();
        witnesses.sort_by(|a, b| a.score.total_cmp(&b.score));
        witnesses
    }

    /// Half-width of a regression's interval that held this share of the subjects with pattern `set`.
    pub fn half_width(&self, set: Availability, confidence: f64) -> f64 {
        let seen = self.seen(set).iter().zip(&self.values);
        let mut residuals: Vec<f64> = seen.filter_map(|(s, v)| Some((s.as_ref()?[0] - v).abs())).collect();
        residuals.sort_by(f64::total_cmp);
        let rank = ((residuals.len() + 1) as f64 * confidence).ceil() as usize;
        residuals.get(rank.saturating_sub(1)).copied().unwrap_or(f64::INFINITY)
    }

    /// How far `output` would likely move on the link scale if a subject with pattern `set` and this
    /// score also had modality `m`: the mean distance it moved for training subjects who have it and
    /// whose score without it is most similar. `None` where too few have it.
    pub fn value_of(&self, set: Availability, m: usize, output: usize, score: f64) -> Option<f64> {
        let find = |set| self.patterns.iter().find(|(s, _)| *s == set).map(|(_, scores)| scores);
        let (without, with) = (find(set)?, find(set.with(m))?);
        let mut moves: Vec<(f64, f64)> = without
            .iter()
            .zip(with)
            .filter_map(|(a, b)| Some((a.as_ref()?[output], b.as_ref()?[output])))
            .map(|(a, b)| ((a - score).abs(), (b - a).abs()))
            .collect();
        moves.sort_by(|a, b| a.0.total_cmp(&b.0));
        let nearest = &moves[..moves.len().min(NEIGHBOURS)];
        (nearest.len() >= 10)
            .then(|| nearest.iter().map(|(_, moved)| moved).sum::<f64>() / nearest.len() as f64)
    }
}

/// Per subject: the answer to `output` and its weight, or `None` where it is not known.
fn answers(outcome: &Outcome, output: usize, horizon: Option<f64>) -> Vec<Option<(bool, f64)>> {
    match outcome {
        Outcome::Binary(yes) => yes.iter().map(|&y| Some((y, 1.0))).collect(),
        Outcome::MultiClass(classes) => classes.iter().map(|&c| Some((c == output, 1.0))).collect(),
        Outcome::MultiLabel(labels) => labels.iter().map(|l| Some((l[output], 1.0))).collect(),
        Outcome::Regression(values) => vec![None; values.len()],
        Outcome::Survival { time, event } => {
            let horizon = horizon.unwrap_or(f64::INFINITY);
            let free = censoring_free(time, event);
            time.iter()
                .zip(event)
                .map(|(&t, &e)| match (t <= horizon, e) {
                    (true, true) => Some((true, 1.0 / free(t))),
                    (true, false) => None,
                    (false, _) => Some((false, 1.0 / free(horizon))),
                })
                .collect()
        }
    }
}

fn kept(scores: &Matrix, order: &[usize]) -> Vec<Option<Vec<f64>>> {
    let row = |&r: &usize| Some(scores.row(r).to_vec()).filter(|s| s.iter().all(|v| v.is_finite()));
    order.iter().map(row).collect()
}

/// Kaplan–Meier probability of being uncensored just before a time, at least .05.
fn censoring_free(time: &[f64], event: &[bool]) -> impl Fn(f64) -> f64 {
    let mut order: Vec<usize> = (0..time.len()).collect();
    order.sort_by(|&a, &b| time[a].total_cmp(&time[b]));
    let (mut steps, mut free, mut i) = (Vec::new(), 1.0, 0);
    while i < order.len() {
        let now = time[order[i]];
        let (at_risk, mut censored, mut events) = ((order.len() - i) as f64, 0.0, 0.0);
        while i < order.len() && time[order[i]] == now {
            if event[order[i]] {
                events += 1.0
            } else {
                censored += 1.0
            }
            i += 1;
        }
        // Events at the same time come first.
        if censored > 0.0 {
            free *= 1.0 - censored / (at_risk - events);
        }
        steps.push((now, free));
    }
    move |t| {
        let before = steps.partition_point(|(s, _)| *s < t);
        if before == 0 { 1.0 } else { steps[before - 1].1.max(0.05) }
    }
}

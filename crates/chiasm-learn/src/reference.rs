//! What the chosen fusion said of its training subjects out of fold: the witnesses for intervals,
//! prediction sets, baseline risk and the value of missing evidence.

use crate::conformal::Witness;
use crate::matrix::Matrix;
use chiasm_record::{Availability, Outcome};
use serde::{Deserialize, Serialize};

/// Subjects with the most similar score that tell how far a new modality would move a prediction.
const NEIGHBOURS: usize = 50;

/// Calibrated out-of-fold scores of the training subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    outcome: Outcome,
    /// Each subject as it is: `[subjects][outputs]`, `None` where nothing was seen.
    own: Vec<Option<Vec<f64>>>,
    /// Per pattern: the subjects who have all of it, looked at through it alone.
    patterns: Vec<(Availability, Vec<Option<Vec<f64>>>)>,
    /// Years at which survival is answered.
    horizon: Option<f64>,
}

impl Reference {
    /// Keeps calibrated scores, NaN where nothing was seen.
    pub fn new(
        outcome: &Outcome,
        own: &Matrix,
        patterns: &[(Availability, Matrix)],
        horizon: Option<f64>,
    ) -> Self {
        let patterns = patterns.iter().map(|(set, scores)| (*set, kept(scores))).collect();
        Self { outcome: outcome.clone(), own: kept(own), patterns, horizon }
    }

    /// The out-of-fold scores of the training subjects as they are, `None` where nothing was seen,
    /// and their outcomes.
    pub fn own(&self) -> (&[Option<Vec<f64>>], &Outcome) {
        (&self.own, &self.outcome)
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
        let seen = self.seen(set);
        let answers = self.answers(output);
        let mut witnesses: Vec<Witness> = seen
            .iter()
            .zip(answers)
            .filter_map(|(scores, answer)| {
                let (yes, weight) = answer?;
                Some(Witness { score: scores.as_ref()?[output], yes, weight })
            })
            .collect();
        witnesses.sort_by(|a, b| a.score.total_cmp(&b.score));
        witnesses
    }

    /// Per subject: the answer and its weight, or `None` where it is not known.
    fn answers(&self, output: usize) -> Vec<Option<(bool, f64)>> {
        match &self.outcome {
            Outcome::Binary(yes) => yes.iter().map(|&y| Some((y, 1.0))).collect(),
            Outcome::MultiClass(classes) => classes.iter().map(|&c| Some((c == output, 1.0))).collect(),
            Outcome::MultiLabel(labels) => labels.iter().map(|l| Some((l[output], 1.0))).collect(),
            Outcome::Regression(values) => vec![None; values.len()],
            Outcome::Survival { time, event } => {
                let horizon = self.horizon.unwrap_or(f64::INFINITY);
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

    /// Half-width of a regression's interval that held this share of the subjects with pattern `set`.
    pub fn half_width(&self, set: Availability, confidence: f64) -> f64 {
        let Outcome::Regression(values) = &self.outcome else { return f64::NAN };
        let seen = self.seen(set).iter().zip(values);
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

fn kept(scores: &Matrix) -> Vec<Option<Vec<f64>>> {
    let row = |r| Some(scores.row(r).to_vec()).filter(|s| s.iter().all(|v| v.is_finite()));
    (0..scores.rows).map(row).collect()
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

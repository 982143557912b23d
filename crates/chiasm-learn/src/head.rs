//! From scores on the link scale to answers, one output at a time.

use chiasm_record::{Outcome, TaskKind};

/// What each output of the task has to say on its own: one yes-or-no question per class or label;
/// the outcome itself where there is one output.
pub fn marginals(outcome: &Outcome, outputs: usize) -> Vec<Outcome> {
    match outcome {
        Outcome::MultiClass(classes) => {
            (0..outputs).map(|k| Outcome::Binary(classes.iter().map(|&c| c == k).collect())).collect()
        }
        Outcome::MultiLabel(labels) => {
            (0..outputs).map(|k| Outcome::Binary(labels.iter().map(|l| l[k]).collect())).collect()
        }
        Outcome::Binary(_) | Outcome::Regression(_) | Outcome::Survival { .. } => vec![outcome.clone()],
    }
}

/// Turns scores into answers, in place: log-odds into probabilities (over several classes they sum to
/// 1); a regression's value stays; a log-risk becomes the risk by the horizon, given the baseline
/// cumulative hazard there.
pub fn answer(kind: TaskKind, baseline_hazard: f64, scores: &mut [f64]) {
    match kind {
        TaskKind::Binary | TaskKind::MultiLabel => scores.iter_mut().for_each(|s| *s = sigmoid(*s)),
        TaskKind::MultiClass => {
            scores.iter_mut().for_each(|s| *s = sigmoid(*s));
            let total: f64 = scores.iter().sum();
            scores.iter_mut().for_each(|s| *s /= total);
        }
        TaskKind::Regression => {}
        TaskKind::Survival => scores.iter_mut().for_each(|s| *s = -(-baseline_hazard * s.exp()).exp_m1()),
    }
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// What is believed of a subject of whom nothing is known, on the link scale: the log-odds of the
/// event (half an event added to each side), the mean, or a log-risk of 0.
pub fn base_rate(outcome: &Outcome) -> f64 {
    match outcome {
        Outcome::Binary(yes) => {
            let events = yes.iter().filter(|&&y| y).count() as f64;
            ((events + 0.5) / (yes.len() as f64 - events + 0.5)).ln()
        }
        Outcome::Regression(values) => values.iter().sum::<f64>() / values.len().max(1) as f64,
        Outcome::MultiClass(_) | Outcome::MultiLabel(_) | Outcome::Survival { .. } => 0.0,
    }
}

/// Breslow's baseline cumulative hazard at `horizon`, given log-risks.
///
/// # Source
/// Breslow 1972 (discussion of Cox 1972); equals R's `basehaz(centered = FALSE)`.
pub fn baseline_hazard(time: &[f64], event: &[bool], log_risk: &[f64], horizon: f64) -> f64 {
    let mut order: Vec<usize> = (0..time.len()).collect();
    order.sort_by(|&a, &b| time[b].total_cmp(&time[a]));
    let (mut at_risk, mut hazard, mut i) = (0.0, 0.0, 0);
    while i < order.len() {
        let now = time[order[i]];
        let mut events = 0.0;
        while i < order.len() && time[order[i]] == now {
            at_risk += log_risk[order[i]].exp();
            events += f64::from(u8::from(event[order[i]]));
            i += 1;
        }
        if now <= horizon && events > 0.0 {
            hazard += events / at_risk;
        }
    }
    hazard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazard_by_hand() {
        // Times 1 (event), 2 (event, tie), 2 (event), 3 (censored); all at equal risk.
        let h = baseline_hazard(&[1.0, 2.0, 2.0, 3.0], &[true, true, true, false], &[0.0; 4], 2.5);
        assert!((h - (1.0 / 4.0 + 2.0 / 3.0)).abs() < 1e-12);
        assert_eq!(baseline_hazard(&[1.0], &[true], &[0.0], 0.5), 0.0);
    }

    #[test]
    fn classes_sum_to_one() {
        let mut s = [0.2, -1.0, 3.0];
        answer(TaskKind::MultiClass, 0.0, &mut s);
        assert!((s.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

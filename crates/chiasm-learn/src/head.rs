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
/// cumulative hazard over [`curve_times`] (empty for other questions).
pub fn answer(kind: TaskKind, baseline_hazard: &[f64], scores: &mut [f64]) {
    match kind {
        TaskKind::Binary | TaskKind::MultiLabel => scores.iter_mut().for_each(|s| *s = sigmoid(*s)),
        TaskKind::MultiClass => {
            scores.iter_mut().for_each(|s| *s = sigmoid(*s));
            let total: f64 = scores.iter().sum();
            scores.iter_mut().for_each(|s| *s /= total);
        }
        TaskKind::Regression => {}
        TaskKind::Survival => {
            let at_horizon = baseline_hazard.last().copied().unwrap_or(0.0);
            scores.iter_mut().for_each(|s| *s = -(-at_horizon * s.exp()).exp_m1());
        }
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

/// How many times a survival curve is told at.
const CURVE_STEPS: usize = 24;

/// The times at which a survival curve is told, in years: evenly spaced, from the first step to the
/// horizon, which is the last.
pub fn curve_times(horizon: f64) -> Vec<f64> {
    (1..=CURVE_STEPS).map(|k| horizon * k as f64 / CURVE_STEPS as f64).collect()
}

/// The chance of no event up to each of [`curve_times`], for a log-risk.
pub fn survival_curve(baseline_hazard: &[f64], log_risk: f64) -> Vec<f64> {
    baseline_hazard.iter().map(|hazard| (-hazard * log_risk.exp()).exp()).collect()
}

/// Breslow's baseline cumulative hazard at each of `at`, given log-risks.
///
/// # Source
/// Breslow 1972 (discussion of Cox 1972); equals R's `basehaz(centered = FALSE)`.
pub fn baseline_hazard(time: &[f64], event: &[bool], log_risk: &[f64], at: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..time.len()).collect();
    order.sort_by(|&a, &b| time[b].total_cmp(&time[a]));
    // Latest first: how much the hazard grows at each time with an event.
    let mut steps: Vec<(f64, f64)> = Vec::new();
    let (mut at_risk, mut i) = (0.0, 0);
    while i < order.len() {
        let now = time[order[i]];
        let mut events = 0.0;
        while i < order.len() && time[order[i]] == now {
            at_risk += log_risk[order[i]].exp();
            events += f64::from(u8::from(event[order[i]]));
            i += 1;
        }
        if events > 0.0 {
            steps.push((now, events / at_risk));
        }
    }
    at.iter().map(|&t| steps.iter().filter(|(time, _)| *time <= t).map(|(_, grown)| grown).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazard_by_hand() {
        // Times 1 (event), 2 (event, tie), 2 (event), 3 (censored); all at equal risk.
        let h = baseline_hazard(&[1.0, 2.0, 2.0, 3.0], &[true, true, true, false], &[0.0; 4], &[1.5, 2.5]);
        assert!((h[0] - 1.0 / 4.0).abs() < 1e-12 && (h[1] - (1.0 / 4.0 + 2.0 / 3.0)).abs() < 1e-12);
        assert_eq!(baseline_hazard(&[1.0], &[true], &[0.0], &[0.5]), [0.0]);
    }

    #[test]
    fn a_curve_ends_in_the_answer() {
        assert_eq!(curve_times(6.0).last(), Some(&6.0));
        let (hazard, mut risk) = ([0.1, 0.3], [0.7]);
        answer(TaskKind::Survival, &hazard, &mut risk);
        let curve = survival_curve(&hazard, 0.7);
        assert!((curve[1] - (1.0 - risk[0])).abs() < 1e-12 && curve[0] > curve[1]);
    }

    #[test]
    fn classes_sum_to_one() {
        let mut s = [0.2, -1.0, 3.0];
        answer(TaskKind::MultiClass, &[], &mut s);
        assert!((s.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

//! Losses of a time to an event.

use super::{sigmoid, softplus};

/// The negative Cox partial log-likelihood of log-risks `scores` given each row's time and event;
/// writes its gradient. Ties after Efron, or after Breslow.
///
/// # Source
/// Efron 1977, doi:10.1080/01621459.1977.10480613; Breslow 1974, doi:10.2307/2529620.
pub(super) fn cox(scores: &[f64], follow_up: &[(f64, bool)], efron: bool, gradient: &mut [f64]) -> f64 {
    let n = scores.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| follow_up[a].0.total_cmp(&follow_up[b].0));
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let risk: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
    // at_risk[i]: the risk of everyone from position i of the order on.
    let mut at_risk = vec![0.0; n + 1];
    for i in (0..n).rev() {
        at_risk[i] = at_risk[i + 1] + risk[order[i]];
    }
    let (mut loss, mut hazard, mut start) = (0.0, 0.0, 0);
    while start < n {
        let time = follow_up[order[start]].0;
        let end = start + order[start..].iter().take_while(|&&i| follow_up[i].0 == time).count();
        let tied = &order[start..end];
        let events = tied.iter().filter(|&&i| follow_up[i].1).count();
        let tied_risk: f64 = tied.iter().filter(|&&i| follow_up[i].1).map(|&i| risk[i]).sum();
        let mut relief = 0.0;
        for l in 0..events {
            let share = if efron { l as f64 / events as f64 } else { 0.0 };
            let denominator = at_risk[start] - share * tied_risk;
            loss += denominator.ln() + most;
            hazard += 1.0 / denominator;
            relief += share / denominator;
        }
        for &i in tied {
            gradient[i] = risk[i] * hazard;
            if follow_up[i].1 {
                loss -= scores[i];
                gradient[i] -= 1.0 + risk[i] * relief;
            }
        }
        start = end;
    }
    loss
}

/// The upper ends of at most `bins` bins with about equal numbers of events; the last one ends with the
/// last event.
pub(super) fn edges(time: &[f64], event: &[bool], bins: usize) -> Vec<f64> {
    let mut events: Vec<f64> = time.iter().zip(event).filter(|(_, e)| **e).map(|(t, _)| *t).collect();
    events.sort_by(f64::total_cmp);
    let mut edges: Vec<f64> = (1..=bins)
        .filter_map(|b| (b * events.len()).div_ceil(bins).checked_sub(1))
        .map(|at| events[at])
        .collect();
    edges.dedup();
    edges
}

/// Number of bins that a subject is known to have survived.
pub(super) fn survived(edges: &[f64], time: f64, event: bool) -> usize {
    if event {
        edges.iter().filter(|&&e| e < time).count().min(edges.len().saturating_sub(1))
    } else {
        edges.iter().filter(|&&e| e <= time).count()
    }
}

/// The negative log-likelihood of one subject under the hazards `σ(z)` of consecutive bins; writes its gradient.
///
/// # Source
/// Gensheimer and Narasimhan 2019, doi:10.7717/peerj.6257.
pub(super) fn hazards(z: &[f64], survived: usize, event: bool, gradient: &mut [f64]) -> f64 {
    let mut loss = 0.0;
    for (bin, (&z, gradient)) in z.iter().zip(gradient).enumerate() {
        if bin < survived {
            loss += softplus(z);
            *gradient = sigmoid(z);
        } else if bin == survived && event {
            loss += softplus(-z);
            *gradient = sigmoid(z) - 1.0;
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;

    // tests/golden/cox_loglik.R
    const TIME: [f64; 10] = [1.0, 2.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 6.0];
    const EVENT: [bool; 10] = [true, true, true, false, true, true, true, false, true, true];
    const SCORE: [f64; 10] = [0.5, -0.2, 1.1, 0.3, -0.7, 0.9, 0.0, 0.4, -1.2, 0.8];

    #[test]
    fn the_partial_likelihood_is_that_of_r_survival() {
        let follow_up: Vec<(f64, bool)> = TIME.into_iter().zip(EVENT).collect();
        let mut gradient = [0.0; 10];
        for (efron, expected) in [(true, 13.4876227791808), (false, 14.6009463615538)] {
            let found = cox(&SCORE, &follow_up, efron, &mut gradient);
            assert!((found - expected).abs() < 1e-8, "{found} {expected}");
            assert!(gradient.iter().sum::<f64>().abs() < 1e-12);
        }
    }

    #[test]
    fn bins_hold_equal_numbers_of_events() {
        assert_eq!(edges(&TIME, &EVENT, 4), [2.0, 3.0, 4.0, 6.0]);
        assert_eq!(survived(&[2.0, 4.0, 6.0], 2.0, true), 0);
        assert_eq!(survived(&[2.0, 4.0, 6.0], 2.5, true), 1);
        assert_eq!(survived(&[2.0, 4.0, 6.0], 4.0, false), 2);
        assert_eq!(survived(&[2.0, 4.0, 6.0], 99.0, false), 3);
        assert_eq!(survived(&[2.0, 4.0, 6.0], 99.0, true), 2);
    }
}

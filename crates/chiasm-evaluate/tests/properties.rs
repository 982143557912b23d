//! What must hold of the statistics for any data.
#![allow(clippy::unwrap_used)]

use chiasm_evaluate::compare::{concordance_test, delong_test, holm, nadeau_bengio, paired_bootstrap};
use chiasm_evaluate::metrics::survival::{KaplanMeier, harrell, uno};
use chiasm_evaluate::metrics::{self, Delong, wilson};
use proptest::collection::vec;
use proptest::prelude::*;

/// Labels with at least two of either class, and two scores with many ties, the same number of each.
fn scored() -> impl Strategy<Value = (Vec<bool>, Vec<f64>, Vec<f64>)> {
    let subject = (any::<bool>(), 0..12i32, 0..12i32);
    vec(subject, 6..60).prop_map(|subjects| {
        let mut y: Vec<bool> = subjects.iter().map(|s| s.0).collect();
        y[..4].copy_from_slice(&[true, false, true, false]);
        let tenth = |v: i32| f64::from(v) / 12.0;
        (y, subjects.iter().map(|s| tenth(s.1)).collect(), subjects.iter().map(|s| tenth(s.2)).collect())
    })
}

/// The definition, pair by pair.
fn auroc_by_pairs(y: &[bool], s: &[f64]) -> f64 {
    let (mut sum, mut pairs) = (0.0, 0.0);
    for i in (0..y.len()).filter(|&i| y[i]) {
        for j in (0..y.len()).filter(|&j| !y[j]) {
            sum += if s[i] > s[j] {
                1.0
            } else if s[i] == s[j] {
                0.5
            } else {
                0.0
            };
            pairs += 1.0;
        }
    }
    sum / pairs
}

/// The definition, pair by pair: favour over comparable pairs.
fn harrell_by_pairs(time: &[f64], event: &[bool], risk: &[f64]) -> Option<f64> {
    let (mut sum, mut pairs) = (0.0, 0.0);
    for i in (0..time.len()).filter(|&i| event[i]) {
        for j in 0..time.len() {
            if time[j] > time[i] || (time[j] == time[i] && !event[j]) {
                sum += if risk[i] > risk[j] {
                    1.0
                } else if risk[i] == risk[j] {
                    0.5
                } else {
                    0.0
                };
                pairs += 1.0;
            }
        }
    }
    (pairs > 0.0).then(|| sum / pairs)
}

proptest! {
    #[test]
    fn auroc_is_the_share_of_pairs((y, s, _) in scored()) {
        let a = metrics::auroc(&y, &s).unwrap();
        prop_assert!((a - auroc_by_pairs(&y, &s)).abs() < 1e-12);
        prop_assert!((a - Delong::fit(&y, &s).unwrap().auroc).abs() < 1e-12);
    }

    #[test]
    fn auroc_sees_only_the_order((y, s, _) in scored()) {
        let bent: Vec<f64> = s.iter().map(|v| (3.0 * v).exp() - 7.0).collect();
        let turned: Vec<f64> = s.iter().map(|v| -v).collect();
        let a = metrics::auroc(&y, &s).unwrap();
        prop_assert_eq!(a, metrics::auroc(&y, &bent).unwrap());
        prop_assert!((a + metrics::auroc(&y, &turned).unwrap() - 1.0).abs() < 1e-12);
        prop_assert_eq!(metrics::auprc(&y, &s), metrics::auprc(&y, &bent));
    }

    #[test]
    fn swapping_the_models_turns_the_sign((y, a, b) in scored()) {
        let pair = [
            (delong_test(&y, &a, &b), delong_test(&y, &b, &a)),
            (concordance_test(&a, &y, &a, &b), concordance_test(&a, &y, &b, &a)),
        ];
        for (forth, back) in pair {
            let (Ok(forth), Ok(back)) = (forth, back) else { continue };
            prop_assert!((forth.difference.estimate + back.difference.estimate).abs() < 1e-12);
            prop_assert!((forth.difference.low + back.difference.high).abs() < 1e-9);
            prop_assert!((forth.p - back.p).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&forth.p));
        }
    }

    #[test]
    fn concordance_is_the_share_of_comparable_pairs((e, t, r) in scored()) {
        match harrell_by_pairs(&t, &e, &r) {
            Some(c) => prop_assert!((harrell(&t, &e, &r).unwrap().c - c).abs() < 1e-12),
            None => prop_assert!(harrell(&t, &e, &r).is_err()),
        }
    }

    #[test]
    fn without_censoring_in_between_concordance_is_auroc((y, s, _) in scored()) {
        // Positives have the event at once, the others are followed to the end.
        let time: Vec<f64> = y.iter().map(|&p| if p { 1.0 } else { 2.0 }).collect();
        let c = harrell(&time, &y, &s).unwrap();
        prop_assert!((c.c - metrics::auroc(&y, &s).unwrap()).abs() < 1e-12);
        let u = uno(&time, &y, &s, None).unwrap();
        prop_assert!((c.c - u.c).abs() < 1e-12);
    }

    #[test]
    fn everybody_twice_halves_the_variance((e, t, r) in scored()) {
        // A copy of an event ties with it in time and so makes no pair; for everyone else's pairs the
        // copies count four times, and C is a ratio of pairs. A censored subject and its copy make no pair either.
        let twice = |v: &[f64]| [v, v].concat();
        if let Ok(once) = harrell(&t, &e, &r) {
            let d = harrell(&twice(&t), &[e.clone(), e.clone()].concat(), &twice(&r)).unwrap();
            prop_assert!((d.c - once.c).abs() < 1e-12);
            prop_assert!((d.variance() - once.variance() / 2.0).abs() < 1e-12);
        }
    }

    #[test]
    fn holm_keeps_the_order_and_only_raises(p in vec(0.0..=1.0f64, 0..20)) {
        let adjusted = holm(&p).unwrap();
        for i in 0..p.len() {
            prop_assert!(adjusted[i] >= p[i] && adjusted[i] <= 1.0);
            prop_assert!(adjusted[i] <= (p.len() as f64 * p[i]).min(1.0));
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
            }
        }
    }

    #[test]
    fn net_benefit_is_bounded_by_prevalence((y, p, _) in scored(), t in 0.0..0.99f64) {
        let nb = metrics::net_benefit(&y, &p, &[t]).unwrap()[0];
        let prevalence = y.iter().filter(|&&v| v).count() as f64 / y.len() as f64;
        let harm = t / (1.0 - t);
        prop_assert!(nb.acting_on_prediction <= prevalence + 1e-12);
        prop_assert!(nb.acting_on_prediction >= -(1.0 - prevalence) * harm - 1e-12);
        prop_assert!(nb.treat_all <= prevalence + 1e-12);
    }

    #[test]
    fn intervals_hold_their_estimate((y, s, _) in scored(), n in 1..200usize) {
        let e = Delong::fit(&y, &s).unwrap().estimate();
        prop_assert!(0.0 <= e.low && e.low <= e.estimate && e.estimate <= e.high && e.high <= 1.0);
        for hits in 0..=n {
            let w = wilson(hits, n).unwrap();
            prop_assert!(0.0 <= w.low && w.low <= w.estimate && w.estimate <= w.high && w.high <= 1.0);
        }
    }

    #[test]
    fn survival_never_rises((e, t, _) in scored()) {
        let km = KaplanMeier::fit(&t, &e).unwrap();
        prop_assert!(km.steps().windows(2).all(|w| w[1].survival <= w[0].survival));
        prop_assert!(km.steps().iter().all(|s| (0.0..=1.0).contains(&s.survival)));
        prop_assert_eq!(km.steps().iter().map(|s| s.events + s.censored).sum::<usize>(), t.len());
    }

    #[test]
    fn the_youden_threshold_is_the_best_there_is((y, s, _) in scored()) {
        let at = |t| {
            let c = metrics::Confusion::at(&y, &s, t).unwrap();
            c.sensitivity().unwrap().estimate + c.specificity().unwrap().estimate
        };
        let best = at(metrics::youden_threshold(&y, &s).unwrap());
        for &t in &s {
            prop_assert!(best >= at(t) - 1e-9);
        }
    }

    #[test]
    fn resampled_tests_turn_with_their_sign(d in vec(-1.0..1.0f64, 2..30)) {
        let turned: Vec<f64> = d.iter().map(|v| -v).collect();
        let (a, b) = (nadeau_bengio(&d, 0.25), nadeau_bengio(&turned, 0.25));
        if let (Ok(a), Ok(b)) = (a, b) {
            prop_assert!((a.p - b.p).abs() < 1e-12 && (a.difference.low + b.difference.high).abs() < 1e-9);
        }
        let mean = |v: &[f64]| { let v = v.to_vec(); move |rows: &[usize]| Ok(rows.iter().map(|&r| v[r]).sum::<f64>()) };
        let zero = |_: &[usize]| Ok(0.0);
        let forth = paired_bootstrap(d.len(), 50, 3, mean(&d), zero).unwrap();
        let back = paired_bootstrap(d.len(), 50, 3, zero, mean(&d)).unwrap();
        prop_assert!((forth.difference.low + back.difference.high).abs() < 1e-9);
        prop_assert_eq!(forth.p, back.p);
    }
}

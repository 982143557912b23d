//! How sure: prediction sets that hold the truth as often as they promise, and probability intervals.
//!
//! Both are built from out-of-fold scores of training subjects, so no subject judges itself.

use serde::{Deserialize, Serialize};

/// A training subject's out-of-fold score and answer for one output.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Witness {
    /// Score on the link scale; larger means more likely.
    pub score: f64,
    /// Whether the answer was yes.
    pub yes: bool,
    /// How many subjects it stands for: 1, or an inverse probability of censoring.
    pub weight: f64,
}

/// The conformal p-value of the answer `yes`: how ordinary `score` is among witnesses with that answer.
///
/// The set of answers whose p-value exceeds 1 − confidence holds the truth with about that confidence,
/// for each answer separately, if subjects are exchangeable. About: the witnesses were scored by
/// cross-fitted models, the subject by one trained on all of them; a report tells what share was held.
/// The subject itself counts as one witness of mean weight.
///
/// # Source
/// Label-conditional conformal prediction: Vovk, Gammerman and Shafer 2005, section 4.5; cross-conformal:
/// Vovk 2015.
pub fn p_value(witnesses: &[Witness], score: f64, yes: bool) -> f64 {
    let same = || witnesses.iter().filter(|w| w.yes == yes);
    let all: f64 = same().map(|w| w.weight).sum();
    let one = if all > 0.0 { all / same().count() as f64 } else { 1.0 };
    let stranger = |w: &&Witness| if yes { w.score <= score } else { w.score >= score };
    (one + same().filter(stranger).map(|w| w.weight).sum::<f64>()) / (one + all)
}

/// The interval between the two Venn–Abers probabilities of `score`: calibrated with the subject
/// counted as a no, and counted as a yes. `witnesses` are sorted by score.
///
/// # Source
/// Vovk and Petej 2014, arXiv:1211.0025 (inductive form).
pub fn venn_abers(witnesses: &[Witness], score: f64) -> (f64, f64) {
    let (no, yes) = (isotonic_at(witnesses, score, false), isotonic_at(witnesses, score, true));
    (no.min(yes), no.max(yes))
}

/// Value at `score` of the isotonic regression of the answers, with (`score`, `yes`) added.
fn isotonic_at(witnesses: &[Witness], score: f64, yes: bool) -> f64 {
    let at = witnesses.partition_point(|w| w.score < score);
    let added = Witness { score, yes, weight: 1.0 };
    let sequence = witnesses[..at].iter().chain([&added]).chain(&witnesses[at..]);
    // Equal scores are one group; then pool adjacent violators and remember which pool holds the added one.
    let mut groups: Vec<(f64, f64, bool)> = Vec::new(); // (sum, weight, holds the added one)
    let mut previous = f64::NEG_INFINITY;
    for (i, w) in sequence.enumerate() {
        let (sum, holds) = (if w.yes { w.weight } else { 0.0 }, i == at);
        match groups.last_mut() {
            Some(last) if w.score == previous => *last = (last.0 + sum, last.1 + w.weight, last.2 || holds),
            _ => groups.push((sum, w.weight, holds)),
        }
        previous = w.score;
    }
    let mut pools: Vec<(f64, f64, bool)> = Vec::with_capacity(groups.len());
    for mut group in groups {
        while let Some(&last) = pools.last().filter(|last| last.0 * group.1 >= group.0 * last.1) {
            group = (last.0 + group.0, last.1 + group.1, last.2 || group.2);
            pools.pop();
        }
        pools.push(group);
    }
    pools.iter().find(|p| p.2).map_or(f64::NAN, |p| p.0 / p.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witnesses() -> Vec<Witness> {
        // Yes more often as the score rises.
        (0..200).map(|i| Witness { score: f64::from(i), yes: (i * 7919) % 200 < i, weight: 1.0 }).collect()
    }

    #[test]
    fn intervals_rise_with_the_score_and_hold_the_rate() {
        let w = witnesses();
        let (low, high) = venn_abers(&w, 100.0);
        assert!(low <= 0.5 && high >= 0.45 && high - low < 0.2, "{low} {high}");
        let (bottom, _) = venn_abers(&w, 1.0);
        let (_, top) = venn_abers(&w, 199.0);
        assert!(bottom < low && top > high);
    }

    #[test]
    fn venn_abers_by_hand() {
        // Scores 1, 2, 3 with answers no, yes, no; asked at 2.5.
        let w =
            [(1.0, false), (2.0, true), (3.0, false)].map(|(score, yes)| Witness { score, yes, weight: 1.0 });
        // As a no: 0, (1, 0, 0) -> 1/3. As a yes: 0, (1, 1, 0) -> 2/3.
        let (low, high) = venn_abers(&w, 2.5);
        assert!((low - 1.0 / 3.0).abs() < 1e-12 && (high - 2.0 / 3.0).abs() < 1e-12, "{low} {high}");
    }

    #[test]
    fn p_values_are_valid() {
        // Leave-one-out over the witnesses themselves: at most 10 % of the true answers have p <= .1.
        let w = witnesses();
        let refused = (0..w.len())
            .filter(|&i| {
                let others: Vec<Witness> =
                    w.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, w)| *w).collect();
                p_value(&others, w[i].score, w[i].yes) <= 0.1
            })
            .count();
        assert!(refused <= 20, "{refused}");
    }

    #[test]
    fn equal_weights_do_not_matter() {
        let w = witnesses();
        let heavy: Vec<Witness> = w.iter().map(|w| Witness { weight: 5.0, ..*w }).collect();
        assert!((p_value(&w, 20.0, true) - p_value(&heavy, 20.0, true)).abs() < 1e-12);
    }

    #[test]
    fn no_witness_means_anything_is_possible() {
        assert_eq!(p_value(&[], 3.0, true), 1.0);
        assert_eq!(venn_abers(&[], 3.0), (0.0, 1.0));
    }
}

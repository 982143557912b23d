//! Estimates m and u: how often each level is seen between two records of one person, and of two.

use crate::blocking::Blocking;
use crate::compare::{Agreement, Cache, Comparer};
use crate::defaults;
use crate::household::Counts as Shared;
use crate::levels::{EXACT, MISSING, MOST, Measure};
use crate::records::Records;
use crate::sampling::{below, mix};
use crate::score::{Chances, Scorer};
use rayon::prelude::*;

/// Random pairs for u, and pairs of all keys together for m.
const RANDOM_PAIRS: u64 = 500_000;
const KEY_PAIRS: u64 = 400_000;
/// How many pairs the defaults count as much as.
const MATCHING_WEIGHT: f64 = 20.0;
const RANDOM_WEIGHT: f64 = 100.0;
const ROUNDS: usize = 25;

/// A pair as estimation sees it.
struct Seen {
    agreement: Agreement,
    /// Comparisons that its key rests on; they say nothing about m there.
    touches: u32,
    /// How many matches it stands for when matches are counted.
    counts: f64,
}

/// Learns a scorer from the records.
///
/// u comes from random pairs, each counted by its chance to be no match. m comes from the pairs that
/// each key finds, for the fields that the key does not rest on, each counted by its chance to be a match.
///
/// # Source
/// Fellegi and Sunter 1969; expectation-maximisation after Winkler 1988.
pub(crate) fn estimate(records: &Records, comparer: &Comparer, blocking: &Blocking) -> Scorer {
    let random = compare_all(records, comparer, &random_pairs(records));
    let mut scorer = Scorer::assumed(comparer, prior_guess(records));
    count_u(&mut scorer, &random);
    let seen = sample_keys(records, comparer, blocking);
    for round in 0..ROUNDS {
        let posteriors: Vec<f64> = seen.par_iter().map(|pair| scorer.probability(&pair.agreement)).collect();
        let matches: f64 = seen.iter().zip(&posteriors).map(|(pair, p)| pair.counts * p).sum();
        let before = scorer.prior;
        let shared = count_households(&scorer, &seen);
        count_m(&mut scorer, &seen, &posteriors);
        scorer.household.learn(comparer, &shared, matches, records.pairs());
        scorer.prior = (matches.max(1.0) / records.pairs().max(2.0)).min(0.5);
        // Matches among random pairs are few: u settles at once.
        if round < 2 {
            count_u(&mut scorer, &random);
        } else if (scorer.prior / before - 1.0).abs() < 1e-3 {
            break;
        }
    }
    scorer
}

/// Half as many matches as the smaller side has records: where estimation begins.
fn prior_guess(records: &Records) -> f64 {
    let n =
        if records.tables == 1 { records.len() } else { records.second.min(records.len() - records.second) };
    (0.5 * n as f64 / records.pairs().max(1.0)).clamp(1e-12, 0.5)
}

fn random_pairs(records: &Records) -> Vec<(u32, u32)> {
    let n = records.len() as u64;
    let split = if records.tables == 1 { n } else { records.second as u64 };
    if n < 2 || split == 0 || records.tables == 2 && split == n {
        return Vec::new();
    }
    let draws = (records.pairs() as u64 * 4).min(RANDOM_PAIRS);
    let pair = |draw: u64| {
        let (one, other) = (mix(2 * draw), mix(2 * draw + 1));
        let (a, b) = match records.tables {
            1 => (below(one, n), below(other, n)),
            _ => (below(one, split), split + below(other, n - split)),
        };
        (a.min(b) as u32, a.max(b) as u32)
    };
    (0..draws).map(pair).filter(|&(a, b)| records.comparable(a, b)).collect()
}

fn compare_all(records: &Records, comparer: &Comparer, pairs: &[(u32, u32)]) -> Vec<Agreement> {
    let compared = pairs.par_chunks(4096).flat_map_iter(|chunk| {
        let mut cache = Cache::new(12);
        chunk.iter().map(|&(a, b)| comparer.compare(records, a, b, &mut cache)).collect::<Vec<_>>()
    });
    compared.collect()
}

fn sample_keys(records: &Records, comparer: &Comparer, blocking: &Blocking) -> Vec<Seen> {
    let mut left = KEY_PAIRS;
    let mut order: Vec<usize> = (0..blocking.keys.len()).collect();
    order.sort_by_key(|&key| blocking.keys[key].pairs);
    let mut seen = Vec::new();
    for (done, &key) in order.iter().enumerate() {
        let share = left / (order.len() - done) as u64;
        let (rate, pairs) = blocking.keys[key].sample(records, share);
        left = left.saturating_sub(pairs.len() as u64);
        let agreements = compare_all(records, comparer, &pairs);
        let touches = blocking.keys[key].touches;
        let made = pairs.par_iter().zip(agreements).map(|(&(a, b), agreement)| {
            let found = (0..blocking.keys.len()).filter(|&other| blocking.finds(other, a, b)).count();
            Seen { agreement, touches, counts: 1.0 / rate / found.max(1) as f64 }
        });
        seen.par_extend(made);
    }
    seen
}

type Counts = Vec<[f64; MOST]>;

fn add(mut a: Counts, b: Counts) -> Counts {
    for (x, y) in a.iter_mut().zip(b) {
        for (x, y) in x.iter_mut().zip(y) {
            *x += y;
        }
    }
    a
}

fn count_households(scorer: &Scorer, seen: &[Seen]) -> Shared {
    let prior = scorer.prior / (1.0 - scorer.prior);
    let parts: Vec<Shared> = seen
        .par_chunks(16_384)
        .map(|chunk| {
            let mut counts = Shared::none();
            for pair in chunk {
                let (weights, count) = scorer.weights(&pair.agreement);
                let odds = prior * f64::from(weights.iter().sum::<f32>()).exp2();
                scorer.household.count(&weights[..count], odds, pair.counts, pair.touches, &mut counts);
            }
            counts
        })
        .collect();
    parts.iter().fold(Shared::none(), |all, part| all.and(part))
}

fn count_m(scorer: &mut Scorer, seen: &[Seen], posteriors: &[f64]) {
    let none = || vec![[0.0; MOST]; scorer.chances.len()];
    // Chunks of fixed size, added in order: the same sums on any number of threads.
    let parts: Vec<(Counts, Counts)> = seen
        .par_chunks(16_384)
        .zip(posteriors.par_chunks(16_384))
        .map(|(seen, posteriors)| {
            let (mut free, mut all) = (none(), none());
            for (pair, p) in seen.iter().zip(posteriors) {
                for at in 0..free.len() {
                    let level = usize::from(pair.agreement.levels[at]);
                    all[at][level] += p;
                    if pair.touches & (1 << at) == 0 {
                        free[at][level] += p;
                    }
                }
            }
            (free, all)
        })
        .collect();
    let (free, all) = parts.into_iter().fold((none(), none()), |(f, a), (g, b)| (add(f, g), add(a, b)));
    for (at, chances) in scorer.chances.iter_mut().enumerate() {
        // A field that every key rests on can only be learned with its bias.
        let told = |counts: &[f64; MOST]| counts[1..].iter().sum::<f64>();
        let counts = if told(&free[at]) > 0.0 { &free[at] } else { &all[at] };
        let usual = defaults::matching(chances.measure);
        let total = told(counts) + MATCHING_WEIGHT;
        for level in 1..MOST {
            chances.m[level] = (counts[level] + MATCHING_WEIGHT * usual[level]) / total;
        }
    }
    scorer.refresh();
}

fn count_u(scorer: &mut Scorer, random: &[Agreement]) {
    let none = || vec![[0.0; MOST]; scorer.chances.len()];
    let parts: Vec<(Counts, Counts)> = random
        .par_chunks(16_384)
        .map(|chunk| {
            let (mut seen, mut rare) = (none(), none());
            for agreement in chunk {
                let q = 1.0 - scorer.probability(agreement);
                for at in 0..seen.len() {
                    let level = usize::from(agreement.levels[at]);
                    seen[at][level] += q;
                    rare[at][level] += q * f64::from(agreement.rarity[at] * Chances::ERROR_RARITY).exp2();
                }
            }
            (seen, rare)
        })
        .collect();
    let (seen, rare) = parts.into_iter().fold((none(), none()), |(s, r), (t, q)| (add(s, t), add(r, q)));
    for (at, chances) in scorer.chances.iter_mut().enumerate() {
        let usual = defaults::random(chances.measure);
        if chances.measure == Measure::Order {
            chances.u = usual;
            continue;
        }
        let total = seen[at][1..].iter().sum::<f64>() + RANDOM_WEIGHT;
        for level in 1..MOST {
            chances.u[level] = (seen[at][level] + RANDOM_WEIGHT * usual[level]) / total;
            if chances.measure.rare_error_says_more(level as u8) {
                let mean = if seen[at][level] > 0.0 { rare[at][level] / seen[at][level] } else { 0.0 };
                chances.usual_rarity[level] = if mean > 0.0 { mean.log2() as f32 } else { f32::NAN };
            }
        }
        debug_assert_eq!((MISSING, EXACT), (0, 1));
    }
    scorer.refresh();
}

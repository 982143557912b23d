//! What pairs say of each other: a record belongs to one person, so its candidates compete where they
//! contradict each other and support each other where they agree.

use crate::compare::{Cache, Comparer};
use crate::records::Records;
use crate::score::Scorer;
use rayon::prelude::*;
use std::collections::HashMap;

/// Pairs surer than this on either side are left as they are unless something contradicts them.
const OPEN: f64 = 1e-3;
/// How many neighbours of a pair are looked at: 2 + 4 records have 203 partitions.
const NEIGHBOURS: usize = 4;
/// How far the pairs of `k` records repeat each other: their sum counts `(2 / k)` to this power. At 0 they are
/// independent, at 1 they count as `k - 1` pairs.
const DEPENDENCE: f64 = 0.3;
/// Most bits that a pair's neighbours may move it.
const MOST_MOVED: f64 = 30.0;

/// Log-odds (in bits) of each pair given its neighbours.
///
/// The records of a pair and their likeliest other partners are divided into persons in every possible
/// way. What speaks for `k` records being one person is the sum of their pairs' log-odds, damped as the pairs of
/// `k` records are no `k (k - 1) / 2` independent witnesses.
///
/// `pairs` are sorted and carry bits of evidence; `one_each` says that no table holds a person twice.
pub(crate) fn resolve(
    records: &Records,
    comparer: &Comparer,
    scorer: &Scorer,
    pairs: &[((u32, u32), f32)],
    one_each: bool,
) -> Vec<f64> {
    let mut partners: HashMap<u32, Vec<(u32, f32)>> = HashMap::new();
    for &((a, b), bits) in pairs {
        partners.entry(a).or_default().push((b, bits));
        partners.entry(b).or_default().push((a, bits));
    }
    for list in partners.values_mut() {
        list.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
    }
    let prior = (scorer.prior / (1.0 - scorer.prior)).log2();
    let one = |&((a, b), bits): &((u32, u32), f32), cache: &mut Cache| -> f64 {
        let own = f64::from(bits) + prior;
        let near = neighbours(&partners, a, b);
        if near.is_empty() {
            return own;
        }
        let mut members = vec![a, b];
        members.extend(near);
        let local = Local::new(records, comparer, scorer, &members, prior, one_each, cache);
        let told = local.log_odds_of_first_two();
        told.clamp(own - MOST_MOVED, own + MOST_MOVED)
    };
    pairs.par_iter().map_init(|| Cache::new(12), |cache, pair| one(pair, cache)).collect()
}

/// The likeliest other partners of two records.
fn neighbours(partners: &HashMap<u32, Vec<(u32, f32)>>, a: u32, b: u32) -> Vec<u32> {
    let mut all: Vec<(u32, f32)> = Vec::new();
    for record in [a, b] {
        let list = partners.get(&record).map_or(&[][..], Vec::as_slice);
        all.extend(list.iter().filter(|(other, _)| *other != a && *other != b).take(NEIGHBOURS + 1));
    }
    all.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
    let mut chosen: Vec<u32> = Vec::new();
    for (other, _) in all {
        if chosen.len() < NEIGHBOURS && !chosen.contains(&other) {
            chosen.push(other);
        }
    }
    chosen
}

/// A few records and how each pair of them agrees.
struct Local {
    size: usize,
    /// Log-odds in bits, the smaller number first. Shape: `[size][size]`.
    odds: Vec<f64>,
}

impl Local {
    fn new(
        records: &Records,
        comparer: &Comparer,
        scorer: &Scorer,
        members: &[u32],
        prior: f64,
        one_each: bool,
        cache: &mut Cache,
    ) -> Self {
        let size = members.len();
        let mut odds = vec![0.0; size * size];
        for i in 0..size {
            for j in i + 1..size {
                let (a, b) = (members[i].min(members[j]), members[i].max(members[j]));
                odds[i * size + j] = match one_each && !records.comparable(a, b) {
                    true => f64::NEG_INFINITY,
                    false => f64::from(scorer.total(&comparer.compare(records, a, b, cache))) + prior,
                };
            }
        }
        Self { size, odds }
    }

    /// Bits for the records of a set (one bit each in `set`) being one person.
    fn together(&self, set: u32) -> f64 {
        let members: Vec<usize> = (0..self.size).filter(|&i| set & (1 << i) != 0).collect();
        if members.len() < 2 {
            return 0.0;
        }
        let pairs =
            members.iter().enumerate().flat_map(|(at, &i)| members[at + 1..].iter().map(move |&j| (i, j)));
        let total: f64 = pairs.map(|(i, j)| self.odds[i * self.size + j]).sum();
        total * (2.0 / members.len() as f64).powf(DEPENDENCE)
    }

    /// Sums over all partitions of the records into persons.
    fn log_odds_of_first_two(&self) -> f64 {
        let sets: Vec<f64> = (0..1_u32 << self.size).map(|set| self.together(set)).collect();
        let all = (1_u32 << self.size) - 1;
        // The best partition stands for scale, so that no power of two overflows.
        let mut together = Vec::new();
        let mut apart = Vec::new();
        partitions(all, 0.0, false, &sets, &mut |bits, same| {
            if same { together.push(bits) } else { apart.push(bits) }
        });
        log_sum(&together) - log_sum(&apart)
    }
}

/// Calls `each` with the bits of every partition of `left` and whether the first two records share a set.
fn partitions(left: u32, bits: f64, same: bool, sets: &[f64], each: &mut impl FnMut(f64, bool)) {
    if left == 0 {
        return each(bits, same);
    }
    let first = left & left.wrapping_neg();
    let rest = left ^ first;
    let mut others = rest;
    loop {
        let set = first | others;
        let own = sets[set as usize];
        if own > f64::NEG_INFINITY {
            partitions(left ^ set, bits + own, same || set & 3 == 3, sets, each);
        }
        if others == 0 {
            return;
        }
        others = (others - 1) & rest;
    }
}

/// `log2` of a sum of powers of two.
fn log_sum(bits: &[f64]) -> f64 {
    let most = bits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + bits.iter().map(|b| (b - most).exp2()).sum::<f64>().log2()
}

/// Whether two tables look as if neither held a person twice: few records have two sure partners.
pub(crate) fn one_each(records: &Records, scorer: &Scorer, pairs: &[((u32, u32), f32)]) -> bool {
    if records.tables == 1 {
        return false;
    }
    let sure = scorer.bits_for(1.0 - OPEN);
    let mut partners: HashMap<u32, u32> = HashMap::new();
    for &((a, b), _) in pairs.iter().filter(|(_, bits)| *bits >= sure) {
        *partners.entry(a).or_default() += 1;
        *partners.entry(b).or_default() += 1;
    }
    let twice = partners.values().filter(|&&count| count > 1).count();
    twice * 50 < partners.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(odds: &[(usize, usize, f64)], size: usize) -> Local {
        let mut all = vec![-40.0; size * size];
        for &(i, j, bits) in odds {
            all[i * size + j] = bits;
        }
        Local { size, odds: all }
    }

    #[test]
    fn a_pair_alone_keeps_its_odds() {
        assert!((local(&[(0, 1, 3.0)], 2).log_odds_of_first_two() - 3.0).abs() < 1e-9);
    }

    #[test]
    fn contradicting_candidates_share_one_record() {
        let told = local(&[(0, 1, 10.0), (0, 2, 10.0)], 3).log_odds_of_first_two();
        assert!(told.abs() < 0.1, "two equal candidates have half a chance each: {told}");
    }

    #[test]
    fn a_third_that_is_both_supports() {
        let told = local(&[(0, 1, 0.0), (0, 2, 15.0), (1, 2, 15.0)], 3).log_odds_of_first_two();
        assert!(told > 4.0, "{told}");
    }

    #[test]
    fn counts_every_partition_once() {
        let mut count = 0;
        partitions(0b11111, 0.0, false, &[0.0; 32], &mut |_, _| count += 1);
        assert_eq!(count, 52, "Bell's number of five");
    }
}

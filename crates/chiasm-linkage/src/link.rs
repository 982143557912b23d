use crate::blocking::{Blocking, KeyCount, pairs_of};
use crate::compare::{Cache, Comparer};
use crate::estimate::estimate;
use crate::orders::Orders;
use crate::records::Records;
use crate::score::Scorer;
use crate::{resolve, rules};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How to link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkConfig {
    /// Pairs below this probability are not given out. Default: 0.01.
    pub least: f64,
    /// About how many pairs are compared: `pairs_each` for each record and two million more. Default: 40.
    pub pairs_each: u64,
    /// Whether no table of two holds a person twice. Default: seen from the pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_each: Option<bool>,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self { least: 0.01, pairs_each: 40, one_each: None }
    }
}

/// Two records that may be of one person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Number of the record in the first table (or the smaller number).
    pub left: u32,
    /// Number of the other record.
    pub right: u32,
    /// Chance that they are of one person, given what else either record may match.
    pub probability: f64,
    /// The same chance from this pair alone.
    pub pairwise: f64,
    /// Whether a rule settles it: the same record number, or national id and date of birth.
    pub certain: bool,
    /// Sum of the weights, in bits (log2 of the Bayes factor).
    pub total: f32,
}

/// What one comparison says about a pair.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// The field.
    pub field: String,
    /// How far the two agree: "exact", "one edit", "missing".
    pub level: String,
    /// Bits for (above 0) or against (below) a match.
    pub weight: f32,
}

/// The result: pairs, and all that is needed to say why.
pub struct Linkage {
    /// Pairs at or above the least probability, by left, then right.
    pub pairs: Vec<Pair>,
    /// What each blocking key cost.
    pub keys: Vec<KeyCount>,
    /// Whether no table was taken to hold a person twice.
    pub one_each: bool,
    pub(crate) comparer: Comparer,
    pub(crate) scorer: Scorer,
    /// The atoms of each key that was used, for an index.
    pub(crate) used: Vec<Vec<usize>>,
    pub(crate) orders: Orders,
}

/// Finds the pairs of records that may be of one person.
pub fn link(records: &Records, config: &LinkConfig) -> Linkage {
    let comparer = Comparer::new(records);
    let budget = config.pairs_each * records.len() as u64 + 2_000_000;
    let blocking = Blocking::plan(records, &comparer, budget);
    let mut scorer = estimate(records, &comparer, &blocking);
    let floor = scorer.bits_for(config.least);
    let mut pairs = Vec::new();
    for key in &blocking.keys {
        let blocks = key.blocks();
        let share = (blocks.len() / 64).max(1);
        let found = blocks.with_min_len(share).map_init(
            || Cache::new(16),
            |cache, block| {
                let reach =
                    |pair| scorer.reaches(&comparer, records, pair, floor, cache).map(|total| (pair, total));
                pairs_of(records, block).filter_map(reach).collect::<Vec<_>>()
            },
        );
        pairs.par_extend(found.flatten_iter());
    }
    pairs.extend(settled(records, &comparer, &scorer, &blocking));
    pairs.par_sort_unstable_by_key(|(pair, _)| *pair);
    pairs.dedup_by_key(|(pair, _)| *pair);
    let expected: f64 = pairs.iter().map(|(_, total)| scorer.probability_of(f64::from(*total))).sum();
    scorer.prior = (expected.max(1.0) / records.pairs().max(2.0)).min(0.5);
    let one_each = config.one_each.unwrap_or_else(|| resolve::one_each(records, &scorer, &pairs));
    let resolved = resolve::resolve(records, &comparer, &scorer, &pairs, one_each);
    let numbered = comparer.comparisons.iter().any(|c| rules::settles(c.kind));
    let pair = |(((left, right), total), log_odds): (((u32, u32), f32), f64)| {
        let probability = 1.0 / (1.0 + (-log_odds).exp2());
        let certain = numbered && {
            rules::certain(&comparer, &comparer.compare(records, left, right, &mut Cache::new(2)))
        };
        Pair { left, right, probability, pairwise: scorer.probability_of(f64::from(total)), total, certain }
    };
    let kept = |pair: &Pair| pair.probability >= config.least || pair.certain;
    let pairs = pairs.into_iter().zip(resolved).map(pair).filter(kept).collect();
    let orders = Orders::default();
    Linkage {
        pairs,
        keys: blocking.counts.clone(),
        one_each,
        comparer,
        scorer,
        used: blocking.used(),
        orders,
    }
}

/// The pairs that a rule settles, whatever their weight.
fn settled(
    records: &Records,
    comparer: &Comparer,
    scorer: &Scorer,
    blocking: &Blocking,
) -> Vec<((u32, u32), f32)> {
    let mut cache = Cache::new(4);
    let mut found = Vec::new();
    for key in blocking.keys.iter().filter(|key| rules::may_settle(comparer, key.touches)) {
        for pair in key.all_pairs(records) {
            let agreement = comparer.compare(records, pair.0, pair.1, &mut cache);
            if rules::certain(comparer, &agreement) {
                found.push((pair, scorer.total(&agreement)));
            }
        }
    }
    found
}

impl Linkage {
    /// What each field says about two records, and an order that both name.
    pub fn evidence(&self, records: &Records, left: u32, right: u32) -> Vec<Evidence> {
        let mut evidence = self.comparer.evidence(&self.scorer, records, left, right);
        evidence.extend(self.orders.evidence(left, right));
        evidence
    }

    /// Bits of all fields of two records together.
    pub(crate) fn fields_alone(&self, records: &Records, a: u32, b: u32) -> f32 {
        self.scorer.total(&self.comparer.compare(records, a.min(b), a.max(b), &mut Cache::new(4)))
    }

    /// m and u by field and level, for whoever wants to see what was learned.
    pub fn parameters(&self) -> Vec<(String, &'static str, f64, f64)> {
        let both = self.comparer.comparisons.iter().zip(&self.scorer.chances);
        let rows = both.flat_map(|(comparison, chances)| {
            let levels = comparison.measure.levels().iter().enumerate().skip(1);
            levels.map(|(level, name)| (comparison.name.clone(), *name, chances.m[level], chances.u[level]))
        });
        rows.collect()
    }

    /// Bits before any field: where a waterfall begins.
    pub fn prior_bits(&self) -> f64 {
        (self.scorer.prior / (1.0 - self.scorer.prior)).log2()
    }

    /// The chance that two records drawn at random are of one person, as estimated.
    pub fn prior(&self) -> f64 {
        self.scorer.prior
    }
}

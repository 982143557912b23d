//! Records that one order's number joins: a picture and the order that it answers.

use crate::link::{Evidence, Linkage, Pair};
use crate::records::Records;
use std::collections::BTreeMap;

/// How many orders name the wrong patient's record, or a number that was typed wrong.
///
/// # Source
/// Wrong-patient orders in radiology: 0.1 to 1 in 1,000 studies (Rubio and Hogan 2015; Sadigh et al. 2016). The
/// greater of them.
const WRONG: f64 = 1e-3;
/// How many pairs of records of one person whom both systems know share an order.
const SHARED: f64 = 0.5;

/// Two records that name the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    /// Number of the one record, the smaller.
    pub left: u32,
    /// Number of the other.
    pub right: u32,
    /// Whether something speaks against it: the study is older than its order.
    pub doubtful: bool,
}

/// The orders of a linkage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    pairs: BTreeMap<(u32, u32), bool>,
    bits: f32,
}

impl Orders {
    /// Bits for two records being one person's.
    pub(crate) fn bits(&self, a: u32, b: u32) -> f32 {
        if self.holds(a, b) { self.bits } else { 0.0 }
    }

    pub(crate) fn holds(&self, a: u32, b: u32) -> bool {
        self.pairs.contains_key(&(a.min(b), a.max(b)))
    }

    pub(crate) fn doubtful(&self, a: u32, b: u32) -> bool {
        self.pairs.get(&(a.min(b), a.max(b))).copied().unwrap_or(false)
    }

    /// The line of evidence, where there is one.
    pub(crate) fn evidence(&self, a: u32, b: u32) -> Option<Evidence> {
        let said = || Evidence { field: "order number".into(), level: "same".into(), weight: self.bits };
        self.holds(a, b).then(said)
    }
}

impl Linkage {
    /// Takes in the orders that records share: their pairs stand among the others, with a line of evidence.
    ///
    /// An order joins two records as a rule does, whatever their fields leave open; where the fields or the
    /// [`Guard`](crate::Guard) contradict it, the pair is for a person to decide.
    pub fn add_orders(&mut self, records: &Records, orders: &[Order]) {
        let chance = WRONG / records.len().max(2) as f64;
        self.orders.bits = (SHARED / chance).log2() as f32;
        for order in orders.iter().filter(|o| records.comparable(o.left, o.right)) {
            let key = (order.left.min(order.right), order.left.max(order.right));
            *self.orders.pairs.entry(key).or_default() |= order.doubtful;
        }
        let known: std::collections::BTreeSet<(u32, u32)> =
            self.pairs.iter().map(|p| (p.left, p.right)).collect();
        let new: Vec<(u32, u32)> =
            self.orders.pairs.keys().filter(|key| !known.contains(key)).copied().collect();
        for (left, right) in new {
            let total = self.fields_alone(records, left, right);
            let pairwise = self.scorer.probability_of(f64::from(total));
            self.pairs.push(Pair { left, right, probability: pairwise, pairwise, certain: false, total });
        }
        self.pairs.sort_by_key(|pair| (pair.left, pair.right));
        for pair in &mut self.pairs {
            let bits = self.orders.bits(pair.left, pair.right);
            if bits > 0.0 {
                pair.total += bits;
                pair.pairwise = self.scorer.probability_of(f64::from(pair.total));
                pair.probability = pair.probability.max(pair.pairwise);
            }
        }
    }
}

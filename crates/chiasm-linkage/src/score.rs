use crate::compare::{Agreement, Cache, Comparer};
use crate::defaults;
use crate::household::Household;
use crate::levels::{EXACT, MISSING, MOST, Measure, order};
use crate::records::Records;

/// What is known of one comparison: the chances of its levels.
#[derive(Clone, Debug)]
pub(crate) struct Chances {
    pub(crate) measure: Measure,
    /// Chance of each level between two records of one person who both have the field.
    pub(crate) m: [f64; MOST],
    /// The same between two persons.
    pub(crate) u: [f64; MOST],
    /// Bits of rarity that strangers at a level have anyway; NaN where nobody was seen there.
    pub(crate) usual_rarity: [f32; MOST],
}

impl Chances {
    /// How much of a rare value's rarity an approximate agreement on it keeps.
    pub(crate) const ERROR_RARITY: f32 = 0.5;
    /// Most bits that rarity moves an approximate agreement, up or down.
    const MOST_MOVED: f32 = 5.0;
}

/// Turns agreements into weights and weights into a probability.
#[derive(Clone, Debug)]
pub(crate) struct Scorer {
    pub(crate) chances: Vec<Chances>,
    /// Chance that two records drawn at random are of one person.
    pub(crate) prior: f64,
    /// What two persons of one household share.
    pub(crate) household: Household,
    /// Bits of each level without rarity. Shape: `[comparison][level]`.
    bits: Vec<[f32; MOST]>,
    /// Most bits of any level but the exact ones.
    ceiling: Vec<f32>,
    /// The comparisons in the order in which they are looked at: what may cost most comes first.
    order: Vec<usize>,
}

impl Scorer {
    /// Before anything is learned.
    pub(crate) fn assumed(comparer: &Comparer, prior: f64) -> Self {
        let chances = comparer.comparisons.iter().map(|comparison| Chances {
            measure: comparison.measure,
            m: defaults::matching(comparison.measure),
            u: defaults::random(comparison.measure),
            usual_rarity: [f32::NAN; MOST],
        });
        let mut scorer = Self {
            chances: chances.collect(),
            prior,
            household: Household::assumed(comparer, prior),
            bits: Vec::new(),
            ceiling: Vec::new(),
            order: Vec::new(),
        };
        scorer.refresh();
        scorer
    }

    /// Works the bits out again after chances changed.
    pub(crate) fn refresh(&mut self) {
        self.bits = self.chances.iter().map(bits).collect();
        self.ceiling = (self.chances.iter().zip(&self.bits))
            .map(|(chances, bits)| {
                if chances.measure == Measure::Order {
                    return 0.0;
                }
                let spare = |level: u8| {
                    f32::from(u8::from(chances.measure.rare_error_says_more(level))) * Chances::MOST_MOVED
                };
                let most = (2..MOST as u8).map(|level| bits[usize::from(level)] + spare(level));
                most.fold(0.0, f32::max)
            })
            .collect();
        let drop = |at: usize| {
            let chances = &self.chances[at];
            let different = self.bits[at][chances.measure.levels().len() - 1];
            let last = chances.measure == Measure::Order;
            // Whole bits, so that the order is total.
            if last { i32::MAX } else { (different - self.ceiling[at]) as i32 }
        };
        let mut order: Vec<usize> = (0..self.chances.len()).collect();
        order.sort_by_key(|&at| drop(at));
        self.order = order;
    }

    /// Bits of evidence that comparison number `at` gives.
    pub(crate) fn weight(&self, at: usize, agreement: &Agreement) -> f32 {
        let (level, rarity) = (agreement.levels[at], agreement.rarity[at]);
        if level == MISSING {
            return 0.0;
        }
        let chances = &self.chances[at];
        let moved = if level == EXACT && chances.measure.rare_says_more() || chances.measure == Measure::Order
        {
            rarity
        } else if chances.measure.rare_error_says_more(level) {
            let usual = chances.usual_rarity[usize::from(level)];
            let more = rarity * Chances::ERROR_RARITY - usual;
            if usual.is_nan() { 0.0 } else { more.clamp(-Chances::MOST_MOVED, Chances::MOST_MOVED) }
        } else {
            0.0
        };
        self.bits[at][usize::from(level)] + moved
    }

    /// The weights of all comparisons, and how many there are.
    pub(crate) fn weights(&self, agreement: &Agreement) -> ([f32; MOST], usize) {
        let mut weights = [0.0; MOST];
        let count = self.chances.len().min(MOST);
        for (at, weight) in weights.iter_mut().enumerate().take(count) {
            *weight = self.weight(at, agreement);
        }
        (weights, count)
    }

    /// Sum of the weights in bits, less what a household would explain as well.
    pub(crate) fn total(&self, agreement: &Agreement) -> f32 {
        let (weights, count) = self.weights(agreement);
        weights.iter().sum::<f32>() - self.household.bits(&weights[..count])
    }

    /// Bits that a pair needs for as much chance as this.
    pub(crate) fn bits_for(&self, probability: f64) -> f32 {
        let log_odds = |p: f64| (p / (1.0 - p)).log2();
        (log_odds(probability) - log_odds(self.prior)) as f32
    }

    /// The chance of a match with this many bits of evidence.
    pub(crate) fn probability_of(&self, bits: f64) -> f64 {
        let odds = self.prior / (1.0 - self.prior) * bits.exp2();
        if odds.is_infinite() { 1.0 } else { odds / (1.0 + odds) }
    }

    /// The chance of a match.
    pub(crate) fn probability(&self, agreement: &Agreement) -> f64 {
        self.probability_of(f64::from(self.total(agreement)))
    }

    /// The total of a pair where it is at least `floor`; most pairs are left as soon as they cannot reach it.
    pub(crate) fn reaches(
        &self,
        comparer: &Comparer,
        records: &Records,
        (a, b): (u32, u32),
        floor: f32,
        cache: &mut Cache,
    ) -> Option<f32> {
        let mut agreement = Agreement::default();
        let mut open = [0_u8; MOST];
        let mut opened = 0;
        // Fields that changed places may still agree: nothing bounds what they say.
        let mut bound = if comparer.may_cross(records, a, b) { f32::INFINITY } else { 0.0 };
        for &at in &self.order {
            if self.chances[at].measure == Measure::Order
                || !comparer.at_once(records, at, a, b, &mut agreement)
            {
                bound += self.ceiling[at];
                open[opened] = at as u8;
                opened += 1;
            } else {
                bound += self.weight(at, &agreement);
            }
        }
        for &at in &open[..opened] {
            if bound < floor {
                return None;
            }
            let at = usize::from(at);
            comparer.fill(records, at, a, b, cache, &mut agreement);
            bound += self.weight(at, &agreement) - self.ceiling[at];
        }
        let total = self.total(&agreement);
        (total >= floor).then_some(total)
    }
}

fn bits(chances: &Chances) -> [f32; MOST] {
    let mut bits = [0.0; MOST];
    for (level, bit) in bits.iter_mut().enumerate().skip(1) {
        let rare = level == usize::from(EXACT) && chances.measure.rare_says_more()
            || chances.measure == Measure::Order && level > usize::from(order::IN_PLACE);
        let u = match (rare, chances.measure) {
            (true, Measure::Order) => defaults::random(Measure::Order)[level],
            (true, _) => 1.0,
            (false, _) => chances.u[level],
        };
        if chances.m[level] > 0.0 && u > 0.0 {
            *bit = (chances.m[level] / u).log2() as f32;
        }
    }
    bits
}

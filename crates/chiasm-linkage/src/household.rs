//! Pairs of two persons of one household: they share an address, often a surname, and now and then a first name or
//! a date of birth. Beside "one person" and "two strangers" they are a third kind of pair.

use crate::FieldKind;
use crate::compare::Comparer;
use crate::levels::{MOST, Measure};

/// How many pairs the defaults count as much as.
const WEIGHT: f64 = 50.0;
/// Two of one household may have one first name, or one birthday, but most do not, whatever a table seems to say.
const SELDOM: f64 = 0.25;
/// Fewer pairs than this are not looked for: a table has a household or it has none.
const LEAST_PAIRS: f64 = 0.1;
/// Most bits of one field that count.
const MOST_BITS: f32 = 40.0;

/// What two persons of one household have in common.
#[derive(Clone, Debug)]
pub(crate) struct Household {
    /// Chance that two records drawn at random are of two persons of one household.
    pub(crate) prior: f64,
    /// Chance that two of them share a field as two records of one person do. Shape: `[comparison]`.
    shared: Vec<f64>,
    /// The comparisons of given names, and of dates of birth, one bit each.
    named: u32,
    born: u32,
}

/// What pairs say of a household, summed over many.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pairs: f64,
    shared: [f64; MOST],
    told: [f64; MOST],
}

impl Counts {
    pub(crate) fn none() -> Self {
        Self { pairs: 0.0, shared: [0.0; MOST], told: [0.0; MOST] }
    }

    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.pairs += other.pairs;
        for at in 0..MOST {
            self.shared[at] += other.shared[at];
            self.told[at] += other.told[at];
        }
        self
    }
}

/// How often two of one household share a field, and between what a table may teach of it.
///
/// An address is what makes a household: left free, the third kind of pair becomes that of one town.
fn usual(kind: FieldKind, measure: Measure) -> (f64, f64, f64) {
    match (kind, measure) {
        (FieldKind::GivenName | FieldKind::FullName, Measure::Order) => (0.02, 0.005, SELDOM),
        (FieldKind::GivenName | FieldKind::FullName, _) => (0.05, 0.01, SELDOM),
        (FieldKind::BirthDate, _) => (0.05, 0.01, SELDOM),
        (FieldKind::FamilyName, _) => (0.8, 0.6, 0.98),
        (
            FieldKind::Street
            | FieldKind::HouseNumber
            | FieldKind::City
            | FieldKind::State
            | FieldKind::Postcode,
            _,
        ) => (0.98, 0.98, 0.98),
        (FieldKind::Phone, _) => (0.5, 0.2, 0.9),
        (FieldKind::Email, _) => (0.1, 0.01, 0.5),
        (FieldKind::Other, _) => (0.3, 0.1, 0.5),
        _ => (0.0, 0.0, 0.0),
    }
}

impl Household {
    /// Before anything is learned: a pair of a household for ten of one person.
    pub(crate) fn assumed(comparer: &Comparer, prior: f64) -> Self {
        let shared = comparer.comparisons.iter().map(|c| usual(c.kind, c.measure).0).collect();
        let of = |kind: FieldKind| {
            let all = comparer.comparisons.iter().enumerate().filter(|(_, c)| c.kind == kind);
            all.fold(0, |bits, (at, _)| bits | 1 << at)
        };
        let (named, born) = (of(FieldKind::GivenName), of(FieldKind::BirthDate));
        Self { prior: prior * 0.1, shared, named, born }
    }

    /// How much likelier a pair is between two of one household than between two strangers, before the prior.
    /// `weights` are the bits that its fields give for one person. Shape: `[comparison]`.
    fn ratio(&self, weights: &[f32]) -> f64 {
        let fields = self.shared.iter().zip(weights).filter(|(_, w)| **w != 0.0);
        fields.map(|(shared, &w)| mixed(*shared, w)).product()
    }

    /// Bits that a pair loses as it may be of two persons of one household; none where it cannot.
    pub(crate) fn bits(&self, weights: &[f32]) -> f32 {
        (self.prior * self.ratio(weights)).ln_1p() as f32 * std::f32::consts::LOG2_E
    }

    /// How much likelier two persons of one household are than one person, whose odds against two strangers these are.
    pub(crate) fn against(&self, weights: &[f32], odds: f64) -> f64 {
        self.prior * self.ratio(weights) / odds.max(f64::MIN_POSITIVE)
    }

    /// The bits of given names, and those of dates of birth.
    pub(crate) fn person(&self, weights: &[f32]) -> [f32; 2] {
        [self.named, self.born].map(|fields| {
            let all = weights.iter().enumerate().filter(|(at, _)| fields & (1 << at) != 0);
            all.map(|(_, weight)| weight).sum()
        })
    }

    /// Adds what a pair says. `odds` are those of one person against two strangers, the prior among them; `counts`
    /// is how many pairs it stands for, and `touched` says of which fields it can say nothing.
    pub(crate) fn count(&self, weights: &[f32], odds: f64, counts: f64, touched: u32, into: &mut Counts) {
        let own = self.prior * self.ratio(weights);
        let chance = own / (1.0 + own + odds);
        if chance < 1e-6 || !chance.is_finite() {
            return;
        }
        // Only two names and two birthdays show a household: one person's record with an error in one of them looks
        // like a household whose members share the other.
        if self.person(weights).iter().all(|bits| *bits < 0.0) {
            into.pairs += chance * counts;
        }
        for (at, (&shared, &w)) in self.shared.iter().zip(weights).enumerate() {
            if w != 0.0 && touched & (1 << at) == 0 {
                into.told[at] += chance;
                into.shared[at] += chance * (mixed(shared, w) - (1.0 - shared)) / mixed(shared, w);
            }
        }
    }

    /// Learns from counts; `pairs` is how many pairs of records there are.
    pub(crate) fn learn(&mut self, comparer: &Comparer, counts: &Counts, matches: f64, pairs: f64) {
        // There are not more neighbours than records of one person: else they are strangers who look alike.
        let sharing = |fields: u32| -> f64 {
            let all = self.shared.iter().enumerate().filter(|(at, _)| fields & (1 << at) != 0);
            all.map(|(_, shared)| *shared).fold(0.0, f64::max)
        };
        let seen = (1.0 - sharing(self.named)) * (1.0 - sharing(self.born));
        self.prior = (counts.pairs / seen).min(matches).max(LEAST_PAIRS) / pairs.max(2.0);
        for (at, comparison) in comparer.comparisons.iter().enumerate() {
            let (usual, least, most) = usual(comparison.kind, comparison.measure);
            let learned = (counts.shared[at] + WEIGHT * usual) / (counts.told[at] + WEIGHT);
            self.shared[at] = learned.clamp(least, most);
        }
    }
}

/// How much likelier a level is where a field is shared with chance `shared`.
fn mixed(shared: f64, weight: f32) -> f64 {
    1.0 - shared + shared * f64::from(weight.clamp(-MOST_BITS, MOST_BITS)).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_household_shares_counts_for_less() {
        // Surname, street, house number, given name.
        let household = Household { prior: 1e-4, shared: vec![0.8, 0.98, 0.98, 0.05], named: 8, born: 0 };
        let same_house = household.bits(&[10.0, 12.0, 6.0, -6.0]);
        assert!((14.0..16.0).contains(&same_house), "{same_house}");
        // The same without the address: a name alone makes no household.
        let strangers = household.bits(&[10.0, -5.0, -4.0, -6.0]);
        assert!(strangers < 0.01, "{strangers}");
        // A first name in common is rare in a household, so it still tells.
        let namesake = household.bits(&[10.0, 12.0, 6.0, 8.0]);
        assert!(namesake - same_house < 5.0, "{namesake}");
        assert_eq!(household.bits(&[0.0; 4]), (1e-4_f64.ln_1p() as f32) * std::f32::consts::LOG2_E);
    }
}

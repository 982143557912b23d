use crate::levels::{EXACT, MISSING, MOST, Measure, name, order};
use crate::link::Evidence;
use crate::records::Records;
use crate::score::Scorer;
use crate::vocabulary::ValueId;
use crate::{FieldKind, defaults};

/// One line of the evidence: which fields, and how they are compared.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    /// What it is called in a list of weights: the column's name.
    pub(crate) name: String,
    pub(crate) kind: FieldKind,
    pub(crate) measure: Measure,
    /// The fields. For [`Measure::Order`] the two comparisons whose fields may have changed places.
    pub(crate) of: Vec<usize>,
}

/// How two records agree: a level in each comparison, and bits that the value's rarity adds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Agreement {
    pub(crate) levels: [u8; MOST],
    pub(crate) rarity: [f32; MOST],
}

/// Remembers levels of pairs of values that were worked out before; one for each thread.
pub(crate) struct Cache {
    entries: Vec<(u64, u8)>,
}

impl Cache {
    /// Room for `2^bits` pairs; a newer one takes an older one's place.
    pub(crate) fn new(bits: u32) -> Self {
        Self { entries: vec![(0, 0); 1 << bits] }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.entries.fill((0, 0));
    }

    fn level(&mut self, kind: usize, a: ValueId, b: ValueId, work: impl FnOnce() -> u8) -> u8 {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        let key = (kind as u64) << 60 | u64::from(low) << 30 | u64::from(high);
        let place =
            (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - self.entries.len().trailing_zeros())) as usize;
        let entry = &mut self.entries[place];
        if entry.0 != key {
            *entry = (key, work());
        }
        entry.1
    }
}

/// Compares records: which comparisons there are, and how rare every value is.
pub(crate) struct Comparer {
    pub(crate) comparisons: Vec<Comparison>,
    /// `-log2` of each value's frequency in its slot. Shape: `[slot][value]`.
    rarity: Vec<Vec<f32>>,
}

impl Comparer {
    /// The comparisons that the records' fields allow.
    pub(crate) fn new(records: &Records) -> Self {
        let mut comparisons: Vec<Comparison> = Vec::new();
        let mut streets = 0;
        for (slot, field) in records.slots.iter().enumerate() {
            let alone = field.kind == FieldKind::Other || field.kind == FieldKind::Street && streets < 2;
            let room = comparisons.len() + 2 < MOST;
            let known = comparisons.iter_mut().find(|c| c.kind == field.kind && !alone);
            streets += usize::from(field.kind == FieldKind::Street);
            match known {
                Some(known) => known.of.push(slot),
                None if room => comparisons.push(Comparison {
                    name: field.name.clone(),
                    kind: field.kind,
                    measure: if records.encoded { Measure::Encoded } else { Measure::of(field.kind) },
                    of: vec![slot],
                }),
                None => {}
            }
        }
        let place = |kind| comparisons.iter().position(|c| c.kind == kind);
        let names = (!records.encoded)
            .then_some(())
            .and_then(|()| place(FieldKind::GivenName))
            .zip(place(FieldKind::FamilyName));
        let street = place(FieldKind::Street).filter(|&first| {
            comparisons
                .get(first + 1)
                .is_some_and(|next| next.kind == FieldKind::Street && next.of.len() == 1)
        });
        for (first, second, name) in [
            names.map(|(given, family)| (given, family, "order of names")),
            street.map(|first| (first, first + 1, "order of address lines")),
        ]
        .into_iter()
        .flatten()
        {
            let kind = comparisons[first].kind;
            comparisons.push(Comparison {
                name: name.into(),
                kind,
                measure: Measure::Order,
                of: vec![first, second],
            });
        }
        let rarity = records.slots.iter().map(|slot| rarity(records, slot)).collect();
        Self { comparisons, rarity }
    }

    /// Bits of a value's rarity; one that nobody had when frequencies were counted is as rare as can be.
    fn rarity(&self, slot: usize, value: ValueId) -> f32 {
        let known = self.rarity[slot].get(value as usize);
        known.copied().unwrap_or_else(|| self.rarity[slot].iter().copied().fold(0.0, f32::max))
    }

    /// Bits of the rarest value that a record has in a comparison's fields.
    pub(crate) fn rarest(&self, records: &Records, comparison: &Comparison, row: u32) -> f32 {
        let values = comparison.of.iter().map(|slot| (*slot, records.slots[*slot].values[row as usize]));
        values
            .filter(|(_, value)| *value != 0)
            .map(|(slot, value)| self.rarity(slot, value))
            .fold(0.0, f32::max)
    }

    /// How two records agree.
    pub(crate) fn compare(&self, records: &Records, a: u32, b: u32, cache: &mut Cache) -> Agreement {
        let mut agreement = Agreement::default();
        for at in 0..self.comparisons.len() {
            self.fill(records, at, a, b, cache, &mut agreement);
        }
        agreement
    }

    /// What each field says of two records, and last what a household would explain.
    pub(crate) fn evidence(&self, scorer: &Scorer, records: &Records, a: u32, b: u32) -> Vec<Evidence> {
        let agreement = self.compare(records, a.min(b), a.max(b), &mut Cache::new(4));
        let comparisons = self.comparisons.iter().enumerate();
        let fields = comparisons.map(|(at, comparison)| Evidence {
            field: comparison.name.clone(),
            level: comparison.measure.levels()[usize::from(agreement.levels[at])].to_owned(),
            weight: scorer.weight(at, &agreement),
        });
        let (weights, count) = scorer.weights(&agreement);
        let less = scorer.household.bits(&weights[..count]);
        let level = if less < 0.1 { "hardly two of one" } else { "may be two of one" };
        let household = Evidence { field: "household".into(), level: level.into(), weight: -less };
        fields.chain([household]).collect()
    }

    /// Fills in comparison number `at`. Those of order come after the two that they speak of.
    pub(crate) fn fill(
        &self,
        records: &Records,
        at: usize,
        a: u32,
        b: u32,
        cache: &mut Cache,
        into: &mut Agreement,
    ) {
        let comparison = &self.comparisons[at];
        if comparison.measure == Measure::Order {
            return self.fill_order(records, at, a, b, cache, into);
        }
        let mut best: Option<(u8, f32)> = None;
        for &here in &comparison.of {
            for &there in &comparison.of {
                let (level, rarity) = self.level(records, comparison.measure, here, there, a, b, cache);
                if level != MISSING && best.is_none_or(|(known, _)| level < known) {
                    best = Some((level, rarity));
                }
            }
        }
        (into.levels[at], into.rarity[at]) = best.unwrap_or((MISSING, 0.0));
    }

    /// Fills in comparison number `at` where that takes no look at the text: a value is missing or both
    /// are the same. `false` where it takes one.
    pub(crate) fn at_once(&self, records: &Records, at: usize, a: u32, b: u32, into: &mut Agreement) -> bool {
        let comparison = &self.comparisons[at];
        let [slot] = comparison.of[..] else { return false };
        let values = &records.slots[slot].values;
        let (x, y) = (values[a as usize], values[b as usize]);
        if x == 0 || y == 0 {
            return true;
        }
        if x == y {
            (into.levels[at], into.rarity[at]) = (EXACT, self.rarity(slot, x));
        }
        x == y
    }

    /// Whether a value of one field stands in another field of the other record.
    pub(crate) fn may_cross(&self, records: &Records, a: u32, b: u32) -> bool {
        let orders = self.comparisons.iter().filter(|c| c.measure == Measure::Order);
        orders.into_iter().any(|order| {
            let [one, two] =
                [order.of[0], order.of[1]].map(|c| &records.slots[self.comparisons[c].of[0]].values);
            let same = |x: u32, y: u32| x == y && x != 0;
            same(one[a as usize], two[b as usize]) || same(two[a as usize], one[b as usize])
        })
    }

    /// The level of field `here` of `a` against field `there` of `b`, and the rarity of what agrees.
    #[expect(clippy::too_many_arguments, reason = "the innermost step: two fields of two records")]
    fn level(
        &self,
        records: &Records,
        measure: Measure,
        here: usize,
        there: usize,
        a: u32,
        b: u32,
        cache: &mut Cache,
    ) -> (u8, f32) {
        let (slot, other) = (&records.slots[here], &records.slots[there]);
        let (x, y) = (slot.values[a as usize], other.values[b as usize]);
        if x == 0 || y == 0 {
            return (MISSING, 0.0);
        }
        if x == y {
            let known = self.rarity(here, x).min(self.rarity(there, y));
            return (EXACT, known);
        }
        let words = &records.vocabularies[slot.vocabulary];
        let level = if measure == Measure::Equal {
            2
        } else {
            cache.level(slot.vocabulary, x, y, || measure.level(words, x, y))
        };
        let rare = if measure.rare_error_says_more(level) {
            self.rarity(here, x).max(self.rarity(there, y))
        } else {
            0.0
        };
        (level, rare)
    }

    /// Whether two fields changed places. Where they did, the two speak through this line alone.
    fn fill_order(
        &self,
        records: &Records,
        at: usize,
        a: u32,
        b: u32,
        cache: &mut Cache,
        into: &mut Agreement,
    ) {
        let [first, second] = [self.comparisons[at].of[0], self.comparisons[at].of[1]];
        let [one, two] = [first, second].map(|c| self.comparisons[c].of[0]);
        let measure = self.comparisons[first].measure;
        let given = |slot: usize, record: u32| records.slots[slot].values[record as usize] != 0;
        if !(given(one, a) || given(two, a)) || !(given(one, b) || given(two, b)) {
            return;
        }
        let told = |level: u8| level != MISSING && level <= name::CLOSE;
        if told(into.levels[first]) || told(into.levels[second]) {
            into.levels[at] = order::IN_PLACE;
            return;
        }
        let same = |x: u32, y: u32| x == y && x != 0;
        let values = [one, two].map(|slot| &records.slots[slot].values);
        let (a, b) = (a as usize, b as usize);
        if !same(values[0][a], values[1][b]) && !same(values[1][a], values[0][b]) {
            into.levels[at] = order::IN_PLACE;
            return;
        }
        let (a, b) = (a as u32, b as u32);
        let (crossed, rare) = self.level(records, measure, one, two, a, b, cache);
        let (back, rare_back) = self.level(records, measure, two, one, a, b, cache);
        let near = |level: u8| level != MISSING && level <= name::NEAR;
        let (level, rarity) = match (crossed, back) {
            (EXACT, EXACT) => (order::SWAPPED, self.rarity_of_swap(records, one, two, a, b)),
            (EXACT, other) if near(other) => (order::SWAPPED_CLOSE, rare),
            (other, EXACT) if near(other) => (order::SWAPPED_CLOSE, rare_back),
            (EXACT, MISSING) => (order::CROSSED, rare),
            (MISSING, EXACT) => (order::CROSSED, rare_back),
            (MISSING, MISSING) => (MISSING, 0.0),
            _ => (order::IN_PLACE, 0.0),
        };
        if matches!(level, order::SWAPPED | order::SWAPPED_CLOSE | order::CROSSED) {
            for silent in [first, second] {
                (into.levels[silent], into.rarity[silent]) = (MISSING, 0.0);
            }
        }
        (into.levels[at], into.rarity[at]) = (level, rarity);
    }

    /// Bits that two records with the same two names in another order share.
    ///
    /// With `f(a)` the frequency of `a`'s order of the names and `s` the chance of a swap, the ratio of
    /// likelihoods is `s (f(a) + f(b)) / (f'(a) f'(b))`, where a stranger has an order either as such or
    /// by a swap: `f'(a) = f(a) + s f(b)`. The factor `s` outside is the level's own m.
    fn rarity_of_swap(&self, records: &Records, one: usize, two: usize, a: u32, b: u32) -> f32 {
        let frequency = |record: u32| {
            let rarity = |slot: usize| self.rarity(slot, records.slots[slot].values[record as usize]);
            (-rarity(one) - rarity(two)).exp2()
        };
        let (f, g) = (frequency(a), frequency(b));
        let s = defaults::SWAP;
        ((f + g) / ((f + s * g) * (g + s * f))).log2()
    }
}

/// `-log2` of how often each value stands in a slot, drawn toward a usual frequency where the table is small.
fn rarity(records: &Records, slot: &crate::records::Slot) -> Vec<f32> {
    let mut counts = vec![0_u32; records.vocabularies[slot.vocabulary].len()];
    for &value in &slot.values {
        counts[value as usize] += 1;
    }
    let present = slot.values.len() as f32 - counts[0] as f32;
    let usual = defaults::frequency(slot.kind);
    let weight = defaults::FREQUENCY_WEIGHT;
    let bits = |&count: &u32| -((count as f32 + weight * usual) / (present + weight)).log2();
    counts.iter().map(bits).collect()
}

//! What speaks against taking two records for one person, however likely their fields make it.

use crate::FieldKind;
use crate::cluster::{ClusterConfig, ReviewReason};
use crate::compare::{Agreement, Cache, Comparison};
use crate::guard::Guard;
use crate::levels::{EXACT, MISSING, MOST, Measure, is_part, name, order};
use crate::link::{Linkage, Pair};
use crate::records::Records;
use crate::rules;

/// A pair that is less likely than this on its own is not linked on its neighbours' word: if they are right, they
/// link the two records themselves.
const ALONE: f64 = 0.9;
/// Bits of a pair that a rule settles: those of the probability at which pairs are linked by default.
const SETTLED: f64 = 13.3;
/// How likely two of one household must be against one person for a pair to be looked at as such.
const SUSPECT: f64 = 1e-5;
/// Bits by which a name typed wrong is rarer than the name itself: less, and they are two names.
const TYPED: f32 = 7.0;

/// Two records side by side.
struct Look<'a> {
    linkage: &'a Linkage,
    records: &'a Records,
    a: u32,
    b: u32,
    agreement: Agreement,
    /// Bits of each comparison, those that there are. Shape: `[comparison]`.
    weights: [f32; MOST],
    count: usize,
}

impl<'a> Look<'a> {
    fn at(linkage: &'a Linkage, records: &'a Records, a: u32, b: u32) -> Self {
        let (a, b) = (a.min(b), a.max(b));
        let agreement = linkage.comparer.compare(records, a, b, &mut Cache::new(4));
        let (weights, count) = linkage.scorer.weights(&agreement);
        Self { linkage, records, a, b, agreement, weights, count }
    }

    fn weights(&self) -> &[f32] {
        &self.weights[..self.count]
    }

    /// Each comparison with its level and bits.
    fn fields(&self) -> impl Iterator<Item = (&'a Comparison, u8, f32)> {
        let told = self.agreement.levels.iter().zip(self.weights());
        self.linkage.comparer.comparisons.iter().zip(told).map(|(c, (level, weight))| (c, *level, *weight))
    }

    /// Bits of the fields, less what a household explains.
    fn bits(&self) -> f64 {
        f64::from(self.linkage.scorer.total(&self.agreement))
    }

    /// Whether the same number of a record or of the state stands in both.
    fn numbered(&self) -> bool {
        self.fields().any(|(c, level, _)| rules::settles(c.kind) && level == EXACT)
    }

    /// Bits of the fields that no rule rests on.
    fn beside_rules(&self) -> f32 {
        self.fields().filter(|(c, ..)| !rules::settles(c.kind)).map(|(.., weight)| weight).sum()
    }

    /// Whether a name, the birthday or the sex agrees.
    fn describes(&self) -> bool {
        use FieldKind::{BirthDate, FamilyName, GivenName, Sex};
        self.fields().any(|(c, _, weight)| {
            matches!(c.kind, GivenName | FamilyName | BirthDate | Sex)
                && c.measure != Measure::Order
                && weight > 0.0
        }) || self.agrees_at(Measure::Order, order::SWAPPED)
    }

    fn agrees_at(&self, measure: Measure, at: u8) -> bool {
        self.fields().any(|(c, level, _)| c.measure == measure && level == at)
    }

    /// The texts of a comparison's fields in both records, each with each.
    fn texts(&self, comparison: &'a Comparison) -> impl Iterator<Item = (&'a str, &'a str)> {
        let records = self.records;
        let text = move |slot: usize, row: u32| {
            let slot = &records.slots[slot];
            records.vocabularies[slot.vocabulary].text(slot.values[row as usize])
        };
        let (a, b) = (self.a, self.b);
        let both = comparison.of.iter().flat_map(move |x| comparison.of.iter().map(move |y| (*x, *y)));
        both.map(move |(x, y)| (text(x, a), text(y, b))).filter(|(x, y)| !x.is_empty() && !y.is_empty())
    }

    /// Whether the years of birth differ and neither a number nor a mail address says that it is a slip: parent and
    /// child of one name may be born in years one digit apart.
    fn generations(&self) -> bool {
        let identified =
            || self.numbered() || self.fields().any(|(c, l, _)| c.kind == FieldKind::Email && l == EXACT);
        let years = |date: &'a str| date.get(..4).unwrap_or(date);
        let differ = self.fields().filter(|(c, level, _)| c.measure == Measure::Date && *level > EXACT);
        differ.into_iter().any(|(c, ..)| self.texts(c).all(|(x, y)| years(x) != years(y))) && !identified()
    }

    /// Whether both say a given name, wherever it stands.
    fn given_names(&self) -> bool {
        let said = |measure, level| match measure {
            Measure::Order => level > order::IN_PLACE,
            _ => level != MISSING,
        };
        self.fields().any(|(c, level, _)| c.kind == FieldKind::GivenName && said(c.measure, level))
    }

    /// Whether the given names are one name: the same, one with a part left out, or one typed wrong. Of two names that
    /// both are common, like Maria and Marta, neither is a slip of the other.
    fn same_given_name(&self) -> bool {
        let bits = self.linkage.scorer.household.person(self.weights())[0];
        let name =
            |(comparison, level, _): (&'a Comparison, u8, f32)| match (comparison.kind, comparison.measure) {
                (FieldKind::GivenName, Measure::Order) => level == order::SWAPPED,
                (FieldKind::GivenName, Measure::Name) => match level {
                    EXACT => true,
                    name::VARIANT => self.texts(comparison).any(|(x, y)| is_part(x, y)),
                    name::ONE_EDIT => {
                        let [x, y] = [self.a, self.b]
                            .map(|row| self.linkage.comparer.rarest(self.records, comparison, row));
                        (x - y).abs() >= TYPED
                    }
                    _ => false,
                },
                (FieldKind::GivenName, _) => level != MISSING,
                _ => false,
            };
        bits > 0.0 && self.fields().any(name)
    }

    /// Whether the two may as well be of two persons of one household: they share what a household shares, and no
    /// number.
    fn may_be_household(&self) -> bool {
        let scorer = &self.linkage.scorer;
        let prior = scorer.prior / (1.0 - scorer.prior);
        let odds = prior * f64::from(self.weights().iter().sum::<f32>()).exp2();
        scorer.household.against(self.weights(), odds) >= SUSPECT
            && !self.linkage.orders.holds(self.a, self.b)
            && !self.numbered()
    }

    /// What forbids that they are of one person, however alike they are otherwise.
    fn conflict(&self) -> Option<ReviewReason> {
        let (mut birth, mut sex, mut suffix) = (false, false, false);
        for (comparison, level, _) in self.fields() {
            let last = usize::from(level) == comparison.measure.levels().len() - 1;
            match (comparison.measure, comparison.kind) {
                // A number that differs by more than a typing error; record numbers do not forgive one.
                (Measure::Record, _) if level > EXACT => return Some(ReviewReason::TwoNumbers),
                (Measure::Number, FieldKind::NationalId) if last => return Some(ReviewReason::TwoNumbers),
                (Measure::Date, _) => birth = last,
                (_, FieldKind::Sex) => sex = last,
                (_, FieldKind::NameSuffix) => suffix = last,
                _ => {}
            }
        }
        if birth && sex {
            return Some(ReviewReason::BirthAndSex);
        }
        let household = || {
            let person = self.linkage.scorer.household.person(self.weights());
            self.generations() || person.iter().any(|bits| *bits < 0.0) && self.may_be_household()
        };
        (suffix || household()).then_some(ReviewReason::Household)
    }

    /// What is missing for a link that no number and no order makes.
    fn lacks(&self) -> Option<ReviewReason> {
        let person = self.linkage.scorer.household.person(self.weights());
        let nameless = |row| self.records.nameless.contains(&row);
        if !self.numbered() && (nameless(self.a) || nameless(self.b) || person == [0.0, 0.0]) {
            return Some(ReviewReason::Nameless);
        }
        let same = self.same_given_name();
        let two_names = self.given_names() && !same && !self.numbered();
        let lacking = || (!same || person[1] <= 0.0) && self.may_be_household();
        (two_names || lacking()).then_some(ReviewReason::Household)
    }

    /// Whether name, birthday and sex all are another's.
    fn another(&self) -> bool {
        let all = |measure: &dyn Fn(&Comparison) -> bool, least: u8| {
            let mut told = self.fields().filter(|(c, level, _)| measure(c) && *level != MISSING).peekable();
            told.peek().is_some() && told.all(|(_, level, _)| level >= least)
        };
        all(&|c| c.measure == Measure::Name, name::FAINT)
            && !self.agrees_at(Measure::Order, order::SWAPPED)
            && all(&|c| c.measure == Measure::Date, 5)
            && all(&|c| c.kind == FieldKind::Sex, 2)
    }
}

impl Linkage {
    /// Bits for a match of two records, the prior among them. A pair that a rule settles, and that no other field
    /// speaks against, has at least those of a link: a number may be all that two stays of one person share.
    pub(crate) fn log_odds(&self, records: &Records, a: u32, b: u32) -> f64 {
        let look = Look::at(self, records, a, b);
        let bits = look.bits() + f64::from(self.orders.bits(a, b)) + self.prior_bits();
        let settled = || rules::certain(&self.comparer, &look.agreement) && look.beside_rules() >= 0.0;
        if bits < SETTLED && settled() { SETTLED } else { bits }
    }

    /// What forbids that two records are of one person, however alike they are otherwise.
    pub(crate) fn conflict(&self, records: &Records, a: u32, b: u32) -> Option<ReviewReason> {
        Look::at(self, records, a, b).conflict()
    }

    /// Whether two records differ so far that a message which merges them must be wrong.
    pub(crate) fn against_merge(&self, records: &Records, a: u32, b: u32) -> bool {
        Look::at(self, records, a, b).another()
    }

    /// The pairs that may be linked or reviewed, with a doubt where there is one.
    pub(crate) fn candidates(
        &self,
        records: &Records,
        guard: &Guard<'_>,
        config: ClusterConfig,
    ) -> Vec<(u32, u32, f64, Option<ReviewReason>)> {
        let ruled = |pair: &Pair| pair.certain || self.orders.holds(pair.left, pair.right);
        let pairs = self.pairs.iter().filter(|pair| pair.probability >= config.review || ruled(pair));
        let candidate = |pair: &Pair| {
            let doubt = self.doubt(records, guard, config, pair, ruled(pair));
            let probability = if pair.certain && doubt.is_none() { 1.0 } else { pair.probability };
            (pair.left, pair.right, probability, doubt)
        };
        pairs.map(candidate).collect()
    }

    fn doubt(
        &self,
        records: &Records,
        guard: &Guard<'_>,
        config: ClusterConfig,
        pair: &Pair,
        ruled: bool,
    ) -> Option<ReviewReason> {
        if guard.is_reused(pair.left) || guard.is_reused(pair.right) {
            return Some(ReviewReason::ReusedNumber);
        }
        let look = Look::at(self, records, pair.left, pair.right);
        // Too little said is no contradiction: only fields that speak against the number are.
        let against = || self.scorer.probability_of(look.bits()) < 0.5 && look.beside_rules() < 0.0;
        if self.orders.doubtful(pair.left, pair.right) {
            return Some(ReviewReason::WrongPatient);
        }
        if ruled && against() {
            return Some(ReviewReason::NumberAgainstFields);
        }
        if ruled && !pair.certain && !look.describes() {
            return Some(ReviewReason::OrderAlone);
        }
        let likely = pair.pairwise >= ALONE && pair.probability >= config.link;
        look.conflict()
            .or_else(|| if ruled { None } else { look.lacks() })
            .or((!likely && !ruled).then_some(ReviewReason::Doubtful))
    }
}

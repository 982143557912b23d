use crate::guard::Guard;
use crate::ledger::{Decision, RecordPair};
use crate::levels::Measure;
use crate::link::Linkage;
use crate::records::Records;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Which links make persons.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterConfig {
    /// Pairs at or above this probability are linked. Default: 0.9999.
    pub link: f64,
    /// Pairs at or above this probability, and below `link`, are for a person to decide. Default: 0.2.
    pub review: f64,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self { link: 0.9999, review: 0.2 }
    }
}

/// Why a pair is shown to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewReason {
    /// Likely, but not likely enough.
    Doubtful,
    /// Two record numbers of one authority, or two national ids, would meet in one person.
    TwoNumbers,
    /// Date of birth and sex both contradict.
    BirthAndSex,
    /// Same number (of a record, a person, an order), but other fields say that these are two persons.
    NumberAgainstFields,
    /// The two would meet through a chain whose ends do not match.
    Chain,
    /// A decision says that they are two persons, but others link them.
    Decided,
    /// They may be two of one household: what they share, a household shares too, and name or birthday is missing or
    /// another.
    Household,
    /// What a file of one says of its patient (age, sex, dates) contradicts the other.
    WrongPatient,
}

/// A pair for a person to decide.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Review {
    /// Number of the one record.
    pub left: u32,
    /// Number of the other.
    pub right: u32,
    /// Chance of a match as the fields have it.
    pub probability: f64,
    /// Why it was not settled.
    pub reason: ReviewReason,
}

/// Who is who.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Persons {
    /// The person of each record: the smallest record number among the person's own. Shape: `[record]`.
    pub of: Vec<u32>,
    /// What a person should look at, by left, then right.
    pub review: Vec<Review>,
    /// The pairs that hold persons together, with the probability of each.
    pub links: Vec<(u32, u32, f64)>,
}

impl Persons {
    /// The records of each person who has more than one, in order.
    pub fn groups(&self) -> Vec<Vec<u32>> {
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (record, &person) in (0..).zip(&self.of) {
            groups.entry(person).or_default().push(record);
        }
        groups.into_values().filter(|group| group.len() > 1).collect()
    }
}

/// Divides records into persons.
///
/// Links are made from the surest down. One that would bring two numbers of one authority, or a
/// contradicting birth and sex, or two records that a decision keeps apart, into one person is left to
/// review instead; so is one that would chain two groups whose records do not match each other on the
/// mean. Decisions of a person come first and cannot be outvoted.
pub fn persons(
    records: &Records,
    linkage: &Linkage,
    decided: &BTreeMap<RecordPair, Decision>,
    config: ClusterConfig,
) -> Persons {
    guarded_persons(records, linkage, decided, &Guard::default(), config)
}

/// The same, where files show something of their patients: what contradicts a link leaves it to review.
pub fn guarded_persons(
    records: &Records,
    linkage: &Linkage,
    decided: &BTreeMap<RecordPair, Decision>,
    guard: &Guard<'_>,
    config: ClusterConfig,
) -> Persons {
    let numbers: BTreeMap<&str, u32> = match decided.is_empty() {
        true => BTreeMap::new(),
        false => (0..records.len() as u32).map(|row| (records.id(row), row)).collect(),
    };
    let mut groups = Groups::new(records);
    let mut persons = Persons::default();
    let mut settled: BTreeSet<(u32, u32)> = BTreeSet::new();
    let both = |pair: &RecordPair| {
        let (a, b) = (*numbers.get(pair.left())?, *numbers.get(pair.right())?);
        Some((a.min(b), a.max(b)))
    };
    for (pair, decision) in decided {
        let Some((a, b)) = both(pair) else { continue };
        settled.insert((a, b));
        if *decision == Decision::Different {
            groups.apart.insert((a, b));
        }
    }
    for (pair, decision) in decided {
        let Some((a, b)) = both(pair) else { continue };
        if *decision == Decision::Same {
            if groups.decided_apart(a, b) {
                persons.review.push(Review {
                    left: a,
                    right: b,
                    probability: 1.0,
                    reason: ReviewReason::Decided,
                });
            } else {
                groups.join(a, b);
                persons.links.push((a, b, 1.0));
            }
        }
    }
    let mut candidates = linkage.candidates(records, config);
    candidates.sort_by(|x, y| y.2.total_cmp(&x.2).then((x.0, x.1).cmp(&(y.0, y.1))));
    for (a, b, probability, doubt) in candidates {
        if settled.contains(&(a, b)) || groups.same(a, b) {
            continue;
        }
        let reason = match doubt {
            // Of two reasons the one that a person can look up.
            Some(ReviewReason::Doubtful) if !guard.conflicts(a, b).is_empty() => {
                Some(ReviewReason::WrongPatient)
            }
            doubt => doubt.or_else(|| groups.objection(records, linkage, guard, a, b)),
        };
        match reason {
            Some(reason) => persons.review.push(Review { left: a, right: b, probability, reason }),
            None => {
                groups.join(a, b);
                persons.links.push((a, b, probability));
            }
        }
    }
    persons.review.sort_by_key(|review| (review.left, review.right));
    persons.of = (0..records.len() as u32).map(|row| groups.smallest(row)).collect();
    persons
}

/// Groups that grow, each known by its smallest record.
struct Groups {
    parent: Vec<u32>,
    members: BTreeMap<u32, Vec<u32>>,
    apart: BTreeSet<(u32, u32)>,
}

/// A pair that is less likely than this on its own is not linked on its neighbours' word: if they are right, they
/// link the two records themselves.
const ALONE: f64 = 0.9;
/// Bits of a pair that a rule settles: those of the probability at which pairs are linked by default.
const SETTLED: f64 = 13.3;
/// How likely two of one household must be against one person for a pair to be looked at as such.
const SUSPECT: f64 = 1e-5;
/// How many records of each of two groups are held against each other before they are joined.
const WITNESSES: usize = 8;

impl Groups {
    fn new(records: &Records) -> Self {
        Self { parent: (0..records.len() as u32).collect(), members: BTreeMap::new(), apart: BTreeSet::new() }
    }

    fn smallest(&mut self, record: u32) -> u32 {
        let mut root = record;
        while self.parent[root as usize] != root {
            self.parent[root as usize] = self.parent[self.parent[root as usize] as usize];
            root = self.parent[root as usize];
        }
        root
    }

    fn same(&mut self, a: u32, b: u32) -> bool {
        self.smallest(a) == self.smallest(b)
    }

    fn group(&mut self, record: u32) -> Vec<u32> {
        let root = self.smallest(record);
        self.members.get(&root).cloned().unwrap_or_else(|| vec![root])
    }

    fn decided_apart(&mut self, a: u32, b: u32) -> bool {
        if self.apart.is_empty() {
            return false;
        }
        let (here, there) = (self.group(a), self.group(b));
        here.iter().any(|&x| there.iter().any(|&y| self.apart.contains(&(x.min(y), x.max(y)))))
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.smallest(a), self.smallest(b));
        if a == b {
            return;
        }
        let (keep, gone) = (a.min(b), a.max(b));
        let mut members = self.group(gone);
        self.members.remove(&gone);
        self.members.entry(keep).or_insert_with(|| vec![keep]).append(&mut members);
        self.parent[gone as usize] = keep;
    }

    /// What speaks against joining the groups of two records.
    fn objection(
        &mut self,
        records: &Records,
        linkage: &Linkage,
        guard: &Guard<'_>,
        a: u32,
        b: u32,
    ) -> Option<ReviewReason> {
        if self.decided_apart(a, b) {
            return Some(ReviewReason::Decided);
        }
        let (here, there) = (self.group(a), self.group(b));
        let few = |group: &[u32], own: u32| {
            let others = group.iter().copied().filter(move |&r| r != own).take(WITNESSES - 1);
            std::iter::once(own).chain(others).collect::<Vec<_>>()
        };
        let (here, there) = (few(&here, a), few(&there, b));
        let (mut log_odds, mut pairs) = (0.0, 0.0);
        for &x in &here {
            for &y in &there {
                if let Some(reason) = linkage.conflict(records, x, y) {
                    return Some(reason);
                }
                if !guard.conflicts(x, y).is_empty() {
                    return Some(ReviewReason::WrongPatient);
                }
                log_odds += linkage.log_odds(records, x, y);
                pairs += 1.0;
            }
        }
        (pairs > 1.0 && log_odds / pairs < 0.0).then_some(ReviewReason::Chain)
    }
}

impl Linkage {
    /// Bits for a match of two records, the prior among them. A pair that a rule settles, and that no other field
    /// speaks against, has at least those of a link: a number may be all that two stays of one person share.
    fn log_odds(&self, records: &Records, a: u32, b: u32) -> f64 {
        let agreement =
            self.comparer.compare(records, a.min(b), a.max(b), &mut crate::compare::Cache::new(4));
        let fields = self.scorer.total(&agreement);
        let bits = f64::from(fields + self.orders.bits(a, b))
            + (self.scorer.prior / (1.0 - self.scorer.prior)).log2();
        let settled =
            || crate::rules::certain(&self.comparer, &agreement) && self.beside_rules(records, a, b) >= 0.0;
        if bits < SETTLED && settled() { SETTLED } else { bits }
    }

    /// Bits of the fields that no rule rests on.
    fn beside_rules(&self, records: &Records, a: u32, b: u32) -> f32 {
        let weights = self.comparer.evidence(&self.scorer, records, a, b);
        let fields = self.comparer.comparisons.iter().zip(weights);
        fields.filter(|(c, _)| !crate::rules::settles(c.kind)).map(|(_, w)| w.weight).sum()
    }

    /// What forbids that two records are of one person, however alike they are otherwise.
    pub(crate) fn conflict(&self, records: &Records, a: u32, b: u32) -> Option<ReviewReason> {
        let (a, b) = (a.min(b), a.max(b));
        let agreement = self.comparer.compare(records, a, b, &mut crate::compare::Cache::new(4));
        let (mut birth, mut sex) = (false, false);
        for (comparison, level) in self.comparer.comparisons.iter().zip(agreement.levels) {
            let last = usize::from(level) == comparison.measure.levels().len() - 1;
            match (comparison.measure, comparison.kind) {
                // A number that differs by more than a typing error; record numbers do not forgive one.
                (Measure::Record, _) if level > 1 => return Some(ReviewReason::TwoNumbers),
                (Measure::Number, crate::FieldKind::NationalId) if last => {
                    return Some(ReviewReason::TwoNumbers);
                }
                (Measure::Date, _) => birth = last,
                (_, crate::FieldKind::Sex) => sex = last,
                _ => {}
            }
        }
        if birth && sex {
            return Some(ReviewReason::BirthAndSex);
        }
        self.of_one_household(records, a, b, true).then_some(ReviewReason::Household)
    }

    /// Whether two records may as well be of two persons of one household: they share what a household shares, no
    /// number, and name or birthday differ (`contradicted`), or do not both agree.
    fn of_one_household(&self, records: &Records, a: u32, b: u32, contradicted: bool) -> bool {
        let agreement =
            self.comparer.compare(records, a.min(b), a.max(b), &mut crate::compare::Cache::new(4));
        let (weights, count) = self.scorer.weights(&agreement);
        let weights = &weights[..count];
        let prior = self.scorer.prior / (1.0 - self.scorer.prior);
        let odds = prior * f64::from(weights.iter().sum::<f32>()).exp2();
        if self.scorer.household.against(weights, odds) < SUSPECT || self.orders.holds(a, b) {
            return false;
        }
        let fields = self.comparer.comparisons.iter().zip(weights);
        if fields.into_iter().any(|(c, weight)| crate::rules::settles(c.kind) && *weight > 0.0) {
            return false;
        }
        let mut person = self.scorer.household.person(weights).into_iter();
        if contradicted { person.any(|bits| bits < 0.0) } else { person.any(|bits| bits <= 0.0) }
    }

    /// The pairs that may be linked or reviewed, with a doubt where there is one.
    fn candidates(
        &self,
        records: &Records,
        config: ClusterConfig,
    ) -> Vec<(u32, u32, f64, Option<ReviewReason>)> {
        let ruled = |pair: &crate::Pair| pair.certain || self.orders.holds(pair.left, pair.right);
        let pairs = self.pairs.iter().filter(|pair| pair.probability >= config.review || ruled(pair));
        let candidate = |pair: &crate::Pair| {
            // Too little said is no contradiction: only fields that speak against the number are.
            let against = || {
                let fields = self.fields_alone(records, pair.left, pair.right);
                self.scorer.probability_of(f64::from(fields)) < 0.5
                    && self.beside_rules(records, pair.left, pair.right) < 0.0
            };
            let doubt = if self.orders.doubtful(pair.left, pair.right) {
                Some(ReviewReason::WrongPatient)
            } else if ruled(pair) && against() {
                Some(ReviewReason::NumberAgainstFields)
            } else {
                let likely = pair.pairwise >= ALONE && pair.probability >= config.link;
                let conflict = self.conflict(records, pair.left, pair.right);
                let unsure = || self.of_one_household(records, pair.left, pair.right, false);
                let conflict =
                    conflict.or_else(|| (!ruled(pair) && unsure()).then_some(ReviewReason::Household));
                conflict.or((!likely && !ruled(pair)).then_some(ReviewReason::Doubtful))
            };
            let probability = if pair.certain && doubt.is_none() { 1.0 } else { pair.probability };
            (pair.left, pair.right, probability, doubt)
        };
        pairs.map(candidate).collect()
    }
}

use crate::groups::Groups;
use crate::guard::Guard;
use crate::ledger::{Decision, RecordPair, Verdict, Voice};
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
    /// another; or they are parent and child of one name.
    Household,
    /// What a file of one says of its patient (age, sex, dates) contradicts the other.
    WrongPatient,
    /// One of them is under nobody's name or birthday ("BABY BOY", "John Doe", 1900-01-01), or neither name nor birthday is said of both: only
    /// a number links such records.
    Nameless,
    /// They name one order, and not a name, birthday or sex agrees.
    OrderAlone,
    /// A message merges them, but name, birthday and sex are another's.
    MergeAgainstFields,
    /// The number of one of them was given to two people.
    ReusedNumber,
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
/// mean. Decisions of a person come first and cannot be outvoted; those of messages come next, and are left to review
/// where name, birth and sex of the records, or what files show, say that the message is wrong.
pub fn persons(
    records: &Records,
    linkage: &Linkage,
    decided: &BTreeMap<RecordPair, Verdict>,
    config: ClusterConfig,
) -> Persons {
    guarded_persons(records, linkage, decided, &Guard::default(), config)
}

/// The same, where files show something of their patients: what contradicts a link leaves it to review.
pub fn guarded_persons(
    records: &Records,
    linkage: &Linkage,
    decided: &BTreeMap<RecordPair, Verdict>,
    guard: &Guard<'_>,
    config: ClusterConfig,
) -> Persons {
    let mut groups = Groups::new(records);
    let mut persons = Persons::default();
    let said = said(records, decided);
    let settled: BTreeSet<(u32, u32)> = said.iter().map(|(pair, _)| *pair).collect();
    for voice in [Voice::Person, Voice::Message] {
        let of = |wanted| said.iter().filter(move |(_, v)| *v == Verdict { decision: wanted, voice });
        groups.part(of(Decision::Different).map(|(pair, _)| *pair));
        for &((left, right), _) in of(Decision::Same) {
            let reason = match voice {
                Voice::Person => groups.decided_apart(left, right).then_some(ReviewReason::Decided),
                Voice::Message => groups.against_merge(records, linkage, guard, left, right),
            };
            match reason {
                Some(reason) => persons.review.push(Review { left, right, probability: 1.0, reason }),
                None => {
                    groups.join(left, right);
                    persons.links.push((left, right, 1.0));
                }
            }
        }
    }
    let mut candidates = linkage.candidates(records, guard, config);
    candidates.sort_by(|x, y| y.2.total_cmp(&x.2).then((x.0, x.1).cmp(&(y.0, y.1))));
    for (a, b, probability, doubt) in candidates {
        if settled.contains(&(a, b)) || groups.same(a, b) {
            continue;
        }
        let reason = match doubt {
            // Of two reasons the one that a person can look up.
            Some(ReviewReason::Doubtful | ReviewReason::OrderAlone) if !guard.conflicts(a, b).is_empty() => {
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

/// What was said of pairs of these records, by their numbers.
fn said(records: &Records, decided: &BTreeMap<RecordPair, Verdict>) -> Vec<((u32, u32), Verdict)> {
    if decided.is_empty() {
        return Vec::new();
    }
    let numbers: BTreeMap<&str, u32> = (0..records.len() as u32).map(|row| (records.id(row), row)).collect();
    let both = |(pair, verdict): (&RecordPair, &Verdict)| {
        let (a, b) = (*numbers.get(pair.left())?, *numbers.get(pair.right())?);
        Some(((a.min(b), a.max(b)), *verdict))
    };
    decided.iter().filter_map(both).collect()
}

use crate::date::digits_of;
use crate::{BirthDate, Identity, Sex};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a file says of the patient it shows, beside what the record says that it is to be linked to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shown {
    /// Date of birth as the file has it.
    pub birth: Option<BirthDate>,
    /// Sex as the file has it.
    pub sex: Option<Sex>,
    /// Age in years as the file has it, at the day of the study.
    pub age: Option<f64>,
    /// Day of the study: year, month, day.
    pub day: Option<(i16, u8, u8)>,
    /// Day of the order that the study answers.
    pub ordered: Option<(i16, u8, u8)>,
}

/// A contradiction between a file and the record that its accession number or order names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// Two sexes.
    Sex,
    /// Two dates of birth, further apart than a typing error.
    Birth,
    /// The age does not follow from the date of birth and the day of the study.
    Age,
    /// The study is older than the patient.
    BeforeBirth,
    /// The study is older than its order by more than a day.
    BeforeOrder,
    /// The study is more than a year younger than its order.
    LongAfterOrder,
}

impl Conflict {
    /// The contradiction in words, without a value.
    pub fn words(self) -> &'static str {
        match self {
            Self::Sex => "the sex in the file is not the record's",
            Self::Birth => "the date of birth in the file is not the record's",
            Self::Age => "the age in the file does not fit the record's date of birth",
            Self::BeforeBirth => "the study is dated before the record's date of birth",
            Self::BeforeOrder => "the study is dated before its order",
            Self::LongAfterOrder => "the study is dated more than a year after its order",
        }
    }
}

/// Whether a file may be linked to a person by an accession number or an order alone: no conflict, or the
/// conflicts for which it goes to review instead.
///
/// A number typed wrong puts a picture into another person's chart. What neither side says cannot
/// contradict; a date of birth with one digit typed wrong, or day and month swapped, does not either.
pub fn wrong_patient(identity: &Identity, shown: &Shown) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    if let (Some(a), Some(b)) = (identity.sex, shown.sex)
        && a != b
        && a != Sex::Other
        && b != Sex::Other
    {
        conflicts.push(Conflict::Sex);
    }
    let told = |birth: Option<BirthDate>| birth.filter(|b| !crate::placeholder::no_birth(&digits_of(b)));
    let (own_birth, shown_birth) = (told(identity.birth), told(shown.birth));
    if let (Some(a), Some(b)) = (own_birth, shown_birth)
        && !compatible(&a, &b)
    {
        conflicts.push(Conflict::Birth);
    }
    if let (Some(birth), Some(day)) = (own_birth, shown.day) {
        // The date of birth may be a year or a month: the age then has a range.
        let born = |month: u8, of_month: u8| {
            days((birth.year, birth.month.unwrap_or(month), birth.day.unwrap_or(of_month)))
        };
        let (oldest, youngest) = (days(day) - born(1, 1), days(day) - born(12, 28));
        if oldest < -1 {
            conflicts.push(Conflict::BeforeBirth);
        }
        if let Some(age) = shown.age {
            let slack = 370.0;
            let said = age * 365.2425;
            if said > oldest as f64 + slack || said < youngest as f64 - slack {
                conflicts.push(Conflict::Age);
            }
        }
    }
    if let (Some(day), Some(ordered)) = (shown.day, shown.ordered) {
        let after = days(day) - days(ordered);
        if after < -1 {
            conflicts.push(Conflict::BeforeOrder);
        } else if after > 366 {
            conflicts.push(Conflict::LongAfterOrder);
        }
    }
    conflicts
}

/// Looks at what files show of their patients before their records are linked with others.
#[derive(Default)]
pub struct Guard<'a> {
    /// Who each record is. Shape: `[record]`.
    identities: Vec<&'a Identity>,
    shown: BTreeMap<u32, Vec<Shown>>,
    reused: BTreeSet<u32>,
}

impl<'a> Guard<'a> {
    /// Over records, in the order of their numbers.
    pub fn new(identities: Vec<&'a Identity>) -> Self {
        Self { identities, ..Self::default() }
    }

    /// A file of record number `record` shows this.
    pub fn add(&mut self, record: u32, shown: Shown) {
        let known = self.shown.entry(record).or_default();
        if !known.contains(&shown) {
            known.push(shown);
        }
    }

    /// The number of record `record` was given to two people, so it links nobody.
    pub fn add_reused(&mut self, record: u32) {
        self.reused.insert(record);
    }

    pub(crate) fn is_reused(&self, record: u32) -> bool {
        self.reused.contains(&record)
    }

    /// What a file of either record says against the other record.
    pub fn conflicts(&self, a: u32, b: u32) -> Vec<Conflict> {
        let mut conflicts: Vec<Conflict> = Vec::new();
        for (file, other) in [(a, b), (b, a)] {
            let (Some(shown), Some(identity)) = (self.shown.get(&file), self.identities.get(other as usize))
            else {
                continue;
            };
            conflicts.extend(shown.iter().flat_map(|shown| wrong_patient(identity, shown)));
        }
        conflicts.sort_unstable();
        conflicts.dedup();
        conflicts
    }
}

/// Whether two dates of birth can be of one person with at most a typing error.
pub(crate) fn compatible(a: &BirthDate, b: &BirthDate) -> bool {
    let [x, y] = [a, b].map(digits_of);
    let (short, long) = if x.len() <= y.len() { (&x, &y) } else { (&y, &x) };
    long.starts_with(short.as_str())
        || crate::similarity::edits(&x, &y, 1) <= 1
        || a.year == b.year && a.month == b.day && a.day == b.month
}

/// Days since 1 March of year 0.
///
/// # Source
/// The civil-from-days arithmetic of the proleptic Gregorian calendar (Richards 2013, explanatory
/// supplement to the Astronomical Almanac).
fn days((year, month, day): (i16, u8, u8)) -> i64 {
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Identity {
        let birth = Some(BirthDate { year: 1980, month: Some(3), day: Some(7) });
        Identity { birth, sex: Some(Sex::Female), ..Identity::default() }
    }

    #[test]
    fn silence_and_typing_errors_do_not_contradict() {
        assert_eq!(wrong_patient(&ada(), &Shown::default()), []);
        let typed =
            Shown { birth: Some(BirthDate { year: 1980, month: Some(7), day: Some(3) }), ..Shown::default() };
        assert_eq!(wrong_patient(&ada(), &typed), []);
        let fits = Shown {
            age: Some(40.0),
            day: Some((2020, 3, 8)),
            ordered: Some((2020, 3, 1)),
            sex: Some(Sex::Female),
            ..typed
        };
        assert_eq!(wrong_patient(&ada(), &fits), []);
    }

    #[test]
    fn contradictions_are_named_without_values() {
        let shown = Shown {
            birth: Some(BirthDate { year: 1951, month: Some(12), day: Some(25) }),
            sex: Some(Sex::Male),
            age: Some(68.0),
            day: Some((2020, 3, 8)),
            ordered: Some((2020, 4, 8)),
        };
        let conflicts = wrong_patient(&ada(), &shown);
        assert_eq!(conflicts, [Conflict::Sex, Conflict::Birth, Conflict::Age, Conflict::BeforeOrder]);
        assert!(conflicts.iter().all(|c| !c.words().chars().any(|c| c.is_ascii_digit())));
        let early = Shown { day: Some((1979, 1, 1)), ..Shown::default() };
        assert_eq!(wrong_patient(&ada(), &early), [Conflict::BeforeBirth]);
        assert_eq!(days((2000, 3, 1)) - days((2000, 2, 28)), 2, "2000 was a leap year");
        assert_eq!(days((1970, 1, 1)) - days((1969, 12, 31)), 1);
    }
}

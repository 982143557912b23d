//! What systems write where nobody knows a name or a birthday: "BABY BOY", "Doe", 1900-01-01. Two records that
//! have it in common have nothing in common.

use crate::records::Slot;
use crate::vocabulary::{ValueId, Vocabulary};
use std::collections::{BTreeMap, BTreeSet};

/// Family names that make the given name beside them an invention too ("Trauma, Alpha").
static NOBODY: [&str; 34] = [
    "unknown",
    "unk",
    "unknownname",
    "unidentified",
    "noname",
    "lnu",
    "nn",
    "trauma",
    "test",
    "tester",
    "testing",
    "testpatient",
    "patient",
    "dummy",
    "anonymous",
    "anonym",
    "anonymus",
    "anonymized",
    "anonymised",
    "anonymisiert",
    "unbekannt",
    "unbekannte",
    "unbekannter",
    "mustermann",
    "musterfrau",
    "inconnu",
    "inconnue",
    "desconocido",
    "desconocida",
    "sconosciuto",
    "sconosciuta",
    "onbekend",
    "ukjent",
    "okand",
];
/// Family names that real people have too, and the given names that then are no one's.
static PERHAPS: [&str; 2] = ["doe", "roe"];
static GENERIC: [&str; 8] = ["john", "jane", "jon", "johnny", "janie", "joe", "jack", "jd"];
/// Given names of the newborn, wherever the word stands ("MARY BABY BOY A"), in any language that chiasm reads.
static NEWBORN: [&str; 21] = [
    "baby",
    "babyboy",
    "babygirl",
    "babyb",
    "babyg",
    "boy",
    "girl",
    "boya",
    "boyb",
    "girla",
    "girlb",
    "bb",
    "bg",
    "newborn",
    "neonate",
    "infant",
    "twin",
    "triplet",
    "neugeborenes",
    "zwilling",
    "nouveaune",
];
/// Given names that say a sex, or nothing.
static NO_GIVEN: [&str; 5] = ["male", "female", "fnu", "inf", "fetus"];

/// The words of a name as comparison sees them.
pub(crate) struct Names {
    /// Given names, empty where they stand for none.
    pub(crate) given: Vec<String>,
    /// Family names, the same.
    pub(crate) family: Vec<String>,
    /// Whether it is nobody's name: such a record is one person's by its numbers alone.
    pub(crate) nameless: bool,
}

/// Takes what stands for no name out of normalised names.
pub(crate) fn names(mut given: Vec<String>, mut family: Vec<String>) -> Names {
    let nobody = family.iter().any(|name| is_nobody(name));
    let perhaps = family.iter().any(|name| PERHAPS.contains(&name.as_str()));
    let mut nameless = nobody || perhaps && given.iter().all(String::is_empty);
    for name in &mut given {
        let generic = perhaps && GENERIC.contains(&name.split(' ').next().unwrap_or(""));
        if !name.is_empty() && (nobody || generic || is_nobody(name) || is_newborn(name)) {
            nameless = true;
            name.clear();
        }
    }
    for name in &mut family {
        if is_nobody(name) || PERHAPS.contains(&name.as_str()) {
            name.clear();
        }
    }
    Names { given, family, nameless }
}

/// Whether a whole name stands for none: a word of the list with labels behind it, or one letter again and again.
fn is_nobody(name: &str) -> bool {
    let mut words = name.split(' ');
    let first = words.next().unwrap_or("");
    let letters = |word: &str| word.len() >= 3 && word.bytes().all(|b| b == word.as_bytes()[0]);
    let plain = first.trim_end_matches(|c: char| c.is_ascii_digit());
    letters(first) && words.clone().all(letters)
        || NOBODY.contains(&plain)
        || NOBODY.contains(&name.replace(' ', "").as_str())
}

fn is_newborn(name: &str) -> bool {
    let word = |word: &str| {
        let plain = word.trim_end_matches(|c: char| c.is_ascii_digit());
        // "Wendysboy": the mother's name and whose it is.
        NEWBORN.contains(&plain)
            || ["sboy", "sgirl", "babyboy", "babygirl"].iter().any(|end| plain.ends_with(end))
    };
    name.split(' ').any(word) || NO_GIVEN.contains(&name.split(' ').next().unwrap_or(""))
}

/// Days from which systems count or which they fill in; nobody who lives was born on the first five.
const FILLED: [&str; 6] = ["18991230", "18991231", "19000101", "19010101", "19040101", "19700101"];
/// Births of years before and from these are nobody's who lives.
const LIVING: std::ops::Range<&str> = "1900".."2050";

/// One date in so many from before those years makes a register of the old days.
const SOME: usize = 10;

/// How many records may have a date of birth before it stands for none, others born in that year aside; `None`
/// where it is as good as any.
fn doubt(digits: &str) -> Option<u32> {
    match digits {
        _ if digits.len() != 8 => None,
        "19700101" => Some(2),
        _ if FILLED.contains(&digits) => Some(0),
        _ if digits.ends_with("0101") || digits.ends_with("1231") || digits[..4] == digits[4..] => {
            (!LIVING.contains(&&digits[..4])).then_some(0)
        }
        // A typing error in a year makes a date that only one record has.
        _ => (!LIVING.contains(&&digits[..4])).then_some(1),
    }
}

/// Whether a date of birth alone, without others beside it, stands for none.
pub(crate) fn no_birth(digits: &str) -> bool {
    doubt(digits) == Some(0)
}

/// The dates of birth that stand for none: they are in doubt, and more than three times as common as the other days
/// of their year. A real 1 January 1970 among many births of 1970 stays.
pub(crate) fn null_dates(slot: &Slot, words: &Vocabulary) -> BTreeSet<ValueId> {
    let mut counts: BTreeMap<ValueId, u32> = BTreeMap::new();
    let mut years: BTreeMap<&str, u32> = BTreeMap::new();
    let mut doubts: Vec<(ValueId, u32)> = Vec::new();
    let all = (1..words.len() as ValueId).filter_map(|id| Some((id, doubt(words.text(id))?)));
    doubts.extend(all);
    // In a register of the old days, or one whose dates were moved, such years are no sign of anything.
    let old = |(id, most): &(ValueId, u32)| *most == 1 && !LIVING.contains(&&words.text(*id)[..4]);
    if doubts.iter().filter(|one| old(one)).count() * SOME > words.len() {
        doubts.retain(|one| !old(one));
    }
    if doubts.is_empty() {
        return BTreeSet::new();
    }
    for &(id, _) in &doubts {
        counts.insert(id, 0);
        years.insert(&words.text(id)[..4], 0);
    }
    for &value in slot.values.iter().filter(|v| **v != 0) {
        if let Some(count) = counts.get_mut(&value) {
            *count += 1;
        } else if let Some(count) = words.text(value).get(..4).and_then(|year| years.get_mut(year)) {
            *count += 1;
        }
    }
    let usual = |id: ValueId| f64::from(years[&words.text(id)[..4]]) / 365.0;
    let null = |(id, most): &(ValueId, u32)| f64::from(counts[id]) > f64::from(*most) + 3.0 * usual(*id);
    doubts.into_iter().filter(null).map(|(id, _)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FieldKind;

    fn of(given: &str, family: &str) -> (String, String, bool) {
        let Names { given, family, nameless } = names(vec![given.into()], vec![family.into()]);
        (given.concat(), family.concat(), nameless)
    }

    #[test]
    fn names_of_nobody_are_told_from_names() {
        for (given, family) in [
            ("john", "doe"),
            ("jane a", "roe"),
            ("", "doe"),
            ("alpha", "trauma"),
            ("male 23", "unknown"),
            ("xxx", "zzzz"),
            ("erika", "mustermann"),
            ("patient", "test patient"),
        ] {
            assert_eq!(of(given, family), (String::new(), String::new(), true), "{given} {family}");
        }
        for given in [
            "baby boy",
            "babygirl b",
            "newborn",
            "twin a",
            "mary bb",
            "wendysboy",
            "infant of mary",
            "female",
            "boy2",
        ] {
            assert_eq!(of(given, "smith"), (String::new(), "smith".into(), true), "{given}");
        }
        assert_eq!(of("peter", "doe"), ("peter".into(), String::new(), false));
        for (given, family) in
            [("anna", "baby"), ("boyd", "male"), ("lee", "li"), ("", "smith"), ("john", "smith")]
        {
            assert_eq!(of(given, family), (given.into(), family.into(), false));
        }
    }

    #[test]
    fn a_date_that_stands_for_none_is_told_by_its_company() {
        let null = |dates: &[(&str, usize)]| {
            let mut words = Vocabulary::default();
            let ids: Vec<_> = dates.iter().map(|(date, n)| (words.intern(date), *n)).collect();
            let values = ids.iter().flat_map(|&(id, n)| std::iter::repeat_n(id, n)).collect();
            let slot =
                Slot { kind: FieldKind::BirthDate, ordinal: 0, name: String::new(), vocabulary: 0, values };
            null_dates(&slot, &words).into_iter().map(|id| words.text(id).to_owned()).collect::<Vec<_>>()
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(
            null(&[("19000101", 1), ("99991231", 1), ("11111111", 1)]),
            ["19000101", "99991231", "11111111"]
        );
        assert_eq!(null(&[("19700101", 2), ("19840101", 9), ("1900", 5)]), none);
        assert_eq!(null(&[("19700101", 9), ("19700203", 40)]), ["19700101"]);
        assert_eq!(null(&[("19700101", 9), ("19700203", 2_000)]), none);
        // A register of the old days; a year typed wrong once, and a year that two have.
        assert_eq!(null(&[("19000101", 4), ("19000301", 900)]), none);
        let days: Vec<String> = (10..32).map(|day| format!("198003{day}")).collect();
        let mut many: Vec<(&str, usize)> = days.iter().map(|day| (day.as_str(), 1)).collect();
        many.extend([("91860307", 1), ("18110307", 2)]);
        assert_eq!(null(&many), ["18110307"]);
        assert_eq!(null(&[("18110307", 2), ("18151210", 2), ("18200125", 1)]), none);
    }
}

//! How far two values of one field agree, as one of a few named levels. The first is always "missing".

use crate::similarity::{edits, jaro_winkler};
use crate::vocabulary::{ValueId, Vocabulary};
use crate::{FieldKind, clk, normalise};

/// Level 0 everywhere: one of the two has no value, which says nothing.
pub(crate) const MISSING: u8 = 0;
/// Level 1 everywhere but in [`Measure::Order`]: the same value.
pub(crate) const EXACT: u8 = 1;

/// How values of a field are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Names of persons.
    Name,
    /// Dates of birth.
    Date,
    /// Postcodes.
    Postcode,
    /// Numbers for one person: national ids, telephone numbers.
    Number,
    /// Record numbers: of two authorities they do not compare.
    Record,
    /// Streets, towns, mail addresses.
    Words,
    /// House numbers.
    House,
    /// Equal or not.
    Equal,
    /// Bloom filters of any field.
    Encoded,
    /// Whether two fields of a record changed places in the other.
    Order,
}

pub(crate) mod name {
    //! Levels of names.
    pub(crate) const VARIANT: u8 = 2;
    pub(crate) const ONE_EDIT: u8 = 3;
    pub(crate) const CLOSE: u8 = 4;
    pub(crate) const NEAR: u8 = 5;
    pub(crate) const FAINT: u8 = 7;
}

pub(crate) mod order {
    //! Levels of [`super::Measure::Order`].
    pub(crate) const IN_PLACE: u8 = 1;
    pub(crate) const SWAPPED: u8 = 2;
    pub(crate) const SWAPPED_CLOSE: u8 = 3;
    pub(crate) const CROSSED: u8 = 4;
}

/// Most comparisons of one linkage, and most levels of one comparison.
pub(crate) const MOST: usize = 16;

impl Measure {
    /// How a kind of field is compared.
    pub(crate) fn of(kind: FieldKind) -> Self {
        match kind {
            FieldKind::GivenName | FieldKind::FamilyName | FieldKind::FullName => Self::Name,
            FieldKind::BirthDate => Self::Date,
            FieldKind::Postcode => Self::Postcode,
            FieldKind::NationalId | FieldKind::Phone => Self::Number,
            FieldKind::MedicalRecord => Self::Record,
            FieldKind::Street | FieldKind::City | FieldKind::Email => Self::Words,
            FieldKind::HouseNumber => Self::House,
            FieldKind::State | FieldKind::Sex | FieldKind::NameSuffix | FieldKind::Other => Self::Equal,
            FieldKind::BirthYear
            | FieldKind::BirthMonth
            | FieldKind::BirthDay
            | FieldKind::Authority
            | FieldKind::Ignore => Self::Equal,
        }
    }

    /// The names of the levels, the first "missing", the last "different".
    pub(crate) fn levels(self) -> &'static [&'static str] {
        match self {
            Self::Name => {
                &["missing", "exact", "variant", "one edit", "close", "near", "initial", "faint", "different"]
            }
            Self::Date => &[
                "missing",
                "exact",
                "one digit",
                "day and month swapped",
                "two digits",
                "same year and month",
                "same month and day",
                "same year",
                "as far as known",
                "different",
            ],
            Self::Postcode => &["missing", "exact", "one edit", "same area", "two edits", "different"],
            Self::Number => &["missing", "exact", "one edit", "two edits", "different"],
            Self::Record => &["missing", "exact", "one edit", "different"],
            Self::Words => &["missing", "exact", "one edit", "close", "shared word", "near", "different"],
            Self::House => &["missing", "exact", "one edit", "different"],
            Self::Equal => &["missing", "exact", "different"],
            Self::Encoded => &["missing", "exact", "very close", "close", "near", "different"],
            Self::Order => &["missing", "in place", "swapped", "swapped, one close", "one crossed"],
        }
    }

    /// Whether a rare value that agrees says more than a common one. Where it does, the chance that a
    /// stranger agrees is the value's own frequency.
    pub(crate) fn rare_says_more(self) -> bool {
        !matches!(self, Self::Order)
    }

    /// Whether a level between exact and different says more where the rarer value is rare: a typing
    /// error makes a value that nobody has; two common values that look alike are two values.
    pub(crate) fn rare_error_says_more(self, level: u8) -> bool {
        match self {
            Self::Name => matches!(level, 3..=5),
            Self::Words => matches!(level, 2 | 3 | 5),
            _ => false,
        }
    }

    /// The level of two values that are there and differ.
    pub(crate) fn level(self, words: &Vocabulary, a: ValueId, b: ValueId) -> u8 {
        let (x, y) = (words.text(a), words.text(b));
        match self {
            Self::Name => name_level(words, a, b),
            Self::Date => date_level(x.as_bytes(), y.as_bytes()),
            Self::Postcode => match edits(x, y, 2) {
                0 | 1 => 2,
                _ if area(x) == area(y) => 3,
                2 => 4,
                _ => 5,
            },
            Self::Number => match edits(x, y, 2) {
                0 | 1 => 2,
                2 => 3,
                _ => 4,
            },
            Self::Record => match (x.split_once('\u{1f}'), y.split_once('\u{1f}')) {
                (Some((here, x)), Some((there, y))) if here == there => 3 - u8::from(edits(x, y, 1) <= 1),
                _ => MISSING,
            },
            Self::Words => words_level(words, a, b),
            Self::House => 3 - u8::from(edits(x, y, 1) <= 1 && x.len() + y.len() > 2),
            Self::Equal => 2,
            Self::Encoded => match clk::dice(x, y) {
                likeness if likeness >= 0.85 => 2,
                likeness if likeness >= 0.68 => 3,
                likeness if likeness >= 0.52 => 4,
                _ => 5,
            },
            Self::Order => order::IN_PLACE,
        }
    }
}

/// The first half of a postcode.
fn area(postcode: &str) -> &str {
    postcode.get(..postcode.len().div_ceil(2)).unwrap_or(postcode)
}

fn name_level(words: &Vocabulary, a: ValueId, b: ValueId) -> u8 {
    let (s, t) = (words.traits(a), words.traits(b));
    let (x, y) = (core(words.text(a)), core(words.text(b)));
    if x == y {
        return 2;
    }
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    if short.len() == 1 {
        return if long.starts_with(short) { 6 } else { 8 };
    }
    if s.nicknames.iter().any(|group| *group != 0 && t.nicknames.contains(group)) {
        return 2;
    }
    if (s.parts || t.parts) && shares_part(x, y) && is_part(x, y) {
        return 2;
    }
    let sound = (s.sounds.iter()).any(|sound| *sound != 0 && t.sounds.contains(sound));
    // Each letter that only one has costs a match: what can no more be near need not be looked at.
    let common = |own: u32, other: u32, len: usize| len - ((own & !other).count_ones() as usize).min(len);
    let most = common(s.letters, t.letters, x.len()).min(common(t.letters, s.letters, y.len())) as f64;
    let jaro = if most == 0.0 { 0.0 } else { (most / x.len() as f64 + most / y.len() as f64 + 1.0) / 3.0 };
    let prefix = x.bytes().zip(y.bytes()).take(4).take_while(|(p, q)| p == q).count() as f64;
    if jaro + 0.1 * prefix * (1.0 - jaro) < 0.75 && !sound {
        return 8;
    }
    let likeness = jaro_winkler(x, y);
    if short.len() >= 3 && edits(x, y, 1) <= 1 {
        3
    } else if likeness >= 0.92 || sound && likeness >= 0.8 || x.replace(' ', "") == y.replace(' ', "") {
        name::CLOSE
    } else if likeness >= 0.85
        || short.len() >= 3 && long.starts_with(short)
        || short.len() >= 5 && edits(x, y, 2) <= 2
    {
        name::NEAR
    } else if likeness >= 0.75 || sound {
        7
    } else {
        8
    }
}

/// A family name without the particles before it, which half of a country may share.
fn core(name: &str) -> &str {
    let mut rest = name;
    while let Some((word, after)) = rest.split_once(' ')
        && normalise::PARTICLES.contains(&word)
    {
        rest = after;
    }
    rest
}

/// Whether a word longer than a particle stands in both.
fn shares_part(x: &str, y: &str) -> bool {
    let telling = |part: &&str| part.len() > 2 && !normalise::PARTICLES.contains(part);
    x.split(' ').filter(telling).any(|part| y.split(' ').any(|other| other == part))
}

/// Whether one name has no word of its own: "Anna" and "Anna Maria" may be one name, "Juan Carlos" and "Juan Pablo"
/// are brothers.
pub(crate) fn is_part(x: &str, y: &str) -> bool {
    let all = |one: &str, other: &str| one.split(' ').all(|part| other.split(' ').any(|word| word == part));
    all(x, y) || all(y, x)
}

fn words_level(words: &Vocabulary, a: ValueId, b: ValueId) -> u8 {
    let (x, y) = (words.text(a), words.text(b));
    let short = x.len().min(y.len());
    match edits(x, y, 2) {
        0 | 1 if short >= 3 => return 2,
        2 if short >= 6 => return 3,
        _ => {}
    }
    let (s, t) = (words.traits(a), words.traits(b));
    let apart = (s.letters ^ t.letters).count_ones() as usize;
    let likeness = if apart > short { 0.0 } else { jaro_winkler(x, y) };
    if likeness >= 0.92 {
        3
    } else if (s.parts || t.parts) && shares_part(x, y) {
        4
    } else if likeness >= 0.85 {
        5
    } else {
        6
    }
}

fn date_level(x: &[u8], y: &[u8]) -> u8 {
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    if long.len() != 8 || short.len() != 8 {
        return if long.starts_with(short) { 8 } else { 9 };
    }
    let (year, month, day) = (x[..4] == y[..4], x[4..6] == y[4..6], x[6..] == y[6..]);
    let text = |digits| std::str::from_utf8(digits).unwrap_or("");
    let apart = edits(text(x), text(y), 2);
    if apart <= 1 {
        2
    } else if year && x[4..6] == y[6..] && x[6..] == y[4..6] {
        3
    } else if apart == 2 {
        4
    } else if year && month {
        5
    } else if month && day {
        6
    } else if year {
        7
    } else {
        9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(measure: Measure, a: &str, b: &str) -> &'static str {
        let mut words = Vocabulary::default();
        let (a, b) = (words.intern(a), words.intern(b));
        words.describe(true);
        let level = measure.level(&words, a, b);
        assert_eq!(level, measure.level(&words, b, a), "the order of two values must not matter");
        measure.levels()[usize::from(level)]
    }

    #[test]
    fn names() {
        for (a, b, expected) in [
            ("bob", "robert", "variant"),
            ("mary ann", "mary", "variant"),
            ("van der berg", "van der meer", "faint"),
            ("smith", "smyth", "one edit"),
            ("martha", "marhta", "one edit"),
            ("catherine", "kathryn", "variant"),
            ("stephens", "stevens", "close"),
            ("j", "john", "initial"),
            ("j", "peter", "different"),
            ("christop", "christopherson", "close"),
            ("anna", "zoe", "different"),
        ] {
            assert_eq!(level(Measure::Name, a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn dates() {
        for (a, b, expected) in [
            ("19840307", "19840308", "one digit"),
            ("19840307", "19480307", "one digit"),
            ("19840307", "19840703", "day and month swapped"),
            ("19840307", "19850308", "two digits"),
            ("19840307", "19840329", "two digits"),
            ("19840311", "19840329", "two digits"),
            ("19840307", "19960307", "two digits"),
            ("19840307", "19841211", "same year"),
            ("19840307", "1984", "as far as known"),
            ("19840307", "198404", "different"),
            ("19840307", "19511225", "different"),
        ] {
            assert_eq!(level(Measure::Date, a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn numbers_and_places() {
        assert_eq!(level(Measure::Postcode, "2602", "2620"), "one edit");
        assert_eq!(level(Measure::Postcode, "2602", "2688"), "same area");
        assert_eq!(level(Measure::Number, "5304218", "5304219"), "one edit");
        assert_eq!(level(Measure::Number, "5304218", "1234567"), "different");
        assert_eq!(level(Measure::Record, "a\u{1f}1234", "b\u{1f}1234"), "missing");
        assert_eq!(level(Measure::Record, "a\u{1f}1234", "a\u{1f}1235"), "one edit");
        assert_eq!(level(Measure::House, "12", "12a"), "one edit");
        assert_eq!(level(Measure::House, "1", "2"), "different");
        assert_eq!(level(Measure::Words, "elm street", "elm stret"), "one edit");
        assert_eq!(level(Measure::Words, "winston hills", "winston"), "shared word");
        assert_eq!(level(Measure::Words, "beaconsfield upper", "upper swan"), "shared word");
    }
}

//! One record's own descriptions against each other: a number that was given to a second person.

use crate::levels::{Measure, name};
use crate::vocabulary::Vocabulary;
use crate::{Identity, date, guard, normalise, placeholder};

/// Whether two descriptions of one record are of two persons: the given names are another's, and two of family name,
/// birthday and sex are too. What neither says does not contradict, nor does an error, a marriage or a nickname.
pub fn contradict(one: &Identity, other: &Identity) -> bool {
    let ([given, family], [other_given, other_family]) = (names(one), names(other));
    let all: [Vec<&String>; 2] =
        [given.iter().chain(&family).collect(), other_given.iter().chain(&other_family).collect()];
    // Given and family name may have changed places.
    if !differ(&given.iter().collect::<Vec<_>>(), &all[1])
        || !differ(&other_given.iter().collect::<Vec<_>>(), &all[0])
    {
        return false;
    }
    let family = differ(&family.iter().collect::<Vec<_>>(), &other_family.iter().collect::<Vec<_>>());
    let told = |who: &Identity| who.birth.filter(|birth| !placeholder::no_birth(&date::digits_of(birth)));
    let birth = told(one).zip(told(other)).is_some_and(|(x, y)| !guard::compatible(&x, &y));
    let sex = one.sex.zip(other.sex).is_some_and(|(x, y)| x != y);
    [family, birth, sex].into_iter().filter(|differs| *differs).count() >= 2
}

/// Given and family names as they are compared.
fn names(who: &Identity) -> [Vec<String>; 2] {
    let given = who.names.iter().map(|name| normalise::name(&name.given.join(" "))).collect();
    let family = who.names.iter().map(|name| normalise::name(name.family.as_deref().unwrap_or(""))).collect();
    let names = placeholder::names(given, family);
    [names.given, names.family].map(|all| all.into_iter().filter(|name| !name.is_empty()).collect())
}

/// Whether both sides have names and none of the one is like one of the other.
fn differ(these: &[&String], those: &[&String]) -> bool {
    let mut words = Vocabulary::default();
    let mut intern = |names: &[&String]| names.iter().map(|name| words.intern(name)).collect::<Vec<_>>();
    let (these, those) = (intern(these), intern(those));
    words.describe(true);
    let like = |x: u32, y: u32| x == y || Measure::Name.level(&words, x, y) < name::FAINT;
    !these.is_empty() && !those.is_empty() && !these.iter().any(|&x| those.iter().any(|&y| like(x, y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BirthDate, PersonName, Sex};

    fn who(given: &str, family: &str, year: i16, sex: Sex) -> Identity {
        let name =
            PersonName { given: vec![given.into()], family: Some(family.into()), ..PersonName::default() };
        let birth = Some(BirthDate { year, month: Some(3), day: Some(7) });
        Identity { names: vec![name], birth, sex: Some(sex), ..Identity::default() }
    }

    #[test]
    fn a_second_person_is_told_from_the_first_grown_older() {
        let ada = who("Ada", "Byron", 1980, Sex::Female);
        for second in [
            who("Charles", "Babbage", 1951, Sex::Male),
            who("Grace", "Hopper", 1906, Sex::Female),
            who("George", "Byron", 1788, Sex::Male),
            who("Charles", "Babbage", 1900, Sex::Male),
        ] {
            assert!(
                contradict(&ada, &second) && contradict(&second, &ada),
                "{:?}",
                second.birth.map(|b| b.year)
            );
        }
        for same in [
            who("Ada", "Lovelace", 1980, Sex::Female),
            who("Byron", "Ada", 1951, Sex::Male),
            who("Baby girl", "Milbanke", 1981, Sex::Male),
            who("Augusta", "King", 1980, Sex::Female),
            who("Adda", "Babbage", 1951, Sex::Male),
            Identity::default(),
        ] {
            assert!(!contradict(&ada, &same) && !contradict(&same, &ada));
        }
    }
}

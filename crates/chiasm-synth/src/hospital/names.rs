//! The names that people here have: embedded lists by origin, the most frequent first, and rarer surnames
//! put together from syllables.

use super::dice::Dice;
use std::sync::LazyLock;

/// Of each origin, how many in a hundred people.
const WEIGHTS: [f64; 8] = [0.58, 0.08, 0.09, 0.09, 0.07, 0.05, 0.02, 0.02];
/// How many people have a rarer surname than the lists hold.
const RARE: f64 = 0.3;
/// How many people have a given name of another origin than their surname.
const MIXED: f64 = 0.08;

#[derive(Debug, Default)]
struct Origin {
    female: Vec<&'static str>,
    male: Vec<&'static str>,
    surnames: Vec<&'static str>,
    syllables: [Vec<&'static str>; 3],
}

/// A town, with its postcode and state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Town {
    pub(crate) name: &'static str,
    pub(crate) postcode: u32,
    pub(crate) state: &'static str,
}

struct Lists {
    origins: Vec<Origin>,
    towns: Vec<Town>,
    streets: Vec<&'static str>,
    nicknames: Vec<(&'static str, Vec<&'static str>)>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let mut origins: Vec<(&str, Origin)> = Vec::new();
    for line in lines(include_str!("names.txt")) {
        let mut words = line.split_whitespace();
        let (Some(name), Some(kind)) = (words.next(), words.next()) else { continue };
        if origins.last().is_none_or(|(n, _)| *n != name) {
            origins.push((name, Origin::default()));
        }
        let Some((_, origin)) = origins.last_mut() else { continue };
        match kind {
            "f" => origin.female = words.collect(),
            "m" => origin.male = words.collect(),
            "s" => origin.surnames = words.collect(),
            _ => {
                let (mut part, words) = (0, words.collect::<Vec<_>>());
                for word in words {
                    if word == "/" { part += 1 } else { origin.syllables[part].push(word) }
                }
            }
        }
    }
    let (mut towns, mut streets) = (Vec::new(), Vec::new());
    for line in lines(include_str!("places.txt")) {
        if let Some(street) = line.strip_prefix("street ") {
            streets.push(street);
        } else if let Some(town) = line.strip_prefix("town ") {
            let mut words = town.rsplitn(3, ' ');
            let (state, postcode) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let name = words.next().unwrap_or_default();
            towns.push(Town { name, postcode: postcode.parse().unwrap_or_default(), state });
        }
    }
    let nicknames = lines(include_str!("nicknames.txt"))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, short)| (name, short.split(' ').collect()))
        .collect();
    Lists { origins: origins.into_iter().map(|(_, o)| o).collect(), towns, streets, nicknames }
});

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Where a person's names come from: an index into the lists.
pub(crate) fn origin(dice: &mut Dice) -> usize {
    let mut left = dice.unit();
    for (i, weight) in WEIGHTS.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return i;
        }
    }
    0
}

/// A given name.
pub(crate) fn given(dice: &mut Dice, from: usize, female: bool) -> String {
    let from = if dice.chance(MIXED) { origin(dice) } else { from };
    let origin = &LISTS.origins[from];
    let names = if female { &origin.female } else { &origin.male };
    names[dice.zipf(names.len())].to_owned()
}

/// A surname, from the list or rarer; sometimes a double one.
pub(crate) fn surname(dice: &mut Dice, from: usize) -> String {
    let origin = &LISTS.origins[from];
    if dice.chance(RARE) {
        return rare(dice, origin);
    }
    let one = origin.surnames[dice.zipf(origin.surnames.len())];
    if dice.chance(0.02) {
        let other = origin.surnames[dice.zipf(origin.surnames.len())];
        if other != one {
            return format!("{one}-{other}");
        }
    }
    one.to_owned()
}

fn rare(dice: &mut Dice, origin: &Origin) -> String {
    let [start, middle, end] = &origin.syllables;
    let mut name = (*dice.pick(start)).to_owned();
    for _ in 0..dice.below(3) {
        name.push_str(middle[dice.below(middle.len())]);
    }
    name + end[dice.below(end.len())]
}

/// What a person of that given name is called for short, where there is such a name.
pub(crate) fn nickname(dice: &mut Dice, given: &str) -> Option<&'static str> {
    let (_, short) = LISTS.nicknames.iter().find(|(name, _)| *name == given)?;
    Some(*dice.pick(short))
}

pub(crate) fn town(dice: &mut Dice) -> Town {
    LISTS.towns[dice.zipf(LISTS.towns.len())]
}

pub(crate) fn street(dice: &mut Dice) -> &'static str {
    LISTS.streets[dice.zipf(LISTS.streets.len())]
}

/// The name in letters A to Z as registries without accents write it: `Müller` becomes `Mueller`.
pub(crate) fn plain(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        let lower = match c.to_lowercase().next().unwrap_or(c) {
            'ä' => "ae",
            'ö' | 'ø' => "oe",
            'ü' => "ue",
            'ß' => "ss",
            'å' | 'á' | 'ã' | 'à' | 'â' => "a",
            'ç' | 'ć' | 'č' => "c",
            'ş' | 'ś' | 'š' => "s",
            'ğ' => "g",
            'ı' | 'i' | 'í' | 'ì' => "i",
            'ł' => "l",
            'ń' | 'ñ' => "n",
            'ó' | 'ò' | 'ô' => "o",
            'é' | 'è' | 'ê' | 'ë' | 'ę' => "e",
            'ř' => "r",
            'ž' | 'ź' | 'ż' => "z",
            'ú' | 'ù' => "u",
            'ý' => "y",
            // Combining marks, such as the dot of a lower-case İ.
            '\u{300}'..='\u{36f}' => "",
            _ => {
                out.push(c);
                continue;
            }
        };
        let mut letters = lower.chars();
        if c.is_uppercase() {
            out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        }
        out.extend(letters);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hospital::dice::Part;

    #[test]
    fn every_origin_has_every_kind_of_name() {
        assert_eq!(LISTS.origins.len(), WEIGHTS.len());
        for origin in &LISTS.origins {
            assert!(origin.female.len() > 15 && origin.male.len() > 15 && origin.surnames.len() > 20);
            assert!(origin.syllables.iter().all(|s| s.len() > 2));
        }
        assert!(LISTS.towns.len() > 40 && LISTS.streets.len() > 50 && LISTS.nicknames.len() > 60);
        assert!(LISTS.towns.iter().all(|t| t.postcode > 1000 && t.state.len() == 2 && !t.name.is_empty()));
    }

    #[test]
    fn plain_names_have_letters_of_ascii_alone() {
        assert_eq!(plain("Müller-Groß"), "Mueller-Gross");
        assert_eq!(plain("İbrahim Öztürk"), "Ibrahim Oeztuerk");
        let mut dice = Dice::new(1, 0, Part::Person);
        for _ in 0..5_000 {
            let from = origin(&mut dice);
            let female = dice.chance(0.5);
            let name = given(&mut dice, from, female) + &surname(&mut dice, from);
            assert!(plain(&name).is_ascii(), "{name}");
        }
    }

    #[test]
    fn there_are_many_surnames_and_some_are_frequent() {
        let mut dice = Dice::new(2, 0, Part::Person);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..20_000 {
            let from = origin(&mut dice);
            *counts.entry(surname(&mut dice, from)).or_insert(0) += 1;
        }
        let most = counts.values().max().copied().unwrap_or_default();
        assert!(counts.len() > 2_500, "{}", counts.len());
        assert!((500..1_500).contains(&most), "{most}");
    }
}

//! How names and numbers get wrong: the finger beside the key, the scanner, the ear.

use super::dice::Dice;

/// What went wrong with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slip {
    Keyboard,
    Scanner,
    Ear,
}

impl Slip {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Keyboard => "keyboard",
            Self::Scanner => "ocr",
            Self::Ear => "phonetic",
        }
    }
}

/// Keys side by side on a German keyboard.
const ROWS: [&str; 4] = ["1234567890", "qwertzuiopü", "asdfghjklöä", "yxcvbnm"];
/// What a scanner takes for what.
const SEEN: [(&str, &str); 14] = [
    ("rn", "m"),
    ("m", "rn"),
    ("0", "O"),
    ("o", "0"),
    ("l", "1"),
    ("1", "l"),
    ("i", "l"),
    ("S", "5"),
    ("5", "S"),
    ("B", "8"),
    ("8", "3"),
    ("h", "b"),
    ("e", "c"),
    ("ü", "u"),
];
/// What an ear takes for what.
const HEARD: [(&str, &str); 24] = [
    ("ph", "f"),
    ("f", "ph"),
    ("ck", "k"),
    ("k", "ck"),
    ("ei", "ai"),
    ("ai", "ei"),
    ("ey", "ei"),
    ("tz", "z"),
    ("mann", "man"),
    ("ss", "ß"),
    ("ß", "ss"),
    ("y", "i"),
    ("i", "ie"),
    ("c", "k"),
    ("th", "t"),
    ("t", "th"),
    ("dt", "t"),
    ("v", "f"),
    ("w", "v"),
    ("ä", "e"),
    ("sch", "sh"),
    ("ll", "l"),
    ("n", "nn"),
    ("ie", "i"),
];

/// The word with one slip in it, and which. A word that the ear or the scanner cannot get wrong is typed
/// wrong.
pub(crate) fn slip(dice: &mut Dice, word: &str) -> (String, Slip) {
    let kind = match dice.unit() {
        u if u < 0.55 => Slip::Keyboard,
        u if u < 0.75 => Slip::Scanner,
        _ => Slip::Ear,
    };
    let table = match kind {
        Slip::Keyboard => return (typed(dice, word), kind),
        Slip::Scanner => &SEEN[..],
        Slip::Ear => &HEARD[..],
    };
    match replaced(dice, word, table) {
        Some(wrong) => (wrong, kind),
        None => (typed(dice, word), Slip::Keyboard),
    }
}

fn replaced(dice: &mut Dice, word: &str, table: &[(&str, &str)]) -> Option<String> {
    let fits: Vec<_> = table.iter().filter(|(right, _)| word.contains(right)).collect();
    let (right, wrong) = if fits.is_empty() { return None } else { dice.pick(&fits) };
    Some(word.replacen(right, wrong, 1))
}

/// A letter left out, doubled, swapped with the next, or the key beside it.
pub(crate) fn typed(dice: &mut Dice, word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 2 {
        return word.to_owned();
    }
    let at = dice.below(letters.len());
    match dice.below(4) {
        0 => {
            letters.remove(at);
        }
        1 => letters.insert(at, letters[at]),
        2 if at + 1 < letters.len() && letters[at] != letters[at + 1] => letters.swap(at, at + 1),
        _ => letters[at] = beside(dice, letters[at]),
    }
    letters.into_iter().collect()
}

fn beside(dice: &mut Dice, key: char) -> char {
    let lower = key.to_lowercase().next().unwrap_or(key);
    for row in ROWS {
        let keys: Vec<char> = row.chars().collect();
        if let Some(at) = keys.iter().position(|k| *k == lower) {
            let near = if at == 0 || (at + 1 < keys.len() && dice.chance(0.5)) { at + 1 } else { at - 1 };
            let near = keys[near];
            return if key.is_uppercase() { near.to_uppercase().next().unwrap_or(near) } else { near };
        }
    }
    'x'
}

/// A number of digits with one digit wrong or two swapped.
pub(crate) fn digits(dice: &mut Dice, number: &str) -> String {
    let mut all: Vec<char> = number.chars().collect();
    let places: Vec<usize> = (0..all.len()).filter(|&i| all[i].is_ascii_digit()).collect();
    if places.len() < 2 {
        return number.to_owned();
    }
    let i = dice.below(places.len() - 1);
    let (here, next) = (places[i], places[i + 1]);
    if all[here] != all[next] && dice.chance(0.5) {
        all.swap(here, next);
    } else if let Some(digit) = all[here].to_digit(10) {
        let other = (digit + 1 + dice.below(9) as u32) % 10;
        all[here] = char::from_digit(other, 10).unwrap_or('0');
    }
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hospital::dice::Part;

    #[test]
    fn a_slip_changes_the_word_a_little() {
        let mut dice = Dice::new(5, 0, Part::Charts);
        let mut kinds = [0; 3];
        for word in ["Schmidt", "Müller", "Philipp", "Xu", "0815"].iter().cycle().take(3_000) {
            let (wrong, kind) = slip(&mut dice, word);
            kinds[kind as usize] += 1;
            assert_ne!(&wrong, word);
            let (a, b) = (wrong.chars().count(), word.chars().count());
            assert!(a.abs_diff(b) <= 1 && !wrong.is_empty(), "{word} {wrong}");
            assert_ne!(digits(&mut dice, "0815"), "0815");
        }
        assert!(kinds.iter().all(|&n| n > 200), "{kinds:?}");
    }
}

use crate::{nicknames, similarity};
use rphonetic::DoubleMetaphone;
use std::collections::HashMap;

/// The number of a value in its vocabulary; 0 is "missing".
pub(crate) type ValueId = u32;

/// Every value once: records hold numbers, and what is slow to work out is worked out once a value.
#[derive(Default)]
pub(crate) struct Vocabulary {
    text: String,
    ends: Vec<u32>,
    index: HashMap<Box<str>, ValueId>,
    traits: Vec<Traits>,
}

/// What is known of a value before any comparison.
#[derive(Clone, Copy, Default)]
pub(crate) struct Traits {
    /// One bit a letter.
    pub(crate) letters: u32,
    /// How it sounds, and how else it may sound: numbers that are equal for equal sounds, 0 for none.
    pub(crate) sounds: [u32; 2],
    /// Groups of nicknames.
    pub(crate) nicknames: [u16; 4],
    /// Whether it is of several words.
    pub(crate) parts: bool,
}

impl Vocabulary {
    /// The number of `value`, new or known. The empty text is missing.
    pub(crate) fn intern(&mut self, value: &str) -> ValueId {
        if value.is_empty() {
            return 0;
        }
        if let Some(&id) = self.index.get(value) {
            return id;
        }
        self.text.push_str(value);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let id = ValueId::try_from(self.ends.len()).unwrap_or(0);
        self.index.insert(value.into(), id);
        id
    }

    /// The text of a value; empty for "missing".
    pub(crate) fn text(&self, id: ValueId) -> &str {
        let Some(last) = (id as usize).checked_sub(1) else { return "" };
        let from = last.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.text[from..self.ends[last] as usize]
    }

    /// How many numbers there are, "missing" among them.
    pub(crate) fn len(&self) -> usize {
        self.ends.len() + 1
    }

    /// What is known of a value.
    pub(crate) fn traits(&self, id: ValueId) -> &Traits {
        &self.traits[id as usize]
    }

    /// Works out the traits of every value that has none yet; sounds only where `names`.
    pub(crate) fn describe(&mut self, names: bool) {
        use rayon::prelude::*;
        let from = self.traits.len();
        let one = |id: usize| traits(self.text(id as ValueId), names);
        // A handful is done before a second thread wakes.
        let all: Vec<Traits> = match self.len() - from {
            few if few < 256 => (from..self.len()).map(one).collect(),
            _ => (from..self.len()).into_par_iter().map(one).collect(),
        };
        self.traits.extend(all);
    }

    /// Forgets the newest values until so many numbers are left.
    pub(crate) fn truncate(&mut self, len: usize) {
        while self.len() > len.max(1) {
            let newest = (self.len() - 1) as ValueId;
            let text: Box<str> = self.text(newest).into();
            self.index.remove(&text);
            self.ends.pop();
            self.text.truncate(self.text.len() - text.len());
            self.traits.truncate(self.ends.len() + 1);
        }
    }

    /// Adds one value with its traits: what an index does for a record that comes later.
    pub(crate) fn intern_described(&mut self, value: &str, names: bool) -> ValueId {
        let id = self.intern(value);
        if id as usize >= self.traits.len() {
            self.describe(names);
        }
        id
    }
}

fn traits(text: &str, names: bool) -> Traits {
    let letters = similarity::letters(text);
    let parts = text.contains(' ');
    if !names || text.is_empty() {
        return Traits { letters, parts, ..Traits::default() };
    }
    let mut sounds = [0; 2];
    let plain: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    if plain.len() >= 2 {
        let code = DoubleMetaphone::default().double_metaphone(&plain);
        sounds = [number(&code.primary()), number(&code.alternate())];
        if sounds[1] == sounds[0] {
            sounds[1] = 0;
        }
    }
    Traits { letters, sounds, nicknames: nicknames::groups(text), parts }
}

/// A phonetic code of up to four letters as a number; 0 for the empty code.
fn number(code: &str) -> u32 {
    code.bytes().take(4).fold(0, |number, byte| (number << 8) | u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_value_once() {
        let mut words = Vocabulary::default();
        let [ada, empty, grace, again] = ["ada", "", "grace", "ada"].map(|w| words.intern(w));
        words.describe(true);
        assert_eq!((ada, empty, again), (1, 0, 1));
        assert_eq!((words.text(grace), words.text(0), words.len()), ("grace", "", 3));
        words.truncate(2);
        assert_eq!((words.len(), words.intern("ada"), words.intern("eve"), words.text(2)), (2, 1, 2, "eve"));
    }

    #[test]
    fn names_that_sound_alike_share_a_number() {
        let sound = |name| traits(name, true).sounds;
        assert_eq!(sound("catherine")[0], sound("kathryn")[0]);
        assert_ne!(sound("catherine")[0], sound("peter")[0]);
        assert_eq!(sound("1"), [0, 0]);
    }
}

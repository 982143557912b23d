//! A field and its parts: repetitions, components, subcomponents.

use super::escape;
use std::borrow::Cow;

/// The characters that separate, from MSH-1 and MSH-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) field: char,
    pub(super) component: char,
    pub(super) repetition: Option<char>,
    pub(super) escape: Option<char>,
    pub(super) subcomponent: Option<char>,
}

impl Marks {
    /// From the first bytes of a message; `None` where they are not distinct punctuation.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let field = *message.strip_prefix(b"MSH")?.first()?;
        let coding = message.get(4..)?.split(|b| *b == field || *b == b'\r').next()?;
        let all: Vec<u8> = std::iter::once(field).chain(coding.iter().copied()).collect();
        let distinct = all.iter().enumerate().all(|(i, b)| !all[..i].contains(b));
        if !(2..=6).contains(&all.len()) || !distinct || !all.iter().all(u8::is_ascii_punctuation) {
            return None;
        }
        let mark = |n: usize| all.get(n).copied().map(char::from);
        Some(Self {
            field: char::from(field),
            component: mark(1)?,
            repetition: mark(2),
            escape: mark(3),
            subcomponent: mark(4),
        })
    }

    /// Whether a character separates, escapes or ends something.
    pub(super) fn separates(&self, c: char) -> bool {
        let some = [self.repetition, self.escape, self.subcomponent].contains(&Some(c));
        some || c == self.field || c == self.component || c.is_control()
    }
}

/// A field, one of its repetitions, a component or a subcomponent, as written.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    raw: &'a str,
    marks: Marks,
}

impl<'a> Field<'a> {
    pub(super) fn new(raw: &'a str, marks: Marks) -> Self {
        Self { raw, marks }
    }

    /// As it stands in the message.
    pub(super) fn raw(self) -> &'a str {
        self.raw
    }

    /// Whether there is nothing: absent, or the explicit null `""`.
    pub(super) fn is_empty(self) -> bool {
        self.raw.is_empty() || self.raw == "\"\""
    }

    /// The text with escapes resolved; `None` where there is none.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let text = self.raw.trim();
        if text.is_empty() || text == "\"\"" {
            return None;
        }
        Some(escape::resolve(text, &self.marks))
    }

    /// The text as a string of its own.
    pub(super) fn string(self) -> Option<String> {
        self.text().map(Cow::into_owned)
    }

    /// Its repetitions, none where it is empty.
    pub(super) fn repetitions(self) -> impl Iterator<Item = Self> {
        let marks = self.marks;
        let raw = Some(self.raw).filter(|r| !r.is_empty());
        let mark = marks.repetition.unwrap_or('\r');
        raw.into_iter().flat_map(move |r| r.split(mark)).map(move |raw| Self { raw, marks })
    }

    /// Component `n` of the first repetition, from 1; empty where there is none.
    pub(super) fn component(self, n: usize) -> Self {
        let first = match self.marks.repetition {
            Some(mark) => self.raw.split(mark).next().unwrap_or_default(),
            None => self.raw,
        };
        self.part(first, self.marks.component, n)
    }

    /// Subcomponent `n` of a component, from 1; empty where there is none.
    pub(super) fn subcomponent(self, n: usize) -> Self {
        self.part(self.raw, self.marks.subcomponent.unwrap_or('\r'), n)
    }

    /// How many components the first repetition has.
    pub(super) fn components(self) -> usize {
        let first = self.marks.repetition.map_or(self.raw, |m| self.raw.split(m).next().unwrap_or_default());
        first.split(self.marks.component).count()
    }

    fn part(self, text: &'a str, mark: char, n: usize) -> Self {
        let raw = text.split(mark).nth(n.saturating_sub(1)).unwrap_or_default();
        Self { raw, marks: self.marks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_the_senders() {
        let marks = Marks::read(b"MSH#*@!%#x").unwrap();
        let field = Field::new("a%b*c@d", marks);
        assert_eq!(field.component(1).subcomponent(2).raw(), "b");
        assert_eq!(field.component(2).raw(), "c");
        assert_eq!(field.repetitions().nth(1).unwrap().raw(), "d");
        assert_eq!(field.component(9).text(), None);
        for bad in [&b"MSH|"[..], b"MSH||", b"MSH|^^\\&|", b"MSH|A~\\&|", b"MSH", b"MSH|^~\\&#%|"] {
            assert_eq!(Marks::read(bad), None, "{bad:?}");
        }
    }
}

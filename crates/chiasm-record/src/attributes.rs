use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Write;

/// Names with texts, in the order in which they came; a name may stand twice.
///
/// All of them are one text (each piece with its length and a colon before it), so that an event with many is
/// made, copied and let go at the price of one allocation: a file of variants has millions.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attributes(String);

impl Attributes {
    /// None.
    pub const fn new() -> Self {
        Self(String::new())
    }

    /// A copy with room for `bytes` more.
    #[must_use]
    pub fn with_room(&self, bytes: usize) -> Self {
        let mut text = String::with_capacity(self.0.len() + bytes);
        text.push_str(&self.0);
        Self(text)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Adds a name and its text.
    pub fn push(&mut self, (name, text): (impl AsRef<str>, impl AsRef<str>)) {
        const SHORT: [&str; 10] = ["0:", "1:", "2:", "3:", "4:", "5:", "6:", "7:", "8:", "9:"];
        for piece in [name.as_ref(), text.as_ref()] {
            match SHORT.get(piece.len()) {
                Some(length) => self.0.push_str(length),
                // Writing to a text does not fail.
                None => drop(write!(self.0, "{}:", piece.len())),
            }
            self.0.push_str(piece);
        }
    }

    /// Names and texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = self.0.as_str();
        let mut next = move || {
            let (length, after) = rest.split_once(':')?;
            let (piece, after) = after.split_at_checked(length.parse().ok()?)?;
            rest = after;
            Some(piece)
        };
        std::iter::from_fn(move || Some((next()?, next()?)))
    }

    /// Takes out the first of a name.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let found = self.iter().find(|(n, _)| *n == name)?.1.to_owned();
        let mut gone = false;
        *self =
            self.iter().filter(|(n, _)| gone || *n != name || std::mem::replace(&mut gone, true)).collect();
        Some(found)
    }

    /// Sorts them by name, then text.
    pub fn sort(&mut self) {
        if !self.iter().is_sorted() {
            let mut all: Vec<(&str, &str)> = self.iter().collect();
            all.sort_unstable();
            *self = all.into_iter().collect();
        }
    }
}

impl<N: AsRef<str>, T: AsRef<str>> Extend<(N, T)> for Attributes {
    fn extend<I: IntoIterator<Item = (N, T)>>(&mut self, more: I) {
        more.into_iter().for_each(|pair| self.push(pair));
    }
}

impl<N: AsRef<str>, T: AsRef<str>> FromIterator<(N, T)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(all: I) -> Self {
        let mut attributes = Self::new();
        attributes.extend(all);
        attributes
    }
}

impl std::fmt::Debug for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A list of pairs.
impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.iter().collect::<Vec<_>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Vec::<(Cow<'de, str>, Cow<'de, str>)>::deserialize(deserializer)?;
        Ok(all.into_iter().collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let long = "9:".repeat(500);
        let all = [("status", "F"), ("", ""), ("12:", "é:\0"), ("name", &long), ("status", "1:a")];
        let mut attributes: Attributes = all.into_iter().collect();
        assert_eq!(attributes.iter().collect::<Vec<_>>(), all);
        assert_eq!((attributes.len(), attributes.is_empty()), (5, false));
        assert_eq!(format!("{attributes:?}"), format!("{all:?}"));
        let json = serde_json::to_string(&attributes).unwrap();
        assert_eq!(json, serde_json::to_string(&all).unwrap());
        assert_eq!(serde_json::from_str::<Attributes>(&json).unwrap(), attributes);
        let mut less = attributes.clone();
        assert_eq!((less.take("status").as_deref(), less.take("other")), (Some("F"), None));
        assert_eq!(less.iter().collect::<Vec<_>>(), all[1..]);
        let mut sorted = all;
        sorted.sort();
        attributes.sort();
        assert_eq!(attributes.with_room(9).iter().collect::<Vec<_>>(), sorted);
    }
}

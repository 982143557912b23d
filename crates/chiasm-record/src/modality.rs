use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A kind of evidence as a recipe names it: `clinical`, `pathology`, `rna`.
///
/// (DICOM's CT or MR is a `DicomModality`, another thing.)
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Modality(Cow<'static, str>);

impl Modality {
    /// The kinds of evidence in events, each by one name whatever format it came in: consent, queries and
    /// features go by it. A site's tables may have kinds of their own.
    pub const OF_EVENTS: [&str; 20] = [
        "allergies",
        "audio",
        "conditions",
        "consents",
        "demographics",
        "encounters",
        "genomics",
        "imaging",
        "labs",
        "medications",
        "notes",
        "orders",
        "other",
        "pathology",
        "phenotypes",
        "procedures",
        "provenance",
        "vitals",
        "waveforms",
        "wearables",
    ];

    /// Wraps a modality's name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Cow::Owned(name.into()))
    }

    /// Of a name that is known beforehand: made and copied at no cost.
    pub const fn known(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Modality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of modalities, by their position in the recipe (at most 32): which are present for a
/// subject, or which a model may look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Availability(u32);

impl Availability {
    /// The largest number of modalities that a set can hold.
    pub const MAX: usize = 32;
    /// No modality at all.
    pub const NONE: Self = Self(0);

    /// The first `n` modalities.
    pub fn all(n: usize) -> Self {
        debug_assert!(n <= Self::MAX);
        if n >= 32 { Self(u32::MAX) } else { Self((1u32 << n) - 1) }
    }

    /// The one modality at position `m`.
    pub fn only(m: usize) -> Self {
        Self(1u32 << m)
    }

    /// From a bit mask: bit `m` is modality `m`.
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bit mask.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether modality `m` is in the set.
    pub fn contains(self, m: usize) -> bool {
        m < 32 && self.0 >> m & 1 == 1
    }

    /// Whether every modality of `other` is in the set.
    pub fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set with modality `m`.
    #[must_use]
    pub fn with(self, m: usize) -> Self {
        Self(self.0 | 1u32 << m)
    }

    /// The set without modality `m`.
    #[must_use]
    pub fn without(self, m: usize) -> Self {
        Self(self.0 & !(1u32 << m))
    }

    /// What both sets hold.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// How many modalities are in the set.
    pub fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The positions in the set, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..32).filter(move |&m| self.contains(m))
    }

    /// Every subset of the set, the empty one first, in ascending order of the bit mask.
    pub fn subsets(self) -> impl Iterator<Item = Self> {
        let full = self.0;
        let mut next = Some(0u32);
        std::iter::from_fn(move || {
            let current = next?;
            next = (current != full).then(|| current.wrapping_sub(full) & full);
            Some(Self(current))
        })
    }

    /// The names in the set joined by `+`, in recipe order: `clinical+rna`.
    pub fn label(self, modalities: &[Modality]) -> String {
        self.iter().filter_map(|m| modalities.get(m)).map(Modality::as_str).collect::<Vec<_>>().join("+")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_all_and_ascending() {
        let set = Availability::from_bits(0b1011);
        let subsets: Vec<u32> = set.subsets().map(Availability::bits).collect();
        assert_eq!(subsets, [0, 1, 2, 3, 8, 9, 10, 11]);
        assert_eq!(Availability::NONE.subsets().count(), 1);
    }

    #[test]
    fn labels_follow_the_recipe_order() {
        let names = ["a", "b", "c"].map(Modality::new);
        assert_eq!(Availability::from_bits(0b101).label(&names), "a+c");
        assert_eq!(Availability::all(3).without(1).label(&names), "a+c");
    }
}

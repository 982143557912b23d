use serde::{Deserialize, Serialize};

/// A doubt about input that did not stop the work: what, where, and how often.
///
/// Carries places and counts, never a patient's values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// Where: a file, table or column.
    pub place: String,
    /// What was seen, in one sentence.
    pub message: String,
    /// How many times.
    pub count: usize,
    /// The subjects concerned, where ids help the reader (ids that do not join, for example).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<crate::SubjectId>,
}

impl Finding {
    /// A finding without subjects.
    pub fn new(place: impl Into<String>, message: impl Into<String>, count: usize) -> Self {
        Self { place: place.into(), message: message.into(), count, subjects: Vec::new() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.place, self.message, self.count)
    }
}

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many subjects were seen, left out and why, as in a CONSORT diagram.
///
/// `seen = included + the sum of excluded`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Subjects in any of the tables.
    pub seen: usize,
    /// Subjects left out, by the first reason that held.
    pub excluded: BTreeMap<String, usize>,
    /// Subjects in the examples.
    pub included: usize,
    /// Included subjects with the event or the positive class; `None` where the task has no such thing.
    pub events: Option<usize>,
    /// Included subjects who have each modality, in recipe order.
    pub present: Vec<(String, usize)>,
}

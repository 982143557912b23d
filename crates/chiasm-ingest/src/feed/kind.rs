use super::{Checked, Feed, Sink, Source};
use crate::Error;

/// The formats in which systems send evidence. Closed, so that the compiler lists every place that a new
/// one touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedFormat {}

impl FeedFormat {
    /// What a file is, by its first bytes, and by its name where they leave it open. Formats whose first
    /// bytes say so come before those that are text of a certain shape.
    pub fn of(_head: &[u8], _name: &str) -> Option<Self> {
        None
    }

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {}
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What makes the whole of it unreadable, and [`Error::Sink`]; parts that break a rule go to the sink.
    pub fn read(self, _source: &Source, _feed: &Feed, _sink: &mut dyn Sink) -> Result<(), Error> {
        match self {}
    }

    /// Says what is in a file and what is wrong with it.
    ///
    /// # Errors
    /// What makes the whole of it unreadable.
    pub fn check(self, _source: &Source) -> Result<Checked, Error> {
        match self {}
    }

    /// Whether a file belongs to another that is read in its own right: a signal to its header.
    pub fn is_companion(_source: &Source) -> bool {
        false
    }
}

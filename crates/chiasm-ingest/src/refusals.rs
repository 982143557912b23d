use crate::Error;
use crate::feed::{Rejected, Sink, SinkError};
use std::collections::BTreeMap;

/// Rows of one rule that are rejected one by one; of more, the number is told.
const TOLD: u64 = 1000;

/// The rows of a file that break a rule, on their way to the quarantine: a file that is wrong in every row must not fill
/// it with a million entries.
pub(crate) struct Refusals {
    origin: String,
    counts: BTreeMap<&'static str, u64>,
}

impl Refusals {
    /// None yet.
    pub fn of(origin: &str) -> Self {
        Self { origin: origin.to_owned(), counts: BTreeMap::new() }
    }

    /// Refuses a row.
    ///
    /// # Errors
    /// [`Error::Sink`].
    pub fn refuse(
        &mut self,
        sink: &mut dyn Sink,
        place: String,
        offset: Option<u64>,
        rule: &'static str,
        message: &str,
    ) -> Result<(), Error> {
        let n = self.counts.entry(rule).or_default();
        *n += 1;
        if *n > TOLD {
            return Ok(());
        }
        let message = message.to_owned();
        let rejected = Rejected { place, offset, rule: rule.to_owned(), message, bytes: None };
        sink.reject(rejected).map_err(|e| self.sunk(e))
    }

    /// Says how many more rows there were.
    ///
    /// # Errors
    /// [`Error::Sink`].
    pub fn finish(self, sink: &mut dyn Sink) -> Result<(), Error> {
        for (rule, n) in &self.counts {
            let Some(more) = n.checked_sub(TOLD).filter(|n| *n > 0) else { continue };
            let rejected = Rejected {
                place: "further rows".to_owned(),
                offset: None,
                rule: (*rule).to_owned(),
                message: format!("{more} more rows break this rule"),
                bytes: None,
            };
            sink.reject(rejected).map_err(|e| self.sunk(e))?;
        }
        Ok(())
    }

    /// The error of what could not be kept.
    pub fn sunk(&self, source: SinkError) -> Error {
        Error::Sink { place: self.origin.clone(), source }
    }
}

use super::Entry;
use bytes::Bytes;

/// Where a reader puts what it read.
pub trait Sink {
    /// Takes an entry.
    ///
    /// # Errors
    /// [`SinkError`] where it cannot be kept; the reader stops and passes it on.
    fn entry(&mut self, entry: Entry) -> Result<(), SinkError>;

    /// Takes what could not be read.
    ///
    /// # Errors
    /// As [`Sink::entry`].
    fn reject(&mut self, rejected: Rejected) -> Result<(), SinkError>;

    /// Whether an entry of that key is there already, so that a reader may spare itself the work.
    fn has(&self, _key: &[u8; 32]) -> bool {
        false
    }
}

/// Why a sink could not keep what it was given: a full disk, mostly.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// A part of a source that breaks a rule, for the quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where in the source: `message 3`, `line 17`; empty for the whole.
    pub place: String,
    /// Bytes before it in the source, where that is known.
    pub offset: Option<u64>,
    /// The rule, short and stable: `hl7.msh`, `fhir.reference`, `dicom.length`.
    pub rule: String,
    /// What is wrong, in one sentence without a patient's values.
    pub message: String,
    /// The part itself, where it can be cut out; it is kept so that it can be tried again.
    pub bytes: Option<Bytes>,
}

impl Sink for Vec<Entry> {
    fn entry(&mut self, entry: Entry) -> Result<(), SinkError> {
        self.push(entry);
        Ok(())
    }

    /// A list of entries has no place for what was rejected: it is an error here.
    fn reject(&mut self, rejected: Rejected) -> Result<(), SinkError> {
        Err(SinkError(format!("{}: {} ({})", rejected.place, rejected.message, rejected.rule).into()))
    }
}

impl Sink for (Vec<Entry>, Vec<Rejected>) {
    fn entry(&mut self, entry: Entry) -> Result<(), SinkError> {
        self.0.push(entry);
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<(), SinkError> {
        self.1.push(rejected);
        Ok(())
    }
}

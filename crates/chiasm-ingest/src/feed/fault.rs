use serde::{Deserialize, Serialize};

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Information,
    /// Allowed, and likely a mistake.
    Warning,
    /// The standard forbids it.
    Error,
}

/// A rule that a file breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// How bad.
    pub severity: Severity,
    /// The rule, short and stable: `vcf.info.type`, `fhir.cardinality`.
    pub rule: String,
    /// Where: `line 17`, `Patient.birthDate`, `(0010,0030)`; empty for the whole file.
    pub place: String,
    /// What is wrong, in one sentence without a patient's values.
    pub message: String,
}

/// What `chiasm check` says of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The format's name: `VCF`, `DICOM`, `FHIR`.
    pub format: String,
    /// Its version, where the file says one.
    pub version: Option<String>,
    /// What is in it, as names and figures in reading order, without a patient's values.
    pub contents: Vec<(String, String)>,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Checked {
    /// A file of `format` of which nothing more is known yet.
    pub fn new(format: &str, version: Option<String>) -> Self {
        Self { format: format.to_owned(), version, contents: Vec::new(), faults: Vec::new() }
    }

    /// Adds a fault.
    pub fn fault(
        &mut self,
        severity: Severity,
        rule: &str,
        place: impl Into<String>,
        message: impl Into<String>,
    ) {
        let (rule, place, message) = (rule.to_owned(), place.into(), message.into());
        self.faults.push(Fault { severity, rule, place, message });
    }

    /// Adds a line of what is in it.
    pub fn content(&mut self, name: &str, value: impl ToString) {
        self.contents.push((name.to_owned(), value.to_string()));
    }

    /// Whether its standard is kept.
    pub fn is_valid(&self) -> bool {
        self.faults.iter().all(|f| f.severity < Severity::Error)
    }
}

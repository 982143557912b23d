/// Why a number cannot be computed. Messages name the place and the count, never a patient's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing to compute from.
    #[error("{what}: expected at least {needed}, found {found}")]
    TooFew {
        /// What there is too little of.
        what: &'static str,
        /// How many are needed.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// Two inputs that belong together differ in length.
    #[error("{what}: expected {expected} entries, found {found}")]
    Length {
        /// Which input.
        what: &'static str,
        /// Entries expected.
        expected: usize,
        /// Entries found.
        found: usize,
    },
    /// A number is NaN or infinite.
    #[error("{what}, entry {position}: expected a finite number")]
    NotFinite {
        /// Which input.
        what: &'static str,
        /// Its index, from 0.
        position: usize,
    },
    /// A number lies outside what it may be.
    #[error("{what}, entry {position}: expected {expected}")]
    OutOfRange {
        /// Which input.
        what: &'static str,
        /// Its index, from 0.
        position: usize,
        /// The allowed range in words.
        expected: &'static str,
    },
    /// A metric that contrasts two classes met one only.
    #[error("one class only: {positives} positive among {of}, expected both classes")]
    OneClass {
        /// Positives found.
        positives: usize,
        /// Subjects in all.
        of: usize,
    },
    /// No subject is known to have had its event before another's follow-up ended.
    #[error("no comparable pair among {of} subjects with {events} events")]
    NoComparablePair {
        /// Events found.
        events: usize,
        /// Subjects in all.
        of: usize,
    },
    /// The values do not vary, so the statistic has no scale.
    #[error("{what}: every value is the same, expected some spread")]
    NoSpread {
        /// Which input.
        what: &'static str,
    },
    /// A fit has no finite optimum, as when the classes are perfectly separated.
    #[error("{what}: no finite optimum (the classes may be perfectly separated)")]
    NotConverged {
        /// Which fit.
        what: &'static str,
    },
    /// Too many bootstrap replicates had no defined value.
    #[error("bootstrap: the metric was undefined in {failed} of {of} replicates")]
    Replicates {
        /// Replicates without a value.
        failed: usize,
        /// Replicates drawn.
        of: usize,
    },
}

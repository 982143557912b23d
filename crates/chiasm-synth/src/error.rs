use std::io;
use std::path::PathBuf;

/// What can go wrong while making or writing a cohort.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An impossible wish.
    #[error("{what}: found {found}, expected {expected}")]
    Impossible {
        /// Which argument.
        what: &'static str,
        /// What it holds.
        found: String,
        /// What is possible.
        expected: &'static str,
    },
    /// Examples that do not fit together.
    #[error(transparent)]
    Cohort(#[from] chiasm_cohort::Error),
    /// A file or folder that cannot be written.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

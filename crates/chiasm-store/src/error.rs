/// Why the store could not do what was asked.
///
/// `place` is a path inside the store. Messages never carry a patient's values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no store where one was expected.
    #[error("{place}: no store is there; `chiasm ingest` makes one")]
    NoStore {
        /// The folder or address.
        place: String,
    },
    /// The store was written by another version of this program.
    #[error("{place}: expected a store of version {expected}, found {found}")]
    Version {
        /// The manifest.
        place: String,
        /// The version that this program reads.
        expected: u32,
        /// The version that is there.
        found: u32,
    },
    /// Bytes that the manifest names are not what they should be.
    #[error("{place}: damaged: expected {expected}, found {found}")]
    Damaged {
        /// The file.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The system could not read or write.
    #[error("{place}: cannot be {action}")]
    Io {
        /// The file.
        place: String,
        /// `read`, `written`, `listed`.
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A remote store could not read or write.
    #[error("{place}: cannot be {action}")]
    Remote {
        /// The object.
        place: String,
        /// `read`, `written`, `listed`.
        action: &'static str,
        /// The remote's reason.
        source: object_store::Error,
    },
    /// Others committed again and again before this one could.
    #[error("expected to commit within {attempts} attempts, found other writers ahead each time")]
    Contended {
        /// How often it was tried.
        attempts: usize,
    },
    /// What links were worked out from has changed since.
    #[error(
        "expected the statements of who is who that the links were worked out from, found more: link again"
    )]
    Outdated,
    /// An asset's bytes have another hash than its name says.
    #[error(
        "expected bytes with the hash that the asset's name says, found others; was the file changed while it was read?"
    )]
    AssetChanged,
    /// Rows could not become a table, or a table rows.
    #[error("{place}: expected a table of this program's, found another: {source}")]
    Rows {
        /// The table.
        place: String,
        /// What Arrow or Parquet says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A query is wrong or failed.
    #[error("the query failed: {0}")]
    Query(#[from] Box<datafusion::error::DataFusionError>),
}

impl Error {
    /// Whether a file was asked for that is not there.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            Self::Remote { source, .. } => matches!(source, object_store::Error::NotFound { .. }),
            _ => false,
        }
    }
}

use std::io;
use std::path::PathBuf;

/// What can go wrong between a recipe and a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A recipe or site that cannot be used.
    #[error("{place}: {message}")]
    Recipe {
        /// File, and line where known.
        place: String,
        /// What is wrong, with the nearest right word where there is one.
        message: String,
    },
    /// A name that is not known: a recipe, a site, a data set, a subject, a parameter.
    #[error("{what} '{name}' is not known{hint}")]
    Unknown {
        /// Which kind of thing.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// `; did you mean ...?`, `; there are ...`, or nothing.
        hint: String,
    },
    /// A folder that is not a run.
    #[error("{path} is not a run: it has no run.json", path = path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that holds another run.
    #[error("{path} holds a run of another recipe, site, data or seed; choose another folder or remove it", path = path.display())]
    OtherRun {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that holds something else.
    #[error("{path} holds other files; choose another folder for the run", path = path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder that is not there.
    #[error("{path} is not there{hint}", path = path.display())]
    Missing {
        /// The path.
        path: PathBuf,
        /// What to do about it.
        hint: String,
    },
    /// A thread that was told to stop because another could not go on; that one's error is the reason.
    #[error("stopped because another part of the run could not go on")]
    Stopped,
    /// A file that cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file that cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of a run that is damaged.
    #[error("{path} is damaged: {message}", path = path.display())]
    Broken {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A data set that cannot be fetched.
    #[error("cannot fetch {url}: {message}")]
    Fetch {
        /// The address.
        url: String,
        /// The reason.
        message: String,
    },
    /// Something of this program's own that JSON cannot hold.
    #[error("cannot write {what} as JSON")]
    Json {
        /// What.
        what: &'static str,
        /// The reason.
        source: serde_json::Error,
    },
    /// From linking.
    #[error(transparent)]
    Linkage(#[from] chiasm_linkage::Error),
    /// From the store.
    #[error(transparent)]
    Store(#[from] chiasm_store::Error),
    /// From reading tables.
    #[error(transparent)]
    Ingest(#[from] chiasm_ingest::Error),
    /// From joining tables into examples.
    #[error(transparent)]
    Cohort(#[from] chiasm_cohort::Error),
    /// From learning or predicting.
    #[error(transparent)]
    Learn(#[from] chiasm_learn::Error),
    /// From statistics.
    #[error(transparent)]
    Evaluate(#[from] chiasm_evaluate::Error),
}

impl Error {
    /// The error of what could not become JSON.
    pub(crate) fn json(what: &'static str) -> impl Fn(serde_json::Error) -> Self {
        move |source| Self::Json { what, source }
    }

    /// The same error, told with the outer fold that it happened in.
    pub(crate) fn in_fold(self, repeat: usize, fold: usize) -> Self {
        match self {
            Self::Learn(chiasm_learn::Error::CannotLearn { place, message }) => {
                let place = format!("repeat {}, fold {}, {place}", repeat + 1, fold + 1);
                Self::Learn(chiasm_learn::Error::CannotLearn { place, message })
            }
            other => other,
        }
    }
}

//! What can go wrong in this crate.

/// What can go wrong while learning or predicting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row has no modality at all.
    #[error("at least one modality required")]
    NothingPresent,
    /// A training set that cannot teach: one class only, no event, too few rows.
    #[error("{place}: {message}")]
    CannotLearn {
        /// Which fold, modality or fusion.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// Shapes or kinds that do not fit together.
    #[error("{message}")]
    Shape {
        /// What does not fit.
        message: String,
    },
    /// The training subjects cannot be split.
    #[error(transparent)]
    Split(#[from] chiasm_cohort::Error),
    /// The tensor framework failed.
    #[error("tensor: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A checkpoint that cannot be read.
    #[error("checkpoint: {message}")]
    Checkpoint {
        /// What is wrong with it.
        message: String,
    },
}

impl Error {
    /// The same error, told with the inner fold that it happened in.
    pub(crate) fn in_fold(self, fold: usize) -> Self {
        match self {
            Self::CannotLearn { place, message } => {
                Self::CannotLearn { place: format!("inner fold {}, {place}", fold + 1), message }
            }
            other => other,
        }
    }
}

/// What can be wrong with a site, its data or a split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Parts of an [`crate::Examples`] do not fit together.
    #[error("examples do not fit together: {message}")]
    Shape {
        /// What does not fit.
        message: String,
    },
}

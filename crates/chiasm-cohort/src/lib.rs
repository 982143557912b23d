//! Selection, labels and splits: from tables as they are, through a site's binding, to [`Examples`].

mod error;
mod examples;

pub use error::Error;
pub use examples::{Examples, Subgroup};

//! Selection, labels and splits: from tables as they are, through a site's binding, to [`Examples`].
//!
//! - [`Site`] (a `site.toml`): which files a source has and what their columns mean. What a site calls
//!   an outcome can never become an input.
//! - [`CohortSpec`] (of a recipe): which modalities and which task, by name; no path, no code.
//! - [`inputs`] says which files to read, [`Sources`] takes them as read, [`assemble`] joins them.
//! - [`asof`]: events into features as they could be known at the index time.
//! - [`split`]: folds by subject, stratified, the same for the same seed.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod asof;
mod assemble;
mod error;
mod examples;
mod flow;
mod pattern;
mod schema;
pub mod site;
mod sources;
mod spec;
pub mod split;

pub use assemble::{Assembled, Mode, assemble};
pub use error::Error;
pub use examples::{Examples, Subgroup};
pub use flow::Flow;
pub use schema::{BagSchema, ContentSchema, FeatureSchema, ModalitySchema, Schema};
pub use site::Site;
pub use sources::{Input, InputKind, Sources, inputs};
pub use spec::{CohortSpec, TaskSpec, Wanted};

//! Identifiers to who is who: the one place that knows names, dates of birth and record numbers.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod blocking;
mod compare;
mod date;
mod defaults;
mod error;
mod estimate;
mod fields;
mod identity;
mod levels;
mod link;
mod nicknames;
mod normalise;
mod records;
mod resolve;
mod sampling;
mod score;
mod similarity;
mod vocabulary;

pub use blocking::KeyCount;
pub use error::Error;
pub use fields::{FieldKind, Fields, recognise};
pub use identity::{Address, BirthDate, Identifier, IdentifierKind, Identity, PersonName, Sex};
pub use link::{Evidence, LinkConfig, Linkage, Pair, link};
pub use records::{Records, RecordsBuilder};

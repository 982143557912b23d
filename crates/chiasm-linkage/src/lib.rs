//! Identifiers to who is who: the one place that knows names, dates of birth and record numbers.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod identity;

pub use identity::{Address, BirthDate, Identifier, IdentifierKind, Identity, PersonName, Sex};

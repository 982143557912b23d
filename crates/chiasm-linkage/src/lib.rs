//! Identifiers to who is who: the one place that knows names, dates of birth and record numbers.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod blocking;
mod clk;
mod cluster;
mod compare;
mod date;
mod defaults;
mod error;
mod estimate;
mod fields;
mod guard;
mod headers;
mod household;
mod identity;
mod index;
mod ledger;
mod levels;
mod link;
mod nicknames;
mod normalise;
mod orders;
mod records;
mod resolve;
mod rules;
mod sampling;
mod score;
mod similarity;
mod tables;
mod vocabulary;
mod waterfall;

pub use blocking::KeyCount;
pub use clk::{EncodedIdentity, EncodingKey};
pub use cluster::{ClusterConfig, Persons, Review, ReviewReason, guarded_persons, persons};
pub use error::Error;
pub use fields::{FieldKind, Fields};
pub use guard::{Conflict, Guard, Shown, wrong_patient};
pub use headers::recognise;
pub use identity::{Address, BirthDate, Identifier, IdentifierKind, Identity, PersonName, Sex};
pub use index::{Index, Match};
pub use ledger::{Decision, Entry, Ledger, RecordPair, Voice};
pub use link::{Evidence, LinkConfig, Linkage, Pair, link};
pub use orders::Order;
pub use records::{Records, RecordsBuilder};
pub use waterfall::{waterfall_svg, waterfall_text};

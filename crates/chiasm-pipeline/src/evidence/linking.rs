//! Who is who: in plain [`tables`], and among the records of a store.

pub mod clocks;
mod orders;
mod records;
pub mod review;
pub mod said;
pub mod tables;
mod tellings;

pub use clocks::{Clock, clocks};
pub use records::{Linked, link_store};
pub use review::{Told, Why, review, why};
pub use said::{Word, decide};
pub use tables::{LinkedTables, link_tables};

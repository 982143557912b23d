//! Who is who: in plain [`tables`], and among the records of a [store](mod@records).

pub mod records;
pub mod tables;

pub use records::{Linked, link_store};
pub use tables::{LinkedTables, link_tables};

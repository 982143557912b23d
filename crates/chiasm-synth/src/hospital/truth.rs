//! The answers: who each record is, what each patient's latent state is, what was planted where.

mod rows;
mod table;

pub(crate) use rows::{CONSENTS, EVENTS, Made, PERSONS, RECORDS, Rows};
pub(crate) use table::Table;

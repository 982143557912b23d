//! The program from end to end, as a user meets it: what it writes, what it says, what it refuses.
//! Everything runs on a synthetic source of 80 subjects (`toy`) that trains in about a second.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod answers;
mod bad_data;
mod bad_files;
mod bad_recipe;
mod changed;
mod disk;
mod exports;
mod feeds;
mod fronts;
mod kills;
mod linking;
mod listening;
mod pictures;
mod runs;
mod stored;
#[path = "../../../chiasm-exchange/tests/support/mod.rs"]
mod support;
mod toy;

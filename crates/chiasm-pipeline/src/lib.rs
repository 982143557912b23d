//! Reads a recipe and a site, checks them, wires the steps: the one API behind every front.
//!
//! The way of the data: [`recipe`] and [`bundle`] (what is asked, and of which source), [`cohort`]
//! (files become examples), [`fold`] (one outer fold), [`run`](mod@run) (all of it, resumable, into a
//! [`folder`]), [`report`] (what it found), [`predict`] (answers for new subjects). Before all that,
//! [`evidence`] turns raw feeds into patients' timelines.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod bundle;
pub mod cohort;
pub mod dataset;
mod error;
pub mod evidence;
pub mod fold;
pub mod folder;
pub mod predict;
mod progress;
pub mod recipe;
pub mod report;
pub mod run;
pub mod table;

pub use chiasm_evaluate::Report;
pub use chiasm_evaluate::terminal::table as terminal_table;
pub use error::Error;
pub use progress::{Progress, Silent};
pub use recipe::Recipe;
pub use run::{Run, RunRequest};

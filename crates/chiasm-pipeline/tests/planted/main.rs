//! Planted truth: cohorts of `chiasm-synth`, whose effects are known, go through the whole nested
//! procedure, which must find what is there and must not find what is not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod absence;
mod attribution;
mod files;
mod judge;
mod promises;
mod verdicts;

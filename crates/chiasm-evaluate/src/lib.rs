//! Predictions -> metrics, intervals, tests, subgroups -> Report. Never sees a model or a patient's features.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod report;

pub use report::*;

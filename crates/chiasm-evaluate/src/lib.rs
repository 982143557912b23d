//! Predictions -> metrics, intervals, tests, subgroups -> Report. Never sees a model or a patient's features.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod compare;
mod error;
pub mod metrics;
mod report;

pub use error::Error;
pub use report::*;

//! Predictions -> metrics, intervals, tests, subgroups -> Report. Never sees a model or a patient's features.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod assess;
pub mod compare;
mod error;
mod held_out;
pub mod html;
pub mod metrics;
mod plots;
mod report;
pub mod terminal;
mod words;

pub use assess::{AssessOptions, assess};
pub use error::Error;
pub use held_out::*;
pub use report::*;
pub use words::{lower_is_better, metric_name, verdict_words};

//! Encoders, fusion, heads, training, calibration and attribution: from Examples to Predictions.
//!
//! The way of the data: [`prepare`] (a block becomes a [`matrix`]), [`linear`], [`tree`] and [`net`]
//! (what can be learned from it), [`expert`] (one table, one learner), [`fusion`] (any subset of
//! modalities becomes one score), `training_set` (cross-fitting and choosing inside one training set),
//! [`trained`] (what that taught), [`predict`] (answers with intervals, abstentions and reasons).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod calibrate;
pub mod checkpoint;
pub mod config;
pub mod conformal;
pub mod crossfit;
mod error;
pub mod expert;
pub mod fusion;
pub mod head;
pub mod linear;
pub mod matrix;
pub mod net;
pub mod predict;
pub mod prepare;
pub mod reference;
pub mod seed;
pub mod shapley;
pub mod trained;
mod training_set;
pub mod tree;

pub use error::Error;
pub use training_set::strata;

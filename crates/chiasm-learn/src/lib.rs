//! Encoders, fusion, heads, training, calibration and attribution: from Examples to Predictions.
//!
//! The way of the data: [`matrix`] (a design matrix with NaN where missing), [`linear`], [`tree`] and
//! [`net`] (what can be learned from it), experts (one modality -> score), fusion (any subset of
//! modalities -> score), calibration and attribution.

pub mod error;
pub mod linear;
pub mod matrix;
pub mod net;
pub mod tree;

pub use error::Error;

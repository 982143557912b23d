//! Neural fusion on candle: fused operations, encoders, attention and cross-attention over whichever
//! modalities a subject has.
//!
//! Tokens are *packed*: only evidence that is there becomes a token, and a row is a span of tokens. So
//! absent modalities have weight exactly zero by construction, their content is never read, and no
//! work is done for them.
//!
//! The way of the data: [`NetInput`] -> encoders (one token a vector) -> attention blocks -> pooling
//! -> head -> scores on the link scale (log-odds, log-probabilities, value, log-risk).

mod checkpoint;
mod config;
mod encoder;
mod evidence;
mod fusion;
mod input;
mod layers;
mod loss;
mod model;
mod network;
mod ops;
pub mod step;
mod train;

pub use config::{
    Activation, BagPooling, EarlyStopping, EncoderConfig, FusionKind, NetConfig, Pooling, Schedule,
    SurvivalLoss,
};
pub use input::{NetInput, Part};
pub use model::Net;

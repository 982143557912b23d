//! Synthetic cohorts with planted, known effects, for development and demonstration.
//!
//! Each generator plants one effect that the code must find, or must not find:
//!
//! | generator | what is planted | what must come out |
//! |---|---|---|
//! | [`xor`](mod@xor) | the answer needs two modalities together | only joint fusion answers; `fusion_better` |
//! | [`redundant`](mod@redundant) | every modality shows the same, errors included | `no_gain` |
//! | [`noise`](mod@noise) | nothing | `fusion_better` in at most 5 % of cohorts |
//! | [`additive`](mod@additive) | a weight per modality | attributions in proportion to the weights |
//!
//! A modality shows its latent value through a few columns, each with its own error ([`View`]). A
//! [`Draw`] says how many subjects, from which seed, and how often a modality is missing (completely at
//! random). The same draw makes the same cohort, byte for byte; other missingness leaves values as they were.
//!
//! [`hospital`] is another matter: the raw exports of a whole hospital's systems, with the truth beside them.
//!
//! ```
//! use chiasm_synth::{Draw, Question, additive};
//! let draw = Draw::new(100, 7).missing(&[0.0, 0.2]);
//! let cohort = additive(&draw, &[1.0, 0.5], Question::Binary)?;
//! assert_eq!(cohort.examples.len(), 100);
//! # Ok::<(), chiasm_synth::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod additive;
mod draw;
mod error;
pub mod hospital;
pub mod noise;
mod question;
pub mod redundant;
mod site;
mod synthetic;
pub mod xor;

pub use additive::additive;
pub use draw::Draw;
pub use error::Error;
pub use noise::noise;
pub use question::Question;
pub use redundant::redundant;
pub use site::write_site;
pub use synthetic::{Synthetic, View};
pub use xor::xor;

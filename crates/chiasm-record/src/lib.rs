//! The shared words of Chiasm. No I/O, no learning, no statistics: only the nouns that every
//! other crate uses, so that two crates never mean different things by the same name.
//!
//! - [`SubjectId`]: what a prediction is about, pseudonymous.
//! - [`Table`] and [`Vectors`]: what a reader found in a file, before anyone says what it means.
//! - [`Event`], [`Code`], [`Attributes`], [`AssetId`], [`Moment`], [`Times`]: one thing that was so of one
//!   subject, when it happened, when it became known, and the name of the bytes that belong to it.
//! - [`Modality`], [`Availability`], [`Block`], [`Content`]: evidence of one kind for many subjects,
//!   always together with its presence.
//! - [`Task`], [`Outcome`]: the question and its answers.
//! - [`Prediction`], [`Attribution`], [`Abstention`]: what comes out.
//! - [`Finding`]: a doubt about input that did not stop the work.

mod attributes;
mod block;
mod event;
mod finding;
mod modality;
mod moment;
mod outcome;
mod prediction;
mod subject;
mod table;

pub use attributes::Attributes;
pub use block::{Bag, Block, Content, Feature, FeatureKind, Grid, Scale};
pub use event::{AssetId, Code, Event};
pub use finding::Finding;
pub use modality::{Availability, Modality};
pub use moment::{KnownBasis, Moment, Precision, Times};
pub use outcome::{Outcome, Task, TaskKind};
pub use prediction::{Abstention, Attribution, Estimate, ModalityShare, Prediction};
pub use subject::SubjectId;
pub use table::{Cells, Column, Table, Vectors};

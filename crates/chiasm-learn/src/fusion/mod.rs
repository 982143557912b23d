//! Ways to join modalities, each for any subset of them.

mod net;
mod stacked;

pub use net::{NetModel, Reader};
pub use stacked::Stacked;

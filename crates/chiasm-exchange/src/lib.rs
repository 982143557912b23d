//! The protocols by which hospital systems send.

pub mod dicom;
mod error;
pub mod inbox;
pub mod mllp;
mod tls;

pub use error::Error;
pub use tls::Tls;

//! The protocols by which hospital systems send, and one place where all of it lands.
//!
//! Whatever comes over a network is kept in an [`inbox`] first and acknowledged only then; reading it in is the
//! work of an ordinary ingest, which takes the inbox's files like any others and removes what it has committed.
//!
//! | way | module | what is offered | what is not |
//! |---|---|---|---|
//! | DICOM, push | [`dicom`] | C-STORE and C-ECHO as provider: every storage SOP class, private ones too, every registered transfer syntax kept as sent; TLS | C-FIND, C-MOVE, C-GET, storage commitment, asynchronous operations, transcoding |
//! | HL7 v2, push | [`mllp`] | MLLP release 1: many connections, pipelined messages kept by one sync; TLS | MLLP release 2's commit acknowledgements; messages that hold 00, 0B or 1C |
//! | DICOMweb, pull | [`pull::DicomWeb`] | QIDO-RS by date, patient, modality; WADO-RS instances as Part 10 | STOW-RS, rendered images, bulk data by itself |
//! | FHIR R4, pull | [`pull::Fhir`] | searches page by page; Bulk Data export; SMART Backend Services (RS384, ES384) | writing, subscriptions, XML |
//!
//! Limits are options with defaults: sizes of PDUs, messages and memory, numbers of connections, idle times. An
//! object of gigabytes is never in memory; unfinished HL7 messages share a bound.
//!
//! This crate depends on no other of Chiasm: it knows frames and files, not what is in them.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod dicom;
mod error;
pub mod inbox;
mod log;
pub mod mllp;
pub mod pull;
mod tls;

pub use error::Error;
pub use log::Log;
pub use tls::Tls;

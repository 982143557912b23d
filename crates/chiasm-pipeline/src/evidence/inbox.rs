//! What came over a network, read in like any other file.

use super::ingest::{Ingested, ingest};
use super::site::IngestSite;
use crate::{Error, Silent};
use chiasm_ingest::hl7::{self, Acknowledgement};
use chiasm_store::Store;
use std::path::{Path, PathBuf};

/// Where a store keeps what is not read yet.
pub fn folder(store: &Path) -> PathBuf {
    store.join("inbox")
}

/// Reads files of the inbox into the store. Afterwards they may be removed: each is committed, or kept in
/// quarantine.
///
/// # Errors
/// Where the store cannot be written; nothing may be removed then.
pub fn read(files: &[PathBuf], site: &IngestSite, store: &mut Store) -> Result<Ingested, Error> {
    ingest(files, site, store, &Silent)
}

/// What became of an HL7 message that came over a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// It is on disk.
    Kept,
    /// It could not be kept now; sending it again may help.
    NotNow(&'a str),
    /// It cannot be taken as it is; sending it again will not help.
    Never(&'a str),
}

/// Why the header of an HL7 message does not let it be taken, without a patient's values.
pub fn refusal(message: &[u8]) -> Option<&'static str> {
    hl7::refusal(message)
}

/// The answer to an HL7 message; empty where it wants none. `time` and `control` are the answer's own.
pub fn acknowledge(message: &[u8], received: Received<'_>, time: &str, control: &str) -> Vec<u8> {
    let (code, text) = match received {
        Received::Kept => (Acknowledgement::Accept, ""),
        Received::NotNow(reason) => (Acknowledgement::Error, reason),
        Received::Never(reason) => (Acknowledgement::Reject, reason),
    };
    hl7::acknowledge(message, code, time, control, text)
}

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

/// The answer to an HL7 message: `kept`, or not, for a reason that holds no patient's values. `time` and
/// `control` are the answer's own.
pub fn acknowledge(message: &[u8], kept: Result<(), &str>, time: &str, control: &str) -> Vec<u8> {
    let (code, text) = match kept {
        Ok(()) => (Acknowledgement::Accept, ""),
        Err(reason) => (Acknowledgement::Error, reason),
    };
    hl7::acknowledge(message, code, time, control, text)
}

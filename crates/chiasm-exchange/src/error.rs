//! What can go wrong between a sender and the inbox.

use std::io;
use std::path::PathBuf;

/// Why something was not received, kept or fetched.
///
/// Carries places, sizes and codes; never a patient's values, a token or a password. It is `Clone`, because
/// one failed write to the disk is the answer to every sender that waited for it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk refused. `kind` says whether it was full.
    #[error("the disk could not {action}: {kind}")]
    Disk {
        /// What was being done, as in "write an object".
        action: &'static str,
        /// The system's reason.
        kind: io::ErrorKind,
    },
    /// Another process keeps this inbox's journal.
    #[error("inbox {dir} is in use by another listener")]
    InUse {
        /// The inbox's folder.
        dir: PathBuf,
    },
    /// A name given as an inbox's file is not one.
    #[error("{file} is not a sealed file of this inbox")]
    NotSealed {
        /// The name given.
        file: PathBuf,
    },
    /// A message that cannot be framed: empty, or with a control character that MLLP or the journal needs.
    #[error("an HL7 message holds {found}; expected one or more bytes without 00, 0B and 1C (hexadecimal)")]
    Message {
        /// What is wrong with it.
        found: &'static str,
    },
    /// More than the limit in force.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit, in bytes.
        limit: u64,
    },
    /// Too much is under way; later there may be room.
    #[error("{what} hold more than {limit} bytes together")]
    Busy {
        /// What is under way.
        what: &'static str,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A message that is not taken, by the rules of whoever reads it.
    #[error("not taken: {reason}")]
    Unfit {
        /// Which rule it breaks; never a value of a patient.
        reason: &'static str,
    },
    /// The inbox was closed while the message waited.
    #[error("the inbox is closed")]
    Closed,
    /// A certificate, key or TLS setting is unusable.
    #[error("TLS: {file}: {reason}")]
    Tls {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The server that was asked answered with an error, or not at all.
    #[error("{host}: {reason}")]
    Remote {
        /// The host asked.
        host: String,
        /// What it answered: a status or the kind of failure.
        reason: String,
    },
    /// A link led to a host that is not the one asked.
    #[error("a link from {asked} leads to {found}; allow that host by name to follow it")]
    OtherHost {
        /// The host asked.
        asked: String,
        /// The host of the link.
        found: String,
    },
    /// An answer that breaks its standard.
    #[error("{place}: found {found}; expected {expected}")]
    Answer {
        /// Which part of which answer.
        place: &'static str,
        /// What was there; never a value of a patient.
        found: String,
        /// What the standard asks for.
        expected: &'static str,
    },
    /// A token, password or key that could not be had or used; it is never shown.
    #[error("credentials: {reason}")]
    Credentials {
        /// What is wrong, without the secret.
        reason: String,
    },
}

impl Error {
    /// Makes a disk's refusal into an error.
    pub(crate) fn disk(action: &'static str) -> impl Fn(io::Error) -> Error {
        move |e| Error::Disk { action, kind: e.kind() }
    }
}

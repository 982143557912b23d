//! HL7 version 2 (2.3 to 2.8): messages as hospital systems send them, one or many in a file.
//!
//! A file is a series of messages, each beginning at its `MSH`: with MLLP's frame around each or
//! without, in a batch (`FHS`, `BHS`) or not, segments ended by CR, LF or both. One message is in memory
//! at a time, at most [`MESSAGE_LIMIT`] bytes of it.
//!
//! | messages | become |
//! |---|---|
//! | ADT | the person (PID), the event itself with its visit (EVN, PV1, PV2), diagnoses, allergies, procedures, observations; merges and links of identifiers (A18, A24, A30, A34-A37, A39-A41, A46, A47) |
//! | ORU, OUL, VXU and all others with OBR, OBX, RXA | one event per result, lines of text joined to one; embedded documents become assets |
//! | ORM, OML, OMG, OMI, ORL, RDE, RAS ... | one event per order or administration |
//! | MDM | one note per document |
//! | the rest (SIU, ACK, DFT ...) | the message as it came |
//!
//! Every message also is an event of its own, code `HL7|ADT^A01`, that carries the text of the message as
//! the attribute `hl7` (as an asset of type `x-application/hl7-v2+er7` where it is long), so that what
//! is not understood here is not lost. Segments that name people (PID, NK1, GT1, IN1 ...) are left out of
//! that text: who somebody is stands in the [identity](chiasm_linkage::Identity) and nowhere else.
//!
//! A result that is withdrawn (status `D`, `W` or `X`) is an event without a value: what was said stands
//! in the attribute `withdrawn`, and the earlier event keeps the time at which it was known.
//!
//! # Source
//! HL7 v2.8.2 chapters 2 (control), 2A (data types), 3 (ADT), 4 (orders), 7 (observations), 9 (documents).

mod ack;
mod charset;
mod check;
mod coding;
mod condition;
mod context;
mod entry;
mod escape;
mod field;
mod frame;
mod medication;
mod merge;
mod message;
mod order;
mod person;
mod result;
mod rules;
mod value;
mod visit;

pub use ack::{Acknowledgement, acknowledge, refusal};
pub use check::check;
pub use frame::MESSAGE_LIMIT;

use crate::Error;
use crate::feed::{Entry, Feed, Rejected, Sink, Source};
use bytes::Bytes;
use frame::{Frames, Part};

/// The start-of-block byte of MLLP.
const START: u8 = 0x0b;
/// The end-of-block byte of MLLP; a carriage return follows it.
const END: u8 = 0x1c;

/// Whether a file that begins with `head` holds HL7 v2 messages; its name does not matter.
pub fn recognises(head: &[u8], _name: &str) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let blank = head.iter().take_while(|b| b.is_ascii_whitespace() || **b == START).count();
    let head = &head[blank..];
    [b"MSH", b"FHS", b"BHS"].iter().any(|name| head.starts_with(*name))
        && head.get(3).is_some_and(|mark| mark.is_ascii_punctuation())
}

/// Reads every message of a source.
///
/// A message that cannot be read is rejected with the rule that it breaks, and the next one is read.
///
/// # Errors
/// [`Error::Io`] and [`Error::MissingFile`]; [`Error::Sink`] where the sink keeps no more.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let kept = |e| Error::Sink { place: source.origin.clone(), source: e };
    let mut frames = Frames::new(source.open()?);
    let mut ordinal = 0;
    while let Some(part) = frames.next().map_err(|e| unreadable(source, e))? {
        match part {
            Part::Message { offset, bytes } => {
                ordinal += 1;
                let key = *blake3::hash(bytes).as_bytes();
                if sink.has(&key) {
                    continue;
                }
                let place = format!("message {ordinal}");
                match entry::entry(bytes, key, &place, feed) {
                    Ok(entry) => sink.entry(entry).map_err(kept)?,
                    Err(broken) => sink.reject(broken.rejected(place, offset, bytes)).map_err(kept)?,
                }
            }
            Part::Batch { .. } => {}
            Part::Stray { offset, bytes, rule, message } => {
                let bytes = Some(Bytes::copy_from_slice(bytes));
                let (rule, message) = (rule.to_owned(), message.to_owned());
                let place = format!("byte {offset}");
                let rejected = Rejected { place, offset: Some(offset), rule, message, bytes };
                sink.reject(rejected).map_err(kept)?;
            }
        }
    }
    Ok(())
}

/// The entry of one message as it came over a wire, without MLLP's frame.
///
/// # Errors
/// What [`read`] would have rejected.
pub fn message(bytes: &[u8], feed: &Feed) -> Result<Entry, Box<Rejected>> {
    let source = Source::memory("message", bytes.to_vec());
    let mut found = (Vec::new(), Vec::new());
    let none = |message: &str| Rejected {
        place: String::new(),
        offset: Some(0),
        rule: "hl7.msh".to_owned(),
        message: message.to_owned(),
        bytes: Some(Bytes::copy_from_slice(bytes)),
    };
    if read(&source, feed, &mut found).is_err() {
        return Err(Box::new(none("cannot be read")));
    }
    let (mut entries, mut rejected) = found;
    if !rejected.is_empty() {
        return Err(Box::new(rejected.swap_remove(0)));
    }
    match entries.len() {
        1 => Ok(entries.swap_remove(0)),
        0 => Err(Box::new(none("expected a message that begins with MSH, found none"))),
        _ => Err(Box::new(none("expected one message, found several in one frame"))),
    }
}

fn unreadable(source: &Source, error: std::io::Error) -> Error {
    let path = source.path().map_or_else(|| source.origin.clone().into(), std::path::Path::to_owned);
    Error::Io { path, source: error }
}

/// Why a message is not read: the rule and one sentence.
#[derive(Debug, PartialEq, Eq)]
struct Broken {
    rule: &'static str,
    message: String,
}

impl Broken {
    fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self { rule, message: message.into() }
    }

    fn rejected(self, place: String, offset: u64, bytes: &[u8]) -> Rejected {
        let bytes = Some(Bytes::copy_from_slice(bytes));
        Rejected { place, offset: Some(offset), rule: self.rule.to_owned(), message: self.message, bytes }
    }
}

#[cfg(test)]
mod tests;

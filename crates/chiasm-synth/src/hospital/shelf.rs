//! The files that patients share, written in the patients' order with bounded memory.

use super::fhir::{Export, TYPES};
use super::hl7::{FEEDS, Message};
use crate::Error;
use std::fs::{File, create_dir_all};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Patients in one file of the Bulk Data export, and in one file of a feed.
pub(crate) const EXPORTED: u64 = 20_000;
pub(crate) const HELD: u64 = 500;

/// A folder that counts what is put there.
#[derive(Clone, Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// Writes a file below the folder, with the folders that it is in.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.0.join(name);
        let fault = |source| Error::Write { path: path.clone(), source };
        match std::fs::write(&path, bytes) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), create_dir_all).map_err(fault)?;
                std::fs::write(&path, bytes).map_err(fault)
            }
            done => done.map_err(fault),
        }
    }
}

/// A text file that is written piece by piece.
pub(crate) struct Stream {
    path: PathBuf,
    to: BufWriter<File>,
}

impl Stream {
    pub(crate) fn new(path: &Path) -> Result<Self, Error> {
        let fault = |source| Error::Write { path: path.to_owned(), source };
        path.parent().map_or(Ok(()), create_dir_all).map_err(fault)?;
        Ok(Self { path: path.to_owned(), to: BufWriter::new(File::create(path).map_err(fault)?) })
    }

    pub(crate) fn write(&mut self, text: &str) -> Result<(), Error> {
        let done = self.to.write_all(text.as_bytes());
        done.map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.to.flush().map_err(|source| Error::Write { path: self.path.clone(), source })
    }
}

/// The EHR's export and the feeds.
pub(crate) struct Shelf {
    out: PathBuf,
    exports: [Option<Stream>; TYPES.len()],
    messages: [Vec<Message>; FEEDS.len()],
}

impl Shelf {
    pub(crate) fn new(out: &Path) -> Self {
        Self {
            out: out.to_owned(),
            exports: [const { None }; TYPES.len()],
            messages: [const { Vec::new() }; FEEDS.len()],
        }
    }

    /// Adds what one patient brings; patients come in order.
    pub(crate) fn add(&mut self, patient: u64, export: &Export, messages: Vec<Message>) -> Result<(), Error> {
        if patient > 0 && patient.is_multiple_of(EXPORTED) {
            self.end_exports()?;
        }
        if patient > 0 && patient.is_multiple_of(HELD) {
            self.end_feeds(patient / HELD - 1)?;
        }
        for ((kind, lines), stream) in TYPES.iter().zip(&export.lines).zip(&mut self.exports) {
            if lines.is_empty() {
                continue;
            }
            let stream = match stream {
                Some(stream) => stream,
                None => {
                    let name = format!("ehr/{kind}.{:04}.ndjson", patient / EXPORTED);
                    stream.insert(Stream::new(&self.out.join(name))?)
                }
            };
            stream.write(lines)?;
        }
        for message in messages {
            self.messages[message.feed].push(message);
        }
        Ok(())
    }

    /// Writes what is held; `patients` is how many came.
    pub(crate) fn close(mut self, patients: u64) -> Result<(), Error> {
        self.end_exports()?;
        self.end_feeds((patients - 1) / HELD)
    }

    fn end_exports(&mut self) -> Result<(), Error> {
        self.exports.iter_mut().filter_map(Option::take).try_for_each(Stream::close)
    }

    /// A file of each feed: the messages of its patients in the order in which they were sent.
    fn end_feeds(&mut self, file: u64) -> Result<(), Error> {
        for (feed, messages) in FEEDS.iter().zip(&mut self.messages) {
            let mut messages = std::mem::take(messages);
            if messages.is_empty() {
                continue;
            }
            messages.sort_by_key(|m| m.sent);
            let mut stream = Stream::new(&self.out.join(format!("hl7/{feed}/{file:05}.hl7")))?;
            messages.iter().try_for_each(|m| stream.write(&m.text))?;
            stream.close()?;
        }
        Ok(())
    }
}

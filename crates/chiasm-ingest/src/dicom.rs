//! DICOM: one instance in, one [`Entry`](crate::feed::Entry) out.
//!
//! The structure is read by an own bounded pass (see `parse`): dicom-rs reads nested data sets by
//! recursion and allocates what lengths claim, and stops at much that pydicom takes. From dicom-rs come
//! the dictionaries of elements, classes and representations.
//!
//! [`read`] and [`check`] are what all formats have; [`open`] gives the elements, [`frame`] a frame's
//! values, [`directory`] the files that a DICOMDIR names.

mod attributes;
mod charset;
mod check;
mod dataset;
mod dictionary;
mod directory;
mod entry;
mod groups;
mod header;
mod identity;
mod input;
mod key;
mod open;
mod parse;
pub mod pixels;
mod report;
mod times;

pub use check::check;
pub use dataset::{DataSet, Element, ITEM, Level, Number};
pub use dictionary::keyword;
pub use directory::directory;
pub use open::{open, recognises};
pub use pixels::{frame, pixels};

use crate::Error;
use crate::feed::{Feed, Rejected, Sink, Source};

/// Hands over the instance that a file holds, with the file itself as its asset.
///
/// A DICOMDIR gives an entry without subjects: what it names is read on its own, and what it names and
/// is not there is a finding.
///
/// # Errors
/// [`Error::Sink`] where it cannot be kept, [`Error::Io`] or [`Error::MissingFile`] where the file cannot
/// be read. What breaks DICOM's rules beyond reading is rejected.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let entry = open(source).and_then(|data| match directory::is_directory(&data) {
        true => directory::entry(source, &data),
        false if data.elements().iter().all(|e| e.tag.0 <= 2) => {
            Err(Error::Empty { place: source.origin.clone(), expected: "a data set behind the meta group" })
        }
        false => entry::entry(source, feed, &data),
    });
    let kept = match entry {
        Ok(entry) => sink.entry(entry),
        Err(error) => match rule(&error) {
            Some(rule) => sink.reject(Rejected {
                place: String::new(),
                offset: Some(0),
                rule: rule.to_owned(),
                message: error.to_string(),
                bytes: if source.path().is_none() { source.bytes(u64::MAX).ok() } else { None },
            }),
            None => return Err(error),
        },
    };
    kept.map_err(|reason| Error::Sink { place: source.origin.clone(), source: reason })
}

/// The rule that a refused file breaks; `None` where the fault is not the file's.
fn rule(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::WrongFormat { .. } => "dicom.format",
        Error::TooLarge { .. } => "dicom.size",
        Error::TooDeep { .. } => "dicom.depth",
        Error::Empty { .. } => "dicom.empty",
        _ => return None,
    })
}

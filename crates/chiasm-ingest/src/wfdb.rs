//! WFDB: the records of PhysioNet. A text header (`.hea`) names files of samples (`.dat`, `.mat`); records
//! may be made of segments, with gaps; beats and rhythms stand in annotation files beside it (`.atr`).
//!
//! [`Record`] gives the values of a record on one time line, [`Frames`] those of a segment as they are
//! stored, both without holding the record in memory. The crate `wfdb` was weighed and left: it has
//! neither the FLAC formats nor annotations, and no skew.
//!
//! # Source
//! header(5), signal(5) and annot(5) of the WFDB Applications Guide; values as wfdb-python 4.3 gives them
//! (`tools/wfdb_peer.sh`).

mod annotation;
mod check;
mod events;
mod format;
mod frames;
mod header;
mod record;

use crate::feed::Source;
use std::collections::BTreeSet;

pub use annotation::{Annotation, Annotations};
pub use check::check;
pub use events::read;
pub use format::SampleFormat;
pub use frames::Frames;
pub use header::{Header, Segment, Signal};
pub use record::Record;

/// The files that are read with a header, as far as they are there: signals, annotations, segments and theirs.
pub(crate) fn companions(source: &Source) -> Vec<Source> {
    let Ok(header) = Header::read(source) else { return Vec::new() };
    let beside = |name: &str| source.sibling(name).ok();
    let signals = |header: &Header| -> Vec<Source> {
        let names: BTreeSet<&str> = header.signals.iter().map(|s| s.file.as_str()).collect();
        names.into_iter().filter_map(beside).collect()
    };
    let mut found = signals(&header);
    let segments: BTreeSet<&str> = header.segments.iter().map(|s| s.name.as_str()).collect();
    for segment in segments.into_iter().filter_map(|name| beside(&format!("{name}.hea"))) {
        if let Ok(header) = Header::read(&segment) {
            found.extend(signals(&header));
        }
        found.push(segment);
    }
    found.extend(events::annotations_of(source, &header).into_iter().map(|(_, file)| file));
    found.sort_by(|a, b| a.origin.cmp(&b.origin));
    found.dedup_by(|a, b| a.origin == b.origin);
    found
}

/// Whether `name` and the first bytes are those of a header: a record line, or comments before it.
///
/// Files of samples and annotations are read with their header and are no source of their own.
pub fn recognises(head: &[u8], name: &str) -> bool {
    let header = name.len() > 4 && name.as_bytes()[name.len() - 4..].eq_ignore_ascii_case(b".hea");
    header && !head.contains(&0) && {
        let text = String::from_utf8_lossy(head);
        let first = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'));
        first.is_none_or(|line| {
            let mut words = line.split_ascii_whitespace();
            words.next().is_some() && words.next().is_none_or(|n| n.bytes().all(|b| b.is_ascii_digit()))
        })
    }
}

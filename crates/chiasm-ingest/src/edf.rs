//! EDF, EDF+ and BDF: recordings of sleep laboratories and EEG. A header of fixed fields, then data
//! records; EDF+ and BDF+ carry annotations in a signal of their own, and may have gaps (`EDF+D`).
//!
//! [`Recording`] gives header, samples and annotations, a data record at a time.
//!
//! # Source
//! Kemp et al. 1992 (EDF), Kemp and Olivan 2003 (EDF+), edfplus.info; BioSemi for BDF. Values as pyedflib
//! gives them (`tests/fixtures/signals/make.py`).

mod check;
mod events;
mod header;
mod recording;

pub use check::check;
pub use events::read;
pub use header::{Header, Kind, Patient, Signal};
pub use recording::{Annotation, Recording};

/// Whether the first bytes are those of an EDF or BDF header.
pub fn recognises(head: &[u8], _name: &str) -> bool {
    head.starts_with(b"\xffBIOSEMI")
        || (head.starts_with(b"0       ")
            && head.len() >= 256
            && [170, 173].iter().all(|&i| head[i] == b'.')
            && head[184..192].iter().all(|b| b.is_ascii_digit() || *b == b' '))
}

//! From raw feeds to one patient's timeline: files and messages into the store, records into patients.
//!
//! [`site`] says what a source's names mean, [`ingest`](mod@ingest) reads files and archives into the
//! store, on several threads, [`taking`] is where all that they read comes together, [`quarantine`] is what could not be read,
//! [`inbox`] is what came over a network, [`normalise`](mod@normalise) gives codes and units their common names, [`linking`] says who is who, [`patient`] which of them is
//! meant, [`timeline`] shows one, [`check`](mod@check) judges a file, [`export`] writes the events as a data set
//! for others.

pub mod check;
pub mod export;
pub mod inbox;
pub mod ingest;
pub mod linking;
pub mod normalise;
pub mod patient;
mod preparing;
pub mod quarantine;
mod reading;
pub mod site;
pub mod store;
pub mod taking;
pub mod timeline;

//! Input of tables as they are: bytes of one format in, a [`Table`](chiasm_record::Table) or
//! [`Vectors`](chiasm_record::Vectors) out. Nothing is interpreted here: what a column means is the
//! site's to say.
//!
//! One module per format, all shaped alike: [`delimited`], [`parquet`] and [`npz`] turn bytes into
//! values; [`gzip`], [`zip`] and [`tar`] turn bytes into the bytes of one member. [`read_table`] and
//! [`read_vectors`] put them together for a path such as `cohort.csv`, `cohort.tsv.gz` or
//! `archive.zip!/tables/cohort.csv`; [`parse_table`] and [`parse_vectors`] do the same without a disk.
//!
//! The content decides what a file is; its name only settles what content leaves open (the delimiter).
//! Whatever is unpacked is unpacked in memory and counted against a [`Budget`], so a small archive
//! cannot grow without bound. Bad bytes give an [`Error`] that names the place, never a panic.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod actigraphy;
mod address;
mod asset;
pub mod audio;
mod budget;
pub mod codes;
mod columnar;
pub mod delimited;
pub mod dicom;
pub mod edf;
mod error;
pub mod expression;
pub mod feed;
pub mod fhir;
mod fingerprint;
mod flac;
mod format;
pub mod gzip;
pub mod hl7;
pub mod json;
mod lines;
pub mod maf;
pub mod meds;
mod member;
mod nearest;
pub mod nifti;
mod npy;
pub mod npz;
pub mod omop;
pub mod parquet;
pub mod phenopacket;
mod read;
mod refusals;
pub mod slide;
pub mod tar;
pub mod units;
pub mod vcf;
mod waveform;
pub mod wfdb;
pub mod zip;

pub use budget::Budget;
pub use delimited::Delimiter;
pub use error::Error;
pub use fingerprint::fingerprint;
pub use format::Format;
pub use member::Member;
pub use read::{
    parse_table, parse_vectors, read_table, read_table_within, read_vectors, read_vectors_within,
};

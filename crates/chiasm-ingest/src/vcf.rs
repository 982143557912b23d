//! Variant calls: VCF 4.1 to 4.4 as text, plain, gzip or bgzip, and BCF 2.
//!
//! [`check`] holds a file to the specification of its own version (samtools/hts-specs) and to the
//! rules that its public test files show: every fault has a rule and a line. [`read`] makes an event of
//! every allele that a sample carries and that is not the reference.
//!
//! Text is taken line by line; a line of more than 64 MiB is passed over. Files that a header names
//! (`assembly`, `reference`, `pedigreeDB`) are never opened.
//!
//! # Source
//! The Variant Call Format Specification, VCFv4.1, 4.2, 4.3 and 4.4; hts-specs `test/vcf` 4.1 and 4.2.

mod alleles;
mod annotation;
mod bcf;
mod checker;
mod dictionary;
mod faults;
mod header;
mod info;
mod meta;
mod packed;
mod read;
mod record;
mod reserved;
mod samples;
mod sequence;
mod site;
mod values;
mod version;

use crate::Error;
use crate::feed::{Checked, Severity, Source};
use crate::lines::{Line, Lines, unpacked, unpacked_head};
use checker::{Checker, Kind};
pub use read::read;
use std::borrow::Cow;
use std::io::{Read, Seek, SeekFrom};

/// Whether a file that begins with `head` (some hundred bytes) is VCF or BCF; its name counts only where
/// the content does not say.
pub fn recognises(head: &[u8], name: &str) -> bool {
    let text = unpacked_head(head, 512);
    let extension = crate::format::extension(&crate::format::unpacked_name(name)).to_ascii_lowercase();
    text.starts_with(b"##fileformat=VCF")
        || text.starts_with(b"BCF\x02")
        || (matches!(extension.as_str(), "vcf" | "bcf" | "bgz") && text.starts_with(b"#"))
}

/// Checks a file against the specification of the version that it names.
///
/// # Errors
/// [`Error::MissingFile`] or [`Error::Io`] where it cannot be opened. A stream that is cut off is a fault.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut rows = Rows::open(source)?;
    let mut checker = Checker::default();
    let mut variants = 0;
    loop {
        match rows.next() {
            Ok(None) => break,
            Ok(Some(row)) => {
                if let Kind::Record(record) = checker.row(&row) {
                    variants += record.count;
                }
            }
            Err(error) => {
                checker.faults.error("vcf.stream", rows.number() + 1, format!("{error}"));
                break;
            }
        }
    }
    checker.end();
    let version = checker.header.as_ref().map(|h| h.version.name().to_owned());
    let mut checked = Checked::new(if rows.binary() { "BCF" } else { "VCF" }, version);
    if unended(source)? {
        let message = "expected the empty block that ends a bgzip file: it may be cut off";
        checked.fault(Severity::Warning, "bgzf.end", "", message);
    }
    if let Some(header) = &checker.header {
        checked.content("samples", header.samples.len());
        checked.content("records", checker.records);
        checked.content("variants", variants);
        checked.content("INFO keys", header.info.len());
        checked.content("FORMAT keys", header.format.len());
        checked.content("contigs", header.contigs.len());
    }
    checker.faults.into_checked(&mut checked);
    Ok(checked)
}

/// Bytes as text, whatever they are.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    // Most are UTF-8, which is sooner told than mended.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// A file of text or of BCF, line by line and record by record.
enum Rows {
    Text(Lines),
    Binary(Box<bcf::Records>),
}

/// A line or a record.
struct Row<'a> {
    /// The number of the line, from 1; in BCF as if it were VCF.
    number: u64,
    /// Bytes of unpacked text before it.
    offset: Option<u64>,
    /// As it stands in the file, unpacked.
    bytes: &'a [u8],
    content: Content<'a>,
}

enum Content<'a> {
    Line(Line<'a>),
    Packed(bcf::Packed<'a>),
}

impl Rows {
    fn open(source: &Source) -> Result<Self, Error> {
        let binary = unpacked_head(&source.head(1 << 16)?, 4) == b"BCF\x02";
        let (bytes, origin) = (unpacked(source)?, &source.origin);
        Ok(match binary {
            true => Self::Binary(Box::new(bcf::Records::new(bytes, origin))),
            false => Self::Text(Lines::new(bytes, origin)),
        })
    }

    fn next(&mut self) -> Result<Option<Row<'_>>, Error> {
        match self {
            Self::Binary(records) => records.next(),
            Self::Text(lines) => {
                let (number, offset) = (lines.number + 1, Some(lines.next_offset()));
                let line = lines.next()?;
                Ok(line.map(|line| Row { number, offset, bytes: line.text, content: Content::Line(line) }))
            }
        }
    }

    /// The number of the line given last.
    fn number(&self) -> u64 {
        match self {
            Self::Text(lines) => lines.number,
            Self::Binary(records) => records.number,
        }
    }

    fn binary(&self) -> bool {
        matches!(self, Self::Binary(_))
    }
}

/// The empty block at the end of every bgzip file.
const BGZF_END: [u8; 28] =
    [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Whether it is a bgzip file without its last block.
fn unended(source: &Source) -> Result<bool, Error> {
    let head = source.head(14)?;
    if !head.starts_with(&[0x1f, 0x8b, 8, 4]) || head.get(12..14) != Some(b"BC") {
        return Ok(false);
    }
    let length = source.len()?;
    let mut end = Vec::new();
    let mut bytes = source.open()?;
    let from = SeekFrom::Start(length.saturating_sub(BGZF_END.len() as u64));
    let read = bytes.seek(from).and_then(|_| bytes.take(BGZF_END.len() as u64).read_to_end(&mut end));
    Ok(read.is_err() || end != BGZF_END)
}

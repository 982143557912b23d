use super::faults::Faults;
use super::header::Header;
use super::info::Keys;
use super::record::Record;
use super::samples::Format;
use super::sequence::Sequence;
use super::{Content, Row, info, samples};
use crate::lines::{Line, LineEnd};

/// Takes a file line by line and finds what breaks the specification.
#[derive(Default)]
pub(super) struct Checker {
    pub header: Option<Header>,
    pub faults: Faults,
    pub format: Format,
    keys: Keys,
    sequence: Sequence,
    /// Blank lines since the last other line: at the end they are let through.
    blank: Option<u64>,
    /// Data lines so far, readable or not.
    pub records: u64,
}

/// What a line turned out to be.
#[expect(clippy::large_enum_variant, reason = "one at a time, and mostly the large one")]
pub(super) enum Kind<'a> {
    /// A line before the records, or a blank one.
    Other,
    /// A record.
    Record(Record<'a>),
    /// A data line out of which no variant can be made.
    Broken,
}

impl Checker {
    /// Takes what comes next.
    pub fn row<'a>(&mut self, row: &Row<'a>) -> Kind<'a> {
        self.faults.fresh();
        match &row.content {
            Content::Line(line) => self.line(row.number, line),
            Content::Packed(packed) => {
                self.blank();
                let Some(header) = &self.header else { return Kind::Broken };
                let record = Record::of_packed(*packed, row.number, header, &mut self.faults);
                self.record(row.number, record)
            }
        }
    }

    fn line<'a>(&mut self, number: u64, line: &Line<'a>) -> Kind<'a> {
        let text = line.text;
        if line.end == LineEnd::TooLong {
            self.faults.error("vcf.line.length", number, "expected lines of at most 64 MiB");
            return Kind::Broken;
        }
        let header = self.header.get_or_insert_with(|| Header::begin(text, &mut self.faults));
        characters(text, number, header.version.strict(), &mut self.faults);
        if line.end == LineEnd::None {
            let message = "expected a line end after the last line";
            self.faults.either(header.version.strict(), "vcf.line.end", number, message);
        }
        if text.is_empty() {
            self.blank.get_or_insert(number);
            return Kind::Other;
        }
        self.blank();
        let Some(header) = &mut self.header else { return Kind::Broken };
        if !header.complete {
            if text.starts_with(b"##") {
                if number > 1 {
                    header.meta(number, text, &mut self.faults);
                }
                return Kind::Other;
            }
            if text.starts_with(b"#") {
                header.columns(number, text, &mut self.faults);
                return Kind::Other;
            }
            if number == 1 {
                return Kind::Other;
            }
            let data = text.iter().filter(|&&b| b == b'\t').count() >= 7;
            let (rule, message) = match data {
                true => ("vcf.header", "expected the line of column names before the first record"),
                false => ("vcf.meta", "expected lines that begin with ## before the line of column names"),
            };
            self.faults.error(rule, number, message);
            return if data { Kind::Broken } else { Kind::Other };
        }
        if text.starts_with(b"#") {
            self.faults.error("vcf.header.late", number, "expected records after the line of column names");
            return Kind::Other;
        }
        let record = Record::of_line(text, number, header, &mut self.faults);
        self.record(number, record)
    }

    /// Blank lines before another line.
    fn blank(&mut self) {
        if let Some(blank) = self.blank.take() {
            self.faults.error("vcf.line.blank", blank, "expected no blank lines");
        }
    }

    fn record<'a>(&mut self, number: u64, record: Option<Record<'a>>) -> Kind<'a> {
        self.records += 1;
        let (Some(mut record), Some(header)) = (record, &self.header) else { return Kind::Broken };
        info::check(&mut record, &mut self.keys, number, header, &mut self.faults);
        samples::check(&record, &mut self.format, number, header, &mut self.faults);
        self.sequence.check(&record, number, header, &mut self.faults);
        Kind::Record(record)
    }

    /// Says what can be said only after the last line.
    pub fn end(&mut self) {
        self.faults.fresh();
        if let Some(blank) = self.blank {
            self.faults.warn("vcf.line.blank", blank, "expected no blank lines");
        }
        match &self.header {
            None => self.faults.error(
                "vcf.fileformat",
                0,
                "expected ##fileformat as the first line, found no text",
            ),
            Some(header) if !header.complete => {
                self.faults.error("vcf.header", 0, "expected a line of column names that begins with #CHROM");
            }
            Some(_) => {}
        }
    }
}

/// UTF-8 without control characters, from 4.3 on; before, other bytes are only doubtful.
fn characters(text: &[u8], number: u64, strict: bool, faults: &mut Faults) {
    // Without an early end, so that the compiler looks at many bytes at once.
    if text.iter().fold(false, |odd, b| odd | (*b < b' ' && *b != b'\t') | (*b >= 0x7f)) {
        if text.iter().any(|b| *b < b' ' && *b != b'\t') {
            faults.either(strict, "vcf.control", number, "expected no control characters");
        }
        if std::str::from_utf8(text).is_err() {
            faults.either(strict, "vcf.utf8", number, "expected UTF-8");
        }
    }
}

use super::layout::Layout;
use super::recognise::unquoted;
use crate::Error;
use crate::feed::{Rejected, Source};
use crate::lines::{LineEnd, Lines, unpacked};
use bytes::Bytes;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A line that is longer is not kept with what was rejected.
const KEPT: usize = 1 << 20;
/// The longest name of a gene, in bytes.
const NAME: usize = 256;
/// Genes among which one that stands twice is found.
const SEEN: usize = 1 << 20;

/// One line after the line of names.
pub(super) enum Part<'a> {
    /// A line about the samples (GCT 1.3): its name, and the cells of the samples.
    Metadata(&'a str, &'a str),
    /// One gene.
    Row(Row<'a>),
    /// A line that breaks a rule; or what stands before the lines, or the stream.
    Broken(Broken),
}

/// One gene.
pub(super) struct Row<'a> {
    pub line: u64,
    pub gene: &'a str,
    /// Its second name.
    pub name: Option<&'a str>,
    cells: &'a str,
}

impl Row<'_> {
    /// The values, sample by sample: `Some(None)` where there is none, `None` where it is no number.
    pub fn values(&self) -> impl Iterator<Item = Option<Option<f64>>> {
        self.cells.split('\t').map(number)
    }
}

/// What a line breaks.
pub(super) struct Broken {
    line: u64,
    column: Option<usize>,
    pub rule: &'static str,
    pub message: String,
    offset: Option<u64>,
    bytes: Option<Bytes>,
}

impl Broken {
    /// At a line.
    pub fn at(line: u64, rule: &'static str, message: impl Into<String>) -> Self {
        Self { line, column: None, rule, message: message.into(), offset: None, bytes: None }
    }

    fn column(self, column: usize) -> Self {
        Self { column: Some(column), ..self }
    }

    /// `line 7, column 3`.
    pub fn place(&self) -> String {
        let column = self.column.map_or_else(String::new, |c| format!(", column {c}"));
        format!("line {}{column}", self.line)
    }

    /// For the quarantine.
    pub fn rejected(self) -> Rejected {
        let (place, rule) = (self.place(), self.rule.to_owned());
        Rejected { place, offset: self.offset, rule, message: self.message, bytes: self.bytes }
    }
}

/// Which genes stood before, by their hash; in bounded memory.
#[derive(Default)]
pub(super) struct Seen(HashSet<u64>);

impl Seen {
    /// Whether `gene` is seen for the first time, or there were too many to say.
    pub fn first(&mut self, gene: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        gene.hash(&mut hasher);
        let hash = hasher.finish();
        if self.0.len() >= SEEN { !self.0.contains(&hash) } else { self.0.insert(hash) }
    }
}

/// The next line as text, `None` after the last.
pub(super) fn line(lines: &mut Lines, longest: usize) -> Result<Option<&str>, Broken> {
    let number = lines.number + 1;
    let found = match lines.next() {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        Err(error) => return Err(Broken::at(number, "expression.stream", error.to_string())),
    };
    if found.end == LineEnd::TooLong || found.text.len() > longest {
        let message = format!("expected lines of at most {} MiB", longest >> 20);
        return Err(Broken::at(number, "expression.line.length", message));
    }
    let text = std::str::from_utf8(found.text);
    text.map(Some).map_err(|_| Broken::at(number, "expression.utf8", "expected UTF-8"))
}

/// A cell: `None` where it is neither a finite number nor a word for a missing one.
fn number(cell: &str) -> Option<Option<f64>> {
    let cell = cell.trim();
    if matches!(cell, "" | "NA" | "na" | "N/A" | "NaN" | "nan" | "null" | "NULL") {
        return Some(None);
    }
    cell.parse().ok().filter(|v: &f64| v.is_finite()).map(Some)
}

/// Splits off the first `n` cells.
fn after(text: &str, n: usize) -> Option<&str> {
    let (at, _) = text.match_indices('\t').nth(n.checked_sub(1)?)?;
    text.get(at + 1..)
}

fn row<'a>(text: &'a str, line: u64, layout: &Layout) -> Result<Row<'a>, Broken> {
    let expected = layout.skip + layout.samples.len();
    let found = text.bytes().filter(|&b| b == b'\t').count() + 1;
    if found != expected {
        let message = format!("expected {expected} cells as in line {}, found {found}", layout.line);
        return Err(Broken::at(line, "expression.columns", message));
    }
    let cell = |at: usize| text.split('\t').nth(at).map_or("", unquoted);
    let gene = cell(0);
    if gene.is_empty() || gene.len() > NAME {
        let message = format!("expected a gene of 1 to {NAME} bytes");
        return Err(Broken::at(line, "expression.gene", message).column(1));
    }
    let name = layout.name.map(cell).filter(|n| n.len() <= NAME && *n != gene && number(n) != Some(None));
    let row = Row { line, gene, name, cells: after(text, layout.skip).unwrap_or_default() };
    let wrong = row.values().position(|v| v.is_none());
    match wrong {
        None => Ok(row),
        Some(at) => {
            let broken = Broken::at(line, "expression.number", "expected a finite number or NA");
            Err(broken.column(layout.skip + at + 1))
        }
    }
}

/// Goes through the lines of `source`; `None` where there is no line of names.
pub(super) fn rows(
    source: &Source,
    mut each: impl FnMut(&Layout, Part<'_>) -> Result<(), Error>,
) -> Result<Option<Layout>, Error> {
    let mut lines = Lines::new(unpacked(source)?, &source.origin);
    let layout = match Layout::read(&mut lines) {
        Ok(layout) => layout,
        Err(broken) => {
            each(&Layout::default(), Part::Broken(broken))?;
            return Ok(None);
        }
    };
    let mut metadata = layout.metadata;
    loop {
        let number = lines.number + 1;
        let offset = Some(lines.next_offset());
        let text = match line(&mut lines, crate::lines::LONGEST) {
            Ok(Some("")) => continue,
            Ok(Some(text)) => text,
            Ok(None) => return Ok(Some(layout)),
            Err(broken) => {
                let ended = broken.rule == "expression.stream";
                each(&layout, Part::Broken(Broken { offset, ..broken }))?;
                if ended {
                    return Ok(Some(layout));
                }
                continue;
            }
        };
        if metadata > 0 {
            metadata -= 1;
            let name = text.split('\t').next().unwrap_or_default();
            each(&layout, Part::Metadata(name, after(text, layout.skip).unwrap_or_default()))?;
            continue;
        }
        match row(text, number, &layout) {
            Ok(row) => each(&layout, Part::Row(row))?,
            Err(broken) => {
                let bytes = (text.len() <= KEPT).then(|| Bytes::copy_from_slice(text.as_bytes()));
                each(&layout, Part::Broken(Broken { offset, bytes, ..broken }))?;
            }
        }
    }
}

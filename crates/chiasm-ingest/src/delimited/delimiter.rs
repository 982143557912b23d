use super::reader;
use crate::{
    Error,
    format::{extension, unpacked_name},
};

/// What parts one cell from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`, which spreadsheets write where the comma is the decimal mark.
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
}

impl Delimiter {
    /// Every delimiter; where several split a header equally, the first counts.
    pub const ALL: [Self; 4] = [Self::Comma, Self::Tab, Self::Semicolon, Self::Pipe];

    /// The delimiter as it stands in a file.
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }

    /// The delimiter that a file name stands for (`.csv`, `.tsv`, `.tab`; packing aside), if any.
    pub fn by_name(name: &str) -> Option<Self> {
        match extension(&unpacked_name(name)).to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Comma),
            "tsv" | "tab" => Some(Self::Tab),
            _ => None,
        }
    }
}

impl std::fmt::Display for Delimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Comma => "commas",
            Self::Semicolon => "semicolons",
            Self::Tab => "tabs",
            Self::Pipe => "pipes (|)",
        })
    }
}

/// The delimiter to read `text` by: the expected one if it splits the header or if none does, the one
/// that splits it into most columns where none is expected.
pub(super) fn settle(origin: &str, text: &str, expected: Option<Delimiter>) -> Result<Delimiter, Error> {
    if let Some(expected) = expected.filter(|&d| width(text, d) > 1) {
        return Ok(expected);
    }
    let widest = Delimiter::ALL.into_iter().rev().max_by_key(|&d| width(text, d)).unwrap_or(Delimiter::Comma);
    match expected {
        Some(expected) if width(text, widest) > 1 => {
            Err(Error::WrongDelimiter { place: format!("{origin}, line 1"), expected, found: widest })
        }
        Some(expected) => Ok(expected),
        // A row below that is split alike tells more than a header, whose names may hold anything.
        None => Ok(Delimiter::ALL
            .into_iter()
            .rev()
            .max_by_key(|&d| (agrees(text, d), width(text, d)))
            .unwrap_or(Delimiter::Comma)),
    }
}

/// Whether `delimiter` splits the header into several cells and the first row into as many.
fn agrees(text: &str, delimiter: Delimiter) -> bool {
    let mut row = csv::StringRecord::new();
    let mut reader = reader(text, delimiter);
    let mut next = || matches!(reader.read_record(&mut row), Ok(true)).then(|| row.len());
    let header = next();
    header > Some(1) && next() == header
}

/// Into how many cells `delimiter` splits the header.
fn width(text: &str, delimiter: Delimiter) -> usize {
    let mut header = csv::StringRecord::new();
    match reader(text, delimiter).read_record(&mut header) {
        Ok(true) => header.len(),
        _ => 0,
    }
}

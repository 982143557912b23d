//! Delimited text (CSV, TSV and their like): UTF-8 with or without a byte-order mark, any line end,
//! quoted cells, one header line. Cells stay text as they stand in the file.

mod delimiter;
mod lines;

pub use delimiter::Delimiter;

use crate::{Budget, Error};
use chiasm_record::{Cells, Column, Table};
use lines::{Lines, unclosed_quote};
use std::collections::HashMap;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What a cell costs the budget beside its text: a pointer and a length.
const CELL: u64 = 16;

/// The table in `bytes`; with `None` the delimiter that splits the header into most columns is taken.
///
/// Blank lines are skipped. One column may be unnamed (the row names that R and pandas write) and is
/// then called `""`.
///
/// # Errors
/// [`Error::Empty`] without a header; [`Error::NotUtf8`]; [`Error::WrongDelimiter`] where the header is
/// one column although another delimiter splits it; [`Error::UnclosedQuote`]; [`Error::DuplicateColumn`];
/// [`Error::Ragged`] with the line; [`Error::TooLarge`] past the budget.
pub fn parse(
    origin: &str,
    bytes: &[u8],
    delimiter: Option<Delimiter>,
    budget: &mut Budget,
) -> Result<Table, Error> {
    let text = text(origin, bytes)?;
    let delimiter = delimiter::settle(origin, text, delimiter)?;
    let mut lines = Lines::new(text);
    if let Some(quote) = unclosed_quote(text, delimiter.byte()) {
        return Err(Error::UnclosedQuote { place: at(origin, lines.of(quote)) });
    }
    let damaged = |e: csv::Error| Error::Damaged {
        place: origin.to_owned(),
        expected: "delimited text",
        found: format!("{:?}", e.kind()),
    };
    let mut reader = reader(text, delimiter);
    let mut record = csv::StringRecord::new();
    if !reader.read_record(&mut record).map_err(damaged)? {
        return Err(Error::Empty { place: origin.to_owned(), expected: "a header line" });
    }
    let names: Vec<String> = record.iter().map(str::to_owned).collect();
    unique(origin, &names)?;

    let mut cells: Vec<Vec<Box<str>>> = vec![Vec::new(); names.len()];
    let mut starts = Vec::new();
    while reader.read_record(&mut record).map_err(damaged)? {
        let start = record.position().map_or(0, csv::Position::byte);
        let line = lines.of(usize::try_from(start).unwrap_or(usize::MAX));
        if record.len() != names.len() {
            return Err(Error::Ragged {
                place: at(origin, line),
                expected: names.len(),
                found: record.len(),
            });
        }
        budget.spend(record.as_slice().len() as u64 + CELL * names.len() as u64, origin)?;
        starts.push(line);
        for (column, cell) in cells.iter_mut().zip(&record) {
            column.push(cell.into());
        }
    }
    let column = |(name, cells)| Column { name, cells: Cells::Text(cells) };
    let columns = names.into_iter().zip(cells).map(column).collect();
    Ok(Table { origin: origin.to_owned(), columns, rows: starts.len(), lines: starts })
}

/// `bytes` as text without its byte-order mark.
fn text<'a>(origin: &str, bytes: &'a [u8]) -> Result<&'a str, Error> {
    let content = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mark = bytes.len() - content.len();
    std::str::from_utf8(content).map_err(|e| {
        let valid = std::str::from_utf8(&content[..e.valid_up_to()]).unwrap_or_default();
        let line = Lines::new(valid).of(valid.len());
        Error::NotUtf8 { place: at(origin, line), offset: mark + valid.len() }
    })
}

fn reader(text: &str, delimiter: Delimiter) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.byte())
        .from_reader(text.as_bytes())
}

fn at(origin: &str, line: usize) -> String {
    format!("{origin}, line {line}")
}

/// Refuses two columns of one name.
pub(crate) fn unique(origin: &str, names: &[String]) -> Result<(), Error> {
    let mut seen = HashMap::new();
    for (position, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name.as_str(), position) {
            let (first, second) = (first + 1, position + 1);
            return Err(Error::DuplicateColumn {
                place: origin.to_owned(),
                name: name.clone(),
                first,
                second,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Rows of delimited text, one at a time, none of them without end.

use std::io::{BufRead, BufReader, Read};

/// Bytes of one row.
const LONGEST: usize = 1 << 24;
/// Cells of one row.
const WIDEST: usize = 1 << 18;

/// Reads a row after the other; a row beyond [`LONGEST`] or [`WIDEST`] is passed over, never held in memory.
pub(super) struct Rows<R> {
    input: BufReader<R>,
    reader: csv_core::Reader,
    row: Row,
    offset: u64,
}

/// One row.
#[derive(Default)]
pub(super) struct Row {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    cells: usize,
    /// The line that it begins on, from 1.
    pub line: u64,
    /// Bytes before it.
    pub offset: u64,
}

/// A row that was passed over.
#[derive(Debug)]
pub(super) struct TooLong {
    pub line: u64,
    pub offset: u64,
}

impl Row {
    /// How many cells it has.
    pub fn len(&self) -> usize {
        self.cells
    }

    /// The cell at a place.
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends[..self.cells].get(at)?;
        self.bytes.get(at.checked_sub(1).map_or(0, |before| self.ends[before])..end)
    }

    /// All cells.
    pub fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.cells).filter_map(|at| self.get(at))
    }
}

impl<R: Read> Rows<R> {
    pub fn new(input: R, delimiter: u8) -> Self {
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        let row = Row { bytes: vec![0; 1 << 12], ends: vec![0; 64], ..Row::default() };
        Self { input: BufReader::with_capacity(1 << 16, input), reader, row, offset: 0 }
    }

    /// The next row; `None` after the last.
    pub fn next(&mut self) -> std::io::Result<Option<Result<&Row, TooLong>>> {
        use csv_core::ReadRecordResult as Found;
        let (mut written, mut cells, mut too_long) = (0, 0, false);
        let (line, offset) = (self.reader.line(), self.offset);
        loop {
            let input = self.input.fill_buf()?;
            let (bytes, ends) = (&mut self.row.bytes[written..], &mut self.row.ends[cells..]);
            let (found, read, wrote, ended) = self.reader.read_record(input, bytes, ends);
            self.input.consume(read);
            self.offset += read as u64;
            (written, cells) = (written + wrote, cells + ended);
            match found {
                Found::InputEmpty => {}
                Found::OutputFull if self.row.bytes.len() >= LONGEST => {
                    (written, cells, too_long) = (0, 0, true)
                }
                Found::OutputFull => self.row.bytes.resize(2 * self.row.bytes.len(), 0),
                Found::OutputEndsFull if self.row.ends.len() >= WIDEST => {
                    (written, cells, too_long) = (0, 0, true);
                }
                Found::OutputEndsFull => self.row.ends.resize(2 * self.row.ends.len(), 0),
                Found::Record if too_long => {
                    self.row.bytes.truncate(1 << 12);
                    self.row.bytes.shrink_to_fit();
                    return Ok(Some(Err(TooLong { line, offset })));
                }
                Found::Record => {
                    (self.row.cells, self.row.line, self.row.offset) = (cells, line, offset);
                    return Ok(Some(Ok(&self.row)));
                }
                Found::End => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<Option<(u64, u64, Vec<String>)>> {
        // A buffer of three bytes: every row is cut somewhere.
        let mut rows = Rows::new(text, b',');
        rows.input = BufReader::with_capacity(3, text);
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let cells = |r: &Row| r.cells().map(|c| String::from_utf8_lossy(c).into_owned()).collect();
            found.push(row.ok().map(|r| (r.line, r.offset, cells(r))));
        }
        found
    }

    #[test]
    fn cells_are_those_of_the_csv_crate() {
        for text in ["a,b\n1,2\n", "a,\"b\"\"c\n,\"\r\n,,\n", "", "\n\na\n", "x", "\"open,\n", "a\tb\n"] {
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let expected: Vec<_> = reader
                .byte_records()
                .map(|r| {
                    let r = r.unwrap();
                    let at = r.position().unwrap();
                    let cells = r.iter().map(|c| String::from_utf8_lossy(c).into_owned()).collect();
                    Some((at.line(), at.byte(), cells))
                })
                .collect();
            assert_eq!(all(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_row_without_end_is_passed_over() {
        let long = [vec![b'x'; LONGEST + 1], b"\na,b\n".to_vec()].concat();
        let found = all(&long);
        assert!(found[0].is_none());
        assert_eq!(found[1], Some((2, LONGEST as u64 + 2, vec!["a".into(), "b".into()])));
        let wide = [vec![b','; WIDEST + 1], b"\nc\n".to_vec()].concat();
        let found = all(&wide);
        assert!(found[0].is_none() && found[1].as_ref().is_some_and(|r| r.2 == ["c"]));
    }
}

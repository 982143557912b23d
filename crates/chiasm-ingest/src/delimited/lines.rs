//! Where things stand: the csv reader counts only `\n`, and takes a quote that never closes for a cell.

/// Turns byte offsets, asked in ascending order, into line numbers from 1.
///
/// `\n`, `\r\n` and `\r` each end one line, also inside quotes, as an editor shows it.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, line: 1 }
    }

    /// The line of the first byte at or after `offset` that is not a line end: a record's offset may
    /// point at the line ends before it.
    pub fn of(&mut self, offset: usize) -> usize {
        while let Some(&byte) = self.bytes.get(self.at) {
            let line_end = matches!(byte, b'\n' | b'\r');
            if self.at >= offset && !line_end {
                break;
            }
            let half = byte == b'\r' && self.bytes.get(self.at + 1) == Some(&b'\n');
            self.line += usize::from(line_end && !half);
            self.at += 1;
        }
        self.line
    }
}

/// The offset of a quote that opens a cell and is not closed before the end of `text`.
///
/// The rules are the csv reader's: a quote opens a cell only as its first character, `""` inside is
/// one quote, and anything else after the closing quote belongs to the cell.
pub(super) fn unclosed_quote(text: &str, delimiter: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = None;
    let mut start = true;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match open {
            Some(_) if byte == b'"' && bytes.get(at + 1) == Some(&b'"') => at += 1,
            Some(_) if byte == b'"' => open = None,
            Some(_) => {}
            None if byte == b'"' && start => (open, start) = (Some(at), false),
            None => start = byte == delimiter || matches!(byte, b'\n' | b'\r'),
        }
        at += 1;
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_counts_once() {
        for text in ["a\nb\n\nc", "a\r\nb\r\n\r\nc", "a\rb\r\rc"] {
            let mut lines = Lines::new(text);
            let found = ["a", "b", "c"].map(|letter| lines.of(text.find(letter).unwrap()));
            assert_eq!(found, [1, 2, 4], "{text:?}");
        }
    }

    #[test]
    fn line_ends_before_a_record_are_skipped() {
        assert_eq!(Lines::new("a\r\n\r\nb").of(2), 3);
        assert_eq!(Lines::new("a\n").of(99), 2);
    }

    #[test]
    fn quotes_open_only_at_the_start_of_a_cell() {
        assert_eq!(unclosed_quote("a,\"b", b','), Some(2));
        assert_eq!(unclosed_quote("a,\"b\"\"", b','), Some(2));
        for closed in ["a,\"b\"", "a\"b,c", "\"a\"\"\",b", "\"a\"b\",c", ""] {
            assert_eq!(unclosed_quote(closed, b','), None, "{closed}");
        }
    }
}

use crate::{Error, feed::Source};
use flate2::bufread::MultiGzDecoder;
use std::io::{BufRead, BufReader, Read};

/// The longest line that is read, in bytes. A longer one is passed over, never held in memory.
pub(crate) const LONGEST: usize = 64 << 20;

/// The first bytes of a gzip stream.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Text of a source, line by line, in bounded memory; gzip and bgzip are unpacked on the way.
///
/// A deflate stream grows at most 1,032-fold, and nothing is kept but one line, so a bomb costs time in
/// proportion to its own size and no memory.
pub(crate) struct Lines {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
    longest: usize,
    origin: String,
    /// Lines given so far; also the number of the line given last, from 1.
    pub number: u64,
    next: u64,
}

/// One line without its end.
pub(crate) struct Line<'a> {
    /// The bytes, without LF or CR+LF.
    pub text: &'a [u8],
    /// How it ends.
    pub end: LineEnd,
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// LF or CR+LF.
    Complete,
    /// The file ends without one.
    None,
    /// It was longer than [`LONGEST`]; only its beginning is given.
    TooLong,
}

/// The unpacked bytes of a source.
pub(crate) fn unpacked(source: &Source) -> Result<Box<dyn BufRead>, Error> {
    let packed = source.head(2)? == GZIP;
    let bytes = BufReader::with_capacity(1 << 16, source.open()?);
    Ok(if packed {
        Box::new(BufReader::with_capacity(1 << 17, MultiGzDecoder::new(bytes)))
    } else {
        Box::new(bytes)
    })
}

/// The beginning of a source's unpacked text, as far as a cut-off `head` of its bytes holds it; at most
/// `n` bytes.
pub(crate) fn unpacked_head(head: &[u8], n: usize) -> Vec<u8> {
    if !head.starts_with(&GZIP) {
        return head[..head.len().min(n)].to_vec();
    }
    let mut text = vec![0; n];
    let (mut have, mut decoder) = (0, MultiGzDecoder::new(head));
    while have < n {
        match decoder.read(&mut text[have..]) {
            Ok(read) if read > 0 => have += read,
            _ => break,
        }
    }
    text.truncate(have);
    text
}

impl Lines {
    /// The lines of `source`.
    #[cfg(test)]
    pub fn of(source: &Source) -> Result<Self, Error> {
        Ok(Self::new(unpacked(source)?, &source.origin))
    }

    /// The lines that `reader` gives.
    pub fn new(reader: Box<dyn BufRead>, origin: &str) -> Self {
        let origin = origin.to_owned();
        Self { reader, line: Vec::new(), longest: LONGEST, origin, number: 0, next: 0 }
    }

    /// The next line, `None` after the last.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the bytes cannot be read on: a gzip stream that is cut off or altered.
    pub fn next(&mut self) -> Result<Option<Line<'_>>, Error> {
        self.line.clear();
        if self.line.capacity() > 1 << 20 {
            self.line.shrink_to(1 << 16);
        }
        let read = self.until(self.longest)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.next += read as u64;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
            return Ok(Some(Line { text: &self.line, end: LineEnd::Complete }));
        }
        if read < self.longest {
            return Ok(Some(Line { text: &self.line, end: LineEnd::None }));
        }
        self.line.truncate(1 << 10);
        let kept = std::mem::take(&mut self.line);
        loop {
            self.line.clear();
            let read = self.until(1 << 16)?;
            self.next += read as u64;
            if read == 0 || self.line.last() == Some(&b'\n') {
                break;
            }
        }
        self.line = kept;
        Ok(Some(Line { text: &self.line, end: LineEnd::TooLong }))
    }

    /// Bytes of unpacked text before the line that comes next.
    pub fn next_offset(&self) -> u64 {
        self.next
    }

    fn until(&mut self, limit: usize) -> Result<usize, Error> {
        (&mut self.reader)
            .take(limit as u64)
            .read_until(b'\n', &mut self.line)
            .map_err(|e| damaged(&self.origin, self.number, &e))
    }
}

/// The error of a stream that cannot be read on after line `number`.
pub(crate) fn damaged(origin: &str, number: u64, why: &std::io::Error) -> Error {
    Error::Damaged {
        place: format!("{origin}, after line {number}"),
        expected: "a stream that can be read to its end",
        found: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn all(mut lines: Lines) -> Vec<(Vec<u8>, LineEnd)> {
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push((line.text.to_vec(), line.end));
        }
        found
    }

    #[test]
    fn lines_end_in_lf_or_crlf_and_the_last_may_have_no_end() {
        let found = all(Lines::of(&Source::memory("m", "a\r\n\nb")).unwrap());
        let expected = [("a", LineEnd::Complete), ("", LineEnd::Complete), ("b", LineEnd::None)];
        assert_eq!(found, expected.map(|(t, e)| (t.as_bytes().to_vec(), e)));
    }

    #[test]
    fn a_line_past_the_limit_is_passed_over() {
        let mut lines = Lines::of(&Source::memory("m", "abcdefgh\nxy\n")).unwrap();
        lines.longest = 4;
        assert_eq!(lines.next().unwrap().unwrap().end, LineEnd::TooLong);
        let next = lines.next().unwrap().unwrap();
        assert_eq!((next.text, next.end), (&b"xy"[..], LineEnd::Complete));
        assert_eq!((lines.number, lines.next_offset()), (2, 12));
    }

    #[test]
    fn gzip_is_unpacked_and_a_cut_is_an_error() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"one\ntwo\n").unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(all(Lines::of(&Source::memory("m", packed.clone())).unwrap()).len(), 2);
        assert_eq!(unpacked_head(&packed, 3), b"one");
        let mut lines = Lines::of(&Source::memory("m", packed[..packed.len() - 4].to_vec())).unwrap();
        let error = std::iter::from_fn(|| match lines.next() {
            Ok(line) => line.map(|_| None),
            Err(error) => Some(Some(error)),
        })
        .flatten()
        .next();
        assert!(matches!(error, Some(Error::Damaged { .. })));
    }
}

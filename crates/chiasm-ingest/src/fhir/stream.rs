use crate::feed::Source;
use crate::{Error, feed::ReadSeek};
use flate2::bufread::MultiGzDecoder;
use std::io::{BufRead, BufReader, Read};

/// The largest resource or Bundle entry that is read, in bytes; a larger one is rejected and passed over.
pub const LARGEST: usize = 32 << 20;

/// What may come out of a gzip file whatever its size, and how many times its size beyond that. JSON packs
/// ten- to fortyfold; a bomb a thousandfold.
const UNPACKED: (u64, u64) = (256 << 20, 200);

/// Opens a source as text, unpacked where it is gzip.
pub(super) fn open(source: &Source) -> Result<Box<dyn BufRead + Send>, Error> {
    let plain: Box<dyn ReadSeek> = source.open()?;
    if source.head(2)? != [0x1f, 0x8b] {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, plain)));
    }
    let limit = source.len()?.saturating_mul(UNPACKED.1).max(UNPACKED.0);
    let packed = BufReader::with_capacity(1 << 16, plain);
    let guarded = Guarded { inner: MultiGzDecoder::new(packed), left: limit };
    Ok(Box::new(BufReader::with_capacity(1 << 16, guarded)))
}

/// Stops a bomb.
struct Guarded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| std::io::Error::other("more comes out than a packed text can hold"))?;
        Ok(count)
    }
}

/// A part of a text: a line, or an entry of a Bundle.
pub(super) struct Piece {
    /// Bytes of the text before it.
    pub offset: u64,
    /// Whether it is larger than [`LARGEST`]; then its bytes are not there.
    pub too_large: bool,
    /// What stopped the scan inside it, if anything did; nothing comes after it.
    pub broken: Option<&'static str>,
}

/// Reads a text byte by byte and knows where it is.
pub(super) struct Scanner {
    input: Box<dyn BufRead + Send>,
    offset: u64,
}

impl Scanner {
    pub fn new(input: Box<dyn BufRead + Send>) -> Self {
        Self { input, offset: 0 }
    }

    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn peek(&mut self) -> std::io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn skip(&mut self, count: usize) {
        self.input.consume(count);
        self.offset += count as u64;
    }

    /// Passes over blanks and gives the byte after them, which stays.
    pub fn next_mark(&mut self) -> std::io::Result<Option<u8>> {
        if self.offset == 0 && self.input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            self.skip(3);
        }
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blanks = buffer.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
            let (count, found) = match blanks {
                Some(at) => (at, Some(buffer[at])),
                None => (buffer.len(), None),
            };
            self.skip(count);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Passes over `byte` where it is next after blanks.
    pub fn eat(&mut self, byte: u8) -> std::io::Result<bool> {
        let there = self.next_mark()? == Some(byte);
        if there {
            self.skip(1);
        }
        Ok(there)
    }

    /// The next line into `out`, without its end; `None` at the end of the text.
    pub fn line(&mut self, out: &mut Vec<u8>) -> std::io::Result<Option<Piece>> {
        out.clear();
        let offset = self.offset;
        let mut too_large = false;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                let some = self.offset > offset;
                return Ok(some.then_some(Piece { offset, too_large, broken: None }));
            }
            let end = buffer.iter().position(|&b| b == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            too_large |= out.len() + part.len() > LARGEST;
            if too_large {
                out.clear();
            } else {
                out.extend_from_slice(part);
            }
            let count = part.len() + usize::from(end.is_some());
            self.skip(count);
            if end.is_some() {
                return Ok(Some(Piece { offset, too_large, broken: None }));
            }
        }
    }

    /// The next value into `out`: as far as its brackets and strings say that it goes. What is between
    /// them is not looked at.
    pub fn value(&mut self, out: &mut Vec<u8>) -> std::io::Result<Piece> {
        out.clear();
        self.next_mark()?;
        let mut piece = Piece { offset: self.offset, too_large: false, broken: None };
        let mut state = Nesting::default();
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                let whole = state.depth == 0 && !state.string && state.begun;
                piece.broken = (!whole).then_some("the end of a value");
                return Ok(piece);
            }
            let end = state.advance(buffer);
            let count = end.unwrap_or(buffer.len());
            piece.too_large |= out.len() + count > LARGEST;
            if piece.too_large {
                out.clear();
            } else {
                out.extend_from_slice(&buffer[..count]);
            }
            self.skip(count);
            if end.is_some() {
                return Ok(piece);
            }
        }
    }

    /// Whether the text is one value a line: more than one line, and the first a whole object.
    pub fn is_lines(&mut self) -> std::io::Result<bool> {
        if self.next_mark()? != Some(b'{') {
            return Ok(false);
        }
        let mut state = Nesting::default();
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let line = buffer.iter().position(|&b| b == b'\n');
            let end = state.advance(&buffer[..line.unwrap_or(buffer.len())]);
            let count = end.or(line).unwrap_or(buffer.len());
            self.skip(count);
            if end.is_some() {
                return Ok(self.next_mark()? == Some(b'{'));
            }
            if line.is_some() {
                return Ok(false);
            }
        }
    }

    /// Whether nothing but the end comes.
    pub fn at_end(&mut self) -> std::io::Result<bool> {
        Ok(self.next_mark()?.is_none() && self.peek()?.is_none())
    }
}

/// How deep in brackets, and whether in a string.
#[derive(Default)]
struct Nesting {
    depth: u64,
    string: bool,
    escaped: bool,
    begun: bool,
}

impl Nesting {
    /// Goes through `bytes` and gives the place after the value's end, where it is there.
    fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.string {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                let mark = bytes[at..].iter().position(|&b| b == b'"' || b == b'\\')?;
                at += mark + 1;
                match bytes[at - 1] {
                    b'"' => {
                        self.string = false;
                        if self.depth == 0 {
                            return Some(at);
                        }
                    }
                    _ => self.escaped = true,
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth <= 1 => {
                    // A closing bracket after a bare word belongs to what is around it.
                    return Some(if self.depth == 0 { at } else { at + 1 });
                }
                b'}' | b']' => self.depth -= 1,
                b',' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 && self.begun => return Some(at),
                _ => {}
            }
            self.begun = true;
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanner(text: &'static str) -> Scanner {
        Scanner::new(Box::new(BufReader::with_capacity(3, text.as_bytes())))
    }

    #[test]
    fn values_end_where_their_brackets_close() {
        let mut all = scanner(" {\"a\":\"}\\\"]\",\"b\":[1,{}]} ,17, \"x\\\\\" , true]");
        let mut out = Vec::new();
        for expected in ["{\"a\":\"}\\\"]\",\"b\":[1,{}]}", "17", "\"x\\\\\"", "true"] {
            let piece = all.value(&mut out).unwrap();
            assert_eq!((std::str::from_utf8(&out).unwrap(), piece.broken), (expected, None));
            let _ = all.eat(b',').unwrap();
        }
        assert!(all.eat(b']').unwrap() && all.at_end().unwrap());
        assert!(scanner("{\"a\":").value(&mut out).unwrap().broken.is_some());
    }

    #[test]
    fn lines_are_told_from_a_document() {
        for (text, lines) in [
            ("{\"a\":1}\n{\"b\":2}\n", true),
            ("\u{feff}{\"a\":1}\r\n\r\n{\"b\":2}", true),
            ("{\"a\":1}\n", false),
            ("{\n\"a\":1}\n{\"b\":2}", false),
            ("{\"a\":\"\n{", false),
            ("", false),
            ("[1]", false),
        ] {
            assert_eq!(scanner(text).is_lines().unwrap(), lines, "{text}");
        }
        let mut out = Vec::new();
        let mut two = scanner("ab\n\nc");
        let mut all = Vec::new();
        while let Some(piece) = two.line(&mut out).unwrap() {
            all.push((piece.offset, String::from_utf8(out.clone()).unwrap()));
        }
        assert_eq!(all, [(0, "ab".into()), (3, String::new()), (4, "c".into())]);
    }
}

//! `multipart/related`, read as it comes: a part of gigabytes is never in memory. RFC 2046 section 5.1.

use std::io::{self, Read};

/// The most that stands before the first part, and in one part's headers.
const MAX_HEADERS: usize = 64 << 10;
const PIECE: usize = 64 << 10;

/// The parts of a body.
pub(super) struct Parts<R> {
    from: R,
    delimiter: Vec<u8>,
    held: Vec<u8>,
    ended: bool,
    /// Whether content of a part, or what stands before the first, is still to come.
    inside: bool,
}

/// The boundary that a `Content-Type` names.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    if !content_type.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let at = content_type.to_ascii_lowercase().find("boundary=")?;
    let value = content_type.get(at + "boundary=".len()..)?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split([';', ' ']).next()?,
    };
    (!value.is_empty() && value.len() <= 200).then(|| value.to_owned())
}

impl<R: Read> Parts<R> {
    pub(super) fn new(from: R, boundary: &str) -> Self {
        // The first delimiter may stand at the very start, where no line ends before it.
        Self {
            from,
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            held: b"\r\n".to_vec(),
            ended: false,
            inside: true,
        }
    }

    /// Goes to the next part's content; `false` after the last part.
    ///
    /// # Errors
    /// When the body ends before its last delimiter, or headers have no end.
    pub(super) fn next(&mut self) -> io::Result<bool> {
        if self.inside {
            self.rest(|_| io::Result::Ok(()))?;
        }
        while self.held.len() < 2 {
            self.more()?;
        }
        if self.held.starts_with(b"--") {
            return Ok(false);
        }
        loop {
            // The delimiter's own line ends first, then the headers end with an empty one.
            if let Some(at) = find(&self.held, b"\r\n\r\n") {
                self.held.drain(..at + 4);
                self.inside = true;
                return Ok(true);
            }
            if self.held.len() > MAX_HEADERS {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "headers without end"));
            }
            self.more()?;
        }
    }

    /// Gives the rest of a part's content, piece by piece, and passes its delimiter.
    ///
    /// # Errors
    /// The reader's, `take`'s, or `UnexpectedEof` when the body breaks off.
    pub(super) fn rest<E: From<io::Error>>(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            if let Some(at) = find(&self.held, &self.delimiter) {
                take(self.held.get(..at).unwrap_or_default())?;
                self.held.drain(..at + self.delimiter.len());
                self.inside = false;
                return Ok(());
            }
            // What may be the beginning of a delimiter waits.
            let sure = self.held.len().saturating_sub(self.delimiter.len());
            if sure > 0 {
                take(self.held.get(..sure).unwrap_or_default())?;
                self.held.drain(..sure);
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let before = self.held.len();
        self.held.resize(before + PIECE, 0);
        let read =
            if self.ended { 0 } else { self.from.read(self.held.get_mut(before..).unwrap_or_default())? };
        self.held.truncate(before + read);
        if read == 0 {
            self.ended = true;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut at = 0;
    while let Some(found) = bytes.get(at..)?.iter().position(|&b| b == first) {
        at += found;
        if bytes.get(at..)?.starts_with(what) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, so that every delimiter is torn somewhere.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(into.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn parts(body: &[u8], step: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut parts = Parts::new(Slow(body, step), "b0");
        let mut found = Vec::new();
        while parts.next()? {
            let mut content = Vec::new();
            parts.rest(|piece| {
                content.extend_from_slice(piece);
                io::Result::Ok(())
            })?;
            found.push(content);
        }
        Ok(found)
    }

    #[test]
    fn parts_are_the_same_however_the_body_comes() {
        let body = b"--b0\r\nContent-Type: application/dicom\r\n\r\none\r\n--b\r\n\r\n--b0\r\nA: b\r\nC: d\r\n\r\n\r\n--b0--\r\n";
        for step in 1..body.len() {
            assert_eq!(parts(body, step).unwrap(), [b"one\r\n--b\r\n".to_vec(), b"".to_vec()], "{step}");
        }
        for cut in 0..body.len() - 4 {
            assert!(parts(&body[..cut], 7).is_err(), "{cut}");
        }
    }

    #[test]
    fn boundaries_are_found() {
        assert_eq!(
            boundary("multipart/related; type=\"application/dicom\"; boundary=\"a b\"").unwrap(),
            "a b"
        );
        assert_eq!(boundary("Multipart/Related;boundary=x-1; start=y").unwrap(), "x-1");
        assert_eq!(boundary("application/dicom; boundary=x"), None);
    }
}

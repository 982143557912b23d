use crate::Error;
use std::io::{self, Read};

/// One annotation: what somebody or something says of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The sample, from the record's beginning.
    pub sample: i64,
    /// What, by number: 1 is a normal beat.
    pub code: u8,
    /// A number that the annotator gives a meaning.
    pub subtype: i8,
    /// The signal.
    pub channel: u8,
    /// Another number that the annotator gives a meaning.
    pub number: i8,
    /// Text, such as `(AFIB` where a rhythm begins.
    pub note: Option<String>,
}

impl Annotation {
    /// The usual sign for it: `N`, `V`, `+`; `None` for a number without one.
    ///
    /// # Source
    /// annot(5) of the WFDB Applications Guide.
    pub fn symbol(&self) -> Option<char> {
        const SYMBOLS: &[u8] = b" NLRaVFJASEj/Q~ | sT*D\"=pB^t+u?![]en@xf()r";
        let symbol = *SYMBOLS.get(usize::from(self.code))?;
        (symbol != b' ').then(|| char::from(symbol))
    }

    /// Whether it marks a beat, and not a rhythm, a wave or a comment.
    pub fn is_beat(&self) -> bool {
        matches!(self.code, 1..=13 | 25 | 30 | 34 | 35 | 38 | 41)
    }
}

/// The annotations of a file in the MIT format, one after the other.
pub struct Annotations<R> {
    bytes: R,
    origin: String,
    pair: Option<[u8; 2]>,
    sample: i64,
    channel: u8,
    number: i8,
    frequency: Option<f64>,
    ended: bool,
}

const SKIP: u8 = 59;
const NUMBER: u8 = 60;
const SUBTYPE: u8 = 61;
const CHANNEL: u8 = 62;
const NOTE: u8 = 63;
/// A comment; at sample 0, a definition for the whole file.
const COMMENT: u8 = 22;

impl<R: Read> Annotations<R> {
    /// Begins to read; `bytes` should be buffered, `origin` is what messages call it.
    pub fn new(origin: impl Into<String>, bytes: R) -> Self {
        Self {
            bytes,
            origin: origin.into(),
            pair: None,
            sample: 0,
            channel: 0,
            number: 0,
            frequency: None,
            ended: false,
        }
    }

    /// Samples in a second, where the part that was read so far says so.
    pub fn frequency(&self) -> Option<f64> {
        self.frequency
    }

    fn damaged(&self, found: &str) -> Error {
        Error::Damaged {
            place: self.origin.clone(),
            expected: "annotations in the MIT format, ended by two zero bytes",
            found: found.to_owned(),
        }
    }

    /// The next pair of bytes as its code and the ten bits below it; the file's end is `None`.
    fn pair(&mut self) -> Result<Option<(u8, u16)>, Error> {
        let pair = match self.pair.take() {
            Some(pair) => pair,
            None => {
                let mut pair = [0; 2];
                match self.bytes.read_exact(&mut pair) {
                    Ok(()) => pair,
                    Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                    Err(e) => return Err(self.damaged(&e.to_string())),
                }
            }
        };
        Ok(Some((pair[1] >> 2, u16::from_le_bytes(pair) & 0x3ff)))
    }

    fn unread(&mut self, (code, low): (u8, u16)) {
        self.pair = Some((u16::from(code) << 10 | low).to_le_bytes());
    }

    fn step(&mut self) -> Result<Option<Annotation>, Error> {
        loop {
            let Some((mut code, mut low)) = self.pair()? else {
                return Err(self.damaged("the end of the file"));
            };
            if (code, low) == (0, 0) {
                return Ok(None);
            }
            while code == SKIP {
                let (mut high, mut bottom) = ([0; 2], [0; 2]);
                self.exact(&mut high)?;
                self.exact(&mut bottom)?;
                let skip =
                    (i32::from(i16::from_le_bytes(high)) << 16) + i32::from(u16::from_le_bytes(bottom));
                self.sample = self.sample.saturating_add(i64::from(skip));
                (code, low) = self.pair()?.ok_or_else(|| self.damaged("the end of the file"))?;
            }
            self.sample = self.sample.saturating_add(i64::from(low));
            let mut one = Annotation {
                sample: self.sample,
                code,
                subtype: 0,
                channel: self.channel,
                number: self.number,
                note: None,
            };
            while let Some((field, low)) = self.pair()? {
                let byte = (low & 0xff) as u8;
                match field {
                    NUMBER => one.number = byte.cast_signed(),
                    SUBTYPE => one.subtype = byte.cast_signed(),
                    CHANNEL => one.channel = byte,
                    NOTE => {
                        let mut text = vec![0; usize::from(byte).next_multiple_of(2)];
                        self.exact(&mut text)?;
                        text.truncate(usize::from(byte));
                        one.note = Some(text.into_iter().map(char::from).collect());
                    }
                    _ => {
                        self.unread((field, low));
                        break;
                    }
                }
            }
            (self.channel, self.number) = (one.channel, one.number);
            if one.sample == 0 && one.code == COMMENT {
                let rate = one.note.as_deref().and_then(|n| n.strip_prefix("## time resolution: "));
                self.frequency = rate.and_then(|r| r.trim().parse().ok()).or(self.frequency);
            } else if one.code != 0 {
                return Ok(Some(one));
            }
        }
    }

    fn exact(&mut self, into: &mut [u8]) -> Result<(), Error> {
        self.bytes.read_exact(into).map_err(|_| self.damaged("the end within an annotation"))
    }
}

impl<R: Read> Iterator for Annotations<R> {
    type Item = Result<Annotation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.step().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(code: u8, low: u16) -> [u8; 2] {
        (u16::from(code) << 10 | low).to_le_bytes()
    }

    #[test]
    fn fields_skips_and_definitions_are_read() {
        let mut bytes = Vec::new();
        let text = b"## time resolution: 360";
        bytes.extend([word(COMMENT, 0), word(NOTE, text.len() as u16)].concat());
        bytes.extend(text);
        bytes.push(0);
        bytes.extend([word(28, 18), word(NOTE, 3)].concat());
        bytes.extend(b"(N\0\0");
        bytes.extend([word(1, 70), word(CHANNEL, 1), word(SUBTYPE, 0xff)].concat());
        bytes
            .extend([word(SKIP, 0), 1i16.to_le_bytes(), 2u16.to_le_bytes(), word(5, 3), word(0, 0)].concat());
        let mut read = Annotations::new("a", &bytes[..]);
        let all: Vec<Annotation> = read.by_ref().map(Result::unwrap).collect();
        assert_eq!(read.frequency(), Some(360.0));
        let seen: Vec<_> = all.iter().map(|a| (a.sample, a.symbol(), a.subtype, a.channel)).collect();
        assert_eq!(seen, [(18, Some('+'), 0, 0), (88, Some('N'), -1, 1), (65_629, Some('V'), 0, 1)]);
        assert_eq!(all[0].note.as_deref(), Some("(N\0"));
        assert!(all[1].is_beat() && !all[0].is_beat());
        for cut in 0..bytes.len() {
            let last = Annotations::new("a", &bytes[..cut]).last();
            assert!(matches!(last, Some(Err(Error::Damaged { .. }))), "{cut}");
        }
    }
}

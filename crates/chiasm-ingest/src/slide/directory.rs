use crate::Error;
use crate::feed::{ReadSeek, Source};
use std::collections::BTreeSet;
use std::io::{self, Read, SeekFrom};

/// Directories in a file, at most.
const MAX_DIRECTORIES: usize = 256;
/// Entries of a directory, at most.
const MAX_ENTRIES: u64 = 4096;
/// Bytes of a description or of shared tables, at most.
const MAX_VALUE: u64 = 1 << 16;

/// Byte order and width of offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    big_endian: bool,
    pub big_tiff: bool,
}

/// What the first bytes say; `None` where they are no TIFF's.
pub(super) fn order(head: &[u8]) -> Option<Order> {
    let (big_endian, big_tiff) = match *head.get(..4)? {
        [b'I', b'I', 42, 0] => (false, false),
        [b'M', b'M', 0, 42] => (true, false),
        [b'I', b'I', 43, 0] => (false, true),
        [b'M', b'M', 0, 43] => (true, true),
        _ => return None,
    };
    Some(Order { big_endian, big_tiff })
}

impl Order {
    fn number(self, bytes: &[u8]) -> u64 {
        let shift = |n: u64, b: &u8| n << 8 | u64::from(*b);
        if self.big_endian { bytes.iter().fold(0, shift) } else { bytes.iter().rev().fold(0, shift) }
    }
}

/// One field of a directory: where its values are, not yet read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    kind: u16,
    pub count: u64,
    at: u64,
}

impl Field {
    fn width(self) -> u64 {
        match self.kind {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            _ => 1,
        }
    }
}

/// One directory: one image.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    fields: Vec<(u16, Field)>,
}

impl Directory {
    pub fn field(&self, tag: u16) -> Option<Field> {
        self.fields.iter().find(|(t, _)| *t == tag).map(|(_, f)| *f)
    }
}

/// An open TIFF, read where it is asked.
pub(super) struct Tiff {
    bytes: Box<dyn ReadSeek>,
    pub order: Order,
    pub origin: String,
    pub length: u64,
}

impl Tiff {
    /// Opens a file and reads all its directories, those below others after them.
    pub fn open(source: &Source) -> Result<(Self, Vec<Directory>), Error> {
        let mut bytes = source.open()?;
        let mut head = Vec::with_capacity(16);
        let failed = |e: io::Error| Error::Damaged {
            place: source.origin.clone(),
            expected: "a TIFF file that can be read",
            found: e.to_string(),
        };
        bytes.by_ref().take(16).read_to_end(&mut head).map_err(failed)?;
        let order = order(&head).ok_or_else(|| Error::WrongFormat {
            place: source.origin.clone(),
            expected: "a TIFF or BigTIFF (II or MM, then 42 or 43)",
            found: "other bytes",
        })?;
        let length = source.len()?;
        let mut tiff = Self { bytes, order, origin: source.origin.clone(), length };
        let first = if order.big_tiff { tiff.read(8, 8)? } else { tiff.read(4, 4)? };
        let first = order.number(&first);
        let directories = tiff.directories(first)?;
        Ok((tiff, directories))
    }

    pub fn damaged(&self, expected: &'static str, found: impl Into<String>) -> Error {
        Error::Damaged { place: self.origin.clone(), expected, found: found.into() }
    }

    /// `n` bytes at `at`.
    pub fn read(&mut self, at: u64, n: u64) -> Result<Vec<u8>, Error> {
        if at.checked_add(n).is_none_or(|end| end > self.length) {
            return Err(self.damaged("offsets within the file", "one beyond its end"));
        }
        let mut bytes = vec![0; usize::try_from(n).unwrap_or(0)];
        let read = self.bytes.seek(SeekFrom::Start(at)).and_then(|_| self.bytes.read_exact(&mut bytes));
        read.map_err(|e| self.damaged("a TIFF file that can be read", e.to_string()))?;
        Ok(bytes)
    }

    fn directories(&mut self, first: u64) -> Result<Vec<Directory>, Error> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        let mut waiting = vec![first];
        let mut below = Vec::new();
        while let Some(mut at) = waiting.pop() {
            while at != 0 {
                if !seen.insert(at) {
                    return Err(
                        self.damaged("each directory once", "directories that lead back to themselves")
                    );
                }
                if seen.len() > MAX_DIRECTORIES {
                    return Err(self.damaged("at most 256 directories", "more"));
                }
                let (directory, next) = self.directory(at)?;
                if let Some(field) = directory.field(330) {
                    if field.count > MAX_DIRECTORIES as u64 {
                        return Err(self.damaged("at most 256 directories", "more"));
                    }
                    for i in 0..field.count {
                        below.push(self.value(field, i)?);
                    }
                }
                all.push(directory);
                at = next;
            }
            below.reverse();
            waiting.append(&mut below);
        }
        Ok(all)
    }

    fn directory(&mut self, at: u64) -> Result<(Directory, u64), Error> {
        let big = self.order.big_tiff;
        let (head, entry, offset) = if big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.read(at, head)?;
        let count = self.order.number(&count);
        if count > MAX_ENTRIES {
            return Err(self.damaged("at most 4096 fields in a directory", count.to_string()));
        }
        let table = self.read(at + head, count * entry + offset)?;
        let mut fields = Vec::with_capacity(count as usize);
        for (i, bytes) in table.chunks_exact(entry as usize).take(count as usize).enumerate() {
            let tag = self.order.number(&bytes[..2]) as u16;
            let kind = self.order.number(&bytes[2..4]) as u16;
            let (counted, value) = bytes[4..].split_at(offset as usize);
            let mut field = Field { kind, count: self.order.number(counted), at: 0 };
            let inline = field.count.checked_mul(field.width()).is_some_and(|n| n <= offset);
            field.at =
                if inline { at + head + i as u64 * entry + entry - offset } else { self.order.number(value) };
            fields.push((tag, field));
        }
        let next = self.order.number(&table[(count * entry) as usize..]);
        Ok((Directory { fields }, next))
    }

    /// The `i`th value of a field of whole numbers.
    pub fn value(&mut self, field: Field, i: u64) -> Result<u64, Error> {
        let width = field.width();
        let at = i.checked_mul(width).and_then(|n| n.checked_add(field.at)).filter(|_| i < field.count);
        let Some(at) = at else {
            return Err(self.damaged("as many values in a field as tiles", "fewer"));
        };
        if !matches!(field.kind, 1 | 3 | 4 | 13 | 16 | 18) {
            return Err(self.damaged("whole numbers in a field of offsets or sizes", "another type"));
        }
        let bytes = self.read(at, width)?;
        Ok(self.order.number(&bytes))
    }

    /// The first value of a tag, or `otherwise`.
    pub fn number(&mut self, directory: &Directory, tag: u16, otherwise: u64) -> Result<u64, Error> {
        directory.field(tag).map_or(Ok(otherwise), |f| self.value(f, 0))
    }

    /// A fraction.
    pub fn fraction(&mut self, directory: &Directory, tag: u16) -> Result<Option<f64>, Error> {
        let Some(field) = directory.field(tag).filter(|f| f.kind == 5 && f.count > 0) else {
            return Ok(None);
        };
        let bytes = self.read(field.at, 8)?;
        let (top, bottom) = (self.order.number(&bytes[..4]), self.order.number(&bytes[4..]));
        Ok((bottom != 0).then(|| top as f64 / bottom as f64))
    }

    /// The beginning of a text: what is known of a slide stands there.
    pub fn text(&mut self, field: Field) -> Result<String, Error> {
        let bytes = self.read(field.at, field.count.min(MAX_VALUE))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The bytes of a field.
    pub fn bytes(&mut self, field: Field) -> Result<Vec<u8>, Error> {
        let n = field.count.saturating_mul(field.width());
        if n > MAX_VALUE {
            return Err(self.damaged("fields of at most 64 KiB", format!("{n} bytes")));
        }
        self.read(field.at, n)
    }
}

use crate::Error;
use crate::feed::{ReadSeek, Source};
use bytes::Bytes;
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{Read, SeekFrom};

/// Files up to this many bytes are read at once; larger ones through a window, value by value.
const WHOLE: u64 = 32 << 20;
/// Bytes of a large file that are held at a time.
const WINDOW: usize = 1 << 16;
/// Most bytes that a deflated data set may unpack to.
pub(super) const INFLATED: u64 = 64 << 20;

/// The bytes of an instance, wherever they are, readable at any place in bounded memory.
pub(super) struct Input {
    content: Content,
    length: u64,
}

enum Content {
    Memory(Bytes),
    Large(Box<RefCell<Window>>),
}

/// A part of a large file.
struct Window {
    file: Box<dyn ReadSeek>,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// Reads from `offset` on, as much as there is; an unreadable place reads as the end.
    fn read(&mut self, offset: u64, target: &mut [u8]) -> usize {
        let mut done = 0;
        if self.file.seek(SeekFrom::Start(offset)).is_err() {
            return 0;
        }
        while done < target.len() {
            match self.file.read(&mut target[done..]) {
                Ok(0) | Err(_) => break,
                Ok(n) => done += n,
            }
        }
        done
    }

    fn read_buffered(&mut self, offset: u64, target: &mut [u8]) -> usize {
        let inside = offset.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        let held = inside.filter(|&at| at + target.len() <= self.bytes.len());
        let at = match held {
            Some(at) => at,
            None => {
                let mut bytes = std::mem::take(&mut self.bytes);
                bytes.resize(WINDOW, 0);
                let found = self.read(offset, &mut bytes);
                bytes.truncate(found);
                (self.start, self.bytes) = (offset, bytes);
                0
            }
        };
        let part = &self.bytes[at..];
        let n = part.len().min(target.len());
        target[..n].copy_from_slice(&part[..n]);
        n
    }
}

impl Input {
    /// Opens a source.
    pub(super) fn open(source: &Source) -> Result<Self, Error> {
        match source.bytes(if source.path().is_none() { u64::MAX } else { WHOLE }) {
            Err(Error::TooLarge { .. }) => {}
            bytes => return bytes.map(Self::memory),
        }
        let (length, file) = (source.len()?, source.open()?);
        let window = Window { file, start: 0, bytes: Vec::new() };
        Ok(Self { content: Content::Large(Box::new(RefCell::new(window))), length })
    }

    pub(super) fn memory(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, content: Content::Memory(bytes) }
    }

    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// All of it, where it is in memory.
    pub(super) fn whole(&self) -> Option<&Bytes> {
        match &self.content {
            Content::Memory(bytes) => Some(bytes),
            Content::Large(_) => None,
        }
    }

    /// Copies from `offset` on as much as there is, and says how much.
    pub(super) fn read(&self, offset: u64, target: &mut [u8]) -> usize {
        match &self.content {
            Content::Memory(bytes) => {
                let rest = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                let n = rest.len().min(target.len());
                target[..n].copy_from_slice(&rest[..n]);
                n
            }
            Content::Large(window) if target.len() <= WINDOW / 4 => {
                window.borrow_mut().read_buffered(offset, target)
            }
            Content::Large(window) => window.borrow_mut().read(offset, target),
        }
    }

    /// The `length` bytes from `offset` on, or as many as there are.
    pub(super) fn bytes(&self, offset: u64, length: u64) -> Bytes {
        let end = offset.saturating_add(length).min(self.length);
        let start = offset.min(end);
        match &self.content {
            // Both are within the length of what is in memory, so they fit.
            Content::Memory(bytes) => bytes.slice(start as usize..end as usize),
            Content::Large(_) => {
                let mut part = vec![0; (end - start) as usize];
                let found = self.read(start, &mut part);
                part.truncate(found);
                part.into()
            }
        }
    }

    /// As [`Input::bytes`], without a copy where they are in memory.
    pub(super) fn part(&self, offset: u64, length: u64) -> Cow<'_, [u8]> {
        let Content::Memory(bytes) = &self.content else {
            return Cow::Owned(self.bytes(offset, length).into());
        };
        let end = offset.saturating_add(length).min(self.length);
        Cow::Borrowed(bytes.get(offset.min(end) as usize..end as usize).unwrap_or_default())
    }

    /// Hands the bytes of a range over in pieces of at most a mebibyte.
    pub(super) fn pieces(&self, offset: u64, length: u64, mut take: impl FnMut(&[u8])) {
        if matches!(self.content, Content::Memory(_)) || length <= WINDOW as u64 / 4 {
            return take(&self.part(offset, length));
        }
        let end = offset.saturating_add(length).min(self.length);
        let mut piece = vec![0; length.min(1 << 20) as usize];
        let mut at = offset;
        while at < end {
            let n = (end - at).min(piece.len() as u64) as usize;
            let found = self.read(at, &mut piece[..n]);
            if found == 0 {
                break;
            }
            take(&piece[..found]);
            at += found as u64;
        }
    }

    /// What stands before `offset`, and behind it what follows, unpacked: the deflated transfer syntax packs
    /// all behind the meta group. `false` where the packed bytes are damaged or cut off.
    pub(super) fn inflate(&self, offset: u64, place: &str) -> Result<(Vec<u8>, bool), Error> {
        let packed = Part { input: self, at: offset };
        let mut decoder = flate2::read::DeflateDecoder::new(packed).take(INFLATED + 1);
        let (mut unpacked, mut piece, mut whole) = (self.bytes(0, offset).to_vec(), vec![0; 1 << 16], true);
        loop {
            match decoder.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => {
                    // In steps of a quarter, so that a bomb takes little more than its limit.
                    if unpacked.capacity() - unpacked.len() < n {
                        unpacked.reserve_exact((unpacked.len() / 4).max(1 << 18));
                    }
                    unpacked.extend_from_slice(&piece[..n]);
                }
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
        if unpacked.len() as u64 > INFLATED + offset {
            return Err(Error::TooLarge { place: place.to_owned(), limit: INFLATED });
        }
        Ok((unpacked, whole))
    }
}

/// The input from a place on.
struct Part<'a> {
    input: &'a Input,
    at: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        let n = self.input.read(self.at, target);
        self.at += n as u64;
        Ok(n)
    }
}

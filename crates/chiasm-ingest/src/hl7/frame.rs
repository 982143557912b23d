//! A stream of bytes into messages, whatever stands between them.

use super::{END, START};
use std::io::{BufRead, Read};

/// The longest message that is read, in bytes; an embedded document of 24 MB fits.
pub const MESSAGE_LIMIT: usize = 32 << 20;

/// A part of a stream.
pub(super) enum Part<'a> {
    /// A message: segments separated by single CRs, without a frame.
    Message { offset: u64, bytes: &'a [u8] },
    /// A line of a batch's envelope: `FHS`, `BHS`, `BTS` or `FTS`.
    Batch { offset: u64, bytes: &'a [u8] },
    /// Bytes that belong to no message, or to one that is too long; cut at 64 KiB.
    Stray { offset: u64, bytes: &'a [u8], rule: &'static str, message: &'static str },
}

/// What the line just read is.
enum Line {
    Blank,
    Message,
    Batch,
    Segment,
    Continued,
}

/// Cuts a stream into its parts.
pub(super) struct Frames<R> {
    input: R,
    /// Bytes taken from `input`.
    taken: u64,
    /// The part being put together.
    part: Vec<u8>,
    start: u64,
    state: State,
    /// The line that ended the part before.
    line: Vec<u8>,
    line_start: u64,
    line_waits: bool,
    /// The part was handed out: it is emptied at the next call.
    spent: bool,
    /// The line was ended by MLLP's end of block.
    closed: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Outside,
    Message,
    Overlong,
}

/// How much of what is not a message is kept for the quarantine.
const STRAY: usize = 64 << 10;

impl<R: Read> Frames<std::io::BufReader<R>> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input: std::io::BufReader::with_capacity(1 << 16, input),
            taken: 0,
            part: Vec::new(),
            start: 0,
            state: State::Outside,
            line: Vec::new(),
            line_start: 0,
            line_waits: false,
            spent: false,
            closed: false,
        }
    }
}

impl<R: BufRead> Frames<R> {
    /// The next part; `None` at the end.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Part<'_>>> {
        if std::mem::take(&mut self.spent) {
            self.part.clear();
            self.state = State::Outside;
        }
        loop {
            if !self.line_waits && !self.read_line()? {
                return Ok(self.hand_out());
            }
            self.line_waits = false;
            match self.kind() {
                Line::Blank => {}
                Line::Message | Line::Batch if !self.part.is_empty() => {
                    self.line_waits = true;
                    return Ok(self.hand_out());
                }
                Line::Batch => {
                    return Ok(Some(Part::Batch { offset: self.line_start, bytes: &self.line }));
                }
                kind => self.append(&kind),
            }
            if std::mem::take(&mut self.closed) && !self.part.is_empty() {
                return Ok(self.hand_out());
            }
        }
    }

    /// One line, without its end, at most a message's length of it; false at the end of the stream.
    fn read_line(&mut self) -> std::io::Result<bool> {
        self.line.clear();
        self.line_start = self.taken;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(!self.line.is_empty());
            }
            let end = buffer.iter().position(|b| matches!(*b, b'\r' | b'\n' | END));
            let upto = end.unwrap_or(buffer.len());
            let room = (MESSAGE_LIMIT + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&buffer[..upto.min(room)]);
            self.closed = end.is_some_and(|at| buffer[at] == END);
            let used = end.map_or(upto, |at| at + 1);
            self.taken += used as u64;
            self.input.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// What the line is; drops marks of a frame or of an encoding before it.
    fn kind(&mut self) -> Line {
        let line = self.line.as_slice();
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let framed = line.iter().take_while(|b| **b == START).count();
        let drop = self.line.len() - line.len() + framed;
        self.line.drain(..drop);
        self.line_start += drop as u64;
        let blank = self.line.iter().take_while(|b| matches!(**b, b' ' | b'\t')).count();
        if blank == self.line.len() {
            return Line::Blank;
        }
        let heads = |line: &[u8], name: &[u8]| {
            line.starts_with(name) && line.get(3).is_some_and(u8::is_ascii_punctuation)
        };
        let begins = |line: &[u8]| heads(line, b"MSH");
        if begins(&self.line[blank..]) {
            self.line.drain(..blank);
            return Line::Message;
        }
        if [b"FHS", b"BHS", b"BTS", b"FTS"].iter().any(|name| heads(&self.line, *name))
            || matches!(self.line.as_slice(), b"BTS" | b"FTS")
        {
            return Line::Batch;
        }
        let mark = if self.state == State::Message { self.part.get(3).copied() } else { None };
        let segment = match self.line.as_slice() {
            [a, b, c, rest @ ..] => {
                let name = a.is_ascii_uppercase() && [b, c].iter().all(|x| plain(**x));
                name && rest.first().is_none_or(|next| Some(*next) == mark)
            }
            _ => false,
        };
        if segment { Line::Segment } else { Line::Continued }
    }

    fn append(&mut self, kind: &Line) {
        match (self.state, kind) {
            (State::Outside, Line::Message) if self.part.is_empty() => {
                (self.state, self.start) = (State::Message, self.line_start);
            }
            (State::Outside, _) if self.part.is_empty() => self.start = self.line_start,
            // A line break inside a field's text, which HL7 would write as an escape.
            (State::Message, Line::Continued) => self.part.push(b'\n'),
            _ => self.part.push(b'\r'),
        }
        if self.state == State::Message && self.part.len() + self.line.len() > MESSAGE_LIMIT {
            self.state = State::Overlong;
        }
        let room = match self.state {
            State::Message => usize::MAX,
            State::Outside | State::Overlong => STRAY.saturating_sub(self.part.len()),
        };
        self.part.extend_from_slice(&self.line[..self.line.len().min(room)]);
        if self.state == State::Overlong {
            self.part.truncate(STRAY);
        }
    }

    fn hand_out(&mut self) -> Option<Part<'_>> {
        if self.part.is_empty() {
            return None;
        }
        self.spent = true;
        let (offset, bytes) = (self.start, self.part.as_slice());
        Some(match self.state {
            State::Message => Part::Message { offset, bytes },
            State::Outside => {
                let message = "expected a message that begins with MSH, found segments without one";
                Part::Stray { offset, bytes, rule: "hl7.msh", message }
            }
            State::Overlong => {
                let message = "expected a message of at most 33554432 bytes, found a longer one";
                Part::Stray { offset, bytes, rule: "hl7.length", message }
            }
        })
    }
}

/// Whether a byte may stand in a segment's name.
fn plain(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

//! The frame of the Minimal Lower Layer Protocol: `0B message 1C 0D`.

use crate::Error;

/// Begins a message.
pub const START: u8 = 0x0B;
/// Ends a message, followed by [`RETURN`].
pub const END: u8 = 0x1C;
/// The last byte of a frame.
pub const RETURN: u8 = 0x0D;
/// How many bytes a frame adds.
pub(crate) const OVERHEAD: usize = 3;

/// Frames a message.
///
/// # Errors
/// [`Error::Message`] when it is empty or holds 00, 0B or 1C: a journal with such bytes could not be told from
/// a torn one.
pub fn wrap(message: &[u8]) -> Result<Vec<u8>, Error> {
    if message.is_empty() {
        return Err(Error::Message { found: "nothing" });
    }
    for &byte in message {
        let found = match byte {
            0 => "the byte 00",
            START => "the byte 0B",
            END => "the byte 1C",
            _ => continue,
        };
        return Err(Error::Message { found });
    }
    let mut framed = Vec::with_capacity(message.len() + OVERHEAD);
    framed.push(START);
    framed.extend_from_slice(message);
    framed.extend([END, RETURN]);
    Ok(framed)
}

/// Whether no message may hold this byte.
pub(crate) fn is_forbidden(byte: u8) -> bool {
    matches!(byte, 0 | START | END)
}

/// Reads a journal byte by byte.
#[derive(Debug, Default)]
pub(crate) struct Scan(State);

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Outside,
    Inside,
    Ending,
}

/// What one byte meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Part of a message.
    Within,
    /// The last byte of a whole message.
    End,
    /// No part of any message.
    Broken,
}

impl Scan {
    pub(crate) fn step(&mut self, byte: u8) -> Step {
        let (state, step) = match (self.0, byte) {
            (State::Outside, START) => (State::Inside, Step::Within),
            (State::Inside, END) => (State::Ending, Step::Within),
            (State::Ending, RETURN) => (State::Outside, Step::End),
            (State::Inside, byte) if byte != START && byte != 0 => (State::Inside, Step::Within),
            _ => (State::Outside, Step::Broken),
        };
        self.0 = state;
        step
    }
}

/// What stands at the front of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// A message from `from` to `to`; `next` is where the rest begins.
    Message { from: usize, to: usize, next: usize },
    /// The beginning of a message, at `from`; its end is looked for from `seen` on the next time.
    Begun { from: usize, seen: usize },
    /// Nothing that begins a message: all of it may be dropped.
    Noise,
}

/// Finds the first message at or after `start`, whose end was looked for up to `seen` already.
pub(crate) fn front(bytes: &[u8], start: usize, seen: usize) -> Front {
    let rest = bytes.get(start..).unwrap_or_default();
    let Some(begin) = rest.iter().position(|&b| b == START) else { return Front::Noise };
    let from = start + begin + 1;
    let mut at = from.max(seen);
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == END)) {
        let end = at + found;
        match bytes.get(end + 1) {
            Some(&RETURN) => return Front::Message { from, to: end, next: end + 2 },
            Some(_) => at = end + 1,
            None => return Front::Begun { from, seen: end },
        }
    }
    Front::Begun { from, seen: bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_behind_noise_and_in_pieces() {
        let bytes = b"\r\n\x0BMSH|1\x1C\rx\x0BMS";
        assert_eq!(front(bytes, 0, 0), Front::Message { from: 3, to: 8, next: 10 });
        assert_eq!(front(bytes, 10, 0), Front::Begun { from: 12, seen: 14 });
        assert_eq!(front(b"\x0BM\x1C", 0, 0), Front::Begun { from: 1, seen: 2 });
        assert_eq!(front(b"\x0BM\x1C\r", 0, 2), Front::Message { from: 1, to: 2, next: 4 });
        assert_eq!(front(b"noise", 0, 0), Front::Noise);
    }

    #[test]
    fn what_a_journal_could_not_hold_is_refused() {
        assert_eq!(wrap(b"MSH|").unwrap(), b"\x0BMSH|\x1C\r");
        for bad in [&b""[..], b"a\x0Bb", b"a\x1Cb", b"a\0b"] {
            assert!(matches!(wrap(bad), Err(Error::Message { .. })));
        }
    }
}

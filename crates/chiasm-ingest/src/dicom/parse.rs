use super::charset::Charset;
use super::dataset::{Element, ITEM, Issue};
use super::dictionary::representation;
use super::header::{Encoding, Header};
use super::input::Input;
use crate::feed::Severity;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);
const UNDEFINED: u32 = u32::MAX;
/// The most elements of one file; a list of them is then 64 MiB.
const ELEMENTS: usize = 2 << 20;
/// The deepest nesting, sequences and items counted.
const DEPTH: usize = 8192;
/// The most broken rules that are remembered of one file.
const ISSUES: usize = 200;

/// Why a file is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More than [`ELEMENTS`].
    Elements,
    /// Deeper than [`DEPTH`].
    Depth,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Elements: the data set or an item.
    Elements,
    Sequence,
    Fragments,
}

/// A level that is open while reading.
struct Open {
    kind: Kind,
    /// Its place in the list; `None` for the data set.
    element: Option<usize>,
    end: u64,
    undefined: bool,
    encoding: Encoding,
    charset: u16,
    signed: bool,
    last: Option<Tag>,
}

/// Reads elements into a flat list, level by level without recursion, whatever the bytes say.
///
/// Lengths are cut to what is there, and what is doubtful is read as pydicom reads it, so that a file
/// which one of them takes is taken by both.
///
/// # Source
/// DICOM PS3.5 chapter 7 and section 6.2.2.
pub(super) struct Parser<'a> {
    input: &'a Input,
    pub(super) elements: Vec<Element>,
    pub(super) charsets: Vec<Charset>,
    pub(super) issues: Vec<Issue>,
    open: Vec<Open>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(input: &'a Input) -> Self {
        let charsets = vec![Charset::new("")];
        Self { input, elements: Vec::with_capacity(128), charsets, issues: Vec::new(), open: Vec::new() }
    }

    fn issue(&mut self, severity: Severity, rule: &'static str, tag: Tag, message: &'static str) {
        if self.issues.len() < ISSUES {
            self.issues.push(Issue { severity, rule, tag: Some(tag), message });
        }
    }

    fn error(&mut self, rule: &'static str, tag: Tag, message: &'static str) {
        self.issue(Severity::Error, rule, tag, message);
    }

    /// Reads from `at` to the end of the input, or to the first element outside `group`; says where it
    /// stopped.
    pub(super) fn run(&mut self, at: u64, encoding: Encoding, group: Option<u16>) -> Result<u64, Refusal> {
        let end = self.input.len();
        let mut at = at;
        let data = Open {
            kind: Kind::Elements,
            element: None,
            end,
            undefined: true,
            encoding: self.actual(at, encoding, false),
            charset: 0,
            signed: false,
            last: None,
        };
        self.open.push(data);
        while let Some(level) = self.open.last() {
            if at >= level.end {
                if level.undefined && level.element.is_some() {
                    let tag = level.last.unwrap_or(ITEM);
                    self.error("dicom.delimiter", tag, "a level of undefined length has no delimiter");
                }
                self.close();
                continue;
            }
            let (kind, top) = (level.kind, level.element.is_none());
            if top
                && let Some(group) = group
                && self.header(at).is_none_or(|h| h.tag.0 != group)
            {
                self.close();
                continue;
            }
            at = match kind {
                Kind::Elements => self.element(at)?,
                Kind::Sequence => self.item(at)?,
                Kind::Fragments => self.fragment(at)?,
            };
        }
        Ok(at)
    }

    /// Ends the innermost level.
    fn close(&mut self) {
        let next = self.elements.len() as u32;
        if let Some(element) = self.open.pop().and_then(|level| level.element)
            && let Some(element) = self.elements.get_mut(element)
        {
            element.next = next;
        }
    }

    /// Whether elements at `at` have the representation that `encoding` says; many writers forget.
    fn actual(&self, at: u64, encoding: Encoding, nested: bool) -> Encoding {
        let mut head = [0; 6];
        if (nested && encoding.implicit) || self.input.read(at, &mut head) < 6 {
            return encoding;
        }
        let explicit = head[4].is_ascii_uppercase() && head[5].is_ascii_uppercase();
        Encoding { implicit: !explicit, ..encoding }
    }

    fn header(&self, at: u64) -> Option<Header> {
        Header::read(self.input, at, self.open.last()?.encoding)
    }

    fn push(&mut self, tag: Tag, vr: VR, offset: u64, length: u32) -> Result<usize, Refusal> {
        let place = self.elements.len();
        if place >= ELEMENTS {
            return Err(Refusal::Elements);
        }
        let (little, charset) = self.open.last().map_or((true, 0), |l| (l.encoding.little, l.charset));
        let depth = (self.open.len() - 1) as u16;
        let next = place as u32 + 1;
        self.elements.push(Element { tag, vr, depth, length, offset, little, charset, next });
        Ok(place)
    }

    /// Begins a level; one of undefined length ends where the level around it does, at the latest.
    fn enter(&mut self, kind: Kind, element: usize, from: u64, length: u32) -> Result<(), Refusal> {
        if self.open.len() >= DEPTH {
            return Err(Refusal::Depth);
        }
        let Some(around) = self.open.last() else { return Ok(()) };
        let undefined = length == UNDEFINED;
        let end = if undefined { around.end } else { (from + u64::from(length)).min(self.input.len()) };
        let (charset, signed, tag) = (around.charset, around.signed, self.elements[element].tag);
        let encoding = match kind {
            Kind::Elements => self.actual(from, around.encoding, true),
            _ => around.encoding,
        };
        if !undefined && from + u64::from(length) > self.input.len() {
            self.error("dicom.length", tag, "the length reaches beyond the end of the file");
        }
        let element = Some(element);
        self.open.push(Open { kind, element, end, undefined, encoding, charset, signed, last: None });
        Ok(())
    }

    /// Reads what stands at `at` among elements; gives the place behind its header or value.
    fn element(&mut self, at: u64) -> Result<u64, Refusal> {
        let end = self.input.len();
        let Some(header) = self.header(at) else {
            let tag = self.open.last().and_then(|l| l.last).unwrap_or(ITEM);
            self.error("dicom.truncated", tag, "the file ends inside an element");
            return Ok(end);
        };
        let tag = header.tag;
        let Some(level) = self.open.last_mut() else { return Ok(end) };
        if tag.0 == 0xfffe {
            let item = level.element.is_some() && level.undefined;
            match tag {
                ITEM_END if item => self.close(),
                SEQUENCE_END if item => {
                    self.error("dicom.delimiter", tag, "a sequence ends before its item does");
                    self.close();
                    return Ok(at);
                }
                _ => self.error("dicom.delimiter", tag, "a delimiter where none belongs"),
            }
            return Ok(at + 8);
        }
        let (signed, disorder) = (level.signed, level.last.is_some_and(|last| tag <= last));
        level.last = Some(tag);
        if disorder {
            self.error("dicom.order", tag, "the element does not stand in ascending order of tags");
        }
        if header.unknown {
            self.error("dicom.vr", tag, "the value representation is none that the standard knows");
        }
        let from = at + header.size;
        let vr = self.representation(&header, from, signed);
        if header.length == UNDEFINED {
            return self.undefined(tag, vr, from);
        }
        if vr == VR::SQ {
            let place = self.push(tag, vr, from, 0)?;
            self.enter(Kind::Sequence, place, from, header.length)?;
            return Ok(from);
        }
        let there = u64::from(header.length).min(end - from.min(end));
        if there < u64::from(header.length) {
            self.error("dicom.length", tag, "the length reaches beyond the end of the file");
        } else if header.length % 2 == 1 {
            self.error("dicom.odd", tag, "the length is odd");
        }
        self.push(tag, vr, from, there as u32)?;
        self.remember(tag, from, there);
        if self.open.last().is_some_and(|l| from + there > l.end) {
            self.error("dicom.length", tag, "the length reaches beyond the item that holds the element");
        }
        Ok(from + there)
    }

    /// The representation that an element is read with.
    fn representation(&self, header: &Header, from: u64, signed: bool) -> VR {
        let public = header.tag.0.is_multiple_of(2);
        match header.vr {
            // CP-246: a sequence that its sender did not know.
            Some(VR::UN) if header.length == UNDEFINED => VR::SQ,
            Some(VR::UN) if public && header.length < 0xffff && !header.unknown => {
                representation(header.tag, signed).unwrap_or(VR::UN)
            }
            Some(vr) => vr,
            None => match representation(header.tag, signed) {
                Some(vr) => vr,
                None if header.length == UNDEFINED && self.delimiter(from) == Some(ITEM) => VR::SQ,
                None => VR::UN,
            },
        }
    }

    /// What a data set says about the reading of what follows.
    fn remember(&mut self, tag: Tag, from: u64, length: u64) {
        let Some(level) = self.open.last_mut() else { return };
        if tag == tags::SPECIFIC_CHARACTER_SET && self.charsets.len() < usize::from(u16::MAX) {
            let value = self.input.bytes(from, length.min(256));
            let charset = Charset::new(&String::from_utf8_lossy(&value));
            let place = self.charsets.iter().position(|c| *c == charset).unwrap_or(self.charsets.len());
            if place == self.charsets.len() {
                self.charsets.push(charset);
            }
            level.charset = place as u16;
        } else if tag == tags::PIXEL_REPRESENTATION {
            let value = self.input.bytes(from, length.min(2));
            level.signed = value.contains(&1);
        }
    }

    /// A value of undefined length: a sequence, or pixel data in fragments.
    fn undefined(&mut self, tag: Tag, vr: VR, from: u64) -> Result<u64, Refusal> {
        let place = self.push(tag, vr, from, 0)?;
        if vr == VR::SQ {
            self.enter(Kind::Sequence, place, from, UNDEFINED)?;
            return Ok(from);
        }
        if matches!(self.delimiter(from), Some(ITEM | SEQUENCE_END)) {
            self.enter(Kind::Fragments, place, from, UNDEFINED)?;
            return Ok(from);
        }
        self.error("dicom.length", tag, "the length is undefined, and neither items nor fragments follow");
        let end = self.open.last().map_or(from, |l| l.end);
        let length = u32::try_from(end.saturating_sub(from)).unwrap_or(UNDEFINED - 1);
        self.elements[place].length = length;
        Ok(from + u64::from(length))
    }

    /// The tag at `at`.
    fn delimiter(&self, at: u64) -> Option<Tag> {
        let mut head = [0; 4];
        let little = self.open.last()?.encoding.little;
        if self.input.read(at, &mut head) < 4 {
            return None;
        }
        let number = |a, b| if little { u16::from_le_bytes([a, b]) } else { u16::from_be_bytes([a, b]) };
        Some(Tag(number(head[0], head[1]), number(head[2], head[3])))
    }

    /// Reads what stands at `at` in a sequence.
    fn item(&mut self, at: u64) -> Result<u64, Refusal> {
        let end = self.open.last().map_or(at, |l| l.end);
        let undefined = self.open.last().is_some_and(|l| l.undefined);
        let Some(header) = self.header(at) else {
            self.error("dicom.truncated", ITEM, "the file ends inside a sequence");
            return Ok(self.input.len());
        };
        match header.tag {
            ITEM => {
                let place = self.push(ITEM, VR::UN, at + 8, 0)?;
                self.enter(Kind::Elements, place, at + 8, header.length)?;
                Ok(at + 8)
            }
            SEQUENCE_END => {
                if undefined {
                    self.close();
                }
                Ok(at + 8)
            }
            ITEM_END => Ok(at + 8),
            tag => {
                self.error("dicom.item", tag, "a sequence holds something else than items");
                if undefined {
                    self.close();
                    return Ok(at);
                }
                Ok(end)
            }
        }
    }

    /// Reads what stands at `at` in encapsulated pixel data.
    fn fragment(&mut self, at: u64) -> Result<u64, Refusal> {
        let end = self.input.len();
        let Some(header) = self.header(at) else {
            self.error("dicom.truncated", ITEM, "the file ends inside the pixel data");
            return Ok(end);
        };
        match header.tag {
            ITEM => {
                let there = u64::from(header.length).min(end - (at + 8).min(end));
                if there < u64::from(header.length) {
                    self.error("dicom.length", ITEM, "a fragment reaches beyond the end of the file");
                }
                self.push(ITEM, VR::OB, at + 8, there as u32)?;
                Ok(at + 8 + there)
            }
            SEQUENCE_END => {
                self.close();
                Ok(at + 8)
            }
            tag => {
                self.error("dicom.fragment", tag, "pixel data hold something else than fragments");
                self.close();
                Ok(at)
            }
        }
    }
}

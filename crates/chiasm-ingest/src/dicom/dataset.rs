use super::charset::Charset;
use super::input::Input;
use crate::feed::Severity;
use bytes::Bytes;
use dicom_core::{Tag, VR};

/// The start of an item of a sequence, or a fragment of pixel data.
pub const ITEM: Tag = Tag(0xfffe, 0xe000);
/// The most bytes of one value that are decoded to text or numbers.
const VALUE: u64 = 4 << 20;
/// The same for what a level is asked for by tag: of free text, of numbers, and of all else, which the
/// standard lets have 64 characters.
const ASKED: [u64; 3] = [1 << 20, 1 << 14, 1 << 12];

/// One data element of an instance, or one item of a sequence (then its tag is [`ITEM`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element {
    /// The tag.
    pub tag: Tag,
    /// The value representation: the file's own word, or the dictionary's where the file has none.
    pub vr: VR,
    /// How deep it is: 0 for the data set itself, 1 for items of its sequences, 2 for their elements.
    pub depth: u16,
    /// Bytes of the value that are there; 0 for sequences and items.
    pub length: u32,
    /// Where the value begins, from the start of the file (of what it unpacks to, where it is deflated).
    pub offset: u64,
    pub(super) little: bool,
    pub(super) charset: u16,
    /// The element behind this one and all that it holds.
    pub(super) next: u32,
}

/// A rule that was found broken while reading.
#[derive(Clone, Debug)]
pub(super) struct Issue {
    pub(super) severity: Severity,
    pub(super) rule: &'static str,
    pub(super) tag: Option<Tag>,
    pub(super) message: &'static str,
}

/// What one DICOM file holds: its elements in file order, sequences flat with their depth, and its bytes.
///
/// Nested data sets are no tree but runs of one list, so depth costs no stack; values stay where they are
/// until they are asked for, so a file larger than memory can be read.
pub struct DataSet {
    pub(super) input: Input,
    pub(super) elements: Vec<Element>,
    pub(super) charsets: Vec<Charset>,
    pub(super) issues: Vec<Issue>,
    pub(super) syntax: String,
    /// The outermost elements by tag, those of one tag in file order; empty until all is read.
    pub(super) index: Vec<(Tag, u32)>,
}

impl DataSet {
    /// All elements in file order, items and nested ones among them.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The transfer syntax's UID: what the file says, or how it is written where it says nothing.
    pub fn transfer_syntax(&self) -> &str {
        &self.syntax
    }

    /// Whether the data set is packed in the file.
    pub(super) fn deflated(&self) -> bool {
        self.syntax == super::open::DEFLATED
    }

    /// The outermost level.
    pub fn root(&self) -> Level<'_> {
        Level { data: self, from: 0, to: self.elements.len() }
    }

    /// Makes the index of the outermost elements.
    pub(super) fn indexed(self) -> Self {
        let (mut index, mut at) = (Vec::with_capacity(self.elements.len().min(256)), 0);
        while let Some(element) = self.elements.get(at) {
            index.push((element.tag, at as u32));
            at = (element.next as usize).max(at + 1);
        }
        index.sort_by_key(|e| e.0);
        Self { index, ..self }
    }

    /// The bytes of a value as they are in the file.
    pub fn bytes(&self, element: &Element) -> Bytes {
        self.input.bytes(element.offset, u64::from(element.length))
    }

    /// The text values of an element, padding taken off; `false` where bytes stand for no character. Of
    /// more than 4 MiB only the beginning.
    pub fn text(&self, element: &Element) -> (Vec<String>, bool) {
        self.text_within(element, VALUE)
    }

    /// As [`DataSet::text`], of the first `limit` bytes.
    pub(super) fn text_within(&self, element: &Element, limit: u64) -> (Vec<String>, bool) {
        let bytes = self.input.part(element.offset, u64::from(element.length).min(limit));
        let localised = matches!(element.vr, VR::SH | VR::LO | VR::PN | VR::ST | VR::LT | VR::UT | VR::UC);
        let charset = self.charsets.get(usize::from(element.charset));
        let (text, good) = match charset {
            Some(charset) if localised => charset.decode(&bytes, element.vr == VR::PN),
            _ => Charset::default().decode(&bytes, false),
        };
        let trimmed = |t: &str| t.trim_end_matches([' ', '\0']).to_owned();
        if text.is_empty() {
            return (Vec::new(), good);
        }
        let single = matches!(element.vr, VR::ST | VR::LT | VR::UT | VR::UR);
        let whole = if matches!(element.vr, VR::UI | VR::PN) { trimmed(&text) } else { text };
        let values = if single { vec![trimmed(&whole)] } else { whole.split('\\').map(trimmed).collect() };
        (values, good)
    }

    /// The tags that an element of representation AT holds.
    pub fn tags(&self, element: &Element) -> Vec<Tag> {
        let bytes = self.input.part(element.offset, u64::from(element.length).min(ASKED[1]));
        let half = |pair: &[u8]| {
            let pair = [pair[0], pair[1]];
            if element.little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
        };
        let held = if element.vr == VR::AT { &bytes[..] } else { &[] };
        held.chunks_exact(4).map(|four| Tag(half(&four[..2]), half(&four[2..]))).collect()
    }

    /// The numbers of an element with a binary number's representation. Of more than 4 MiB only the
    /// beginning.
    pub fn numbers(&self, element: &Element) -> Vec<Number> {
        self.numbers_within(element, VALUE)
    }

    fn numbers_within(&self, element: &Element, limit: u64) -> Vec<Number> {
        let bytes = self.input.part(element.offset, u64::from(element.length).min(limit));
        let little = element.little;
        macro_rules! all {
            ($type:ty, $variant:ident, $wide:ty) => {
                bytes
                    .chunks_exact(size_of::<$type>())
                    .filter_map(|c| c.try_into().ok())
                    .map(|c| if little { <$type>::from_le_bytes(c) } else { <$type>::from_be_bytes(c) })
                    .map(|v| Number::$variant(<$wide>::from(v)))
                    .collect()
            };
        }
        match element.vr {
            VR::US => all!(u16, Integer, i128),
            VR::SS => all!(i16, Integer, i128),
            VR::UL => all!(u32, Integer, i128),
            VR::SL => all!(i32, Integer, i128),
            VR::UV => all!(u64, Integer, i128),
            VR::SV => all!(i64, Integer, i128),
            VR::FL => all!(f32, Real, f64),
            VR::FD => all!(f64, Real, f64),
            _ => Vec::new(),
        }
    }
}

/// A binary number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// US, SS, UL, SL, UV, SV.
    Integer(i128),
    /// FL, FD.
    Real(f64),
}

/// One level of nesting: a data set or one item of a sequence.
#[derive(Clone, Copy)]
pub struct Level<'a> {
    pub(super) data: &'a DataSet,
    from: usize,
    to: usize,
}

impl<'a> Level<'a> {
    /// Its elements, without what they hold.
    pub fn elements(self) -> impl Iterator<Item = &'a Element> + 'a {
        let mut at = self.from;
        std::iter::from_fn(move || {
            let element = self.data.elements.get(at).filter(|_| at < self.to)?;
            at = (element.next as usize).max(at + 1);
            Some(element)
        })
    }

    /// The element of that tag; the last, where there are several.
    pub fn find(self, tag: Tag) -> Option<&'a Element> {
        let index = &self.data.index;
        if self.from == 0 && self.to == self.data.elements.len() && !index.is_empty() {
            let behind = index.partition_point(|e| e.0 <= tag);
            let &(found, place) = index[..behind].last()?;
            return self.data.elements.get(place as usize).filter(|_| found == tag);
        }
        self.elements().filter(|e| e.tag == tag).last()
    }

    /// The items of the sequence of that tag.
    pub fn items(self, tag: Tag) -> impl Iterator<Item = Level<'a>> + 'a {
        self.find(tag).into_iter().flat_map(move |element| self.data.items(element))
    }

    /// The values of an element as text, blanks around them taken off. Of what is longer than any honest
    /// value only the beginning is read: 1 MiB of free text, 16 KiB of numbers, 4 KiB of all else.
    pub fn texts(self, tag: Tag) -> Vec<String> {
        let Some(element) = self.find(tag).filter(|e| e.length > 0) else { return Vec::new() };
        match element.vr {
            VR::US | VR::SS | VR::UL | VR::SL | VR::UV | VR::SV | VR::FL | VR::FD => {
                self.data.numbers_within(element, ASKED[1]).iter().map(|n| n.to_string()).collect()
            }
            VR::OB | VR::OW | VR::OD | VR::OF | VR::OL | VR::OV | VR::SQ => Vec::new(),
            VR::AT => self.data.tags(element).iter().map(Tag::to_string).collect(),
            _ => {
                let limit = match element.vr {
                    VR::ST | VR::LT | VR::UT | VR::UC | VR::UR => ASKED[0],
                    VR::DS | VR::IS => ASKED[1],
                    _ => ASKED[2],
                };
                let values = self.data.text_within(element, limit).0;
                values.iter().map(|v| v.trim_matches([' ', '\0', '\n', '\r', '\t']).to_owned()).collect()
            }
        }
    }

    /// The whole value as text, several joined by `\`; `None` where there is none.
    pub fn text(self, tag: Tag) -> Option<String> {
        let mut values = self.texts(tag);
        let whole = if values.len() == 1 { values.swap_remove(0) } else { values.join("\\") };
        Some(whole).filter(|t| !t.is_empty())
    }

    /// The first value that is not empty.
    pub fn first(self, tag: Tag) -> Option<String> {
        self.texts(tag).into_iter().find(|t| !t.is_empty())
    }

    /// The values as numbers, written in text (DS, IS) or binary; what is none is left out.
    pub fn reals(self, tag: Tag) -> Vec<f64> {
        self.texts(tag).iter().filter_map(|t| t.parse().ok()).filter(|v: &f64| v.is_finite()).collect()
    }

    /// The first value as a whole number.
    pub fn integer(self, tag: Tag) -> Option<i64> {
        let value = self.reals(tag).first().copied()?;
        (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
    }

    /// The path of items and elements below it, for a nested item that stands alone: `tag` of the first
    /// item's element.
    pub fn nested(self, sequence: Tag, tag: Tag) -> Option<String> {
        self.items(sequence).next()?.text(tag)
    }
}

impl DataSet {
    /// What an element holds: items of a sequence, fragments of pixel data, elements of an item.
    pub fn children(&self, element: &Element) -> Level<'_> {
        let to = element.next as usize;
        // The list has what an element holds right behind it.
        Level { data: self, from: self.position(element).map_or(to, |at| at + 1), to }
    }

    /// The items of a sequence.
    pub fn items(&self, sequence: &Element) -> impl Iterator<Item = Level<'_>> + '_ {
        self.children(sequence).elements().filter(|e| e.tag == ITEM).map(|item| self.children(item))
    }

    /// Where an element that is borrowed from the list stands in it.
    fn position(&self, element: &Element) -> Option<usize> {
        // Elements are sorted by place in the file and, at one place, by depth.
        let key = |e: &Element| (e.offset, e.depth);
        self.elements.binary_search_by_key(&key(element), key).ok()
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(n) => write!(f, "{n}"),
            Self::Real(n) => write!(f, "{n}"),
        }
    }
}

impl std::fmt::Debug for DataSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataSet [{} elements]", self.elements.len())
    }
}

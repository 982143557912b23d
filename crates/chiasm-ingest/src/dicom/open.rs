use super::dataset::{DataSet, Issue};
use super::dictionary::representation;
use super::header::Encoding;
use super::input::Input;
use super::parse::{Parser, Refusal};
use crate::Error;
use crate::feed::{Severity, Source};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(super) const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const BIG: &str = "1.2.840.10008.1.2.2";

/// Whether bytes are likely a DICOM file: the preamble and `DICM`, or a data set without them.
///
/// `head` should be at least 256 bytes. Without preamble the first three elements must be ones of the
/// standard, in order and with their representation: the name of a file decides nothing.
pub fn recognises(head: &[u8], _name: &str) -> bool {
    head.get(128..132) == Some(b"DICM")
        || head.starts_with(b"DICM")
        || [true, false].into_iter().any(|little| plausible(head, little, 3))
}

/// Whether up to `count` elements in a row, from the first byte on, are ones of the standard in order.
fn plausible(head: &[u8], little: bool, count: usize) -> bool {
    let (mut at, mut last) = (0, Tag(0, 0));
    for number in 0..count {
        let Some(eight) = head.get(at..).and_then(|h| h.first_chunk::<8>()) else { return number > 1 };
        let short = |i: usize| {
            let pair = [eight[i], eight[i + 1]];
            usize::from(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
        };
        let tag = Tag(short(0) as u16, short(2) as u16);
        let first = number == 0;
        if (first && !matches!(tag.0, 2 | 8)) || (!first && tag <= last) {
            return false;
        }
        let Some(expected) = representation(tag, false) else { return false };
        let length = match VR::from_binary([eight[4], eight[5]]) {
            Some(vr) if vr == expected || vr == VR::UN => match vr {
                VR::OB | VR::OW | VR::UN | VR::SQ | VR::UT => return number > 0 || tag.0 == 2,
                _ => short(6),
            },
            // Implicit: the length's upper half must be small for so early a tag.
            _ if little && short(6) == 0 => short(4),
            _ => return false,
        };
        if length > 1024 {
            return number > 1;
        }
        (at, last) = (at + 8 + length, tag);
    }
    true
}

/// Reads the structure of a file: every element, no value.
///
/// # Errors
/// [`Error::WrongFormat`] where it is not DICOM, [`Error::TooLarge`] or [`Error::TooDeep`] where it has
/// more than any instance, [`Error::Io`].
pub fn open(source: &Source) -> Result<DataSet, Error> {
    let input = Input::open(source)?;
    let mut head = vec![0; 512];
    let found = input.read(0, &mut head);
    head.truncate(found);
    if !recognises(&head, &source.origin) {
        let (place, found) = (source.origin.clone(), "other bytes");
        return Err(Error::WrongFormat { place, expected: "DICOM", found });
    }
    structure(source, input)
}

fn structure(source: &Source, input: Input) -> Result<DataSet, Error> {
    let refused = |refusal| match refusal {
        Refusal::Elements => Error::TooLarge { place: source.origin.clone(), limit: 2 << 20 },
        Refusal::Depth => Error::TooDeep { place: source.origin.clone(), limit: 8192 },
    };
    let mut head = [0; 132];
    let found = input.read(0, &mut head);
    let preamble = found == 132 && &head[128..] == b"DICM";
    let start = match preamble {
        true => 132,
        false if head.starts_with(b"DICM") => 4,
        false => 0,
    };
    let mut issues = Vec::new();
    let mut issue = |rule, tag, message| {
        issues.push(Issue { severity: Severity::Error, rule, tag, message });
    };
    if !preamble {
        issue("dicom.preamble", None, "the preamble of 128 bytes and 'DICM' are missing");
    }
    let mut parser = Parser::new(&input);
    let little = Encoding { implicit: false, little: true };
    let at = parser.run(start, little, Some(2)).map_err(refused)?;
    let Parser { elements, charsets, issues: broken, .. } = parser;
    let data =
        DataSet { input, elements, charsets, issues: broken, syntax: String::new(), index: Vec::new() };
    if data.elements.is_empty() {
        issue("dicom.meta", None, "the meta information (group 0002) is missing");
    }
    let declared = data.root().first(tags::TRANSFER_SYNTAX_UID);
    if !data.elements.is_empty() && declared.is_none() {
        issue("dicom.syntax", Some(tags::TRANSFER_SYNTAX_UID), "the transfer syntax is not said");
    }
    let length = data.root().integer(tags::FILE_META_INFORMATION_GROUP_LENGTH);
    let first = data.elements.first().map(|e| e.offset + u64::from(e.length));
    match (length, first) {
        (None, Some(_)) => issue(
            "dicom.meta.length",
            Some(tags::FILE_META_INFORMATION_GROUP_LENGTH),
            "the length of the meta information is not said",
        ),
        (Some(length), Some(first)) if u64::try_from(length).ok() != Some(at - first) => issue(
            "dicom.meta.length",
            Some(tags::FILE_META_INFORMATION_GROUP_LENGTH),
            "the length of the meta information is not the one said",
        ),
        _ => {}
    }
    let guessed = declared.unwrap_or_else(|| guess(&data.input, at).to_owned());
    let DataSet { input, elements, charsets, issues: broken, .. } = data;
    issues.extend(broken);
    let (input, from) = if guessed == DEFLATED {
        // The meta group keeps its bytes, so that places in the file and in what it unpacks to agree.
        let (unpacked, whole) = input.inflate(at, &source.origin)?;
        if !whole {
            let (rule, message) = ("dicom.deflate", "the deflated data set is damaged or cut off");
            issues.push(Issue { severity: Severity::Error, rule, tag: None, message });
        }
        (Input::memory(unpacked.into()), at)
    } else {
        (input, at)
    };
    let encoding = Encoding { implicit: guessed == IMPLICIT, little: guessed != BIG };
    let mut parser = Parser::new(&input);
    (parser.elements, parser.charsets) = (elements, charsets);
    parser.run(from, encoding, None).map_err(refused)?;
    let Parser { elements, charsets, issues: broken, .. } = parser;
    issues.extend(broken);
    Ok(DataSet { input, elements, charsets, issues, syntax: guessed, index: Vec::new() }.indexed())
}

/// The transfer syntax that elements at `at` are written in.
fn guess(input: &Input, at: u64) -> &'static str {
    let mut head = [0; 6];
    if input.read(at, &mut head) < 6 || VR::from_binary([head[4], head[5]]).is_none() {
        return IMPLICIT;
    }
    // Read as little endian, a group of a big endian file is 0x0800 or above.
    if u16::from_le_bytes([head[0], head[1]]) >= 0x0400 { BIG } else { EXPLICIT }
}

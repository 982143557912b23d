use super::input::Input;
use dicom_core::{Tag, VR};

/// How elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) implicit: bool,
    pub(super) little: bool,
}

/// What stands before a value.
pub(super) struct Header {
    pub(super) tag: Tag,
    /// The file's own word; `None` where it has none.
    pub(super) vr: Option<VR>,
    pub(super) length: u32,
    /// Bytes of the header itself.
    pub(super) size: u64,
    /// Whether the representation is none that the standard knows.
    pub(super) unknown: bool,
}

impl Header {
    /// Reads what stands at `at`; `None` where the input ends before its end.
    ///
    /// # Source
    /// DICOM PS3.5 section 7.1.
    pub(super) fn read(input: &Input, at: u64, encoding: Encoding) -> Option<Self> {
        let mut head = [0; 12];
        let found = input.read(at, &mut head);
        if found < 8 {
            return None;
        }
        let short = |i: usize| {
            let pair = [head[i], head[i + 1]];
            if encoding.little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
        };
        let long = |i: usize| {
            let four = [head[i], head[i + 1], head[i + 2], head[i + 3]];
            if encoding.little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) }
        };
        let tag = Tag(short(0), short(2));
        let plain = Self { tag, vr: None, length: long(4), size: 8, unknown: false };
        if encoding.implicit || tag.0 == 0xfffe {
            return Some(plain);
        }
        if !(head[4].is_ascii_uppercase() && head[5].is_ascii_uppercase()) {
            return Some(Self { unknown: true, ..plain });
        }
        let vr = VR::from_binary([head[4], head[5]]);
        let wide = matches!(
            vr,
            Some(VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::SQ | VR::SV)
                | Some(VR::UC | VR::UN | VR::UR | VR::UT | VR::UV)
        );
        if wide {
            return (found == 12).then(|| Self { tag, vr, length: long(8), size: 12, unknown: false });
        }
        let length = u32::from(short(6));
        Some(Self { tag, vr: vr.or(Some(VR::UN)), length, size: 8, unknown: vr.is_none() })
    }
}

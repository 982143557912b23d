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
        let vr = representation([head[4], head[5]]);
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

/// The representation that two letters stand for. (dicom-core's own parses them as text, several times slower.)
fn representation(letters: [u8; 2]) -> Option<VR> {
    Some(match &letters {
        b"AE" => VR::AE,
        b"AS" => VR::AS,
        b"AT" => VR::AT,
        b"CS" => VR::CS,
        b"DA" => VR::DA,
        b"DS" => VR::DS,
        b"DT" => VR::DT,
        b"FL" => VR::FL,
        b"FD" => VR::FD,
        b"IS" => VR::IS,
        b"LO" => VR::LO,
        b"LT" => VR::LT,
        b"OB" => VR::OB,
        b"OD" => VR::OD,
        b"OF" => VR::OF,
        b"OL" => VR::OL,
        b"OV" => VR::OV,
        b"OW" => VR::OW,
        b"PN" => VR::PN,
        b"SH" => VR::SH,
        b"SL" => VR::SL,
        b"SQ" => VR::SQ,
        b"SS" => VR::SS,
        b"ST" => VR::ST,
        b"SV" => VR::SV,
        b"TM" => VR::TM,
        b"UC" => VR::UC,
        b"UI" => VR::UI,
        b"UL" => VR::UL,
        b"UN" => VR::UN,
        b"UR" => VR::UR,
        b"US" => VR::US,
        b"UT" => VR::UT,
        b"UV" => VR::UV,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_for_what_dicom_core_says() {
        for pair in 0..=u16::MAX {
            assert_eq!(representation(pair.to_le_bytes()), VR::from_binary(pair.to_le_bytes()), "{pair:04x}");
        }
    }
}

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, UidDictionary, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, StandardSopClassDictionary};

/// The value representation that the standard gives a tag; `signed` decides between US and SS.
pub(super) fn representation(tag: Tag, signed: bool) -> Option<VR> {
    if tag.1 == 0 {
        return Some(VR::UL);
    }
    if tag.0 % 2 == 1 {
        // A private creator names who owns a block of private tags.
        return (0x10..=0xff).contains(&tag.1).then_some(VR::LO);
    }
    Some(match StandardDataDictionary.by_tag(tag)?.vr() {
        VirtualVr::Xs if signed => VR::SS,
        vr => vr.relaxed(),
    })
}

/// Whether the standard lets a public element have a representation; `None` for one that it does not know.
pub(super) fn allows(tag: Tag, vr: VR) -> Option<bool> {
    let own = StandardDataDictionary.by_tag(tag)?.vr();
    Some(match own {
        VirtualVr::Exact(own) => own == vr || vr == VR::UN,
        VirtualVr::Xs => matches!(vr, VR::US | VR::SS | VR::OW | VR::UN),
        VirtualVr::Lt => matches!(vr, VR::US | VR::SS | VR::OW | VR::UN),
        VirtualVr::Ox | VirtualVr::Px => matches!(vr, VR::OB | VR::OW | VR::UN),
        _ => true,
    })
}

/// The keyword of a tag: `PatientID`.
pub fn keyword(tag: Tag) -> Option<&'static str> {
    StandardDataDictionary.by_tag(tag).map(|e| e.alias)
}

/// The name of a SOP class: `CT Image Storage`.
pub(super) fn sop_class(uid: &str) -> Option<&'static str> {
    StandardSopClassDictionary.by_uid(uid).map(|e| e.name)
}

/// The name of a transfer syntax.
pub(super) fn transfer_syntax(uid: &str) -> Option<&'static str> {
    Some(match uid.strip_prefix("1.2.840.10008.1.2")? {
        "" => "Implicit VR Little Endian",
        ".1" => "Explicit VR Little Endian",
        ".1.98" => "Encapsulated Uncompressed Explicit VR Little Endian",
        ".1.99" => "Deflated Explicit VR Little Endian",
        ".2" => "Explicit VR Big Endian",
        ".4.50" => "JPEG Baseline",
        ".4.51" => "JPEG Extended",
        ".4.57" => "JPEG Lossless",
        ".4.70" => "JPEG Lossless, First-Order Prediction",
        ".4.80" => "JPEG-LS Lossless",
        ".4.81" => "JPEG-LS Near-Lossless",
        ".4.90" => "JPEG 2000 Lossless",
        ".4.91" => "JPEG 2000",
        ".4.92" => "JPEG 2000 Part 2 Lossless",
        ".4.93" => "JPEG 2000 Part 2",
        ".4.100" | ".4.100.1" => "MPEG-2 Main Profile",
        ".4.101" | ".4.101.1" => "MPEG-2 High Level",
        ".4.102" | ".4.102.1" | ".4.103" | ".4.103.1" | ".4.104" | ".4.104.1" | ".4.105" | ".4.105.1"
        | ".4.106" | ".4.106.1" => "MPEG-4 AVC/H.264",
        ".4.107" | ".4.108" => "HEVC/H.265",
        ".4.110" => "JPEG XL Lossless",
        ".4.111" => "JPEG XL JPEG Recompression",
        ".4.112" => "JPEG XL",
        ".4.201" => "HTJ2K Lossless",
        ".4.202" => "HTJ2K Lossless RPCL",
        ".4.203" => "HTJ2K",
        ".5" => "RLE Lossless",
        ".8.1" => "Deflated Image Frame Compression",
        _ => return None,
    })
}

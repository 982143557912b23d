//! The file header put before a data set, PS3.10 section 7.1.

use super::dimse::padded;

/// Names this implementation; a UUID-derived UID, so no registered root is needed.
pub(super) const IMPLEMENTATION_CLASS: &str = "2.25.240987342981675120378561290347856120934";
/// Its version, at most 16 characters.
pub(super) const IMPLEMENTATION_VERSION: &str = "CHIASM_0.1";

/// Preamble, `DICM` and file meta information.
///
/// Nothing in it depends on who sent the object or when, so one object is one file whoever sends it.
pub(super) fn header(class: &str, instance: &str, transfer_syntax: &str) -> Vec<u8> {
    let mut meta = Vec::new();
    meta.extend([2, 0, 1, 0, b'O', b'B', 0, 0, 2, 0, 0, 0, 0, 1]);
    for (number, uid) in
        [(0x02, class), (0x03, instance), (0x10, transfer_syntax), (0x12, IMPLEMENTATION_CLASS)]
    {
        text(&mut meta, number, *b"UI", &padded(uid));
    }
    text(&mut meta, 0x13, *b"SH", IMPLEMENTATION_VERSION.as_bytes());
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    file.extend([2, 0, 0, 0, b'U', b'L', 4, 0]);
    file.extend(u32::try_from(meta.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend(meta);
    file
}

fn text(into: &mut Vec<u8>, number: u8, vr: [u8; 2], value: &[u8]) {
    into.extend([2, 0, number, 0]);
    into.extend(vr);
    into.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    into.extend(value);
}

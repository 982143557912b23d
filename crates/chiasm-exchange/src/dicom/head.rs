//! The first elements of a data set: enough to see that it is one, and whose.

use super::dimse::uid;

/// How much of a data set is looked at.
pub(super) const LOOKED_AT: usize = 64 << 10;

/// What the head of a data set says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// SOP Class UID, (0008,0016).
    pub class: Option<String>,
    /// SOP Instance UID, (0008,0018).
    pub instance: Option<String>,
    /// Whether it ended before it could be told whether the UIDs are there: compressed as a whole, or a long
    /// or undefined element stood in front of them.
    pub unsure: bool,
}

/// Reads the head; `None` when it is no data set of this transfer syntax.
pub(super) fn look(bytes: &[u8], transfer_syntax: &str) -> Option<Head> {
    let mut head = Head::default();
    let (explicit, big) = match transfer_syntax {
        "1.2.840.10008.1.2" => (false, false),
        "1.2.840.10008.1.2.2" => (true, true),
        // Deflated as a whole: data set, JPIP and JPIP-HTJ2K.
        "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.4.95" | "1.2.840.10008.1.2.4.205" => {
            head.unsure = true;
            return (!bytes.is_empty()).then_some(head);
        }
        _ => (true, false),
    };
    let short = |at: usize| {
        let pair = [*bytes.get(at)?, *bytes.get(at + 1)?];
        Some(usize::from(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }))
    };
    let long = |at: usize| {
        let (a, b) = (short(at)?, short(at + 2)?);
        Some(if big { a << 16 | b } else { b << 16 | a })
    };
    let (mut at, mut before) = (0, None);
    while at < bytes.len() {
        let tag = (short(at)?, short(at + 2)?);
        if before.is_some_and(|before| tag <= before) || tag.0 < 8 {
            return None;
        }
        if tag > (8, 0x18) {
            return before.map(|_| head);
        }
        before = Some(tag);
        let (value, length) = if explicit {
            let vr = bytes.get(at + 4..at + 6)?;
            match vr {
                b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR"
                | b"UT" | b"UV" => (at + 12, long(at + 8)?),
                vr if vr.iter().all(u8::is_ascii_uppercase) => (at + 8, short(at + 6)?),
                _ => return None,
            }
        } else {
            (at + 8, long(at + 4)?)
        };
        let Some(content) = bytes.get(value..value + length) else {
            head.unsure = length == 0xFFFF_FFFF || bytes.len() >= LOOKED_AT;
            return head.unsure.then_some(head);
        };
        match tag {
            (8, 0x16) => head.class = Some(uid(content)?),
            (8, 0x18) => head.instance = Some(uid(content)?),
            _ => {}
        }
        at = value + length;
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPLICIT: &str = "1.2.840.10008.1.2.1";

    #[test]
    fn uids_are_found_in_each_encoding() {
        let explicit = b"\x08\0\x05\0CS\x04\0ISO1\x08\0\x16\0UI\x04\x001.2\0\x08\0\x18\0UI\x04\x002.5\0";
        let head = look(explicit, EXPLICIT).unwrap();
        assert_eq!((head.class.as_deref(), head.instance.as_deref()), (Some("1.2"), Some("2.5")));
        let implicit = b"\x08\0\x16\0\x04\0\0\x001.2\0\x08\0\x18\0\x04\0\0\x002.5\0\x10\0\x10\0";
        assert_eq!(look(implicit, "1.2.840.10008.1.2").unwrap().instance.as_deref(), Some("2.5"));
        let big = b"\0\x08\0\x16UI\0\x041.2\0\0\x08\0\x18UI\0\x042.5\0";
        assert_eq!(look(big, "1.2.840.10008.1.2.2").unwrap().class.as_deref(), Some("1.2"));
    }

    #[test]
    fn noise_and_the_wrong_encoding_are_none() {
        assert!(look(b"not a data set at all", EXPLICIT).is_none());
        assert!(look(b"\x08\0\x16\0\x04\0\0\x001.2\0", EXPLICIT).is_none());
        assert!(look(b"\x08\0\x16\0UI\xff\0", EXPLICIT).is_none());
        assert_eq!(look(b"", EXPLICIT), Some(Head::default()));
    }
}

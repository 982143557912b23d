//! Bytes into text by the character set that MSH-18 names.

use super::Broken;
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1252};
use std::borrow::Cow;

/// The text of a message, and whether its bytes are not what it says they are.
///
/// Without a name, bytes that are UTF-8 are read as that and others as Latin-1 (by its superset
/// Windows-1252). A set of several (Japanese messages switch between them by escape sequences) is read
/// as ISO-2022-JP. The standard's single-byte sets are read by their Windows supersets where senders
/// mix the two up.
pub(super) fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, bool), Broken> {
    if bytes.is_ascii() && !bytes.contains(&0x1b) {
        return Ok((String::from_utf8_lossy(bytes), false));
    }
    let mut names = names(bytes).peekable();
    let Some(first) = names.next() else {
        return Ok(match std::str::from_utf8(bytes) {
            Ok(text) => (Cow::Borrowed(text), false),
            Err(_) => (WINDOWS_1252.decode_without_bom_handling(bytes).0, false),
        });
    };
    let unknown = || Broken::new("hl7.charset", "expected a character set of HL7 table 0211 in MSH-18");
    let encoding = if names.any(|n| n.contains("87") || n.contains("159") || n.contains("2022")) {
        ISO_2022_JP
    } else {
        encoding(&first).ok_or_else(unknown)?
    };
    let (text, wrong) = encoding.decode_without_bom_handling(bytes);
    if !wrong {
        return Ok((text, first == "ASCII"));
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), true),
        Err(_) => (WINDOWS_1252.decode_without_bom_handling(bytes).0, true),
    })
}

/// The names in MSH-18, upper case, without blanks.
fn names(bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    let header = bytes.split(|b| *b == b'\r').next().unwrap_or_default();
    let mark = header.get(3).copied().unwrap_or(b'|');
    let repetition = header.get(5).copied().unwrap_or(b'~');
    let field = header.split(move |b| *b == mark).nth(17).unwrap_or_default();
    let plain = |n: &[u8]| String::from_utf8_lossy(n).trim().to_uppercase();
    field
        .split(move |b| *b == repetition)
        .map(plain)
        .enumerate()
        .filter(|(i, n)| *i > 0 || !n.is_empty())
        .map(|(_, name)| name)
}

/// The encoding that a name of table 0211, or a usual misspelling of one, stands for.
fn encoding(name: &str) -> Option<&'static Encoding> {
    let compact: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match compact.as_str() {
        // ASCII with other bytes in it is no ASCII: UTF-8 where it fits.
        "ASCII" | "USASCII" | "ISOIR6" | "UNICODE" | "UNICODEUTF8" | "UTF8" | "ISOIR192" => UTF_8,
        "88591" | "ISO88591" | "ISOIR100" | "LATIN1" => WINDOWS_1252,
        "ISOIR14" | "ISOIR87" | "ISOIR159" | "ISO2022JP" | "JAS2020" => ISO_2022_JP,
        "GB18030" | "GB180302000" => encoding_rs::GB18030,
        "BIG5" => encoding_rs::BIG5,
        "KSX1001" => encoding_rs::EUC_KR,
        other => {
            let part = other.strip_prefix("ISO").unwrap_or(other).strip_prefix("8859")?;
            let part = part.parse::<u8>().ok().filter(|p| (2..=15).contains(p))?;
            return Encoding::for_label(format!("iso-8859-{part}").as_bytes());
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(set: &str, name: &[u8]) -> Result<(String, bool), Broken> {
        let mut bytes = format!("MSH|^~\\&|||||||ADT^A01|1|P|2.5||||||{set}\rPID|||1||").into_bytes();
        bytes.extend_from_slice(name);
        decode(&bytes).map(|(t, doubt)| (t.rsplit_once('|').unwrap().1.to_owned(), doubt))
    }

    #[test]
    fn sets_are_read_by_name() {
        let cases: [(&str, &[u8], &str, bool); 8] = [
            ("", b"M\xfcller", "Müller", false),
            ("", "Müller".as_bytes(), "Müller", false),
            ("8859/1", b"M\xfcller", "Müller", false),
            ("8859/15", b"\xa4", "€", false),
            ("8859/2", b"\xb3", "ł", false),
            ("UNICODE UTF-8", "Łucja".as_bytes(), "Łucja", false),
            ("UNICODE UTF-8", b"M\xfcller", "Müller", true),
            ("~ISO IR87", b"\x1b$B;3ED\x1b(B", "山田", false),
        ];
        for (set, bytes, expected, doubt) in cases {
            assert_eq!(text(set, bytes), Ok((expected.to_owned(), doubt)), "{set}");
        }
        assert_eq!(text("KLINGON", b"M\xfcller").unwrap_err().rule, "hl7.charset");
        assert_eq!(text("KLINGON", b"Muller"), Ok(("Muller".to_owned(), false)));
    }
}

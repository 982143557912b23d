use encoding_rs::{
    EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6,
    ISO_8859_7, ISO_8859_8, ISO_8859_15, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1254,
};

/// How a data set's text is written: the value of Specific Character Set (0008,0005).
///
/// # Source
/// DICOM PS3.5 section 6.1 and PS3.3 section C.12.1.1.2; ISO/IEC 2022.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Charset {
    /// An encoding without code extensions: UTF-8, GB18030, GBK.
    whole: Option<&'static Encoding>,
    /// What bytes from 0x80 on mean before any escape sequence.
    high: Set,
    /// Whether every term is one that the standard defines.
    pub(super) known: bool,
}

/// A set of characters that bytes stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Set {
    /// ASCII below 0x80; Latin-1 above, which is what most senders meant who declared nothing.
    #[default]
    Undeclared,
    Latin1,
    Single(&'static Encoding),
    Katakana,
    Jis0208,
    Jis0212,
    Korean,
    Chinese,
}

impl Set {
    fn wide(self) -> bool {
        matches!(self, Self::Jis0208 | Self::Jis0212 | Self::Korean | Self::Chinese)
    }

    fn of_term(term: &str) -> Option<Self> {
        Some(match term {
            "" | "6" => Self::Undeclared,
            "100" => Self::Latin1,
            "101" => Self::Single(ISO_8859_2),
            "109" => Self::Single(ISO_8859_3),
            "110" => Self::Single(ISO_8859_4),
            "144" => Self::Single(ISO_8859_5),
            "127" => Self::Single(ISO_8859_6),
            "126" => Self::Single(ISO_8859_7),
            "138" => Self::Single(ISO_8859_8),
            "148" => Self::Single(WINDOWS_1254),
            "203" => Self::Single(ISO_8859_15),
            "166" => Self::Single(WINDOWS_874),
            "13" => Self::Katakana,
            // These come by escape sequences alone.
            "87" | "159" => Self::Undeclared,
            "149" => Self::Korean,
            "58" => Self::Chinese,
            _ => return None,
        })
    }

    /// Decodes bytes of this set; `false` where some stand for nothing.
    fn decode(self, bytes: &[u8], text: &mut String) -> bool {
        let high = |b: &u8| b | 0x80;
        let (encoding, bytes): (_, Vec<u8>) = match self {
            Self::Undeclared | Self::Latin1 => {
                text.extend(bytes.iter().map(|&b| char::from(b)));
                return self == Self::Latin1 || bytes.is_ascii();
            }
            Self::Single(encoding) => (encoding, bytes.to_vec()),
            Self::Katakana => (SHIFT_JIS, bytes.iter().map(high).collect()),
            Self::Jis0208 => (EUC_JP, bytes.iter().map(high).collect()),
            Self::Jis0212 => (
                EUC_JP,
                bytes.chunks(2).flat_map(|c| std::iter::once(0x8f).chain(c.iter().map(high))).collect(),
            ),
            Self::Korean => (EUC_KR, bytes.to_vec()),
            Self::Chinese => (GBK, bytes.to_vec()),
        };
        let (decoded, bad) = encoding.decode_without_bom_handling(&bytes);
        text.push_str(&decoded);
        !bad
    }
}

impl Charset {
    /// From the values of Specific Character Set.
    pub(super) fn new(value: &str) -> Self {
        let terms: Vec<&str> = value.split('\\').map(|t| t.trim_matches([' ', '\0'])).collect();
        let whole = match terms.first().copied().unwrap_or_default() {
            "ISO_IR 192" => Some(UTF_8),
            "GB18030" => Some(GB18030),
            "GBK" => Some(GBK),
            _ => None,
        };
        let mut charset = Self { whole, known: true, ..Self::default() };
        for (place, term) in terms.iter().enumerate() {
            if place == 0 && whole.is_some() {
                continue;
            }
            // `ISO_IR 100`, `ISO 2022 IR 100` and the misspellings `ISO-IR 100`, `ISO IR 100`.
            let number = term.rsplit(' ').next().unwrap_or_default();
            let plain = term.is_empty() || term.starts_with("ISO_IR ") || term.starts_with("ISO 2022 IR ");
            let lenient = plain || term.starts_with("ISO");
            let set = Set::of_term(number).filter(|_| lenient);
            charset.known &= plain && set.is_some();
            // A Latin set in a later term is in use once escaped to; only the first is from the start.
            if place == 0 || (charset.high == Set::Undeclared && set.is_some_and(Set::wide)) {
                charset.high = set.unwrap_or_default();
            }
        }
        charset
    }

    /// The text that `bytes` stand for, and whether all of them stand for something. `name` is set for
    /// person names, whose `^` and `=` end an escape sequence's reach as `\` does.
    pub(super) fn decode(&self, bytes: &[u8], name: bool) -> (String, bool) {
        if let Some(encoding) = self.whole {
            if !bytes.contains(&0x1b) {
                let (text, bad) = encoding.decode_without_bom_handling(bytes);
                return (text.into_owned(), !bad);
            }
        } else if bytes.is_ascii() && !bytes.contains(&0x1b) {
            // Already checked to be ASCII.
            return (String::from_utf8_lossy(bytes).into_owned(), true);
        }
        self.decode_extended(bytes, name)
    }

    fn decode_extended(&self, bytes: &[u8], name: bool) -> (String, bool) {
        let (mut low, mut high) = (Set::Undeclared, self.high);
        let (mut text, mut good) = (String::new(), true);
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if byte == 0x1b {
                match escape(&bytes[at + 1..]) {
                    Some((length, false, set)) => {
                        low = set;
                        at += 1 + length;
                        continue;
                    }
                    Some((length, true, set)) => {
                        high = set;
                        at += 1 + length;
                        continue;
                    }
                    None => good = false,
                }
            }
            let control = byte < 0x20;
            let delimiter = byte == b'\\' || (name && matches!(byte, b'^' | b'='));
            if control || (delimiter && !low.wide()) {
                if delimiter || matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c) {
                    (low, high) = (Set::Undeclared, self.high);
                }
                text.push(char::from(byte));
                at += 1;
                continue;
            }
            let set = if byte < 0x80 { low } else { high };
            let step = |at: usize| if set.wide() { (at + 2).min(bytes.len()) } else { at + 1 };
            let start = at;
            at = step(at);
            while let Some(&next) = bytes.get(at) {
                let ends = next < 0x20 || (!set.wide() && matches!(next, b'\\' | b'^' | b'='));
                if ends || (next < 0x80) != (byte < 0x80) {
                    break;
                }
                at = step(at);
            }
            good &= set.decode(&bytes[start..at], &mut text);
        }
        (text, good)
    }
}

/// The escape sequence behind an ESC: its length, whether it sets the upper half, and to what.
fn escape(bytes: &[u8]) -> Option<(usize, bool, Set)> {
    Some(match bytes {
        [b'(', b'B' | b'J', ..] => (2, false, Set::Undeclared),
        [b'(', b'I', ..] => (2, false, Set::Katakana),
        [b')', b'I', ..] => (2, true, Set::Katakana),
        [b'-', b'A', ..] => (2, true, Set::Latin1),
        [b'-', b'B', ..] => (2, true, Set::Single(ISO_8859_2)),
        [b'-', b'C', ..] => (2, true, Set::Single(ISO_8859_3)),
        [b'-', b'D', ..] => (2, true, Set::Single(ISO_8859_4)),
        [b'-', b'L', ..] => (2, true, Set::Single(ISO_8859_5)),
        [b'-', b'G', ..] => (2, true, Set::Single(ISO_8859_6)),
        [b'-', b'F', ..] => (2, true, Set::Single(ISO_8859_7)),
        [b'-', b'H', ..] => (2, true, Set::Single(ISO_8859_8)),
        [b'-', b'M', ..] => (2, true, Set::Single(WINDOWS_1254)),
        [b'-', b'b', ..] => (2, true, Set::Single(ISO_8859_15)),
        [b'-', b'T', ..] => (2, true, Set::Single(WINDOWS_874)),
        [b'$', b'B', ..] => (2, false, Set::Jis0208),
        [b'$', b'(', b'D', ..] => (3, false, Set::Jis0212),
        [b'$', b')', b'C', ..] => (3, true, Set::Korean),
        [b'$', b')', b'A', ..] => (3, true, Set::Chinese),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of PS3.5 annexes H, I and J.
    #[test]
    fn names_of_the_standard_are_read() {
        let japanese = Charset::new("\\ISO 2022 IR 87");
        let name = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B";
        assert_eq!(japanese.decode(name, true), ("Yamada^Tarou=山田^太郎=やまだ^たろう".into(), true));
        let katakana = Charset::new("ISO 2022 IR 13\\ISO 2022 IR 87");
        let name = b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J";
        assert_eq!(katakana.decode(name, true), ("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎".into(), true));
        let korean = Charset::new("\\ISO 2022 IR 149");
        let name =
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf";
        assert_eq!(korean.decode(name, true), ("Hong^Gildong=洪^吉洞=홍^길동".into(), true));
        let chinese = Charset::new("GB18030");
        assert_eq!(
            chinese.decode(b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", true).0,
            "Wang^XiaoDong=王^小东"
        );
        let utf8 = Charset::new("ISO_IR 192");
        assert_eq!(utf8.decode("Äneas".as_bytes(), true), ("Äneas".into(), true));
        let greek = Charset::new("ISO_IR 126");
        assert_eq!(greek.decode(b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", true).0, "Διονυσιος");
    }

    #[test]
    fn what_stands_for_nothing_is_said() {
        assert!(!Charset::new("").decode(b"\xe4", false).1);
        assert!(!Charset::new("ISO_IR 192").decode(b"\xff", false).1);
        assert!(!Charset::new("\\ISO 2022 IR 87").decode(b"\x1b$", false).1);
        assert!(!Charset::new("ISO_IR 999").known && !Charset::new("LATIN1").known);
        assert!(Charset::new("ISO 2022 IR 6\\ISO 2022 IR 159").known);
        for bytes in [&b"\x1b$B"[..], b"\x1b$B\x21", b"\x1b", b"\x1b$(D\x30\x21\x30", b"\x80"] {
            for term in ["", "ISO_IR 13", "ISO 2022 IR 149", "GBK", "ISO_IR 192", "\\ISO 2022 IR 87"] {
                let _ = Charset::new(term).decode(bytes, true);
            }
        }
    }
}

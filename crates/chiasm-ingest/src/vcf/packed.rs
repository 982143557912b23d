use super::text_of;
use crate::lines::LONGEST;
use std::borrow::Cow;
use std::io::Write;

/// The numbers below a hundred, two digits each.
const HUNDRED: &str = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/// Bytes of a BCF record, from front to back.
pub(super) struct Cursor<'a>(pub &'a [u8]);

/// The type of packed values; integers by how many bytes each has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    Missing,
    Integer(usize),
    Float,
    Character,
}

/// One number out of a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Missing,
    Integer(i64),
    Float(f32),
}

/// The values of one key of a record or a sample, as their file has them.
///
/// Rules are about text. Numbers become text only where a rule asks for more than that they are plain.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values<'a> {
    /// Commas between them; a dot where there is none.
    Text(&'a [u8]),
    /// A vector of BCF.
    Numbers(&'a [u8], Atom),
    /// The alleles of a genotype, each so many bytes: twice its number and two more, odd where it is phased.
    Alleles(&'a [u8], usize),
}

impl Atom {
    pub fn width(self) -> usize {
        match self {
            Self::Missing => 0,
            Self::Integer(width) => width,
            Self::Float => 4,
            Self::Character => 1,
        }
    }
}

impl<'a> Cursor<'a> {
    pub fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    /// A descriptor: how many values, of which type.
    pub fn kind(&mut self) -> Option<(usize, Atom)> {
        let byte = self.bytes(1)?[0];
        let atom = match byte & 15 {
            0 => Atom::Missing,
            1 => Atom::Integer(1),
            2 => Atom::Integer(2),
            3 => Atom::Integer(4),
            5 => Atom::Float,
            7 => Atom::Character,
            _ => return None,
        };
        let count = match byte >> 4 {
            15 => usize::try_from(self.integer()?).ok()?,
            count => usize::from(count),
        };
        Some((count, atom))
    }

    /// One typed whole number.
    pub fn integer(&mut self) -> Option<i64> {
        let width = match self.bytes(1)?[0] {
            0x11 => 1,
            0x12 => 2,
            0x13 => 4,
            _ => return None,
        };
        match Values::Numbers(self.bytes(width)?, Atom::Integer(width)).numbers().next()? {
            Number::Integer(n) => Some(n),
            _ => None,
        }
    }

    pub fn values(&mut self) -> Option<Values<'a>> {
        let (count, atom) = self.kind()?;
        Some(Values::packed(self.bytes(count.checked_mul(atom.width())?)?, atom))
    }
}

/// The number that the bytes of one value are; `None` for the mark of the end.
fn number(bytes: &[u8]) -> Option<Number> {
    let (n, least) = match *bytes {
        [a] => (i64::from(a as i8), i64::from(i8::MIN)),
        [a, b] => (i64::from(i16::from_le_bytes([a, b])), i64::from(i16::MIN)),
        [a, b, c, d] => (i64::from(i32::from_le_bytes([a, b, c, d])), i64::from(i32::MIN)),
        _ => return None,
    };
    match n - least {
        0 => Some(Number::Missing),
        1 => None,
        _ => Some(Number::Integer(n)),
    }
}

fn float(bytes: &[u8]) -> Option<Number> {
    match u32::from_le_bytes(bytes.try_into().ok()?) {
        0x7f80_0001 => Some(Number::Missing),
        0x7f80_0002 => None,
        bits => Some(Number::Float(f32::from_bits(bits))),
    }
}

impl<'a> Values<'a> {
    /// Of a vector; characters end before the first zero.
    pub fn packed(bytes: &'a [u8], atom: Atom) -> Self {
        if atom != Atom::Character {
            return Self::Numbers(bytes, atom);
        }
        match bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len()) {
            0 => Self::Text(b"."),
            end => Self::Text(&bytes[..end]),
        }
    }

    /// The numbers, as far as they are packed.
    pub fn numbers(self) -> impl Iterator<Item = Number> + use<'a> {
        let (bytes, atom) = match self {
            Self::Text(_) => (&b""[..], Atom::Missing),
            Self::Numbers(bytes, atom) => (bytes, atom),
            Self::Alleles(bytes, width) => (bytes, Atom::Integer(width)),
        };
        bytes.chunks_exact(atom.width().max(1)).map_while(move |one| match atom {
            Atom::Float => float(one),
            _ => number(one),
        })
    }

    /// The numbers of a packed genotype's alleles, the reference as 0, with whether each is phased.
    pub fn alleles(self) -> impl Iterator<Item = (Option<u64>, bool)> + use<'a> {
        self.numbers().map(|number| match number {
            Number::Integer(code) => (u64::try_from((code >> 1) - 1).ok(), code & 1 == 1),
            _ => (None, false),
        })
    }

    /// Whether there is no value: a dot alone.
    pub fn is_missing(self) -> bool {
        match self {
            Self::Text(text) => text == b".",
            // What has no sign is a number.
            Self::Numbers(bytes, atom)
                if atom != Atom::Missing && bytes.get(atom.width() - 1).is_some_and(|b| *b < 0x7f) =>
            {
                false
            }
            Self::Numbers(..) => {
                let mut numbers = self.numbers();
                numbers.next().is_none_or(|n| n == Number::Missing && numbers.next().is_none())
            }
            Self::Alleles(..) => {
                let mut alleles = self.alleles();
                alleles.next().is_none_or(|(n, _)| n.is_none() && alleles.next().is_none())
            }
        }
    }

    /// Whether there is not even a dot.
    pub fn is_empty(self) -> bool {
        matches!(self, Self::Text(b""))
    }

    /// Whether a genotype may have an allele other than the reference.
    pub fn has_alternative(self) -> bool {
        match self {
            Self::Alleles(..) => self.alleles().any(|(allele, _)| allele.is_some_and(|n| n > 0)),
            values => values.written().iter().any(|b| matches!(b, b'1'..=b'9')),
        }
    }

    /// Writes the values as VCF does, numbers as far as a line may go.
    pub fn write(self, out: &mut Vec<u8>) {
        let before = out.len();
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Numbers(bytes, atom) => {
                for one in bytes.chunks_exact(atom.width().max(1)) {
                    let Some(number) = (if atom == Atom::Float { float(one) } else { number(one) }) else {
                        break;
                    };
                    if out.len() >= LONGEST {
                        break;
                    }
                    if out.len() > before {
                        out.push(b',');
                    }
                    match number {
                        Number::Missing => out.push(b'.'),
                        Number::Integer(n) => digits(n, out),
                        Number::Float(x) => decimal(x, out),
                    }
                }
            }
            Self::Alleles(..) => {
                for (allele, phased) in self.alleles() {
                    if out.len() > before {
                        out.push(if phased { b'|' } else { b'/' });
                    }
                    match allele {
                        Some(n) => digits(n as i64, out),
                        None => out.push(b'.'),
                    }
                }
            }
        }
        if out.len() == before && !matches!(self, Self::Text(_)) {
            out.push(b'.');
        }
    }

    /// The values as VCF writes them, as text; numbers are written into `room`.
    pub fn text<'b>(self, room: &'b mut Vec<u8>) -> Cow<'b, str>
    where
        'a: 'b,
    {
        match self {
            Self::Text(text) => text_of(text),
            // What most values are: one small number.
            Self::Numbers(&[n @ 0..100], Atom::Integer(1)) => {
                let end = 2 * usize::from(n) + 2;
                Cow::Borrowed(&HUNDRED[end - if n < 10 { 1 } else { 2 }..end])
            }
            _ => {
                room.clear();
                self.write(room);
                text_of(room)
            }
        }
    }

    /// The values as VCF writes them.
    pub fn written(self) -> Cow<'a, [u8]> {
        if let Self::Text(text) = self {
            return Cow::Borrowed(text);
        }
        let mut text = Vec::new();
        self.write(&mut text);
        Cow::Owned(text)
    }
}

/// Writes a number in the shortest form that is read back as it.
fn decimal(x: f32, out: &mut Vec<u8>) {
    // Decimals of up to six digits are different numbers of 32 bits, so that one that fits is the shortest.
    for (places, scale) in [(2, 1e2), (4, 1e4)] {
        let scaled = (f64::from(x) * scale).round();
        if (1.0..1e6).contains(&scaled) && (scaled / scale) as f32 == x {
            let (mut rest, mut text) = (scaled as u32, *b"0000000000");
            let mut at = text.len();
            while rest > 0 {
                at -= 1;
                text[at] = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            let (whole, fraction) = text.split_at(text.len() - places);
            out.extend_from_slice(&whole[at.min(whole.len() - 1)..]);
            let end = fraction.iter().rposition(|&b| b != b'0').map_or(0, |last| last + 1);
            if end > 0 {
                out.push(b'.');
                out.extend_from_slice(&fraction[..end]);
            }
            return;
        }
    }
    // Writing to memory does not fail.
    drop(write!(out, "{x}"));
}

/// Writes a whole number.
#[inline]
pub(super) fn digits(n: i64, out: &mut Vec<u8>) {
    match n {
        0..10 => return out.push(b'0' + n as u8),
        10..100 => return out.extend_from_slice(&[b'0' + (n / 10) as u8, b'0' + (n % 10) as u8]),
        _ => {}
    }
    let mut text = [0; 20];
    let (mut at, mut rest) = (text.len(), n.unsigned_abs());
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&text[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(values: Values<'_>) -> String {
        String::from_utf8(values.written().into_owned()).unwrap()
    }

    #[test]
    fn floats_are_written_as_the_language_writes_them() {
        let mut bits = 1_u32;
        let odd =
            [0.0, -0.0, 1.0, 0.5, 100.0, 0.01, 0.0001, 9999.99, 0.3, f32::MAX, f32::NAN, f32::INFINITY, -2.5];
        let any = (0..200_000).map(|_| {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from_bits(bits)
        });
        let short =
            (0..1_000_000_u32).flat_map(|k| [k as f32 / 1e2, k as f32 / 1e4, (f64::from(k) / 1e3) as f32]);
        for x in odd.into_iter().chain(any).chain(short) {
            let mut text = Vec::new();
            decimal(x, &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), x.to_string());
        }
    }

    #[test]
    fn numbers_end_at_the_mark_and_may_be_missing() {
        let small = Values::Numbers(&[5, 0x80, 100, 0x81, 7], Atom::Integer(1));
        assert_eq!(written(small), "5,.,100");
        assert_eq!(written(Values::Numbers(&[0xfe, 0xff, 0x0c, 0xfe], Atom::Integer(2))), "-2,-500");
        let none = [Values::Numbers(&[0x81], Atom::Integer(1)), Values::Numbers(&[], Atom::Missing)];
        for values in none.into_iter().chain([Values::packed(b"\0\0", Atom::Character)]) {
            assert!(values.is_missing());
            assert_eq!(written(values), ".");
        }
        assert!(!Values::Numbers(&[0x80, 0x80], Atom::Integer(1)).is_missing());
        assert_eq!(written(Values::packed(b"PASS\0x", Atom::Character)), "PASS");
    }

    #[test]
    fn genotypes_are_alleles_with_phase() {
        for (bytes, text, carried) in [
            (&[2, 5][..], "0|1", true),
            (&[4, 26], "1/12", true),
            (&[0, 0], "./.", false),
            (&[2, 0x81], "0", false),
            (&[0x80, 3], ".|0", false),
        ] {
            let genotype = Values::Alleles(bytes, 1);
            assert_eq!((written(genotype).as_str(), genotype.has_alternative()), (text, carried));
        }
    }
}

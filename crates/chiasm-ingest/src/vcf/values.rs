use super::packed::{Atom, Values};
use super::reserved::{Definition, Number, Type};
use super::version::Version;

/// What more is known of a reserved key than its Number and Type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    None,
    /// A count, a position, a depth, a root mean square: not below zero.
    NotNegative,
    /// From 0 to 1.
    Fraction,
    /// A CIGAR string.
    Cigar,
    /// The last position of the record.
    End,
    /// A genotype.
    Genotype,
    /// PASS, or filters separated by semicolons.
    Filter,
    /// Two numbers for each alternative allele, below and above zero (4.4).
    Interval,
}

/// What INFO key `key` means beyond its definition.
pub(super) fn info_meaning(key: &[u8], version: Version) -> Meaning {
    match key {
        b"AC" | b"AN" | b"DP" | b"MQ0" | b"NS" | b"BQ" | b"MQ" => Meaning::NotNegative,
        b"AD" | b"ADF" | b"ADR" if version.strict() => Meaning::NotNegative,
        b"AF" => Meaning::Fraction,
        b"CIGAR" => Meaning::Cigar,
        b"END" => Meaning::End,
        b"CIPOS" | b"CIEND" if version >= Version::V44 => Meaning::Interval,
        _ => Meaning::None,
    }
}

/// What FORMAT key `key` means beyond its definition.
pub(super) fn format_meaning(key: &[u8], version: Version) -> Meaning {
    match key {
        b"GT" => Meaning::Genotype,
        b"DP" | b"EC" | b"PS" => Meaning::NotNegative,
        b"AD" | b"ADF" | b"ADR" if version.strict() => Meaning::NotNegative,
        b"GP" | b"CNP" if version.strict() => Meaning::Fraction,
        b"FT" => Meaning::Filter,
        _ => Meaning::None,
    }
}

/// How many genotypes there are of `ploidy` alleles out of `alleles`.
pub(super) fn genotypes(alleles: u64, ploidy: u64) -> u64 {
    // Combinations with repetition; past any real number of alleles the product saturates.
    if ploidy > 64 {
        return u64::MAX;
    }
    (1..=ploidy).fold(1, |n: u64, k| n.saturating_mul(alleles.saturating_add(k - 1)) / k)
}

/// Whether `text` is a whole number; outside 32 bits gives `Some(false)`.
fn integer(text: &[u8]) -> Option<bool> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if digits.len() < 10 {
        return Some(true);
    }
    let value: Option<i64> = std::str::from_utf8(text).ok().and_then(|t| t.parse().ok());
    Some(value.is_some_and(|v| (-(1 << 31) + 8..1 << 31).contains(&v)))
}

/// Whether `text` is a number by the regular expressions of the specification, or infinite, or no number.
pub(super) fn is_float(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let digits = |t: &[u8]| t.iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(text);
    let mut rest = &text[whole..];
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        fraction = digits(after);
        if fraction == 0 {
            return false;
        }
        rest = &after[fraction..];
    }
    if whole + fraction == 0 {
        return ["inf", "infinity", "nan"].iter().any(|w| text.eq_ignore_ascii_case(w.as_bytes()));
    }
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            !exponent.is_empty() && exponent.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// A number, where it is one.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// One character: of UTF-8, or written with a percent sign.
fn is_character(text: &[u8]) -> bool {
    let encoded = matches!(text, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    text.len() == 1 || encoded || std::str::from_utf8(text).is_ok_and(|t| t.chars().count() == 1)
}

fn is_cigar(text: &[u8]) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        match rest.get(digits) {
            Some(b'M' | b'I' | b'D' | b'N' | b'S' | b'H' | b'P' | b'X' | b'=') if digits > 0 => {}
            _ => return false,
        }
        rest = &rest[digits + 1..];
    }
    !text.is_empty()
}

/// Why values do not fit their definition; the words end a sentence that begins with "expected".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// Another number of values: so many were expected.
    Count(u64),
    Type(&'static str),
    /// A whole number that 32 bits do not hold.
    Wide,
    Meaning(&'static str),
}

/// The alleles that the number of values follows from.
#[derive(Clone, Copy)]
pub(super) struct Alleles {
    /// Alternative alleles.
    pub alternatives: u64,
    /// The alleles of a genotype, where it is known.
    pub ploidy: Option<u64>,
}

/// Checks the values of one key.
pub(super) fn misfit(
    values: Values<'_>,
    definition: Option<Definition>,
    meaning: Meaning,
    alleles: Alleles,
) -> Option<Misfit> {
    let definition = definition?;
    let count = match plain(values, definition.kind, meaning) {
        Some(count) => count,
        None if values.is_missing() => return None,
        None => match one_by_one(&values.written(), definition.kind, meaning) {
            Ok(count) => count,
            Err(misfit) => return Some(misfit),
        },
    };
    let expected = |alternatives: u64| {
        Some(match definition.number {
            Number::Count(n) => u64::from(n),
            Number::A => alternatives,
            Number::R => alternatives + 1,
            Number::G => genotypes(alternatives + 1, alleles.ploidy?),
            Number::P => alleles.ploidy?,
            Number::Any => return None,
        })
    };
    if meaning == Meaning::Interval && definition.number == Number::Any {
        return interval(&values.written(), count, alleles.alternatives);
    }
    let wanted = expected(alleles.alternatives)?;
    // Where ALT is a dot, writers count it as an allele; the standard's own test files do.
    let dotted = alleles.alternatives == 0 && expected(1) == Some(count);
    (count != wanted && !dotted).then_some(Misfit::Count(wanted))
}

/// How many values there are, where it is seen at once that nothing is wrong with them.
pub(super) fn plain(values: Values<'_>, kind: Type, meaning: Meaning) -> Option<u64> {
    match values {
        Values::Text(text) if kind == Type::Integer => plain_integers(text),
        Values::Numbers(bytes, Atom::Integer(width)) if kind == Type::Integer && !bytes.is_empty() => {
            // The marks of the end and of what is missing have the sign of a negative number.
            let negative = match width {
                1 => signs::<1>(bytes),
                2 => signs::<2>(bytes),
                _ => signs::<4>(bytes),
            };
            (!negative).then_some((bytes.len() / width) as u64)
        }
        Values::Numbers(bytes, Atom::Float) if kind == Type::Float && !bytes.is_empty() => {
            let most = if meaning == Meaning::Fraction { 1.0 } else { f32::INFINITY };
            let fits = |x: &[u8; 4]| (0.0..=most).contains(&f32::from_le_bytes(*x));
            let numbers = bytes.as_chunks().0;
            numbers.iter().all(fits).then_some(numbers.len() as u64)
        }
        _ => None,
    }
}

/// Whether one of the numbers of `N` bytes has the sign of a negative one.
fn signs<const N: usize>(bytes: &[u8]) -> bool {
    bytes.as_chunks::<N>().0.iter().fold(0, |signs, number| signs | number[N - 1]) >= 0x80
}

/// How many values there are, where each is one to nine digits: what most values are.
fn plain_integers(values: &[u8]) -> Option<u64> {
    let (mut count, mut digits) = (1, 0);
    for &b in values {
        if b == b',' {
            if digits == 0 {
                return None;
            }
            (count, digits) = (count + 1, 0);
        } else if b.is_ascii_digit() && digits < 9 {
            digits += 1;
        } else {
            return None;
        }
    }
    (digits > 0).then_some(count)
}

/// Checks each value, and counts them.
fn one_by_one(values: &[u8], kind: Type, meaning: Meaning) -> Result<u64, Misfit> {
    let mut count = 0;
    for value in values.split(|&b| b == b',') {
        count += 1;
        if value == b"." {
            continue;
        }
        match kind {
            Type::Integer => match integer(value) {
                None => return Err(Misfit::Type("a whole number")),
                Some(false) => return Err(Misfit::Wide),
                Some(true) => {}
            },
            Type::Float if !is_float(value) => return Err(Misfit::Type("a number")),
            Type::Character if !is_character(value) => return Err(Misfit::Type("one character")),
            Type::Float | Type::Character | Type::String | Type::Flag => {}
        }
        if let Some(why) = meant(value, meaning) {
            return Err(Misfit::Meaning(why));
        }
    }
    Ok(count)
}

fn meant(value: &[u8], meaning: Meaning) -> Option<&'static str> {
    let below = |n: f64| n < 0.0;
    match meaning {
        Meaning::NotNegative | Meaning::End if value[..].starts_with(b"-") => {
            number(value).is_none_or(below).then_some("no number below zero")
        }
        Meaning::Fraction => number(value)
            .is_some_and(|n| !(0.0..=1.0).contains(&n) && !n.is_nan())
            .then_some("a number from 0 to 1"),
        Meaning::Cigar => (!is_cigar(value)).then_some("a CIGAR string"),
        _ => None,
    }
}

/// Pairs around zero, one for each alternative allele.
fn interval(values: &[u8], count: u64, alternatives: u64) -> Option<Misfit> {
    if count != 2 * alternatives {
        return Some(Misfit::Count(2 * alternatives));
    }
    let outside = values
        .split(|&b| b == b',')
        .enumerate()
        .any(|(i, value)| number(value).is_some_and(|n| if i % 2 == 0 { n > 0.0 } else { n < 0.0 }));
    outside.then_some(Misfit::Meaning("an interval around zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_specification_says() {
        for good in ["1", "-0.5", ".5", "1e-3", "2e+1", "Inf", "+Inf", "NaN", "-infinity"] {
            assert!(is_float(good.as_bytes()), "{good}");
        }
        for bad in ["", ".", "5.", "e5", "1e", "0x1", "1.2.3", "--1", "1 "] {
            assert!(!is_float(bad.as_bytes()), "{bad}");
        }
        assert_eq!(
            (integer(b"2147483648"), integer(b"-2147483648"), integer(b"1.0")),
            (Some(false), Some(false), None)
        );
    }

    #[test]
    fn genotypes_are_counted_with_repetition() {
        for (alleles, ploidy, count) in [(2, 2, 3), (3, 2, 6), (3, 3, 10), (2, 1, 2), (5, 0, 1)] {
            assert_eq!(genotypes(alleles, ploidy), count);
        }
        assert!(genotypes(u64::MAX / 2, 4) > 0);
    }

    #[test]
    fn cigars_are_lengths_and_operations() {
        assert!(is_cigar(b"1M30I2D1N") && is_cigar(b"1X"));
        assert!(!is_cigar(b"D") && !is_cigar(b"123MYCIGAR") && !is_cigar(b"0.05") && !is_cigar(b"1M3"));
    }
}

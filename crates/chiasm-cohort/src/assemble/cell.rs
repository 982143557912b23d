//! Reading one cell: missing, a code, or a number.

use std::borrow::Cow;

/// A code without what a file format adds to it: blanks around it, and the `.0` that a number column
/// with gaps gives to whole numbers.
pub(crate) fn code(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if let Some((whole, zeros)) = text.split_once('.') {
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let is_whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if is_whole && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') {
            return Cow::Borrowed(whole);
        }
    }
    Cow::Borrowed(text)
}

/// The number that a text holds, or the kind of thing that it is instead.
pub(super) fn number(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(_) => Err("a number that is not finite"),
        Err(_) => Err("text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lose_what_the_format_adds() {
        for (text, expected) in [
            ("1.0", "1"),
            ("-1.00", "-1"),
            (" 2 ", "2"),
            ("1.5", "1.5"),
            ("001", "001"),
            ("I.0", "I.0"),
            (".0", ".0"),
            ("3.", "3."),
        ] {
            assert_eq!(code(text), expected);
        }
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(number("-1.5e3"), Ok(-1500.0));
        assert_eq!(number("1,5"), Err("text"));
        for text in ["NaN", "inf", "-Infinity", "1e999"] {
            assert_eq!(number(text), Err("a number that is not finite"), "{text}");
        }
    }
}

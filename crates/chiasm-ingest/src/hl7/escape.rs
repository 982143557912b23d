//! Escape sequences: what stands for a delimiter, a byte or a line break.

use super::field::Marks;
use std::borrow::Cow;

/// `text` with its escape sequences resolved. Unknown ones stay as they are.
///
/// Line commands (`\.br\`, `\.sp2\`, `\.ce\`) become line breaks, highlighting disappears.
pub(super) fn resolve<'a>(text: &'a str, marks: &Marks) -> Cow<'a, str> {
    let Some(escape) = marks.escape.filter(|e| text.contains(*e)) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(escape) {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(end) = after.find(escape) else {
            // A lone escape character is a sender's slip: it stays.
            out.push_str(&rest[at..]);
            return Cow::Owned(out);
        };
        let sequence = &after[..end];
        if one(sequence, marks, &mut out) {
            rest = &after[end + 1..];
        } else {
            // Not a sequence: the second character may begin one.
            out.push_str(&rest[at..=at + end]);
            rest = &after[end..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Writes what `sequence` stands for; false where it stands for nothing.
fn one(sequence: &str, marks: &Marks, out: &mut String) -> bool {
    match sequence {
        "F" => out.push(marks.field),
        "S" => out.push(marks.component),
        "T" => out.extend(marks.subcomponent),
        "R" => out.extend(marks.repetition),
        "E" => out.extend(marks.escape),
        "P" => out.push('#'),
        "H" | "N" => {}
        _ => return command(sequence, out),
    }
    true
}

fn command(sequence: &str, out: &mut String) -> bool {
    if let Some(command) = sequence.strip_prefix('.') {
        let count = |n: &str| n.trim_start_matches('+').trim().parse::<usize>().unwrap_or(1).clamp(1, 99);
        match command.get(..2) {
            Some("br" | "ce") => out.push('\n'),
            Some("sp") => (0..count(&command[2..])).for_each(|_| out.push('\n')),
            Some("sk") => (0..count(&command[2..])).for_each(|_| out.push(' ')),
            Some("fi" | "nf" | "in" | "ti") => {}
            _ => return false,
        }
        return true;
    }
    let Some(digits) = sequence.strip_prefix('X').filter(|d| !d.is_empty() && d.len() % 2 == 0) else {
        return false;
    };
    let pair = |p: &[u8]| std::str::from_utf8(p).ok().and_then(|p| u8::from_str_radix(p, 16).ok());
    let Some(bytes) = digits.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>() else {
        return false;
    };
    match String::from_utf8(bytes) {
        Ok(text) => out.push_str(&text.replace("\r\n", "\n").replace('\r', "\n")),
        Err(e) => out.extend(e.as_bytes().iter().map(|b| char::from(*b))),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_what_they_stand_for() {
        let marks = Marks::read(b"MSH|^~\\&|").unwrap();
        let cases = [
            ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
            ("one\\.br\\two\\.sp2\\three", "one\ntwo\n\nthree"),
            ("\\H\\bold\\N\\", "bold"),
            ("\\X41\\\\X0D0A\\\\XE9\\", "A\né"),
            ("\\XC3A9\\", "é"),
            ("\\Zx1\\ \\X4\\ \\Xzz\\", "\\Zx1\\ \\X4\\ \\Xzz\\"),
            ("C:\\temp", "C:\\temp"),
            ("C:\\dir\\F\\x", "C:\\dir|x"),
            ("é\\", "é\\"),
            ("plain", "plain"),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text, &marks), expected, "{text}");
        }
    }
}

//! OBX-5: a value of the type that OBX-2 names.

use super::coding::Coded;
use super::context::Context;
use super::field::Field;
use crate::feed::Asset;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A value as an event holds it.
#[derive(Default)]
pub(super) struct Observed {
    pub(super) value: Option<f64>,
    pub(super) text: Option<String>,
    pub(super) attributes: Vec<(&'static str, String)>,
    pub(super) asset: Option<Asset>,
}

/// A plain decimal number; nothing else that Rust would take for one (`inf`, `nan`).
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let begins = text.bytes().any(|b| b.is_ascii_digit()) && !text.starts_with(['e', 'E']);
    if plain && begins { text.parse().ok().filter(|v: &f64| v.is_finite()) } else { None }
}

/// Reads the value `field` of type `kind`; `unit` says whether the sender gives a unit.
pub(super) fn observed(kind: &str, field: Field<'_>, unit: bool, context: &mut Context<'_>) -> Observed {
    if field.is_empty() {
        return Observed::default();
    }
    match kind {
        "NM" => numeric(field, context),
        "SN" => structured(field),
        "CE" | "CWE" | "CNE" | "CF" | "IS" | "ID" => coded(field, context),
        "ED" => embedded(field, context),
        "RP" => Observed {
            text: field.component(1).string(),
            attributes: [("pointer_application", 2), ("media_type", 3), ("media_subtype", 4)]
                .into_iter()
                .filter_map(|(name, n)| Some((name, field.component(n).string()?)))
                .collect(),
            ..Observed::default()
        },
        _ => {
            let lines: Vec<String> =
                field.repetitions().map(|line| line.string().unwrap_or_default()).collect();
            let text = lines.join("\n");
            // A laboratory's number sent as text: its unit says that it is one.
            match number(&text).filter(|_| unit && matches!(kind, "ST" | "TX" | "")) {
                Some(value) => Observed { value: Some(value), ..Observed::default() },
                None => Observed { text: Some(text).filter(|t| !t.is_empty()), ..Observed::default() },
            }
        }
    }
}

fn numeric(field: Field<'_>, context: &mut Context<'_>) -> Observed {
    let Some(text) = field.component(1).string() else { return Observed::default() };
    let one = field.repetitions().count() == 1 && field.components() == 1;
    if let Some(value) = number(&text).filter(|_| one) {
        return Observed { value: Some(value), ..Observed::default() };
    }
    // "<5" is text by the standard, and often sent as a number.
    let rest = text.trim_start_matches(['<', '>', '=']);
    let comparator = &text[..text.len() - rest.len()];
    context.doubt("OBX-5", "expected a number by OBX-2, found another text");
    match number(rest).filter(|_| one && !comparator.is_empty()) {
        Some(value) => Observed {
            value: Some(value),
            attributes: vec![("comparator", comparator.to_owned())],
            ..Observed::default()
        },
        None => Observed { text: field.string(), ..Observed::default() },
    }
}

/// SN: `>^100`, `^1^:^128`, `^2^-^5`, `^3^+`. Only a number alone, or one compared with, is a value.
fn structured(field: Field<'_>) -> Observed {
    let part = |n| field.component(n).string().unwrap_or_default();
    let (comparator, first, separator, second) = (part(1), part(2), part(3), part(4));
    if separator.is_empty()
        && second.is_empty()
        && let Some(value) = number(&first)
    {
        let comparator = Some(comparator).filter(|c| !c.is_empty() && c != "=");
        let attributes = comparator.map(|c| ("comparator", c)).into_iter().collect();
        return Observed { value: Some(value), attributes, ..Observed::default() };
    }
    let text = [comparator, first, separator, second].concat();
    Observed { text: Some(text).filter(|t| !t.is_empty()), ..Observed::default() }
}

fn coded(field: Field<'_>, context: &Context<'_>) -> Observed {
    let all: Vec<Coded> = field.repetitions().map(|r| Coded::of(r, context)).collect();
    let text: Vec<String> = all.iter().filter_map(Coded::shown).collect();
    // A code alone (`POS`) says no more than its text does.
    let bare = field.components() == 1;
    let codes = all.into_iter().filter(|_| !bare).flat_map(|c| {
        [("value_code", c.code), ("value_code_alternate", c.alternate)]
            .into_iter()
            .filter_map(|(name, code)| Some((name, code?.to_string())))
    });
    Observed {
        attributes: codes.collect(),
        text: Some(text.join("; ")).filter(|t| !t.is_empty()),
        ..Observed::default()
    }
}

/// ED: source application, type, subtype, encoding, data.
fn embedded(field: Field<'_>, context: &mut Context<'_>) -> Observed {
    let part = |n| field.component(n).string().unwrap_or_default();
    let (kind, subtype, encoding) = (part(2), part(3), part(4));
    let data = field.component(5);
    let bytes = match encoding.to_ascii_uppercase().as_str() {
        "BASE64" => {
            let digits: Vec<u8> = data.raw().bytes().filter(|b| !b.is_ascii_whitespace()).collect();
            let digits = match data.raw().contains('\\') {
                // Line breaks within the data come as escapes.
                true => {
                    data.string().unwrap_or_default().bytes().filter(|b| !b.is_ascii_whitespace()).collect()
                }
                false => digits,
            };
            BASE64.decode(digits).ok()
        }
        "HEX" => hexadecimal(data.raw()),
        "A" | "" => data.string().map(String::into_bytes),
        _ => None,
    };
    let described = vec![("document_type", part(1)), ("document_subtype", subtype.clone())];
    let attributes: Vec<_> = described.into_iter().filter(|(_, v)| !v.is_empty()).collect();
    match bytes.filter(|b| !b.is_empty()) {
        Some(bytes) => {
            let asset = Asset::memory(media_type(&kind, &subtype, &bytes), bytes);
            Observed { asset: Some(asset), attributes, ..Observed::default() }
        }
        None => {
            context.doubt("OBX-5", "expected a document in the encoding that ED-4 names, found other bytes");
            Observed { attributes, ..Observed::default() }
        }
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16);
    digits.chunks(2).map(|p| u8::try_from(digit(p[0])? * 16 + digit(p[1])?).ok()).collect()
}

/// What the bytes are: by what they begin with, else by tables 0191 and 0291.
fn media_type(kind: &str, subtype: &str, bytes: &[u8]) -> String {
    let starts: [(&[u8], &str); 8] = [
        (b"%PDF-", "application/pdf"),
        (b"{\\rtf", "application/rtf"),
        (b"\x89PNG", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"<?xml", "application/xml"),
        (b"GIF8", "image/gif"),
    ];
    if let Some((_, name)) = starts.iter().find(|(start, _)| bytes.starts_with(start)) {
        return (*name).to_owned();
    }
    let plain =
        |s: &str| s.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "");
    let (kind, subtype) = (plain(kind), plain(subtype));
    match (kind.as_str(), subtype.as_str()) {
        ("text" | "tx" | "ft", "" | "plain") => "text/plain".to_owned(),
        ("application" | "ap" | "image" | "im" | "audio" | "au" | "text" | "tx" | "multipart", s)
            if !s.is_empty() =>
        {
            let top = match kind.as_str() {
                "ap" => "application",
                "im" => "image",
                "au" => "audio",
                "tx" => "text",
                other => other,
            };
            format!("{top}/{s}")
        }
        _ => "application/octet-stream".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimals_are_numbers() {
        for (text, expected) in
            [("5.4", Some(5.4)), ("-1", Some(-1.0)), (" +.5 ", Some(0.5)), ("1e3", Some(1000.0))]
        {
            assert_eq!(number(text), expected, "{text}");
        }
        for text in ["", "inf", "NaN", "5,4", "e", "1e999", "-", "5 mg", "."] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn media_types_come_from_the_bytes_first() {
        assert_eq!(media_type("TEXT", "", b"%PDF-1.4"), "application/pdf");
        assert_eq!(media_type("AP", "x-hl7-cda-level-one", b"abc"), "application/x-hl7-cda-level-one");
        assert_eq!(media_type("", "", b"abc"), "application/octet-stream");
        assert_eq!(hexadecimal("4 1 4a"), Some(b"AJ".to_vec()));
        assert_eq!(hexadecimal("4x"), None);
    }
}

use super::Checker;
use crate::feed::{Feed, Parts, Severity};
use crate::json::Json;
use chiasm_record::Precision;

impl Checker<'_> {
    /// A primitive's JSON type and format.
    pub(super) fn primitive(&mut self, value: &Json<'_>, kind: &str) {
        match kind {
            "boolean" => {
                if value.boolean().is_none() {
                    self.error("fhir.type", format!("expected true or false, found {}", value.kind()));
                }
            }
            "integer" | "positiveInt" | "unsignedInt" | "decimal" => {
                let Some(digits) = value.digits() else {
                    return self.error("fhir.type", format!("expected a number, found {}", value.kind()));
                };
                let whole: Option<i32> = digits.parse().ok();
                let fits = match kind {
                    "decimal" => true,
                    "integer" => whole.is_some(),
                    "positiveInt" => whole.is_some_and(|n| n > 0),
                    _ => whole.is_some_and(|n| n >= 0),
                };
                if !fits {
                    self.error("fhir.format", format!("expected a number of type {kind}"));
                }
            }
            kind => {
                let Some(text) = value.text() else {
                    return self.error("fhir.type", format!("expected a string, found {}", value.kind()));
                };
                self.string(text, kind);
            }
        }
    }

    fn string(&mut self, text: &str, kind: &str) {
        if text.is_empty() {
            return self.error("fhir.empty", "expected a value, found an empty string");
        }
        if kind == "xhtml" {
            return self.narrative(text);
        }
        if text.chars().any(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r')) {
            self.error("fhir.format", "expected no control characters");
        }
        if text.len() > 1 << 20 && matches!(kind, "string" | "markdown") {
            self.error("fhir.format", "expected at most 1 MiB of text");
        }
        let (good, expected) = match kind {
            "string" | "markdown" => {
                if text.trim().is_empty() {
                    (false, "text that is more than blanks")
                } else {
                    if kind == "string" && text != text.trim() {
                        self.fault(Severity::Warning, "fhir.format", "expected no blanks around a string");
                    }
                    (true, "")
                }
            }
            "code" => (is_code(text), "a code without blanks around it or two in a row"),
            "id" => (is_id(text), "an id of at most 64 letters, digits, '-' and '.'"),
            "uri" | "url" | "canonical" => (is_uri(text), "a URI without blanks, an OID or UUID in its form"),
            "oid" => (is_oid(text), "urn:oid: and an OID"),
            "uuid" => (is_uuid(text), "urn:uuid: and a UUID in small letters"),
            "date" => (is_date(text), "a date YYYY, YYYY-MM or YYYY-MM-DD"),
            "dateTime" => (is_date_time(text), "a date, or date and time with seconds and zone"),
            "instant" => (is_instant(text), "date and time with seconds and zone"),
            "time" => (is_time(text), "a time hh:mm:ss"),
            "base64Binary" => (is_base64(text), "base64"),
            _ => (true, ""),
        };
        if !good {
            self.error("fhir.format", format!("expected {expected}"));
        }
    }
}

pub(super) fn is_code(text: &str) -> bool {
    text.trim() == text && !text.contains("  ") && !text.contains(['\t', '\n', '\r'])
}

pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

fn is_uri(text: &str) -> bool {
    if text.contains(char::is_whitespace) {
        return false;
    }
    match text.split_once(':') {
        Some(("urn", rest)) if rest.starts_with("oid:") => is_oid(text),
        Some(("urn", rest)) if rest.starts_with("uuid:") => is_uuid(&text.to_ascii_lowercase()),
        _ => true,
    }
}

/// Whether it begins with a scheme.
pub(super) fn is_absolute(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    !rest.is_empty()
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
}

pub(super) fn is_oid(text: &str) -> bool {
    let Some(oid) = text.strip_prefix("urn:oid:") else { return false };
    let mut arcs = oid.split('.');
    let root = arcs.next().is_some_and(|a| matches!(a, "0" | "1" | "2"));
    let mut count = 0;
    let rest = arcs.all(|arc| {
        count += 1;
        !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
    });
    root && rest && count > 0
}

pub(super) fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else { return false };
    let groups: Vec<&str> = uuid.split('-').collect();
    groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12])
        && uuid.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn parts(text: &str) -> Option<Parts> {
    let shaped = !text.contains(char::is_whitespace) && !text.contains(['t', 'z']);
    let parts = Parts::iso(text).filter(|_| shaped)?;
    // Whether there is such a day and time.
    Feed::utc("").moment(&parts).map(|_| parts)
}

pub(super) fn is_date(text: &str) -> bool {
    parts(text).is_some_and(|p| p.hour.is_none())
}

fn is_date_time(text: &str) -> bool {
    is_date(text) || is_instant(text)
}

fn is_instant(text: &str) -> bool {
    let colon = text.ends_with('Z') || text.len() > 6 && text.as_bytes()[text.len() - 3] == b':';
    parts(text).is_some_and(|p| p.precision() >= Precision::Second && p.offset.is_some()) && colon
}

fn is_time(text: &str) -> bool {
    text.len() >= 8
        && parts(&format!("2000-01-01T{text}Z")).is_some_and(|p| p.precision() >= Precision::Second)
}

pub(super) fn is_base64(text: &str) -> bool {
    let compact: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let body = compact.strip_suffix(b"==").or_else(|| compact.strip_suffix(b"=")).unwrap_or(&compact);
    compact.len().is_multiple_of(4)
        && body.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

/// How many bytes base64 stands for.
pub(super) fn base64_length(text: &str) -> usize {
    let body = text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=').count();
    body * 3 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_the_specification() {
        for (good, check) in [
            ("2024", is_date as fn(&str) -> bool),
            ("2024-02-29", is_date),
            ("2024-02-29T10:00:00Z", is_date_time),
            ("2024-02-29T10:00:00.123+01:00", is_instant),
            ("10:00:00.5", is_time),
            ("urn:oid:1.2.0.3", is_oid),
            ("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", is_uuid),
            ("http://x/y|1", is_uri),
            ("a-1.B", is_id),
            ("AA==", is_base64),
            ("A A\n=\t=", is_base64),
            ("a b", is_code),
        ] {
            assert!(check(good), "{good}");
        }
        for (bad, check) in [
            ("2023-02-29", is_date as fn(&str) -> bool),
            ("2024-2-1", is_date),
            ("not a date", is_date),
            ("2024-02-29T10:00Z", is_date_time),
            ("2024-02-29T10:00:00", is_date_time),
            ("2024-02-29T10:00:00+0100", is_date_time),
            ("2024-02-29t10:00:00z", is_date_time),
            ("24:00:00", is_time),
            ("10:00", is_time),
            ("urn:oid:1", is_oid),
            ("urn:oid:3.1", is_oid),
            ("urn:oid:1.02", is_oid),
            ("urn:uuid:53FEFA32-fcbb-4ff8-8a92-55ee120877b7", is_uuid),
            ("urn:uuid:1", is_uri),
            ("a b", is_uri),
            ("a_1", is_id),
            ("A", is_base64),
            ("A===", is_base64),
            (" a", is_code),
        ] {
            assert!(!check(bad), "{bad}");
        }
    }
}

//! JSON whose members keep the order in which they are written, absent ones left out.
//!
//! serde_json's own map is sorted or not by a feature that any crate can switch on; bytes that must be the
//! same in every build cannot depend on it.

use std::fmt::Write;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Object(Vec<(&'static str, Json)>),
    Array(Vec<Json>),
    Text(String),
    Number(f64),
    Bool(bool),
}

/// What can stand as a member's value; `None` where the member is left out.
pub(crate) trait Member {
    fn json(self) -> Option<Json>;
}

impl Member for Json {
    fn json(self) -> Option<Json> {
        match &self {
            Self::Object(members) if members.is_empty() => None,
            Self::Array(values) if values.is_empty() => None,
            _ => Some(self),
        }
    }
}
impl Member for &str {
    fn json(self) -> Option<Json> {
        Some(Json::Text(self.to_owned()))
    }
}
impl Member for String {
    fn json(self) -> Option<Json> {
        Some(Json::Text(self))
    }
}
impl Member for f64 {
    fn json(self) -> Option<Json> {
        Some(Json::Number(self))
    }
}
impl Member for bool {
    fn json(self) -> Option<Json> {
        Some(Json::Bool(self))
    }
}
impl<T: Member> Member for Option<T> {
    fn json(self) -> Option<Json> {
        self.and_then(Member::json)
    }
}
impl<T: Member> Member for Vec<T> {
    fn json(self) -> Option<Json> {
        Json::Array(self.into_iter().filter_map(Member::json).collect()).json()
    }
}
impl<T: Member, const N: usize> Member for [T; N] {
    fn json(self) -> Option<Json> {
        Json::Array(self.into_iter().filter_map(Member::json).collect()).json()
    }
}

/// `object! { "name": value, ... }`; a member without a value is left out.
macro_rules! object {
    ($($name:literal : $value:expr),* $(,)?) => {
        $crate::hospital::json::Json::Object(
            [$(($name, $crate::hospital::json::Member::json($value))),*]
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
        )
    };
}
pub(crate) use object;

impl Json {
    /// Adds a member at the end.
    pub(crate) fn with(mut self, name: &'static str, value: impl Member) -> Self {
        if let (Self::Object(members), Some(value)) = (&mut self, value.json()) {
            members.push((name, value));
        }
        self
    }

    /// Writes it on one line.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Object(members) => {
                for (i, (name, value)) in members.iter().enumerate() {
                    let _ = write!(out, "{}\"{name}\":", if i == 0 { '{' } else { ',' });
                    value.write(out);
                }
                out.push_str(if members.is_empty() { "{}" } else { "}" });
            }
            Self::Array(values) => {
                out.push('[');
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Self::Text(text) => quote(text, out),
            Self::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Self::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Base64 with padding.
///
/// # Source
/// RFC 4648, section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * i) & 63) as usize];
            out.push(if i > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_absent_ones_are_left_out() {
        let json = object! {
            "z": "a\"b\\\n\u{1}é", "none": None::<&str>, "empty": Vec::<Json>::new(), "n": 1.5,
            "a": [object! { "yes": true, "whole": 3.0 }],
        };
        let mut text = String::new();
        json.write(&mut text);
        assert_eq!(text, "{\"z\":\"a\\\"b\\\\\\n\\u0001é\",\"n\":1.5,\"a\":[{\"yes\":true,\"whole\":3}]}");
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        let expected = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (n, text) in expected.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..n]), text);
        }
    }
}

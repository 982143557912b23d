//! JSON as it is written: numbers keep their digits, members their order.
//!
//! FHIR forbids what every other JSON library does: `1.00` and `1.0` are two statements of precision there.
//! Strings and numbers borrow from the text, so that a tree costs little more than the text itself. Depth and
//! the number of values are bounded; a text that goes beyond is refused, never followed.

mod parse;
mod write;

use std::borrow::Cow;

/// How deep values may nest.
pub const DEPTH: usize = 200;

/// How many values one text may hold.
pub const VALUES: usize = 1 << 20;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, its digits as they stand.
    Number(Cow<'a, str>),
    /// A string, its escapes resolved.
    Text(Cow<'a, str>),
    /// A list.
    Array(Vec<Json<'a>>),
    /// Members in their order; a name may stand twice (see [`Document::twice`]).
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// A whole text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document<'a> {
    /// Its value.
    pub root: Json<'a>,
    /// Where a member's name stands a second time in its object, in bytes from the beginning.
    pub twice: Vec<usize>,
}

/// Why a text is no JSON. No part of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {offset}")]
pub struct Malformed {
    /// Bytes before the place.
    pub offset: usize,
    /// What should have been there.
    pub expected: &'static str,
}

impl<'a> Json<'a> {
    /// The member of that name, the first where there are two; `None` for what is no object.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The value at the end of a path of members; the first item of a list on the way.
    pub fn at(&self, path: &[&str]) -> Option<&Json<'a>> {
        path.iter().try_fold(self, |at, name| match at {
            Self::Array(items) => items.first()?.get(name),
            at => at.get(name),
        })
    }

    /// The string, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The string of that member.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }

    /// The digits of a number.
    pub fn digits(&self) -> Option<&str> {
        match self {
            Self::Number(digits) => Some(digits),
            _ => None,
        }
    }

    /// A number as it is closest in 64 bits; `None` where it is none or beyond their range.
    pub fn number(&self) -> Option<f64> {
        self.digits()?.parse().ok().filter(|n: &f64| n.is_finite())
    }

    /// `true` or `false`, where it is one.
    pub fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The items of a list; none for what is no list.
    pub fn items(&self) -> &[Json<'a>] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// The members of an object; none for what is no object.
    pub fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of that member where it is a list, the member itself where it is not.
    pub fn each(&self, name: &str) -> &[Json<'a>] {
        match self.get(name) {
            Some(Self::Array(items)) => items,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

#[cfg(test)]
mod tests;

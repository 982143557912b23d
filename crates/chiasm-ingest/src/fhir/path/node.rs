use super::super::schema::Schema;
use crate::json::Json;
use std::borrow::Cow;

/// One item of a collection.
#[derive(Clone, Debug)]
pub(in super::super) enum Node<'a> {
    /// An element: its JSON (`None` where only its `_name` is there), its `_name`, and its type.
    Element {
        json: Option<&'a Json<'a>>,
        beside: Option<&'a Json<'a>>,
        kind: &'static str,
    },
    /// A value that was computed.
    Text(Cow<'a, str>),
    Number(f64),
    Bool(bool),
}

impl<'a> Node<'a> {
    /// A resource or an element of type `kind`.
    pub fn element(json: &'a Json<'a>, kind: &'static str) -> Self {
        Self::Element { json: Some(json), beside: None, kind: of_resource(json, kind) }
    }

    /// The type's name; empty where it is not known.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Element { kind, .. } => kind,
            Self::Text(_) => "string",
            Self::Number(_) => "decimal",
            Self::Bool(_) => "boolean",
        }
    }

    pub fn json(&self) -> Option<&'a Json<'a>> {
        match self {
            Self::Element { json, .. } => *json,
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Element { json, .. } => json.and_then(Json::text),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Element { json, .. } => json.and_then(Json::number),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn boolean(&self) -> Option<bool> {
        match self {
            Self::Element { json, .. } => json.and_then(Json::boolean),
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether it is a primitive with a value.
    pub fn has_value(&self) -> bool {
        match self {
            Self::Element { json, .. } => {
                matches!(json, Some(Json::Text(_) | Json::Number(_) | Json::Bool(_)))
            }
            _ => true,
        }
    }

    /// The members of that name: of a choice by its stem, of a list each item.
    pub fn members(&self, name: &str, out: &mut Vec<Node<'a>>) {
        let Self::Element { json, beside, kind } = self else { return };
        for object in [json, beside].into_iter().flatten() {
            let found = Schema::r4().of(kind);
            for (key, value) in object.members() {
                let plain = key.strip_prefix('_').unwrap_or(key);
                if !plain.starts_with(name) || key == "resourceType" {
                    continue;
                }
                let typed = match found.and_then(|t| t.member(plain)) {
                    Some((member, typed)) if member.name == name => typed.name,
                    Some(_) => continue,
                    None if plain == name => "",
                    None => continue,
                };
                if key.starts_with('_') {
                    // Beside a value it was taken with it.
                    if object.get(plain).is_none() {
                        spread(None, Some(value), typed, out);
                    }
                } else {
                    let shadow = object.members().iter().find(|(k, _)| k.strip_prefix('_') == Some(key));
                    spread(Some(value), shadow.map(|(_, v)| v), typed, out);
                }
            }
        }
    }

    /// All members.
    pub fn children(&self, out: &mut Vec<Node<'a>>) {
        let Self::Element { json, beside, kind } = self else { return };
        let found = Schema::r4().of(kind);
        for object in [json, beside].into_iter().flatten() {
            for (key, value) in object.members() {
                let plain = key.strip_prefix('_').unwrap_or(key);
                if key == "resourceType" || key.starts_with('_') && object.get(plain).is_some() {
                    continue;
                }
                let typed = found.and_then(|t| t.member(plain)).map_or("", |(_, typed)| typed.name);
                if key.starts_with('_') {
                    spread(None, Some(value), typed, out);
                } else {
                    let shadow = object.members().iter().find(|(k, _)| k.strip_prefix('_') == Some(key));
                    spread(Some(value), shadow.map(|(_, v)| v), typed, out);
                }
            }
        }
    }
}

/// The type of a resource by its own word.
fn of_resource<'a>(json: &'a Json<'a>, kind: &'static str) -> &'static str {
    if !matches!(kind, "Resource" | "DomainResource" | "") {
        return kind;
    }
    let own = json.text_of("resourceType").and_then(|t| Schema::r4().resource(t));
    own.map_or(kind, |t| t.name)
}

/// An element, or each item of a list of them.
fn spread<'a>(
    value: Option<&'a Json<'a>>,
    beside: Option<&'a Json<'a>>,
    kind: &'static str,
    out: &mut Vec<Node<'a>>,
) {
    let single = |json: Option<&'a Json<'a>>, beside: Option<&'a Json<'a>>| Node::Element {
        json: json.filter(|j| **j != Json::Null),
        beside: beside.filter(|b| **b != Json::Null),
        kind: json.map_or(kind, |j| of_resource(j, kind)),
    };
    match (value, beside) {
        (Some(Json::Array(items)), _) => {
            let besides = beside.map_or(&[][..], Json::items);
            out.extend(items.iter().enumerate().map(|(i, item)| single(Some(item), besides.get(i))));
        }
        (None, Some(Json::Array(items))) => out.extend(items.iter().map(|item| single(None, Some(item)))),
        (value, beside) => out.push(single(value, beside)),
    }
}

use super::{Child, Element, Tree};
use crate::fhir::schema::{Schema, Type};
use crate::json::Json;
use std::borrow::Cow;

/// The namespace of resources.
const FHIR: &str = "http://hl7.org/fhir";

/// A resource in XML as the JSON that says the same, and what is wrong with the XML itself: path and words.
///
/// An element that R4 does not know becomes a member of its name, for the check of the JSON to find.
pub(in super::super) fn resource<'t>(tree: &Tree<'t>) -> (Json<'t>, Vec<(String, &'static str)>) {
    let mut converter = Converter { text: tree.text, faults: Vec::new() };
    if tree.root.attribute("xmlns") != Some(FHIR) && !tree.root.name.contains(':') {
        converter.faults.push((String::new(), "expected the namespace http://hl7.org/fhir"));
    }
    let json = converter.resource(&tree.root, local(&tree.root.name));
    (json, converter.faults)
}

struct Converter<'t> {
    text: &'t str,
    faults: Vec<(String, &'static str)>,
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Items of one name as they are collected: values, and what stands beside them.
struct Group<'t> {
    name: String,
    list: bool,
    values: Vec<Json<'t>>,
    beside: Vec<Json<'t>>,
}

impl<'t> Converter<'t> {
    fn resource(&mut self, element: &Element, path: &str) -> Json<'t> {
        let kind = local(&element.name).to_owned();
        let mut members = vec![("resourceType".into(), Json::Text(Cow::Owned(kind.clone())))];
        if let Some(found) = Schema::r4().resource(&kind) {
            self.members(element, found, path, &mut members);
        }
        Json::Object(members)
    }

    fn members(
        &mut self,
        element: &Element,
        found: &'static Type,
        path: &str,
        members: &mut Vec<(Cow<'t, str>, Json<'t>)>,
    ) {
        for (name, value) in &element.attributes {
            if name == "xmlns" || name.contains(':') {
                continue;
            }
            members.push((Cow::Owned(name.clone()), Json::Text(Cow::Owned(value.clone()))));
        }
        if element.children.iter().any(|c| matches!(c, Child::Text(t) if !t.trim().is_empty())) {
            self.faults.push((path.to_owned(), "expected no text between elements"));
        }
        let mut groups: Vec<Group<'t>> = Vec::new();
        let mut last = 0;
        for child in element.elements() {
            let name = local(&child.name);
            let (list, kind) = match found.member(name) {
                Some((member, typed)) => (member.list, typed.name),
                None => (false, ""),
            };
            let path = format!("{path}.{name}");
            let order = found
                .members
                .iter()
                .position(|m| found.member(name).is_some_and(|(f, _)| std::ptr::eq(f, m)));
            if order.is_some_and(|order| order < last) {
                self.faults.push((path.clone(), "expected the elements in the order of their definition"));
            }
            last = order.unwrap_or(last);
            let (value, beside) = self.value(child, kind, &path);
            let at = groups.iter().position(|g| g.name == name).unwrap_or_else(|| {
                groups.push(Group { name: name.to_owned(), list, values: Vec::new(), beside: Vec::new() });
                groups.len() - 1
            });
            groups[at].values.push(value);
            groups[at].beside.push(beside);
        }
        for group in groups {
            let mut put = |name: String, mut values: Vec<Json<'t>>| {
                if values.iter().all(|v| *v == Json::Null) {
                    return;
                }
                let one = if group.list || values.len() > 1 { Json::Array(values) } else { values.remove(0) };
                members.push((Cow::Owned(name), one));
            };
            put(format!("_{}", group.name), group.beside);
            put(group.name, group.values);
        }
    }

    /// An element's value, and what stands beside it where it is a primitive.
    fn value(&mut self, element: &Element, kind: &str, path: &str) -> (Json<'t>, Json<'t>) {
        if kind == "xhtml" {
            let raw = &self.text[element.span.0..element.span.1];
            return (Json::Text(Cow::Borrowed(raw)), Json::Null);
        }
        if matches!(kind, "Resource" | "DomainResource") {
            return match element.elements().next() {
                Some(inner) => (self.resource(inner, path), Json::Null),
                None => (Json::Object(Vec::new()), Json::Null),
            };
        }
        let Some(found) = Schema::r4().of(kind) else { return (Json::Object(Vec::new()), Json::Null) };
        if found.resource {
            return (self.resource(element, path), Json::Null);
        }
        if !found.primitive {
            let mut members = Vec::new();
            self.members(element, found, path, &mut members);
            return (Json::Object(members), Json::Null);
        }
        let value = element.attribute("value").map_or(Json::Null, |text| {
            let text: Cow<'t, str> = Cow::Owned(text.to_owned());
            match (kind, text.as_ref()) {
                ("boolean", "true") => Json::Bool(true),
                ("boolean", "false") => Json::Bool(false),
                ("integer" | "positiveInt" | "unsignedInt" | "decimal", digits) if is_number(digits) => {
                    Json::Number(text)
                }
                _ => Json::Text(text),
            }
        });
        let mut beside = Vec::new();
        if let Some(base) = Schema::r4().of("Element") {
            let bare = Element {
                name: element.name.clone(),
                attributes: element.attributes.iter().filter(|(n, _)| n == "id").cloned().collect(),
                children: Vec::new(),
                span: element.span,
            };
            self.members(&bare, base, path, &mut beside);
            let mut inner = Vec::new();
            for child in element.elements() {
                let (extension, _) = self.value(child, "Extension", path);
                inner.push(extension);
            }
            if !inner.is_empty() {
                beside.push(("extension".into(), Json::Array(inner)));
            }
        }
        let empty = value == Json::Null && beside.is_empty();
        let beside = if beside.is_empty() && !empty { Json::Null } else { Json::Object(beside) };
        (value, beside)
    }
}

fn is_number(text: &str) -> bool {
    let document = crate::json::Document::parse(text.as_bytes());
    text.trim() == text && document.is_ok_and(|d| matches!(d.root, Json::Number(_)))
}

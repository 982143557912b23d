use super::Checker;
use super::primitive::{is_absolute, is_id};
use crate::feed::Severity;
use crate::json::Json;
use std::collections::HashSet;

/// Id and type of each resource that is contained in one.
pub(super) fn contained<'a>(json: &'a Json<'a>) -> Vec<(&'a str, &'a str)> {
    let all = json.get("contained").map_or(&[][..], Json::items);
    all.iter()
        .filter_map(|c| Some((c.text_of("id")?, c.text_of("resourceType").unwrap_or_default())))
        .collect()
}

impl<'a> Checker<'a> {
    /// What holds for a resource beyond its members.
    pub(super) fn rules(&mut self, json: &'a Json<'a>, kind: &'static str, is_contained: bool) {
        if json.text_of("id").is_some_and(|id| !id.is_empty() && !is_id(id)) {
            self.within(".id", |c| {
                c.error("fhir.format", "expected an id of at most 64 letters, digits, '-' and '.'")
            });
        }
        if is_contained {
            if json.get("contained").is_some() {
                self.error("fhir.invariant", "dom-2: a contained resource contains no others");
            }
            let meta = |name| json.get("meta").and_then(|m| m.get(name)).is_some();
            if meta("versionId") || meta("lastUpdated") {
                self.error(
                    "fhir.invariant",
                    "dom-4: a contained resource has no versionId and no lastUpdated",
                );
            }
            if meta("security") {
                self.error("fhir.invariant", "dom-5: a contained resource has no security label");
            }
        } else {
            self.containment(json);
        }
        let definition = json.get("url").is_some() && json.get("status").is_some();
        if definition && kind != "Subscription" && json.text_of("url").is_some_and(|url| !is_absolute(url)) {
            self.within(".url", |c| c.error("fhir.canonical", "expected an absolute URL"));
        }
        match kind {
            "Bundle" => self.bundle_rules(json),
            "Observation" => self.vital_sign(json),
            "CodeSystem" => self.code_system(json),
            "ValueSet" => self.value_set(json),
            "StructureDefinition" => self.structure(json),
            _ => {}
        }
    }

    /// Each contained resource is named once and referred to.
    fn containment(&mut self, json: &'a Json<'a>) {
        let Some(Json::Array(all)) = json.get("contained") else { return };
        let mut fragments = HashSet::new();
        let mut stack = vec![json];
        while let Some(at) = stack.pop() {
            match at {
                Json::Array(items) => stack.extend(items),
                Json::Object(members) => stack.extend(members.iter().map(|(_, v)| v)),
                Json::Text(text) => {
                    fragments.extend(text.strip_prefix('#'));
                    // The links and pictures of a narrative.
                    let quoted = text.split(['"', '\'']).filter(|_| text.starts_with('<'));
                    fragments.extend(quoted.filter_map(|part| part.strip_prefix('#')));
                }
                _ => {}
            }
        }
        let mut ids = HashSet::new();
        for (i, inner) in all.iter().enumerate() {
            let Some(id) = inner.text_of("id") else {
                self.within(&format!(".contained[{i}]"), |c| {
                    c.fault(
                        Severity::Warning,
                        "fhir.dom-3",
                        "a contained resource without an id cannot be referred to",
                    );
                });
                continue;
            };
            if !ids.insert(id) {
                self.within(&format!(".contained[{i}]"), |c| {
                    c.error("fhir.contained", "two contained resources have the same id");
                });
            }
            if !fragments.contains(id) && !points_up(inner) {
                self.error(
                    "fhir.invariant",
                    "dom-3: a contained resource must be referred to or refer to its container",
                );
            }
        }
    }

    fn code_system(&mut self, json: &'a Json<'a>) {
        let content = json.text_of("content");
        if content == Some("not-present") && json.get("concept").is_some() {
            self.within(".concept[0]", |c| {
                c.error("fhir.codesystem", "content is not present, and concepts are there")
            });
        }
        if json.get("supplements").is_some() != (content == Some("supplement"))
            && json.get("supplements").is_some()
        {
            self.within(".content", |c| {
                c.error("fhir.codesystem", "expected content 'supplement' in a supplement")
            });
        }
        let mut codes: HashSet<&str> = HashSet::new();
        let mut uris: HashSet<&str> = HashSet::new();
        let mut kinds: Vec<(&str, &str)> = Vec::new();
        for (i, property) in json.each("property").iter().enumerate() {
            let (code, uri) = (property.text_of("code"), property.text_of("uri"));
            let stated = property.text_of("type").unwrap_or_default();
            self.within(&format!(".property[{i}]"), |c| {
                if code.is_some_and(|code| !codes.insert(code)) {
                    c.error("fhir.codesystem", "a property of that code is defined already");
                }
                if uri.is_some_and(|uri| !uris.insert(uri)) {
                    c.error("fhir.codesystem", "a property of that URI is defined already");
                }
                let known = uri.and_then(|u| u.strip_prefix("http://hl7.org/fhir/concept-properties#"));
                if let Some((name, kind)) = known.and_then(|k| PROPERTIES.iter().find(|(n, _)| *n == k)) {
                    if stated != *kind {
                        c.error(
                            "fhir.codesystem",
                            format!("expected the type {kind} for the property {name}"),
                        );
                    }
                    if code.is_some_and(|code| code != *name && PROPERTIES.iter().any(|(n, _)| *n == code)) {
                        c.error("fhir.codesystem", format!("expected the code {name} for that URI"));
                    }
                }
            });
            if let Some(code) = code
                && !kinds.iter().any(|(c, _)| *c == code)
            {
                kinds.push((code, stated));
            }
        }
        self.concepts(json, &kinds, 0);
    }

    /// The properties of concepts have the types that the system says.
    fn concepts(&mut self, json: &'a Json<'a>, kinds: &[(&str, &str)], depth: usize) {
        for (i, concept) in json.each("concept").iter().enumerate().filter(|_| depth < 50) {
            self.within(&format!(".concept[{i}]"), |c| {
                for (j, property) in concept.each("property").iter().enumerate() {
                    let stated =
                        property.text_of("code").and_then(|code| kinds.iter().find(|(k, _)| *k == code));
                    let chosen = property.members().iter().find_map(|(n, _)| n.strip_prefix("value"));
                    let (Some((_, kind)), Some(chosen)) = (stated, chosen) else { continue };
                    if !chosen.eq_ignore_ascii_case(kind) {
                        c.within(&format!(".property[{j}]"), |c| {
                            c.error(
                                "fhir.codesystem",
                                "the value is of another type than the property's definition",
                            );
                        });
                    }
                }
                c.concepts(concept, kinds, depth + 1);
            });
        }
    }

    fn value_set(&mut self, json: &'a Json<'a>) {
        for part in ["include", "exclude"] {
            let all = json.get("compose").map_or(&[][..], |c| c.each(part));
            for (i, include) in all.iter().enumerate() {
                let system = include.text_of("system");
                self.within(&format!(".compose.{part}[{i}]"), |c| {
                    if system.is_some_and(|s| !is_absolute(s)) {
                        c.error("fhir.valueset", "expected an absolute URI as system");
                    }
                    for (j, filter) in include.each("filter").iter().enumerate() {
                        c.within(&format!(".filter[{j}]"), |c| c.expressions(filter));
                    }
                });
            }
        }
    }

    /// Expressions in a value set are in FHIRPath.
    fn expressions(&mut self, filter: &'a Json<'a>) {
        let beside = filter.get("_value").unwrap_or(filter);
        for (i, extension) in beside.each("extension").iter().enumerate() {
            let language = extension.at(&["valueExpression", "language"]).and_then(Json::text);
            if language.is_some_and(|l| l != "text/fhirpath") {
                self.within(&format!(".extension[{i}].value.ofType(Expression)"), |c| {
                    c.error("fhir.valueset", "expected an expression in text/fhirpath");
                });
            }
        }
    }

    /// Each element's path of a profile has a name between its dots.
    fn structure(&mut self, json: &'a Json<'a>) {
        let elements = json
            .at(&["differential", "element"])
            .map_or(&[][..], |_| json.get("differential").map_or(&[][..], |d| d.each("element")));
        for (i, element) in elements.iter().enumerate() {
            let path = element.text_of("path").unwrap_or_default();
            if !path.is_empty() && path.split('.').any(str::is_empty) {
                self.within(&format!(".differential.element[{i}]"), |c| {
                    c.error("fhir.structure", "expected a name between the dots of the path");
                });
            }
        }
    }
}

/// Properties that FHIR itself defines for concepts, with their types.
const PROPERTIES: [(&str, &str); 9] = [
    ("inactive", "boolean"),
    ("status", "code"),
    ("effectiveDate", "dateTime"),
    ("deprecationDate", "dateTime"),
    ("retirementDate", "dateTime"),
    ("notSelectable", "boolean"),
    ("parent", "code"),
    ("child", "code"),
    ("partOf", "code"),
];

/// Whether something in a contained resource refers to its container.
fn points_up(json: &Json<'_>) -> bool {
    let mut stack = vec![json];
    while let Some(at) = stack.pop() {
        match at {
            Json::Array(items) => stack.extend(items),
            Json::Object(members) => stack.extend(members.iter().map(|(_, v)| v)),
            Json::Text(text) if text == "#" => return true,
            _ => {}
        }
    }
    false
}

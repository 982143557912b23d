use super::Checker;
use crate::fhir::path::Node;
use crate::fhir::reference::plausible;
use crate::fhir::schema::{Invariant, Member, Schema, Type, Typed};
use crate::json::Json;

/// What stands under one member's name: its value and what stands beside it under `_name`.
struct Given<'a> {
    value: Option<&'a Json<'a>>,
    beside: Option<&'a Json<'a>>,
}

impl<'a> Checker<'a> {
    /// An object against its type: names, cardinality, each member, and the rules over the whole.
    pub(super) fn object(&mut self, json: &'a Json<'a>, beside: Option<&'a Json<'a>>, found: &'static Type) {
        let Json::Object(members) = json else {
            return self.error("fhir.type", format!("expected an object, found {}", json.kind()));
        };
        if members.is_empty() {
            return self.error("fhir.empty", "expected members, found none");
        }
        if !found.resource && members.iter().all(|(name, _)| name == "id" || name == "resourceType") {
            self.error("fhir.ele-1", "expected a value or members beside the id, found none");
        }
        for (name, value) in members {
            let plain = name.strip_prefix('_').unwrap_or(name);
            if name == "resourceType" {
                if !found.resource {
                    self.error("fhir.unknown", "expected a resourceType in resources only");
                }
                continue;
            }
            if name == "fhir_comments" {
                self.error("fhir.unknown", "fhir_comments are not allowed since R3");
                continue;
            }
            let Some((member, typed)) = found.member(plain) else {
                let shown = if plausible(name) { name.as_ref() } else { "of another name" };
                self.error("fhir.unknown", format!("no member {shown} is allowed here"));
                continue;
            };
            let primitive = Schema::r4().of(typed.name).is_some_and(|t| t.primitive);
            if name.starts_with('_') && (!primitive || typed.name == "xhtml") {
                self.error("fhir.unknown", format!("only a primitive has a member _{plain}"));
                continue;
            }
            // What stands beside a value is looked at with it.
            if name.starts_with('_') && json.get(plain).is_some() {
                continue;
            }
            let given = if name.starts_with('_') {
                Given { value: None, beside: Some(value) }
            } else {
                let shadow = members.iter().find(|(n, _)| n.strip_prefix('_') == Some(name));
                Given { value: Some(value), beside: shadow.map(|(_, v)| v) }
            };
            self.member(&given, member, typed);
        }
        self.cardinality(json, found);
        self.invariants(&Node::Element { json: Some(json), beside, kind: found.name }, &found.invariants);
    }

    fn cardinality(&mut self, json: &'a Json<'a>, found: &'static Type) {
        for member in &found.members {
            let mut names = 0;
            let mut items = 0;
            for (name, value) in json.members() {
                let plain = name.strip_prefix('_').unwrap_or(name);
                if name.starts_with('_') && json.get(plain).is_some() || !plain.starts_with(member.name) {
                    continue;
                }
                if !found.member(plain).is_some_and(|(m, _)| std::ptr::eq(m, member)) {
                    continue;
                }
                names += 1;
                items += match value {
                    Json::Array(items) => items.len(),
                    _ => 1,
                };
            }
            if member.choice && names > 1 {
                self.error("fhir.choice", format!("expected one {}[x], found {names}", member.name));
            }
            if items < member.least {
                let (name, least) = (member.name, member.least);
                self.error("fhir.cardinality", format!("expected at least {least} {name}, found {items}"));
            }
            if member.most.is_some_and(|most| items > most && !(member.choice && names > 1)) {
                let (name, most) = (member.name, member.most.unwrap_or(0));
                self.error("fhir.cardinality", format!("expected at most {most} {name}, found {items}"));
            }
        }
    }

    fn member(&mut self, given: &Given<'a>, member: &'static Member, typed: &'static Typed) {
        let mut step = format!(".{}", member.name);
        if member.choice {
            step.push_str(&format!(".ofType({})", typed.name));
        }
        self.within(&step, |checker| {
            if !member.list {
                for value in [given.value, given.beside].into_iter().flatten() {
                    if matches!(value, Json::Array(_)) {
                        return checker.error("fhir.type", "expected one value, found a list");
                    }
                    if *value == Json::Null {
                        return checker.error("fhir.empty", "expected a value, found null");
                    }
                }
                return checker.item(given, member, typed);
            }
            let list = |value: Option<&'a Json<'a>>| match value {
                Some(Json::Array(items)) => Ok(&items[..]),
                Some(other) => Err(other.kind()),
                None => Ok(&[][..]),
            };
            let (items, besides) = match (list(given.value), list(given.beside)) {
                (Ok(items), Ok(besides)) => (items, besides),
                (Err(kind), _) | (_, Err(kind)) => {
                    return checker.error("fhir.type", format!("expected a list, found {kind}"));
                }
            };
            if items.is_empty() && besides.is_empty() {
                return checker.error("fhir.empty", "expected items, found an empty list");
            }
            for i in 0..items.len().max(besides.len()) {
                let some = |list: &'a [Json<'a>]| list.get(i).filter(|item| **item != Json::Null);
                let given = Given { value: some(items), beside: some(besides) };
                checker.within(&format!("[{i}]"), |checker| {
                    if given.value.is_none() && given.beside.is_none() {
                        return checker.error("fhir.empty", "expected an item, found null");
                    }
                    checker.item(&given, member, typed);
                });
            }
        });
    }

    /// One value of a member.
    fn item(&mut self, given: &Given<'a>, member: &'static Member, typed: &'static Typed) {
        let Some(found) = Schema::r4().of(typed.name) else { return };
        if found.primitive {
            if let Some(value) = given.value {
                self.primitive(value, typed.name);
                if matches!(typed.name, "canonical" | "uri") {
                    self.canonical(value, typed);
                }
            }
            if let Some(beside) = given.beside {
                self.beside(beside);
            }
            if given.value.is_none() && given.beside.is_none_or(|b| b.get("extension").is_none()) {
                self.error("fhir.ele-1", "expected a value or an extension, found neither");
            }
        } else if found.resource || matches!(typed.name, "Resource" | "DomainResource") {
            if let Some(value) = given.value {
                let own = value.text_of("resourceType");
                if found.resource
                    && !matches!(typed.name, "Resource" | "DomainResource")
                    && own != Some(typed.name)
                {
                    self.error("fhir.type", format!("expected a resource of type {}", typed.name));
                }
                self.resource(value, Some(member.name));
            }
            return;
        } else if let Some(value) = given.value {
            self.object(value, given.beside, found);
            if let Json::Object(_) = value {
                self.datatype(value, typed, member);
            }
        }
        self.binding(given.value, member, typed);
        let node = Node::Element { json: given.value, beside: given.beside, kind: typed.name };
        self.invariants(&node, &member.invariants);
    }

    /// What stands beside a primitive: an id and extensions, nothing else.
    fn beside(&mut self, beside: &'a Json<'a>) {
        let Json::Object(members) = beside else {
            return self
                .error("fhir.type", format!("expected an object beside a value, found {}", beside.kind()));
        };
        if members.is_empty() {
            self.error("fhir.empty", "expected members, found none");
        }
        // `Element` itself: an id and extensions.
        if let Some(element) = Schema::r4().of("Element") {
            self.object(beside, None, element);
        }
    }

    fn invariants(&mut self, node: &Node<'a>, invariants: &'static [Invariant]) {
        for invariant in invariants {
            let Some(expression) = &invariant.expression else { continue };
            if expression.holds(node, &self.around) == Some(false) {
                self.error("fhir.invariant", format!("{}: {}", invariant.key, invariant.words));
            }
        }
    }
}

use super::Checker;
use super::primitive::is_absolute;
use crate::feed::Severity;
use crate::fhir::reference::absolute;
use crate::fhir::schema::Schema;
use crate::json::Json;
use std::collections::{HashMap, HashSet};

/// The entries of a Bundle by their addresses.
#[derive(Clone, Default)]
pub(super) struct Entries<'a> {
    by_url: HashMap<&'a str, (usize, &'a str)>,
}

impl<'a> Entries<'a> {
    pub fn of(bundle: &'a Json<'a>) -> Self {
        let mut by_url = HashMap::new();
        for (i, entry) in bundle.each("entry").iter().enumerate() {
            let kind = entry.get("resource").and_then(|r| r.text_of("resourceType")).unwrap_or_default();
            if let Some(url) = entry.text_of("fullUrl") {
                by_url.entry(url).or_insert((i, kind));
            }
        }
        Self { by_url }
    }

    /// The type of the resource with that address.
    pub fn kind_of(&self, url: &str) -> Option<&'a str> {
        self.by_url.get(bare(url)).map(|(_, kind)| *kind)
    }

    /// The entry that a reference means when it stands in the entry with the address `from`.
    fn resolve(&self, reference: &str, from: Option<&str>) -> Option<usize> {
        let reference = bare(reference);
        if is_absolute(reference) {
            return self.by_url.get(reference).map(|(i, _)| *i);
        }
        let from = from?;
        let url = match absolute(from) {
            Some(target) => format!("{}/{reference}", target.authority),
            None => {
                let id = reference.rsplit('/').next()?;
                let space = ["urn:uuid:", "urn:oid:"].into_iter().find(|s| from.starts_with(s))?;
                format!("{space}{id}")
            }
        };
        self.by_url.get(url.as_str()).map(|(i, _)| *i)
    }
}

/// A reference without its version and fragment.
fn bare(reference: &str) -> &str {
    let reference = reference.split("/_history/").next().unwrap_or(reference);
    reference.split('#').next().unwrap_or(reference)
}

impl<'a> Checker<'a> {
    pub(super) fn bundle_rules(&mut self, json: &'a Json<'a>) {
        let kind = json.text_of("type").unwrap_or_default();
        self.links(json, kind);
        let expected = if kind == "searchset" { searched(json) } else { Vec::new() };
        for (i, entry) in json.each("entry").iter().enumerate() {
            self.within(&format!(".entry[{i}]"), |checker| {
                checker.address(entry, kind);
                if kind == "searchset" {
                    checker.match_of(entry, &expected);
                }
            });
        }
        if matches!(kind, "document" | "message") {
            self.document(json, kind);
        }
    }

    /// Relations that stand once.
    fn links(&mut self, json: &'a Json<'a>, kind: &str) {
        let mut seen = HashSet::new();
        for (i, link) in json.each("link").iter().enumerate() {
            let Some(relation) = link.text_of("relation") else { continue };
            let once = matches!(relation, "self" | "first" | "last" | "next" | "prev" | "previous");
            if once && kind != "document" && !seen.insert(relation) {
                self.within(&format!(".link[{i}]"), |c| {
                    c.error("fhir.bundle.link", format!("the relation {relation} can stand only once"));
                });
            }
        }
    }

    /// An entry's `fullUrl` and the resource in it.
    fn address(&mut self, entry: &'a Json<'a>, kind: &str) {
        let resource = entry.get("resource");
        let Some(url) = entry.text_of("fullUrl") else {
            let needed = matches!(kind, "document" | "message" | "searchset" | "collection" | "history");
            let outcome = resource.and_then(|r| r.text_of("resourceType")) == Some("OperationOutcome");
            if needed && resource.is_some() && !outcome {
                let severity = if kind == "document" { Severity::Error } else { Severity::Warning };
                self.fault(severity, "fhir.bundle.fullUrl", "expected a fullUrl in each entry");
            }
            return;
        };
        if !is_absolute(url) {
            return self.error("fhir.bundle.fullUrl", "expected an absolute URL as fullUrl");
        }
        let (Some(resource), Some(target)) = (resource, absolute(url)) else { return };
        if Schema::r4().resource(&target.kind).is_none() || !url.starts_with("http") {
            return;
        }
        match resource.text_of("id") {
            None => {
                self.error("fhir.bundle.fullUrl", "the fullUrl is a server's, and the resource has no id")
            }
            Some(id) if id != target.id || resource.text_of("resourceType") != Some(target.kind.as_str()) => {
                self.error("fhir.bundle.fullUrl", "the fullUrl must end with the resource's type and id");
            }
            Some(_) => {}
        }
    }

    /// What a search found.
    fn match_of(&mut self, entry: &'a Json<'a>, expected: &[&str]) {
        let Some(resource) = entry.get("resource") else { return };
        let kind = resource.text_of("resourceType").unwrap_or_default();
        let mode = entry.get("search").and_then(|s| s.text_of("mode"));
        self.within(".resource", |c| {
            if mode == Some("outcome") && kind != "OperationOutcome" {
                return c.error("fhir.bundle.search", "expected an OperationOutcome as outcome");
            }
            if mode != Some("outcome") && kind != "OperationOutcome" && resource.get("id").is_none() {
                c.error("fhir.bundle.search", "expected an id in what a search finds");
            }
            if mode == Some("match") && !expected.is_empty() && !expected.contains(&kind) {
                c.error(
                    "fhir.bundle.search",
                    format!("expected {}, as was searched for", expected.join(", ")),
                );
            }
            if mode == Some("match") && kind == "OperationOutcome" && resource.get("id").is_none() {
                c.error("fhir.bundle.search", "expected an id in what a search finds");
            }
        });
    }

    /// In a document all hangs together with its Composition.
    fn document(&mut self, json: &'a Json<'a>, kind: &str) {
        let entries = json.each("entry");
        let index = Entries::of(json);
        let mut edges: Vec<HashSet<usize>> = vec![HashSet::new(); entries.len()];
        for (i, entry) in entries.iter().enumerate() {
            let Some(resource) = entry.get("resource") else { continue };
            let from = entry.text_of("fullUrl");
            for reference in references(resource) {
                if let Some(to) = index.resolve(reference, from) {
                    edges[i].insert(to);
                    edges[to].insert(i);
                }
            }
        }
        let mut reached = vec![false; entries.len()];
        let mut stack = vec![0];
        while let Some(at) = stack.pop() {
            if at < reached.len() && !std::mem::replace(&mut reached[at], true) {
                stack.extend(edges[at].iter().copied());
            }
        }
        for (i, reached) in reached.iter().enumerate() {
            if !reached && kind == "document" {
                self.within(&format!(".entry[{i}]"), |c| {
                    c.error(
                        "fhir.bundle.document",
                        "the entry is not reached by references from the Composition",
                    );
                });
            }
        }
        let Some(first) = entries.first().and_then(|e| e.get("resource")) else { return };
        let from = entries[0].text_of("fullUrl");
        for name in ["subject", "encounter", "custodian", "author"] {
            for reference in first.each(name) {
                let Some(text) = reference.text_of("reference").filter(|t| !t.starts_with('#')) else {
                    continue;
                };
                if kind == "document" && index.resolve(text, from).is_none() {
                    self.within(&format!(".entry[0].resource.{name}"), |c| {
                        c.error(
                            "fhir.bundle.reference",
                            "expected what is referred to in the document's Bundle",
                        );
                    });
                }
            }
        }
    }
}

/// The types that a search asked for, by its link to itself.
fn searched<'a>(json: &'a Json<'a>) -> Vec<&'a str> {
    let own = json.each("link").iter().find(|l| l.text_of("relation") == Some("self"));
    let Some(url) = own.and_then(|l| l.text_of("url")) else { return Vec::new() };
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    if let Some((_, types)) = query.split('&').filter_map(|p| p.split_once('=')).find(|(n, _)| *n == "_type")
    {
        return types.split(',').collect();
    }
    let last = path.trim_end_matches("/_search").rsplit('/').next().unwrap_or_default();
    if Schema::r4().resource(last).is_some() { vec![last] } else { Vec::new() }
}

/// Every reference in a resource, and the links of its narratives.
fn references<'a>(json: &'a Json<'a>) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut stack = vec![json];
    while let Some(at) = stack.pop() {
        match at {
            Json::Array(items) => stack.extend(items),
            Json::Object(members) => {
                for (name, value) in members {
                    match value {
                        Json::Text(text) if name == "reference" || name.starts_with("value") => {
                            found.push(text.as_ref())
                        }
                        value => stack.push(value),
                    }
                }
            }
            _ => {}
        }
    }
    found
}

use crate::feed::Feed;
use crate::json::Json;
use chiasm_linkage::{Identifier, IdentifierKind};
use std::collections::HashMap;

/// How many entries of one Bundle are known by their `urn:` names.
const INDEXED: usize = 1 << 20;

/// Whose resources these are: where relative references lead.
#[derive(Clone)]
pub(super) struct Site<'a> {
    pub feed: &'a Feed,
    /// The server's base address where the Bundle's entry says it, the site's name otherwise.
    pub authority: String,
    /// The resource's own address.
    pub full_url: Option<&'a str>,
}

impl<'a> Site<'a> {
    pub fn of(feed: &'a Feed) -> Self {
        Self { feed, authority: feed.site.clone(), full_url: None }
    }

    /// The site of a Bundle's entry: its `fullUrl` names the server.
    pub fn of_entry(feed: &'a Feed, entry: &Json<'_>) -> Self {
        let base = entry.text_of("fullUrl").and_then(absolute).map(|target| target.authority);
        Self { authority: base.unwrap_or_else(|| feed.site.clone()), ..Self::of(feed) }
    }
}

/// One resource among all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub authority: String,
    /// Its type; empty where a `urn:` leads out of the Bundle.
    pub kind: String,
    pub id: String,
}

impl Target {
    /// The key of its record.
    pub fn identifier(&self) -> Identifier {
        let kind = if self.kind.is_empty() { "Patient" } else { &self.kind };
        Identifier {
            authority: format!("{}/{kind}", self.authority),
            value: self.id.clone(),
            kind: IdentifierKind::Source,
        }
    }
}

/// The resources of a Bundle that are named by `urn:uuid:` or `urn:oid:`.
#[derive(Default)]
pub(super) struct Index(HashMap<String, (String, Option<String>)>);

impl Index {
    /// Adds a Bundle's entry.
    pub fn add(&mut self, entry: &Json<'_>) {
        let Some(url) = entry.text_of("fullUrl").filter(|u| u.starts_with("urn:")) else { return };
        let Some(resource) = entry.get("resource") else { return };
        let Some(kind) = resource.text_of("resourceType") else { return };
        if self.0.len() < INDEXED {
            let id = resource.text_of("id").map(str::to_owned);
            self.0.insert(url.to_owned(), (kind.to_owned(), id));
        }
    }

    /// Where a reference leads; `None` for a fragment and for what is no reference to a resource.
    pub fn resolve(&self, reference: &str, authority: &str) -> Option<Target> {
        let reference = reference.split("/_history/").next()?;
        if let Some(urn) = reference.strip_prefix("urn:") {
            let outside = |kind: &str| Target {
                authority: "urn".to_owned(),
                kind: kind.to_owned(),
                id: urn.to_owned(),
            };
            return Some(match self.0.get(reference) {
                Some((kind, Some(id))) => {
                    Target { authority: authority.to_owned(), kind: kind.clone(), id: id.clone() }
                }
                Some((kind, None)) => outside(kind),
                None => outside(""),
            });
        }
        if reference.contains("://") {
            return absolute(reference);
        }
        let (kind, id) = reference.trim_start_matches('/').split_once('/')?;
        let whole = typed(kind) && !id.is_empty() && !id.contains(['/', '?', '#']);
        whole.then(|| Target { authority: authority.to_owned(), kind: kind.to_owned(), id: id.to_owned() })
    }
}

/// `https://server/fhir/Patient/12` in its parts.
pub(super) fn absolute(url: &str) -> Option<Target> {
    let url = url.split("/_history/").next()?;
    let (rest, id) = url.rsplit_once('/')?;
    let (base, kind) = rest.rsplit_once('/')?;
    let whole = base.contains("://") && typed(kind) && !id.is_empty();
    whole.then(|| Target { authority: base.to_owned(), kind: kind.to_owned(), id: id.to_owned() })
}

/// Whether it can be a resource type's name.
pub(super) fn typed(kind: &str) -> bool {
    kind.starts_with(|c: char| c.is_ascii_uppercase()) && kind.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether a name can be one of the standard's, so that a message may show it.
pub(super) fn plausible(name: &str) -> bool {
    name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn references_lead_to_one_resource_however_they_are_written() {
        let mut index = Index::default();
        let entry = br#"{"fullUrl":"urn:uuid:7","resource":{"resourceType":"Patient","id":"a"}}"#;
        index.add(&Document::parse(entry).unwrap().root);
        let parts = |reference: &str| {
            index.resolve(reference, "site").map(|t| format!("{} {} {}", t.authority, t.kind, t.id))
        };
        for (reference, expected) in [
            ("Patient/a", Some("site Patient a")),
            ("Patient/a/_history/3", Some("site Patient a")),
            ("https://s/fhir/Patient/a", Some("https://s/fhir Patient a")),
            ("urn:uuid:7", Some("site Patient a")),
            ("urn:uuid:8", Some("urn  uuid:8")),
            ("#p", None),
            ("Patient?identifier=x|1", None),
            ("http://x", None),
            ("é/é", None),
        ] {
            assert_eq!(parts(reference).as_deref(), expected, "{reference}");
        }
    }
}

use super::path::{Around, Node};
use super::reference::plausible;
use super::schema::Schema;
use super::stream::{self, LARGEST, Scanner};
use super::xml;
use crate::Error;
use crate::feed::{Checked, Severity, Source};
use crate::json::{Document, Json};
use std::collections::BTreeMap;

mod bundle;
mod datatype;
mod element;
mod narrative;
mod primitive;
mod resource;
mod terminology;
mod vitals;

/// After so many faults the rest is only counted.
const FAULTS: usize = 1000;

/// How deep resources may lie in resources.
const NESTED: usize = 8;

/// What is in a source and where it breaks FHIR R4: structure, cardinality, formats, required codes,
/// invariants, references, narrative, and the rules of Bundles. XML is understood as well as JSON.
///
/// It speaks as HL7's own validator does without packages and without a terminology server: an extension
/// whose definition is not at hand is an error unless HL7 or an example owns its URL; what only a profile or a
/// terminology knows is not judged. NDJSON of any size is checked line by line; another text only up to
/// [`LARGEST`], beyond which a warning says that it was not.
///
/// # Errors
/// As [`read`](super::read) for what cannot be read at all; whatever can be is described by faults.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let damaged = |e: std::io::Error| Error::Damaged {
        place: source.origin.clone(),
        expected: "text that can be read to its end",
        found: e.to_string(),
    };
    let mut all =
        All { checked: Checked::new("FHIR", Some("4.0.1".to_owned())), more: 0, kinds: BTreeMap::new() };
    let lines = source.origin.to_ascii_lowercase().trim_end_matches(".gz").ends_with(".ndjson")
        || Scanner::new(stream::open(source)?).is_lines().map_err(damaged)?;
    let mut scanner = Scanner::new(stream::open(source)?);
    let mut text = Vec::new();
    if lines {
        let mut number = 0;
        while let Some(piece) = scanner.line(&mut text).map_err(damaged)? {
            number += 1;
            let line = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii();
            if piece.too_large {
                all.fault(Severity::Error, "fhir.size", &format!("line {number}"), &too_large());
            } else if !line.is_empty() {
                all.text(line, &format!("line {number}"));
            }
        }
    } else if source.path().is_some() && source.len()? > LARGEST as u64 * 16 {
        all.fault(Severity::Warning, "fhir.size", "", &too_large());
    } else {
        use std::io::Read;
        let limit = LARGEST as u64 + 1;
        stream::open(source)?.take(limit).read_to_end(&mut text).map_err(damaged)?;
        if text.len() > LARGEST {
            all.fault(Severity::Warning, "fhir.size", "", &too_large());
        } else if text.trim_ascii().is_empty() {
            return Err(Error::Empty { place: source.origin.clone(), expected: "a FHIR resource" });
        } else {
            all.text(&text, "");
        }
    }
    Ok(all.finish())
}

fn too_large() -> String {
    format!("expected at most {LARGEST} bytes for one resource, found more: not checked")
}

/// What is found over all resources of a source.
struct All {
    checked: Checked,
    more: usize,
    kinds: BTreeMap<&'static str, usize>,
}

impl All {
    fn fault(&mut self, severity: Severity, rule: &str, place: &str, message: &str) {
        if self.checked.faults.len() < FAULTS || severity == Severity::Error && self.checked.is_valid() {
            self.checked.fault(severity, rule, place, message);
        } else {
            self.more += 1;
        }
    }

    /// One resource as text; `line` says where it stands.
    fn text(&mut self, text: &[u8], line: &str) {
        let is_xml = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start().starts_with(b"<");
        if is_xml {
            let tree = match xml::parse(text) {
                Ok(tree) => tree,
                Err(fault) => return self.fault(Severity::Error, "fhir.xml", line, &fault.to_string()),
            };
            let (json, faults) = xml::resource(&tree);
            for (path, message) in faults {
                self.fault(Severity::Error, "fhir.xml", &placed(line, &path), message);
            }
            return self.root(&json, line);
        }
        match Document::parse(text) {
            Err(fault) => self.fault(Severity::Error, "fhir.json", line, &format!("no JSON: {fault}")),
            Ok(document) => {
                for at in &document.twice {
                    let message = format!("a member's name stands twice in its object, at byte {at}");
                    self.fault(Severity::Error, "fhir.json.twice", line, &message);
                }
                self.root(&document.root, line);
            }
        }
    }

    fn root(&mut self, json: &Json<'_>, line: &str) {
        let kind = json.text_of("resourceType").and_then(|k| Schema::r4().resource(k)).map_or("", |t| t.name);
        *self.kinds.entry(kind).or_default() += 1;
        if kind == "Bundle" {
            for entry in json.each("entry") {
                let inner = entry.get("resource").and_then(|r| r.text_of("resourceType"));
                let inner = inner.and_then(|k| Schema::r4().resource(k)).map_or("", |t| t.name);
                *self.kinds.entry(inner).or_default() += 1;
            }
        }
        let mut checker = Checker::new(json);
        checker.path.push_str(kind);
        checker.resource(json, None);
        for (severity, rule, path, message) in checker.faults {
            self.fault(severity, rule, &placed(line, &path), &message);
        }
        self.more += checker.more;
    }

    fn finish(mut self) -> Checked {
        for (kind, count) in self.kinds {
            let name = if kind.is_empty() { "other" } else { kind };
            self.checked.content(name, count);
        }
        if self.more > 0 {
            let message = format!("{} further faults are not listed", self.more);
            self.checked.fault(Severity::Information, "fhir.faults", "", message);
        }
        self.checked
    }
}

fn placed(line: &str, path: &str) -> String {
    match (line, path) {
        ("", path) => path.to_owned(),
        (line, "") => line.to_owned(),
        (line, path) => format!("{line}: {path}"),
    }
}

/// Walks through one resource and those in it.
struct Checker<'a> {
    faults: Vec<(Severity, &'static str, String, String)>,
    more: usize,
    path: String,
    around: Around<'a>,
    /// The resources contained in the outermost one at hand: id and type.
    contained: Vec<(&'a str, &'a str)>,
    /// The Bundle around, if there is one.
    bundle: Option<bundle::Entries<'a>>,
    /// How many resources this one lies in.
    depth: usize,
}

impl<'a> Checker<'a> {
    fn new(json: &'a Json<'a>) -> Self {
        let node = Node::element(json, "Resource");
        Self {
            faults: Vec::new(),
            more: 0,
            path: String::new(),
            around: Around { resource: node.clone(), root: node },
            contained: Vec::new(),
            bundle: None,
            depth: 0,
        }
    }

    fn fault(&mut self, severity: Severity, rule: &'static str, message: impl Into<String>) {
        if self.faults.len() < FAULTS {
            self.faults.push((severity, rule, self.path.clone(), message.into()));
        } else {
            self.more += 1;
        }
    }

    fn error(&mut self, rule: &'static str, message: impl Into<String>) {
        self.fault(Severity::Error, rule, message);
    }

    /// Does something one step down the path.
    fn within<T>(&mut self, step: &str, then: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(step);
        let done = then(self);
        self.path.truncate(length);
        done
    }

    /// A resource at the path at hand; `member` says in which member it stands.
    fn resource(&mut self, json: &'a Json<'a>, member: Option<&str>) {
        let Json::Object(_) = json else {
            return self.error("fhir.resource", format!("expected a resource, found {}", json.kind()));
        };
        let Some(kind) = json.get("resourceType") else {
            return self.error("fhir.resource", "expected a resourceType, found none");
        };
        let Some(found) = kind.text().and_then(|k| Schema::r4().resource(k)) else {
            let shown = kind.text().filter(|k| plausible(k)).unwrap_or("another");
            return self.error("fhir.resource", format!("expected a resource type of R4, found {shown}"));
        };
        if self.depth > NESTED {
            return self.error("fhir.depth", "expected fewer resources in resources");
        }
        let outer = self.around.clone();
        let node = Node::element(json, "Resource");
        let contained = member == Some("contained");
        self.around =
            Around { root: if contained { outer.resource.clone() } else { node.clone() }, resource: node };
        let mut ids = std::mem::take(&mut self.contained);
        self.contained = if contained { ids.clone() } else { resource::contained(json) };
        let bundle = (found.name == "Bundle").then(|| self.bundle.replace(bundle::Entries::of(json)));
        self.depth += 1;
        self.object(json, None, found);
        self.rules(json, found.name, contained);
        self.depth -= 1;
        if let Some(outer) = bundle {
            self.bundle = outer;
        }
        std::mem::swap(&mut self.contained, &mut ids);
        self.around = outer;
    }
}

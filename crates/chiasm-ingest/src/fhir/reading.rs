use super::event::{Kept, Whole};
use super::reference::{Index, Site};
use super::stream::{self, LARGEST, Piece, Scanner};
use super::{identity, kinds};
use crate::Error;
use crate::feed::{Entry, Feed, Mention, Rejected, Sink, SinkError, Source};
use crate::json::{Document, Json, Malformed};
use bytes::Bytes;

/// How much of a Bundle beside its entries is kept in memory.
const HEAD: usize = 1 << 20;

/// How deep Bundles may lie in Bundles.
const NESTED: usize = 4;

/// Reads all resources of a source.
///
/// What is no JSON, has no `resourceType`, names a member twice or is larger than [`LARGEST`] is rejected;
/// the reading goes on with the next line or entry.
///
/// # Errors
/// [`Error::Io`] and its like where the source cannot be read, [`Error::Damaged`] where its packing breaks
/// off, [`Error::Sink`] where an entry cannot be kept.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let mut reading = Reading { source, feed, sink };
    let lines = source.origin.to_ascii_lowercase().trim_end_matches(".gz").ends_with(".ndjson")
        || reading.scanner()?.is_lines().map_err(|e| reading.damaged(&e))?;
    if lines { reading.lines() } else { reading.document() }
}

struct Reading<'a> {
    source: &'a Source,
    feed: &'a Feed,
    sink: &'a mut dyn Sink,
}

/// What a first look at a document finds.
struct Outline {
    bundle: bool,
    index: Index,
}

impl Reading<'_> {
    fn scanner(&self) -> Result<Scanner, Error> {
        Ok(Scanner::new(stream::open(self.source)?))
    }

    fn damaged(&self, error: &std::io::Error) -> Error {
        Error::Damaged {
            place: self.source.origin.clone(),
            expected: "text that can be read to its end",
            found: error.to_string(),
        }
    }

    fn unkept(&self, source: SinkError) -> Error {
        Error::Sink { place: self.source.origin.clone(), source }
    }

    fn reject(
        &mut self,
        place: String,
        offset: u64,
        fault: (&str, String),
        bytes: Option<&[u8]>,
    ) -> Result<(), Error> {
        let rejected = Rejected {
            place,
            offset: Some(offset),
            rule: fault.0.to_owned(),
            message: fault.1,
            bytes: bytes.filter(|b| !b.is_empty()).map(Bytes::copy_from_slice),
        };
        self.sink.reject(rejected).map_err(|e| self.unkept(e))
    }

    fn lines(&mut self) -> Result<(), Error> {
        let mut scanner = self.scanner()?;
        let mut text = Vec::new();
        let mut number = 0;
        while let Some(piece) = scanner.line(&mut text).map_err(|e| self.damaged(&e))? {
            number += 1;
            let line = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii();
            if line.is_empty() && !piece.too_large {
                continue;
            }
            let site = Site::of(self.feed);
            self.piece(&piece, line, &format!("line {number}"), |reading, root, place| {
                reading.resource(root, None, &site, &Index::default(), place, 0)
            })?;
        }
        Ok(())
    }

    /// Parses a piece and hands it over, or rejects it.
    fn piece(
        &mut self,
        piece: &Piece,
        text: &[u8],
        place: &str,
        take: impl FnOnce(&mut Self, &Json<'_>, &str) -> Result<Option<&'static str>, Error>,
    ) -> Result<(), Error> {
        if piece.too_large {
            let message = format!("expected at most {LARGEST} bytes for one resource, found more");
            return self.reject(place.to_owned(), piece.offset, ("fhir.size", message), None);
        }
        let fault = match Document::parse(text) {
            Err(Malformed { offset, expected }) => {
                let message = format!("no JSON: expected {expected} at byte {offset} of it");
                ("fhir.json", message)
            }
            Ok(document) if !document.twice.is_empty() => {
                let message = format!("a member's name stands twice at byte {} of it", document.twice[0]);
                ("fhir.json.twice", message)
            }
            Ok(document) => match take(self, &document.root, place)? {
                None => return Ok(()),
                Some(missing) => ("fhir.resource", format!("expected {missing}")),
            },
        };
        self.reject(place.to_owned(), piece.offset, fault, Some(text))
    }

    fn document(&mut self) -> Result<(), Error> {
        let outline = self.outline()?;
        if outline.bundle {
            return self.bundle(&outline.index);
        }
        let mut scanner = self.scanner()?;
        let mut text = Vec::new();
        let Some(_) = scanner.next_mark().map_err(|e| self.damaged(&e))? else {
            return Err(Error::Empty { place: self.source.origin.clone(), expected: "a FHIR resource" });
        };
        let mut piece = scanner.value(&mut text).map_err(|e| self.damaged(&e))?;
        // Something after the value is part of what is wrong with it.
        while scanner.next_mark().map_err(|e| self.damaged(&e))?.is_some() {
            let mut rest = Vec::new();
            scanner.line(&mut rest).map_err(|e| self.damaged(&e))?;
            piece.too_large |= text.len() + rest.len() > LARGEST;
            if piece.too_large {
                break;
            }
            text.push(b'\n');
            text.extend(rest);
        }
        let site = Site::of(self.feed);
        self.piece(&piece, &text, "", |reading, root, place| {
            reading.resource(root, None, &site, &Index::default(), place, 0)
        })
    }

    /// What the document is, and which names its entries have.
    fn outline(&mut self) -> Result<Outline, Error> {
        let mut scanner = self.scanner()?;
        let mut outline = Outline { bundle: false, index: Index::default() };
        let mut text = Vec::new();
        let mut walk = || -> std::io::Result<()> {
            let mut first = true;
            while open_member(&mut scanner, &mut text, &mut first)? {
                if text == b"\"entry\"" && scanner.next_mark()? == Some(b'[') {
                    while next_entry(&mut scanner, &mut text)?.is_some_and(|p| p.broken.is_none()) {
                        if let Ok(entry) = Document::parse(&text) {
                            outline.index.add(&entry.root);
                        }
                    }
                } else {
                    let kind = text == b"\"resourceType\"";
                    if scanner.value(&mut text)?.broken.is_some() {
                        break;
                    }
                    outline.bundle |= kind && text == b"\"Bundle\"";
                }
            }
            Ok(())
        };
        walk().map_err(|e| self.damaged(&e))?;
        Ok(outline)
    }

    /// Goes through a Bundle's entries one by one.
    fn bundle(&mut self, index: &Index) -> Result<(), Error> {
        let mut scanner = self.scanner()?;
        let mut text = Vec::new();
        let mut head = String::from("{");
        let mut number = 0;
        let mut first = true;
        let io = |e: std::io::Error| Error::Damaged {
            place: self.source.origin.clone(),
            expected: "text that can be read to its end",
            found: e.to_string(),
        };
        while open_member(&mut scanner, &mut text, &mut first).map_err(io)? {
            if text != b"\"entry\"" || scanner.next_mark().map_err(io)? != Some(b'[') {
                let name = String::from_utf8_lossy(&text).into_owned();
                let piece = scanner.value(&mut text).map_err(io)?;
                if piece.broken.is_none() && !piece.too_large && head.len() + text.len() < HEAD {
                    let comma = if head.len() > 1 { "," } else { "" };
                    head.push_str(&format!("{comma}{name}:{}", String::from_utf8_lossy(&text)));
                }
                continue;
            }
            while let Some(piece) = next_entry(&mut scanner, &mut text).map_err(io)? {
                number += 1;
                let place = format!("entry {number}");
                if let Some(expected) = piece.broken {
                    let message = format!("the text breaks off: expected {expected}");
                    return self.reject(place, piece.offset, ("fhir.json", message), Some(&text));
                }
                self.piece(&piece, &text, &place, |reading, root, place| {
                    reading.bundled(root, index, place, 0)
                })?;
            }
        }
        if !first_closed(&mut scanner).map_err(io)? {
            let message = "the text breaks off or goes on where a Bundle ends".to_owned();
            self.reject(String::new(), scanner.offset(), ("fhir.json", message), None)?;
        }
        head.push('}');
        match Document::parse(head.as_bytes()) {
            Ok(document) => self.frame(&document.root, ""),
            Err(_) => Ok(()),
        }
    }

    /// A Bundle that is more than a way of sending is kept without its entries.
    fn frame(&mut self, bundle: &Json<'_>, place: &str) -> Result<(), Error> {
        let sent = matches!(
            bundle.text_of("type"),
            Some(
                "searchset" | "history" | "transaction" | "transaction-response" | "batch" | "batch-response"
            )
        );
        if sent && bundle.get("signature").is_none() || bundle.text_of("resourceType").is_none() {
            return Ok(());
        }
        let site = Site::of(self.feed);
        self.keep(bundle, "Bundle", &site, &Index::default(), place)
    }

    /// One entry of a Bundle.
    fn bundled(
        &mut self,
        entry: &Json<'_>,
        index: &Index,
        place: &str,
        depth: usize,
    ) -> Result<Option<&'static str>, Error> {
        let site = Site::of_entry(self.feed, entry);
        match entry.get("resource") {
            Some(resource) => {
                let url = entry.text_of("fullUrl");
                self.resource(resource, url, &site, index, place, depth)
            }
            None if entry.members().is_empty() => Ok(Some("a Bundle's entry")),
            None => self.keep(entry, "Bundle.entry", &site, index, place).map(|()| None),
        }
    }

    /// One resource; what is missing, where it is none.
    fn resource(
        &mut self,
        resource: &Json<'_>,
        full_url: Option<&str>,
        site: &Site<'_>,
        index: &Index,
        place: &str,
        depth: usize,
    ) -> Result<Option<&'static str>, Error> {
        let Some(kind) = resource.text_of("resourceType").filter(|k| !k.is_empty()) else {
            return Ok(Some("a resource with its resourceType"));
        };
        if kind == "Bundle" && depth < NESTED {
            let entries = resource.get("entry").map_or(&[][..], Json::items);
            let mut inner = Index::default();
            entries.iter().for_each(|entry| inner.add(entry));
            for (i, entry) in entries.iter().enumerate() {
                let comma = if place.is_empty() { "" } else { ", " };
                let place = format!("{place}{comma}entry {}", i + 1);
                if let Some(missing) = self.bundled(entry, &inner, &place, depth + 1)? {
                    let text = entry.to_text();
                    let fault = ("fhir.resource", format!("expected {missing}"));
                    self.reject(place, 0, fault, Some(text.as_bytes()))?;
                }
            }
            let rest: Vec<_> = resource.members().iter().filter(|(n, _)| n != "entry").cloned().collect();
            return self.frame(&Json::Object(rest), place).map(|()| None);
        }
        let site = &Site { full_url, ..site.clone() };
        self.keep(resource, kind, site, index, place).map(|()| None)
    }

    fn keep(
        &mut self,
        resource: &Json<'_>,
        kind: &str,
        site: &Site<'_>,
        index: &Index,
        place: &str,
    ) -> Result<(), Error> {
        let whole = Whole { resource, kind, site, index };
        let key = whole.key();
        if self.sink.has(&key) {
            return Ok(());
        }
        let mut kept = Kept::default();
        kinds::events(&whole, &mut kept);
        whole.attach(&mut kept);
        let about = identity::subjects(&whole);
        let links = identity::links(&whole, &about);
        let mut subjects: Vec<Mention> = Vec::with_capacity(about.len().max(1));
        for identity in about.iter().skip(1) {
            subjects.push(Mention { identity: Some(identity.clone()), events: kept.events.clone() });
        }
        subjects.insert(0, Mention { identity: about.into_iter().next(), events: kept.events });
        let entry = Entry {
            key,
            place: place.to_owned(),
            subjects,
            rows: Vec::new(),
            links,
            assets: kept.assets,
            findings: kept.findings,
        };
        self.sink.entry(entry).map_err(|e| self.unkept(e))
    }
}

/// Goes to the next member of the object at hand: its name into `text`, the scanner at its value.
fn open_member(scanner: &mut Scanner, text: &mut Vec<u8>, first: &mut bool) -> std::io::Result<bool> {
    let mark = if std::mem::take(first) { b'{' } else { b',' };
    if !scanner.eat(mark)? || scanner.next_mark()? != Some(b'"') {
        return Ok(false);
    }
    let piece = scanner.value(text)?;
    Ok(piece.broken.is_none() && scanner.eat(b':')?)
}

/// The next item of the list at hand; `None` after its end, which is passed over.
fn next_entry(scanner: &mut Scanner, text: &mut Vec<u8>) -> std::io::Result<Option<Piece>> {
    if !scanner.eat(b'[')? && !scanner.eat(b',')? {
        scanner.eat(b']')?;
        return Ok(None);
    }
    if scanner.eat(b']')? {
        return Ok(None);
    }
    scanner.value(text).map(Some)
}

/// Whether the object at hand ends here and the text with it.
fn first_closed(scanner: &mut Scanner) -> std::io::Result<bool> {
    Ok(scanner.eat(b'}')? && scanner.at_end()?)
}

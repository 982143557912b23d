//! GA4GH Phenopackets 2.0 as JSON: one case, a family, or a cohort.
//!
//! Each phenopacket becomes one entry about its subject. The whole JSON is kept as an asset, so that keys
//! that are not known here are not lost. A time that is an age or a word ("Congenital onset") has no date
//! without a date of birth, which most cases hide: it is kept as written, in the attribute `onset`.
//!
//! # Source
//! phenopacket-schema 2.0, <https://phenopacket-schema.readthedocs.io/en/2.0.0/>.

mod check;
mod events;

use crate::Error;
use crate::feed::{Asset, Entry, Feed, Rejected, Sink, Source};
use chiasm_linkage::{BirthDate, IdentifierKind, Identity, Sex};
use serde_json::Value;

pub use check::check;

/// A document of more bytes is not read: parsed, JSON takes some 20 times its size.
const LARGEST: u64 = 8 << 20;

/// Whether a file that begins with `head` is a phenopacket; JSON alone is not enough.
pub fn recognises(head: &[u8], name: &str) -> bool {
    let text = String::from_utf8_lossy(head);
    let json = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    let keys =
        ["\"phenotypicFeatures\"", "\"phenopacketSchemaVersion\"", "\"proband\"", "\"interpretations\""];
    let said = keys.iter().any(|key| text.contains(key)) && !text.contains("\"resourceType\"");
    json && (said || (name.to_lowercase().contains("phenopacket") && !text.contains("\"resourceType\"")))
}

/// The value at a path of keys.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// The text at a path of keys.
pub(crate) fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(value, path)?.as_str().filter(|t| !t.is_empty())
}

/// The elements of the list at `key`.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The phenopackets inside a document, each with its place: itself, a family's, a cohort's.
fn packets(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    let proband = document.get("proband").map(|proband| ("proband".to_owned(), proband));
    let many = ["relatives", "members"].into_iter().flat_map(move |key| {
        list(document, key).iter().enumerate().map(move |(i, packet)| (format!("{key}[{i}]"), packet))
    });
    let mut inside = proband.into_iter().chain(many).peekable();
    let itself = inside.peek().is_none().then(|| (String::new(), document));
    itself.into_iter().chain(inside)
}

/// Parses the bytes of a source; the message never quotes them.
fn parse(source: &Source) -> Result<(bytes::Bytes, Result<Value, String>), Error> {
    let bytes = source.bytes(LARGEST)?;
    let parsed = serde_json::from_slice::<Value>(&bytes);
    let parsed =
        parsed.map_err(|e| format!("expected JSON, broken at line {}, column {}", e.line(), e.column()));
    Ok((bytes, parsed))
}

/// Hands over each phenopacket of `source` as an entry.
///
/// # Errors
/// [`Error::TooLarge`] above 8 MiB, [`Error::Io`] where it cannot be read, [`Error::Sink`] where an entry
/// cannot be kept. What is no phenopacket is rejected, not an error.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let failed = |source_error| Error::Sink { place: source.origin.clone(), source: source_error };
    let (bytes, parsed) = parse(source)?;
    let asset = Asset::memory("application/json", bytes.clone());
    let reject = |place: String, rule: &str, message: String, bytes: bytes::Bytes, sink: &mut dyn Sink| {
        let (offset, rule) = (place.is_empty().then_some(0), rule.to_owned());
        sink.reject(Rejected { place, offset, rule, message, bytes: Some(bytes) }).map_err(failed)
    };
    let document = match parsed {
        Ok(document) => document,
        Err(message) => return reject(String::new(), "phenopacket.json", message, bytes, sink),
    };
    for (place, packet) in packets(&document) {
        let content = serde_json::to_vec(packet).unwrap_or_default();
        let Some(id) = text(packet, &["subject", "id"]).or_else(|| text(packet, &["id"])) else {
            let message = "expected subject.id or id".to_owned();
            reject(place, "phenopacket.subject", message, content.into(), sink)?;
            continue;
        };
        let events = events::of(packet, id, feed, asset.id);
        let key = *blake3::hash(&content).as_bytes();
        let mut entry = Entry::of(key, place, Some(identity(packet, id, feed)), events);
        entry.assets.push(asset.clone());
        sink.entry(entry).map_err(failed)?;
    }
    Ok(())
}

fn identity(packet: &Value, id: &str, feed: &Feed) -> Identity {
    let mut identity = Identity::of_key(format!("{}|phenopacket", feed.site), id, IdentifierKind::Source);
    identity.sex = match text(packet, &["subject", "sex"]) {
        Some("FEMALE") => Some(Sex::Female),
        Some("MALE") => Some(Sex::Male),
        Some("OTHER_SEX") => Some(Sex::Other),
        _ => None,
    };
    let birth = text(packet, &["subject", "dateOfBirth"]).and_then(crate::feed::Parts::iso);
    let part = |p: Option<i8>| p.and_then(|p| u8::try_from(p).ok());
    identity.birth = birth.map(|b| BirthDate { year: b.year, month: part(b.month), day: part(b.day) });
    identity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Rejected;

    const CASE: &str = r#"{"id": "c", "subject": {"id": "P1", "sex": "FEMALE", "dateOfBirth": "1990-02-03T00:00:00Z"},
        "phenotypicFeatures": [
            {"type": {"id": "HP:0001250", "label": "Seizure"}, "onset": {"age": {"iso8601duration": "P7Y"}}},
            {"type": {"id": "HP:0000252", "label": "Microcephaly"}, "excluded": true}],
        "metaData": {"created": "2024-01-02T03:04:05Z", "createdBy": "x", "phenopacketSchemaVersion": "2.0",
            "resources": [{"id": "hp", "name": "HPO", "url": "u", "version": "1", "namespacePrefix": "HP",
                "iriPrefix": "i"}]}}"#;

    fn taken(text: &str) -> (Vec<Entry>, Vec<Rejected>) {
        let mut sink = (Vec::new(), Vec::new());
        read(&Source::memory("a.json", text.to_owned()), &Feed::utc("s"), &mut sink).unwrap();
        sink
    }

    #[test]
    fn a_case_is_an_entry_with_its_features_and_its_subject() {
        assert!(recognises(CASE.as_bytes(), "a.json"));
        assert!(!recognises(br#"{"resourceType": "Patient"}"#, "phenopacket.json"));
        let (entries, rejected) = taken(CASE);
        assert!(rejected.is_empty());
        let mention = &entries[0].subjects[0];
        let identity = mention.identity.as_ref().unwrap();
        assert_eq!((identity.key().unwrap().value.as_str(), identity.sex), ("P1", Some(Sex::Female)));
        let features: Vec<_> = mention
            .events
            .iter()
            .map(|e| (e.code.as_str(), e.text.as_deref(), e.attribute("onset")))
            .collect();
        let expected = [("HP|HP:0001250", None, Some("P7Y")), ("HP|HP:0000252", Some("excluded"), None)];
        assert_eq!(features, expected);
        assert!(check(&Source::memory("a", CASE)).unwrap().is_valid());
    }

    #[test]
    fn a_family_is_an_entry_for_each_member() {
        let relative = CASE.replace("\"P1\"", "\"P2\"");
        let family = format!(r#"{{"id": "f", "proband": {CASE}, "relatives": [{relative}, {{}}]}}"#);
        let (entries, rejected) = taken(&family);
        let places: Vec<_> = entries.iter().map(|e| e.place.as_str()).collect();
        assert_eq!(places, ["proband", "relatives[0]"]);
        assert_ne!(entries[0].key, entries[1].key);
        assert_eq!(
            (rejected[0].rule.as_str(), rejected[0].place.as_str()),
            ("phenopacket.subject", "relatives[1]")
        );
    }

    #[test]
    fn broken_rules_are_named_with_their_place() {
        let rules = |text: &str| -> Vec<(String, String)> {
            let checked = check(&Source::memory("a", text.to_owned())).unwrap();
            checked.faults.into_iter().map(|f| (f.rule, f.place)).collect()
        };
        let one = |rule: &str, place: &str| vec![(rule.to_owned(), place.to_owned())];
        assert_eq!(rules(&CASE.replace("FEMALE", "F")), one("phenopacket.word", "subject.sex"));
        assert_eq!(
            rules(&CASE.replace("1990-02-03T", "3.2.90 ")),
            one("phenopacket.time", "subject.dateOfBirth")
        );
        assert_eq!(
            rules(&CASE.replace(r#", "label": "Seizure""#, "")),
            one("phenopacket.required", "phenotypicFeatures[0].type.label")
        );
        assert_eq!(rules(&CASE[..50]), one("phenopacket.json", ""));
        let many = format!(r#"{{"members": [{}{{}}]}}"#, "{},".repeat(5_000));
        assert_eq!(rules(&many).len(), 1_001);
    }
}

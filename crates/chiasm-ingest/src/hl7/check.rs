//! What is in a file of messages, and which rules of the standard it breaks.

use super::field::Field;
use super::frame::{Frames, Part};
use super::message::{Fields, Message};
use super::rules::{self, Kind};
use super::{charset, unreadable, value};
use crate::Error;
use crate::feed::{Checked, Parts, Severity, Source};
use std::collections::BTreeMap;

/// Faults of one rule that are told one by one; further ones are counted.
const TOLD: usize = 20;
/// Different types of message that are counted apart.
const TYPES: usize = 200;

/// Checks every message of a source: header, structure, required fields, types of data.
///
/// Of each rule the first 20 faults are told, and how many more there are.
///
/// # Errors
/// [`Error::Io`] and [`Error::MissingFile`]; [`Error::WrongFormat`] where there is no message at all.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut frames = Frames::new(source.open()?);
    let mut found = Found { checked: Checked::new("HL7 v2", None), ..Found::default() };
    while let Some(part) = frames.next().map_err(|e| unreadable(source, e))? {
        match part {
            Part::Message { bytes, .. } => {
                found.messages += 1;
                found.batch += 1;
                found.message(bytes);
            }
            Part::Batch { offset, bytes } => found.envelope(offset, bytes),
            Part::Stray { offset, rule, message, .. } => {
                found.fault(Severity::Error, rule, &format!("byte {offset}"), message);
            }
        }
    }
    if found.messages == 0 && found.told.is_empty() {
        let (expected, is) = ("HL7 v2 messages, each beginning with MSH", "none");
        return Err(Error::WrongFormat { place: source.origin.clone(), expected, found: is });
    }
    Ok(found.finish())
}

struct Found {
    checked: Checked,
    messages: usize,
    segments: usize,
    /// Messages since the last `BHS`.
    batch: usize,
    types: BTreeMap<String, usize>,
    versions: BTreeMap<String, usize>,
    told: BTreeMap<String, usize>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            checked: Checked::new("HL7 v2", None),
            messages: 0,
            segments: 0,
            batch: 0,
            types: BTreeMap::new(),
            versions: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }
}

impl Found {
    fn fault(&mut self, severity: Severity, rule: &str, place: &str, message: &str) {
        let count = self.told.entry(rule.to_owned()).or_default();
        *count += 1;
        if *count <= TOLD {
            self.checked.fault(severity, rule, place, message);
        }
    }

    /// `FHS`, `BHS`, `BTS`, `FTS`: a batch says how many messages it has.
    fn envelope(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.starts_with(b"BHS") {
            self.batch = 0;
        }
        let count = bytes.get(4..).and_then(|rest| rest.split(|b| !b.is_ascii_digit()).next());
        let count = count.and_then(|c| std::str::from_utf8(c).ok()?.parse::<usize>().ok());
        if let Some(count) = count.filter(|c| bytes.starts_with(b"BTS") && *c != self.batch) {
            let message = format!("expected {count} messages in the batch by BTS-1, found {}", self.batch);
            self.fault(Severity::Error, "hl7.batch", &format!("byte {offset}"), &message);
        }
    }

    fn message(&mut self, bytes: &[u8]) {
        let at = format!("message {}", self.messages);
        let text = match charset::decode(bytes) {
            Ok((text, doubtful)) => {
                if doubtful {
                    let message = "expected bytes of the character set that MSH-18 names, found others";
                    self.fault(Severity::Error, "hl7.charset", &format!("{at}, MSH-18"), message);
                }
                text
            }
            Err(broken) => return self.fault(Severity::Error, broken.rule, &at, &broken.message),
        };
        let message = match Message::parse(&text) {
            Ok(message) => message,
            Err(broken) => return self.fault(Severity::Error, broken.rule, &at, &broken.message),
        };
        self.segments += message.segments.len();
        let header = message.header();
        let version = header.get(12).component(1).string().unwrap_or_default();
        self.version(&at, &version);
        let part = |n| header.get(9).component(n).string().unwrap_or_default();
        let (kind, trigger) = (part(1), part(2));
        let name = if trigger.is_empty() { kind.clone() } else { format!("{kind}^{trigger}") };
        if self.types.len() < TYPES || self.types.contains_key(&name) {
            *self.types.entry(name).or_default() += 1;
        }
        self.structure(&at, &message, &kind, &trigger);
        let older = !matches!(version.get(..3), Some("2.7" | "2.8" | "2.9"));
        let mut ordinals: BTreeMap<&str, usize> = BTreeMap::new();
        for segment in &message.segments {
            let ordinal = ordinals.entry(segment.name).or_default();
            *ordinal += 1;
            let place = match *ordinal {
                1 => format!("{at}, {}", segment.name),
                n => format!("{at}, {}[{n}]", segment.name),
            };
            if !rules::known(segment.name) {
                let message = "expected a segment of HL7 2.3 to 2.8 or one of a site (Z..), found another";
                self.fault(Severity::Warning, "hl7.segment", &place, message);
                continue;
            }
            let fields = segment.fields();
            for rule in rules::FIELDS.iter().filter(|rule| rule.segment == segment.name) {
                self.field(&place, rule, fields.get(rule.field), older);
            }
            if segment.name == "OBX" {
                self.observation(&place, &fields);
            }
        }
    }

    fn version(&mut self, at: &str, version: &str) {
        if version.is_empty() {
            return;
        }
        let known = ["2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9"];
        if !known.iter().any(|k| version.strip_prefix(k).is_some_and(|r| r.is_empty() || r.starts_with('.')))
        {
            let message = "expected a version of HL7 2 (2.3 to 2.8), found another";
            self.fault(Severity::Error, "hl7.version", &format!("{at}, MSH-12"), message);
        } else if self.versions.len() < TYPES {
            *self.versions.entry(version.to_owned()).or_default() += 1;
        }
    }

    /// Required segments, and roughly their order.
    fn structure(&mut self, at: &str, message: &Message<'_>, kind: &str, trigger: &str) {
        let here = |name: &str| message.segments.iter().position(|s| s.name == name);
        for (_, _, needed) in
            rules::STRUCTURES.iter().filter(|(k, t, _)| *k == kind && (t.is_empty() || *t == trigger))
        {
            for name in needed.iter().filter(|name| here(name).is_none()) {
                let message = format!("expected a segment {name} in this type of message, found none");
                self.fault(Severity::Error, "hl7.required", at, &message);
            }
        }
        if message.segments.iter().skip(1).any(|s| s.name == "MSH") {
            self.fault(Severity::Error, "hl7.order", at, "expected one MSH in a message, found more");
        }
        let after =
            |later: &str, earlier: &str| here(later).is_some_and(|l| here(earlier).is_none_or(|e| e > l));
        let mut orders = vec![("PV2", "PV1"), ("MRG", "PID"), ("PD1", "PID"), ("RXR", "MSH")];
        if kind == "ORU" {
            orders.push(("OBX", "OBR"));
        }
        if kind == "ADT" {
            orders.extend([("PV1", "PID"), ("PID", "EVN")]);
        }
        for (later, earlier) in orders {
            if after(later, earlier) && (here(earlier).is_some() || later != "PID") {
                let message = format!("expected {later} after {earlier}, found it before or alone");
                self.fault(Severity::Error, "hl7.order", at, &message);
            }
        }
        let people = message.segments.iter().filter(|s| s.name == "PID").count();
        if kind == "ADT" && matches!(trigger, "A17" | "A24" | "A37") && people != 2 {
            let message = "expected two PID segments in this type of message, found another number";
            self.fault(Severity::Error, "hl7.required", at, message);
        }
    }

    fn field(&mut self, segment: &str, rule: &rules::FieldRule, field: Field<'_>, older: bool) {
        let place = format!("{segment}-{}", rule.field);
        if field.is_empty() {
            if rule.required {
                self.fault(Severity::Error, "hl7.required", &place, "expected a value, found none");
            }
            return;
        }
        if !rule.repeats && field.repetitions().count() > 1 {
            let message = "expected one value, found repetitions";
            self.fault(Severity::Warning, "hl7.repetition", &place, message);
        }
        for one in field.repetitions() {
            let first = one.component(1);
            let Some(text) = first.text() else { continue };
            let expected = match rule.kind {
                Kind::Time if !is_time(&text) => {
                    "expected a date or time as YYYY[MM[DD[HH[MM[SS]]]]], found another text"
                }
                Kind::Number if value::number(&text).is_none() => "expected a number, found another text",
                Kind::OneOf(codes) if !codes.split(' ').any(|c| c == text) => {
                    let message = format!("expected one of {codes}, found another code");
                    self.fault(Severity::Warning, "hl7.table", &place, &message);
                    continue;
                }
                _ => "",
            };
            if !expected.is_empty() {
                self.fault(Severity::Error, "hl7.type", &place, expected);
            }
            if older && rule.length > 0 && text.chars().count() > rule.length {
                let message = format!("expected at most {} characters, found more", rule.length);
                self.fault(Severity::Warning, "hl7.length", &place, &message);
            }
        }
    }

    /// OBX-5 by OBX-2.
    fn observation(&mut self, segment: &str, obx: &Fields<'_>) {
        let (kind, field) = (obx.get(2).component(1).raw().trim(), obx.get(5));
        if field.is_empty() {
            return;
        }
        if kind.is_empty() {
            let message = "expected the type of the value in OBX-5, found none";
            return self.fault(Severity::Error, "hl7.required", &format!("{segment}-2"), message);
        }
        if !rules::VALUES.split_ascii_whitespace().any(|v| v == kind) {
            let message = "expected a type of value of table 0125, found another";
            return self.fault(Severity::Error, "hl7.table", &format!("{segment}-2"), message);
        }
        let place = format!("{segment}-5");
        for one in field.repetitions() {
            let Some(text) = one.component(1).text() else { continue };
            let right = match kind {
                "NM" | "SI" => value::number(&text).is_some() && one.components() == 1,
                "DT" => is_time(&text) && text.len() <= 8,
                "TS" | "DTM" => is_time(&text),
                "TM" => {
                    let digits = text.split(['.', '+', '-']).next().unwrap_or_default();
                    matches!(digits.len(), 2 | 4 | 6) && digits.bytes().all(|b| b.is_ascii_digit())
                }
                "SN" => matches!(&*text, "<" | ">" | "<=" | ">=" | "=" | "<>"),
                "CE" | "CWE" | "CNE" => one.components() < 3 || !one.component(3).is_empty(),
                _ => true,
            };
            if !right {
                let message = format!("expected a value of type {kind}, found another");
                self.fault(Severity::Error, "hl7.type", &place, &message);
            }
        }
    }

    fn finish(mut self) -> Checked {
        for (rule, count) in std::mem::take(&mut self.told) {
            if let Some(more) = count.checked_sub(TOLD).filter(|n| *n > 0) {
                self.checked.fault(Severity::Information, &rule, "", format!("{more} more of this rule"));
            }
        }
        let mut checked = self.checked;
        checked.version = match self.versions.len() {
            0 => None,
            _ => Some(self.versions.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        };
        checked.content("messages", self.messages);
        checked.content("segments", self.segments);
        for (name, count) in self.types {
            checked.content(&name, count);
        }
        checked
    }
}

/// Whether a text is a date or time that there is.
fn is_time(text: &str) -> bool {
    let feed = crate::feed::Feed::utc("");
    Parts::compact(text).is_some_and(|parts| feed.moment(&parts).is_some())
}

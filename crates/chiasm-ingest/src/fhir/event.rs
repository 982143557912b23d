use super::concept::{self, Coded};
use super::reference::{Index, Site};
use crate::feed::{Asset, Parts};
use crate::json::Json;
use chiasm_record::{Code, Event, Finding, Modality, Moment, Times};

/// The largest resource, in bytes, that stands in an event's attribute and not in an asset.
pub const IN_ATTRIBUTE: usize = 64 << 10;

/// One resource and what is around it.
pub(super) struct Whole<'a> {
    pub resource: &'a Json<'a>,
    pub kind: &'a str,
    pub site: &'a Site<'a>,
    pub index: &'a Index,
}

/// What comes of one resource.
#[derive(Default)]
pub(super) struct Kept {
    pub events: Vec<Event>,
    pub assets: Vec<Asset>,
    pub findings: Vec<Finding>,
}

impl Whole<'_> {
    /// The hash of what the resource says and of whose it is.
    pub fn key(&self) -> [u8; 32] {
        let mut text = String::with_capacity(2048);
        text.push_str(&self.site.authority);
        text.push('\0');
        // A resource without an id is known by its address alone.
        if self.resource.get("id").is_none() {
            text.push_str(self.site.full_url.unwrap_or_default());
        }
        text.push('\0');
        self.resource.canonical(&mut text);
        *blake3::hash(text.as_bytes()).as_bytes()
    }

    /// `Observation/12`, or the address in its Bundle.
    pub fn name(&self) -> Option<String> {
        let id = self.resource.text_of("id").map(|id| format!("{}/{id}", self.kind));
        id.or_else(|| self.site.full_url.map(str::to_owned))
    }

    /// A time as FHIR writes it.
    pub fn moment(&self, text: &str) -> Option<Moment> {
        self.site.feed.moment(&Parts::iso(text)?)
    }

    /// When the server wrote it.
    pub fn recorded(&self) -> Option<Moment> {
        self.resource.at(&["meta", "lastUpdated"])?.text().and_then(|t| self.moment(t))
    }

    /// The time of a choice such as `effective[x]`: a Period is an interval where it has an end.
    pub fn choice(&self, of: &Json<'_>, stem: &str) -> Option<Moment> {
        of.members().iter().find_map(|(name, json)| match name.strip_prefix(stem)? {
            "" | "DateTime" | "Instant" | "Date" => self.time(json),
            "Period" => self.period(json),
            "Timing" => json.each("event").first().and_then(|t| self.time(t)),
            _ => None,
        })
    }

    /// A dateTime or a Period.
    pub fn time(&self, json: &Json<'_>) -> Option<Moment> {
        match json {
            Json::Text(text) => self.moment(text),
            json => self.period(json),
        }
    }

    fn period(&self, json: &Json<'_>) -> Option<Moment> {
        let part = |name| json.text_of(name).and_then(|t| self.moment(t));
        match (part("start"), part("end")) {
            (Some(a), Some(b)) => {
                let coarse = a.precision().min(b.precision());
                Some(Moment::new(a.start(), b.end().max(a.end()), coarse, a.offset()))
            }
            (start, end) => start.or(end),
        }
    }

    /// A modality's name.
    pub fn modality(&self, name: &str) -> Modality {
        Modality::new(name)
    }

    /// The id of the resource that a reference leads to.
    pub fn id_of(&self, reference: Option<&Json<'_>>) -> Option<String> {
        let reference = reference?;
        let Some(text) = reference.text_of("reference") else {
            return reference.at(&["identifier", "value"])?.text().map(str::to_owned);
        };
        let target = self.index.resolve(text, &self.site.authority);
        Some(target.map_or_else(|| text.to_owned(), |target| target.id))
    }

    /// An event of this resource with the members that all kinds share.
    pub fn event(&self, times: Times, coded: &Coded, modality: &str) -> Event {
        let mut event = Event::new(times, coded.main.clone(), self.modality(modality));
        coded.describe(&mut event);
        let encounter = self.resource.get("encounter").or_else(|| self.resource.get("context"));
        event.encounter = match self.kind {
            "Encounter" => self.resource.text_of("id").map(str::to_owned),
            _ => self.id_of(encounter.filter(|e| e.get("encounter").is_none())),
        };
        event.specimen = match self.kind {
            "Specimen" => self.resource.text_of("id").map(str::to_owned),
            _ => self.id_of(self.resource.each("specimen").first()),
        };
        event
    }

    /// The event of a resource that has no code of its own.
    pub fn plain_event(&self, times: Times, modality: &str) -> Event {
        let main = Code::new("FHIR", self.kind);
        self.event(times, &Coded { main, also: Vec::new(), words: None }, modality)
    }

    /// Adds what stands at `paths` as attributes named by their last member; identifiers by their type, as in
    /// [`number`].
    pub fn attributes(&self, of: &Json<'_>, paths: &[&str], event: &mut Event) {
        for path in paths {
            if let Some(member) =
                path.strip_suffix(".value").filter(|m| m.to_lowercase().ends_with("identifier"))
            {
                let accession = member == "accessionIdentifier";
                for identifier in of.each(member) {
                    let name = if accession { "accession" } else { number(identifier) };
                    let value = identifier.text_of("value").map(str::trim).filter(|v| !v.is_empty());
                    event.attributes.extend(value.map(|v| (name.to_owned(), v.to_owned())));
                }
                continue;
            }
            let name = path.rsplit('.').next().unwrap_or(path);
            collect(of, path, &mut |json| {
                let text = concept::plain(json).filter(|t| !t.is_empty());
                event.attributes.extend(text.map(|t| (name.to_owned(), t)));
            });
        }
    }

    /// Whether it says that what it tells was not so.
    pub fn is_denied(&self) -> bool {
        let status = self.resource.text_of("status");
        let refuted = self.resource.get("verificationStatus").is_some_and(|v| {
            v.each("coding").iter().any(|c| matches!(c.text_of("code"), Some("refuted" | "entered-in-error")))
        });
        matches!(status, Some("entered-in-error" | "not-done")) || refuted
    }

    /// Keeps the resource itself with its last event.
    pub fn attach(&self, kept: &mut Kept) {
        if kept.events.is_empty() {
            kept.events
                .push(self.plain_event(Times { recorded: self.recorded(), ..Times::default() }, "other"));
        }
        let name = self.name();
        if let Some(name) = &name {
            for event in &mut kept.events {
                event.attributes.push(("resource".to_owned(), name.clone()));
            }
        }
        let text = self.resource.to_text();
        let person = matches!(self.kind, "Patient" | "Person" | "RelatedPerson");
        let attribute = if person || text.len() > IN_ATTRIBUTE {
            let asset = Asset::memory("application/fhir+json", text);
            let attribute = ("fhir_asset".to_owned(), asset.id.to_string());
            kept.assets.push(asset);
            attribute
        } else {
            ("fhir".to_owned(), text)
        };
        if let Some(last) = kept.events.last_mut() {
            last.attributes.push(attribute);
        }
    }
}

/// What an order's or a report's identifier is, by its type in HL7 table 0203: `accession`, `placer`, `filler`, or
/// `identifier`. HL7 v2 and DICOM events have the same names for the same numbers.
pub(super) fn number(identifier: &Json<'_>) -> &'static str {
    let codings = identifier.get("type").map_or(&[][..], |t| t.each("coding"));
    let named = codings.iter().find_map(|c| match c.text_of("code")? {
        "ACSN" => Some("accession"),
        "PLAC" => Some("placer"),
        "FILL" => Some("filler"),
        _ => None,
    });
    named.unwrap_or("identifier")
}

/// Every value at the end of a dotted path, through all lists on the way.
fn collect<'j>(json: &'j Json<'j>, path: &str, take: &mut dyn FnMut(&'j Json<'j>)) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(n, r)| (n, Some(r)));
    for item in json.each(name) {
        match rest {
            Some(rest) => collect(item, rest, take),
            None => take(item),
        }
    }
}

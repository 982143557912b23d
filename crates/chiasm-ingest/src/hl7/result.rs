//! What a message says of one person, segment by segment: results, orders, drugs, diagnoses, documents.

use super::coding::Coded;
use super::context::Context;
use super::message::{Fields, Segment};
use super::order::Order;
use super::value::{self, Observed};
use super::{condition, medication};
use crate::feed::Asset;
use chiasm_record::{Code, Event, Times};

/// Sections (OBR-24, table 0074) whose results are reports on images.
const IMAGING: [&str; 17] = [
    "RAD", "CT", "CTH", "CUS", "MRI", "NMR", "NMS", "NRS", "OUS", "RUS", "RX", "VUS", "XRC", "RT", "US",
    "MG", "PET",
];
/// LOINC codes of vital signs.
const VITALS: [&str; 16] = [
    "8867-4", "9279-1", "8480-6", "8462-4", "8478-0", "85354-9", "8310-5", "8331-1", "2708-6", "59408-5",
    "29463-7", "3141-9", "8302-2", "39156-5", "9843-4", "8328-7",
];

/// Puts the events of one person together.
pub(super) struct Walk<'c, 'f> {
    context: &'c mut Context<'f>,
    encounter: Option<String>,
    pub(super) events: Vec<Event>,
    pub(super) assets: Vec<Asset>,
    order: Option<Order>,
    /// The first event of the present order.
    group: usize,
    /// Results among the events of the present order.
    results: usize,
    /// The document (TXA) that the texts after it belong to.
    document: Option<Event>,
    /// What the last OBX with text was: its code, sub-id and status.
    line: Option<(Code, String, String)>,
    /// Whether a note belongs to the last event.
    noted: bool,
    /// The notes of the last event.
    notes: Vec<String>,
}

impl<'c, 'f> Walk<'c, 'f> {
    pub(super) fn new(context: &'c mut Context<'f>, encounter: Option<String>) -> Self {
        Self {
            context,
            encounter,
            events: Vec::new(),
            assets: Vec::new(),
            order: None,
            group: 0,
            results: 0,
            document: None,
            line: None,
            noted: false,
            notes: Vec::new(),
        }
    }

    /// Takes in one segment.
    pub(super) fn segment(&mut self, segment: &Segment<'_>) {
        match segment.name {
            "ORC" => {
                self.finish();
                self.begin(segment);
            }
            "OBR" => {
                if self.order.as_ref().is_none_or(|o| o.detailed) {
                    self.finish();
                }
                self.begin(segment);
            }
            "TQ1" | "SPM" | "IPC" | "ZDS" => self.begin(segment),
            "OBX" => self.observation(&segment.fields()),
            "NTE" => self.note(&segment.fields()),
            "TXA" => self.document(&segment.fields()),
            "RXR" => {
                let route = Coded::of(segment.fields().get(1), self.context).shown();
                if let Some(event) = self.events.last_mut().filter(|e| e.modality.as_str() == "medications") {
                    event.attributes.extend(route.map(|r| ("route".to_owned(), r)));
                }
            }
            "RXO" | "RXE" | "RXD" | "RXG" | "RXA" => {
                let event = medication::event(segment, self.context);
                self.results += usize::from(event.is_some());
                self.push(event);
            }
            _ => {
                let event = condition::event(segment, self.context);
                self.push(event);
            }
        }
    }

    fn begin(&mut self, segment: &Segment<'_>) {
        self.order.get_or_insert_default().take(segment, self.context);
        (self.line, self.noted) = (None, false);
    }

    fn push(&mut self, event: Option<Event>) {
        let Some(mut event) = event else { return };
        self.annotate();
        event.encounter.clone_from(&self.encounter);
        self.events.push(event);
        (self.line, self.noted) = (None, true);
    }

    fn note(&mut self, fields: &Fields<'_>) {
        let lines: Vec<String> = fields.get(3).repetitions().filter_map(|r| r.string()).collect();
        if lines.is_empty() {
            return;
        }
        let text = lines.join("\n");
        if self.noted {
            self.notes.push(text);
        } else if let Some(order) = &mut self.order {
            order.notes.push(text);
        }
    }

    /// Gives the last event its notes.
    fn annotate(&mut self) {
        if let (false, Some(event)) = (self.notes.is_empty(), self.events.last_mut()) {
            event.attributes.push(("note", std::mem::take(&mut self.notes).join("\n")));
        }
    }

    /// TXA: the document that follows.
    fn document(&mut self, txa: &Fields<'_>) {
        self.finish();
        let kind = Coded::of(txa.get(2), self.context);
        let code = match (&kind.code, txa.get(2).components()) {
            // A bare code is of HL7's own table of document types.
            (Some(code), 1) => Code::new("HL70270", code.code()),
            (Some(code), _) => code.clone(),
            (None, _) => Code::new("HL7", "document"),
        };
        let context = &mut *self.context;
        let happened = context.moment(txa.get(4), "TXA-4");
        let happened = happened.or_else(|| context.moment(txa.get(6), "TXA-6"));
        let signed = txa.get(22).component(15);
        let known = if signed.is_empty() { None } else { context.moment(signed, "TXA-22") };
        let mut event = context.event(happened, code, "notes");
        event.times.known = known;
        self.document = Some(
            event
                .with("name", kind.text)
                .with("transcribed", txa.get(7).component(1).string())
                .with("document", txa.get(12).component(1).string())
                .with("parent_document", txa.get(13).component(1).string())
                .with("placer", txa.get(14).component(1).string())
                .with("filler", txa.get(15).component(1).string())
                .with("status", txa.get(17).component(1).string())
                .with("availability", txa.get(19).component(1).string()),
        );
    }

    fn observation(&mut self, obx: &Fields<'_>) {
        let kind = obx.get(2).component(1).raw().trim();
        let coded = Coded::of(obx.get(3), self.context);
        let unit = Coded::of(obx.get(6), self.context);
        let unit = obx.get(6).component(1).string().or(unit.text);
        let seen = value::observed(kind, obx.get(5), unit.is_some(), self.context);
        if kind.is_empty() && !obx.get(5).is_empty() {
            self.context.doubt("OBX-2", "expected the type of the value, found none; read as text");
        }
        let status = obx.get(11).component(1).string().unwrap_or_default();
        let sub = obx.get(4).string().unwrap_or_default();
        let Some(code) = coded.or_text(self.context) else {
            self.context.doubt("OBX-3", "expected a code or a name of the observation, found none; left out");
            return;
        };
        let withdrawn = matches!(status.as_str(), "D" | "W" | "X");
        if matches!(kind, "TX" | "FT") && !withdrawn && self.joined(&code, &sub, &status, obx) {
            return;
        }
        if let Some(document) = &self.document
            && seen.value.is_none()
        {
            let event = document.clone();
            self.add(event, seen, withdrawn);
            self.line = Some((code, sub, status));
            return;
        }
        let times = self.times(obx);
        let modality = self.modality(kind, &code, seen.asset.is_some());
        let mut event = self.context.event(None, code.clone(), modality);
        event.times = times;
        event.unit = unit;
        event = event
            .with("name", coded.text)
            .with("code_alternate", coded.alternate.map(|c| c.to_string()))
            .with("sub_id", Some(sub.as_str()))
            .with("reference_range", obx.get(7).string())
            .with("status", Some(status.as_str()))
            .with("analysed", obx.get(19).component(1).string())
            .with("performer", obx.get(23).component(1).string());
        for flag in obx.get(8).repetitions() {
            event = event.with("abnormal", flag.component(1).string());
        }
        for method in obx.get(17).repetitions() {
            event = event.with("method", Coded::of(method, self.context).shown());
        }
        for device in obx.get(18).repetitions() {
            event = event.with("device", device.component(1).string());
        }
        self.add(event, seen, withdrawn);
        if matches!(kind, "TX" | "FT") && !withdrawn {
            self.line = Some((code, sub, status));
        }
    }

    /// Adds what was seen to the event, and the event to the others.
    fn add(&mut self, mut event: Event, seen: Observed, withdrawn: bool) {
        event.asset = seen.asset.as_ref().map(|a| a.id);
        if withdrawn {
            let said = seen.value.map(|v| v.to_string()).or(seen.text);
            event = event.with("withdrawn", said);
        } else {
            (event.value, event.text) = (seen.value, seen.text);
        }
        for (name, value) in seen.attributes {
            event = event.with(name, Some(value));
        }
        self.assets.extend(seen.asset);
        self.results += 1;
        self.push(Some(event));
    }

    /// Joins a line of text to the text before it where both are one report: the same code and status,
    /// and the same sub-id or the next.
    fn joined(&mut self, code: &Code, sub: &str, status: &str, obx: &Fields<'_>) -> bool {
        let Some((last_code, last_sub, last_status)) = &mut self.line else { return false };
        let next = || Some(last_sub.parse::<u64>().ok()?.checked_add(1)? == sub.parse::<u64>().ok()?);
        let same = self.document.is_some() || *last_code == *code;
        if !same || last_status != status || (last_sub != sub && next() != Some(true)) {
            return false;
        }
        let Some(event) = self.events.last_mut().filter(|e| e.value.is_none() && e.asset.is_none()) else {
            return false;
        };
        *last_sub = sub.to_owned();
        let text = event.text.get_or_insert_default();
        text.push('\n');
        for (i, line) in obx.get(5).repetitions().enumerate() {
            if i > 0 {
                text.push('\n');
            }
            text.push_str(&line.text().unwrap_or_default());
        }
        self.noted = true;
        true
    }

    /// When a result was so, became known and was recorded.
    fn times(&mut self, obx: &Fields<'_>) -> Times {
        let own = self.context.moment(obx.get(14), "OBX-14");
        let order = self.order.as_ref();
        let happened = own.or_else(|| order.and_then(|o| o.observed.or(o.collected)));
        let (reported, sent) = (order.and_then(|o| o.reported), self.context.sent);
        // A correction often repeats when the first result was reported; nobody knew it before it was sent.
        let changed = matches!(obx.get(11).component(1).raw(), "C" | "D" | "W" | "X");
        let later = || [reported, sent].into_iter().flatten().max_by_key(|m| m.end());
        let known = if changed { later() } else { reported.or(sent) };
        // An admission's observation is no result that somebody issued.
        let known = if self.context.kind == "ADT" { None } else { known };
        Times { happened, known, recorded: self.context.recorded }
    }

    fn modality(&self, kind: &str, code: &Code, document: bool) -> &'static str {
        let section = self.order.as_ref().map_or("", |o| o.section.as_str());
        if document || IMAGING.contains(&section) {
            "notes"
        } else if code.system() == Some("LOINC") && VITALS.contains(&code.code()) {
            "vitals"
        } else if self.context.kind == "ADT" {
            "other"
        } else if section.is_empty() && matches!(kind, "TX" | "FT") {
            "notes"
        } else {
            "labs"
        }
    }

    /// Ends the present order: its numbers go to its results, and it is an event itself where the
    /// message is an order or brings no result.
    pub(super) fn finish(&mut self) {
        self.annotate();
        let group = std::mem::replace(&mut self.group, self.events.len());
        let results = std::mem::take(&mut self.results);
        (self.line, self.noted) = (None, false);
        self.document_alone(results);
        let Some(order) = self.order.take() else {
            return;
        };
        let panel = order.panel.code.as_ref().map(ToString::to_string);
        for event in &mut self.events[group..] {
            if !matches!(event.modality.as_str(), "conditions" | "allergies" | "procedures") {
                event.specimen = event.specimen.take().or_else(|| order.specimen.clone());
                let numbers = order.numbers.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
                event.attributes.extend(numbers);
                event.attributes.extend(panel.iter().map(|p| ("panel".to_owned(), p.clone())));
                if event.times.happened.is_none() && event.modality.as_str() != "medications" {
                    event.times.happened = order.observed.or(order.collected);
                }
            }
        }
        let notes = order.notes.join("\n");
        if results > 0 && !notes.is_empty() {
            let event = &mut self.events[group];
            event.attributes.push(("order_note".to_owned(), notes));
        }
        if results == 0
            || (self.context.kind.starts_with('O') && !matches!(self.context.kind.as_str(), "ORU" | "OUL"))
        {
            let mut event = order.event(self.context);
            if let Some(event) = &mut event {
                event.encounter.clone_from(&self.encounter);
            }
            self.events.extend(event);
        }
        self.group = self.events.len();
    }

    /// A document without a text is an event all the same.
    fn document_alone(&mut self, results: usize) {
        if let Some(document) = self.document.take().filter(|_| results == 0) {
            self.push(Some(document));
            self.group = self.events.len();
        }
    }
}

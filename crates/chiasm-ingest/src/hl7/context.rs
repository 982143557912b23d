//! What the segments of one message share: who sent it, when, and how its times are read.

use super::Broken;
use super::field::Field;
use super::message::Message;
use crate::feed::{Feed, Parts};
use chiasm_record::{Event, Finding, Modality, Moment, Times};

/// The header of a message, and the doubts that come up while it is read.
pub(super) struct Context<'a> {
    pub(super) feed: &'a Feed,
    /// The message's place in its file.
    pub(super) place: &'a str,
    /// MSH-4, or the site where that is empty: the authority of codes that name none.
    pub(super) facility: String,
    /// `ADT`.
    pub(super) kind: String,
    /// `A01`; empty where the message names none.
    pub(super) trigger: String,
    /// MSH-7, or EVN-2 where it is there.
    pub(super) recorded: Option<Moment>,
    /// MSH-7.
    pub(super) sent: Option<Moment>,
    /// The offset of MSH-7, where it is not the site's own: the default of the message's other times.
    offset: Option<i32>,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Context<'a> {
    pub(super) fn of(message: &Message<'_>, feed: &'a Feed, place: &'a str) -> Result<Self, Broken> {
        let header = message.header();
        let event = message.first("EVN").map(|s| s.fields());
        let kind = header.get(9).component(1).string();
        let kind =
            kind.ok_or_else(|| Broken::new("hl7.type", "expected a message type in MSH-9, found none"))?;
        let trigger = header.get(9).component(2).string();
        let trigger = trigger.or_else(|| event.as_ref()?.get(1).string()).unwrap_or_default();
        let mut context = Self {
            feed,
            place,
            facility: header.get(4).component(1).string().unwrap_or_else(|| feed.site.clone()),
            kind,
            trigger,
            recorded: None,
            sent: None,
            offset: None,
            findings: Vec::new(),
        };
        let sent = header.get(7);
        context.sent = context.moment(sent, "MSH-7");
        if context.sent.is_none() && sent.is_empty() {
            context.doubt("MSH-7", "expected the time of the message, found none");
        }
        context.offset = parts(sent).and_then(|written| {
            let here = feed.moment(&Parts { offset: None, ..written })?.offset();
            written.offset.filter(|offset| here != Some(*offset))
        });
        context.recorded = event.and_then(|e| context.moment(e.get(2), "EVN-2")).or(context.sent);
        Ok(context)
    }

    /// The time in `field`; a doubt where there is something that is no time.
    pub(super) fn moment(&mut self, field: Field<'_>, name: &str) -> Option<Moment> {
        if field.component(1).is_empty() {
            return None;
        }
        let found = parts(field).and_then(|mut written| {
            written.offset = written.offset.or(self.offset);
            self.feed.moment(&written)
        });
        if found.is_none() {
            self.doubt(name, "expected a time as YYYYMMDDHHMMSS, found another text; left out");
        }
        found
    }

    /// Notes a doubt about the field of that name.
    pub(super) fn doubt(&mut self, name: &str, message: &str) {
        let place = format!("{}, {name}", self.place);
        match self.findings.iter_mut().find(|f| f.place == place && f.message == message) {
            Some(finding) => finding.count += 1,
            None => self.findings.push(Finding::new(place, message, 1)),
        }
    }

    /// An event that became known no earlier than the message was recorded.
    pub(super) fn event(&self, happened: Option<Moment>, code: chiasm_record::Code, modality: &str) -> Event {
        Event::new(Times { happened, known: None, recorded: self.recorded }, code, Modality::new(modality))
    }
}

/// The time as written; a second component (2.3 to 2.5) may say how exact it is.
fn parts(field: Field<'_>) -> Option<Parts> {
    let text = field.component(1).text()?;
    let mut parts = Parts::compact(&text).or_else(|| Parts::iso(&text))?;
    match field.component(2).raw() {
        "Y" => parts.month = None,
        "L" => parts.day = None,
        "D" => parts.hour = None,
        "H" => parts.minute = None,
        "M" => parts.second = None,
        _ => {}
    }
    Some(parts)
}

//! EVN, PV1, PV2 and the rest of PID: the event that a message reports, and the stay it belongs to.

use super::coding::Coded;
use super::context::Context;
use super::message::{Fields, Segment};
use chiasm_record::{Code, Event};

/// What a message's part about one person says of the stay.
pub(super) struct Visit<'a> {
    pid: Option<Fields<'a>>,
    pv1: Option<Fields<'a>>,
    pv2: Option<Fields<'a>>,
    evn: Option<Fields<'a>>,
}

/// Fields that become attributes as they stand: segment, field, component, name.
const ATTRIBUTES: [(&str, usize, usize, &str); 20] = [
    ("PV1", 2, 1, "class"),
    ("PV1", 4, 1, "admission_type"),
    ("PV1", 5, 1, "preadmit_number"),
    ("PV1", 10, 1, "service"),
    ("PV1", 13, 1, "readmission"),
    ("PV1", 14, 1, "admit_source"),
    ("PV1", 18, 1, "patient_type"),
    ("PV1", 36, 1, "discharge_disposition"),
    ("PV1", 37, 1, "discharged_to"),
    ("PV1", 44, 1, "admitted"),
    ("PV1", 45, 1, "discharged"),
    ("PV2", 8, 1, "admission_expected"),
    ("PV2", 9, 1, "discharge_expected"),
    ("EVN", 4, 1, "reason"),
    ("PID", 10, 1, "race"),
    ("PID", 15, 1, "language"),
    ("PID", 16, 1, "marital_status"),
    ("PID", 22, 1, "ethnic_group"),
    ("PID", 26, 1, "citizenship"),
    ("PID", 30, 1, "dead"),
];

impl<'a> Visit<'a> {
    /// From the segments of one person.
    pub(super) fn of(segments: impl Iterator<Item = Segment<'a>>) -> Self {
        let mut visit = Self { pid: None, pv1: None, pv2: None, evn: None };
        for segment in segments {
            let place = match segment.name {
                "PID" => &mut visit.pid,
                "PV1" => &mut visit.pv1,
                "PV2" => &mut visit.pv2,
                "EVN" => &mut visit.evn,
                _ => continue,
            };
            if place.is_none() {
                *place = Some(segment.fields());
            }
        }
        visit
    }

    /// The number of the stay: PV1-19, else the account (PID-18).
    pub(super) fn encounter(&self) -> Option<String> {
        let number = |fields: &Option<Fields<'a>>, n| fields.as_ref()?.get(n).component(1).string();
        number(&self.pv1, 19).or_else(|| number(&self.pid, 18))
    }

    /// The event that the message itself is: an admission, a transfer, a result sent.
    ///
    /// It happened when EVN-6 says; an admission otherwise at PV1-44, a discharge at PV1-45.
    pub(super) fn event(&self, context: &mut Context<'_>) -> Event {
        let code = match context.trigger.as_str() {
            "" => Code::new("HL7", &context.kind),
            trigger => Code::new("HL7", &format!("{}^{trigger}", context.kind)),
        };
        let mut happened = self.evn.as_ref().and_then(|evn| context.moment(evn.get(6), "EVN-6"));
        if context.kind == "ADT" && happened.is_none() {
            let stated = match context.trigger.as_str() {
                "A01" | "A04" | "A06" | "A07" => Some((44, "PV1-44")),
                "A03" => Some((45, "PV1-45")),
                _ => None,
            };
            happened = stated.and_then(|(n, name)| context.moment(self.pv1.as_ref()?.get(n), name));
        }
        let modality = if context.kind == "ADT" { "encounters" } else { "other" };
        let mut event = context.event(happened, code, modality);
        event.encounter = self.encounter();
        for (segment, field, component, name) in ATTRIBUTES {
            let fields = match segment {
                "PV1" => &self.pv1,
                "PV2" => &self.pv2,
                "EVN" => &self.evn,
                _ => &self.pid,
            };
            let value = fields.as_ref().and_then(|f| f.get(field).component(component).string());
            event = event.with(name, value);
        }
        for (field, name) in [(3, "location"), (6, "prior_location")] {
            let place = self.pv1.as_ref().map(|f| f.get(field));
            let parts = place.map(|p| [4, 1, 2, 3].map(|n| p.component(n).subcomponent(1).string()));
            let parts: Vec<String> = parts.into_iter().flatten().flatten().collect();
            event = event.with(name, Some(parts.join(" ")));
        }
        let reason = self.pv2.as_ref().and_then(|f| Coded::of(f.get(3), context).shown());
        event.with("admit_reason", reason)
    }

    /// The death that PID-29 and PID-30 report.
    pub(super) fn death(&self, context: &mut Context<'_>) -> Option<Event> {
        let pid = self.pid.as_ref()?;
        let at = context.moment(pid.get(29), "PID-29");
        let dead = pid.get(30).component(1).raw() == "Y" || at.is_some();
        dead.then(|| {
            // A death without a date is known from this message on; without a time it would always be so.
            context.event(at, Code::verbatim("MEDS_DEATH"), "demographics")
        })
    }
}

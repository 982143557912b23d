//! ORC, OBR, TQ1, SPM, IPC: an order and what was taken for it.

use super::coding::Coded;
use super::context::Context;
use super::field::Field;
use super::message::{Fields, Segment};
use chiasm_record::{Event, Moment};

/// The order that the results after it belong to.
#[derive(Default)]
pub(super) struct Order {
    /// Whether an OBR was read into it.
    pub(super) detailed: bool,
    /// OBR-4.
    pub(super) panel: Coded,
    /// OBR-7: the specimen was taken, the examination made.
    pub(super) observed: Option<Moment>,
    /// OBR-22: the results were reported.
    pub(super) reported: Option<Moment>,
    /// OBR-24: `LAB`, `RAD`.
    pub(super) section: String,
    /// OBR-25.
    pub(super) status: String,
    /// SPM-2.
    pub(super) specimen: Option<String>,
    /// SPM-17.
    pub(super) collected: Option<Moment>,
    /// ORC-9, or OBR-6.
    ordered: Option<Moment>,
    /// Order numbers and the like, for the order and for its results.
    pub(super) numbers: Vec<(&'static str, String)>,
    /// What concerns the order alone.
    details: Vec<(&'static str, String)>,
    /// NTE of the order.
    pub(super) notes: Vec<String>,
}

impl Order {
    /// Takes in a segment that describes the order; false for other segments.
    pub(super) fn take(&mut self, segment: &Segment<'_>, context: &mut Context<'_>) -> bool {
        let fields = segment.fields();
        match segment.name {
            "ORC" => self.control(&fields, context),
            "OBR" => self.request(&fields, context),
            "TQ1" => {
                self.detail("scheduled", fields.get(7).component(1).string());
                self.detail("priority", Coded::of(fields.get(9), context).shown());
            }
            "SPM" => self.specimen(&fields, context),
            "IPC" => self.number("accession", fields.get(1).component(1).string()),
            "ZDS" => self.number("study_uid", fields.get(1).component(1).string()),
            _ => return false,
        }
        true
    }

    fn control(&mut self, orc: &Fields<'_>, context: &mut Context<'_>) {
        self.detail("order_control", orc.get(1).component(1).string());
        self.entity(["placer", "placer_authority"], orc.get(2));
        self.entity(["filler", "filler_authority"], orc.get(3));
        self.number("order_group", orc.get(4).component(1).string());
        self.detail("order_status", orc.get(5).component(1).string());
        self.detail("effective", orc.get(15).component(1).string());
        self.ordered = context.moment(orc.get(9), "ORC-9");
    }

    fn request(&mut self, obr: &Fields<'_>, context: &mut Context<'_>) {
        self.detailed = true;
        self.entity(["placer", "placer_authority"], obr.get(2));
        self.entity(["filler", "filler_authority"], obr.get(3));
        self.panel = Coded::of(obr.get(4), context);
        self.detail("priority", obr.get(5).component(1).string());
        self.ordered = self.ordered.or_else(|| context.moment(obr.get(6), "OBR-6"));
        self.observed = context.moment(obr.get(7), "OBR-7");
        self.number("specimen_received", obr.get(14).component(1).string());
        // SPS: its first component is a coded field in itself.
        let source = obr.get(15).component(1);
        self.number(
            "specimen_type",
            source.subcomponent(2).string().or_else(|| source.subcomponent(1).string()),
        );
        self.number("accession", obr.get(18).component(1).string());
        self.reported = context.moment(obr.get(22), "OBR-22");
        self.section = obr.get(24).component(1).string().unwrap_or_default();
        self.status = obr.get(25).component(1).string().unwrap_or_default();
        self.detail("reason", Coded::of(obr.get(31), context).shown());
        self.detail("scheduled", obr.get(36).component(1).string());
    }

    fn specimen(&mut self, spm: &Fields<'_>, context: &mut Context<'_>) {
        let id = spm.get(2);
        let filler = id.component(2).subcomponent(1).string();
        let id = filler.or_else(|| id.component(1).subcomponent(1).string());
        self.specimen = self.specimen.take().or(id);
        self.number("specimen_type", Coded::of(spm.get(4), context).shown());
        self.collected = self.collected.or_else(|| context.moment(spm.get(17), "SPM-17"));
        self.number("specimen_received", spm.get(18).component(1).string());
        self.number("accession", spm.get(30).component(1).string());
    }

    /// A number with who gave it (EI-2, or EI-3); of two fields that have one the first counts.
    fn entity(&mut self, [name, authority]: [&'static str; 2], ei: Field<'_>) {
        let value = ei.component(1).string();
        if value.is_some() && !self.numbers.iter().any(|(n, _)| *n == name) {
            self.number(authority, ei.component(2).string().or_else(|| ei.component(3).string()));
            self.number(name, value);
        }
    }

    fn number(&mut self, name: &'static str, value: Option<String>) {
        let new = !self.numbers.iter().any(|(n, _)| *n == name);
        self.numbers.extend(value.filter(|_| new).map(|v| (name, v)));
    }

    fn detail(&mut self, name: &'static str, value: Option<String>) {
        let new = !self.details.iter().any(|(n, _)| *n == name);
        self.details.extend(value.filter(|_| new).map(|v| (name, v)));
    }

    /// The order as an event; `None` without a code.
    pub(super) fn event(&self, context: &Context<'_>) -> Option<Event> {
        let code = self.panel.or_text(context)?;
        let mut event = context.event(self.ordered, code, "orders");
        event.specimen.clone_from(&self.specimen);
        event = event
            .with("name", self.panel.text.clone())
            .with("code_alternate", self.panel.alternate.as_ref().map(ToString::to_string))
            .with("section", Some(self.section.as_str()))
            .with("status", Some(self.status.as_str()))
            .with("note", Some(self.notes.join("\n")));
        for (name, value) in self.numbers.iter().chain(&self.details) {
            event = event.with(name, Some(value.as_str()));
        }
        Some(event)
    }
}

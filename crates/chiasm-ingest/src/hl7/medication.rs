//! RXO, RXE, RXD, RXG, RXA: drugs ordered, encoded, dispensed, given.

use super::coding::Coded;
use super::context::Context;
use super::message::Segment;
use chiasm_record::Event;

/// Where a segment keeps its parts: code, amount, unit, form, start and end of the giving (0: nowhere).
struct Layout {
    name: &'static str,
    act: &'static str,
    code: usize,
    amount: usize,
    unit: usize,
    form: usize,
    start: usize,
    end: usize,
}

const LAYOUTS: [Layout; 5] = [
    Layout { name: "RXO", act: "ordered", code: 1, amount: 2, unit: 4, form: 5, start: 0, end: 0 },
    Layout { name: "RXE", act: "encoded", code: 2, amount: 3, unit: 5, form: 6, start: 0, end: 0 },
    Layout { name: "RXD", act: "dispensed", code: 2, amount: 4, unit: 5, form: 6, start: 3, end: 0 },
    Layout { name: "RXG", act: "to_give", code: 4, amount: 5, unit: 7, form: 8, start: 0, end: 0 },
    Layout { name: "RXA", act: "administered", code: 5, amount: 6, unit: 7, form: 8, start: 3, end: 4 },
];

/// The event that a pharmacy segment states; `None` for other segments.
///
/// `value` is the amount in `unit`. A given dose that was refused or not given keeps its status, and has
/// no amount.
pub(super) fn event(segment: &Segment<'_>, context: &mut Context<'_>) -> Option<Event> {
    let layout = LAYOUTS.iter().find(|l| l.name == segment.name)?;
    let fields = segment.fields();
    let coded = Coded::of(fields.get(layout.code), context);
    let at = |context: &mut Context<'_>, n: usize| match n {
        0 => None,
        n => context.moment(fields.get(n), layout.name),
    };
    let happened = at(context, layout.start);
    let mut event = context.event(happened, coded.or_text(context)?, "medications");
    let status = (layout.name == "RXA").then(|| fields.get(20).component(1).string()).flatten();
    let given = !matches!(status.as_deref(), Some("RE" | "NA"));
    let amount = fields.get(layout.amount).text().and_then(|t| super::value::number(&t));
    // 999 stands for an amount that is not known (RXA-6).
    event.value = amount.filter(|v| given && !(layout.name == "RXA" && *v == 999.0));
    event.unit = fields.get(layout.unit).component(1).string();
    let end = if layout.end == 0 { None } else { fields.get(layout.end).component(1).string() };
    Some(
        event
            .with("name", coded.text)
            .with("code_alternate", coded.alternate.map(|c| c.to_string()))
            .with("act", Some(layout.act))
            .with("form", Coded::of(fields.get(layout.form), context).shown())
            .with("status", status)
            .with("end", end),
    )
}

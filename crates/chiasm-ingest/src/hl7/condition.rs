//! DG1, AL1, IAM, PR1: diagnoses, allergies and procedures.

use super::coding::Coded;
use super::context::Context;
use super::message::{Fields, Segment};
use chiasm_record::Event;

/// The event that a segment of these kinds states; `None` for other segments and for those without a code.
pub(super) fn event(segment: &Segment<'_>, context: &mut Context<'_>) -> Option<Event> {
    let fields = segment.fields();
    match segment.name {
        "DG1" => diagnosis(&fields, context),
        "AL1" | "IAM" => allergy(segment.name, &fields, context),
        "PR1" => procedure(&fields, context),
        _ => None,
    }
}

/// The code in field 3, where an older version names its system in field 2 and its text in field 4.
fn coded(fields: &Fields<'_>, context: &Context<'_>) -> (Coded, Option<String>) {
    let mut coded = Coded::of(fields.get(3), context);
    if fields.get(3).component(3).is_empty()
        && let (Some(code), Some(method)) = (&coded.code, fields.get(2).component(1).string())
    {
        let system = super::coding::system(&method, &context.facility);
        coded.code = Some(chiasm_record::Code::new(&system, code.code()));
    }
    let described = fields.get(4).string();
    if coded.text.is_none() {
        coded.text.clone_from(&described);
    }
    (coded, described)
}

fn diagnosis(fields: &Fields<'_>, context: &mut Context<'_>) -> Option<Event> {
    let (coded, _) = coded(fields, context);
    let happened = context.moment(fields.get(5), "DG1-5");
    let known = context.moment(fields.get(19), "DG1-19");
    let mut event = context.event(happened, coded.or_text(context)?, "conditions");
    event.times.known = known;
    Some(
        event
            .with("name", coded.text)
            .with("code_alternate", coded.alternate.map(|c| c.to_string()))
            .with("diagnosis_type", fields.get(6).component(1).string())
            .with("priority", fields.get(15).component(1).string())
            .with("action", fields.get(21).component(1).string()),
    )
}

fn allergy(name: &str, fields: &Fields<'_>, context: &mut Context<'_>) -> Option<Event> {
    let coded = Coded::of(fields.get(3), context);
    let (onset, place) = if name == "AL1" { (6, "AL1-6") } else { (11, "IAM-11") };
    let happened = context.moment(fields.get(onset), place);
    let reactions: Vec<String> =
        fields.get(5).repetitions().filter_map(|r| Coded::of(r, context).shown()).collect();
    let event = context.event(happened, coded.or_text(context)?, "allergies");
    let event = event
        .with("name", coded.text)
        .with("code_alternate", coded.alternate.map(|c| c.to_string()))
        .with("allergy_type", Coded::of(fields.get(2), context).shown())
        .with("severity", Coded::of(fields.get(4), context).shown())
        .with("reaction", Some(reactions.join("; ")));
    Some(if name == "IAM" {
        event
            .with("action", fields.get(6).component(1).string())
            .with("status", fields.get(17).component(1).string())
    } else {
        event
    })
}

fn procedure(fields: &Fields<'_>, context: &mut Context<'_>) -> Option<Event> {
    let (coded, _) = coded(fields, context);
    let happened = context.moment(fields.get(5), "PR1-5");
    Some(
        context
            .event(happened, coded.or_text(context)?, "procedures")
            .with("name", coded.text)
            .with("code_alternate", coded.alternate.map(|c| c.to_string()))
            .with("procedure_type", fields.get(6).component(1).string())
            .with("minutes", fields.get(7).string())
            .with("priority", fields.get(14).component(1).string()),
    )
}

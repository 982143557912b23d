//! Merges, links and their undoing: which identifiers a sender says are one person's.

use super::context::Context;
use super::message::{Message, Segment};
use super::person;
use crate::feed::{Link, LinkKind};
use chiasm_linkage::{Identifier, IdentifierKind};

/// What a message says about pairs of identifiers.
///
/// In a merge, each number of MRG-1 (and MRG-4, of older versions) is paired with the number of the same
/// authority in the PID before it; account merges pair MRG-3 with PID-18, which are accounts of
/// one person. A24 says that its two PIDs are one person, A37 that they are not.
pub(super) fn links(message: &Message<'_>, context: &Context<'_>) -> Vec<Link> {
    match context.trigger.as_str() {
        _ if context.kind != "ADT" => Vec::new(),
        "A18" | "A30" | "A34" | "A35" | "A36" | "A39" | "A40" | "A41" | "A46" | "A47" => {
            merged(message, context)
        }
        "A24" => pair(message, context, LinkKind::Same),
        "A37" => pair(message, context, LinkKind::Different),
        _ => Vec::new(),
    }
}

fn merged(message: &Message<'_>, context: &Context<'_>) -> Vec<Link> {
    let trigger = context.trigger.as_str();
    let mut links = Vec::new();
    let mut current: Option<&Segment<'_>> = None;
    for segment in &message.segments {
        match (segment.name, current) {
            ("PID", _) => current = Some(segment),
            ("MRG", Some(pid)) => {
                let patient = (!matches!(trigger, "A35" | "A41")).then_some([(3, 1), (2, 4)]);
                let account = matches!(trigger, "A35" | "A36" | "A41").then_some((18, 3));
                for (kept, other) in patient.into_iter().flatten().chain(account) {
                    let kind = if kept == 3 { IdentifierKind::MedicalRecord } else { IdentifierKind::Other };
                    let kept = numbers(pid, kept, kind, context);
                    for (other, named) in numbers(segment, other, kind, context) {
                        links.extend(replaced(&kept, other, named));
                    }
                }
            }
            _ => {}
        }
    }
    links
}

/// The numbers in a field, and whether each names its authority.
fn numbers(
    segment: &Segment<'_>,
    field: usize,
    kind: IdentifierKind,
    context: &Context<'_>,
) -> Vec<(Identifier, bool)> {
    let fields = segment.fields();
    let one = |cx: super::field::Field<'_>| {
        let named = !cx.component(4).is_empty();
        Some((person::identifier(cx, &context.feed.site, kind)?, named))
    };
    fields.get(field).repetitions().filter_map(one).collect()
}

/// `other` with the number that it gave way to: of the same authority and kind, else the first. Where it
/// names no authority, it has that of the number that is kept.
fn replaced(kept: &[(Identifier, bool)], mut other: Identifier, named: bool) -> Option<Link> {
    let alike = |k: &&(Identifier, bool)| k.0.authority == other.authority && k.0.kind == other.kind;
    let first = || kept.iter().find(|k| k.0.kind == other.kind).or_else(|| kept.first());
    let (kept, _) = kept.iter().find(alike).filter(|_| named).or_else(first)?;
    if !named {
        other.authority.clone_from(&kept.authority);
    }
    (*kept != other).then(|| Link { kind: LinkKind::Same, kept: kept.clone(), other })
}

fn pair(message: &Message<'_>, context: &Context<'_>, kind: LinkKind) -> Vec<Link> {
    let people = message.segments.iter().filter(|s| s.name == "PID");
    let keys: Vec<Identifier> =
        people.filter_map(|pid| person::identity(&pid.fields(), context).key().cloned()).collect();
    match <[Identifier; 2]>::try_from(keys) {
        Ok([kept, other]) if kept != other => vec![Link { kind, kept, other }],
        _ => Vec::new(),
    }
}

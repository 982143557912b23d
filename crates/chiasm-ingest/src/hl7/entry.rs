//! One message to one entry.

use super::Broken;
use super::charset;
use super::context::Context;
use super::merge;
use super::message::{Message, Segment};
use super::person;
use super::result::Walk;
use super::visit::Visit;
use crate::feed::{Asset, Entry, Feed, Mention};

/// The longest text of a message that stands in an attribute; a longer one is an asset.
const INLINE: usize = 64 << 10;
/// Segments that say who somebody is; the text kept of a message leaves them out.
const PEOPLE: [&str; 12] =
    ["PID", "PD1", "NK1", "MRG", "GT1", "IN1", "IN2", "IN3", "ARV", "PDA", "STF", "CON"];

/// Reads one message.
pub(super) fn entry(bytes: &[u8], key: [u8; 32], place: &str, feed: &Feed) -> Result<Entry, Broken> {
    let (text, doubtful) = charset::decode(bytes)?;
    let message = Message::parse(&text)?;
    let mut context = Context::of(&message, feed, place)?;
    if doubtful {
        context.doubt("MSH-18", "expected bytes of the character set that is named, found others");
    }
    let mut entry = Entry::of(key, place, None, Vec::new());
    entry.subjects.clear();
    entry.links = merge::links(&message, &context);

    let first = message.segments.iter().position(|s| s.name == "PID");
    let (header, people) = message.segments.split_at(first.unwrap_or(message.segments.len()));
    let mut rest = people;
    loop {
        let next = rest.iter().skip(1).position(|s| s.name == "PID").map_or(rest.len(), |at| at + 1);
        let (part, later) = rest.split_at(next);
        let mention = mention(header, part, &mut context, &mut entry.assets)?;
        entry.subjects.push(mention);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    if first.is_none() && matches!(context.kind.as_str(), "ADT" | "MDM") {
        return Err(Broken::new("hl7.pid", "expected a PID segment in this type of message, found none"));
    }
    entry.findings = context.findings;
    Ok(entry)
}

/// What is said of one person: `part` begins with the PID, or is empty where there is none.
fn mention(
    header: &[Segment<'_>],
    part: &[Segment<'_>],
    context: &mut Context<'_>,
    assets: &mut Vec<Asset>,
) -> Result<Mention, Broken> {
    let identity = part.first().map(|pid| person::identity(&pid.fields(), context));
    if identity.as_ref().is_some_and(|i| i.identifiers.is_empty()) {
        return Err(Broken::new("hl7.pid", "expected an identifier of the patient in PID-3, found none"));
    }
    let all = || header.iter().chain(part);
    let visit = Visit::of(all().copied());
    let mut event = visit.event(context);
    let kept: Vec<&str> = all().filter(|s| !PEOPLE.contains(&s.name)).map(|s| s.raw).collect();
    let text = kept.join("\r");
    if text.len() <= INLINE {
        event = event.with("hl7", Some(text));
    } else {
        let asset = Asset::memory("x-application/hl7-v2+er7", text);
        event.asset = Some(asset.id);
        assets.push(asset);
    }
    let death = visit.death(context);
    let facility = context.facility.clone();
    let mut walk = Walk::new(context, visit.encounter());
    all().for_each(|segment| walk.segment(segment));
    walk.finish();
    let mut events = vec![event];
    events.append(&mut walk.events);
    assets.append(&mut walk.assets);
    events.extend(death);
    // Which system it came from: MSH-4.
    for event in &mut events {
        event.attributes.push(("sender".to_owned(), facility.clone()));
    }
    Ok(Mention { identity, events })
}

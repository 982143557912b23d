use super::concept::{self, Coded};
use super::event::{Kept, Whole};
use super::{genomics, modality};
use crate::json::Json;
use chiasm_record::{Event, Times};

/// What an Observation and its components share.
const SHARED: [&str; 3] = ["dataAbsentReason", "interpretation", "referenceRange"];

/// An event for the observation itself, and one for each component with a value.
pub(super) fn events(whole: &Whole<'_>, kept: &mut Kept) {
    let observation = whole.resource;
    let issued = observation.text_of("issued").and_then(|t| whole.moment(t));
    let times =
        Times { happened: whole.choice(observation, "effective"), known: issued, recorded: whole.recorded() };
    let modality = modality::of_observation(observation);
    let coded = observation.get("code").and_then(concept::coded);
    let mut event = one(whole, observation, coded.as_ref(), times, modality);
    whole.attributes(
        observation,
        &["status", "category", "bodySite", "method", "device", "hasMember", "derivedFrom", "note.text"],
        &mut event,
    );
    if modality == "genomics" {
        genomics::attributes(observation, &mut event);
    }
    let parent = event.code.to_string();
    kept.events.push(event);
    for component in observation.each("component") {
        let coded = component.get("code").and_then(concept::coded);
        let event = one(whole, component, coded.as_ref(), times, modality);
        kept.events.push(event.with("parent", Some(parent.as_str())));
    }
}

fn one(whole: &Whole<'_>, of: &Json<'_>, coded: Option<&Coded>, times: Times, modality: &str) -> Event {
    let mut event = match coded {
        Some(coded) => whole.event(times, coded, modality),
        None => whole.plain_event(times, modality),
    };
    concept::value(of, "value", &mut event);
    for name in SHARED {
        for json in of.each(name) {
            let text = match name {
                "referenceRange" => concept::plain(json).or_else(|| json.text_of("text").map(str::to_owned)),
                "interpretation" => concept::coded(json).map(|c| c.main.code().to_owned()),
                _ => concept::plain(json),
            };
            let name = match name {
                "referenceRange" => "reference_range",
                "dataAbsentReason" => "absent",
                name => name,
            };
            event.attributes.extend(text.map(|t| (name.to_owned(), t)));
        }
    }
    event
}

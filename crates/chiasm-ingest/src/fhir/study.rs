use super::concept::{self, Coded};
use super::event::{Kept, Whole, number};
use crate::json::Json;
use chiasm_record::{Event, Times};

/// An event for the study and one for each series, with the UIDs that DICOM objects carry.
pub(super) fn events(whole: &Whole<'_>, kept: &mut Kept) {
    let study = whole.resource;
    let started = study.text_of("started").and_then(|t| whole.moment(t));
    let times = Times { happened: started, known: None, recorded: whole.recorded() };
    let coded = study.get("procedureCode").and_then(concept::coded).or_else(|| first_modality(study));
    let mut event = match &coded {
        Some(coded) => whole.event(times, coded, "imaging"),
        None => whole.plain_event(times, "imaging"),
    };
    for identifier in study.each("identifier") {
        let Some(value) = identifier.text_of("value") else { continue };
        let uid = identifier.text_of("system") == Some("urn:dicom:uid");
        let name = if uid { "study_uid" } else { number(identifier) };
        let value = value.strip_prefix("urn:oid:").unwrap_or(value);
        event.attributes.push((name.to_owned(), value.to_owned()));
    }
    whole.attributes(
        study,
        &[
            "status",
            "modality",
            "numberOfSeries",
            "numberOfInstances",
            "basedOn",
            "endpoint",
            "description",
            "reasonCode",
        ],
        &mut event,
    );
    let study_uid = event.attribute("study_uid").map(str::to_owned);
    kept.events.push(event);
    for series in study.each("series") {
        let began = series.text_of("started").and_then(|t| whole.moment(t)).or(started);
        let times = Times { happened: began, ..times };
        let mut event: Event = match series.get("modality").and_then(concept::coded) {
            Some(coded) => whole.event(times, &coded, "imaging"),
            None => whole.plain_event(times, "imaging"),
        };
        let uid = series.text_of("uid").map(|u| u.strip_prefix("urn:oid:").unwrap_or(u));
        event = event.with("study_uid", study_uid.as_deref()).with("series_uid", uid);
        whole.attributes(
            series,
            &["number", "description", "numberOfInstances", "bodySite", "laterality", "specimen"],
            &mut event,
        );
        kept.events.push(event);
    }
}

/// The DICOM modality of the study or of its first series.
fn first_modality(study: &Json<'_>) -> Option<Coded> {
    let own = study.get("modality").and_then(concept::coded);
    own.or_else(|| study.each("series").first()?.get("modality").and_then(concept::coded))
}

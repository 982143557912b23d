use super::attributes::attributes;
use super::dataset::{DataSet, Level};
use super::groups::{groups, segments, waveforms};
use super::identity::identity;
use super::times::Clock;
use super::{key, report};
use crate::Error;
use crate::feed::{Asset, AssetBytes, Entry, Feed, Severity, Source};
use chiasm_record::{AssetId, Code, Event, Finding, Modality, Times};
use dicom_dictionary_std::tags;
use std::collections::BTreeMap;

/// The entry of one instance: an event that points to the file, and events of its measured values.
pub(super) fn entry(source: &Source, feed: &Feed, data: &DataSet) -> Result<Entry, Error> {
    let root = data.root();
    let (times, from) = Clock::new(root, feed).times(root);
    let asset = asset(source, data)?;
    let kind = root.first(tags::MODALITY).unwrap_or_else(|| "OT".to_owned());
    let modality = Modality::new(modality(&kind, root));
    let mut event = Event::new(times, Code::new("DICOM", &kind), modality);
    event.asset = Some(asset.id);
    event.encounter = root.first(tags::ADMISSION_ID);
    event.specimen = specimen(root);
    event = attributes(event, root).with("time_from", from);
    event = waveforms(segments(groups(event, root), root), root);
    let mut events = vec![event];
    if root.find(tags::CONTENT_SEQUENCE).is_some() {
        events[0].text = report::text(root);
        events.extend(report::measurements(root, times));
    }
    events.extend(body(root, times));
    let mut entry = Entry::of(key::key(data), "", identity(root, feed), events);
    entry.assets = vec![asset];
    entry.findings = findings(source, data);
    Ok(entry)
}

/// Which kind of evidence a DICOM modality is.
fn modality(kind: &str, root: Level<'_>) -> &'static str {
    let holds = |tag| root.find(tag).is_some();
    match kind {
        "SM" | "GM" => "pathology",
        "SR" | "DOC" | "PLAN" | "KO" => "notes",
        "ECG" | "HD" | "EPS" | "EEG" | "EMG" | "EOG" | "RESP" | "AU" => "waveforms",
        _ if holds(tags::WAVEFORM_SEQUENCE) => "waveforms",
        _ if holds(tags::CONTENT_SEQUENCE) || holds(tags::ENCAPSULATED_DOCUMENT) => "notes",
        _ => "imaging",
    }
}

fn specimen(root: Level<'_>) -> Option<String> {
    let described = root.items(tags::SPECIMEN_DESCRIPTION_SEQUENCE).next();
    let named = described.and_then(|s| s.first(tags::SPECIMEN_IDENTIFIER));
    named.or_else(|| root.first(tags::CONTAINER_IDENTIFIER))
}

/// What the study says of the patient's body, in UCUM units.
fn body(root: Level<'_>, times: Times) -> Vec<Event> {
    let number = |tag| root.reals(tag).first().copied().filter(|v| *v > 0.0);
    let age = root.first(tags::PATIENT_AGE).and_then(|a| {
        let (digits, unit) = a.split_at_checked(3)?;
        let unit = [("D", "d"), ("W", "wk"), ("M", "mo"), ("Y", "a")].iter().find(|u| u.0 == unit)?.1;
        Some((digits.parse::<f64>().ok()?, unit))
    });
    let all = [
        ("PatientAge", age),
        ("PatientSize", number(tags::PATIENT_SIZE).map(|v| (v, "m"))),
        ("PatientWeight", number(tags::PATIENT_WEIGHT).map(|v| (v, "kg"))),
    ];
    let event = |(name, value): (&str, Option<(f64, &str)>)| {
        let (value, unit) = value?;
        let mut event = Event::new(times, Code::new("DICOM", name), Modality::new("vitals"));
        (event.value, event.unit) = (Some(value), Some(unit.to_owned()));
        Some(event)
    };
    all.into_iter().filter_map(event).collect()
}

/// The file as it came.
pub(super) fn asset(source: &Source, data: &DataSet) -> Result<Asset, Error> {
    let Some(path) = source.path() else {
        return Ok(Asset::memory("application/dicom", source.bytes(u64::MAX)?));
    };
    let mut hasher = blake3::Hasher::new();
    // Unpacked, a file in memory is no longer what came.
    let whole = data.input.whole().filter(|_| !data.deflated());
    match whole {
        Some(bytes) => {
            hasher.update(bytes);
        }
        None => {
            let unreadable = |source| Error::Io { path: path.to_owned(), source };
            hasher.update_reader(source.open()?).map_err(unreadable)?;
        }
    }
    let id = AssetId::new(*hasher.finalize().as_bytes());
    Ok(Asset { id, media_type: "application/dicom".into(), bytes: AssetBytes::File(path.to_owned()) })
}

/// The rules that reading found broken, a finding for each with how often.
fn findings(source: &Source, data: &DataSet) -> Vec<Finding> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let doubts = data.issues.iter().filter(|i| i.severity > Severity::Information);
    doubts.for_each(|issue| *counts.entry(issue.message).or_default() += 1);
    counts.into_iter().map(|(message, count)| Finding::new(&source.origin, message, count)).collect()
}

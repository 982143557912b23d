use super::{Header, Recording};
use crate::Error;
use crate::feed::{Entry, Feed, Rejected, Sink, Source};
use crate::waveform::{self, Channel, WAVEFORM};
use chiasm_linkage::{IdentifierKind, Identity};
use chiasm_record::{Code, Event, Finding, Modality, Moment, Times};

/// Annotations that become events of their own, at most; all are in the asset.
const MAX_NOTES: usize = 100_000;
/// Bytes of their texts, at most.
const MAX_TEXT: usize = 32 << 20;

/// Reads a recording: one entry with an event for each kind of signal and one for each annotation.
///
/// The subject: in EDF+ the patient field's hospital code (a medical record number of the site), sex, date
/// of birth and name; in plain EDF, or where the code is unknown, the field as it stands under
/// `<site>|edf`, or the file's name under `<site>|file` where it says nothing.
///
/// Events: `WAVEFORM|EEG` and its like; `EDF|annotation` with the text, its duration as value in seconds.
/// Rejected: `edf.header`, `edf.length`, `edf.annotation` (the signals are taken all the same).
///
/// # Errors
/// Where the file cannot be opened, or the sink keeps nothing.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let kept =
        |source: crate::feed::SinkError, origin: &str| Error::Sink { place: origin.to_owned(), source };
    let reject = |rule: &str, error: &Error, sink: &mut dyn Sink| {
        let (rule, message) = (rule.to_owned(), error.to_string());
        let rejected = Rejected { place: String::new(), offset: None, rule, message, bytes: None };
        sink.reject(rejected).map_err(|e| kept(e, &source.origin))
    };
    let recording = match Recording::open(source) {
        Ok(recording) => recording,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => {
            let rule = if Header::read(source).is_ok() { "edf.length" } else { "edf.header" };
            return reject(rule, &error, sink);
        }
    };
    let header = recording.header();
    let media = if header.kind.width() == 2 { "application/x-edf" } else { "application/x-bdf" };
    let asset = waveform::asset(source, media)?;
    if sink.has(asset.id.bytes()) {
        return Ok(());
    }
    let happened = header.start().and_then(|p| feed.moment(&p));
    let times = Times { happened, ..Times::default() };
    let known = header.duration > 0.0;
    let channels: Vec<Channel<'_>> = recording
        .signals()
        .map(|(i, s)| Channel {
            name: &s.label,
            unit: &s.unit,
            frequency: if known { header.frequency(i) } else { 0.0 },
            samples: Some(recording.records().saturating_mul(s.samples as u64)),
        })
        .collect();
    let seconds = known.then(|| header.duration * recording.records() as f64);
    let mut events = waveform::events(times, seconds, asset.id, &channels);
    for event in &mut events {
        event.attributes.push(("format".to_owned(), header.kind.as_str().to_owned()));
    }
    let mut findings = Vec::new();
    let (mut left, mut text) = (0, 0);
    let noted = recording.annotations(&mut |_, annotation| {
        if annotation.text.is_empty() {
            return Ok(());
        }
        text += annotation.text.len();
        if events.len() >= MAX_NOTES || text > MAX_TEXT {
            left += 1;
            return Ok(());
        }
        let at = happened.and_then(|h| after(h, annotation.onset));
        let times = Times { happened: at, ..Times::default() };
        let mut event = Event::new(times, Code::new("EDF", "annotation"), Modality::new(WAVEFORM));
        event.text = Some(annotation.text);
        event.value = annotation.duration;
        event.unit = annotation.duration.map(|_| "s".to_owned());
        event.asset = Some(asset.id);
        events.push(event.with("onset", Some(annotation.onset.to_string())));
        Ok(())
    });
    if let Err(error) = noted {
        reject("edf.annotation", &error, sink)?;
    }
    if left > 0 {
        findings.push(Finding::new(source.origin.clone(), "annotations left in the asset alone", left));
    }
    if happened.is_none() {
        findings.push(Finding::new(
            source.origin.clone(),
            "no start date is known, so nothing has a time",
            1,
        ));
    }
    let mut entry = Entry::of(*asset.id.bytes(), "", Some(identity(header, source, feed)), events);
    (entry.assets, entry.findings) = (vec![asset], findings);
    sink.entry(entry).map_err(|e| kept(e, &source.origin))
}

fn identity(header: &Header, source: &Source, feed: &Feed) -> Identity {
    let patient = header.patient();
    let words = header.patient.split(' ').any(|w| !w.is_empty() && w != "X");
    let mut identity = match &patient.code {
        Some(code) => Identity::of_key(feed.site.clone(), code.clone(), IdentifierKind::MedicalRecord),
        None if words => {
            Identity::of_key(format!("{}|edf", feed.site), header.patient.clone(), IdentifierKind::Other)
        }
        None => feed.file_subject(&source.origin),
    };
    identity.sex = patient.sex;
    identity.birth = patient.birth;
    identity.names.extend(patient.name);
    identity
}

/// A moment so many seconds later.
fn after(start: Moment, seconds: f64) -> Option<Moment> {
    let step = seconds * 1e6;
    if !(step.is_finite() && step.abs() < 9e18) {
        return None;
    }
    let moved = |t: i64| t.checked_add(step.round() as i64);
    Some(Moment::new(moved(start.start())?, moved(start.end())?, start.precision(), start.offset()))
}

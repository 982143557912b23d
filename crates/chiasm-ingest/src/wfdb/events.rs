use super::{Annotations, Frames, Header, Record};
use crate::Error;
use crate::feed::{Asset, Entry, Feed, Rejected, Sink, Source};
use crate::waveform::{self, Channel, WAVEFORM};
use chiasm_linkage::{IdentifierKind, Identity, Sex};
use chiasm_record::{Code, Event, Finding, Modality, Moment, Precision, Times};
use std::collections::BTreeMap;

/// The endings of annotation files that are looked for beside a header.
const ANNOTATORS: [&str; 14] =
    ["atr", "qrs", "ecg", "ari", "wqrs", "gqrs", "sqrs", "st", "apn", "man", "pu", "epi", "alarms", "event"];

/// Rhythm changes and comments that become events of their own, at most; a damaged file could hold millions.
const MAX_NOTES: usize = 100_000;

/// Reads a record: one entry with an event for each kind of signal, and one for each annotation file.
///
/// The record's patient is unknown to the format: the subject is the record's name under the authority
/// `<site>|wfdb`, or what a comment such as `Patient ID: 7` calls it. Age and sex come from comments.
/// A header that is a segment or the layout of another in its folder says nothing by itself; it gives an
/// entry without events.
///
/// Events: `WAVEFORM|ECG` and its like (see the signals' attributes), `WFDB|age` in years, `WFDB|sex`;
/// `ANNOTATION|atr` with the number of annotations and of each symbol, `WFDB|rhythm` and `WFDB|comment`
/// for notes at their time. Rejected: `wfdb.header`, `wfdb.missing`, `wfdb.outside`, `wfdb.signal`,
/// `wfdb.annotation`.
///
/// # Errors
/// Where the header itself cannot be opened, or the sink keeps nothing.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let kept =
        |source: crate::feed::SinkError, origin: &str| Error::Sink { place: origin.to_owned(), source };
    match gather(source, feed, sink) {
        Ok(entries) => entries.into_iter().try_for_each(|e| match e {
            Ok(entry) => sink.entry(entry).map_err(|e| kept(e, &source.origin)),
            Err(rejected) => sink.reject(rejected).map_err(|e| kept(e, &source.origin)),
        }),
        Err(Stop::Reject(rejected)) => sink.reject(*rejected).map_err(|e| kept(e, &source.origin)),
        Err(Stop::Error(error)) => Err(error),
    }
}

/// Why a record gives no entry.
enum Stop {
    Reject(Box<Rejected>),
    Error(Error),
}

fn reject(rule: &str, place: &str, message: String) -> Stop {
    let (rule, place) = (rule.to_owned(), place.to_owned());
    Stop::Reject(Box::new(Rejected { place, offset: None, rule, message, bytes: None }))
}

/// What an error of a file that the header names means for the record.
fn stop(error: Error) -> Stop {
    match error {
        Error::MissingFile { .. } => {
            reject("wfdb.missing", "", "a file that the header names is not beside it".to_owned())
        }
        Error::Outside { .. } => reject("wfdb.outside", "", error.to_string()),
        Error::Io { .. } => Stop::Error(error),
        error => reject("wfdb.signal", "", error.to_string()),
    }
}

/// Entries and rejections in the order in which the sink gets them.
type Gathered = Vec<Result<Entry, Rejected>>;

fn gather(source: &Source, feed: &Feed, sink: &dyn Sink) -> Result<Gathered, Stop> {
    let header = match Header::read(source) {
        Ok(header) => header,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(Stop::Error(error)),
        Err(error) => return Err(reject("wfdb.header", "", error.to_string())),
    };
    let own = waveform::asset(source, "text/x-wfdb-header").map_err(Stop::Error)?;
    if header.is_layout() || is_segment(source, &header) {
        let key = waveform::key("wfdb segment", [(header.name.as_str(), &own.id)]);
        let mut entry = Entry::of(key, "", None, Vec::new());
        entry.subjects.clear();
        let message = "part of a record of several segments; it is read with that record";
        entry.findings.push(Finding::new(source.origin.clone(), message, 1));
        return Ok(vec![Ok(entry)]);
    }
    let record = Record::open(source).map_err(stop)?;
    let (assets, names) = files(source, &record, own)?;
    let key = waveform::key("wfdb", names.iter().map(String::as_str).zip(assets.iter().map(|a| &a.id)));
    let identity = identity(&header, feed);
    let happened = header.start().and_then(|p| feed.moment(&p));
    let mut gathered = Vec::new();
    if !sink.has(&key) {
        let mut entry =
            Entry::of(key, "", Some(identity.clone()), events(&record, happened, &assets, &names));
        entry.findings = findings(source, &record);
        entry.assets = assets;
        gathered.push(Ok(entry));
    }
    annotations(source, &header, &identity, happened, &mut gathered)?;
    Ok(gathered)
}

/// Every file of the record, the header first, each checked to be as long as it must be.
fn files(source: &Source, record: &Record, own: Asset) -> Result<(Vec<Asset>, Vec<String>), Stop> {
    let mut assets = vec![own];
    // By its name alone: a record is the same wherever its folder lies.
    let mut names = vec![format!("{}.hea", record.header().name)];
    let mut seen = std::collections::BTreeSet::from([names[0].clone()]);
    let mut add = |file: &Source, name: &str, media: &str| -> Result<(), Stop> {
        if seen.insert(name.to_owned()) {
            assets.push(waveform::asset(file, media).map_err(stop)?);
            names.push(name.to_owned());
        }
        Ok(())
    };
    if let Some(layout) = record.header().segments.first().filter(|_| record.header().is_variable()) {
        let name = format!("{}.hea", layout.name);
        add(&source.sibling(&name).map_err(stop)?, &name, "text/x-wfdb-header")?;
    }
    for segment in record.segments() {
        let (_, Some((file, header))) = segment.map_err(stop)? else { continue };
        if record.header().is_segmented() {
            add(&file, &file.origin.clone(), "text/x-wfdb-header")?;
        }
        Frames::open(&file, &header).map_err(stop)?;
        for signal in header.signals.iter().filter(|s| s.file != "~") {
            let data = file.sibling(&signal.file).map_err(stop)?;
            let flac = signal.format.flac_bits().is_some();
            add(&data, &signal.file, if flac { "audio/flac" } else { "application/x-wfdb-signal" })?;
        }
    }
    Ok((assets, names))
}

fn events(record: &Record, happened: Option<Moment>, assets: &[Asset], names: &[String]) -> Vec<Event> {
    let header = record.header();
    let times = Times { happened, ..Times::default() };
    let channels: Vec<Channel<'_>> = record
        .signals()
        .iter()
        .map(|s| Channel {
            name: &s.name,
            unit: &s.unit,
            frequency: header.frequency * f64::from(s.samples_per_frame),
            samples: header.frames.map(|n| n.saturating_mul(u64::from(s.samples_per_frame))),
        })
        .collect();
    let mut events = waveform::events(times, header.duration(), assets[0].id, &channels);
    if let Some(first) = events.first_mut() {
        let described =
            std::mem::replace(first, Event::new(times, Code::verbatim(""), Modality::new(WAVEFORM)));
        let mut described = described
            .with("segments", header.is_segmented().then(|| header.segments.len().to_string()))
            .with("time_of_day", header.time.filter(|_| header.date.is_none()).map(clock));
        for (asset, name) in assets.iter().zip(names) {
            described = described.with("file", Some(format!("{} {name}", asset.id)));
        }
        for comment in &header.comments {
            described = described.with("comment", Some(comment.as_str()));
        }
        *first = described;
    }
    let (age, sex) = age_and_sex(&header.comments);
    if let Some(age) = age {
        let mut event = Event::new(times, Code::new("WFDB", "age"), Modality::new("demographics"));
        (event.value, event.unit) = (Some(age), Some("a".to_owned()));
        events.push(event);
    }
    if let Some(sex) = sex {
        let mut event = Event::new(times, Code::new("WFDB", "sex"), Modality::new("demographics"));
        event.text = Some(if sex == Sex::Female { "female" } else { "male" }.to_owned());
        events.push(event);
    }
    events
}

fn clock((hour, minute, second, micros): (i8, i8, i8, Option<i32>)) -> String {
    let fraction = micros.map_or_else(String::new, |m| format!(".{m:06}"));
    format!("{hour:02}:{minute:02}:{second:02}{fraction}")
}

fn findings(source: &Source, record: &Record) -> Vec<Finding> {
    let header = record.header();
    let mut findings = Vec::new();
    let mut add = |message: &str, count: usize| {
        if count > 0 {
            findings.push(Finding::new(source.origin.clone(), message, count));
        }
    };
    add("lines after the last signal that the record line announces", header.surplus);
    add("no date is written, so the record has no time", usize::from(header.date.is_none()));
    let gaps = header.segments.iter().filter(|s| s.is_gap()).count();
    add("gaps between segments", gaps);
    findings
}

fn identity(header: &Header, feed: &Feed) -> Identity {
    let named = header.comments.iter().find_map(|comment| {
        ["patient id", "patient", "subject id", "subject"]
            .into_iter()
            .find_map(|word| labelled(comment, word))
    });
    let value = named.unwrap_or(&header.name).to_owned();
    let mut identity = Identity::of_key(format!("{}|wfdb", feed.site), value, IdentifierKind::Other);
    identity.sex = age_and_sex(&header.comments).1;
    identity
}

/// What follows `word:` or `<word>:` in a comment, up to the next `<`.
fn labelled<'a>(comment: &'a str, word: &str) -> Option<&'a str> {
    let lower = comment.to_ascii_lowercase();
    let tagged = format!("<{word}>");
    let at = match lower.find(&tagged) {
        Some(at) => at + tagged.len(),
        None => lower.starts_with(word).then_some(word.len())?,
    };
    let rest = comment.get(at..)?.trim_start().strip_prefix(':')?;
    let value = rest.split('<').next()?.trim();
    (!value.is_empty() && !value.starts_with('?')).then_some(value)
}

/// Age in years and sex, from `age: 81`, `<sex>: M`, or the MIT-BIH form `69 M 1085 1629 x1`.
fn age_and_sex(comments: &[String]) -> (Option<f64>, Option<Sex>) {
    let sex = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
        "f" | "female" => Some(Sex::Female),
        "m" | "male" => Some(Sex::Male),
        _ => None,
    };
    let age = |text: &str| {
        let number = text.split_ascii_whitespace().next()?.parse::<f64>().ok()?;
        (0.0..=130.0).contains(&number).then_some(number)
    };
    let found = |word: &str| comments.iter().find_map(|c| labelled(c, word));
    let (mut years, mut gender) =
        (found("age").and_then(age), found("sex").or(found("gender")).and_then(sex));
    if let Some(first) = comments.iter().find(|c| {
        let mut words = c.split_ascii_whitespace();
        words.next().is_some_and(|w| w.parse::<i32>().is_ok())
            && words.next().is_some_and(|w| sex(w).is_some())
    }) {
        let mut words = first.split_ascii_whitespace();
        years = years.or(words.next().and_then(age));
        gender = gender.or(words.next().and_then(sex));
    }
    (years, gender)
}

/// Whether another header in the folder names this one as its segment.
///
/// Only where its name suggests it, so that a folder of ten thousand records is not read ten thousand
/// times: a master whose name begins this one's (`041s` of `041s01`), or any, for the monitors' pattern
/// `3234460_0001`.
fn is_segment(source: &Source, header: &Header) -> bool {
    let names = |master: &Source| {
        let segmented = |head: Vec<u8>| {
            let head = String::from_utf8_lossy(&head).into_owned();
            let line = head.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'));
            line.and_then(|l| l.split_ascii_whitespace().next().map(|w| w.contains('/'))).unwrap_or(false)
        };
        master.head(512).is_ok_and(segmented)
            && Header::read(master).is_ok_and(|m| m.segments.iter().any(|s| s.name == header.name))
    };
    let prefix = |end: usize| header.name.get(..end).and_then(|n| source.sibling(&format!("{n}.hea")).ok());
    if header.is_segmented() {
        return false;
    }
    if (1..header.name.len()).filter_map(prefix).any(|s| names(&s)) {
        return true;
    }
    let numbered = header
        .name
        .rsplit_once('_')
        .is_some_and(|(_, n)| n == "layout" || (n.len() == 4 && n.bytes().all(|b| b.is_ascii_digit())));
    let folder = source.path().and_then(|p| p.parent().map(std::path::Path::to_owned)).filter(|_| numbered);
    let files = folder.and_then(|f| std::fs::read_dir(f).ok()).into_iter().flatten().flatten();
    files
        .filter(|f| f.path().extension().is_some_and(|e| e == "hea"))
        .any(|f| names(&Source::file(&f.path())))
}

/// The annotation files beside a header, by annotator.
pub(super) fn annotations_of(source: &Source, header: &Header) -> Vec<(&'static str, Source)> {
    let file = |annotator: &'static str| {
        source.sibling(&format!("{}.{annotator}", header.name)).ok().map(|file| (annotator, file))
    };
    ANNOTATORS.into_iter().filter_map(file).collect()
}

/// An entry for each annotation file beside the header.
fn annotations(
    source: &Source,
    header: &Header,
    identity: &Identity,
    start: Option<Moment>,
    gathered: &mut Gathered,
) -> Result<(), Stop> {
    for (annotator, file) in annotations_of(source, header) {
        let asset = waveform::asset(&file, "application/x-wfdb-annotation").map_err(Stop::Error)?;
        let mut read =
            Annotations::new(file.origin.clone(), std::io::BufReader::new(file.open().map_err(Stop::Error)?));
        let mut symbols: BTreeMap<String, usize> = BTreeMap::new();
        let (mut notes, mut left, mut total, mut beats) = (Vec::new(), 0, 0usize, 0usize);
        let mut broken = None;
        for annotation in read.by_ref() {
            let annotation = match annotation {
                Ok(annotation) => annotation,
                Err(error) => {
                    broken = Some(error.to_string());
                    break;
                }
            };
            total += 1;
            beats += usize::from(annotation.is_beat());
            let symbol = annotation.symbol().map_or_else(|| annotation.code.to_string(), String::from);
            *symbols.entry(symbol).or_default() += 1;
            let named = match annotation.code {
                28 => "rhythm",
                22 => "comment",
                _ => continue,
            };
            let Some(note) = annotation.note else { continue };
            if notes.len() < MAX_NOTES { notes.push((annotation.sample, named, note)) } else { left += 1 }
        }
        if let Some(message) = broken {
            let (place, rule) = (file.origin.clone(), "wfdb.annotation".to_owned());
            gathered.push(Err(Rejected { place, offset: None, rule, message, bytes: None }));
            continue;
        }
        let frequency = read.frequency().unwrap_or(header.frequency);
        let times = Times { happened: start, ..Times::default() };
        let mut all = Event::new(times, Code::new("ANNOTATION", annotator), Modality::new(WAVEFORM));
        (all.value, all.unit, all.asset) = (Some(total as f64), Some("{count}".to_owned()), Some(asset.id));
        all = all.with("beats", Some(beats.to_string())).with("record", Some(source.origin.as_str()));
        for (symbol, count) in &symbols {
            all = all.with(&format!("symbol.{symbol}"), Some(count.to_string()));
        }
        let mut events = vec![all];
        for (sample, named, note) in notes {
            let at = start.and_then(|s| after(s, sample as f64 / frequency));
            let times = Times { happened: at, ..Times::default() };
            let mut event = Event::new(times, Code::new("WFDB", named), Modality::new(WAVEFORM));
            event.text = Some(note.trim_end_matches('\0').to_owned());
            events.push(event.with("sample", Some(sample.to_string())).with("annotator", Some(annotator)));
        }
        let key = waveform::key("wfdb annotation", [(file.origin.as_str(), &asset.id)]);
        let mut entry = Entry::of(key, file.origin.clone(), Some(identity.clone()), events);
        if left > 0 {
            let message = "rhythm changes and comments beyond the first 100000, left in the asset";
            entry.findings.push(Finding::new(file.origin.clone(), message, left));
        }
        entry.assets.push(asset);
        gathered.push(Ok(entry));
    }
    Ok(())
}

/// A moment so many seconds later, no more exact than the first.
fn after(start: Moment, seconds: f64) -> Option<Moment> {
    let step = seconds * 1e6;
    if !(step.is_finite() && step.abs() < 9e18) || start.precision() < Precision::Minute {
        return None;
    }
    let moved = |t: i64| t.checked_add(step.round() as i64);
    Some(Moment::new(moved(start.start())?, moved(start.end())?, start.precision(), start.offset()))
}

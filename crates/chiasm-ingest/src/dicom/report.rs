use super::attributes::{concept, meaning};
use super::dataset::Level;
use chiasm_record::{Code, Event, Modality, Times};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// The longest text of a report, in bytes; what is beyond stays in the asset.
const TEXT: usize = 1 << 20;
/// The most measured values of one report.
const VALUES: usize = 10_000;

/// A structured report's content tree as plain text, an item a line and deeper ones set in.
///
/// Names of persons (PNAME) are left out: the record holds whose report it is, and the text goes where
/// names must not.
pub(super) fn text(root: Level<'_>) -> Option<String> {
    let mut lines = String::new();
    if let Some(title) = meaning(root, tags::CONCEPT_NAME_CODE_SEQUENCE) {
        lines.push_str(&title);
        lines.push('\n');
    }
    walk(root, |item, depth| {
        let name = meaning(item, tags::CONCEPT_NAME_CODE_SEQUENCE);
        let value = value(item);
        let line = match (name, value) {
            (Some(name), Some(value)) => format!("{name}: {value}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return true,
        };
        lines.extend(std::iter::repeat_n("  ", depth.min(16)));
        lines.push_str(&line);
        lines.push('\n');
        lines.len() < TEXT
    });
    let text = lines.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Calls `take` with every content item in order and its depth, until it says `false`.
fn walk<'a>(root: Level<'a>, mut take: impl FnMut(Level<'a>, usize) -> bool) {
    let children = |level: Level<'a>| {
        let mut items: Vec<Level<'a>> = level.items(tags::CONTENT_SEQUENCE).collect();
        items.reverse();
        items
    };
    let mut open: Vec<(Level<'a>, usize)> = children(root).into_iter().map(|l| (l, 1)).collect();
    while let Some((item, depth)) = open.pop() {
        if !take(item, depth) {
            return;
        }
        open.extend(children(item).into_iter().map(|l| (l, depth + 1)));
    }
}

/// A content item's value as text; `None` for containers and what must not be said.
fn value(item: Level<'_>) -> Option<String> {
    let plain = |tag: Tag| item.text(tag);
    match item.first(tags::VALUE_TYPE)?.as_str() {
        "TEXT" => plain(tags::TEXT_VALUE),
        "CODE" => meaning(item, tags::CONCEPT_CODE_SEQUENCE),
        "DATE" => plain(tags::DATE),
        "TIME" => plain(tags::TIME),
        "DATETIME" => plain(tags::DATE_TIME),
        "UIDREF" => plain(tags::UID),
        "NUM" => {
            let measured = item.items(tags::MEASURED_VALUE_SEQUENCE).next()?;
            let number = measured.text(tags::NUMERIC_VALUE)?;
            let unit = unit(measured).filter(|u| u != "1").map(|u| format!(" {u}"));
            Some(format!("{number}{}", unit.unwrap_or_default()))
        }
        "IMAGE" | "COMPOSITE" | "WAVEFORM" => {
            let object = item.items(tags::REFERENCED_SOP_SEQUENCE).next()?;
            object.text(tags::REFERENCED_SOP_INSTANCE_UID)
        }
        _ => None,
    }
}

/// The unit of a measured value: its UCUM code, or what the report calls it.
fn unit(measured: Level<'_>) -> Option<String> {
    let item = measured.items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).next()?;
    match item.first(tags::CODING_SCHEME_DESIGNATOR).as_deref() {
        Some("UCUM") => item.first(tags::CODE_VALUE),
        _ => item.first(tags::CODE_MEANING).or_else(|| item.first(tags::CODE_VALUE)),
    }
}

/// The measured values of a report as events of their own.
pub(super) fn measurements(root: Level<'_>, times: Times) -> Vec<Event> {
    let mut events = Vec::new();
    walk(root, |item, _| {
        events.extend(measurement(item, times));
        events.len() < VALUES
    });
    events
}

fn measurement(item: Level<'_>, times: Times) -> Option<Event> {
    if item.first(tags::VALUE_TYPE)? != "NUM" {
        return None;
    }
    let (code, name) = concept(item.items(tags::CONCEPT_NAME_CODE_SEQUENCE).next()?)?;
    let measured = item.items(tags::MEASURED_VALUE_SEQUENCE).next()?;
    let value = measured.reals(tags::NUMERIC_VALUE).first().copied()?;
    let mut event = Event::new(times, Code::verbatim(code), Modality::new("imaging"));
    (event.value, event.unit) = (Some(value), unit(measured));
    Some(event.with("name", Some(name)).with("value_type", Some("SR NUM")))
}

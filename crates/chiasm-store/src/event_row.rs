use crate::columns::{Columns, Reader, Row};
use crate::{Error, Table};
use arrow::array::RecordBatch;
use chiasm_record::{AssetId, Attributes, Code, Event, KnownBasis, Modality, Moment, Precision, Times};
use std::collections::BTreeMap;

/// A source system's record of a subject, as a number: the key of everything that the source says.
///
/// Which patient a record belongs to is the `links` table's to say, so that linking and unlinking never
/// touch an event. The number is a keyed hash; it tells nothing of the identifier behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub i64);

impl RecordId {
    /// The bucket of the record.
    pub fn bucket(self, buckets: u32) -> u32 {
        // The remainder of a 63-bit number by a 32-bit one fits.
        self.0.unsigned_abs().checked_rem(u64::from(buckets)).unwrap_or(0) as u32
    }
}

/// An event as the store has it: with whose it is and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Whose; `None` for what is about nobody.
    pub record: Option<RecordId>,
    /// What.
    pub event: Event,
    /// The site that it came from.
    pub source: String,
    /// The file and the place in it.
    pub origin: String,
}

impl EventRow {
    /// The order in which a store keeps events: by record, then time (timeless ones first), then code.
    pub(crate) fn order(&self) -> (Option<RecordId>, Option<i64>, &str) {
        (self.record, self.event.times.happened.map(Moment::start), self.event.code.as_str())
    }
}

impl Row for EventRow {
    const TABLE: Table = Table::Events;

    fn batch(rows: &[&Self]) -> Result<RecordBatch, Error> {
        let happened = |r: &Self| r.event.times.happened;
        let usable = |r: &Self| r.event.times.usable_from();
        let json = |sent: bool| -> Result<Vec<Option<String>>, Error> {
            rows.iter().map(|r| attributes_to_json(&r.event.attributes, sent)).collect()
        };
        let (attributes, sent) = (json(false)?, json(true)?);
        let results: Vec<Option<String>> = rows.iter().map(|r| r.event.result_id()).collect();
        let assets: Vec<Option<String>> = rows.iter().map(|r| r.event.asset.map(|a| a.to_string())).collect();
        Columns::of(Table::Events)
            .maybe_long("record_id", rows.iter().map(|r| r.record.map(|r| r.0)))
            .maybe_time("time", rows.iter().map(|r| happened(r).map(Moment::start)))
            .text("code", rows.iter().map(|r| r.event.code.as_str()))
            .maybe_number("numeric_value", rows.iter().map(|r| r.event.value))
            .maybe_text("text_value", rows.iter().map(|r| r.event.text.as_deref()))
            .maybe_text("unit", rows.iter().map(|r| r.event.unit.as_deref()))
            .text("modality", rows.iter().map(|r| r.event.modality.as_str()))
            .maybe_time("known_time", rows.iter().map(|r| usable(r).map(|(at, _)| at)))
            .maybe_text("known_basis", rows.iter().map(|r| usable(r).map(|(_, basis)| basis.as_str())))
            .maybe_time("recorded_time", rows.iter().map(|r| r.event.times.recorded.map(Moment::end)))
            .maybe_time("time_end", rows.iter().map(|r| happened(r).map(Moment::end)))
            .maybe_text("time_precision", rows.iter().map(|r| happened(r).map(|m| m.precision().as_str())))
            .maybe_int("zone_offset", rows.iter().map(|r| happened(r).and_then(Moment::offset)))
            .maybe_text("encounter", rows.iter().map(|r| r.event.encounter.as_deref()))
            .maybe_text("specimen", rows.iter().map(|r| r.event.specimen.as_deref()))
            .maybe_text("result_id", results.iter().map(Option::as_deref))
            .maybe_text("asset", assets.iter().map(Option::as_deref))
            .text("source", rows.iter().map(|r| r.source.as_str()))
            .text("origin", rows.iter().map(|r| r.origin.as_str()))
            .maybe_text("attributes", attributes.iter().map(Option::as_deref))
            .maybe_text(AS_SENT, sent.iter().map(Option::as_deref))
            .batch()
    }

    fn rows(batch: &RecordBatch) -> Result<Vec<Self>, Error> {
        let columns = Reader::of(Table::Events, batch);
        let (record, time, code) = (columns.long("record_id")?, columns.time("time")?, columns.text("code")?);
        let (value, text, unit) =
            (columns.number("numeric_value")?, columns.text("text_value")?, columns.text("unit")?);
        let (modality, known, basis) =
            (columns.text("modality")?, columns.time("known_time")?, columns.text("known_basis")?);
        let (recorded, end, precision, offset) = (
            columns.time("recorded_time")?,
            columns.time("time_end")?,
            columns.text("time_precision")?,
            columns.int("zone_offset")?,
        );
        let (encounter, specimen, asset) =
            (columns.text("encounter")?, columns.text("specimen")?, columns.text("asset")?);
        let (source, origin) = (columns.text("source")?, columns.text("origin")?);
        let (attributes, sent) = (columns.text("attributes")?, columns.text(AS_SENT)?);
        let row = |i: usize| {
            let precision = precision(i).and_then(|p| Precision::ALL.into_iter().find(|a| a.as_str() == p));
            let happened = time(i).map(|start| {
                let precision = precision.unwrap_or(Precision::Subsecond);
                Moment::new(start, end(i).unwrap_or(start), precision, offset(i))
            });
            let says = basis(i).is_some_and(|b| b == KnownBasis::Known.as_str());
            let times = Times {
                happened,
                known: known(i).filter(|_| says).map(Moment::instant),
                recorded: recorded(i).map(Moment::instant),
            };
            let event = Event {
                times,
                code: Code::verbatim(code(i).unwrap_or_default()),
                modality: Modality::new(modality(i).unwrap_or_default()),
                value: value(i),
                text: text(i),
                unit: unit(i),
                encounter: encounter(i),
                specimen: specimen(i),
                asset: asset(i).and_then(|a| AssetId::parse(&a)),
                attributes: attributes_of_json(attributes(i), sent(i))?,
            };
            Ok(Self {
                record: record(i).map(RecordId),
                event,
                source: source(i).unwrap_or_default(),
                origin: origin(i).unwrap_or_default(),
            })
        };
        (0..batch.num_rows()).map(row).collect()
    }
}

/// The column of what a source sent as a whole. It may say who somebody is in any of its corners, so no query is
/// offered it.
pub(crate) const AS_SENT: &str = "as_sent";
/// The attributes that stand in it.
const WHOLES: [&str; 2] = ["fhir", "hl7"];

/// A JSON object of texts; a name that stands several times has a list. Of the wholes that a source sent, or of all
/// others; `None` without any.
fn attributes_to_json(attributes: &Attributes, sent: bool) -> Result<Option<String>, Error> {
    let mut sorted: Vec<(&str, &str)> =
        attributes.iter().filter(|(n, _)| WHOLES.contains(n) == sent).collect();
    if sorted.is_empty() {
        return Ok(None);
    }
    // Stable: values of one name stay in the order in which they came.
    sorted.sort_by_key(|(name, _)| *name);
    let length = sorted.iter().map(|(n, v)| n.len() + v.len() + 8).sum::<usize>();
    // Texts that are JSON themselves have a mark to escape in every tenth place.
    let mut json = Vec::with_capacity(length + length / 8);
    let put = |text: &str, json: &mut Vec<u8>| serde_json::to_writer(json, text).map_err(attributes_fault);
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        json.push(if json.is_empty() { b'{' } else { b',' });
        put(group[0].0, &mut json)?;
        json.push(b':');
        if let [(_, value)] = group {
            put(value, &mut json)?;
            continue;
        }
        for (i, (_, value)) in group.iter().enumerate() {
            json.push(if i == 0 { b'[' } else { b',' });
            put(value, &mut json)?;
        }
        json.push(b']');
    }
    json.push(b'}');
    String::from_utf8(json)
        .map(Some)
        .map_err(|e| Error::Rows { place: "events.attributes".to_owned(), source: e.into() })
}

fn attributes_of_json(said: Option<String>, sent: Option<String>) -> Result<Attributes, Error> {
    let mut object: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    for json in said.iter().chain(&sent) {
        let part: BTreeMap<_, _> = serde_json::from_str(json).map_err(attributes_fault)?;
        object.extend(part);
    }
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let mut attributes = Attributes::new();
    for (name, value) in object {
        match value {
            serde_json::Value::Array(list) => {
                attributes.extend(list.into_iter().map(|v| (&name, text(v))));
            }
            one => attributes.push((name, text(one))),
        }
    }
    Ok(attributes)
}

fn attributes_fault(error: serde_json::Error) -> Error {
    Error::Rows { place: "events.attributes".to_owned(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, StringArray};

    #[test]
    fn an_event_comes_back_as_it_went_in() {
        let times = Times {
            happened: Some(Moment::new(1_000, 86_400_000_999, Precision::Day, Some(3600))),
            known: Some(Moment::instant(90_000_000_000)),
            recorded: None,
        };
        let mut event = Event::new(times, Code::new("LOINC", "718-7"), Modality::new("labs"))
            .with("fhir", Some("{\"resourceType\":\"Observation\"}"))
            .with("filler", Some("F-1"))
            .with("status", Some("F"))
            .with("also", Some("L|HB"))
            .with("also", Some("SNOMED|38082009"));
        event.value = Some(13.1);
        event.unit = Some("g/dL".into());
        event.asset = Some(AssetId::new([7; 32]));
        event.attributes.sort();
        let full = EventRow {
            record: Some(RecordId(5)),
            event,
            source: "ehr".into(),
            origin: "a.ndjson, line 3".into(),
        };
        let bare = EventRow {
            record: None,
            event: Event::new(Times::default(), Code::verbatim("X"), Modality::new("other")),
            source: "ehr".into(),
            origin: String::new(),
        };
        let rows = vec![full, bare];
        let batch = EventRow::batch(&rows.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(EventRow::rows(&batch).unwrap(), rows);
        let column = |name: &str| {
            let column = batch.column_by_name(name).unwrap().as_any().downcast_ref::<StringArray>().unwrap();
            column.iter().next().flatten().unwrap_or_default().to_owned()
        };
        assert!(column(AS_SENT).contains("resourceType") && !column("attributes").contains("resourceType"));
        assert_eq!(column("result_id"), "F-1#");
    }
}

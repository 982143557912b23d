//! One patient's evidence in time order.

use crate::Error;
use chiasm_ingest::feed::{Feed, Parts};
use chiasm_record::{Moment, Precision};
use chiasm_store::{EventRow, LinkRow, RecordId, Store};
use jiff::Timestamp;
use jiff::tz::Offset;
use std::collections::BTreeMap;

/// Characters of a text that a line has room for.
const TEXT: usize = 60;
/// Events of one modality without a time that have a line each.
const TIMELESS: usize = 5;
/// Characters of a code.
const CODE: usize = 32;

/// A patient's records and what they say.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The patient.
    pub subject: i64,
    /// The records that are this patient's.
    pub records: Vec<RecordId>,
    /// What is always so comes first, then by time.
    pub events: Vec<EventRow>,
}

/// The timeline of a patient, named by its number; as it could be known at `as_of` (microseconds since
/// 1970-01-01T00:00Z) where that is given.
///
/// # Errors
/// [`Error::Unknown`] where the store has no such patient.
pub fn timeline(store: &Store, subject: i64, as_of: Option<i64>) -> Result<Timeline, Error> {
    let mut records: Vec<RecordId> = Vec::new();
    let mut linked_away = false;
    for rows in store.scan::<LinkRow>() {
        for row in rows? {
            if row.subject_id == subject {
                records.push(row.record_id);
            } else if row.record_id.0 == subject {
                linked_away = true;
            }
        }
    }
    // A record that no link names is a patient of its own.
    if records.is_empty() && !linked_away {
        records.push(RecordId(subject));
    }
    let mut events = store.events(&records)?;
    let known = |row: &EventRow| match (as_of, row.event.times.usable_from()) {
        (Some(as_of), Some((from, _))) => from <= as_of,
        _ => true,
    };
    events.retain(known);
    if events.is_empty() && as_of.is_none() {
        let hint =
            "; `chiasm query \"SELECT subject_id, count(*) FROM events GROUP BY 1\"` lists them".to_owned();
        return Err(Error::Unknown { what: "patient", name: subject.to_string(), hint });
    }
    Ok(Timeline { subject, records, events })
}

/// Microseconds since 1970-01-01T00:00Z of a time as ISO 8601 writes it; the last of them where it is a date
/// or an hour. Without a zone it is UTC.
pub fn instant(text: &str) -> Option<i64> {
    Feed::utc("").moment(&Parts::iso(text)?).map(Moment::end)
}

/// A moment as precisely as its source gives it, on the clocks of its place.
fn clock(moment: Moment) -> String {
    let offset = moment.offset();
    let Ok(zone) = Offset::from_seconds(offset.unwrap_or(0)) else { return String::new() };
    let Ok(instant) = Timestamp::from_microsecond(moment.start()) else { return String::new() };
    let time = zone.to_datetime(instant);
    let form = match moment.precision() {
        Precision::Year => "%Y",
        Precision::Month => "%Y-%m",
        Precision::Day => "%Y-%m-%d",
        Precision::Hour => "%Y-%m-%d %Hh",
        Precision::Minute => "%Y-%m-%d %H:%M",
        Precision::Second | Precision::Subsecond => "%Y-%m-%d %H:%M:%S",
    };
    let mark = if offset.is_some() || moment.precision() <= Precision::Day { "" } else { " ?" };
    format!("{}{mark}", time.strftime(form))
}

impl Timeline {
    /// A line for each event: when, how much later it was known, what, the value, the source. Many of one modality
    /// that have no time (a genome's variants) are one line, which says how many they are.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let mut timeless: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.events.iter().filter(|r| r.event.times.happened.is_none()) {
            *timeless.entry(row.event.modality.as_str()).or_default() += 1;
        }
        timeless.retain(|_, n| *n > TIMELESS);
        let together: Vec<String> = timeless
            .iter()
            .map(|(kind, n)| {
                format!("{:20} {:>8}  {kind:12} {n} events without a time; --json has them all", "always", "")
            })
            .collect();
        let alone = move |row: &&EventRow| {
            row.event.times.happened.is_some() || !timeless.contains_key(row.event.modality.as_str())
        };
        together.into_iter().chain(self.events.iter().filter(alone).map(|row| {
            let event = &row.event;
            let when = event.times.happened.map_or_else(|| "always".to_owned(), clock);
            let late = match (event.times.happened, event.times.usable_from()) {
                (Some(happened), Some((known, _))) => lateness(known.saturating_sub(happened.end())),
                _ => String::new(),
            };
            let mut value = event.value.map_or_else(String::new, |v| v.to_string());
            if let Some(unit) = &event.unit {
                value = format!("{value} {unit}");
            }
            if let Some(text) = &event.text {
                let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
                let short: String = one_line.chars().take(TEXT).collect();
                let more = if one_line.chars().count() > TEXT { "..." } else { "" };
                value = format!("{value} {short}{more}");
            }
            let code: String = event.code.as_str().chars().take(CODE).collect();
            let kind = event.modality.as_str();
            format!("{when:20} {late:>8}  {kind:12} {code:CODE$}  {}  [{}]", value.trim(), row.source)
        }))
    }

    /// All of it.
    pub fn to_json(&self) -> serde_json::Value {
        let events = self.events.iter().map(|row| {
            serde_json::json!({
                "record_id": row.record.map(|r| r.0), "event": row.event, "source": row.source,
                "origin": row.origin, "usable_from": row.event.times.usable_from().map(|(at, _)| at),
            })
        });
        let records: Vec<i64> = self.records.iter().map(|r| r.0).collect();
        serde_json::json!({ "subject_id": self.subject, "records": records, "events": events.collect::<Vec<_>>() })
    }

    /// How many events there are of each modality.
    pub fn modalities(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for row in &self.events {
            *counts.entry(row.event.modality.as_str()).or_default() += 1;
        }
        counts
    }
}

/// How much later something was known, `+3h`; nothing under a minute.
fn lateness(micros: i64) -> String {
    const MINUTE: i64 = 60_000_000;
    match micros / MINUTE {
        i64::MIN..=0 => String::new(),
        minutes @ 1..=119 => format!("+{minutes}min"),
        minutes @ 120..=2879 => format!("+{}h", minutes / 60),
        minutes => format!("+{}d", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_show_no_more_than_is_known() {
        let feed = Feed::new("s", "Europe/Berlin").unwrap();
        let shown = |text: &str| clock(feed.moment(&Parts::iso(text).unwrap()).unwrap());
        assert_eq!(shown("2024-07"), "2024-07");
        assert_eq!(shown("2024-07-05"), "2024-07-05");
        assert_eq!(shown("2024-07-05T08:30:00Z"), "2024-07-05 08:30:00");
        assert_eq!(shown("2024-07-05T08:30"), "2024-07-05 08:30");
        assert_eq!(
            clock(Feed::utc("s").moment(&Parts::iso("2024-07-05T08:30").unwrap()).unwrap()),
            "2024-07-05 08:30 ?"
        );
        assert_eq!(lateness(90 * 60_000_000), "+90min");
        assert_eq!(lateness(-5), "");
    }
}

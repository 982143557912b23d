//! Actigraphy as CSV: a wrist's movement, one row a minute (columns `timestamp` and `activity`; others are
//! left in the asset).
//!
//! Rows go by one at a time. What a model sees first are sums by day and hour; the rows themselves are in
//! the asset, and [`rows`] gives them to an encoder.

use crate::Error;
use crate::feed::{Checked, Entry, Feed, Parts, Rejected, Severity, Sink, Source};
use crate::waveform;
use chiasm_record::{AssetId, Code, Event, Finding, Modality, Moment, Precision, Times};
use jiff::civil::{Date, DateTime};
use std::collections::BTreeMap;
use std::io::BufRead;

/// Bytes of a line, at most.
const MAX_LINE: u64 = 4096;
/// Hours of a recording, at most: eleven years.
const MAX_HOURS: usize = 100_000;

/// Whether the first line names a time and an activity, among columns of commas.
pub fn recognises(head: &[u8], _name: &str) -> bool {
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    std::str::from_utf8(line).is_ok_and(|line| columns(line).is_some())
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// The wall clock's time.
    pub time: DateTime,
    /// The device's count.
    pub activity: f64,
}

/// Where time and activity stand in the header's line.
fn columns(line: &str) -> Option<(usize, usize)> {
    let names: Vec<String> = line
        .trim_start_matches('\u{feff}')
        .split(',')
        .map(|n| n.trim().trim_matches('"').to_ascii_lowercase())
        .collect();
    let of = |known: &[&str]| names.iter().position(|n| known.contains(&n.as_str()));
    Some((of(&["timestamp", "datetime", "date_time"])?, of(&["activity", "activity_count", "counts"])?))
}

/// Hands over each row with its line, or the rule that it breaks.
///
/// # Errors
/// [`Error::Damaged`] for a header without the two columns or a line that is too long, and what reading gives.
pub fn rows(source: &Source, take: &mut dyn FnMut(u64, Result<Row, &'static str>)) -> Result<(), Error> {
    let mut lines = std::io::BufReader::new(source.open()?);
    let mut line = Vec::new();
    let mut places = None;
    for number in 1.. {
        line.clear();
        let mut limited = std::io::Read::take(&mut lines, MAX_LINE);
        let damaged = |expected, found: String| Error::Damaged {
            place: format!("{}, line {number}", source.origin),
            expected,
            found,
        };
        let n = limited.read_until(b'\n', &mut line);
        let n = n.map_err(|e| damaged("a line that can be read", e.to_string()))?;
        if n == 0 {
            break;
        }
        if n as u64 == MAX_LINE && line.last() != Some(&b'\n') {
            return Err(damaged("lines of at most 4096 bytes", "a longer one".to_owned()));
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\r', '\n']);
        let Some((time, activity)) = places else {
            let found = columns(text);
            let missing = || damaged("columns timestamp and activity", "others".to_owned());
            places = Some(found.ok_or_else(missing)?);
            continue;
        };
        if !text.trim().is_empty() {
            take(number, row(text, time, activity));
        }
    }
    if places.is_some() {
        return Ok(());
    }
    Err(Error::Empty { place: source.origin.clone(), expected: "columns timestamp and activity" })
}

fn row(line: &str, time: usize, activity: usize) -> Result<Row, &'static str> {
    let cell = |i: usize| line.split(',').nth(i).map(|c| c.trim().trim_matches('"'));
    let time = cell(time).and_then(Parts::iso).and_then(|p| {
        let (month, day) = (p.month?, p.day?);
        DateTime::new(p.year, month, day, p.hour?, p.minute?, p.second.unwrap_or(0).min(59), 0).ok()
    });
    let time = time.ok_or("actigraphy.time")?;
    let activity = cell(activity).and_then(|c| c.parse::<f64>().ok()).filter(|a| a.is_finite() && *a >= 0.0);
    Ok(Row { time, activity: activity.ok_or("actigraphy.activity")? })
}

/// Sums over a day or an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    minutes: u64,
    still: u64,
    activity: f64,
    most: f64,
}

impl Sum {
    fn add(&mut self, activity: f64) {
        self.minutes += 1;
        self.still += u64::from(activity == 0.0);
        self.activity += activity;
        self.most = self.most.max(activity);
    }
}

/// A recording's sums, and what is odd about its clock.
#[derive(Default)]
struct Recording {
    hours: BTreeMap<(Date, i8), Sum>,
    first: Option<DateTime>,
    last: Option<DateTime>,
    rows: u64,
    /// Times that minutes are missing between two rows, and how many are.
    gaps: usize,
    missing: u64,
    /// Rows at the same time as the one before.
    repeated: usize,
    /// Rows earlier than the one before, and of those, exactly an hour.
    back: usize,
    back_an_hour: usize,
    /// Gaps of an hour and a minute: a clock put forward.
    forward_an_hour: usize,
    /// By broken rule: the first line, and how many.
    broken: BTreeMap<&'static str, (u64, usize)>,
    too_long: bool,
}

impl Recording {
    fn read(source: &Source) -> Result<Self, Error> {
        let mut all = Self::default();
        rows(source, &mut |line, row| match row {
            Ok(row) => all.add(row),
            Err(rule) => all.broken.entry(rule).or_insert((line, 0)).1 += 1,
        })?;
        Ok(all)
    }

    fn add(&mut self, row: Row) {
        let key = (row.time.date(), row.time.hour());
        if self.hours.len() >= MAX_HOURS && !self.hours.contains_key(&key) {
            self.too_long = true;
            return;
        }
        self.hours.entry(key).or_default().add(row.activity);
        self.rows += 1;
        if let Some(last) = self.last {
            let minutes = row.time.duration_since(last).as_secs().div_euclid(60);
            match minutes {
                ..0 => {
                    self.back += 1;
                    self.back_an_hour += usize::from(minutes == -59);
                }
                0 => self.repeated += 1,
                1 => {}
                _ => {
                    self.forward_an_hour += usize::from(minutes == 61);
                    self.gaps += 1;
                    self.missing += minutes.unsigned_abs() - 1;
                }
            }
        }
        self.first.get_or_insert(row.time);
        self.last = Some(row.time);
    }

    fn doubts(&self) -> Vec<(&'static str, usize)> {
        let broken = self.broken.values().map(|(_, n)| n).sum();
        [
            ("gaps between rows", self.gaps),
            ("minutes missing in gaps", usize::try_from(self.missing).unwrap_or(usize::MAX)),
            ("rows at the time of the row before", self.repeated),
            ("rows earlier than the row before: the clock was put back", self.back),
            ("clock put back by exactly an hour, as when summer time ends", self.back_an_hour),
            ("clock put forward by exactly an hour, as when summer time begins", self.forward_an_hour),
            ("rows without a time or an activity, left out", broken),
        ]
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .collect()
    }
}

/// Reads a recording: one entry with an event for the whole, for each day and for each hour.
///
/// The subject is the file's name without its ending under `<site>|file`; whether that is a patient is the
/// site's to say. Events: `WEARABLE|actigraphy` (minutes recorded), `ACTIGRAPHY|day` and `ACTIGRAPHY|hour`
/// (the sum of activity; attributes `minutes` recorded, `still` minutes without movement, `mean`, `most`).
/// A day or hour is known when it is over. Findings: gaps, repeated rows, a clock put back or forward.
/// Rejected: `actigraphy.format`; `actigraphy.time` and `actigraphy.activity` with the first such line.
///
/// # Errors
/// Where the file cannot be opened, or the sink keeps nothing.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let kept = |e| Error::Sink { place: source.origin.clone(), source: e };
    let reject = |place: String, rule: &str, message: String, sink: &mut dyn Sink| {
        let rule = rule.to_owned();
        sink.reject(Rejected { place, offset: None, rule, message, bytes: None }).map_err(kept)
    };
    let recording = match Recording::read(source) {
        Ok(recording) => recording,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => return reject(String::new(), "actigraphy.format", error.to_string(), sink),
    };
    if recording.too_long {
        let message = "more than 100000 hours".to_owned();
        return reject(String::new(), "actigraphy.format", message, sink);
    }
    for (rule, (line, count)) in &recording.broken {
        let message = format!("{count} rows like this one, without a value that can be read");
        reject(format!("line {line}"), rule, message, sink)?;
    }
    let asset = waveform::asset(source, "text/csv")?;
    let events = events(&recording, feed, asset.id);
    let identity = feed.file_subject(&source.origin);
    let mut entry = Entry::of(*asset.id.bytes(), "", Some(identity), events);
    let finding = |(message, n): (&'static str, usize)| Finding::new(source.origin.clone(), message, n);
    entry.findings = recording.doubts().into_iter().map(finding).collect();
    entry.assets.push(asset);
    sink.entry(entry).map_err(kept)
}

fn events(recording: &Recording, feed: &Feed, asset: AssetId) -> Vec<Event> {
    let moment = |date: Date, hour: Option<i8>, minute: Option<i8>| {
        let (year, month, day) = (date.year(), Some(date.month()), Some(date.day()));
        feed.moment(&Parts { year, month, day, hour, minute, ..Parts::default() })
    };
    let event = |happened: Option<Moment>, system: &str, code: &str| {
        let times = Times { happened, ..Times::default() };
        let mut event = Event::new(times, Code::new(system, code), Modality::new("wearables"));
        event.asset = Some(asset);
        event
    };
    let at = |t: DateTime| moment(t.date(), Some(t.hour()), Some(t.minute()));
    let span = recording.first.and_then(at).zip(recording.last.and_then(at));
    let span = span.map(|(a, b)| Moment::new(a.start(), b.end(), Precision::Minute, a.offset()));
    let mut whole = event(span, "WEARABLE", "actigraphy");
    (whole.value, whole.unit) = (Some(recording.rows as f64), Some("min".to_owned()));
    let mut events = vec![whole];
    let summed = |mut event: Event, sum: &Sum| {
        (event.value, event.unit) = (Some(sum.activity), Some("{count}".to_owned()));
        event
            .with("minutes", Some(sum.minutes.to_string()))
            .with("still", Some(sum.still.to_string()))
            .with("mean", Some((sum.activity / sum.minutes.max(1) as f64).to_string()))
            .with("most", Some(sum.most.to_string()))
    };
    let mut days: BTreeMap<Date, Sum> = BTreeMap::new();
    for ((date, _), sum) in &recording.hours {
        let day = days.entry(*date).or_default();
        day.minutes += sum.minutes;
        day.still += sum.still;
        day.activity += sum.activity;
        day.most = day.most.max(sum.most);
    }
    events.extend(
        days.iter().map(|(date, sum)| summed(event(moment(*date, None, None), "ACTIGRAPHY", "day"), sum)),
    );
    events.extend(recording.hours.iter().map(|((date, hour), sum)| {
        summed(event(moment(*date, Some(*hour), None), "ACTIGRAPHY", "hour"), sum)
    }));
    events
}

/// What is in a recording and what is wrong with it.
///
/// # Errors
/// Where the file cannot be opened.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut checked = Checked::new("actigraphy CSV", None);
    let recording = match Recording::read(source) {
        Ok(recording) => recording,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => {
            checked.fault(Severity::Error, "actigraphy.format", "", error.to_string());
            return Ok(checked);
        }
    };
    checked.content("rows", recording.rows);
    checked.content("hours", recording.hours.len());
    for (message, n) in recording.doubts() {
        checked.fault(Severity::Warning, "actigraphy.clock", "", format!("{message}: {n}"));
    }
    for (rule, (line, _)) in &recording.broken {
        let message = "a row without a time or an activity that can be read";
        checked.fault(Severity::Error, rule, format!("line {line}"), message);
    }
    if recording.too_long {
        checked.fault(Severity::Error, "actigraphy.format", "", "more than 100000 hours");
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(text: &str) -> Recording {
        Recording::read(&Source::memory("a.csv", text.to_owned())).unwrap()
    }

    #[test]
    fn gaps_and_clock_changes_are_seen() {
        let all = recording(
            "timestamp,activity\n2003-05-07 12:00:00,1\n2003-05-07 12:01:00,2\n2003-05-07 12:05:00,0\n\
             2003-05-07 12:05:00,4\n2003-05-07 11:06:00,5\n2003-05-07 12:07:00,6\nx,1\n2003-05-07 12:08:00,-1\n",
        );
        assert_eq!((all.rows, all.gaps, all.repeated), (6, 2, 1));
        assert_eq!(all.missing, 63);
        assert_eq!((all.back, all.back_an_hour, all.forward_an_hour), (1, 1, 1));
        let broken = [("actigraphy.activity", (9, 1)), ("actigraphy.time", (8, 1))];
        assert_eq!(all.broken, broken.into());
    }

    #[test]
    fn days_and_hours_are_sums_of_their_minutes() {
        let all = recording(
            "timestamp,activity\n2003-05-07 23:58:00,1\n2003-05-07 23:59:00,2\n2003-05-08 00:00:00,0\n",
        );
        let feed = Feed::new("site", "Europe/Oslo").unwrap();
        let events = events(&all, &feed, AssetId::new([0; 32]));
        let seen: Vec<_> = events.iter().map(|e| (e.code.as_str(), e.value.unwrap())).collect();
        let (day, hour) = ("ACTIGRAPHY|day", "ACTIGRAPHY|hour");
        assert_eq!(seen, [("WEARABLE|actigraphy", 3.0), (day, 3.0), (day, 0.0), (hour, 3.0), (hour, 0.0)]);
        assert_eq!(events[1].attribute("mean"), Some("1.5"));
        let day = events[1].times.happened.unwrap();
        assert_eq!((day.precision(), day.end() - day.start() + 1), (Precision::Day, 86_400_000_000));
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let long = format!("timestamp,activity\n{}", "1".repeat(10_000));
        let source = Source::memory("a.csv", long);
        assert!(matches!(rows(&source, &mut |_, _| {}), Err(Error::Damaged { .. })));
        assert!(matches!(rows(&Source::memory("a", "a,b\n"), &mut |_, _| {}), Err(Error::Damaged { .. })));
    }
}

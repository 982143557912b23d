use chiasm_linkage::{IdentifierKind, Identity};
use chiasm_record::{Moment, Precision};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

/// What every reader must know of where its bytes come from.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The site's name: the authority of identifiers that name none.
    pub site: String,
    /// The zone of times that name none.
    pub zone: TimeZone,
    /// Whether a file's name, without folder and ending, names one subject of the site.
    pub file_names: bool,
}

impl Feed {
    /// A site whose clocks show `zone` (an IANA name such as `Europe/Berlin`); `None` where that is none.
    pub fn new(site: impl Into<String>, zone: &str) -> Option<Self> {
        Some(Self { site: site.into(), zone: TimeZone::get(zone).ok()?, file_names: false })
    }

    /// A site whose clocks show UTC.
    pub fn utc(site: impl Into<String>) -> Self {
        Self { site: site.into(), zone: TimeZone::UTC, file_names: false }
    }

    /// Whom a file is about that names nobody inside: under `<site>|file`, its name without folder and ending
    /// where the site says that such names are subjects, else with the folder: two folders may each have
    /// a `scan.nii`, of two people.
    pub fn file_subject(&self, origin: &str) -> Identity {
        let folder = origin.rfind(['/', '!']).map_or(0, |at| at + 1);
        let name = &origin[folder..];
        let packed = name
            .len()
            .checked_sub(3)
            .filter(|at| name.get(*at..).is_some_and(|e| e.eq_ignore_ascii_case(".gz")));
        let name = packed.map_or(name, |at| &name[..at]);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let begin = if self.file_names { folder } else { 0 };
        let key = &origin[begin..folder + stem.len()];
        Identity::of_key(format!("{}|file", self.site), key, IdentifierKind::Other)
    }

    /// The moment that `parts` say at this site; `None` where there is no such date or time.
    ///
    /// A time that the clocks show twice (the hour after summer time ends) is the interval over both;
    /// one that they never show (the hour before it begins) is read with the offset before the change,
    /// as the clocks on the wall do. Both are an hour at most.
    pub fn moment(&self, parts: &Parts) -> Option<Moment> {
        let first = parts.first()?;
        let next = first.checked_add(parts.width()?).ok()?;
        let zone = parts.offset.map(Offset::from_seconds).transpose().ok()?.map(TimeZone::fixed);
        let zone = zone.as_ref().unwrap_or(&self.zone);
        let (start, offset) = instant(zone, first, false)?;
        let (end, _) = instant(zone, next, true)?;
        let known = parts.offset.is_some() || self.zone != TimeZone::UTC;
        let end = end.checked_sub(1)?;
        let end = if parts.precision() == Precision::Subsecond { start } else { end };
        Some(Moment::new(start, end, parts.precision(), known.then_some(offset)))
    }
}

/// The microseconds of a wall-clock time and the offset there; of two, the earlier or the later.
fn instant(zone: &TimeZone, time: DateTime, later: bool) -> Option<(i64, i32)> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let timestamp: Timestamp = match ambiguous.offset() {
        jiff::tz::AmbiguousOffset::Fold { .. } if later => ambiguous.later().ok()?,
        jiff::tz::AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok()?,
        _ => ambiguous.compatible().ok()?,
    };
    Some((timestamp.as_microsecond(), zone.to_offset(timestamp).seconds()))
}

/// A date and time as it is written, as far as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The year.
    pub year: i16,
    /// 1 to 12.
    pub month: Option<i8>,
    /// 1 to 31.
    pub day: Option<i8>,
    /// 0 to 23.
    pub hour: Option<i8>,
    /// 0 to 59.
    pub minute: Option<i8>,
    /// 0 to 60; a leap second is read as 59.
    pub second: Option<i8>,
    /// Microseconds of the second.
    pub micros: Option<i32>,
    /// Seconds east of Greenwich, where it is written.
    pub offset: Option<i32>,
}

impl Parts {
    /// How exact it is: up to the first part that is not written.
    pub fn precision(&self) -> Precision {
        let parts = [
            self.month.is_some(),
            self.day.is_some(),
            self.hour.is_some(),
            self.minute.is_some(),
            self.second.is_some(),
            self.micros.is_some(),
        ];
        Precision::ALL[parts.iter().take_while(|p| **p).count()]
    }

    fn first(&self) -> Option<DateTime> {
        let p = self.precision();
        let part = |needed: Precision, value: Option<i8>, least: i8| {
            if p >= needed { value.unwrap_or(least) } else { least }
        };
        DateTime::new(
            self.year,
            part(Precision::Month, self.month, 1),
            part(Precision::Day, self.day, 1),
            part(Precision::Hour, self.hour, 0),
            part(Precision::Minute, self.minute, 0),
            match part(Precision::Second, self.second, 0) {
                60 => 59,
                second => second,
            },
            match p {
                Precision::Subsecond => self.micros?.checked_mul(1000)?,
                _ => 0,
            },
        )
        .ok()
    }

    fn width(&self) -> Option<Span> {
        let span = Span::new();
        match self.precision() {
            Precision::Year => span.try_years(1),
            Precision::Month => span.try_months(1),
            Precision::Day => span.try_days(1),
            Precision::Hour => span.try_hours(1),
            Precision::Minute => span.try_minutes(1),
            Precision::Second => span.try_seconds(1),
            Precision::Subsecond => span.try_microseconds(1),
        }
        .ok()
    }

    /// Reads digits without separators, `YYYY[MM[DD[HH[MM[SS[.ffffff]]]]]][+ZZZZ]`, as HL7 v2 and DICOM's
    /// DT write it; `None` for anything else.
    pub fn compact(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\0']);
        let at = text.find(['+', '-']).unwrap_or(text.len());
        let (stamp, zone) = text.split_at(at);
        let (digits, fraction) = match stamp.split_once('.') {
            Some((digits, fraction)) if digits.len() == 14 => (digits, Some(fraction)),
            Some(_) => return None,
            None => (stamp, None),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 4 | 6 | 8 | 10 | 12 | 14) {
            return None;
        }
        let two = |i: usize| digits.get(i..i + 2).and_then(|d| d.parse().ok());
        Some(Self {
            year: digits.get(..4)?.parse().ok()?,
            month: two(4),
            day: two(6),
            hour: two(8),
            minute: two(10),
            second: two(12),
            micros: fraction.map(micros).transpose_none()?,
            offset: match zone {
                "" => None,
                zone => Some(offset(zone)?),
            },
        })
    }

    /// Reads ISO 8601 as FHIR writes it, `YYYY[-MM[-DD[Thh:mm[:ss[.fff]][Z|+zz:zz]]]]`, a blank for the `T`
    /// allowed; `None` for anything else.
    pub fn iso(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, time) = match text.split_once(['T', 't', ' ']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut parts = date.split('-');
        let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
        let two = |t: &str| digits(t, 2).then(|| t.parse().ok()).flatten();
        let year = parts.next().filter(|y| digits(y, 4))?.parse().ok()?;
        let month = parts.next().map(two).transpose_none()?;
        let day = parts.next().map(two).transpose_none()?;
        if parts.next().is_some() {
            return None;
        }
        let mut all = Self { year, month, day, ..Self::default() };
        let Some(time) = time else { return Some(all) };
        day?;
        let zone = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
        let (clock, zone) = time.split_at(zone);
        let mut clock = clock.split(':');
        all.hour = Some(two(clock.next()?)?);
        all.minute = Some(two(clock.next()?)?);
        if let Some(seconds) = clock.next() {
            let (whole, fraction) = seconds.split_once('.').map_or((seconds, None), |(w, f)| (w, Some(f)));
            all.second = Some(two(whole)?);
            all.micros = fraction.map(micros).transpose_none()?;
        }
        all.offset = match zone {
            "" => None,
            "Z" | "z" => Some(0),
            zone => Some(offset(zone)?),
        };
        clock.next().is_none().then_some(all)
    }
}

/// Digits after the point, as microseconds.
fn micros(fraction: &str) -> Option<i32> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let six: String = fraction.chars().chain("000000".chars()).take(6).collect();
    six.parse().ok()
}

/// `+hhmm`, `-hh:mm` or `+hh` in seconds.
fn offset(zone: &str) -> Option<i32> {
    let (sign, digits) = match zone.as_bytes().first()? {
        b'+' => (1, &zone[1..]),
        b'-' => (-1, &zone[1..]),
        _ => return None,
    };
    let digits = digits.replacen(':', "", 1);
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), |m| m.parse().ok())?;
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Turns "written, but not readable" into `None` of the whole.
trait TransposeNone<T> {
    fn transpose_none(self) -> Option<Option<T>>;
}

impl<T> TransposeNone<T> for Option<Option<T>> {
    fn transpose_none(self) -> Option<Option<T>> {
        match self {
            Some(Some(value)) => Some(Some(value)),
            Some(None) => None,
            None => Some(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn berlin() -> Feed {
        Feed::new("site", "Europe/Berlin").unwrap()
    }

    #[test]
    fn a_date_is_a_day_at_the_place() {
        let day = berlin().moment(&Parts::compact("20240305").unwrap()).unwrap();
        assert_eq!(day.precision(), Precision::Day);
        assert_eq!(day.offset(), Some(3600));
        assert_eq!(day.end() - day.start() + 1, 24 * 3600 * SECOND);
        // The day on which summer time begins has 23 hours, the day on which it ends 25.
        for (text, hours) in [("2024-03-31", 23), ("2024-10-27", 25)] {
            let day = berlin().moment(&Parts::iso(text).unwrap()).unwrap();
            assert_eq!(day.end() - day.start() + 1, hours * 3600 * SECOND, "{text}");
        }
    }

    #[test]
    fn an_hour_that_is_twice_is_both() {
        let twice = berlin().moment(&Parts::compact("20241027023000").unwrap()).unwrap();
        assert_eq!(twice.end() - twice.start() + 1, (3600 + 1) * SECOND);
        let once = berlin().moment(&Parts::iso("2024-10-27T02:30:00+01:00").unwrap()).unwrap();
        assert_eq!(once.end() - once.start() + 1, SECOND);
    }

    #[test]
    fn an_hour_that_is_never_is_read_as_before_the_change() {
        let never = berlin().moment(&Parts::compact("202403310230").unwrap()).unwrap();
        let same = berlin().moment(&Parts::iso("2024-03-31T03:30").unwrap()).unwrap();
        assert_eq!(never.start(), same.start());
    }

    #[test]
    fn both_spellings_say_the_same() {
        let feed = Feed::utc("site");
        let compact = feed.moment(&Parts::compact("20240305143015.25+0100").unwrap()).unwrap();
        let iso = feed.moment(&Parts::iso("2024-03-05T14:30:15.250+01:00").unwrap()).unwrap();
        assert_eq!(compact, iso);
        assert_eq!((iso.precision(), iso.start()), (Precision::Subsecond, 1_709_645_415_250_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "2024030", "20241", "2024-1-1", "20240305T", "20240305143015+9", "é024", "202403051430.5"]
        {
            assert_eq!(Parts::compact(text).filter(|_| !text.is_empty()), None, "{text}");
        }
        for text in ["2024-", "2024-03-05T", "2024-03T10:00", "2024-03-05T10", "2024-03-05T10:00:00:00", "24"]
        {
            assert_eq!(Parts::iso(text), None, "{text}");
        }
        let feed = Feed::utc("site");
        for text in ["20240230", "20241301", "2024022925", "202402291060"] {
            assert_eq!(feed.moment(&Parts::compact(text).unwrap()), None, "{text}");
        }
        assert!(feed.moment(&Parts::compact("20161231235960").unwrap()).is_some());
    }

    #[test]
    fn a_file_is_named_with_its_folder_unless_the_site_says_that_names_are_enough() {
        let key = |feed: &Feed, origin: &str| feed.file_subject(origin).identifiers[0].value.clone();
        let (plain, named) = (Feed::utc("s"), Feed { file_names: true, ..Feed::utc("s") });
        for (origin, long, short) in [
            ("a.b/p1/scan.nii.gz", "a.b/p1/scan", "scan"),
            ("a.zip!p2/scan.v2.TIF", "a.zip!p2/scan.v2", "scan.v2"),
            ("a.b/bare", "a.b/bare", "bare"),
            ("ä.GZ", "ä", "ä"),
        ] {
            assert_eq!((key(&plain, origin).as_str(), key(&named, origin).as_str()), (long, short));
        }
    }
}

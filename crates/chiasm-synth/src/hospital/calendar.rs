//! Instants and the clocks that show them: true time is in seconds since 1970; each system stamps it with
//! its own clock.

use super::dice::{Dice, Part};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The hospital's zone.
pub(crate) const ZONE: &str = "Europe/Berlin";
/// A day in seconds.
pub(crate) const DAY: i64 = 86_400;
/// 2022-01-01T00:00Z: when the exports begin.
pub(crate) const BEGIN: i64 = 1_640_995_200;
/// 2025-01-01T00:00Z: when they end.
pub(crate) const END: i64 = 1_735_689_600;

/// A system with a clock of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Ehr,
    Lis,
    Pacs,
    Ecg,
}

impl System {
    pub(crate) const ALL: [Self; 4] = [Self::Ehr, Self::Lis, Self::Pacs, Self::Ecg];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ehr => "ehr",
            Self::Lis => "lis",
            Self::Pacs => "pacs",
            Self::Ecg => "ecg",
        }
    }
}

/// The clocks of one hospital.
#[derive(Clone, Debug)]
pub(crate) struct Clocks {
    zone: TimeZone,
    skew: [i64; 4],
}

/// What a clock shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    time: DateTime,
    offset: i32,
}

impl Clocks {
    /// The EHR's clock is right; the others are wrong by a few minutes, each by its own.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 0, Part::Hospital);
        let mut wrong = |least: i64, most: i64| {
            let by = dice.whole(least, most);
            if dice.chance(0.5) { by } else { -by }
        };
        let skew = [0, wrong(60, 240), wrong(120, 600), wrong(300, 1_500)];
        let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
        Self { zone, skew }
    }

    /// By how many seconds a system's clock is ahead of true time.
    pub(crate) fn skew(&self, system: System) -> i64 {
        self.skew[system as usize]
    }

    /// What a system's clock shows at a true instant.
    pub(crate) fn at(&self, system: System, instant: i64) -> Shown {
        self.shown(instant + self.skew(system))
    }

    /// What a right clock shows.
    pub(crate) fn shown(&self, instant: i64) -> Shown {
        let timestamp = Timestamp::from_second(instant).unwrap_or_default();
        let offset = self.zone.to_offset(timestamp);
        Shown { time: offset.to_datetime(timestamp), offset: offset.seconds() }
    }

    /// The day that it is at an instant.
    pub(crate) fn day(&self, instant: i64) -> Date {
        self.shown(instant).time.date()
    }
}

impl Shown {
    /// `2023-05-04T10:11:12+02:00`.
    pub(crate) fn fhir(self) -> String {
        let (t, minutes) = (self.time, self.offset / 60);
        let sign = if minutes < 0 { '-' } else { '+' };
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            minutes.abs() / 60,
            minutes.abs() % 60
        )
    }

    /// `20230504101112`, as the wall shows it.
    pub(crate) fn hl7(self) -> String {
        format!("{}{}", self.dicom_date(), self.dicom_time())
    }

    /// `20230504101112+0200`.
    pub(crate) fn hl7_zoned(self) -> String {
        format!("{}{}", self.hl7(), self.dicom_offset())
    }

    pub(crate) fn dicom_date(self) -> String {
        let t = self.time;
        format!("{:04}{:02}{:02}", t.year(), t.month(), t.day())
    }

    pub(crate) fn dicom_time(self) -> String {
        let t = self.time;
        format!("{:02}{:02}{:02}", t.hour(), t.minute(), t.second())
    }

    pub(crate) fn dicom_offset(self) -> String {
        let minutes = self.offset / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
    }

    /// `10:11:12 04/05/2023`, as a WFDB header has it.
    pub(crate) fn wfdb(self) -> String {
        let t = self.time;
        let (h, m, s) = (t.hour(), t.minute(), t.second());
        format!("{h:02}:{m:02}:{s:02} {:02}/{:02}/{:04}", t.day(), t.month(), t.year())
    }

    /// The hour of the day with its fraction.
    pub(crate) fn hour(self) -> f64 {
        f64::from(self.time.hour()) + f64::from(self.time.minute()) / 60.0
    }

    /// `2023-05-04 10:11:12`.
    pub(crate) fn plain(self) -> String {
        let t = self.time;
        format!("{} {:02}:{:02}:{:02}", t.date(), t.hour(), t.minute(), t.second())
    }
}

/// A date as DICOM and HL7 write it.
pub(crate) fn compact(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_that_comes_twice_is_shown_twice() {
        let clocks = Clocks::new(1);
        // 2023-10-29T00:30Z and 01:30Z are both 02:30 on the wall.
        let [first, second] = [1_698_539_400, 1_698_543_000].map(|t| clocks.shown(t));
        assert_eq!(first.hl7(), second.hl7());
        assert_eq!(first.fhir(), "2023-10-29T02:30:00+02:00");
        assert_eq!(second.fhir(), "2023-10-29T02:30:00+01:00");
        assert_eq!(second.hl7_zoned(), "20231029023000+0100");
        assert_eq!(second.wfdb(), "02:30:00 29/10/2023");
    }
}

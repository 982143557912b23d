use serde::{Deserialize, Serialize};

/// How exactly a source says when something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// The year alone.
    Year,
    /// Year and month.
    Month,
    /// The date alone.
    Day,
    /// The hour.
    Hour,
    /// The minute.
    Minute,
    /// The second.
    Second,
    /// Better than a second.
    Subsecond,
}

impl Precision {
    /// All of them, from coarse to fine.
    pub const ALL: [Self; 7] =
        [Self::Year, Self::Month, Self::Day, Self::Hour, Self::Minute, Self::Second, Self::Subsecond];

    /// The name in the store's `time_precision` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Subsecond => "subsecond",
        }
    }
}

/// A time as a source gives it: an interval as wide as its precision, and the zone it was said in.
///
/// "2024-03-05" is no instant: it is the day from midnight to midnight at that place. Whoever must not
/// see the future takes [`Moment::end`]; whoever sorts takes [`Moment::start`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment {
    start: i64,
    end: i64,
    precision: Precision,
    offset: Option<i32>,
}

impl Moment {
    /// The interval from `start` to `end`, both in microseconds since 1970-01-01T00:00Z; `end` is
    /// the last microsecond inside. `offset` is the zone in seconds east of Greenwich at `start`,
    /// `None` where neither the source nor its site says one (the time was then read as UTC).
    ///
    /// An `end` before `start` is taken as `start`.
    pub fn new(start: i64, end: i64, precision: Precision, offset: Option<i32>) -> Self {
        Self { start, end: end.max(start), precision, offset }
    }

    /// An exact instant in microseconds since 1970-01-01T00:00Z.
    pub fn instant(micros: i64) -> Self {
        Self { start: micros, end: micros, precision: Precision::Subsecond, offset: Some(0) }
    }

    /// The first microsecond that it can be, since 1970-01-01T00:00Z.
    pub fn start(self) -> i64 {
        self.start
    }

    /// The last microsecond that it can be, since 1970-01-01T00:00Z.
    pub fn end(self) -> i64 {
        self.end
    }

    /// How exactly it is known.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// Seconds east of Greenwich, where a zone is known.
    pub fn offset(self) -> Option<i32> {
        self.offset
    }
}

/// The three times of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Times {
    /// When it was so: the blood was drawn, the film taken. `None` for what is always so.
    pub happened: Option<Moment>,
    /// When it became known to those who care: the result was issued, the report signed.
    pub known: Option<Moment>,
    /// When the source's system wrote it down.
    pub recorded: Option<Moment>,
}

/// From which of its times it follows when an event may first be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownBasis {
    /// The source says when it became known.
    Known,
    /// It does not; the later of when it was recorded and when it happened.
    Recorded,
    /// Only when it happened is known.
    Happened,
}

impl KnownBasis {
    /// The name in the store's `known_basis` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Recorded => "recorded",
            Self::Happened => "happened",
        }
    }
}

impl Times {
    /// When it happened, and nothing else.
    pub fn happened(moment: Moment) -> Self {
        Self { happened: Some(moment), known: None, recorded: None }
    }

    /// The first instant at which an as-of query may use the event, in microseconds since
    /// 1970-01-01T00:00Z, and why; `None` for what has no time at all.
    ///
    /// The end of each interval counts, never its start: a result of "5 March" is not usable on the
    /// morning of 5 March. Nothing is known before it begins to happen, whatever a source claims.
    pub fn usable_from(&self) -> Option<(i64, KnownBasis)> {
        let (happened, recorded) = (self.happened.map(Moment::end), self.recorded.map(Moment::end));
        match (self.known, recorded, happened) {
            (Some(known), _, _) => {
                let begun = self.happened.map_or(i64::MIN, Moment::start);
                Some((known.end.max(begun), KnownBasis::Known))
            }
            (None, Some(recorded), happened) => {
                Some((recorded.max(happened.unwrap_or(i64::MIN)), KnownBasis::Recorded))
            }
            (None, None, Some(happened)) => Some((happened, KnownBasis::Happened)),
            (None, None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn a_date_is_usable_when_the_day_is_over() {
        let day = Moment::new(0, DAY - 1, Precision::Day, None);
        assert_eq!(Times::happened(day).usable_from(), Some((DAY - 1, KnownBasis::Happened)));
    }

    #[test]
    fn what_is_known_wins_and_never_precedes_what_happened() {
        let times = |happened, known, recorded| Times {
            happened: Some(Moment::instant(happened)),
            known: Option::map(known, Moment::instant),
            recorded: Option::map(recorded, Moment::instant),
        };
        assert_eq!(times(5, Some(9), Some(99)).usable_from(), Some((9, KnownBasis::Known)));
        assert_eq!(times(5, Some(1), None).usable_from(), Some((5, KnownBasis::Known)));
        assert_eq!(times(5, None, Some(8)).usable_from(), Some((8, KnownBasis::Recorded)));
        assert_eq!(times(5, None, Some(2)).usable_from(), Some((5, KnownBasis::Recorded)));
        assert_eq!(Times::default().usable_from(), None);
    }
}

use super::dataset::Level;
use crate::feed::{Feed, Parts};
use chiasm_record::{Moment, Times};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// A date (DA) with a time (TM), as far as they are written; the old spellings `YYYY.MM.DD` and
/// `HH:MM:SS` too.
pub(super) fn parts(date: &str, time: Option<&str>) -> Option<Parts> {
    let digits = |text: &str, drop: char| text.replace(drop, "");
    let date = if date.len() == 10 { digits(date, '.') } else { date.to_owned() };
    if date.len() != 8 {
        return None;
    }
    let day = Parts::compact(&date)?;
    let Some(time) = time.map(|t| digits(t, ':')).filter(|t| !t.is_empty()) else { return Some(day) };
    // A time that cannot be read leaves the date.
    let whole = time.split('.').next().unwrap_or_default();
    let readable = matches!(whole.len(), 2 | 4 | 6) && whole.bytes().all(|b| b.is_ascii_digit());
    let stamp = format!("{date}{time}");
    Some(Parts::compact(&stamp).filter(|p| readable && p.offset.is_none()).unwrap_or(day))
}

/// What is needed to read times of one instance.
pub(super) struct Clock<'a> {
    feed: &'a Feed,
    offset: Option<i32>,
}

impl<'a> Clock<'a> {
    /// With the zone that the instance names in Timezone Offset From UTC, or else the site's.
    pub(super) fn new(root: Level<'_>, feed: &'a Feed) -> Self {
        let offset = root.first(tags::TIMEZONE_OFFSET_FROM_UTC);
        let offset = offset.and_then(|o| Parts::compact(&format!("20000101000000{o}"))?.offset);
        Self { feed, offset }
    }

    fn moment(&self, parts: Parts) -> Option<Moment> {
        let offset = parts.offset.or(self.offset);
        self.feed.moment(&Parts { offset, ..parts })
    }

    /// The moment of a pair of elements.
    pub(super) fn pair(&self, level: Level<'_>, date: Tag, time: Tag) -> Option<Moment> {
        self.moment(parts(&level.first(date)?, level.first(time).as_deref())?)
    }

    /// The moment of a date-time (DT) element.
    pub(super) fn stamp(&self, level: Level<'_>, tag: Tag) -> Option<Moment> {
        self.moment(Parts::compact(&level.first(tag)?)?)
    }

    /// When an instance happened and was recorded, and the attribute that says the first.
    pub(super) fn times(&self, root: Level<'_>) -> (Times, Option<&'static str>) {
        let pairs = [
            (tags::ACQUISITION_DATE, tags::ACQUISITION_TIME, "AcquisitionDate"),
            (tags::CONTENT_DATE, tags::CONTENT_TIME, "ContentDate"),
            (tags::SERIES_DATE, tags::SERIES_TIME, "SeriesDate"),
            (tags::STUDY_DATE, tags::STUDY_TIME, "StudyDate"),
        ];
        let stamp = self.stamp(root, tags::ACQUISITION_DATE_TIME).map(|m| (m, "AcquisitionDateTime"));
        let frame = || self.frame(root).map(|m| (m, "FrameAcquisitionDateTime"));
        let pair = || pairs.iter().find_map(|&(d, t, name)| Some((self.pair(root, d, t)?, name)));
        let happened = stamp.or_else(frame).or_else(pair);
        let recorded = self.pair(root, tags::INSTANCE_CREATION_DATE, tags::INSTANCE_CREATION_TIME);
        let times = Times { happened: happened.map(|h| h.0), known: self.known(root), recorded };
        (times, happened.map(|h| h.1))
    }

    /// When the first frame of an enhanced image was taken.
    fn frame(&self, root: Level<'_>) -> Option<Moment> {
        let frame = root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).next()?;
        let content = frame.items(tags::FRAME_CONTENT_SEQUENCE).next()?;
        self.stamp(content, tags::FRAME_ACQUISITION_DATE_TIME)
    }

    /// When a report was last verified: its text may have been amended since the first time.
    fn known(&self, root: Level<'_>) -> Option<Moment> {
        let observers = root.items(tags::VERIFYING_OBSERVER_SEQUENCE);
        observers.filter_map(|o| self.stamp(o, tags::VERIFICATION_DATE_TIME)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_record::Precision;

    #[test]
    fn dates_and_times_are_read_as_far_as_written() {
        let precision = |date, time| parts(date, time).map(|p| p.precision());
        assert_eq!(precision("20240305", None), Some(Precision::Day));
        assert_eq!(precision("2024.03.05", Some("14:30:15")), Some(Precision::Second));
        assert_eq!(precision("20240305", Some("14")), Some(Precision::Hour));
        assert_eq!(precision("20240305", Some("143015.25")), Some(Precision::Subsecond));
        assert_eq!(precision("20240305", Some("noon")), Some(Precision::Day));
        assert_eq!(precision("20240305", Some("12+0100")), Some(Precision::Day));
        assert_eq!(precision("2024", None), None);
    }
}

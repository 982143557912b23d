use super::{Header, Signal};
use crate::Error;
use crate::feed::{ReadSeek, Source};
use std::io::{self, Read, SeekFrom};

/// Bytes of one data record, at most; the standard recommends less than 61440.
const MAX_RECORD: u64 = 64 << 20;

/// Takes a data record's number and bytes.
type TakeRecord<'a> = dyn FnMut(u64, &[u8]) -> Result<(), Error> + 'a;

/// Bytes of samples that are handed out at once, at most.
const MAX_BYTES: u64 = 4 << 30;

/// An EDF or BDF file: its header, its samples, its annotations.
#[derive(Clone, Debug)]
pub struct Recording {
    source: Source,
    header: Header,
    records: u64,
}

/// What somebody says of a time in the recording.
#[derive(Clone, PartialEq)]
pub struct Annotation {
    /// Seconds after the start.
    pub onset: f64,
    /// Seconds that it lasts, where that is said.
    pub duration: Option<f64>,
    /// The text; empty where the data record's own time is meant.
    pub text: String,
}

impl std::fmt::Debug for Annotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Annotation at {} s [text redacted]", self.onset)
    }
}

impl Recording {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the header is, or where data records are missing at the end.
    pub fn open(source: &Source) -> Result<Self, Error> {
        let header = Header::read(source)?;
        let damaged =
            |expected, found: String| Error::Damaged { place: source.origin.clone(), expected, found };
        let bytes = header.record_bytes();
        if bytes > MAX_RECORD {
            return Err(damaged("data records of at most 64 MiB", format!("{bytes} bytes")));
        }
        let start = 256 * (header.signals.len() as u64 + 1);
        let held = source.len()?.saturating_sub(start).checked_div(bytes).unwrap_or(0);
        let records = header.records.unwrap_or(held);
        if records > held && bytes > 0 {
            return Err(damaged("as many data records as the header says", format!("{held} of {records}")));
        }
        Ok(Self { source: source.clone(), header, records: if bytes > 0 { records } else { 0 } })
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many data records there are.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The signals that are no annotations, with their place in the header.
    pub fn signals(&self) -> impl Iterator<Item = (usize, &Signal)> {
        self.header.signals.iter().enumerate().filter(|(_, s)| !s.is_annotations())
    }

    /// Hands over the bytes of one data record after the other.
    fn each(&self, take: &mut TakeRecord<'_>) -> Result<(), Error> {
        let mut bytes: Box<dyn ReadSeek> = self.source.open()?;
        let failed = |e: io::Error| Error::Damaged {
            place: self.source.origin.clone(),
            expected: "whole data records",
            found: e.to_string(),
        };
        bytes.seek(SeekFrom::Start(256 * (self.header.signals.len() as u64 + 1))).map_err(failed)?;
        let mut record = vec![0; self.header.record_bytes() as usize];
        for i in 0..self.records {
            bytes.read_exact(&mut record).map_err(failed)?;
            take(i, &record)?;
        }
        Ok(())
    }

    /// Where signal `i` stands in a data record.
    fn range(&self, i: usize) -> std::ops::Range<usize> {
        let width = self.header.kind.width();
        let before: usize = self.header.signals[..i].iter().map(|s| s.samples * width).sum();
        before..before + self.header.signals[i].samples * width
    }

    /// The stored values of signal `i` (its place in the header), all data records one after the other.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the file ends too early or has no such signal, [`Error::TooLarge`] past 4 GiB.
    pub fn digital(&self, i: usize) -> Result<Vec<i32>, Error> {
        let Some(signal) = self.header.signals.get(i) else {
            return Err(Error::Damaged {
                place: self.source.origin.clone(),
                expected: "a signal of that number",
                found: format!("{} signals", self.header.signals.len()),
            });
        };
        if self.records.saturating_mul(signal.samples as u64) > MAX_BYTES / 4 {
            return Err(Error::TooLarge { place: self.source.origin.clone(), limit: MAX_BYTES });
        }
        let mut values = Vec::new();
        let (range, width) = (self.range(i), self.header.kind.width());
        self.each(&mut |_, record| {
            values.extend(record[range.clone()].chunks_exact(width).map(stored));
            Ok(())
        })?;
        Ok(values)
    }

    /// The physical values of signal `i`, as [`Recording::digital`].
    ///
    /// # Errors
    /// As there.
    pub fn physical(&self, i: usize) -> Result<Vec<f64>, Error> {
        let values = self.digital(i)?;
        Ok(values.into_iter().map(|v| self.header.signals[i].physical(v)).collect())
    }

    /// Hands over all annotations in the order of the file, and the seconds at which each data record
    /// begins (its first annotation, which has no text).
    ///
    /// # Errors
    /// [`Error::Damaged`] where an annotation list breaks the rules, or what `take` says.
    pub fn annotations(
        &self,
        take: &mut dyn FnMut(u64, Annotation) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let places: Vec<_> =
            (0..self.header.signals.len()).filter(|&i| self.header.signals[i].is_annotations()).collect();
        if places.is_empty() {
            return Ok(());
        }
        self.each(&mut |i, record| {
            for &signal in &places {
                let lists = record[self.range(signal)].split(|b| *b == 0).filter(|l| !l.is_empty());
                for list in lists {
                    let whole = annotation_list(list, &mut |a| take(i, a))?;
                    if !whole {
                        return Err(Error::Damaged {
                            place: format!("{}, data record {}", self.source.origin, i + 1),
                            expected: "annotations as onset, duration and texts",
                            found: "other bytes".to_owned(),
                        });
                    }
                }
            }
            Ok(())
        })
    }

    /// How many stored values lie outside the range that the header states, by signal.
    ///
    /// # Errors
    /// As [`Recording::digital`].
    pub fn outside(&self) -> Result<Vec<(usize, u64)>, Error> {
        let width = self.header.kind.width();
        let mut counts: Vec<(usize, u64)> = self.signals().map(|(i, _)| (i, 0)).collect();
        self.each(&mut |_, record| {
            for (i, count) in &mut counts {
                let (low, high) = self.header.signals[*i].digital;
                let values = record[self.range(*i)].chunks_exact(width).map(stored);
                *count += values.filter(|v| *v < low.min(high) || *v > low.max(high)).count() as u64;
            }
            Ok(())
        })?;
        Ok(counts)
    }
}

/// Two or three bytes, low byte first.
fn stored(bytes: &[u8]) -> i32 {
    match *bytes {
        [a, b] => i32::from(i16::from_le_bytes([a, b])),
        [a, b, c] => i32::from_le_bytes([0, a, b, c]) >> 8,
        _ => 0,
    }
}

/// `+onset[\x15duration]\x14text\x14...`: hands over an annotation for each text; `false` where it is none.
fn annotation_list(
    list: &[u8],
    take: &mut dyn FnMut(Annotation) -> Result<(), Error>,
) -> Result<bool, Error> {
    // The list ends with a separator, which leaves an empty last part.
    let Some(list) = list.strip_suffix(&[0x14]) else { return Ok(false) };
    let mut parts = list.split(|b| *b == 0x14);
    let time = parts.next().and_then(|t| std::str::from_utf8(t).ok()).unwrap_or_default();
    let (onset, duration) = time.split_once('\x15').map_or((time, None), |(o, d)| (o, Some(d)));
    let seconds = |t: &str| t.parse::<f64>().ok().filter(|s| s.is_finite());
    let duration = duration.map(seconds);
    let Some(onset) = seconds(onset).filter(|_| onset.starts_with(['+', '-'])) else { return Ok(false) };
    if duration == Some(None) {
        return Ok(false);
    }
    for text in parts {
        let text = String::from_utf8_lossy(text).into_owned();
        take(Annotation { onset, duration: duration.flatten(), text })?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotation_lists_are_read_by_their_separators() {
        let read = |bytes: &[u8]| {
            let mut all = Vec::new();
            let whole = annotation_list(bytes, &mut |a| {
                all.push((a.onset, a.duration, a.text));
                Ok(())
            });
            whole.unwrap().then_some(all)
        };
        assert_eq!(read(b"+0\x14\x14"), Some(vec![(0.0, None, String::new())]));
        let two = read("+1.5\x152\x14a\x14ä\x14".as_bytes()).unwrap();
        assert_eq!(two, [(1.5, Some(2.0), "a".to_owned()), (1.5, Some(2.0), "ä".to_owned())]);
        for bad in
            [&b"1\x14a\x14"[..], b"+x\x14a\x14", b"+1\x15y\x14a\x14", b"+1\x14a", b"", b"+inf\x14a\x14"]
        {
            assert_eq!(read(bad), None);
        }
        assert_eq!((stored(&[0xff, 0xff]), stored(&[0, 0, 0x80])), (-1, -8_388_608));
    }
}

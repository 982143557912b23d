use super::{Frames, Header, Segment, Signal};
use crate::Error;
use crate::feed::Source;

/// Bytes of samples that are handed out at once, at most.
const MAX_BYTES: u64 = 4 << 30;

/// A record with its samples: one segment, or several put together.
///
/// A record of several segments is given on one time line. What a gap or a segment without that signal
/// leaves open is NaN.
#[derive(Clone, Debug)]
pub struct Record {
    source: Source,
    header: Header,
    signals: Vec<Signal>,
}

impl Record {
    /// Opens a header, and those that it names.
    ///
    /// # Errors
    /// As [`Header::read`]; [`Error::Outside`] or [`Error::MissingFile`] for a segment's header.
    pub fn open(source: &Source) -> Result<Self, Error> {
        let header = Header::read(source)?;
        let signals = if header.is_segmented() {
            let model = header.segments.iter().find(|s| !s.is_gap());
            model.map(|s| segment_header(source, s)).transpose()?.map_or_else(Vec::new, |(_, h)| h.signals)
        } else {
            header.signals.clone()
        };
        if header.is_segmented() && signals.len() != header.signal_count {
            return Err(Error::Damaged {
                place: source.origin.clone(),
                expected: "as many signals in the layout or first segment as in the record",
                found: format!("{} and {}", signals.len(), header.signal_count),
            });
        }
        Ok(Self { source: source.clone(), header, signals })
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The signals: of a record of several segments, those of its layout or first segment.
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// The segments with samples, each with its header; gaps have none. One for a simple record.
    ///
    /// # Errors
    /// As [`Record::open`]; [`Error::Damaged`] for a segment that contradicts the record.
    pub fn segments(&self) -> impl Iterator<Item = Result<(u64, Option<(Source, Header)>), Error>> + '_ {
        let simple = (!self.header.is_segmented())
            .then(|| Ok((self.header.frames.unwrap_or(0), Some((self.source.clone(), self.header.clone())))));
        let skipped = usize::from(self.header.is_variable());
        simple.into_iter().chain(self.header.segments.iter().skip(skipped).map(|segment| {
            let header = (!segment.is_gap()).then(|| self.segment(segment)).transpose()?;
            Ok((segment.frames, header))
        }))
    }

    fn segment(&self, segment: &Segment) -> Result<(Source, Header), Error> {
        let (source, mut header) = segment_header(&self.source, segment)?;
        let damaged =
            |expected, found: String| Error::Damaged { place: source.origin.clone(), expected, found };
        if header.is_segmented() {
            return Err(damaged("a segment without segments", "a record of several".to_owned()));
        }
        if header.frequency != self.header.frequency {
            return Err(damaged("the record's sampling frequency in each segment", "another".to_owned()));
        }
        if !self.header.is_variable() && header.signals.len() != self.signals.len() {
            return Err(damaged(
                "the same signals in each segment of a record without layout",
                format!("{} and {}", self.signals.len(), header.signals.len()),
            ));
        }
        if header.frames.is_some_and(|n| n != 0 && n < segment.frames) {
            return Err(damaged("as many frames as the record says", "fewer".to_owned()));
        }
        header.frames = Some(segment.frames);
        Ok((source, header))
    }

    /// Which of a segment's signals is which of the record's: by name where segments differ.
    fn places(&self, origin: &str, header: &Header) -> Result<Vec<Option<usize>>, Error> {
        let places: Vec<Option<usize>> = if self.header.is_variable() {
            self.signals.iter().map(|s| header.signals.iter().position(|t| t.name == s.name)).collect()
        } else {
            (0..self.signals.len()).map(Some).collect()
        };
        let one = |(i, place): (usize, &Option<usize>)| {
            place.is_none_or(|p| header.signals[p].samples_per_frame == self.signals[i].samples_per_frame)
        };
        if places.iter().enumerate().all(one) {
            return Ok(places);
        }
        Err(Error::Damaged {
            place: origin.to_owned(),
            expected: "as many samples in a frame as elsewhere in the record",
            found: "another number".to_owned(),
        })
    }

    /// Hands over one frame after the other, all signals' physical values in it, until `take` says no.
    ///
    /// A frame holds the samples of the first signal, then those of the second, ...; signals with more
    /// samples in a frame have a higher rate. Memory does not grow with the record.
    ///
    /// # Errors
    /// As [`Record::segments`] and [`Frames::open`].
    pub fn frames(&self, take: &mut dyn FnMut(&[f64]) -> bool) -> Result<(), Error> {
        let width = self.signals.iter().map(|s| s.samples_per_frame as usize).sum();
        let mut values = vec![f64::NAN; width];
        for segment in self.segments() {
            let (frames, segment) = segment?;
            let Some((source, header)) = segment else {
                values.fill(f64::NAN);
                if (0..frames).any(|_| !take(&values)) {
                    return Ok(());
                }
                continue;
            };
            let places = self.places(&source.origin, &header)?;
            let mut reader = Frames::open(&source, &header)?;
            let mut frame = vec![0; reader.width()];
            while reader.next(&mut frame)? {
                convert(&self.signals, &header.signals, &places, &frame, &mut values);
                if !take(&values) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The physical values of every signal, NaN where there is none.
    ///
    /// # Errors
    /// As [`Record::frames`]; [`Error::TooLarge`] past 4 GiB.
    pub fn physical(&self) -> Result<Vec<Vec<f64>>, Error> {
        let mut all = vec![Vec::new(); self.signals.len()];
        let mut bytes = 0u64;
        self.frames(&mut |frame| {
            let mut rest = frame;
            for (signal, values) in self.signals.iter().zip(&mut all) {
                let (own, after) = rest.split_at(signal.samples_per_frame as usize);
                values.extend_from_slice(own);
                rest = after;
            }
            bytes += frame.len() as u64 * 8;
            bytes <= MAX_BYTES
        })?;
        if bytes > MAX_BYTES { Err(self.too_large()) } else { Ok(all) }
    }

    /// The stored values of every signal, for a record of one segment or of segments that store alike
    /// (format, gain, baseline); the format's [invalid](super::SampleFormat::invalid) value where there is none.
    ///
    /// # Errors
    /// As [`Record::frames`]; [`Error::UnsupportedType`] where segments store differently;
    /// [`Error::TooLarge`] past 4 GiB.
    pub fn digital(&self) -> Result<Vec<Vec<i32>>, Error> {
        let mut models: Vec<Option<Signal>> = vec![None; self.signals.len()];
        let mut all = vec![Vec::new(); self.signals.len()];
        let mut bytes = 0u64;
        // The layout says nothing of formats, so gaps are filled when all segments have been seen.
        let mut gaps: Vec<Vec<(usize, u64)>> = vec![Vec::new(); self.signals.len()];
        for segment in self.segments() {
            let (frames, segment) = segment?;
            let found = match &segment {
                Some((source, header)) => self.places(&source.origin, header)?,
                None => vec![None; self.signals.len()],
            };
            for (i, signal) in self.signals.iter().enumerate() {
                match (found[i], &segment) {
                    (Some(place), Some((_, header))) => {
                        let own = &header.signals[place];
                        let model = models[i].get_or_insert_with(|| own.clone());
                        if (model.format, model.gain, model.baseline) != (own.format, own.gain, own.baseline)
                        {
                            return Err(Error::UnsupportedType {
                                place: self.source.origin.clone(),
                                expected: "segments that store a signal alike",
                                found: "another format, gain or baseline".to_owned(),
                            });
                        }
                    }
                    _ => {
                        let samples = frames.saturating_mul(u64::from(signal.samples_per_frame));
                        gaps[i].push((all[i].len(), samples));
                        bytes = bytes.saturating_add(samples.saturating_mul(4));
                    }
                }
            }
            if bytes > MAX_BYTES {
                return Err(self.too_large());
            }
            let Some((source, header)) = segment else { continue };
            let mut starts = Vec::with_capacity(header.signals.len());
            let mut at = 0;
            for signal in &header.signals {
                starts.push(at);
                at += signal.samples_per_frame as usize;
            }
            let mut reader = Frames::open(&source, &header)?;
            let mut frame = vec![0; reader.width()];
            while reader.next(&mut frame)? {
                bytes += frame.len() as u64 * 4;
                if bytes > MAX_BYTES {
                    return Err(self.too_large());
                }
                for (values, place) in all.iter_mut().zip(&found) {
                    if let Some(p) = *place {
                        let samples = header.signals[p].samples_per_frame as usize;
                        values.extend_from_slice(&frame[starts[p]..starts[p] + samples]);
                    }
                }
            }
        }
        for ((values, gaps), model) in all.iter_mut().zip(gaps).zip(&models) {
            let invalid = model.as_ref().and_then(|m| m.format.invalid()).unwrap_or(i32::MIN);
            let mut filled = Vec::new();
            let mut from = 0;
            for (at, samples) in gaps {
                filled.extend_from_slice(&values[from..at]);
                filled.resize(filled.len() + samples as usize, invalid);
                from = at;
            }
            filled.extend_from_slice(&values[from..]);
            *values = filled;
        }
        Ok(all)
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { place: self.source.origin.clone(), limit: MAX_BYTES }
    }
}

/// The header of one of `source`'s segments.
fn segment_header(source: &Source, segment: &Segment) -> Result<(Source, Header), Error> {
    let found = source.sibling(&format!("{}.hea", segment.name))?;
    let header = Header::read(&found)?;
    Ok((found, header))
}

/// A segment's stored values as the record's physical ones.
fn convert(signals: &[Signal], own: &[Signal], places: &[Option<usize>], frame: &[i32], values: &mut [f64]) {
    let mut at = 0;
    for (signal, place) in signals.iter().zip(places) {
        let into = &mut values[at..at + signal.samples_per_frame as usize];
        at += into.len();
        let Some(place) = *place else {
            into.fill(f64::NAN);
            continue;
        };
        let start: usize = own[..place].iter().map(|s| s.samples_per_frame as usize).sum();
        for (value, stored) in into.iter_mut().zip(&frame[start..]) {
            *value = own[place].physical(*stored);
        }
    }
}

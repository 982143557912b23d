use super::format::Samples;
use super::{Header, SampleFormat, Signal};
use crate::Error;
use crate::feed::{ReadSeek, Source};
use crate::flac::Flac;
use std::io::{self, BufReader, SeekFrom};

/// Samples kept to bring signals into step, at most.
const MAX_KEPT: u64 = 1 << 24;
/// Files of a segment, at most: each is open and has a buffer.
const MAX_FILES: usize = 256;
/// Those of them that are FLAC, at most: each decoder may hold megabytes.
const MAX_FLAC: usize = 16;

/// The frames of one segment, in step: one frame after the other, from all its files.
pub struct Frames {
    origin: String,
    files: Vec<SignalFile>,
    /// Frames to give; `None` to give what is there.
    frames: Option<u64>,
    given: u64,
    width: usize,
}

/// The signals that share a file.
struct SignalFile {
    stream: Stream,
    members: Vec<Member>,
    /// Samples of a frame in this file.
    width: usize,
    /// The last frames of the file, `depth` of them, round and round.
    kept: Vec<i32>,
    depth: u64,
    /// Frames read from the file.
    read: u64,
    /// Whether its end was reached.
    ended: bool,
}

struct Member {
    /// Where its samples stand in the record's frame.
    at: usize,
    /// Where they stand in the file's.
    start: usize,
    samples: usize,
    skew: u64,
    invalid: i32,
    /// Format 8: the value that the next difference is added to.
    sum: Option<i32>,
    checksum: u32,
}

enum Stream {
    Plain(Samples<BufReader<Box<dyn ReadSeek>>>),
    Flac(Box<Flac>),
    /// Nothing is stored.
    Null,
}

impl Frames {
    /// Opens the files that `header` names beside `source`.
    ///
    /// # Errors
    /// [`Error::Outside`], [`Error::MissingFile`], [`Error::Damaged`] where a file is shorter than the
    /// header says or its format is not what the header says.
    pub fn open(source: &Source, header: &Header) -> Result<Self, Error> {
        let origin = source.origin.clone();
        let damaged = |expected, found: String| Error::Damaged { place: origin.clone(), expected, found };
        let mut names: Vec<&str> = Vec::new();
        for signal in &header.signals {
            if !names.contains(&signal.file.as_str()) {
                names.push(&signal.file);
            }
        }
        let mut starts = Vec::with_capacity(header.signals.len());
        let mut width = 0;
        for signal in &header.signals {
            starts.push(width);
            width += signal.samples_per_frame as usize;
        }
        // None and 0 both leave the length open, except where there is nothing to count.
        let open = header.frames.is_none_or(|n| n == 0) && !header.is_layout();
        let mut frames = header.frames.filter(|_| !open);
        let packed =
            |n: &&&str| header.signals.iter().any(|s| s.file == ***n && s.format.flac_bits().is_some());
        if names.len() > MAX_FILES || names.iter().filter(packed).count() > MAX_FLAC {
            return Err(damaged(
                "at most 256 signal files in a segment, 16 of FLAC",
                names.len().to_string(),
            ));
        }
        let mut files = Vec::with_capacity(names.len());
        let mut kept = 0u64;
        for name in names {
            let members: Vec<(&Signal, usize)> = header
                .signals
                .iter()
                .zip(&starts)
                .filter(|(s, _)| s.file == name)
                .map(|(s, a)| (s, *a))
                .collect();
            let file = SignalFile::open(source, name, &members, frames)?;
            frames = frames.or(file.1);
            kept = file.0.depth.saturating_mul(file.0.width as u64).saturating_add(kept);
            if kept > MAX_KEPT {
                return Err(damaged("signals that lie less far apart (skew)", format!("{kept} samples")));
            }
            files.push(file.0);
        }
        // Where no file is there to end, nothing would.
        let endless = files.iter().all(|f| matches!(f.stream, Stream::Null));
        let frames = if endless { Some(frames.unwrap_or(0)) } else { frames };
        Ok(Self { origin, files, frames, given: 0, width })
    }

    /// Samples in a frame, over all signals.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Frames in all, where that is known before they are read.
    pub fn frames(&self) -> Option<u64> {
        self.frames
    }

    /// Writes the next frame, signal after signal, into `frame` (of [`Frames::width`]); `false` at the end.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a file ends too early or is no FLAC stream any more.
    pub fn next(&mut self, frame: &mut [i32]) -> Result<bool, Error> {
        if self.frames.is_some_and(|n| self.given >= n) {
            return Ok(false);
        }
        for (i, file) in self.files.iter_mut().enumerate() {
            let whole = file.give(self.given, self.frames, frame).map_err(|e| Error::Damaged {
                place: self.origin.clone(),
                expected: "signal files as long as the header says",
                found: match e.kind() {
                    io::ErrorKind::UnexpectedEof => format!("the end after {} frames", self.given),
                    _ => e.to_string(),
                },
            })?;
            if !whole {
                return if i == 0 {
                    Ok(false)
                } else {
                    Err(Error::Damaged {
                        place: self.origin.clone(),
                        expected: "signal files of one length",
                        found: format!("one that ends after {} frames", self.given),
                    })
                };
            }
        }
        self.given += 1;
        Ok(true)
    }

    /// The checksums of all samples so far read from the files, by signal: their sum's low 16 bits.
    pub fn checksums(&self) -> Vec<u16> {
        let mut sums: Vec<(usize, u16)> =
            self.files.iter().flat_map(|f| f.members.iter().map(|m| (m.at, m.checksum as u16))).collect();
        sums.sort_by_key(|(at, _)| *at);
        sums.into_iter().map(|(_, sum)| sum).collect()
    }
}

impl SignalFile {
    /// The file and, where it tells, its number of frames.
    fn open(
        source: &Source,
        name: &str,
        members: &[(&Signal, usize)],
        frames: Option<u64>,
    ) -> Result<(Self, Option<u64>), Error> {
        let damaged =
            |expected, found: String| Error::Damaged { place: source.origin.clone(), expected, found };
        let Some(&(first, _)) = members.first() else {
            return Err(damaged("a signal for each file", "none".to_owned()));
        };
        let (format, offset) = (first.format, first.offset);
        if members.iter().any(|(s, _)| s.format != format || s.offset != offset) {
            return Err(damaged("one format and offset a file", "several".to_owned()));
        }
        let width: usize = members.iter().map(|(s, _)| s.samples_per_frame as usize).sum();
        let mut found = None;
        let stream = if name == "~" || format == SampleFormat::Null {
            Stream::Null
        } else {
            let file = source.sibling(name)?;
            let mut bytes = file.open()?;
            let failed = |e: io::Error| damaged("a signal file that can be read", e.to_string());
            if let Some(most) = format.flac_bits() {
                let mut flac = Flac::open(bytes).map_err(|e| damaged("a FLAC stream", e.to_string()))?;
                let one = members.iter().all(|(s, _)| s.samples_per_frame == first.samples_per_frame);
                if flac.channels != members.len() || flac.bits > most || !one {
                    return Err(damaged(
                        "a FLAC stream with a channel for each signal and no more bits than its format",
                        format!("{} channels of {} bits", flac.channels, flac.bits),
                    ));
                }
                for _ in 0..offset {
                    if flac.next().map_err(failed)?.is_none() {
                        return Err(damaged("an offset within the file", "one past its end".to_owned()));
                    }
                }
                let per = u64::from(first.samples_per_frame);
                found = flac.frames.map(|n| n.saturating_sub(offset) / per);
                Stream::Flac(Box::new(flac))
            } else {
                let length = file.len()?.saturating_sub(offset);
                found = format.samples(length).map(|n| n / width.max(1) as u64);
                bytes.seek(SeekFrom::Start(offset)).map_err(failed)?;
                Stream::Plain(Samples::new(BufReader::new(bytes), format))
            }
        };
        if let (Some(stated), Some(found)) = (frames, found)
            && found < stated
        {
            let expected = "signal files as long as the header says";
            return Err(damaged(expected, format!("{found} frames of {stated}")));
        }
        let skew = members.iter().map(|(s, _)| u64::from(s.skew)).max().unwrap_or(0);
        let mut start = 0;
        let members = members
            .iter()
            .map(|(signal, at)| {
                let samples = signal.samples_per_frame as usize;
                let sum = (format == SampleFormat::F8).then(|| signal.initial.unwrap_or(0) as i32);
                let invalid = format.invalid().unwrap_or(0);
                let skew = u64::from(signal.skew);
                start += samples;
                Member { at: *at, start: start - samples, samples, skew, invalid, sum, checksum: 0 }
            })
            .collect();
        let depth = skew + 1;
        let file = Self { stream, members, width, kept: Vec::new(), depth, read: 0, ended: false };
        Ok((file, found))
    }

    /// Frame `index` of the record into `frame`; `false` where there is none.
    fn give(&mut self, index: u64, frames: Option<u64>, frame: &mut [i32]) -> io::Result<bool> {
        // A frame of the record may need one that lies later in the file.
        let needed = (index + self.depth).min(frames.unwrap_or(u64::MAX));
        while self.read < needed && !self.ended {
            self.read_frame(frames.is_some())?;
        }
        if index >= self.read {
            return Ok(false);
        }
        for member in &self.members {
            let into = frame.get_mut(member.at..member.at + member.samples).unwrap_or_default();
            let wanted = index + member.skew;
            if wanted >= self.read {
                into.fill(member.invalid);
                continue;
            }
            let row = (wanted % self.depth) as usize * self.width;
            let start = row + member.start;
            into.copy_from_slice(&self.kept[start..start + member.samples]);
        }
        Ok(true)
    }

    fn read_frame(&mut self, stated: bool) -> io::Result<()> {
        let row = (self.read % self.depth) as usize * self.width;
        if self.kept.len() < row + self.width {
            self.kept.resize(row + self.width, 0);
        }
        let into = &mut self.kept[row..row + self.width];
        let whole = match &mut self.stream {
            Stream::Null => {
                into.fill(i32::MIN);
                Ok(true)
            }
            Stream::Plain(samples) => fill(into, |slot| samples.next().map(|v| *slot = v)),
            Stream::Flac(flac) => flac_frame(flac, into, self.members.len()),
        }?;
        if !whole {
            self.ended = true;
            return if stated { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) };
        }
        let mut at = 0;
        for member in &mut self.members {
            for sample in &mut into[at..at + member.samples] {
                if let Some(sum) = &mut member.sum {
                    *sum = sum.wrapping_add(*sample);
                    *sample = *sum;
                }
                member.checksum = member.checksum.wrapping_add(sample.cast_unsigned());
            }
            at += member.samples;
        }
        self.read += 1;
        Ok(())
    }
}

/// Fills a frame; `false` where the file ends before it is full.
fn fill(frame: &mut [i32], mut next: impl FnMut(&mut i32) -> io::Result<()>) -> io::Result<bool> {
    for slot in frame {
        match next(slot) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(e) => return Err(e),
        }
    }
    Ok(true)
}

/// The same from FLAC, where the samples of one signal in a frame stand apart.
fn flac_frame(flac: &mut Flac, frame: &mut [i32], channels: usize) -> io::Result<bool> {
    let samples = frame.len() / channels.max(1);
    for k in 0..samples {
        let Some(values) = flac.next()? else { return Ok(false) };
        for (channel, value) in values.iter().enumerate() {
            frame[channel * samples + k] = *value;
        }
    }
    Ok(true)
}

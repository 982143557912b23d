//! Audio: WAV (whole and floating numbers, without compression) and FLAC. Voices, coughs, heart sounds.
//!
//! [`Audio`] gives samples a frame at a time. WAV is taken apart here, chunk by chunk, because a chunk may
//! claim 4 GB; FLAC goes through symphonia.
//!
//! # Source
//! Microsoft's RIFF and WAVEFORMATEXTENSIBLE; RFC 9639 (FLAC). Samples as libsndfile gives them
//! (`tests/fixtures/signals/make.py`).

use crate::Error;
use crate::feed::{Checked, Entry, Feed, ReadSeek, Rejected, Severity, Sink, Source};
use crate::flac::Flac;
use crate::waveform;
use chiasm_record::{Code, Event, Modality, Times};
use std::io::{self, BufReader, Read, SeekFrom};

/// Bytes of samples that are handed out at once, at most.
const MAX_BYTES: u64 = 4 << 30;

/// Whether the first bytes are those of a WAV or FLAC file.
pub fn recognises(head: &[u8], _name: &str) -> bool {
    head.starts_with(b"fLaC") || (head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WAVE"))
}

/// What an audio file says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Audio {
    /// `WAV` or `FLAC`.
    pub format: &'static str,
    /// Frames per second.
    pub rate: u32,
    /// Samples in a frame.
    pub channels: u16,
    /// Bits of a sample.
    pub bits: u16,
    /// Whether samples are floating numbers.
    pub floating: bool,
    /// Frames; `None` where a FLAC stream does not say.
    pub frames: Option<u64>,
    /// WAV: where the samples begin, and the bytes that are missing at the end.
    data: u64,
    missing: u64,
}

impl Audio {
    /// Reads the description.
    ///
    /// # Errors
    /// [`Error::WrongFormat`] for what is neither, [`Error::Damaged`] for one that breaks its rules,
    /// [`Error::UnsupportedType`] for a WAV with compression.
    pub fn open(source: &Source) -> Result<Self, Error> {
        let mut bytes = source.open()?;
        let damaged = |e: io::Error| Error::Damaged {
            place: source.origin.clone(),
            expected: "a whole audio file",
            found: e.to_string(),
        };
        if source.head(4)? == b"fLaC" {
            let flac = Flac::open(bytes).map_err(damaged)?;
            return Ok(Self {
                format: "FLAC",
                rate: flac.rate,
                channels: flac.channels as u16,
                bits: flac.bits as u16,
                floating: false,
                frames: flac.frames,
                data: 0,
                missing: 0,
            });
        }
        let mut head = [0; 12];
        let whole = bytes.read_exact(&mut head).is_ok();
        if !whole || &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
            return Err(Error::WrongFormat {
                place: source.origin.clone(),
                expected: "a WAV or FLAC file",
                found: "other bytes",
            });
        }
        wave(source, &mut bytes, damaged)
    }

    /// The duration in seconds.
    pub fn duration(&self) -> Option<f64> {
        self.frames.map(|n| n as f64 / f64::from(self.rate))
    }

    /// Hands over one frame after the other, a sample for each channel, from -1 to 1, until `take` says no.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the file ends too early or a packet is damaged.
    pub fn each(&self, source: &Source, take: &mut dyn FnMut(&[f32]) -> bool) -> Result<(), Error> {
        let damaged = |e: io::Error| Error::Damaged {
            place: source.origin.clone(),
            expected: "as many samples as the header says",
            found: e.to_string(),
        };
        let mut bytes = source.open()?;
        let mut values = vec![0.0; usize::from(self.channels)];
        if self.format == "FLAC" {
            let mut flac = Flac::open(bytes).map_err(damaged)?;
            let scale = 1.0 / (1u64 << (self.bits - 1)) as f64;
            let mut read = 0;
            while let Some(frame) = flac.next().map_err(damaged)? {
                values.iter_mut().zip(frame).for_each(|(v, s)| *v = (f64::from(*s) * scale) as f32);
                read += 1;
                if !take(&values) {
                    return Ok(());
                }
            }
            return match self.frames.filter(|n| *n != read) {
                Some(_) => Err(damaged(io::ErrorKind::UnexpectedEof.into())),
                None => Ok(()),
            };
        }
        bytes.seek(SeekFrom::Start(self.data)).map_err(damaged)?;
        let mut bytes = BufReader::with_capacity(1 << 16, bytes);
        let width = usize::from(self.bits / 8);
        let mut raw = [0; 8];
        for _ in 0..self.frames.unwrap_or(0) {
            for value in &mut values {
                bytes.read_exact(&mut raw[..width]).map_err(damaged)?;
                *value = sample(&raw[..width], self.floating);
            }
            if !take(&values) {
                break;
            }
        }
        Ok(())
    }

    /// All samples, channels side by side in each frame.
    ///
    /// # Errors
    /// As [`Audio::each`]; [`Error::TooLarge`] past 4 GiB.
    pub fn samples(&self, source: &Source) -> Result<Vec<f32>, Error> {
        let mut all = Vec::new();
        let mut too_large = false;
        self.each(source, &mut |frame| {
            too_large = (all.len() + frame.len()) as u64 > MAX_BYTES / 4;
            if !too_large {
                all.extend_from_slice(frame);
            }
            !too_large
        })?;
        if too_large {
            Err(Error::TooLarge { place: source.origin.clone(), limit: MAX_BYTES })
        } else {
            Ok(all)
        }
    }
}

/// One sample, from -1 to 1; 8 bits are unsigned, all others signed.
fn sample(raw: &[u8], floating: bool) -> f32 {
    match (raw, floating) {
        (&[a], _) => (f32::from(a) - 128.0) / 128.0,
        (&[a, b], _) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
        (&[a, b, c], _) => (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 / 8_388_608.0,
        (&[a, b, c, d], true) => f32::from_le_bytes([a, b, c, d]),
        (&[a, b, c, d], false) => (f64::from(i32::from_le_bytes([a, b, c, d])) / 2_147_483_648.0) as f32,
        (&[a, b, c, d, e, f, g, h], _) => f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32,
        _ => 0.0,
    }
}

/// The description of a WAV file, `bytes` behind its first twelve.
fn wave(
    source: &Source,
    bytes: &mut Box<dyn ReadSeek>,
    damaged: impl Fn(io::Error) -> Error,
) -> Result<Audio, Error> {
    let broken = |expected, found: &str| Error::Damaged {
        place: source.origin.clone(),
        expected,
        found: found.to_owned(),
    };
    let length = source.len()?;
    let mut at = 12;
    let mut described: Option<Audio> = None;
    // Chunks of no bytes could stand there by the million.
    for _ in 0..4096 {
        let mut head = [0; 8];
        if bytes.read_exact(&mut head).is_err() {
            break;
        }
        at += 8;
        let size = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        if &head[..4] == b"fmt " {
            let mut fields = [0; 40];
            let n = size.min(40) as usize;
            bytes.read_exact(&mut fields[..n]).map_err(&damaged)?;
            let two = |i: usize| u16::from_le_bytes([fields[i], fields[i + 1]]);
            // WAVEFORMATEXTENSIBLE says what it is further behind.
            let kind = if two(0) == 0xfffe && n == 40 { two(24) } else { two(0) };
            let rate = u32::from_le_bytes([fields[4], fields[5], fields[6], fields[7]]);
            let (channels, block, bits) = (two(2), two(12), two(14));
            let floating = match (kind, bits) {
                (1, 8 | 16 | 24 | 32) => false,
                (3, 32 | 64) => true,
                _ => {
                    return Err(Error::UnsupportedType {
                        place: source.origin.clone(),
                        expected: "samples of 8, 16, 24 or 32 bits, or floating numbers of 32 or 64",
                        found: format!("WAV format {kind} of {bits} bits"),
                    });
                }
            };
            if n < 16
                || rate == 0
                || channels == 0
                || u32::from(block) != u32::from(channels) * u32::from(bits) / 8
            {
                return Err(broken("a rate, channels, and frames as wide as their samples", "others"));
            }
            let (format, frames, data, missing) = ("WAV", None, 0, 0);
            described = Some(Audio { format, rate, channels, bits, floating, frames, data, missing });
        } else if &head[..4] == b"data" {
            let mut audio = described.ok_or_else(|| broken("a format before the samples", "none"))?;
            let held = length.saturating_sub(at);
            // A recorder that was cut off leaves 0 or the largest number.
            let open = size == 0 || size == u64::from(u32::MAX);
            let stated = if open { held } else { size };
            audio.missing = stated.saturating_sub(held);
            audio.data = at;
            let frame = u64::from(audio.channels) * u64::from(audio.bits / 8);
            audio.frames = Some(stated.min(held) / frame);
            return Ok(audio);
        }
        at = at.saturating_add(size + size % 2);
        if at > length {
            break;
        }
        bytes.seek(SeekFrom::Start(at)).map_err(&damaged)?;
    }
    Err(broken("a chunk of samples", "none"))
}

/// Reads an audio file: one entry with one event, `AUDIO|WAV` or `AUDIO|FLAC`, that points to it; its value
/// is the duration in seconds.
///
/// Audio names no patient and no time that could be relied on: the subject is the file's name without its
/// ending under `<site>|file`. Attributes: `rate` in Hz, `channels`, `bits`, `frames`. Rejected:
/// `audio.format`, `audio.length`.
///
/// # Errors
/// Where the file cannot be opened, or the sink keeps nothing.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let kept = |e| Error::Sink { place: source.origin.clone(), source: e };
    let reject = |rule: &str, message: String, sink: &mut dyn Sink| {
        let rule = rule.to_owned();
        sink.reject(Rejected { place: String::new(), offset: None, rule, message, bytes: None }).map_err(kept)
    };
    let audio = match Audio::open(source) {
        Ok(audio) => audio,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => return reject("audio.format", error.to_string(), sink),
    };
    if audio.missing > 0 {
        let message = format!("{} bytes of samples are missing at the end", audio.missing);
        return reject("audio.length", message, sink);
    }
    let asset = waveform::asset(source, if audio.format == "WAV" { "audio/wav" } else { "audio/flac" })?;
    let mut event = Event::new(Times::default(), Code::new("AUDIO", audio.format), Modality::new("audio"));
    (event.value, event.asset) = (audio.duration(), Some(asset.id));
    event.unit = event.value.map(|_| "s".to_owned());
    event.attributes.extend(contents(&audio));
    let identity = feed.file_subject(&source.origin);
    let mut entry = Entry::of(*asset.id.bytes(), "", Some(identity), vec![event]);
    entry.assets.push(asset);
    sink.entry(entry).map_err(kept)
}

fn contents(audio: &Audio) -> Vec<(String, String)> {
    let named = |n: &str, v: String| (n.to_owned(), v);
    let mut all = vec![
        named("rate", audio.rate.to_string()),
        named("channels", audio.channels.to_string()),
        named("bits", audio.bits.to_string()),
    ];
    all.extend(audio.frames.map(|n| named("frames", n.to_string())));
    all
}

/// What is in an audio file and what is wrong with it. All samples are read.
///
/// # Errors
/// Where the file cannot be opened.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut checked = Checked::new("audio", None);
    let audio = match Audio::open(source) {
        Ok(audio) => audio,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => {
            checked.fault(Severity::Error, "audio.format", "", error.to_string());
            return Ok(checked);
        }
    };
    checked.version = Some(audio.format.to_owned());
    checked.contents = contents(&audio);
    if audio.missing > 0 {
        let message = format!("{} bytes of samples are missing at the end", audio.missing);
        checked.fault(Severity::Error, "audio.length", "", message);
    }
    let (mut clipped, mut broken) = (0u64, 0u64);
    let read = audio.each(source, &mut |frame| {
        clipped += frame.iter().filter(|v| v.abs() >= 1.0).count() as u64;
        broken += frame.iter().filter(|v| !v.is_finite()).count() as u64;
        true
    });
    match read {
        Ok(()) => {}
        Err(error @ Error::Io { .. }) => return Err(error),
        Err(error) => checked.fault(Severity::Error, "audio.data", "", error.to_string()),
    }
    if broken > 0 {
        checked.fault(Severity::Error, "audio.numbers", "", format!("{broken} samples are no numbers"));
    }
    checked.content("samples at the limit", clipped);
    Ok(checked)
}

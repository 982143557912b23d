//! FLAC, for audio files and for the signals of WFDB.

use crate::feed::ReadSeek;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSourceStream, ReadOnlySource};
use symphonia::default::{codecs::FlacDecoder, formats::FlacReader};

/// A FLAC stream, decoded a packet at a time.
///
/// Only the stream's own description is handed to the decoder: pictures and comments, which may be of
/// any size and number, are skipped.
pub(crate) struct Flac {
    reader: FlacReader<'static>,
    decoder: FlacDecoder,
    /// Channels in a frame.
    pub channels: usize,
    /// Bits of a sample.
    pub bits: u32,
    /// Frames per second.
    pub rate: u32,
    /// Frames in the stream, where it says so.
    pub frames: Option<u64>,
    packet: Vec<i32>,
    at: usize,
    decoded: u64,
}

impl Flac {
    /// Reads the description and finds the first packet.
    ///
    /// # Errors
    /// What is no FLAC stream, or cannot be read.
    pub fn open(mut bytes: Box<dyn ReadSeek>) -> io::Result<Self> {
        let info = description(&mut bytes)?;
        let packed = u64::from_be_bytes(info[10..18].try_into().unwrap_or_default());
        let (channels, bits) = (packed as usize >> 41 & 7, (packed >> 36) as u32 & 31);
        let rate = (packed >> 44) as u32;
        let frames = Some(packed & 0xf_ffff_ffff).filter(|n| *n > 0);
        let start = [b"fLaC".as_slice(), &[0x80, 0, 0, 34], &info].concat();
        let stream = Cursor::new(start).chain(Unshared(Mutex::new(bytes)));
        let stream = MediaSourceStream::new(Box::new(ReadOnlySource::new(stream)), Default::default());
        let (reader, decoder) = guarded(|| {
            let reader = FlacReader::try_new(stream, FormatOptions::default()).map_err(broken)?;
            let Some(CodecParameters::Audio(parameters)) =
                reader.tracks().first().and_then(|t| t.codec_params.clone())
            else {
                return Err(invalid("no audio"));
            };
            let decoder =
                FlacDecoder::try_new(&parameters, &AudioDecoderOptions::default()).map_err(broken)?;
            Ok((reader, decoder))
        })?;
        let (packet, at, decoded) = (Vec::new(), 0, 0);
        Ok(Self {
            reader,
            decoder,
            channels: channels + 1,
            bits: bits + 1,
            rate,
            frames,
            packet,
            at,
            decoded,
        })
    }

    /// The next frame's samples, one a channel; `None` at the end.
    ///
    /// # Errors
    /// Damage, or what reading gives.
    pub fn next(&mut self) -> io::Result<Option<&[i32]>> {
        while self.at >= self.packet.len() {
            if !self.fill()? {
                return Ok(None);
            }
        }
        let frame = self.packet.get(self.at..self.at + self.channels);
        self.at += self.channels;
        frame.map(Some).ok_or_else(|| invalid("a packet that ends within a frame"))
    }

    fn fill(&mut self) -> io::Result<bool> {
        self.packet.clear();
        self.at = 0;
        let (reader, decoder, samples) = (&mut self.reader, &mut self.decoder, &mut self.packet);
        let start = guarded(|| {
            let Some(packet) = reader.next_packet().or_else(end).map_err(broken)? else { return Ok(None) };
            match decoder.decode(&packet).map_err(broken)? {
                GenericAudioBufferRef::S32(buffer) => {
                    GenericAudioBufferRef::S32(buffer).copy_to_vec_interleaved(samples);
                }
                _ => return Err(invalid("samples that are no integers")),
            }
            Ok(Some(packet.pts.get()))
        })?;
        let Some(start) = start else { return Ok(false) };
        // The decoder leaves out packets whose checksum is wrong; that would shift all that follows.
        if u64::try_from(start).ok() != Some(self.decoded) {
            return Err(invalid("packets that are damaged or missing"));
        }
        self.decoded += (self.packet.len() / self.channels) as u64;
        // The decoder fills 32 bits from above.
        let shift = 32 - self.bits;
        self.packet.iter_mut().for_each(|sample| *sample >>= shift);
        Ok(true)
    }
}

/// The stream's description; `bytes` then stand at the first packet.
fn description(bytes: &mut Box<dyn ReadSeek>) -> io::Result<[u8; 34]> {
    let mut mark = [0; 4];
    bytes.read_exact(&mut mark)?;
    if &mark != b"fLaC" {
        return Err(invalid("no FLAC stream"));
    }
    let mut info = None;
    loop {
        let mut block = [0; 4];
        bytes.read_exact(&mut block)?;
        let length = u32::from_be_bytes([0, block[1], block[2], block[3]]);
        if info.is_none() {
            let mut description = [0; 34];
            if block[0] & 0x7f != 0 || length != 34 {
                return Err(invalid("no description of the FLAC stream"));
            }
            bytes.read_exact(&mut description)?;
            info = Some(description);
        } else {
            bytes.seek(SeekFrom::Current(i64::from(length)))?;
        }
        if let Some(info) = info.filter(|_| block[0] & 0x80 != 0) {
            return Ok(info);
        }
    }
}

/// The decoder trusts some values of altered streams and then panics; that too is a damaged stream.
fn guarded<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(invalid("values that contradict each other")))
}

fn invalid(found: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, found)
}

fn broken(error: symphonia::core::errors::Error) -> io::Error {
    match error {
        symphonia::core::errors::Error::IoError(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
    }
}

/// The end of the file is the end of the stream.
fn end<T>(error: symphonia::core::errors::Error) -> symphonia::core::errors::Result<Option<T>> {
    match error {
        symphonia::core::errors::Error::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        error => Err(error),
    }
}

/// A reader that is never shared, for an interface that asks for one that could be.
struct Unshared(Mutex<Box<dyn ReadSeek>>);

impl Read for Unshared {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.get_mut() {
            Ok(bytes) => bytes.read(into),
            Err(poisoned) => poisoned.into_inner().read(into),
        }
    }
}

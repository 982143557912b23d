//! Frames of pixel data as stored values.

mod dct;
mod fragments;
mod jpeg;
mod jpeg2000;
mod jpegls;
mod layout;
mod native;
mod palette;
mod rle;
mod upsample;
mod values;

pub use layout::Layout;
pub use palette::{Palette, palette};
pub use values::{Frame, Values, rescale, window};

use super::DataSet;
use crate::Error;
use crate::feed::Source;
use values::Packed;

/// The most values of one frame, and the most bytes of them.
const SAMPLES: usize = 1 << 25;
const DECODED: u64 = 64 << 20;
/// The most values of one compressed frame: decoders hold them several times over.
const COMPRESSED_SAMPLES: usize = 1 << 24;
/// The most bytes of one compressed frame.
const COMPRESSED: u64 = 64 << 20;

/// What a decoder says is wrong, in words without values.
type Decoded<T> = Result<T, String>;

/// The stored values of one frame, counted from 0.
///
/// Shape: `[rows, columns, samples]`, row by row, the samples of a pixel side by side whatever the planar
/// configuration. Values are as stored: before rescaling, palettes as indices, colours in the space that
/// [`Frame::photometric`] names. Bits that belong to no value are cleared or carry the sign.
///
/// # Errors
/// [`Error::Damaged`] where they cannot be decoded, [`Error::UnsupportedType`] for a transfer syntax
/// without decoder, [`Error::TooLarge`] above 32 Mi values or 64 MiB, or 16 Mi values where they are
/// compressed.
pub fn frame(data: &DataSet, frame: u32) -> Result<Frame, Error> {
    let damaged = |found: String| Error::Damaged {
        place: format!("frame {frame}"),
        expected: "pixel data as their header describes them",
        found,
    };
    let layout = Layout::of(data.root()).map_err(damaged)?;
    if frame >= layout.frames {
        return Err(damaged(format!("{} frames", layout.frames)));
    }
    let too_large = |limit| Error::TooLarge { place: format!("frame {frame}"), limit };
    if layout.values() > SAMPLES || layout.values() as u64 * u64::from(layout.allocated.max(8)) / 8 > DECODED
    {
        return Err(too_large(DECODED));
    }
    let packed = match data.transfer_syntax() {
        "1.2.840.10008.1.2" | "1.2.840.10008.1.2.1" | "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.2" => {
            native::frame(data, &layout, frame)
        }
        _ if layout.values() > COMPRESSED_SAMPLES => return Err(too_large(COMPRESSED_SAMPLES as u64)),
        syntax => {
            let Some(decoder) = decoder(syntax) else {
                let place = format!("frame {frame}");
                let (expected, found) = ("a transfer syntax with a decoder", syntax.to_owned());
                return Err(Error::UnsupportedType { place, expected, found });
            };
            let decode = |bytes: bytes::Bytes| guarded(|| decoder(&bytes, &layout));
            fragments::frame(data, layout.frames, frame).and_then(decode)
        }
    };
    packed.and_then(|packed| packed.frame(&layout)).map_err(damaged)
}

/// Opens a source and decodes one frame; see [`frame`].
///
/// # Errors
/// As [`open`](super::open) and [`frame`].
pub fn pixels(source: &Source, number: u32) -> Result<Frame, Error> {
    frame(&super::open(source)?, number)
}

type Decoder = fn(&[u8], &Layout) -> Decoded<Packed>;

fn decoder(syntax: &str) -> Option<Decoder> {
    Some(match syntax.strip_prefix("1.2.840.10008.1.2.")? {
        "1.98" => native::encapsulated,
        "4.50" | "4.51" | "4.57" | "4.70" => jpeg::decode,
        "4.80" | "4.81" => jpegls::decode,
        "4.90" | "4.91" | "4.92" | "4.93" | "4.201" | "4.202" | "4.203" => jpeg2000::decode,
        "5" => rle::decode,
        "8.1" => native::deflated,
        _ => return None,
    })
}

/// Runs a decoder so that a panic inside it is an error.
///
/// The decoders of JPEG and JPEG 2000 are other people's and check their input as they go; a hole in
/// those checks must cost one frame, not the run.
fn guarded<T>(decode: impl FnOnce() -> Decoded<T>) -> Decoded<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("the decoder failed inside".to_owned()))
}

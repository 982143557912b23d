use super::directory::{Field, Tiff};
use super::pyramid::{Level, Rgb};
use crate::Error;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Bytes of one tile, packed or not, at most.
const MAX_TILE: u64 = 32 << 20;
/// Pixels of a tile in JPEG 2000, at most: its decoder needs many bytes for each.
const MAX_JPEG_2000: usize = 1 << 22;

/// How the pixels of an image are stored.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub tiled: bool,
    pub offsets: Field,
    pub counts: Field,
    pub tables: Option<Vec<u8>>,
    pub compression: u64,
    pub photometric: u64,
    pub samples: u64,
    pub bits: u64,
    pub planar: u64,
    pub predictor: u64,
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        (self.compression, self.photometric, self.samples)
            == (other.compression, other.photometric, other.samples)
    }
}

impl Layout {
    /// The packing's name.
    pub fn packing(&self) -> &'static str {
        match self.compression {
            1 => "none",
            5 => "LZW",
            7 => "JPEG",
            8 | 32946 => "deflate",
            32773 => "PackBits",
            33003 | 33005 => "JPEG 2000",
            _ => "other",
        }
    }
}

/// Whether tiles of that kind can be read.
pub(super) fn supported(layout: &Layout, origin: &str) -> Result<(), Error> {
    let refuse = |expected, found: u64| {
        Err(Error::UnsupportedType { place: origin.to_owned(), expected, found: found.to_string() })
    };
    let jpeg = matches!(layout.compression, 7 | 33003 | 33005);
    if layout.packing() == "other" {
        return refuse("packing 1, 5, 7, 8, 32773, 32946, 33003 or 33005", layout.compression);
    }
    if layout.bits != 8 {
        return refuse("8 bits a sample", layout.bits);
    }
    if !matches!(layout.samples, 1 | 3 | 4) {
        return refuse("1, 3 or 4 samples a pixel", layout.samples);
    }
    if layout.planar != 1 && layout.samples > 1 {
        return refuse("samples side by side (planar configuration 1)", layout.planar);
    }
    if !matches!(layout.predictor, 1 | 2) {
        return refuse("predictor 1 or 2", layout.predictor);
    }
    if !(matches!(layout.photometric, 0..=2) || (jpeg && layout.photometric == 6)) {
        return refuse("grey, RGB, or YCbCr in JPEG", layout.photometric);
    }
    Ok(())
}

/// An empty image, where it is not too large.
pub(super) fn blank(origin: &str, width: u32, height: u32) -> Result<Vec<u8>, Error> {
    let bytes = u64::from(width) * u64::from(height) * 3;
    if bytes > MAX_TILE {
        return Err(Error::TooLarge { place: origin.to_owned(), limit: MAX_TILE });
    }
    Ok(vec![0; bytes as usize])
}

/// The tile in column `x` and row `y`.
pub(super) fn read(tiff: &mut Tiff, level: &Level, x: u32, y: u32) -> Result<Rgb, Error> {
    let layout = &level.layout;
    supported(layout, &tiff.origin)?;
    let (left, top) = (x * level.tile_width, y * level.tile_height);
    let width = level.tile_width.min(level.width - left);
    let height = level.tile_height.min(level.height - top);
    // Tiles are whole, the last strip is as long as the image.
    let full_height = if layout.tiled { level.tile_height } else { height };
    blank(&tiff.origin, level.tile_width, full_height)?;
    let mut pixels = blank(&tiff.origin, width, height)?;
    let index = u64::from(y) * u64::from(level.columns()) + u64::from(x);
    let (at, count) = (tiff.value(layout.offsets, index)?, tiff.value(layout.counts, index)?);
    if count == 0 {
        // A tile that was never written; scanners leave those white.
        pixels.fill(255);
        return Ok(Rgb { width, height, pixels });
    }
    if count > MAX_TILE {
        return Err(Error::TooLarge { place: tiff.origin.clone(), limit: MAX_TILE });
    }
    let packed = tiff.read(at, count)?;
    let size = (level.tile_width as usize, full_height as usize);
    // Decoders trust altered streams in places and then panic; that too is a damaged tile.
    let unpacked = catch_unwind(AssertUnwindSafe(|| unpack(&packed, layout, size)))
        .unwrap_or_else(|_| Err("values that contradict each other".to_owned()))
        .map_err(|found| tiff.damaged("a tile that can be unpacked", found))?;
    let samples = unpacked.len() / (size.0 * size.1).max(1);
    for row in 0..height as usize {
        let from = &unpacked[row * size.0 * samples..][..width as usize * samples];
        let into = &mut pixels[row * width as usize * 3..][..width as usize * 3];
        for (pixel, values) in into.chunks_exact_mut(3).zip(from.chunks_exact(samples)) {
            match (samples, layout.photometric) {
                (1, 0) => pixel.fill(255 - values[0]),
                (1, _) => pixel.fill(values[0]),
                _ => pixel.copy_from_slice(&values[..3]),
            }
        }
    }
    Ok(Rgb { width, height, pixels })
}

/// Pixels of a whole tile with the samples of the file, one, three or four a pixel.
fn unpack(packed: &[u8], layout: &Layout, (width, height): (usize, usize)) -> Result<Vec<u8>, String> {
    let samples = layout.samples as usize;
    let length = width * height * samples;
    let mut out = match layout.compression {
        1 => packed.get(..length).ok_or("fewer bytes than pixels")?.to_vec(),
        5 => lzw(packed, length)?,
        7 => return jpeg(packed, layout, (width, height)),
        8 | 32946 => {
            let mut out = Vec::with_capacity(length);
            let read = flate2::read::ZlibDecoder::new(packed).take(length as u64).read_to_end(&mut out);
            read.map_err(|e| e.to_string())?;
            out
        }
        32773 => pack_bits(packed, length),
        _ => return jpeg_2000(packed, layout, (width, height)),
    };
    if out.len() < length {
        return Err("fewer bytes than pixels".to_owned());
    }
    out.truncate(length);
    if layout.predictor == 2 {
        for row in out.chunks_exact_mut(width * samples) {
            for i in samples..row.len() {
                row[i] = row[i].wrapping_add(row[i - samples]);
            }
        }
    }
    Ok(out)
}

fn lzw(packed: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let mut out = vec![0; length];
    let (mut read, mut written) = (0, 0);
    while written < length {
        let result = decoder.decode_bytes(&packed[read..], &mut out[written..]);
        read += result.consumed_in;
        written += result.consumed_out;
        match result.status {
            Ok(weezl::LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
            Ok(_) => break,
            Err(e) => return Err(e.to_string()),
        }
    }
    out.truncate(written);
    Ok(out)
}

fn pack_bits(packed: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length);
    let mut rest = packed;
    while let Some((&n, after)) = rest.split_first() {
        if out.len() >= length {
            break;
        }
        rest = match n.cast_signed() {
            n @ 0.. => {
                let (own, after) = after.split_at(after.len().min(n as usize + 1));
                out.extend_from_slice(own);
                after
            }
            -128 => after,
            n => {
                let Some((&value, after)) = after.split_first() else { break };
                out.resize(out.len() + 1 + usize::from(n.unsigned_abs()), value);
                after
            }
        };
    }
    out
}

/// A JPEG stream, its tables in the directory where it has none of its own.
fn jpeg(packed: &[u8], layout: &Layout, (width, height): (usize, usize)) -> Result<Vec<u8>, String> {
    let joined;
    let stream = match &layout.tables {
        Some(tables) if tables.len() > 4 && packed.len() > 2 => {
            // Both begin with SOI, and the tables end with EOI.
            joined = [&tables[..tables.len() - 2], &packed[2..]].concat();
            &joined[..]
        }
        _ => packed,
    };
    let options =
        DecoderOptions::new_safe().set_max_width(width).set_max_height(height).set_strict_mode(false);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(stream), options);
    decoder.decode_headers().map_err(|e| e.to_string())?;
    // The directory says what the components are: to keep RGB as it is, the decoder is asked for what the
    // stream says, whatever that may be.
    let own = decoder.input_colorspace().unwrap_or(ColorSpace::YCbCr);
    let space = match (layout.samples, layout.photometric) {
        (1, _) => ColorSpace::Luma,
        (_, 6) => ColorSpace::RGB,
        _ => own,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let info = decoder.info().ok_or("no JPEG header")?;
    if (usize::from(info.width), usize::from(info.height)) != (width, height) {
        return Err(format!("a JPEG of {} x {} pixels", info.width, info.height));
    }
    let out = decoder.decode().map_err(|e| e.to_string())?;
    let samples = if layout.samples == 1 { 1 } else { 3 };
    if out.len() == width * height * samples { Ok(out) } else { Err("a JPEG of other components".to_owned()) }
}

/// A JPEG 2000 codestream.
fn jpeg_2000(packed: &[u8], layout: &Layout, (width, height): (usize, usize)) -> Result<Vec<u8>, String> {
    // The image's size stands after SOC and SIZ; it is checked before a decoder believes it.
    let word =
        |at: usize| packed.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize);
    if packed.get(..4) != Some(&[0xff, 0x4f, 0xff, 0x51]) {
        return Err("no JPEG 2000 codestream".to_owned());
    }
    let size = word(8).zip(word(16)).zip(word(12).zip(word(20)));
    let size =
        size.map(|((right, left), (bottom, top))| (right.wrapping_sub(left), bottom.wrapping_sub(top)));
    if size != Some((width, height)) || width * height > MAX_JPEG_2000 {
        return Err("a JPEG 2000 image of another size, or of more than 4194304 pixels".to_owned());
    }
    let image = jpeg2k::Image::from_bytes(packed).map_err(|e| e.to_string())?;
    let parts = image.components();
    if parts.len() < 3 || parts.iter().any(|c| c.width() == 0 || c.height() == 0 || c.precision() != 8) {
        return Err("a JPEG 2000 image of other components".to_owned());
    }
    let mut out = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let value = |i: usize| {
                let (w, h) = (parts[i].width() as usize, parts[i].height() as usize);
                let at = (y * h / height) * w + x * w / width;
                parts[i].data().get(at).copied().unwrap_or(0)
            };
            let (a, b, c) = (value(0), value(1), value(2));
            out.extend(if layout.compression == 33003 { ycc(a, b, c) } else { [a, b, c].map(byte) });
        }
    }
    Ok(out)
}

fn byte(v: i32) -> u8 {
    v.clamp(0, 255) as u8
}

/// YCbCr of JFIF as RGB.
fn ycc(y: i32, cb: i32, cr: i32) -> [u8; 3] {
    let (y, cb, cr) = (f64::from(y), f64::from(cb) - 128.0, f64::from(cr) - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb].map(|v| byte(v.round() as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_bytes_come_out_as_they_went_in() {
        assert_eq!(pack_bits(&[2, 1, 2, 3, 0xfe, 9, 0x80, 0, 7], 99), [1, 2, 3, 9, 9, 9, 7]);
        assert_eq!(pack_bits(&[0x81, 5], 10).len(), 128);
        let text: Vec<u8> = (0..5000u32).map(|i| (i * i / 7) as u8).collect();
        let mut encoder = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
        let packed = encoder.encode(&text).unwrap();
        assert_eq!(lzw(&packed, 5000).unwrap(), text);
        assert!(lzw(&packed[..packed.len() / 2], 5000).unwrap().len() < 5000);
    }
}

use super::values::Packed;
use super::{Decoded, Layout, dct};
use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

/// JPEG with Huffman codes: baseline, extended of 8 or 12 bits, lossless.
///
/// Colours are left in the space that they are coded in. Lossless and progressive images go through
/// jpeg-decoder; it has no 12-bit samples, so sequential DCT is ours.
pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Decoded<Packed> {
    // Some writers put bytes before the image.
    let start = bytes.windows(3).position(|w| w == [0xff, 0xd8, 0xff]).ok_or("no start of a JPEG image")?;
    let bytes = &bytes[start..];
    if dct::sequential(bytes) {
        return dct::decode(bytes, layout);
    }
    let mut decoder = Decoder::new(bytes);
    decoder.set_color_transform(ColorTransform::None);
    decoder.set_max_decoding_buffer_size(256 << 20);
    decoder.read_info().map_err(|e| e.to_string())?;
    let info = decoder.info().ok_or("no header of an image")?;
    let samples = if info.pixel_format == PixelFormat::L16 { 1 } else { info.pixel_format.pixel_bytes() };
    let shape = (usize::from(info.height), usize::from(info.width), samples);
    if shape != (layout.rows, layout.columns, layout.samples) {
        return Err(format!("an image of {shape:?} rows, columns and samples"));
    }
    let decoded = decoder.decode().map_err(|e| e.to_string())?;
    if info.pixel_format == PixelFormat::L16 {
        // jpeg-decoder gives the machine's own order.
        let native = decoded.as_chunks::<2>().0.iter().map(|&c| u16::from_ne_bytes(c));
        let bytes = native.flat_map(u16::to_le_bytes).collect();
        return Ok(Packed { bytes, size: 16, precision: layout.stored, photometric: None });
    }
    let precision = layout.stored.min(8);
    if layout.allocated == 16 {
        let bytes = decoded.into_iter().flat_map(|b| [b, 0]).collect();
        return Ok(Packed { bytes, size: 16, precision: layout.stored, photometric: None });
    }
    Ok(Packed { bytes: decoded, size: 8, precision, photometric: None })
}

use super::values::Packed;
use super::{Decoded, Layout};

/// JPEG 2000 and HTJ2K, as codestream or as JP2 file, by openjp2.
pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Decoded<Packed> {
    // The header is checked first: the decoder would allocate whatever it claims.
    let size =
        bytes.windows(4).position(|w| w == [0xff, 0x4f, 0xff, 0x51]).ok_or("no JPEG 2000 codestream")?;
    let long = |at: usize| {
        let four = bytes.get(size + at..size + at + 4).and_then(|b| b.try_into().ok());
        four.map(u32::from_be_bytes).ok_or("a header that is cut off")
    };
    let (width, height) = (long(8)?.saturating_sub(long(16)?), long(12)?.saturating_sub(long(20)?));
    let samples = bytes.get(size + 40..size + 42).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
    let shape = (height as usize, width as usize, usize::from(samples));
    if shape != (layout.rows, layout.columns, layout.samples) {
        return Err(format!("an image of {shape:?} rows, columns and samples"));
    }
    let image = jpeg2k::Image::from_bytes(bytes).map_err(|e| e.to_string())?;
    let components = image.components();
    let first = components.first().ok_or("an image without components")?;
    let (precision, signed) = (first.precision(), first.is_signed());
    let pixels = layout.rows * layout.columns;
    let same = |c: &jpeg2k::ImageComponent| {
        c.data().len() == pixels && c.precision() == precision && c.is_signed() == signed
    };
    if components.len() != layout.samples || !components.iter().all(same) {
        return Err("components of several sizes".to_owned());
    }
    let (size, width) = match precision {
        1..=8 => (8, 1),
        9..=16 => (16, 2),
        17..=32 => (32, 4),
        other => return Err(format!("samples of {other} bits")),
    };
    let mut mixed = Vec::with_capacity(pixels * layout.samples * width);
    for pixel in 0..pixels {
        for component in components {
            mixed.extend_from_slice(&component.data()[pixel].to_le_bytes()[..width]);
        }
    }
    // The sign belongs to the header: where the two disagree, it is taken from the header's bits.
    let precision = if signed == layout.signed { size } else { precision };
    let photometric = matches!(layout.photometric.as_str(), "YBR_ICT" | "YBR_RCT").then(|| "RGB".to_owned());
    Ok(Packed { bytes: mixed, size, precision, photometric })
}

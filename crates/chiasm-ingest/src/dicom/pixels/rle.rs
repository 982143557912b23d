use super::values::Packed;
use super::{Decoded, Layout};

/// Run lengths of single bytes, each byte of each sample a segment of its own.
///
/// # Source
/// DICOM PS3.5 annex G.
pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Decoded<Packed> {
    let number = |i: usize| {
        let four = bytes.get(i * 4..i * 4 + 4).and_then(|b| b.try_into().ok());
        four.map(|b| u32::from_le_bytes(b) as usize).ok_or("a header that is cut off")
    };
    let width = (layout.allocated / 8).max(1) as usize;
    let segments = layout.samples * width;
    if number(0)? != segments {
        return Err(format!("{} segments instead of {segments}", number(0)?));
    }
    let pixels = layout.rows * layout.columns;
    let mut mixed = vec![0; pixels * segments];
    for segment in 0..segments {
        let start = number(segment + 1)?;
        let end = if segment + 1 < segments.min(15) { number(segment + 2)? } else { bytes.len() };
        let packed = bytes.get(start..end.min(bytes.len())).ok_or("a segment outside the frame")?;
        // Segments go from the highest byte of a sample to its lowest.
        let (sample, byte) = (segment / width, width - 1 - segment % width);
        let targets = mixed.iter_mut().skip(sample * width + byte).step_by(segments);
        if unpack(packed, targets) < pixels {
            return Err("a segment that ends before its frame".to_owned());
        }
    }
    let precision = if layout.allocated == 1 { 8 } else { layout.stored };
    Ok(Packed { bytes: mixed, size: width as u32 * 8, precision, photometric: None })
}

/// Unpacks into `targets` and says how many were filled.
fn unpack<'a>(packed: &[u8], mut targets: impl Iterator<Item = &'a mut u8>) -> usize {
    let (mut at, mut filled) = (0, 0);
    while let Some(&control) = packed.get(at) {
        at += 1;
        let (count, run) = match control {
            0..=127 => (usize::from(control) + 1, false),
            128 => continue,
            _ => (257 - usize::from(control), true),
        };
        for i in 0..count {
            let value = packed.get(if run { at } else { at + i });
            let (Some(value), Some(target)) = (value, targets.next()) else { return filled };
            *target = *value;
            filled += 1;
        }
        at += if run { 1 } else { count };
    }
    filled
}

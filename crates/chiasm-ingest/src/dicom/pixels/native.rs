use super::values::Packed;
use super::{Decoded, Layout};
use crate::dicom::DataSet;
use dicom_core::VR;
use dicom_dictionary_std::tags;
use std::io::Read;

/// A frame of pixel data that are not compressed.
pub(super) fn frame(data: &DataSet, layout: &Layout, frame: u32) -> Decoded<Packed> {
    let root = data.root();
    let all = [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA];
    let element = all.iter().find_map(|&tag| root.find(tag)).ok_or("no pixel data")?;
    let bits = layout.bits();
    let first = bits.checked_mul(u64::from(frame)).ok_or("more frames than a file can hold")?;
    let (start, end) = (first / 8, (first + bits).div_ceil(8));
    if end > u64::from(element.length) {
        return Err(format!("{} bytes of pixel data instead of {end}", element.length));
    }
    // Bytes of a big-endian file that are stored in words (OW) are swapped in pairs.
    let pairs = layout.allocated == 8 && !element.little && element.vr == VR::OW;
    let (from, to) = if pairs { (start & !1, (end + 1) & !1) } else { (start, end) };
    let mut bytes = data.input.bytes(element.offset + from, to - from).to_vec();
    if pairs {
        bytes.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        bytes = bytes.get((start - from) as usize..(end - from) as usize).unwrap_or_default().to_vec();
    }
    let size = layout.allocated as usize / 8;
    if !element.little && size > 1 {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    arrange(bytes, layout, (first % 8) as usize)
}

/// A frame that was put into fragments as it is.
pub(super) fn encapsulated(bytes: &[u8], layout: &Layout) -> Decoded<Packed> {
    let needed = layout.bits().div_ceil(8) as usize;
    let bytes = bytes.get(..needed).ok_or("a fragment is shorter than its frame")?;
    arrange(bytes.to_vec(), layout, 0)
}

/// A frame that was deflated by itself.
pub(super) fn deflated(bytes: &[u8], layout: &Layout) -> Decoded<Packed> {
    let needed = layout.bits().div_ceil(8);
    let mut unpacked = Vec::new();
    let decoder = flate2::read::DeflateDecoder::new(bytes);
    decoder.take(needed).read_to_end(&mut unpacked).map_err(|e| e.to_string())?;
    encapsulated(&unpacked, layout)
}

/// Puts samples side by side: bits apart, planes together, shared chrominance to both its pixels.
fn arrange(bytes: Vec<u8>, layout: &Layout, bit: usize) -> Decoded<Packed> {
    let values = layout.values();
    let (precision, photometric) = (layout.stored, None);
    if layout.allocated == 1 {
        let one = |i: usize| bytes.get(i / 8).map_or(0, |b| b >> (i % 8) & 1);
        let bytes = (bit..bit + values).map(one).collect();
        return Ok(Packed { bytes, size: 8, precision: 8, photometric });
    }
    let (size, width) = (layout.allocated, layout.allocated as usize / 8);
    if layout.halved() {
        let mut full = Vec::with_capacity(values * width);
        for four in bytes.chunks_exact(4 * width) {
            let (luminance, chrominance) = four.split_at(2 * width);
            for y in luminance.chunks_exact(width) {
                full.extend_from_slice(y);
                full.extend_from_slice(chrominance);
            }
        }
        return Ok(Packed { bytes: full, size, precision, photometric });
    }
    if layout.planar && layout.samples > 1 {
        let plane = values / layout.samples * width;
        let mut mixed = Vec::with_capacity(bytes.len());
        for pixel in (0..plane).step_by(width) {
            for sample in 0..layout.samples {
                let at = sample * plane + pixel;
                mixed.extend_from_slice(bytes.get(at..at + width).ok_or("a plane is cut off")?);
            }
        }
        return Ok(Packed { bytes: mixed, size, precision, photometric });
    }
    Ok(Packed { bytes, size, precision, photometric })
}

use super::{COMPRESSED, Decoded};
use crate::dicom::{DataSet, Element, ITEM};
use bytes::Bytes;
use dicom_dictionary_std::tags;

/// The most bytes of a table of offsets: more than a file can have fragments.
const OFFSETS: u64 = 16 << 20;

/// The compressed bytes of one frame out of the fragments of encapsulated pixel data.
///
/// # Source
/// DICOM PS3.5 section A.4.
pub(super) fn frame(data: &DataSet, frames: u32, frame: u32) -> Decoded<Bytes> {
    let element = data.root().find(tags::PIXEL_DATA).ok_or("no pixel data")?;
    let all: Vec<&Element> = data.children(element).elements().filter(|e| e.tag == ITEM).collect();
    let (table, fragments) = all.split_first().ok_or("pixel data without fragments")?;
    let frame = frame as usize;
    let chosen: &[&Element] = if frames == 1 {
        fragments
    } else if fragments.len() == frames as usize {
        fragments.get(frame..=frame).unwrap_or_default()
    } else {
        let offsets = offsets(data, table);
        let starts = if offsets.is_empty() { begins(data, fragments) } else { places(fragments, &offsets) };
        let start = *starts.get(frame).ok_or("a frame that no offset names")?;
        let end = starts.get(frame + 1).copied().unwrap_or(fragments.len());
        fragments.get(start..end).unwrap_or_default()
    };
    let length: u64 = chosen.iter().map(|f| u64::from(f.length)).sum();
    match chosen {
        [] => Err("a frame without fragments".to_owned()),
        _ if length > COMPRESSED => Err("a frame of more than 64 MiB compressed".to_owned()),
        [one] => Ok(data.bytes(one)),
        several => Ok(several.iter().flat_map(|f| data.bytes(f)).collect()),
    }
}

/// The offsets of frames from the first fragment on: the extended table, or the basic one.
fn offsets(data: &DataSet, basic: &Element) -> Vec<u64> {
    let extended = data.root().find(tags::EXTENDED_OFFSET_TABLE).filter(|e| e.length > 0);
    if let Some(extended) = extended {
        let bytes = data.input.bytes(extended.offset, u64::from(extended.length).min(OFFSETS));
        return bytes.chunks_exact(8).filter_map(|c| c.try_into().ok()).map(u64::from_le_bytes).collect();
    }
    let bytes = data.input.bytes(basic.offset, u64::from(basic.length).min(OFFSETS));
    bytes
        .chunks_exact(4)
        .filter_map(|c| c.try_into().ok())
        .map(|c| u64::from(u32::from_le_bytes(c)))
        .collect()
}

/// Which fragment begins at each offset; one that none begins at is left out.
fn places(fragments: &[&Element], offsets: &[u64]) -> Vec<usize> {
    let Some(base) = fragments.first().map(|f| f.offset) else { return Vec::new() };
    let place =
        |offset: &u64| fragments.binary_search_by_key(&(base.saturating_add(*offset)), |f| f.offset).ok();
    offsets.iter().filter_map(place).collect()
}

/// Which fragments begin an image, where no table says it: those that start as JPEG of any kind does.
fn begins(data: &DataSet, fragments: &[&Element]) -> Vec<usize> {
    let start = |f: &Element| {
        let mut head = [0; 12];
        let found = data.input.read(f.offset, &mut head);
        found == 12 && (matches!(head, [0xff, 0xd8 | 0x4f, 0xff, ..]) || head.starts_with(b"\0\0\0\x0cjP  "))
    };
    fragments.iter().enumerate().filter(|(_, f)| start(f)).map(|(i, _)| i).collect()
}

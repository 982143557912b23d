use crate::dicom::{DataSet, Level};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// The most entries of a palette: its descriptor has 16 bits, and 0 stands for one more.
const ENTRIES: usize = 1 << 16;

/// The most bytes of a table, segmented or not.
const TABLE: u64 = 1 << 20;

/// A palette: what the indices of a `PALETTE COLOR` image stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    /// The stored value of the first entry; values below take it, values beyond take the last.
    pub first: i32,
    /// Bits of an entry: 8 or 16.
    pub bits: u32,
    /// Red, green and blue, as long as each other.
    pub entries: Vec<[u16; 3]>,
}

impl Palette {
    /// The colour of a stored value; black where the palette is empty.
    pub fn color(&self, value: i64) -> [u16; 3] {
        let at =
            value.saturating_sub(i64::from(self.first)).clamp(0, self.entries.len().saturating_sub(1) as i64);
        self.entries.get(at as usize).copied().unwrap_or_default()
    }
}

/// The palette of an image, its segments expanded; `None` where it has none that can be used.
///
/// # Source
/// DICOM PS3.3 section C.7.6.3.1.5, C.7.9.2.
pub fn palette(data: &DataSet) -> Option<Palette> {
    let root = data.root();
    let descriptors = [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    ];
    let plain = [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ];
    let segmented = [
        tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ];
    let described = root.reals(descriptors[0]);
    let &[count, first, bits] = &described[..] else { return None };
    // The count is unsigned although its representation may be SS.
    let count = match count as i32 & 0xffff {
        0 => ENTRIES,
        n => n as usize,
    };
    let bits = if bits > 8.0 { 16 } else { 8 };
    let mut channels = Vec::new();
    for channel in 0..3 {
        let table = match words(root, plain[channel], Some(count), bits) {
            Some(table) => table,
            None => expand(&words(root, segmented[channel], None, bits)?, count, bits)?,
        };
        channels.push(table);
    }
    let entries = (0..count).map(|i| [channels[0][i], channels[1][i], channels[2][i]]).collect();
    Some(Palette { first: first as i32, bits, entries })
}

/// The entries of a table, or the words of its segments where no `count` is given; `None` where it is
/// absent or shorter than `count`.
fn words(root: Level<'_>, tag: Tag, count: Option<usize>, bits: u32) -> Option<Vec<u16>> {
    let element = root.find(tag)?;
    let bytes = root.data.input.bytes(element.offset, u64::from(element.length).min(TABLE));
    let word = |c: &[u8]| {
        let pair = [c[0], c[1]];
        if element.little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    };
    // Entries of 8 bits come packed two to a word, or one to a word; segments always packed.
    let packed = bits == 8 && count.is_none_or(|count| bytes.len() < count * 2);
    let table: Vec<u16> = match packed {
        true => bytes.iter().map(|&b| b.into()).collect(),
        false => bytes.chunks_exact(2).map(word).collect(),
    };
    count.is_none_or(|count| table.len() >= count).then_some(table)
}

/// Expands discrete, linear and indirect segments to `count` entries.
///
/// # Source
/// DICOM PS3.3 section C.7.9.2; rounding and offsets as pydicom has them.
fn expand(words: &[u16], count: usize, bits: u32) -> Option<Vec<u16>> {
    let mut table: Vec<u16> = Vec::with_capacity(count);
    let mut starts = Vec::new();
    let mut at = 0;
    while table.len() < count && at + 1 < words.len() {
        let (code, length) = (words[at], usize::from(words[at + 1]));
        if code == 2 {
            let parts = words.get(at + 2..at + 2 + 32 / bits as usize)?;
            let offset = parts.iter().rev().fold(0, |n, &part| n << bits | usize::from(part));
            // An indirect segment repeats earlier ones, never indirect ones, so this ends.
            let from = starts.iter().position(|&s| s == offset)?;
            for &start in starts.iter().skip(from).take(length) {
                segment(words, start, &mut table, count)?;
            }
            at += 2 + parts.len();
            continue;
        }
        starts.push(at);
        at = segment(words, at, &mut table, count)?;
    }
    (table.len() >= count).then_some(table)
}

/// Appends one discrete or linear segment; gives the place behind it.
fn segment(words: &[u16], at: usize, table: &mut Vec<u16>, count: usize) -> Option<usize> {
    let (code, length) = (*words.get(at)?, usize::from(*words.get(at + 1)?));
    match code {
        // A segment without entries would let a short table be read without end.
        _ if length == 0 => None,
        0 => {
            table.extend_from_slice(words.get(at + 2..at + 2 + length)?);
            table.truncate(count);
            Some(at + 2 + length)
        }
        1 => {
            let (from, to) = (f64::from(*table.last()?), f64::from(*words.get(at + 2)?));
            let step = (to - from) / length as f64;
            let steps = (1..=length).map(|i| (from + step * i as f64).round_ties_even() as u16);
            table.extend(steps.take(count - table.len().min(count)));
            Some(at + 3)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_expanded() {
        // Discrete 10, 20; linear to 60 in 4 steps; then the first segment again.
        let words = [0, 2, 10, 20, 1, 4, 60, 2, 1, 0, 0];
        assert_eq!(expand(&words, 8, 16), Some(vec![10, 20, 30, 40, 50, 60, 10, 20]));
        assert_eq!(expand(&words, 9, 16), None);
        // In bytes an offset has four parts.
        let bytes = [0, 2, 10, 20, 2, 1, 0, 0, 0, 0];
        assert_eq!(expand(&bytes, 4, 8), Some(vec![10, 20, 10, 20]));
        assert_eq!(expand(&[0, 1, 7, 1, 3, 9], 4, 16), Some(vec![7, 8, 8, 9]));
        for hostile in [&[1, 4, 60][..], &[2, 1, 0, 0], &[0, 0, 0, 0, 0, 0], &[0, 9], &[0, 1, 5, 2, 9, 9, 9]]
        {
            assert_eq!(expand(hostile, 4, 16), None, "{hostile:?}");
        }
    }
}

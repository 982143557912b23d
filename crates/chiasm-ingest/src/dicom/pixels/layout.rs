use super::Decoded;
use crate::dicom::Level;
use dicom_dictionary_std::tags;

/// How pixel data are laid out, as the header says.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Rows of a frame.
    pub rows: usize,
    /// Columns of a frame.
    pub columns: usize,
    /// Samples of a pixel: 1, or 3 for colours.
    pub samples: usize,
    /// Bits that a sample takes: 1, 8, 16, 32 or 64.
    pub allocated: u32,
    /// Bits of them that are the sample.
    pub stored: u32,
    /// Whether samples are in two's complement.
    pub signed: bool,
    /// Whether a frame has one colour behind the other.
    pub planar: bool,
    /// How many frames there are, at least 1.
    pub frames: u32,
    /// The photometric interpretation: `MONOCHROME2`, `RGB`, `PALETTE COLOR`.
    pub photometric: String,
    /// Whether samples are floating-point numbers.
    pub real: bool,
}

impl Layout {
    pub(in crate::dicom) fn of(root: Level<'_>) -> Decoded<Self> {
        let number = |tag| root.integer(tag).and_then(|n| usize::try_from(n).ok());
        let needed = |tag, name: &str| number(tag).ok_or(format!("no {name}"));
        let float = root.find(tags::FLOAT_PIXEL_DATA).is_some();
        let real = float || root.find(tags::DOUBLE_FLOAT_PIXEL_DATA).is_some();
        let allocated = match (float, real) {
            (true, _) => 32,
            (_, true) => 64,
            _ => needed(tags::BITS_ALLOCATED, "Bits Allocated")? as u32,
        };
        let layout = Self {
            rows: needed(tags::ROWS, "Rows")?,
            columns: needed(tags::COLUMNS, "Columns")?,
            samples: number(tags::SAMPLES_PER_PIXEL).unwrap_or(1),
            allocated,
            stored: number(tags::BITS_STORED).map_or(allocated, |n| n as u32),
            signed: number(tags::PIXEL_REPRESENTATION) == Some(1),
            planar: number(tags::PLANAR_CONFIGURATION) == Some(1),
            frames: number(tags::NUMBER_OF_FRAMES).map_or(1, |n| u32::try_from(n).unwrap_or(u32::MAX)).max(1),
            photometric: root.first(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default(),
            real,
        };
        if layout.rows == 0 || layout.columns == 0 || !matches!(layout.samples, 1..=4) {
            return Err("a frame without pixels, or pixels without samples".to_owned());
        }
        if !matches!(layout.allocated, 1 | 8 | 16 | 32 | 64)
            || !(1..=layout.allocated).contains(&layout.stored)
        {
            return Err(format!("{} bits stored in {} allocated", layout.stored, layout.allocated));
        }
        Ok(layout)
    }

    /// Values of one frame.
    pub fn values(&self) -> usize {
        self.rows.saturating_mul(self.columns).saturating_mul(self.samples)
    }

    /// Whether native data hold two pixels' luminance to one pair of chrominance.
    pub(super) fn halved(&self) -> bool {
        self.samples == 3 && matches!(self.photometric.as_str(), "YBR_FULL_422" | "YBR_PARTIAL_422")
    }

    /// Bits of one native frame.
    pub(in crate::dicom) fn bits(&self) -> u64 {
        let values = if self.halved() { self.values() / 3 * 2 } else { self.values() };
        (values as u64).saturating_mul(u64::from(self.allocated))
    }
}

use super::{Decoded, Layout};

/// The stored values of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Samples of a pixel.
    pub samples: usize,
    /// `rows * columns * samples` values.
    pub values: Values,
    /// What the samples mean: `MONOCHROME2`, `RGB`, `YBR_FULL`, `PALETTE COLOR`.
    pub photometric: String,
}

/// Values in the type that they are stored in.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Values {
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::I8(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::I16(v) => v.len(),
            Self::U32(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::U64(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them as numbers.
    pub fn reals(&self) -> Vec<f64> {
        match self {
            Self::U8(v) => v.iter().map(|&v| v.into()).collect(),
            Self::I8(v) => v.iter().map(|&v| v.into()).collect(),
            Self::U16(v) => v.iter().map(|&v| v.into()).collect(),
            Self::I16(v) => v.iter().map(|&v| v.into()).collect(),
            Self::U32(v) => v.iter().map(|&v| v.into()).collect(),
            Self::I32(v) => v.iter().map(|&v| v.into()).collect(),
            Self::U64(v) => v.iter().map(|&v| v as f64).collect(),
            Self::I64(v) => v.iter().map(|&v| v as f64).collect(),
            Self::F32(v) => v.iter().map(|&v| v.into()).collect(),
            Self::F64(v) => v.clone(),
        }
    }

    /// All of them as bytes, little endian: what a hash is taken of.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        match self {
            Self::U8(v) => v.clone(),
            Self::I8(v) => v.iter().map(|&v| v as u8).collect(),
            Self::U16(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::I16(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::U32(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::I32(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::U64(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::I64(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::F32(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::F64(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }
}

/// Stored values times slope plus intercept: Hounsfield units, counts, doses.
///
/// # Source
/// DICOM PS3.3 section C.11.1.1.2.
pub fn rescale(values: &[f64], slope: f64, intercept: f64) -> Vec<f64> {
    values.iter().map(|v| v * slope + intercept).collect()
}

/// Rescaled values as grey from 0 to 1 by a linear window; one of width 1 is a threshold.
///
/// # Source
/// DICOM PS3.3 section C.11.2.1.2.1.
pub fn window(values: &[f64], center: f64, width: f64) -> Vec<f64> {
    let half = (width.max(1.0) - 1.0) / 2.0;
    let grey = |v: &f64| {
        let offset = v - (center - 0.5);
        if offset <= -half {
            0.0
        } else if offset > half {
            1.0
        } else {
            offset / (2.0 * half) + 0.5
        }
    };
    values.iter().map(grey).collect()
}

/// Values as a decoder gives them: little endian, samples side by side, in `size` bits each.
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    /// 8, 16, 32 or 64.
    pub(super) size: u32,
    /// Bits that count; those above are filled with the sign, or cleared.
    pub(super) precision: u32,
    /// What the samples mean, where the decoder changed it.
    pub(super) photometric: Option<String>,
}

impl Packed {
    pub(super) fn frame(self, layout: &Layout) -> Decoded<Frame> {
        let expected = layout.values() * self.size as usize / 8;
        if self.bytes.len() != expected {
            return Err(format!("{} bytes of decoded values instead of {expected}", self.bytes.len()));
        }
        let shift = self.size.saturating_sub(self.precision);
        macro_rules! all {
            ($type:ty) => {
                self.bytes
                    .chunks_exact(size_of::<$type>())
                    .filter_map(|c| c.try_into().ok())
                    .map(|c| (<$type>::from_le_bytes(c) << shift) >> shift)
                    .collect()
            };
        }
        macro_rules! floats {
            ($type:ty) => {
                self.bytes
                    .chunks_exact(size_of::<$type>())
                    .filter_map(|c| c.try_into().ok())
                    .map(<$type>::from_le_bytes)
                    .collect()
            };
        }
        let values = match (self.size, layout.signed, layout.real) {
            (32, _, true) => Values::F32(floats!(f32)),
            (64, _, true) => Values::F64(floats!(f64)),
            (8, false, _) if shift == 0 => Values::U8(self.bytes),
            (8, false, _) => Values::U8(all!(u8)),
            (8, true, _) => Values::I8(all!(i8)),
            (16, false, _) => Values::U16(all!(u16)),
            (16, true, _) => Values::I16(all!(i16)),
            (32, false, _) => Values::U32(all!(u32)),
            (32, true, _) => Values::I32(all!(i32)),
            (64, false, _) => Values::U64(all!(u64)),
            (64, true, _) => Values::I64(all!(i64)),
            (size, ..) => return Err(format!("values of {size} bits")),
        };
        let photometric = self.photometric.unwrap_or_else(|| layout.photometric.clone());
        let Layout { rows, columns, samples, .. } = *layout;
        Ok(Frame { rows, columns, samples, values, photometric })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_standard() {
        // PS3.3 C.11.2.1.2.1: c 2048, w 4096 maps 0..4095 to the full range; w 1 is a threshold.
        let grey = window(&[-5.0, 0.0, 2047.5, 4095.0, 9999.0], 2048.0, 4096.0);
        assert_eq!((grey[0], grey[1], grey[2], grey[4]), (0.0, 0.0, 0.5, 1.0));
        assert!((grey[3] - 1.0).abs() < 1e-12);
        assert_eq!(window(&[99.0, 99.5, 100.0], 100.0, 1.0), [0.0, 0.0, 1.0]);
        assert_eq!(rescale(&[0.0, 24.0], 1.0, -1024.0), [-1024.0, -1000.0]);
    }

    #[test]
    fn unused_bits_never_count() {
        let layout = |signed| Layout {
            rows: 1,
            columns: 2,
            samples: 1,
            allocated: 16,
            stored: 12,
            signed,
            planar: false,
            frames: 1,
            photometric: "MONOCHROME2".into(),
            real: false,
        };
        let packed =
            || Packed { bytes: vec![0xff, 0xff, 0x01, 0xf0], size: 16, precision: 12, photometric: None };
        assert_eq!(packed().frame(&layout(true)).unwrap().values, Values::I16(vec![-1, 1]));
        assert_eq!(packed().frame(&layout(false)).unwrap().values, Values::U16(vec![4095, 1]));
    }
}

use crate::Error;

/// The type of a voxel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoxelType {
    /// 8 bits, unsigned.
    U8,
    /// 16 bits, signed.
    I16,
    /// 32 bits, signed.
    I32,
    /// 32 bits, floating.
    F32,
    /// 64 bits, floating.
    F64,
    /// 8 bits, signed.
    I8,
    /// 16 bits, unsigned.
    U16,
    /// 32 bits, unsigned.
    U32,
    /// 64 bits, signed.
    I64,
    /// 64 bits, unsigned.
    U64,
}

impl VoxelType {
    /// The type of that code; `None` for colours, complex and 128-bit numbers, which have no single value.
    pub fn of(code: i16) -> Option<Self> {
        Some(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            1024 => Self::I64,
            1280 => Self::U64,
            _ => return None,
        })
    }

    /// Bytes of a voxel.
    pub fn width(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::F32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// The value in so many bytes.
    pub(super) fn value(self, bytes: &[u8], big_endian: bool) -> f64 {
        let mut raw = [0; 8];
        for (i, slot) in raw.iter_mut().take(bytes.len()).enumerate() {
            *slot = if big_endian { bytes[bytes.len() - 1 - i] } else { bytes[i] };
        }
        let whole = u64::from_le_bytes(raw);
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => whole as f64,
            Self::I8 => f64::from(whole as u8 as i8),
            Self::I16 => f64::from(whole as u16 as i16),
            Self::I32 => f64::from(whole as u32 as i32),
            Self::I64 => whole as i64 as f64,
            Self::F32 => f64::from(f32::from_bits(whole as u32)),
            Self::F64 => f64::from_bits(whole),
        }
    }
}

/// What a NIfTI header says.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// 1 or 2.
    pub version: u8,
    /// Whether numbers have their high byte first.
    pub big_endian: bool,
    /// Whether voxels are in a file of their own.
    pub pair: bool,
    /// Voxels along each axis, one to seven.
    pub shape: Vec<u64>,
    /// The code of the voxels' type.
    pub code: i16,
    /// Bits of a voxel, as the header says.
    pub bits: i16,
    /// Size of a voxel along each axis, in `units`.
    pub spacing: Vec<f64>,
    /// Bytes before the voxels.
    pub offset: f64,
    /// Stored values times this...
    pub slope: f64,
    /// ...plus this are the values meant.
    pub intercept: f64,
    /// Code of space and time units.
    pub units: i32,
    /// Code of the orientation by quaternion, 0 for none.
    pub qform: i32,
    /// Code of the orientation by matrix, 0 for none.
    pub sform: i32,
    pub(super) quaternion: [f64; 6],
    /// `pixdim[0]`: -1 turns the third axis.
    pub(super) handedness: f64,
    pub(super) rows: [[f64; 4]; 3],
}

/// Version and whether the high byte is first; `None` where the first bytes are no header.
pub(super) fn version(head: &[u8]) -> Option<(u8, bool)> {
    let size: [u8; 4] = head.get(..4)?.try_into().ok()?;
    let big_endian = match (u32::from_le_bytes(size), u32::from_be_bytes(size)) {
        (348 | 540, _) => false,
        (_, 348 | 540) => true,
        _ => return None,
    };
    match (head.get(344..348), head.get(4..8)) {
        (Some(b"n+1\0" | b"ni1\0"), _) => Some((1, big_endian)),
        (_, Some(b"n+2\0" | b"ni2\0")) => Some((2, big_endian)),
        _ => None,
    }
}

/// Numbers at fixed places.
struct At<'a>(&'a [u8], bool);

impl At<'_> {
    fn raw<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut raw = [0; N];
        if let Some(bytes) = self.0.get(at..at + N) {
            raw.copy_from_slice(bytes);
        }
        if self.1 {
            raw.reverse();
        }
        raw
    }

    fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.raw(at))
    }

    fn i32(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.raw(at))
    }

    fn i64(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.raw(at))
    }

    fn f32(&self, at: usize) -> f64 {
        f64::from(f32::from_le_bytes(self.raw(at)))
    }

    fn f64(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.raw(at))
    }
}

impl Header {
    /// Reads a header's bytes (348 or 540); `origin` is what messages call it.
    ///
    /// # Errors
    /// [`Error::WrongFormat`] for what is no NIfTI header, [`Error::Damaged`] for dimensions that are none.
    pub fn parse(origin: &str, bytes: &[u8]) -> Result<Self, Error> {
        let Some((version, big_endian)) = version(bytes) else {
            return Err(Error::WrongFormat {
                place: origin.to_owned(),
                expected: "a NIfTI header (sizeof_hdr 348 or 540, and its magic word)",
                found: "other bytes",
            });
        };
        let damaged = |expected, found: String| Error::Damaged { place: origin.to_owned(), expected, found };
        let needed = if version == 1 { 348 } else { 540 };
        if bytes.len() < needed {
            return Err(damaged("a whole header", format!("{} bytes", bytes.len())));
        }
        let at = At(bytes, big_endian);
        let one = version == 1;
        let dim = |i: usize| if one { i64::from(at.i16(40 + 2 * i)) } else { at.i64(16 + 8 * i) };
        let pixdim = |i: usize| if one { at.f32(76 + 4 * i) } else { at.f64(104 + 8 * i) };
        let axes = dim(0);
        if !(1..=7).contains(&axes) {
            return Err(damaged("one to seven dimensions", axes.to_string()));
        }
        let mut shape = Vec::new();
        for i in 1..=axes as usize {
            let n = u64::try_from(dim(i)).ok().filter(|n| *n > 0);
            shape.push(n.ok_or_else(|| damaged("at least one voxel along each axis", "fewer".to_owned()))?);
        }
        let row = |i: usize| {
            std::array::from_fn(
                |j| if one { at.f32(280 + 16 * i + 4 * j) } else { at.f64(400 + 32 * i + 8 * j) },
            )
        };
        let quaternion = std::array::from_fn(|i| if one { at.f32(256 + 4 * i) } else { at.f64(352 + 8 * i) });
        Ok(Self {
            version,
            big_endian,
            pair: bytes[if one { 344..347 } else { 4..7 }][1] == b'i',
            spacing: (1..=shape.len()).map(pixdim).collect(),
            shape,
            code: at.i16(if one { 70 } else { 12 }),
            bits: at.i16(if one { 72 } else { 14 }),
            offset: if one { at.f32(108) } else { at.i64(168) as f64 },
            slope: if one { at.f32(112) } else { at.f64(176) },
            intercept: if one { at.f32(116) } else { at.f64(184) },
            units: if one { i32::from(bytes[123]) } else { at.i32(500) },
            qform: if one { i32::from(at.i16(252)) } else { at.i32(344) },
            sform: if one { i32::from(at.i16(254)) } else { at.i32(348) },
            quaternion,
            handedness: pixdim(0),
            rows: std::array::from_fn(row),
        })
    }

    /// Voxels in all; `None` where there are more than 2^64.
    pub fn voxels(&self) -> Option<u64> {
        self.shape.iter().try_fold(1u64, |n, d| n.checked_mul(*d))
    }

    /// The type of the voxels, where it has single values.
    pub fn voxel_type(&self) -> Option<VoxelType> {
        VoxelType::of(self.code)
    }

    /// The value of a stored one: scaled where the header says how.
    pub fn scaled(&self, stored: f64) -> f64 {
        let scaled = self.slope != 0.0 && self.slope.is_finite() && self.intercept.is_finite();
        if scaled { stored * self.slope + self.intercept } else { stored }
    }

    /// From the place of a voxel to millimetres right, in front and above: the matrix where there is one,
    /// the quaternion otherwise; `None` where there is neither.
    pub fn affine(&self) -> Option<[[f64; 4]; 3]> {
        if self.sform > 0 {
            return Some(self.rows);
        }
        (self.qform > 0).then(|| self.rotation())
    }

    fn rotation(&self) -> [[f64; 4]; 3] {
        let [b, c, d, x, y, z] = self.quaternion;
        let rest = 1.0 - (b * b + c * c + d * d);
        let (a, b, c, d) = if rest < 1e-7 {
            let length = (b * b + c * c + d * d).sqrt();
            (0.0, b / length, c / length, d / length)
        } else {
            (rest.sqrt(), b, c, d)
        };
        let turn = [
            [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
            [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
            [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ];
        let size = |i: usize| self.spacing.get(i).copied().unwrap_or(1.0);
        let third = if self.handedness < 0.0 { -size(2) } else { size(2) };
        let shift = [x, y, z];
        std::array::from_fn(|i| [turn[i][0] * size(0), turn[i][1] * size(1), turn[i][2] * third, shift[i]])
    }
}

use std::io::{self, Read};

/// How the samples of a signal are stored.
///
/// # Source
/// signal(5) of the WFDB Applications Guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleFormat {
    /// 0: nothing is stored.
    Null,
    /// 8: differences of 8 bits.
    F8,
    /// 16: two's complement, low byte first.
    F16,
    /// 24: two's complement, low byte first.
    F24,
    /// 32: two's complement, low byte first.
    F32,
    /// 61: 16 bits, high byte first.
    F61,
    /// 80: 8 bits, offset binary.
    F80,
    /// 160: 16 bits, offset binary, low byte first.
    F160,
    /// 212: two samples of 12 bits in three bytes.
    F212,
    /// 310: three samples of 10 bits in four bytes.
    F310,
    /// 311: three samples of 10 bits in four bytes, packed otherwise.
    F311,
    /// 508: FLAC of 8 bits.
    F508,
    /// 516: FLAC of 16 bits.
    F516,
    /// 524: FLAC of 24 bits.
    F524,
}

impl SampleFormat {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Null,
        Self::F8,
        Self::F16,
        Self::F24,
        Self::F32,
        Self::F61,
        Self::F80,
        Self::F160,
        Self::F212,
        Self::F310,
        Self::F311,
        Self::F508,
        Self::F516,
        Self::F524,
    ];

    /// The format of that number.
    pub fn of(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.code() == code)
    }

    /// Its number in headers.
    pub fn code(self) -> u16 {
        match self {
            Self::Null => 0,
            Self::F8 => 8,
            Self::F16 => 16,
            Self::F24 => 24,
            Self::F32 => 32,
            Self::F61 => 61,
            Self::F80 => 80,
            Self::F160 => 160,
            Self::F212 => 212,
            Self::F310 => 310,
            Self::F311 => 311,
            Self::F508 => 508,
            Self::F516 => 516,
            Self::F524 => 524,
        }
    }

    /// The bits of a FLAC stream, at most; `None` for what is not FLAC.
    pub fn flac_bits(self) -> Option<u32> {
        match self {
            Self::F508 => Some(8),
            Self::F516 => Some(16),
            Self::F524 => Some(24),
            _ => None,
        }
    }

    /// The value that stands for "no sample".
    pub fn invalid(self) -> Option<i32> {
        match self {
            Self::Null => Some(i32::MIN),
            Self::F8 => None,
            Self::F80 | Self::F508 => Some(-(1 << 7)),
            Self::F310 | Self::F311 => Some(-(1 << 9)),
            Self::F212 => Some(-(1 << 11)),
            Self::F16 | Self::F61 | Self::F160 | Self::F516 => Some(-(1 << 15)),
            Self::F24 | Self::F524 => Some(-(1 << 23)),
            Self::F32 => Some(i32::MIN),
        }
    }

    /// The bytes that `samples` take; `None` where that does not follow from their number.
    pub fn bytes(self, samples: u64) -> Option<u64> {
        match self {
            Self::Null => Some(0),
            Self::F8 | Self::F80 => Some(samples),
            Self::F16 | Self::F61 | Self::F160 => samples.checked_mul(2),
            Self::F24 => samples.checked_mul(3),
            Self::F32 => samples.checked_mul(4),
            Self::F212 => Some(samples.checked_mul(3)?.div_ceil(2)),
            // The first two of three samples take two bytes each of format 310, the third none of its own.
            Self::F310 => Some((samples / 3).checked_mul(4)?.checked_add([0, 2, 4][(samples % 3) as usize])?),
            Self::F311 => Some((samples / 3).checked_mul(4)?.checked_add([0, 2, 3][(samples % 3) as usize])?),
            Self::F508 | Self::F516 | Self::F524 => None,
        }
    }

    /// The samples that so many bytes hold; `None` as in [`SampleFormat::bytes`].
    pub fn samples(self, bytes: u64) -> Option<u64> {
        match self {
            Self::Null | Self::F508 | Self::F516 | Self::F524 => None,
            Self::F8 | Self::F80 => Some(bytes),
            Self::F16 | Self::F61 | Self::F160 => Some(bytes / 2),
            Self::F24 => Some(bytes / 3),
            Self::F32 => Some(bytes / 4),
            Self::F212 => Some((u128::from(bytes) * 2 / 3) as u64),
            Self::F310 => Some(bytes / 4 * 3 + u64::from(bytes % 4 >= 2)),
            Self::F311 => Some(bytes / 4 * 3 + [0, 0, 1, 2][(bytes % 4) as usize]),
        }
    }
}

/// The samples of one file, one after the other, as they are stored: format 8 gives differences.
pub(super) struct Samples<R> {
    bytes: R,
    format: SampleFormat,
    phase: u8,
    kept: [u8; 4],
}

impl<R: Read> Samples<R> {
    /// `bytes` should be buffered.
    pub fn new(bytes: R, format: SampleFormat) -> Self {
        Self { bytes, format, phase: 0, kept: [0; 4] }
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.bytes.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The next sample.
    ///
    /// # Errors
    /// The end of the file, or what reading it gives.
    pub fn next(&mut self) -> io::Result<i32> {
        Ok(match self.format {
            SampleFormat::Null => i32::MIN,
            SampleFormat::F8 => i32::from(i8::from_le_bytes(self.take()?)),
            SampleFormat::F16 => i32::from(i16::from_le_bytes(self.take()?)),
            SampleFormat::F61 => i32::from(i16::from_be_bytes(self.take()?)),
            SampleFormat::F24 => {
                let [a, b, c] = self.take()?;
                i32::from_le_bytes([0, a, b, c]) >> 8
            }
            SampleFormat::F32 => i32::from_le_bytes(self.take()?),
            SampleFormat::F80 => i32::from(self.take::<1>()?[0]) - 128,
            SampleFormat::F160 => i32::from(u16::from_le_bytes(self.take()?)) - 32_768,
            SampleFormat::F212 => self.next_212()?,
            SampleFormat::F310 => self.next_310()?,
            SampleFormat::F311 => self.next_311()?,
            SampleFormat::F508 | SampleFormat::F516 | SampleFormat::F524 => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "FLAC has its own decoder"));
            }
        })
    }

    fn next_212(&mut self) -> io::Result<i32> {
        if self.phase == 0 {
            let [a, b] = self.take()?;
            (self.phase, self.kept[1]) = (1, b);
            return Ok(signed(u32::from(a) | u32::from(b & 15) << 8, 12));
        }
        self.phase = 0;
        let [c] = self.take()?;
        Ok(signed(u32::from(c) | u32::from(self.kept[1] >> 4) << 8, 12))
    }

    fn next_310(&mut self) -> io::Result<i32> {
        let word = |a: u8, b: u8| u32::from(u16::from_le_bytes([a, b]));
        match self.phase {
            2 => {
                self.phase = 0;
                let [_, b, _, d] = self.kept;
                Ok(signed(u32::from(b >> 3) | u32::from(d >> 3) << 5, 10))
            }
            phase => {
                let [a, b] = self.take()?;
                let at = usize::from(phase) * 2;
                self.kept[at..at + 2].copy_from_slice(&[a, b]);
                self.phase += 1;
                Ok(signed(word(a, b) >> 1 & 0x3ff, 10))
            }
        }
    }

    fn next_311(&mut self) -> io::Result<i32> {
        match self.phase {
            0 => {
                let [a, b] = self.take()?;
                self.kept = [a, b, 0, 0];
            }
            phase => self.kept[usize::from(phase) + 1] = self.take::<1>()?[0],
        }
        let value = u32::from_le_bytes(self.kept) >> (10 * u32::from(self.phase)) & 0x3ff;
        self.phase = (self.phase + 1) % 3;
        Ok(signed(value, 10))
    }
}

/// The two's complement number in the low `bits` of `value`.
fn signed(value: u32, bits: u32) -> i32 {
    (value << (32 - bits)).cast_signed() >> (32 - bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(format: SampleFormat, bytes: &[u8]) -> Vec<i32> {
        let mut samples = Samples::new(bytes, format);
        std::iter::from_fn(|| samples.next().ok()).collect()
    }

    #[test]
    fn packed_formats_give_what_the_guide_says() {
        // 212: 0x8ab -> negative, 0x123; 310 and 311: bits as signal(5) draws them.
        assert_eq!(all(SampleFormat::F212, &[0xab, 0x18, 0x23, 0xff, 0x0f]), [0x8ab - 4096, 0x123, -1]);
        let (x, y, z) = (0x155u32, 0x2aau32, 0x3c3u32);
        let high = (x << 1 | (z & 31) << 11) as u16;
        let low = (y << 1 | (z >> 5) << 11) as u16;
        let bytes = [high.to_le_bytes(), low.to_le_bytes()].concat();
        assert_eq!(all(SampleFormat::F310, &bytes), [0x155, 0x2aa - 1024, 0x3c3 - 1024]);
        // The two bits that are left over must not matter.
        let bytes = (x | y << 10 | z << 20 | 3 << 30).to_le_bytes();
        assert_eq!(all(SampleFormat::F311, &bytes), [0x155, 0x2aa - 1024, 0x3c3 - 1024]);
    }

    #[test]
    fn sizes_and_samples_agree() {
        for format in SampleFormat::ALL {
            assert_eq!(SampleFormat::of(format.code()), Some(format));
            for n in 0..40u64 {
                let Some(bytes) = format.bytes(n).filter(|_| format != SampleFormat::Null) else { continue };
                let decoded = all(format, &vec![0; bytes as usize]).len() as u64;
                assert!(decoded >= n && decoded <= n + 1, "{format:?} {n} {decoded}");
                let stated = format.samples(bytes).unwrap();
                assert!(stated >= n && stated <= n + 1, "{format:?} {n} {stated}");
            }
            assert!(format.bytes(u64::MAX).is_none_or(|b| b == 0 || b == u64::MAX), "{format:?}");
        }
        assert_eq!(SampleFormat::of(9), None);
    }
}

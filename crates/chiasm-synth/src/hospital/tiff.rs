//! A tiled, pyramidal TIFF as slide scanners write it: one directory a level, tiles of deflated RGB.
//!
//! Written by hand because the `tiff` crate writes strips alone.
//!
//! # Source
//! TIFF 6.0, sections 2 and 15; compression 8 (Adobe Deflate) of TIFF Technical Note 3.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

/// Side of a tile in pixels.
pub(crate) const TILE: usize = 256;

/// One level: RGB, rows from the top. Shape: `[side * side * 3]`.
pub(crate) struct Level {
    pub(crate) side: usize,
    pub(crate) pixels: Vec<u8>,
}

impl Level {
    /// Half as large: each pixel the mean of four.
    pub(crate) fn halved(&self) -> Self {
        let side = self.side / 2;
        let mut pixels = Vec::with_capacity(side * side * 3);
        for row in 0..side {
            for column in 0..side {
                for colour in 0..3 {
                    let at = |r: usize, c: usize| {
                        u32::from(self.pixels[((2 * row + r) * self.side + 2 * column + c) * 3 + colour])
                    };
                    pixels.push(((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1) + 2) / 4) as u8);
                }
            }
        }
        Self { side, pixels }
    }

    /// The tile of a row and column of tiles, filled up with white.
    fn tile(&self, row: usize, column: usize) -> Vec<u8> {
        let mut tile = vec![255; TILE * TILE * 3];
        let width = TILE.min(self.side - column * TILE) * 3;
        for line in 0..TILE.min(self.side - row * TILE) {
            let from = ((row * TILE + line) * self.side + column * TILE) * 3;
            tile[line * TILE * 3..][..width].copy_from_slice(&self.pixels[from..][..width]);
        }
        tile
    }
}

/// The file: levels from the largest, each described by the same text.
///
/// # Errors
/// What the deflate encoder says.
pub(crate) fn encode(levels: &[Level], description: &str, pixel_um: f64) -> std::io::Result<Vec<u8>> {
    let mut out = b"II\x2a\0\0\0\0\0".to_vec();
    // Where the offset of the next directory goes.
    let mut link = 4;
    for (n, level) in levels.iter().enumerate() {
        let across = level.side.div_ceil(TILE);
        let (mut offsets, mut sizes) = (Vec::new(), Vec::new());
        for at in 0..across * across {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&level.tile(at / across, at % across))?;
            let tile = encoder.finish()?;
            offsets.push(out.len() as u32);
            sizes.push(tile.len() as u32);
            out.extend(tile);
            out.resize(out.len().next_multiple_of(2), 0);
        }
        let mut text = description.as_bytes().to_vec();
        text.push(0);
        let side = level.side as u32;
        // Pixels per centimetre of this level.
        let resolution = [(1e7 / (pixel_um * f64::from(1 << n))) as u32, 1_000];
        let entries: Vec<(u16, Field)> = vec![
            (254, Field::Long(vec![u32::from(n > 0)])),
            (256, Field::Long(vec![side])),
            (257, Field::Long(vec![side])),
            (258, Field::Short(vec![8, 8, 8])),
            (259, Field::Short(vec![8])),
            (262, Field::Short(vec![2])),
            (270, Field::Ascii(text)),
            (277, Field::Short(vec![3])),
            (282, Field::Rational(resolution)),
            (283, Field::Rational(resolution)),
            (284, Field::Short(vec![1])),
            (296, Field::Short(vec![3])),
            (322, Field::Long(vec![TILE as u32])),
            (323, Field::Long(vec![TILE as u32])),
            (324, Field::Long(offsets)),
            (325, Field::Long(sizes)),
        ];
        let mut directory = (entries.len() as u16).to_le_bytes().to_vec();
        for (tag, field) in entries {
            let (kind, count, mut value) = field.bytes();
            if value.len() > 4 {
                let at = out.len() as u32;
                out.append(&mut value);
                out.resize(out.len().next_multiple_of(2), 0);
                value = at.to_le_bytes().to_vec();
            }
            value.resize(4, 0);
            directory.extend(tag.to_le_bytes());
            directory.extend(kind.to_le_bytes());
            directory.extend(count.to_le_bytes());
            directory.extend(value);
        }
        let at = out.len() as u32;
        out[link..link + 4].copy_from_slice(&at.to_le_bytes());
        out.extend(directory);
        link = out.len();
        out.extend([0; 4]);
    }
    Ok(out)
}

enum Field {
    Ascii(Vec<u8>),
    Short(Vec<u16>),
    Long(Vec<u32>),
    Rational([u32; 2]),
}

impl Field {
    /// Type, count and bytes.
    fn bytes(self) -> (u16, u32, Vec<u8>) {
        match self {
            Self::Ascii(text) => (2, text.len() as u32, text),
            Self::Short(v) => (3, v.len() as u32, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Self::Long(v) => (4, v.len() as u32, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Self::Rational(v) => (5, 1, v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        }
    }
}

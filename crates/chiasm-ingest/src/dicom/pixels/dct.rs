use super::upsample::Plane;
use super::values::Packed;
use super::{Decoded, Layout};

/// Zigzag order (ITU-T T.81 figure A.6).
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Whether the image is coded by sequential DCT with Huffman codes (SOF0 or SOF1).
pub(super) fn sequential(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4).and_then(|b| b.first_chunk()) {
        match marker {
            0xff => at += 1,
            0xc0 | 0xc1 => return true,
            0xc2..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => return false,
            0xd8 | 0x01 => at += 2,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    false
}

/// Sequential DCT of 8 or 12 bits: JPEG's baseline and extended processes 1, 2 and 4.
///
/// The inverse transform is computed in floating point, so values are within one of any decoder that
/// keeps ISO/IEC 10918-2's tolerance.
///
/// # Source
/// ITU-T T.81 annexes A, B and F.
pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Decoded<Packed> {
    let mut image = Image::default();
    let mut at = 2;
    loop {
        let Some(&[0xff, marker]) = bytes.get(at..at + 2).and_then(|b| b.first_chunk()) else {
            return Err("no marker where one belongs".to_owned());
        };
        if marker == 0xff || marker == 0xd8 || marker == 0x01 {
            at += if marker == 0xff { 1 } else { 2 };
            continue;
        }
        if marker == 0xd9 {
            return image.finish(layout);
        }
        let length = bytes.get(at + 2..at + 4).map_or(0, |b| usize::from(u16::from_be_bytes([b[0], b[1]])));
        let body = bytes.get(at + 4..at + 2 + length).ok_or("a marker that is cut off")?;
        at += 2 + length;
        match marker {
            0xc0 | 0xc1 => image.frame(body, layout)?,
            0xc4 => image.codes(body)?,
            0xdb => image.quantisers(body)?,
            0xdd => {
                image.interval = body.get(..2).map_or(0, |b| usize::from(u16::from_be_bytes([b[0], b[1]])))
            }
            0xda => {
                at += image.scan(body, &bytes[at..])?;
                // An image without its end, as some write them, is whole once every component was read.
                if image.complete() && at + 2 > bytes.len() {
                    return image.finish(layout);
                }
            }
            0xe0..=0xef | 0xfe => {}
            0xdc => return Err("a number of lines behind the frame".to_owned()),
            _ => return Err("another process than sequential DCT".to_owned()),
        }
    }
}

#[derive(Default)]
struct Image {
    precision: u32,
    components: Vec<Component>,
    quantisers: [Option<[f32; 64]>; 4],
    codes: [[Option<Box<Codes>>; 4]; 2],
    interval: usize,
    /// Largest sampling factors, across and down.
    most: (usize, usize),
    /// Minimum coded units, across and down.
    units: (usize, usize),
}

struct Component {
    id: u8,
    across: usize,
    down: usize,
    quantiser: usize,
    /// Samples of whole blocks, `stride` to a row.
    samples: Vec<u16>,
    stride: usize,
    /// Samples across and down that belong to pixels.
    size: (usize, usize),
    done: bool,
}

impl Image {
    fn frame(&mut self, body: &[u8], layout: &Layout) -> Decoded<()> {
        let &[precision, h1, h0, w1, w0, count, ref rest @ ..] = body else {
            return Err("a frame header that is cut off".to_owned());
        };
        let pair = |high, low| usize::from(u16::from_be_bytes([high, low]));
        let shape = (pair(h1, h0), pair(w1, w0), usize::from(count));
        if shape != (layout.rows, layout.columns, layout.samples) || !self.components.is_empty() {
            return Err(format!("an image of {shape:?} rows, columns and samples"));
        }
        if !matches!(precision, 8 | 12) || rest.len() < 3 * usize::from(count) {
            return Err(format!("samples of {precision} bits"));
        }
        self.precision = u32::from(precision);
        let factors = |c: &[u8]| (usize::from(c[1] >> 4), usize::from(c[1] & 15));
        let all: Vec<_> = rest.chunks_exact(3).take(usize::from(count)).collect();
        if all.iter().any(|c| !(1..=4).contains(&factors(c).0) || !(1..=4).contains(&factors(c).1)) {
            return Err("sampling factors that JPEG does not know".to_owned());
        }
        let most = |f: fn((usize, usize)) -> usize| all.iter().map(|c| f(factors(c))).max().unwrap_or(1);
        self.most = (most(|f| f.0), most(|f| f.1));
        self.units = (shape.1.div_ceil(8 * self.most.0), shape.0.div_ceil(8 * self.most.1));
        for c in all {
            let (across, down) = factors(c);
            let stride = self.units.0 * across * 8;
            let size = ((shape.1 * across).div_ceil(self.most.0), (shape.0 * down).div_ceil(self.most.1));
            let samples = vec![0; stride * self.units.1 * down * 8];
            let (id, quantiser) = (c[0], usize::from(c[2] & 3));
            self.components.push(Component {
                id,
                across,
                down,
                quantiser,
                samples,
                stride,
                size,
                done: false,
            });
        }
        Ok(())
    }

    fn quantisers(&mut self, mut body: &[u8]) -> Decoded<()> {
        while let Some((&head, rest)) = body.split_first() {
            let width = if head >> 4 == 0 { 1 } else { 2 };
            let values = rest.get(..64 * width).ok_or("a quantisation table that is cut off")?;
            let mut table = [0.0; 64];
            for (i, value) in values.chunks_exact(width).enumerate() {
                let value = value.iter().fold(0u32, |n, &b| n << 8 | u32::from(b));
                table[ZIGZAG[i]] = value as f32;
            }
            self.quantisers[usize::from(head & 3)] = Some(table);
            body = &rest[64 * width..];
        }
        Ok(())
    }

    fn codes(&mut self, mut body: &[u8]) -> Decoded<()> {
        while let Some((&head, rest)) = body.split_first() {
            let counts = rest.get(..16).ok_or("a code table that is cut off")?;
            let total: usize = counts.iter().map(|&c| usize::from(c)).sum();
            let values = rest.get(16..16 + total).ok_or("a code table that is cut off")?;
            let codes = Codes::new(counts, values)?;
            self.codes[usize::from(head >> 4 & 1)][usize::from(head & 3)] = Some(Box::new(codes));
            body = &rest[16 + total..];
        }
        Ok(())
    }

    fn complete(&self) -> bool {
        !self.components.is_empty() && self.components.iter().all(|c| c.done)
    }

    /// Decodes one scan; gives the bytes that it took.
    fn scan(&mut self, body: &[u8], bytes: &[u8]) -> Decoded<usize> {
        let count = usize::from(*body.first().ok_or("a scan header that is cut off")?);
        let chosen = body.get(1..1 + 2 * count).ok_or("a scan header that is cut off")?;
        let mut parts = Vec::new();
        for pair in chosen.chunks_exact(2) {
            let place = self.components.iter().position(|c| c.id == pair[0] && !c.done);
            let place = place.ok_or("a scan of a component that the frame has not")?;
            parts.push((place, usize::from(pair[1] >> 4 & 3), usize::from(pair[1] & 3)));
        }
        let alone = parts.len() == 1;
        let units = match parts[..] {
            [] => return Err("a scan without components".to_owned()),
            [(place, ..)] => {
                (self.components[place].size.0.div_ceil(8), self.components[place].size.1.div_ceil(8))
            }
            _ => self.units,
        };
        let mut bits = Bits { bytes, at: 0, held: 0, count: 0 };
        let mut last = vec![0; self.components.len()];
        for unit in 0..units.0 * units.1 {
            if self.interval > 0 && unit > 0 && unit % self.interval == 0 {
                bits.restart()?;
                last.fill(0);
            }
            let (x, y) = (unit % units.0, unit / units.0);
            for &(place, dc, ac) in &parts {
                let component = &mut self.components[place];
                let table = self.quantisers[component.quantiser].as_ref().ok_or("no quantisation table")?;
                let dc = self.codes[0][dc].as_deref().ok_or("no code table")?;
                let ac = self.codes[1][ac].as_deref().ok_or("no code table")?;
                let (across, down) = if alone { (1, 1) } else { (component.across, component.down) };
                for block in 0..across * down {
                    let (bx, by) = (x * across + block % across, y * down + block / across);
                    let mut values = bits.block(dc, ac, &mut last[place])?;
                    values.iter_mut().zip(table).for_each(|(v, q)| *v *= q);
                    inverse(&mut values);
                    component.put(bx, by, &values, self.precision);
                }
            }
        }
        parts.iter().for_each(|p| self.components[p.0].done = true);
        Ok(bits.end())
    }

    /// The samples side by side, sub-sampled components brought to full size.
    fn finish(self, layout: &Layout) -> Decoded<Packed> {
        if !self.complete() {
            return Err("the image ends before its last component".to_owned());
        }
        let wide = layout.allocated == 16 || self.precision > 8;
        let mut mixed = Vec::with_capacity(layout.values() * if wide { 2 } else { 1 });
        for y in 0..layout.rows {
            let row = |c: &Component| c.row(y, layout.columns, self.most);
            let rows: Vec<Vec<u16>> = self.components.iter().map(row).collect();
            for x in 0..layout.columns {
                for row in &rows {
                    mixed.extend_from_slice(&row[x].to_le_bytes()[..if wide { 2 } else { 1 }]);
                }
            }
        }
        let size = if wide { 16 } else { 8 };
        Ok(Packed { bytes: mixed, size, precision: layout.stored.min(size), photometric: None })
    }
}

impl Component {
    fn put(&mut self, bx: usize, by: usize, values: &[f32; 64], precision: u32) {
        let (middle, most) = ((1 << (precision - 1)) as f32, ((1 << precision) - 1) as f32);
        for (y, row) in values.chunks_exact(8).enumerate() {
            let start = (by * 8 + y) * self.stride + bx * 8;
            let Some(target) = self.samples.get_mut(start..start + 8) else { continue };
            for (target, value) in target.iter_mut().zip(row) {
                *target = (value + middle).round_ties_even().clamp(0.0, most) as u16;
            }
        }
    }

    fn row(&self, y: usize, columns: usize, most: (usize, usize)) -> Vec<u16> {
        let plane = Plane { samples: &self.samples, stride: self.stride, size: self.size };
        plane.row(y, columns, (self.across, most.0), (self.down, most.1))
    }
}

/// A Huffman code by its lengths (annex C and F.2.2.3).
struct Codes {
    /// By length: the least code that is longer, and what to add to a code to find its value.
    limits: [i32; 17],
    shifts: [i32; 17],
    values: Vec<u8>,
}

impl Codes {
    fn new(counts: &[u8], values: &[u8]) -> Decoded<Self> {
        let (mut limits, mut shifts) = ([0; 17], [0; 17]);
        let (mut code, mut place) = (0i32, 0i32);
        for (i, &count) in counts.iter().enumerate() {
            let count = i32::from(count);
            shifts[i + 1] = place - code;
            code += count;
            place += count;
            if code > 1 << (i + 1) {
                return Err("a code table with more codes than there are".to_owned());
            }
            limits[i + 1] = code;
            code <<= 1;
        }
        Ok(Self { limits, shifts, values: values.to_vec() })
    }
}

/// Bits from the highest on; behind a byte 0xff a byte 0 is stuffed.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn bit(&mut self) -> Decoded<i32> {
        if self.count == 0 {
            let byte = *self.bytes.get(self.at).ok_or("the image is cut off")?;
            self.at += 1;
            if byte == 0xff {
                match self.bytes.get(self.at) {
                    Some(0) => self.at += 1,
                    _ => return Err("the image is cut off by a marker".to_owned()),
                }
            }
            (self.held, self.count) = (u32::from(byte), 8);
        }
        self.count -= 1;
        Ok((self.held >> self.count & 1) as i32)
    }

    fn value(&mut self, codes: &Codes) -> Decoded<u8> {
        let mut code = 0;
        for length in 1..=16 {
            code = code << 1 | self.bit()?;
            if code < codes.limits[length] {
                let place = usize::try_from(code + codes.shifts[length]).unwrap_or(usize::MAX);
                return codes.values.get(place).copied().ok_or_else(|| "a code without value".to_owned());
            }
        }
        Err("a code that is in no table".to_owned())
    }

    /// A signed number of `size` bits (F.2.2.1).
    fn number(&mut self, size: u8) -> Decoded<i32> {
        let mut value = 0;
        for _ in 0..size {
            value = value << 1 | self.bit()?;
        }
        let negative = size > 0 && value < 1 << (size - 1);
        Ok(if negative { value - (1 << size) + 1 } else { value })
    }

    fn block(&mut self, dc: &Codes, ac: &Codes, last: &mut i32) -> Decoded<[f32; 64]> {
        let mut values = [0.0; 64];
        let size = self.value(dc)?.min(16);
        *last = last.wrapping_add(self.number(size)?);
        values[0] = *last as f32;
        let mut place = 1;
        while place < 64 {
            let (zeros, size) = match self.value(ac)? {
                0 => break,
                code => (usize::from(code >> 4), code & 15),
            };
            place += zeros;
            if size > 0 {
                let value = self.number(size)?;
                let at = ZIGZAG.get(place).ok_or("a block of more than 64 values")?;
                values[*at] = value as f32;
            }
            place += 1;
        }
        Ok(values)
    }

    /// Goes behind the next restart marker.
    fn restart(&mut self) -> Decoded<()> {
        self.count = 0;
        match self.bytes.get(self.at..self.at + 2) {
            Some(&[0xff, 0xd0..=0xd7]) => {
                self.at += 2;
                Ok(())
            }
            _ => Err("no restart marker where one belongs".to_owned()),
        }
    }

    /// Where the next marker is.
    fn end(&self) -> usize {
        let rest = &self.bytes[self.at..];
        let marker = rest.windows(2).position(|w| w[0] == 0xff && w[1] >= 0xc0);
        self.at + marker.unwrap_or(rest.len())
    }
}

/// The inverse DCT of a block, rows and then columns (A.3.3).
fn inverse(values: &mut [f32; 64]) {
    for row in values.chunks_exact_mut(8) {
        if let Some(row) = row.first_chunk_mut::<8>() {
            *row = line(*row);
        }
    }
    for x in 0..8 {
        let column = line(std::array::from_fn(|y| values[y * 8 + x]));
        column.iter().enumerate().for_each(|(y, v)| values[y * 8 + x] = *v);
    }
}

/// Eight values from eight frequencies.
fn line(f: [f32; 8]) -> [f32; 8] {
    /// `cos(k pi / 16) / 2`, k from 0 to 7.
    const C: [f32; 8] =
        [0.5, 0.490_392_64, 0.461_939_77, 0.415_734_8, 0.353_553_4, 0.277_785_12, 0.191_341_72, 0.097_545_16];
    let (a, b) = (C[4] * (f[0] + f[4]), C[4] * (f[0] - f[4]));
    let (c, d) = (C[2] * f[2] + C[6] * f[6], C[6] * f[2] - C[2] * f[6]);
    let even = [a + c, b + d, b - d, a - c];
    let odd = [
        C[1] * f[1] + C[3] * f[3] + C[5] * f[5] + C[7] * f[7],
        C[3] * f[1] - C[7] * f[3] - C[1] * f[5] - C[5] * f[7],
        C[5] * f[1] - C[1] * f[3] + C[7] * f[5] + C[3] * f[7],
        C[7] * f[1] - C[5] * f[3] + C[3] * f[5] - C[1] * f[7],
    ];
    std::array::from_fn(|i| if i < 4 { even[i] + odd[i] } else { even[7 - i] - odd[7 - i] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_transform_is_its_definition() {
        let mut values: [f32; 64] = std::array::from_fn(|i| ((i * 37 + 11) % 101) as f32 - 50.0);
        let given = values;
        inverse(&mut values);
        let cosine = |a: usize, b: usize| ((2 * a + 1) as f64 * b as f64 * std::f64::consts::PI / 16.0).cos();
        let scale = |u: usize| if u == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
        for (place, value) in values.into_iter().enumerate() {
            let (y, x) = (place / 8, place % 8);
            let sum: f64 = (0..64)
                .map(|i| (i / 8, i % 8, f64::from(given[i])))
                .map(|(v, u, f)| scale(u) * scale(v) * f * cosine(x, u) * cosine(y, v) / 4.0)
                .sum();
            assert!((sum - f64::from(value)).abs() < 1e-3, "{place}");
        }
    }
}

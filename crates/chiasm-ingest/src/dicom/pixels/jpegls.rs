use super::values::Packed;
use super::{Decoded, Layout};

/// JPEG-LS, lossless and near-lossless, components apart, by line or by sample.
///
/// No crate in Rust alone decodes colours; this one does what DICOM allows: no mapping tables, no
/// restart intervals, no sub-sampling.
///
/// # Source
/// ITU-T T.87 (06/98), annexes A to C; figures and codes are quoted at their functions.
pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Decoded<Packed> {
    let mut at = 2;
    let mut frame = None;
    let mut preset = Preset::default();
    let mut image: Vec<Vec<u16>> = Vec::new();
    if bytes.get(..2) != Some(&[0xff, 0xd8]) {
        return Err("no start of a JPEG-LS image".to_owned());
    }
    while image.len() < layout.samples {
        while bytes.get(at) != Some(&0xff) || bytes.get(at + 1).is_none_or(|&b| b < 0x80 || b == 0xff) {
            at += 1;
            if at + 1 >= bytes.len() {
                return Err("the image ends before its last component".to_owned());
            }
        }
        let marker = bytes[at + 1];
        let short = |i: usize| bytes.get(i..i + 2).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]])));
        let length = short(at + 2).filter(|l| *l >= 2).ok_or("a marker that is cut off")?;
        let body = bytes.get(at + 4..at + 2 + length).ok_or("a marker that is cut off")?;
        at += 2 + length;
        match (marker, body) {
            (0xf7, &[ref bits, y1, y0, x1, x0, count, ..]) => {
                let pair = |high, low| usize::from(u16::from_be_bytes([high, low]));
                let shape = (pair(y1, y0), pair(x1, x0), usize::from(count));
                if shape != (layout.rows, layout.columns, layout.samples) {
                    return Err(format!("an image of {shape:?} rows, columns and samples"));
                }
                if !(2..=16).contains(bits) {
                    return Err(format!("samples of {bits} bits"));
                }
                frame = Some(u32::from(*bits));
            }
            (0xf8, [1, values @ ..]) if values.len() >= 10 => {
                let pair = |i: usize| i32::from(u16::from_be_bytes([values[i], values[i + 1]]));
                preset = Preset { maximum: pair(0), t1: pair(2), t2: pair(4), t3: pair(6), reset: pair(8) };
            }
            (0xf8, _) => return Err("mapping tables or large sizes".to_owned()),
            (0xdd, interval) if interval.iter().any(|&b| b != 0) => {
                return Err("restart intervals".to_owned());
            }
            (0xda, [count, rest @ ..]) if rest.len() == usize::from(*count) * 2 + 3 => {
                let bits = frame.ok_or("a scan before its frame")?;
                let (near, mode) = (rest[rest.len() - 3], rest[rest.len() - 2]);
                let coder = Coder::new(&bytes[at..], bits, i32::from(near), preset)?;
                let count = usize::from(*count);
                if count == 0 || image.len() + count > layout.samples || (count > 1) != (mode > 0) || mode > 2
                {
                    return Err("a scan whose components do not fit".to_owned());
                }
                image.extend(coder.scan(layout.rows, layout.columns, count, mode == 2)?);
            }
            (0xd9, _) => return Err("the image ends before its last component".to_owned()),
            _ => {}
        }
    }
    let precision = frame.unwrap_or(16);
    let size = if precision <= 8 { 8 } else { 16 };
    let mut mixed = Vec::with_capacity(layout.values() * size / 8);
    for pixel in 0..layout.rows * layout.columns {
        for plane in &image {
            mixed.extend_from_slice(&plane[pixel].to_le_bytes()[..size / 8]);
        }
    }
    Ok(Packed { bytes: mixed, size: size as u32, precision, photometric: None })
}

/// Coding parameters that the image may set; 0 is the default.
#[derive(Clone, Copy, Default)]
struct Preset {
    maximum: i32,
    t1: i32,
    t2: i32,
    t3: i32,
    reset: i32,
}

/// Lengths of runs by their index, as powers of two (code segment A.12).
const RUNS: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// What was learnt of one context (code segment A.2).
#[derive(Clone, Copy)]
struct Context {
    a: i32,
    b: i32,
    c: i32,
    n: i32,
}

struct Coder<'a> {
    bits: Bits<'a>,
    near: i32,
    maximum: i32,
    range: i32,
    wide: u32,
    limit: u32,
    thresholds: [i32; 3],
    reset: i32,
    /// 365 for regular samples, two for the ends of runs.
    contexts: Vec<Context>,
    /// Negative errors at the ends of runs.
    negative: [i32; 2],
}

/// What a sample is told from: left, above, above left, above right (figure A.1).
#[derive(Clone, Copy)]
struct Around {
    a: i32,
    b: i32,
    c: i32,
    d: i32,
}

impl<'a> Coder<'a> {
    fn new(bytes: &'a [u8], bits: u32, near: i32, preset: Preset) -> Decoded<Self> {
        let maximum = if preset.maximum > 0 { preset.maximum } else { (1 << bits) - 1 };
        if maximum >= 1 << bits || near > maximum / 2 {
            return Err("coding parameters beyond the samples".to_owned());
        }
        let thresholds = thresholds(maximum, near, preset);
        let range = (maximum + 2 * near) / (2 * near + 1) + 1;
        let logarithm = |n: i32| 32 - (n - 1).max(0).leading_zeros();
        let depth = logarithm(maximum + 1).max(2);
        let a = ((range + 32) / 64).max(2);
        Ok(Self {
            bits: Bits { bytes, at: 0, held: 0, count: 0 },
            near,
            maximum,
            range,
            wide: logarithm(range),
            limit: 2 * (depth + depth.max(8)),
            thresholds,
            reset: if preset.reset > 0 { preset.reset.max(3) } else { 64 },
            contexts: vec![Context { a, b: 0, c: 0, n: 1 }; 367],
            negative: [0; 2],
        })
    }

    /// The planes of one scan.
    fn scan(mut self, rows: usize, columns: usize, count: usize, mixed: bool) -> Decoded<Vec<Vec<u16>>> {
        let mut planes = vec![Vec::with_capacity(rows * columns); count];
        // A line with one sample before and one behind it; the one before is the line above's own.
        let mut above = vec![vec![0; columns + 2]; count];
        let mut line = above.clone();
        let mut run = vec![0; count];
        for _ in 0..rows {
            for (line, above) in line.iter_mut().zip(&mut above) {
                line[0] = above[1];
                above[columns + 1] = above[columns];
            }
            if mixed {
                self.line(&mut line, &above, columns, &mut run[0])?;
            } else {
                for component in 0..count {
                    let (line, above) = (&mut line[component..=component], &above[component..=component]);
                    self.line(line, above, columns, &mut run[component])?;
                }
            }
            for (plane, line) in planes.iter_mut().zip(&line) {
                plane.extend(line[1..=columns].iter().map(|&v| v as u16));
            }
            std::mem::swap(&mut line, &mut above);
        }
        Ok(planes)
    }

    /// One line of one component, or of all of them sample by sample (annex A.4 to A.7, B.3).
    fn line(
        &mut self,
        line: &mut [Vec<i32>],
        above: &[Vec<i32>],
        columns: usize,
        run: &mut usize,
    ) -> Decoded<()> {
        let mut x = 1;
        while x <= columns {
            let around = |line: &[Vec<i32>], component: usize, x: usize| {
                let (line, above) = (&line[component], &above[component]);
                Around { a: line[x - 1], b: above[x], c: above[x - 1], d: above[x + 1] }
            };
            let flat = (0..line.len()).all(|component| {
                let Around { a, b, c, d } = around(line, component, x);
                [d - b, b - c, c - a].iter().all(|g| g.abs() <= self.near)
            });
            if !flat {
                for component in 0..line.len() {
                    let around = around(line, component, x);
                    line[component][x] = self.regular(around)?;
                }
                x += 1;
                continue;
            }
            let length = self.run(columns - x + 1, run)?;
            for component in line.iter_mut() {
                let value = component[x - 1];
                component[x..x + length].fill(value);
            }
            x += length;
            if x > columns {
                break;
            }
            let single = line.len() == 1;
            for component in 0..line.len() {
                let Around { a, b, .. } = around(line, component, x);
                line[component][x] = self.interruption(a, b, single, *run)?;
            }
            *run = run.saturating_sub(1);
            x += 1;
        }
        Ok(())
    }

    /// The length of a run of at most `most` samples (code segment A.14).
    fn run(&mut self, most: usize, index: &mut usize) -> Decoded<usize> {
        let mut length = 0;
        while self.bits.read(1)? == 1 {
            let step = 1 << RUNS[*index];
            if length + step <= most {
                *index = (*index + 1).min(31);
            }
            length = (length + step).min(most);
            if length == most {
                return Ok(length);
            }
        }
        length += self.bits.read(RUNS[*index])? as usize;
        if length >= most { Err("a run beyond its line".to_owned()) } else { Ok(length) }
    }

    /// The sample that ends a run (code segments A.17 to A.23).
    fn interruption(&mut self, a: i32, b: i32, single: bool, run: usize) -> Decoded<i32> {
        let kind = usize::from(single && (a - b).abs() <= self.near);
        let (predicted, sign) = match (kind, a > b) {
            (1, _) => (a, 1),
            (_, true) => (b, -1),
            _ => (b, 1),
        };
        let context = self.contexts[365 + kind];
        let target = if kind == 1 { context.a + (context.n >> 1) } else { context.a };
        let k = shift(context.n, target);
        let mapped = self.golomb(k, self.limit - RUNS[run] - 1)?;
        let whole = mapped + kind as i32;
        let odd = whole & 1;
        let size = (whole + odd) / 2;
        let below = (k != 0 || 2 * self.negative[kind] >= context.n) == (odd == 1);
        let error = if below { -size } else { size };
        let context = &mut self.contexts[365 + kind];
        self.negative[kind] += i32::from(error < 0);
        context.a += (mapped + 1 - kind as i32) >> 1;
        if context.n == self.reset {
            context.a >>= 1;
            context.n >>= 1;
            self.negative[kind] >>= 1;
        }
        context.n += 1;
        Ok(self.reconstruct(predicted, sign * error))
    }

    /// A sample from its surroundings (code segments A.1 to A.13).
    fn regular(&mut self, Around { a, b, c, d }: Around) -> Decoded<i32> {
        let [q1, q2, q3] = [d - b, b - c, c - a].map(|g| self.level(g));
        let number = q1 * 81 + q2 * 9 + q3;
        let sign = if number < 0 { -1 } else { 1 };
        let number = number.unsigned_abs() as usize;
        let predicted = match c {
            c if c >= a.max(b) => a.min(b),
            c if c <= a.min(b) => a.max(b),
            c => a + b - c,
        };
        let mut context = self.contexts[number];
        let predicted = (predicted + sign * context.c).clamp(0, self.maximum);
        let k = shift(context.n, context.a);
        let mapped = self.golomb(k, self.limit)?;
        let mut error = if mapped & 1 == 1 { -((mapped + 1) / 2) } else { mapped / 2 };
        if self.near == 0 && k == 0 && 2 * context.b <= -context.n {
            error = -error - 1;
        }
        let step = 2 * self.near + 1;
        context.b += error * step;
        context.a += error.abs();
        if context.n == self.reset {
            (context.a, context.b, context.n) = (context.a >> 1, context.b >> 1, context.n >> 1);
        }
        context.n += 1;
        if context.b <= -context.n {
            context.b = (context.b + context.n).max(1 - context.n);
            context.c = (context.c - 1).max(-128);
        } else if context.b > 0 {
            context.b = (context.b - context.n).min(0);
            context.c = (context.c + 1).min(127);
        }
        self.contexts[number] = context;
        Ok(self.reconstruct(predicted, sign * error))
    }

    /// Adds an error to what was predicted, around the range (A.4.5).
    fn reconstruct(&self, predicted: i32, error: i32) -> i32 {
        let step = 2 * self.near + 1;
        let value = predicted + error * step;
        let value = if value < -self.near {
            value + self.range * step
        } else if value > self.maximum + self.near {
            value - self.range * step
        } else {
            value
        };
        value.clamp(0, self.maximum)
    }

    /// A gradient's level, -4 to 4 (code segment A.4).
    fn level(&self, gradient: i32) -> i32 {
        let [t1, t2, t3] = self.thresholds;
        let size = gradient.abs();
        let level = match size {
            s if s <= self.near => 0,
            s if s < t1 => 1,
            s if s < t2 => 2,
            s if s < t3 => 3,
            _ => 4,
        };
        if gradient < 0 { -level } else { level }
    }

    /// A number in the limited-length Golomb code (A.5.3).
    fn golomb(&mut self, k: u32, limit: u32) -> Decoded<i32> {
        let escape = limit.saturating_sub(self.wide + 1);
        let mut zeros = 0;
        while self.bits.read(1)? == 0 {
            zeros += 1;
            if zeros > escape {
                return Err("a code that is too long".to_owned());
            }
        }
        let number =
            if zeros < escape { zeros << k | self.bits.read(k)? } else { self.bits.read(self.wide)? + 1 };
        if number > 1 << 20 { Err("an error beyond the range".to_owned()) } else { Ok(number as i32) }
    }
}

/// The Golomb parameter: the least `k` with `n * 2^k >= a`.
fn shift(n: i32, a: i32) -> u32 {
    (0..16).find(|k| n << k >= a).unwrap_or(16)
}

/// The default thresholds (code segment C.2), or those that are set.
fn thresholds(maximum: i32, near: i32, preset: Preset) -> [i32; 3] {
    let clamp = |value: i32, least: i32| if value > maximum || value < least { least } else { value };
    let [t1, t2, t3] = if maximum >= 128 {
        let factor = (maximum.min(4095) + 128) / 256;
        [factor + 2 + 3 * near, factor * 4 + 3 + 5 * near, factor * 17 + 4 + 7 * near]
    } else {
        let factor = 256 / (maximum + 1);
        [(3 / factor + 3 * near).max(2), (7 / factor + 5 * near).max(3), (21 / factor + 7 * near).max(4)]
    };
    let t1 = if preset.t1 > 0 { preset.t1 } else { clamp(t1, near + 1) };
    let t2 = if preset.t2 > 0 { preset.t2 } else { clamp(t2, t1) };
    let t3 = if preset.t3 > 0 { preset.t3 } else { clamp(t3, t2) };
    [t1, t2, t3]
}

/// Bits from the highest on; behind a byte 0xff one bit is stuffed (A.1, C.3).
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    fn read(&mut self, count: u32) -> Decoded<u32> {
        while self.count < count {
            let Some(&byte) = self.bytes.get(self.at) else {
                return Err("the image is cut off".to_owned());
            };
            let stuffed = self.at > 0 && self.bytes[self.at - 1] == 0xff;
            if stuffed && byte >= 0x80 {
                return Err("the image is cut off by a marker".to_owned());
            }
            let width = if stuffed { 7 } else { 8 };
            self.held = self.held << width | u64::from(byte);
            (self.count, self.at) = (self.count + width, self.at + 1);
        }
        self.count -= count;
        let mask = (1u64 << count) - 1;
        Ok((self.held >> self.count & mask) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of annex H.3: 4 x 4 samples of 8 bits.
    #[test]
    fn the_standards_example_is_decoded() {
        let image: &[u8] = &[
            0xff, 0xd8, 0xff, 0xf7, 0x00, 0x0b, 0x08, 0x00, 0x04, 0x00, 0x04, 0x01, 0x01, 0x11, 0x00, 0xff,
            0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x00, 0x6c, 0x80, 0x20, 0x8e,
            0x01, 0xc0, 0x00, 0x00, 0x57, 0x40, 0x00, 0x00, 0x6e, 0xe6, 0x00, 0x00, 0x01, 0xbc, 0x18, 0x00,
            0x00, 0x05, 0xd8, 0x00, 0x00, 0x91, 0x60, 0xff, 0xd9,
        ];
        let layout = Layout {
            rows: 4,
            columns: 4,
            samples: 1,
            allocated: 8,
            stored: 8,
            signed: false,
            planar: false,
            frames: 1,
            photometric: "MONOCHROME2".into(),
            real: false,
        };
        let expected = [0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145];
        assert_eq!(decode(image, &layout).unwrap().bytes, expected);
        for cut in 0..image.len() - 3 {
            assert!(decode(&image[..cut], &layout).is_err(), "{cut}");
        }
    }
}

use super::directory::{Directory, Tiff};
use super::tile::{self, Layout};
use crate::Error;
use crate::feed::{Parts, Source};
use std::sync::Mutex;

/// An image in red, green and blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Three bytes a pixel, row by row from the top left.
    pub pixels: Vec<u8>,
}

/// One resolution of a slide.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Columns of pixels.
    pub width: u32,
    /// Rows of pixels.
    pub height: u32,
    /// Columns of a tile; in an image of strips, its width.
    pub tile_width: u32,
    /// Rows of a tile or strip.
    pub tile_height: u32,
    /// How many times smaller than the first level.
    pub downsample: f64,
    pub(super) layout: Layout,
}

impl Level {
    /// How many tiles stand side by side.
    pub fn columns(&self) -> u32 {
        self.width.div_ceil(self.tile_width)
    }

    /// How many rows of tiles there are.
    pub fn rows(&self) -> u32 {
        self.height.div_ceil(self.tile_height)
    }
}

/// An image beside the slide.
#[derive(Clone, Debug, PartialEq)]
pub struct Associated {
    /// `label`, `macro`, `thumbnail` or `other`.
    pub kind: &'static str,
    /// The image.
    pub image: Level,
}

impl Associated {
    /// Whether it may show a patient's name: the label, and the photograph of the whole glass.
    pub fn is_identifying(&self) -> bool {
        matches!(self.kind, "label" | "macro" | "other")
    }
}

/// An open slide.
pub struct Slide {
    tiff: Mutex<Tiff>,
    levels: Vec<Level>,
    associated: Vec<Associated>,
    aperio: bool,
    microns: Option<(f64, f64)>,
    objective: Option<f64>,
    scanner: Option<String>,
    scanned: Option<Parts>,
}

impl std::fmt::Debug for Slide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slide").field("levels", &self.levels).finish_non_exhaustive()
    }
}

impl Slide {
    /// Opens a slide.
    ///
    /// # Errors
    /// [`Error::WrongFormat`] for what is no TIFF, [`Error::Damaged`] for one that breaks its rules,
    /// [`Error::UnsupportedType`] for pixels that are not 8-bit RGB or grey, or packed in another way.
    pub fn open(source: &Source) -> Result<Self, Error> {
        let (mut tiff, directories) = Tiff::open(source)?;
        let mut images = Vec::new();
        for directory in &directories {
            let text = directory.field(270).map_or(Ok(String::new()), |f| tiff.text(f))?;
            images.push((level(&mut tiff, directory)?, text, directory));
        }
        let tiled = |i: &(Level, String, &Directory)| i.2.field(322).is_some();
        // The largest tiled image is the slide; without any, the first.
        let pixels = |l: &Level| u64::from(l.width) * u64::from(l.height);
        let base = (0..images.len())
            .filter(|&i| tiled(&images[i]))
            .max_by_key(|&i| (pixels(&images[i].0), usize::MAX - i));
        let base = base.unwrap_or(0);
        let Some((first, text, directory)) = images.get(base).cloned() else {
            return Err(tiff.damaged("at least one image", "none"));
        };
        tile::supported(&first.layout, &tiff.origin)?;
        let aperio = text.starts_with("Aperio");
        let mut slide = Self {
            levels: vec![Level { downsample: 1.0, ..first.clone() }],
            associated: Vec::new(),
            aperio,
            microns: microns(&mut tiff, directory, &text)?,
            objective: known(&text, "AppMag").and_then(|v| v.parse().ok()).filter(|v: &f64| v.is_finite()),
            scanner: known(&text, "ScanScope ID").map(str::to_owned),
            scanned: scanned(&mut tiff, directory, &text)?,
            tiff: Mutex::new(tiff),
        };
        for (i, image) in images.iter().enumerate().filter(|(i, _)| *i != base) {
            let (level, text, _) = image;
            let (x, y) = (ratio(first.width, level.width), ratio(first.height, level.height));
            let pyramid = tiled(image) && level.width <= first.width && ((x - y) / x).abs() < 0.05;
            if pyramid && tile::supported(&level.layout, "").is_ok() {
                slide.levels.push(Level { downsample: (x + y) / 2.0, ..level.clone() });
            } else {
                slide.associated.push(Associated { kind: kind(text, i, aperio), image: level.clone() });
            }
        }
        slide.levels.sort_by(|a, b| a.downsample.total_cmp(&b.downsample));
        Ok(slide)
    }

    /// The resolutions, the finest first.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Images beside the slide.
    pub fn associated(&self) -> &[Associated] {
        &self.associated
    }

    /// Whether it is Aperio's.
    pub fn is_aperio(&self) -> bool {
        self.aperio
    }

    /// Micrometres of a pixel of the finest level, across and down.
    pub fn microns(&self) -> Option<(f64, f64)> {
        self.microns
    }

    /// The objective's magnification.
    pub fn objective(&self) -> Option<f64> {
        self.objective
    }

    /// The scanner's own name.
    pub fn scanner(&self) -> Option<&str> {
        self.scanner.as_deref()
    }

    /// When it was scanned.
    pub fn scanned(&self) -> Option<&Parts> {
        self.scanned.as_ref()
    }

    /// The tile in column `x` and row `y` of a level, cut at the image's edge.
    ///
    /// # Errors
    /// [`Error::Damaged`] for a tile that is not there or cannot be unpacked, [`Error::TooLarge`] past 32 MiB.
    pub fn tile(&self, level: usize, x: u32, y: u32) -> Result<Rgb, Error> {
        let mut tiff = self.tiff.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match self.levels.get(level).filter(|l| x < l.columns() && y < l.rows()) {
            Some(level) => tile::read(&mut tiff, level, x, y),
            None => Err(tiff.damaged("a level, column and row of the slide", "others")),
        }
    }

    /// The whole of an image beside the slide, such as the label.
    ///
    /// # Errors
    /// As [`Slide::tile`]; [`Error::TooLarge`] past 32 MiB of pixels.
    pub fn associated_image(&self, i: usize) -> Result<Rgb, Error> {
        let mut tiff = self.tiff.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(found) = self.associated.get(i) else {
            return Err(tiff.damaged("an image beside the slide", "none of that number"));
        };
        tile::supported(&found.image.layout, &tiff.origin)?;
        let (width, height) = (found.image.width, found.image.height);
        let mut whole = Rgb { width, height, pixels: tile::blank(&tiff.origin, width, height)? };
        for y in 0..found.image.rows() {
            for x in 0..found.image.columns() {
                let part = tile::read(&mut tiff, &found.image, x, y)?;
                let (left, top) = (x * found.image.tile_width, y * found.image.tile_height);
                for row in 0..part.height {
                    let from = (row * part.width * 3) as usize;
                    let to = ((u64::from(top + row) * u64::from(width) + u64::from(left)) * 3) as usize;
                    let n = (part.width * 3) as usize;
                    whole.pixels[to..to + n].copy_from_slice(&part.pixels[from..from + n]);
                }
            }
        }
        Ok(whole)
    }

    /// The slide at `longest` pixels on its longer side, or less where it is smaller (2048 at most): each pixel the mean
    /// of those that it covers, from the coarsest level that is fine enough.
    ///
    /// # Errors
    /// As [`Slide::tile`].
    pub fn thumbnail(&self, longest: u32) -> Result<Rgb, Error> {
        let enough = |l: &Level| l.width.max(l.height) >= longest;
        let at = self.levels.iter().rposition(enough).unwrap_or(0);
        let level = &self.levels[at];
        let scale = f64::from(longest.clamp(1, 2048)) / f64::from(level.width.max(level.height));
        let scale = scale.min(1.0);
        let side = |n: u32| ((f64::from(n) * scale).round() as u32).max(1);
        let (width, height) = (side(level.width), side(level.height));
        let mut sums = vec![[0u64; 4]; width as usize * height as usize];
        let place = |v: u32, of: u32, into: u32| (u64::from(v) * u64::from(into) / u64::from(of)) as usize;
        for y in 0..level.rows() {
            for x in 0..level.columns() {
                let tile = self.tile(at, x, y)?;
                let (left, top) = (x * level.tile_width, y * level.tile_height);
                for (i, pixel) in tile.pixels.chunks_exact(3).enumerate() {
                    let column = place(left + i as u32 % tile.width, level.width, width);
                    let row = place(top + i as u32 / tile.width, level.height, height);
                    let sum = &mut sums[row * width as usize + column];
                    for (s, v) in sum.iter_mut().zip(pixel.iter().chain(&[1])) {
                        *s += u64::from(*v);
                    }
                }
            }
        }
        let mean = |s: &[u64; 4]| {
            let n = s[3].max(1);
            [s[0], s[1], s[2]].map(|v| ((v + n / 2) / n) as u8)
        };
        Ok(Rgb { width, height, pixels: sums.iter().flat_map(mean).collect() })
    }
}

fn ratio(a: u32, b: u32) -> f64 {
    f64::from(a) / f64::from(b)
}

/// What an image beside the slide shows.
fn kind(text: &str, position: usize, aperio: bool) -> &'static str {
    let lower = text.to_ascii_lowercase();
    // Aperio: the second line begins with the word; the keys of a slide come after a bar.
    let head = lower.split('|').next().unwrap_or_default();
    if head.contains("label") {
        "label"
    } else if head.contains("macro") {
        "macro"
    } else if head.contains("thumbnail") || (aperio && position == 1) {
        "thumbnail"
    } else {
        "other"
    }
}

/// The value of `name = value` among those between bars.
fn known<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let pairs = text.split('|').filter_map(|p| p.split_once('='));
    pairs
        .map(|(n, v)| (n.trim(), v.trim_matches([' ', '\0', '\r', '\n'])))
        .find(|(n, _)| *n == name)
        .map(|(_, v)| v)
}

fn microns(tiff: &mut Tiff, directory: &Directory, text: &str) -> Result<Option<(f64, f64)>, Error> {
    let sensible = |v: &f64| v.is_finite() && *v > 0.0;
    if let Some(mpp) = known(text, "MPP").and_then(|v| v.parse::<f64>().ok()).filter(sensible) {
        return Ok(Some((mpp, mpp)));
    }
    let micrometres = match tiff.number(directory, 296, 2)? {
        3 => 10_000.0,
        2 => 25_400.0,
        _ => return Ok(None),
    };
    let across = tiff.fraction(directory, 282)?.map(|r| micrometres / r).filter(sensible);
    let down = tiff.fraction(directory, 283)?.map(|r| micrometres / r).filter(sensible);
    // Screens' 72 dots an inch say nothing of a slide.
    Ok(across.zip(down).filter(|(x, y)| *x < 100.0 && *y < 100.0))
}

fn scanned(tiff: &mut Tiff, directory: &Directory, text: &str) -> Result<Option<Parts>, Error> {
    let numbers =
        |t: &str| -> Option<Vec<i16>> { t.split(['/', ':', ' ']).map(|n| n.parse().ok()).collect() };
    let two = |v: i16| i8::try_from(v).ok();
    if let Some([month, day, year]) = known(text, "Date").and_then(numbers).as_deref() {
        let year = if *year < 100 { year + 2000 } else { *year };
        let mut parts = Parts { year, month: two(*month), day: two(*day), ..Parts::default() };
        if let Some([hour, minute, second]) = known(text, "Time").and_then(numbers).as_deref() {
            (parts.hour, parts.minute, parts.second) = (two(*hour), two(*minute), two(*second));
            let zone = known(text, "Time Zone").and_then(|z| z.strip_prefix("GMT"));
            parts.offset = zone.and_then(offset);
        }
        return Ok(Some(parts));
    }
    let Some(field) = directory.field(306) else { return Ok(None) };
    let stamp = tiff.text(field)?;
    Ok(match numbers(stamp.trim_matches([' ', '\0'])).as_deref() {
        Some([year, month, day, hour, minute, second]) => Some(Parts {
            year: *year,
            month: two(*month),
            day: two(*day),
            hour: two(*hour),
            minute: two(*minute),
            second: two(*second),
            ..Parts::default()
        }),
        _ => None,
    })
}

/// `+hh:mm`, `-0500` or `-05` in seconds.
fn offset(zone: &str) -> Option<i32> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..4).map_or(Some(0), |m| m.parse().ok())?;
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Size and storage of one image.
fn level(tiff: &mut Tiff, directory: &Directory) -> Result<Level, Error> {
    let side = |tiff: &Tiff, n: u64| {
        let whole = u32::try_from(n).ok().filter(|n| (1..=1 << 30).contains(n));
        whole.ok_or_else(|| tiff.damaged("images and tiles of 1 to 2^30 pixels a side", "another size"))
    };
    let (width, height) = (tiff.number(directory, 256, 0)?, tiff.number(directory, 257, 0)?);
    let (width, height) = (side(tiff, width)?, side(tiff, height)?);
    let (across, down, offsets, counts) = if let Some(field) = directory.field(322) {
        let across = tiff.value(field, 0)?;
        (across, tiff.number(directory, 323, 0)?, 324, 325)
    } else {
        let rows = tiff.number(directory, 278, u64::from(height))?;
        (u64::from(width), rows.min(u64::from(height)), 273, 279)
    };
    let (tile_width, tile_height) = (side(tiff, across)?, side(tiff, down)?);
    let (Some(offsets), Some(counts)) = (directory.field(offsets), directory.field(counts)) else {
        return Err(tiff.damaged("offsets and sizes of tiles or strips", "none"));
    };
    let tables = directory.field(347).map(|f| tiff.bytes(f)).transpose()?;
    let layout = Layout {
        tiled: directory.field(322).is_some(),
        offsets,
        counts,
        tables,
        compression: tiff.number(directory, 259, 1)?,
        photometric: tiff.number(directory, 262, 2)?,
        samples: tiff.number(directory, 277, 1)?,
        bits: tiff.number(directory, 258, 1)?,
        planar: tiff.number(directory, 284, 1)?,
        predictor: tiff.number(directory, 317, 1)?,
    };
    let level = Level { width, height, tile_width, tile_height, downsample: 1.0, layout };
    let tiles = u64::from(level.columns()) * u64::from(level.rows());
    if level.layout.offsets.count < tiles || level.layout.counts.count < tiles {
        return Err(tiff.damaged("an offset and a size for each tile", "fewer"));
    }
    Ok(level)
}

//! A slide stained with haematoxylin and eosin: pink tissue, purple nuclei, more and larger ones where there
//! is tumour.

use super::case::LABEL;
use super::dice::{Dice, Part, splitmix};
use super::disease::{Disease, logistic};
use super::tiff::{Level, TILE, encode};

/// Micrometres a pixel of the largest level.
const PIXEL: f64 = 0.5;

/// A slide and what is planted in it.
pub(crate) struct Slide {
    pub(crate) bytes: Vec<u8>,
    /// The tumour's middle and radius, in pixels of the largest level; no radius, no tumour.
    pub(crate) tumour: (f64, f64, f64),
    /// Nuclei drawn inside and outside of it.
    pub(crate) nuclei: (usize, usize),
}

/// The slide of a patient.
///
/// # Errors
/// What the deflate encoder says.
pub(crate) fn slide(seed: u64, patient: u64, disease: &Disease, side: u32) -> std::io::Result<Slide> {
    let mut dice = Dice::new(seed, patient, Part::Slide);
    let (side, n) = (side as usize, f64::from(side));
    let share = if disease.malignant { 0.12 + 0.3 * logistic(disease.burden) } else { 0.0 };
    let tumour = (dice.between(0.35, 0.65) * n, dice.between(0.35, 0.65) * n, share * n);
    let inside = |x: f64, y: f64| (x - tumour.0).hypot(y - tumour.1) < tumour.2;
    let grain = dice.bits();
    let mut pixels = Vec::with_capacity(side * side * 3);
    for row in 0..side {
        for column in 0..side {
            let (x, y) = (column as f64, row as f64);
            // Fibres: long waves, and grain in steps of four so that it can be deflated.
            let wave = ((x * 0.031 + (y * 0.017).sin() * 2.0).sin() * 7.0) as i32;
            let bits = splitmix(grain ^ (row * side + column) as u64);
            let noise = (bits & 3) as i32 * 4 - 6;
            let edge = (x - n / 2.0).hypot(y - n / 2.0) > n * 0.49;
            let [r, g, b] = match (edge, inside(x, y)) {
                (true, _) => [244, 243, 245],
                (_, true) => [214, 160, 200],
                _ => [232, 180, 206],
            };
            for value in [r, g, b] {
                pixels.push((value + if edge { 0 } else { wave + noise }).clamp(0, 255) as u8);
            }
        }
    }
    // Per 100 by 100 pixels: normal tissue has 4 nuclei, more with inflammation; tumour 14 and up.
    let area = n * n / 1e4;
    let normal = (area * (4.0 + 1.5 * logistic(disease.inflammation) * 2.0)) as usize;
    let dense = 14.0 + 5.0 * disease.burden.max(-1.0);
    let tumorous = (std::f64::consts::PI * tumour.2 * tumour.2 / 1e4 * dense) as usize;
    let mut nuclei = (0, 0);
    for i in 0..normal + tumorous {
        let sick = i >= normal;
        let (x, y, radius) = if sick {
            let (r, angle) = (tumour.2 * dice.unit().sqrt(), dice.between(0.0, std::f64::consts::TAU));
            (tumour.0 + r * angle.cos(), tumour.1 + r * angle.sin(), dice.between(5.0, 8.5))
        } else {
            let (r, angle) = (n * 0.47 * dice.unit().sqrt(), dice.between(0.0, std::f64::consts::TAU));
            (n / 2.0 + r * angle.cos(), n / 2.0 + r * angle.sin(), dice.between(3.0, 4.5))
        };
        let stretch = dice.between(0.7, 1.3);
        let shade = dice.whole(-14, 14) as i32;
        nucleus(&mut pixels, side, (x, y), (radius * stretch, radius / stretch), shade);
        if sick { nuclei.0 += 1 } else { nuclei.1 += 1 }
    }
    let mut levels = vec![Level { side, pixels }];
    while let Some(last) = levels.last().filter(|l| l.side > TILE) {
        levels.push(last.halved());
    }
    let about = format!("{LABEL}|synthetic H&E|AppMag = 20|MPP = {PIXEL}");
    Ok(Slide { bytes: encode(&levels, &about, PIXEL)?, tumour, nuclei })
}

fn nucleus(pixels: &mut [u8], side: usize, (x, y): (f64, f64), (rx, ry): (f64, f64), shade: i32) {
    let span = |middle: f64, radius: f64| {
        (middle - radius).max(0.0) as usize..=((middle + radius).max(0.0) as usize).min(side - 1)
    };
    for row in span(y, ry) {
        for column in span(x, rx) {
            let depth = 1.0 - ((column as f64 - x) / rx).powi(2) - ((row as f64 - y) / ry).powi(2);
            if depth > 0.0 {
                let rim = if depth < 0.3 { -18 } else { 0 };
                for (colour, value) in [92, 60, 142].into_iter().enumerate() {
                    pixels[(row * side + column) * 3 + colour] = (value + shade + rim).clamp(0, 255) as u8;
                }
            }
        }
    }
}

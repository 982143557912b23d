//! Pictures with lesions at known places: a chest film and a stack of CT images.

use super::dice::splitmix;
use super::disease::Nodule;

/// Millimetres that a film and a CT image show across.
pub(crate) const FILM_WIDTH: f64 = 360.0;
pub(crate) const CT_WIDTH: f64 = 320.0;
/// Between CT images, in millimetres.
pub(crate) const CT_SPACING: f64 = 5.0;

/// A lesion as drawn: centre and diameter, in pixels (and image of the series, from 0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drawn {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) image: f64,
    pub(crate) diameter: f64,
}

/// Noise: four uniform numbers from one hash of the place, nearly normal, standard deviation 1.
fn noise(seed: u64, place: usize) -> f64 {
    let bits = splitmix(seed ^ place as u64);
    let sum: u64 = (0..4).map(|i| bits >> (16 * i) & 0xffff).sum();
    (sum as f64 / 65_535.0 - 2.0) * 3_f64.sqrt()
}

/// Whether, and how deep, a point is inside an ellipse: 1 in the middle, 0 at the edge, negative outside.
fn ellipse(x: f64, y: f64, (cx, cy): (f64, f64), (rx, ry): (f64, f64)) -> f64 {
    1.0 - ((x - cx) / rx).powi(2) - ((y - cy) / ry).powi(2)
}

/// 0 outside, 1 inside, soft over `width` at the edge.
fn soft(depth: f64, width: f64) -> f64 {
    (depth / width + 0.5).clamp(0.0, 1.0)
}

/// Where a nodule is on a film of that side.
pub(crate) fn on_film(nodule: &Nodule, days: f64, side: usize) -> Drawn {
    let n = side as f64;
    // The lungs reach from 0.14 to 0.86 across and from 0.16 to 0.84 down.
    Drawn {
        x: (0.14 + 0.72 * nodule.x) * n,
        y: (0.16 + 0.68 * nodule.y) * n,
        image: 0.0,
        diameter: nodule.diameter(days) / FILM_WIDTH * n,
    }
}

/// A posterior-anterior chest film, 12 bits, bone white. `haze` is the inflammation that dims both lower
/// zones. Shape: `[side * side]`.
pub(crate) fn film(nodules: &[Drawn], haze: f64, frailty: f64, side: usize, seed: u64) -> Vec<u16> {
    let n = side as f64;
    let mut pixels = Vec::with_capacity(side * side);
    let haze = 210.0 * (1.0 + (1.4 * haze).exp()).ln();
    for row in 0..side {
        let y = (row as f64 + 0.5) / n;
        // A rib comes every 0.075 of the height, each an arch.
        for column in 0..side {
            let x = (column as f64 + 0.5) / n;
            let body = soft(ellipse(x, y, (0.5, 0.62), (0.49, 0.66)), 0.08);
            let right = ellipse(x, y, (0.29, 0.5), (0.17, 0.36));
            let left = ellipse(x, y, (0.71, 0.5), (0.17, 0.36));
            let lung = soft(right, 0.2).max(soft(left, 0.2));
            let heart = soft(ellipse(x, y, (0.54, 0.64), (0.14 + 0.01 * frailty, 0.17)), 0.15);
            let spine = soft(1.0 - ((x - 0.5) / 0.045).abs(), 0.4);
            let arch = y + 0.22 * (x - 0.5).powi(2) * 4.0;
            let rib = ((arch / 0.075).fract() - 0.5).abs() < 0.13;
            let mut value = 150.0 + body * 2_150.0 - lung * body * 1_350.0;
            value += heart * 620.0 + spine * 480.0 + if rib { 190.0 * body } else { 0.0 };
            value += lung * haze * ((y - 0.45) * 3.0).clamp(0.0, 1.0);
            for nodule in nodules {
                let (dx, dy) = (column as f64 + 0.5 - nodule.x, row as f64 + 0.5 - nodule.y);
                let depth = 1.0 - (dx * dx + dy * dy) / (nodule.diameter / 2.0).powi(2);
                if depth > -0.5 {
                    // As thick as a ball is there.
                    value += (240.0 + 18.0 * nodule.diameter) * depth.max(0.0).sqrt();
                }
            }
            value += 28.0 * noise(seed, row * side + column);
            pixels.push(value.clamp(0.0, 4_095.0) as u16);
        }
    }
    pixels
}

/// Where a nodule is in a series of `images` of that side whose middle is at `middle`, a share of the lung.
pub(crate) fn in_ct(nodule: &Nodule, days: f64, side: usize, images: usize, middle: f64) -> Drawn {
    let n = side as f64;
    Drawn {
        x: (0.12 + 0.76 * nodule.x) * n,
        y: (0.25 + 0.5 * nodule.z) * n,
        // A lung is 240 mm high.
        image: (images as f64 - 1.0) / 2.0 + (nodule.y - middle) * 240.0 / CT_SPACING,
        diameter: nodule.diameter(days) / CT_WIDTH * n,
    }
}

/// One axial CT image in Hounsfield units + 1,024. Shape: `[side * side]`.
pub(crate) fn ct(nodules: &[Drawn], haze: f64, image: usize, side: usize, seed: u64) -> Vec<u16> {
    let n = side as f64;
    let pixel = CT_WIDTH / n;
    let haze = 60.0 * (1.0 + (1.2 * haze).exp()).ln();
    let mut pixels = Vec::with_capacity(side * side);
    for row in 0..side {
        let y = (row as f64 + 0.5) / n;
        for column in 0..side {
            let x = (column as f64 + 0.5) / n;
            let body = ellipse(x, y, (0.5, 0.5), (0.48, 0.38));
            let lung = ellipse(x, y, (0.27, 0.5), (0.18, 0.29)).max(ellipse(x, y, (0.73, 0.5), (0.18, 0.29)));
            let mut hu = -1_000.0;
            if body > 0.0 {
                hu = if body < 0.09 { -90.0 } else { 40.0 };
            }
            if lung > 0.0 {
                // More of it behind, where the patient lies.
                hu = -860.0 + haze * (0.4 + y);
            }
            if ellipse(x, y, (0.5, 0.78), (0.055, 0.055)) > 0.0 {
                hu = 420.0;
            }
            if ellipse(x, y, (0.54, 0.43), (0.11, 0.1)) > 0.0 {
                hu = 45.0;
            }
            for nodule in nodules {
                let (dx, dy) = (column as f64 + 0.5 - nodule.x, row as f64 + 0.5 - nodule.y);
                let dz = (image as f64 - nodule.image) * CT_SPACING / pixel;
                let edge =
                    (nodule.diameter / 2.0 - (dx * dx + dy * dy + dz * dz).sqrt() + 0.5).clamp(0.0, 1.0);
                hu += edge * (30.0 - hu).max(0.0);
            }
            hu += 18.0 * noise(seed ^ (image as u64) << 40, row * side + column);
            pixels.push((hu + 1_024.0).clamp(0.0, 4_095.0) as u16);
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODULE: Nodule = Nodule { x: 0.2, y: 0.5, z: 0.5, diameter: 24.0, doubling: 100.0 };

    #[test]
    fn a_nodule_is_bright_where_the_truth_has_it() {
        let drawn = on_film(&NODULE, 0.0, 256);
        let with = film(&[drawn], 0.0, 0.0, 256, 1);
        let without = film(&[], 0.0, 0.0, 256, 1);
        let brighter: Vec<usize> = (0..with.len()).filter(|&i| with[i] > without[i] + 50).collect();
        let mean = |f: fn(usize) -> usize| {
            brighter.iter().map(|&i| f(i) as f64 + 0.5).sum::<f64>() / brighter.len() as f64
        };
        assert!((mean(|i| i % 256) - drawn.x).abs() < 1.0 && (mean(|i| i / 256) - drawn.y).abs() < 1.0);
        let area = std::f64::consts::PI * (drawn.diameter / 2.0).powi(2);
        assert!((brighter.len() as f64 / area - 1.0).abs() < 0.15, "{} {area}", brighter.len());
    }

    #[test]
    fn a_nodule_fills_its_volume_in_ct_and_grows() {
        let volume = |days: f64| {
            let drawn = in_ct(&NODULE, days, 128, 16, 0.5);
            let mut voxels = 0;
            for image in 0..16 {
                let (with, without) = (ct(&[drawn], 0.0, image, 128, 1), ct(&[], 0.0, image, 128, 1));
                voxels += with.iter().zip(&without).filter(|(a, b)| **a > **b + 400).count();
            }
            voxels as f64 * (CT_WIDTH / 128.0).powi(2) * CT_SPACING
        };
        let ball = std::f64::consts::PI / 6.0 * 24_f64.powi(3);
        assert!((volume(0.0) / ball - 1.0).abs() < 0.12, "{} {ball}", volume(0.0));
        assert!((volume(100.0) / volume(0.0) - 2.0).abs() < 0.2);
    }
}

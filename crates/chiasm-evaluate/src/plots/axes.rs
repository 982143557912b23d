use super::svg::{Anchor, Svg};
use crate::words::trimmed;

/// A straight map from values to drawing units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Maps `low..high` onto `from..to`. An empty or unusable range becomes 0 to 1.
    pub(crate) fn new((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let usable = low.is_finite() && high.is_finite() && high > low;
        let (low, high) = if usable { (low, high) } else { (0.0, 1.0) };
        Self { low, high, from, to }
    }

    /// The drawing unit of a value; values outside the range lie outside the drawing.
    pub(crate) fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// As [`Scale::at`], held inside the range.
    pub(crate) fn within(&self, value: f64) -> f64 {
        self.at(value.clamp(self.low, self.high))
    }

    /// Round values inside the range, about `about` of them.
    pub(crate) fn ticks(&self, about: usize) -> Vec<f64> {
        let rough = (self.high - self.low) / about.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|s| s * power).into_iter().find(|&s| s >= rough * 0.999);
        let step = step.unwrap_or(10.0 * power);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).take(50).map(|i| i as f64 * step).collect()
    }
}

/// The range of some values, widened by a twentieth on each side; `None` without a finite value.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return None;
    }
    let pad = if high > low { (high - low) / 20.0 } else { 0.05 };
    Some((low - pad, high + pad))
}

/// A plot area with its two scales and axes.
pub(crate) struct Frame {
    /// Values to the right.
    pub(crate) x: Scale,
    /// Values upwards.
    pub(crate) y: Scale,
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// The size that most plots have.
pub(crate) const SIZE: (f64, f64) = (420.0, 340.0);
const LEFT: f64 = 52.0;
const TOP: f64 = 14.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 46.0;

impl Frame {
    /// A frame for a drawing of [`SIZE`], with `extra` units kept free below.
    pub(crate) fn new(x: (f64, f64), y: (f64, f64)) -> Self {
        let (width, height) = (SIZE.0 - LEFT - RIGHT, SIZE.1 - TOP - BOTTOM);
        Self {
            x: Scale::new(x, (LEFT, LEFT + width)),
            y: Scale::new(y, (TOP + height, TOP)),
            left: LEFT,
            top: TOP,
            width,
            height,
        }
    }

    /// The drawing unit of a point.
    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x.at(x), self.y.at(y))
    }

    /// The left edge, the right edge.
    pub(crate) fn sides(&self) -> (f64, f64) {
        (self.left, self.left + self.width)
    }

    /// The lower edge.
    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Draws grid, ticks and the axes' names; `label` writes a tick.
    pub(crate) fn axes(&self, svg: &mut Svg, x_name: &str, y_name: &str) {
        let (left, right) = self.sides();
        let bottom = self.bottom();
        for tick in self.y.ticks(5) {
            let y = self.y.at(tick);
            svg.line("grid", (left, y), (right, y));
            svg.text("tick", (left - 8.0, y + 4.0), Anchor::End, &trimmed(tick));
        }
        for tick in self.x.ticks(5) {
            let x = self.x.at(tick);
            svg.line("axis", (x, bottom), (x, bottom + 4.0));
            svg.text("tick", (x, bottom + 17.0), Anchor::Middle, &trimmed(tick));
        }
        svg.line("axis", (left, bottom), (right, bottom));
        svg.text("name", ((left + right) / 2.0, bottom + 38.0), Anchor::Middle, x_name);
        svg.upright("name", (14.0, self.top + self.height / 2.0), y_name);
    }

    /// What `draw` draws, cut off outside the plot area (with a little room for whole dots).
    pub(crate) fn inside(&self, svg: &mut Svg, draw: impl FnOnce(&mut Svg)) {
        svg.clipped((self.left - 4.0, self.top - 4.0), (self.width + 8.0, self.height + 8.0), draw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale::new((0.0, 1.0), (0.0, 100.0));
        assert_eq!(scale.ticks(5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(Scale::new((-0.3, 12.0), (0.0, 1.0)).ticks(5), [0.0, 2.5, 5.0, 7.5, 10.0]);
    }

    #[test]
    fn hopeless_ranges_do_not_divide_by_zero() {
        assert!(Scale::new((1.0, 1.0), (0.0, 9.0)).at(0.5).is_finite());
        assert!(Scale::new((f64::NAN, 1.0), (0.0, 9.0)).at(0.5).is_finite());
        assert_eq!(range([f64::NAN]), None);
        assert!(range([0.5]).is_some_and(|(l, h)| l < 0.5 && h > 0.5));
    }
}

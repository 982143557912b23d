/// A component of fewer samples than the image has pixels: rows of `stride`, of which `size` (columns, rows)
/// count.
pub(super) struct Plane<'a> {
    pub(super) samples: &'a [u16],
    pub(super) stride: usize,
    pub(super) size: (usize, usize),
}

impl Plane<'_> {
    /// A row of `columns` pixels of an image that has `across` times `down` pixels to a sample, these as
    /// fractions.
    ///
    /// Where a sample is of two pixels, a pixel is three parts its own sample and one part the next nearest,
    /// down first and then across, as libjpeg and most decoders have it; otherwise it is its own sample.
    /// Samples lie in the middle of their pixels.
    ///
    /// # Source
    /// JFIF 1.02 for where samples lie; libjpeg's "fancy upsampling" for the weights.
    pub(super) fn row(
        &self,
        y: usize,
        columns: usize,
        across: (usize, usize),
        down: (usize, usize),
    ) -> Vec<u16> {
        let (width, height) = self.size;
        let line = |y: usize| {
            let start = y.min(height.saturating_sub(1)) * self.stride;
            self.samples.get(start..start + width).unwrap_or_default()
        };
        let own = y * down.0 / down.1;
        let mut row = line(own).to_vec();
        if down.1 == 2 * down.0 {
            let (near, half) = if y.is_multiple_of(2) { (own.saturating_sub(1), 2) } else { (own + 1, 1) };
            row.iter_mut().zip(line(near)).for_each(|(own, near)| *own = mixed(*own, *near, half));
        }
        let last = row.len().saturating_sub(1);
        let value = |x: usize| row.get(x.min(last)).copied().unwrap_or_default();
        let pixel = |x: usize| {
            let own = x * across.0 / across.1;
            match (across.1 == 2 * across.0, x.is_multiple_of(2)) {
                (false, _) => value(own),
                (true, true) => mixed(value(own), value(own.saturating_sub(1)), 1),
                (true, false) => mixed(value(own), value(own + 1), 2),
            }
        };
        (0..columns).map(pixel).collect()
    }
}

/// Three parts of one and one of the other, rounded by `half`.
fn mixed(own: u16, near: u16, half: u32) -> u16 {
    ((3 * u32::from(own) + u32::from(near) + half) / 4) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_lie_between_their_samples() {
        let plane = Plane { samples: &[0, 100, 7, 40, 60, 7], stride: 3, size: (2, 2) };
        assert_eq!(plane.row(0, 4, (1, 1), (1, 1)), [0, 100, 100, 100]);
        assert_eq!(plane.row(0, 4, (1, 2), (1, 1)), [0, 25, 75, 100]);
        assert_eq!(plane.row(1, 2, (1, 1), (1, 2)), [10, 90]);
        assert_eq!(plane.row(2, 2, (1, 1), (1, 2)), [30, 70]);
        assert_eq!(plane.row(3, 3, (1, 2), (1, 2)), [40, 45, 55]);
        assert_eq!(plane.row(0, 4, (1, 4), (1, 4)), [0, 0, 0, 0]);
        let empty = Plane { samples: &[], stride: 8, size: (1, 1) };
        assert_eq!(empty.row(0, 2, (1, 2), (1, 2)), [0, 0]);
    }
}

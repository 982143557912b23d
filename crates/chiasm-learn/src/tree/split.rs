//! The best place to split one set of rows, from histograms of what a leaf would have to say.

use super::bins::{Binned, MISSING};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What leaves are to say. A leaf's value is `(sum g + prior) / (sum h + prior + lambda)` over its rows,
/// and the gain of a split is the rise of `sum_k G_k^2 / (H_k + lambda)`: the weighted variance explained
/// where `h` is 1, Newton's gain where `g` and `h` are gradient and curvature.
pub(super) struct Targets {
    /// Shape: `[rows * outputs]`.
    pub(super) g: Vec<f64>,
    /// Shape: `[rows * outputs]`; `None`: 1 everywhere.
    pub(super) h: Option<Vec<f64>>,
    pub(super) outputs: usize,
    /// Added to both sums of a leaf's ratio.
    pub(super) prior: f64,
    /// What the search subtracts, times `h`, from `g` (martingale residuals look at `g - h`).
    pub(super) centre: f64,
}

impl Targets {
    /// Adds `weight` times row `r` to `sums`: `[weight of h.., g..]`.
    pub(super) fn add(&self, r: usize, weight: f64, h: &mut [f64], g: &mut [f64]) {
        let k = self.outputs;
        for (sum, g) in g.iter_mut().zip(&self.g[r * k..(r + 1) * k]) {
            *sum += weight * g;
        }
        match &self.h {
            None => h[0] += weight,
            Some(own) => {
                for (sum, h) in h.iter_mut().zip(&own[r * k..(r + 1) * k]) {
                    *sum += weight * h;
                }
            }
        }
    }

    /// Number of sums of `h` that differ.
    pub(super) fn curvatures(&self) -> usize {
        if self.h.is_some() { self.outputs } else { 1 }
    }
}

/// A row in a node, perhaps only part of it.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) row: u32,
    /// How much of the row is here, at most 1.
    pub(super) share: f64,
    /// `share` times the row's weight.
    pub(super) weight: f64,
}

/// Where to split.
pub(super) struct Split {
    pub(super) column: usize,
    /// Codes up to this go left.
    pub(super) bin: u8,
    pub(super) threshold: f64,
    pub(super) gain: f64,
}

/// Room for one column's histogram, reused from node to node.
pub(super) struct Histogram {
    /// Shape: `[256 * stride]`: share of rows, h.., g...
    sums: Vec<f64>,
    occupied: [u64; 4],
    stride: usize,
    curvatures: usize,
    left: Vec<f64>,
    total: Vec<f64>,
    right: Vec<f64>,
}

impl Histogram {
    pub(super) fn new(targets: &Targets) -> Self {
        let stride = 1 + targets.curvatures() + targets.outputs;
        Self {
            sums: vec![0.0; 256 * stride],
            occupied: [0; 4],
            stride,
            curvatures: targets.curvatures(),
            left: vec![0.0; stride],
            total: vec![0.0; stride],
            right: vec![0.0; stride],
        }
    }

    fn fill(&mut self, column: &Binned, parts: &[Part], targets: &Targets) {
        let stride = self.stride;
        if targets.outputs == 1 && targets.h.is_none() {
            for part in parts {
                let code = column.codes[part.row as usize];
                self.occupied[usize::from(code >> 6)] |= 1 << (code & 63);
                let sums = &mut self.sums[usize::from(code) * 3..usize::from(code) * 3 + 3];
                sums[0] += part.share;
                sums[1] += part.weight;
                sums[2] += part.weight * targets.g[part.row as usize];
            }
        } else {
            for part in parts {
                let code = column.codes[part.row as usize];
                self.occupied[usize::from(code >> 6)] |= 1 << (code & 63);
                let start = usize::from(code) * stride;
                let sums = &mut self.sums[start..start + stride];
                sums[0] += part.share;
                let (h, g) = sums[1..].split_at_mut(self.curvatures);
                targets.add(part.row as usize, part.weight, h, g);
            }
        }
        let missing = usize::from(MISSING) * stride;
        self.sums[missing..missing + stride].fill(0.0);
        self.occupied[3] &= !(1 << 63);
    }

    /// Empties what `fill` wrote.
    fn clear(&mut self, bins: &[u8]) {
        for &bin in bins {
            let start = usize::from(bin) * self.stride;
            self.sums[start..start + self.stride].fill(0.0);
        }
        self.occupied = [0; 4];
    }

    fn worth(&self, sums: &[f64], centre: f64, lambda: f64) -> f64 {
        if let [_, h, g] = *sums {
            let g = g - centre * h;
            return if h + lambda > 0.0 { g * g / (h + lambda) } else { 0.0 };
        }
        let (h, g) = sums[1..].split_at(self.curvatures);
        let one = |c: usize| {
            let h = h[if self.curvatures == 1 { 0 } else { c }];
            let g = g[c] - centre * h;
            if h + lambda > 0.0 { g * g / (h + lambda) } else { 0.0 }
        };
        (0..g.len()).map(one).sum()
    }

    /// The best split of `parts` on `column` that leaves at least `min_leaf` rows on each side; with
    /// `random`, the one threshold that it draws. First: whether the column varies here at all.
    pub(super) fn search(
        &mut self,
        index: usize,
        column: &Binned,
        parts: &[Part],
        targets: &Targets,
        (min_leaf, lambda): (f64, f64),
        random: Option<&mut ChaCha8Rng>,
    ) -> (bool, Option<Split>) {
        self.fill(column, parts, targets);
        let mut bins = [0u8; 255];
        let mut found = 0;
        for (word, &bits) in self.occupied.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                bins[found] = (word * 64) as u8 + bits.trailing_zeros() as u8;
                found += 1;
                bits &= bits - 1;
            }
        }
        let bins = &bins[..found];
        let best = if found < 2 {
            None
        } else {
            self.scan(index, column, bins, targets, (min_leaf, lambda), random)
        };
        self.clear(bins);
        (found >= 2, best)
    }

    fn scan(
        &mut self,
        index: usize,
        column: &Binned,
        bins: &[u8],
        targets: &Targets,
        (min_leaf, lambda): (f64, f64),
        random: Option<&mut ChaCha8Rng>,
    ) -> Option<Split> {
        let stride = self.stride;
        self.left.fill(0.0);
        self.total.fill(0.0);
        for &bin in bins {
            let start = usize::from(bin) * stride;
            for (t, s) in self.total.iter_mut().zip(&self.sums[start..start + stride]) {
                *t += s;
            }
        }
        if self.total[0] < 2.0 * min_leaf {
            return None;
        }
        // An extremely randomised split looks at the one place where a uniform draw falls.
        let only = random.map(|rng| {
            let low = column.ranges[usize::from(bins[0])].1;
            let high = column.ranges[usize::from(bins[bins.len() - 1])].0;
            let cut = low + rng.random::<f64>() * (high - low);
            let past = bins.partition_point(|&b| column.ranges[usize::from(b)].1 <= cut);
            (past.clamp(1, bins.len() - 1) - 1, cut)
        });
        let parent = self.worth(&self.total, targets.centre, lambda);
        let mut best: Option<(usize, f64)> = None;
        for (i, &bin) in bins[..bins.len() - 1].iter().enumerate() {
            let start = usize::from(bin) * stride;
            for (l, s) in self.left.iter_mut().zip(&self.sums[start..start + stride]) {
                *l += s;
            }
            if only.is_some_and(|(place, _)| place != i) || self.left[0] < min_leaf {
                continue;
            }
            for ((right, total), left) in self.right.iter_mut().zip(&self.total).zip(&self.left) {
                *right = total - left;
            }
            if self.right[0] < min_leaf {
                break;
            }
            let gain = self.worth(&self.left, targets.centre, lambda)
                + self.worth(&self.right, targets.centre, lambda)
                - parent;
            if best.is_none_or(|(_, most)| gain > most) {
                best = Some((i, gain));
            }
        }
        let (i, gain) = best?;
        let (bin, next) = (usize::from(bins[i]), usize::from(bins[i + 1]));
        let threshold = match only {
            Some((_, cut)) if cut >= column.ranges[bin].1 && cut < column.ranges[next].0 => cut,
            _ => column.between(bin, next),
        };
        Some(Split { column: index, bin: bins[i], threshold, gain })
    }
}

//! A grown tree, and the walk down it.

use serde::{Deserialize, Serialize};

/// Marks a leaf in [`Tree::feature`].
pub(super) const LEAF: u32 = u32::MAX;

/// A binary tree whose leaves hold one value an output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// Column asked at each node; `u32::MAX` at a leaf.
    pub(super) feature: Vec<u32>,
    /// At most this goes left.
    pub(super) threshold: Vec<f64>,
    /// The left child; the right one is next to it.
    pub(super) left: Vec<u32>,
    /// Share of those whose value was known that went left in training.
    pub(super) share: Vec<f64>,
    /// Shape: `[nodes * outputs]`; zero at inner nodes.
    pub(super) value: Vec<f64>,
    /// Values a leaf.
    pub(super) outputs: usize,
}

impl Tree {
    pub(super) fn new(outputs: usize) -> Self {
        Self { outputs, ..Self::default() }
    }

    /// Adds a leaf and returns its place.
    pub(super) fn push(&mut self) -> usize {
        self.feature.push(LEAF);
        self.threshold.push(0.0);
        self.left.push(0);
        self.share.push(0.0);
        self.value.resize(self.value.len() + self.outputs, 0.0);
        self.feature.len() - 1
    }

    /// The values of node `n`. Shape: `[outputs]`.
    pub(super) fn at(&self, n: usize) -> &[f64] {
        &self.value[n * self.outputs..(n + 1) * self.outputs]
    }

    /// Number of leaves.
    pub fn leaves(&self) -> usize {
        self.feature.iter().filter(|&&f| f == LEAF).count()
    }

    /// Whether the stored arrays form a tree over `cols` columns, so that a damaged file is refused
    /// instead of followed.
    pub(super) fn is_sound(&self, cols: usize) -> bool {
        let n = self.feature.len();
        let lengths = [self.threshold.len(), self.left.len(), self.share.len()];
        n > 0
            && lengths.iter().all(|&l| l == n)
            && self.value.len() == n * self.outputs
            && (0..n).all(|i| {
                let left = self.left[i] as usize;
                self.feature[i] == LEAF
                    || ((self.feature[i] as usize) < cols
                        && left > i
                        && left + 1 < n
                        && (0.0..=1.0).contains(&self.share[i]))
            })
    }

    /// Adds `scale` times this tree's values for `row` to `out`; NaN or an `absent` column goes both ways.
    ///
    /// Shapes: `row [cols]`, `absent [cols]`, `out [outputs]`.
    pub(super) fn add(&self, row: &[f64], absent: Option<&[bool]>, scale: f64, out: &mut [f64]) {
        self.descend(0, row, absent, scale, out);
    }

    fn descend(&self, mut n: usize, row: &[f64], absent: Option<&[bool]>, weight: f64, out: &mut [f64]) {
        while self.feature[n] != LEAF {
            let column = self.feature[n] as usize;
            let left = self.left[n] as usize;
            let hidden = absent.is_some_and(|a| a[column]);
            if hidden || row[column].is_nan() {
                let share = self.share[n];
                self.descend(left, row, absent, weight * share, out);
                self.descend(left + 1, row, absent, weight * (1.0 - share), out);
                return;
            }
            n = if row[column] <= self.threshold[n] { left } else { left + 1 };
        }
        for (out, value) in out.iter_mut().zip(self.at(n)) {
            *out += weight * value;
        }
    }
}

//! Exact Shapley values of tree ensembles, in polynomial time.

use super::Shapley;
use super::node::{LEAF, Tree};
use crate::matrix::Matrix;
use rayon::prelude::*;

pub(super) struct Explainer<'a> {
    pub(super) trees: &'a [Tree],
    pub(super) cols: usize,
    pub(super) outputs: usize,
}

/// What the path to a node has asked of one column.
#[derive(Clone, Copy)]
struct Asked {
    column: usize,
    /// Chance to pass when the column is unknown: the product of the branches' shares.
    unknown: f64,
    /// Whether the row's own value passes: 1 or 0.
    known: f64,
}

/// Points and weights on (0, 1) that integrate polynomials of degree below twice their number.
struct Quadrature(Vec<(f64, f64)>);

impl Quadrature {
    /// # Source
    /// Gauss–Legendre by Newton's method on the three-term recurrence (Press et al., Numerical Recipes 4.6).
    fn new(points: usize) -> Self {
        let n = points as f64;
        let one = |i: usize| {
            let mut t = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut now, mut before) = (1.0, 0.0);
                for j in 0..points {
                    let j = j as f64;
                    (now, before) = (((2.0 * j + 1.0) * t * now - j * before) / (j + 1.0), now);
                }
                slope = n * (t * now - before) / (t * t - 1.0);
                let step = now / slope;
                t -= step;
                if step.abs() < 1e-15 {
                    break;
                }
            }
            (0.5 * (1.0 - t), 1.0 / ((1.0 - t * t) * slope * slope))
        };
        Self((0..points).map(one).collect())
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    row: &'a [f64],
    absent: Option<&'a [bool]>,
    rules: &'a [Quadrature],
    /// Shape: `[outputs * cols]`.
    out: &'a mut [f64],
    cols: usize,
    path: Vec<Asked>,
    /// Products of the path's factors before and after each column.
    around: Vec<f64>,
    shares: Vec<f64>,
}

impl Explainer<'_> {
    /// Shares of `scale` times the sum of the trees; `base` is what is added to the trees.
    ///
    /// A leaf with value `v` and asked columns `j` adds
    /// `v (known_j - unknown_j) * integral over t in (0, 1) of prod_{i != j} (unknown_i + t (known_i - unknown_i))`
    /// to column `j`: Owen's integral of the multilinear extension. The integrand is a polynomial, so
    /// Gauss–Legendre with half as many points as columns is exact, and no factor is ever divided by.
    ///
    /// # Source
    /// Owen 1972 (multilinear extensions of games); Lundberg et al. 2020 (the game).
    pub(super) fn explain(
        &self,
        x: &Matrix,
        absent: Option<&[bool]>,
        scale: f64,
        mut base: Vec<f64>,
    ) -> Shapley {
        let nothing = vec![f64::NAN; self.cols];
        for tree in self.trees {
            tree.add(&nothing, None, scale, &mut base);
        }
        let deepest = self.trees.iter().map(depth).max().unwrap_or(0).min(self.cols);
        let rules: Vec<Quadrature> = (0..=deepest.div_ceil(2)).map(|n| Quadrature::new(n.max(1))).collect();
        let width = self.outputs * self.cols;
        let mut flat = vec![0.0; x.rows * width];
        if width > 0 {
            flat.par_chunks_mut(width).enumerate().for_each(|(r, out)| {
                for tree in self.trees {
                    let mut walk = Walk {
                        tree,
                        row: x.row(r),
                        absent,
                        rules: &rules,
                        out: &mut *out,
                        cols: self.cols,
                        path: Vec::new(),
                        around: Vec::new(),
                        shares: Vec::new(),
                    };
                    walk.descend(0, scale);
                }
            });
        }
        let values = (0..self.outputs)
            .map(|k| {
                let mut shares = Matrix::zeros(x.rows, self.cols);
                for r in 0..x.rows {
                    let start = r * width + k * self.cols;
                    shares.row_mut(r).copy_from_slice(&flat[start..start + self.cols]);
                }
                shares
            })
            .collect();
        Shapley { base, values }
    }
}

fn depth(tree: &Tree) -> usize {
    let mut depth = vec![0usize; tree.feature.len()];
    let mut most = 0;
    for n in 0..tree.feature.len() {
        most = most.max(depth[n]);
        if tree.feature[n] != LEAF {
            let left = tree.left[n] as usize;
            depth[left] = depth[n] + 1;
            depth[left + 1] = depth[n] + 1;
        }
    }
    most
}

impl Walk<'_> {
    fn descend(&mut self, n: usize, weight: f64) {
        if self.tree.feature[n] == LEAF {
            self.settle(n, weight);
            return;
        }
        let column = self.tree.feature[n] as usize;
        let left = self.tree.left[n] as usize;
        let share = self.tree.share[n];
        let value = self.row[column];
        let hidden = self.absent.is_some_and(|a| a[column]) || value.is_nan();
        let goes_left = !hidden && value <= self.tree.threshold[n];
        for (child, share, goes) in [(left, share, goes_left), (left + 1, 1.0 - share, !goes_left)] {
            if hidden {
                self.descend(child, weight * share);
                continue;
            }
            let pass = if goes { 1.0 } else { 0.0 };
            match self.path.iter().position(|a| a.column == column) {
                Some(i) => {
                    let before = self.path[i];
                    self.path[i] =
                        Asked { column, unknown: before.unknown * share, known: before.known * pass };
                    self.descend(child, weight);
                    self.path[i] = before;
                }
                None => {
                    self.path.push(Asked { column, unknown: share, known: pass });
                    self.descend(child, weight);
                    self.path.pop();
                }
            }
        }
    }

    /// Adds a leaf's part to the columns asked on the way to it.
    fn settle(&mut self, n: usize, weight: f64) {
        let m = self.path.len();
        if m == 0 {
            return;
        }
        self.shares.clear();
        self.shares.resize(m, 0.0);
        self.around.resize(m + 1, 1.0);
        for &(t, w) in &self.rules[m.div_ceil(2)].0 {
            let factor = |a: &Asked| a.unknown + t * (a.known - a.unknown);
            self.around[m] = 1.0;
            for i in (0..m).rev() {
                self.around[i] = self.around[i + 1] * factor(&self.path[i]);
            }
            let mut before = w;
            for i in 0..m {
                self.shares[i] += before * self.around[i + 1];
                before *= factor(&self.path[i]);
            }
        }
        for (asked, share) in self.path.iter().zip(&self.shares) {
            let moved = weight * (asked.known - asked.unknown) * share;
            for (k, value) in self.tree.at(n).iter().enumerate() {
                self.out[k * self.cols + asked.column] += moved * value;
            }
        }
    }
}

//! Newton's method for penalised likelihoods that are linear in their coefficients.
//!
//! Few coefficients: the Hessian is built and solved. Many: conjugate gradients on Hessian-vector
//! products, preconditioned by the diagonal, which after rotation to principal axes is nearly all of it.

use super::likelihood::{Likelihood, Point};
use crate::matrix::Matrix;
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

/// Up to this many coefficients the Hessian is built.
pub(crate) const DENSE: usize = 128;
const ROUNDS: usize = 100;

/// `maximise likelihood(design * b + offset) - sum_j penalty_j b_j^2 / 2` with `b >= lower`.
pub(crate) struct Problem<'a> {
    pub(crate) likelihood: &'a Likelihood,
    /// Shape: `[rows, width]`.
    pub(crate) design: &'a Matrix,
    /// Shape: `[rows * outputs]`.
    pub(crate) offset: &'a [f64],
    /// Shape: `[outputs * width]`, like the coefficients.
    pub(crate) penalty: Vec<f64>,
    /// Shape: `[outputs * width]`; `None` where nothing is bounded.
    pub(crate) lower: Option<Vec<f64>>,
}

pub(crate) struct Solution {
    /// Shape: `[outputs * width]`.
    pub(crate) coefficients: Vec<f64>,
    pub(crate) log_likelihood: f64,
    pub(crate) converged: bool,
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in left.zip(right) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f64>() + rest
}

impl Problem<'_> {
    fn outputs(&self) -> usize {
        self.likelihood.outputs()
    }

    /// `design * b`. Shape: `[outputs * width]` -> `[rows * outputs]`.
    fn forward(&self, b: &[f64]) -> Vec<f64> {
        let (k, width) = (self.outputs(), self.design.cols);
        let mut eta = vec![0.0; self.design.rows * k];
        for (r, eta) in eta.chunks_exact_mut(k).enumerate() {
            for (eta, b) in eta.iter_mut().zip(b.chunks_exact(width)) {
                *eta = dot(self.design.row(r), b);
            }
        }
        eta
    }

    /// `design' * v`. Shape: `[rows * outputs]` -> `[outputs * width]`.
    fn backward(&self, v: &[f64]) -> Vec<f64> {
        let (k, width) = (self.outputs(), self.design.cols);
        let mut out = vec![0.0; k * width];
        for (r, v) in v.chunks_exact(k).enumerate() {
            for (out, v) in out.chunks_exact_mut(width).zip(v) {
                for (out, x) in out.iter_mut().zip(self.design.row(r)) {
                    *out += v * x;
                }
            }
        }
        out
    }

    /// The penalised objective, to be maximised, with the point it was taken at.
    fn at(&self, b: &[f64]) -> (f64, Point) {
        let mut eta = self.forward(b);
        for (eta, offset) in eta.iter_mut().zip(self.offset) {
            *eta += offset;
        }
        let point = self.likelihood.at(&eta);
        let penalty: f64 = b.iter().zip(&self.penalty).map(|(b, p)| p * b * b).sum();
        (point.value - 0.5 * penalty, point)
    }

    fn gradient(&self, point: &Point, b: &[f64]) -> Vec<f64> {
        let mut gradient = self.backward(&point.gradient);
        for ((g, b), p) in gradient.iter_mut().zip(b).zip(&self.penalty) {
            *g -= p * b;
        }
        gradient
    }

    fn curvature(&self, point: &Point, v: &[f64]) -> Vec<f64> {
        let eta = self.forward(v);
        let mut bent = vec![0.0; eta.len()];
        self.likelihood.curvature(point, &eta, &mut bent);
        let mut out = self.backward(&bent);
        for ((out, v), p) in out.iter_mut().zip(v).zip(&self.penalty) {
            *out += p * v;
        }
        out
    }

    /// The diagonal of the penalised, negated Hessian.
    fn diagonal(&self, point: &Point) -> Vec<f64> {
        let (k, width) = (self.outputs(), self.design.cols);
        let mut out = self.penalty.clone();
        for (r, d) in point.diagonal.chunks_exact(k).enumerate() {
            for (out, d) in out.chunks_exact_mut(width).zip(d) {
                for (out, x) in out.iter_mut().zip(self.design.row(r)) {
                    *out += d * x * x;
                }
            }
        }
        let floor = out.iter().copied().fold(0.0, f64::max) * 1e-14 + f64::MIN_POSITIVE;
        out.iter().map(|d| d.max(floor)).collect()
    }

    /// Solves `Hessian * step = gradient` over the coefficients that are `free`.
    fn direct(&self, point: &Point, gradient: &[f64], free: &[usize]) -> Vec<f64> {
        let m = free.len();
        let mut hessian = Mat::<f64>::zeros(m, m);
        let mut unit = vec![0.0; gradient.len()];
        for (c, &j) in free.iter().enumerate() {
            unit[j] = 1.0;
            let column = self.curvature(point, &unit);
            unit[j] = 0.0;
            for (r, &i) in free.iter().enumerate() {
                hessian[(r, c)] = column[i];
            }
        }
        // Scaled to a unit diagonal, so that the jitter of a singular fit means the same everywhere.
        let scale: Vec<f64> =
            (0..m).map(|i| 1.0 / hessian[(i, i)].max(f64::MIN_POSITIVE).sqrt().max(1e-150)).collect();
        let mut jitter = 0.0;
        loop {
            let scaled = Mat::from_fn(m, m, |i, j| {
                let symmetric = 0.5 * (hessian[(i, j)] + hessian[(j, i)]);
                symmetric * scale[i] * scale[j] + if i == j { jitter } else { 0.0 }
            });
            if let Ok(factor) = scaled.llt(Side::Lower) {
                let right = Mat::from_fn(m, 1, |i, _| gradient[free[i]] * scale[i]);
                let solved = factor.solve(&right);
                let mut step = vec![0.0; gradient.len()];
                for (i, &j) in free.iter().enumerate() {
                    step[j] = solved[(i, 0)] * scale[i];
                }
                if step.iter().all(|s| s.is_finite()) {
                    return step;
                }
            }
            jitter = if jitter == 0.0 { 1e-12 } else { jitter * 100.0 };
            if jitter > 1e6 {
                return vec![0.0; gradient.len()];
            }
        }
    }

    /// Preconditioned conjugate gradients.
    fn iterative(&self, point: &Point, gradient: &[f64]) -> Vec<f64> {
        let diagonal = self.diagonal(point);
        let mut step = vec![0.0; gradient.len()];
        let mut rest = gradient.to_vec();
        let mut eased: Vec<f64> = rest.iter().zip(&diagonal).map(|(r, d)| r / d).collect();
        let mut direction = eased.clone();
        let mut energy = dot(&rest, &eased);
        // Far from the optimum a rough step will do; the nearer, the finer.
        let goal = energy * energy.clamp(1e-10, 1e-2);
        for _ in 0..500 {
            let bent = self.curvature(point, &direction);
            let along = dot(&direction, &bent);
            if along.is_nan() || along <= 0.0 {
                break;
            }
            let length = energy / along;
            for ((s, r), (d, b)) in step.iter_mut().zip(rest.iter_mut()).zip(direction.iter().zip(&bent)) {
                *s += length * d;
                *r -= length * b;
            }
            for ((e, r), d) in eased.iter_mut().zip(&rest).zip(&diagonal) {
                *e = r / d;
            }
            let next = dot(&rest, &eased);
            if next <= goal {
                break;
            }
            for (d, e) in direction.iter_mut().zip(&eased) {
                *d = e + next / energy * *d;
            }
            energy = next;
        }
        step
    }

    /// Climbs to the optimum from `start`. Deterministic; never fails, but says whether it arrived.
    ///
    /// # Source
    /// Newton with backtracking (Nocedal & Wright 2006, ch. 7); bounds by two-metric projection
    /// (Bertsekas 1982).
    pub(crate) fn solve(&self, start: Vec<f64>) -> Solution {
        let mut b = start;
        let (mut value, mut point) = self.at(&b);
        let mut converged = false;
        for _ in 0..ROUNDS {
            if converged {
                break;
            }
            let gradient = self.gradient(&point, &b);
            let held =
                |j: usize| self.lower.as_ref().is_some_and(|lower| b[j] <= lower[j] && gradient[j] <= 0.0);
            let mut free: Vec<usize> = (0..b.len()).filter(|&j| !held(j)).collect();
            let dense = self.lower.is_some() || b.len() <= DENSE;
            let step = loop {
                let step = if dense {
                    self.direct(&point, &gradient, &free)
                } else {
                    self.iterative(&point, &gradient)
                };
                // A step out of bounds from a bound would be cut off and the rest could lead downhill: hold it.
                let out = |j: usize| self.lower.as_ref().is_some_and(|l| b[j] <= l[j] && step[j] < 0.0);
                let before = free.len();
                free.retain(|&j| !out(j));
                if free.len() == before {
                    break step;
                }
            };
            let promised = dot(&step, &gradient);
            let small = 1.0 + value.abs();
            let mut length = 1.0;
            let mut arrived = promised <= 1e-16 * small;
            let mut moved = false;
            for _ in 0..40 {
                let trial: Vec<f64> = (0..b.len())
                    .map(|j| {
                        let free = b[j] + length * step[j];
                        self.lower.as_ref().map_or(free, |lower| free.max(lower[j]))
                    })
                    .collect();
                let (next, at) = self.at(&trial);
                let expected: f64 = (0..b.len()).map(|j| (trial[j] - b[j]) * gradient[j]).sum();
                if next.is_finite() && next >= value + 1e-4 * expected - 1e-14 * small {
                    moved = true;
                    (b, value, point) = (trial, next, at);
                    break;
                }
                length *= 0.5;
            }
            if !moved {
                arrived = promised <= 1e-10 * small;
                converged = arrived;
                break;
            }
            converged = arrived;
        }
        Solution { coefficients: b, log_likelihood: point.value, converged }
    }
}

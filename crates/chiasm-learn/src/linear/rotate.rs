//! Rotation of a wide design to its principal axes, done once for a whole path of penalties.

use crate::matrix::Matrix;
use faer::{Mat, MatRef, Side};

/// A centred matrix `x` seen along its principal axes: `x = scores * axes'`.
pub(crate) struct Rotation {
    /// Shape: `[rows, rank]`.
    pub(crate) scores: Matrix,
    back: Back,
}

enum Back {
    /// Axes as combinations of rows. Shape: `[rows, rank]`.
    Rows(Mat<f64>),
    /// The axes themselves. Shape: `[cols, rank]`.
    Columns(Mat<f64>),
}

pub(crate) fn view(x: &Matrix) -> MatRef<'_, f64> {
    MatRef::from_row_major_slice(&x.values, x.rows, x.cols)
}

impl Rotation {
    /// Rotates `x` by the eigenvectors of its smaller Gram matrix; axes without variance (below 1e-13 of
    /// the first) are left out. `None` where the decomposition does not converge or nothing varies.
    pub(crate) fn new(x: &Matrix) -> Option<Self> {
        let m = view(x);
        let wide = x.cols > x.rows;
        let gram = if wide { m * m.transpose() } else { m.transpose() * m };
        let eigen = gram.self_adjoint_eigen(Side::Lower).ok()?;
        let (vectors, values) = (eigen.U(), eigen.S().column_vector());
        let size = values.nrows();
        let most = if size == 0 { 0.0 } else { values[size - 1] };
        let kept: Vec<usize> =
            (0..size).rev().filter(|&i| values[i] > most * 1e-13 && values[i] > 0.0).collect();
        if kept.is_empty() {
            return None;
        }
        // The sign of an eigenvector is arbitrary; nothing that leaves this module depends on it.
        let axes = Mat::from_fn(size, kept.len(), |i, c| vectors[(i, kept[c])]);
        let (scores, back) = if wide {
            let scores = Mat::from_fn(size, kept.len(), |i, c| axes[(i, c)] * values[kept[c]].sqrt());
            (scores, Back::Rows(Mat::from_fn(size, kept.len(), |i, c| axes[(i, c)] / values[kept[c]].sqrt())))
        } else {
            (m * &axes, Back::Columns(axes))
        };
        let mut flat = Matrix::zeros(x.rows, kept.len());
        for r in 0..x.rows {
            for (c, value) in flat.row_mut(r).iter_mut().enumerate() {
                *value = scores[(r, c)];
            }
        }
        Some(Self { scores: flat, back })
    }

    /// Coefficients along the axes -> coefficients of the columns of `x`. Shape: `[rank]` -> `[cols]`.
    pub(crate) fn back(&self, x: &Matrix, along: &[f64]) -> Vec<f64> {
        let along = MatRef::from_column_major_slice(along, along.len(), 1);
        let out = match &self.back {
            Back::Rows(axes) => view(x).transpose() * (axes * along),
            Back::Columns(axes) => axes * along,
        };
        (0..x.cols).map(|j| out[(j, 0)]).collect()
    }

    /// The axes with unit length. Shape: `[cols, rank]`.
    pub(crate) fn axes(&self, x: &Matrix) -> Mat<f64> {
        match &self.back {
            Back::Rows(axes) => view(x).transpose() * axes,
            Back::Columns(axes) => axes.clone(),
        }
    }
}

//! A plain numeric matrix, the form in which evidence meets the classical learners.

use serde::{Deserialize, Serialize};

/// Row-major `[rows, cols]`; NaN marks a missing cell where a function says that it takes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Row after row.
    pub values: Vec<f64>,
}

impl Matrix {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, values: vec![0.0; rows * cols] }
    }

    /// Row `r`. Shape: `[cols]`.
    pub fn row(&self, r: usize) -> &[f64] {
        &self.values[r * self.cols..(r + 1) * self.cols]
    }

    /// Row `r`, to write. Shape: `[cols]`.
    pub fn row_mut(&mut self, r: usize) -> &mut [f64] {
        &mut self.values[r * self.cols..(r + 1) * self.cols]
    }

    /// The rows named, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&r| self.row(r)).copied().collect();
        Self { rows: rows.len(), cols: self.cols, values }
    }
}

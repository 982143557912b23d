use crate::matrix::Matrix;
use serde::{Deserialize, Serialize};

/// How much each column moved each row's score away from what is expected when nothing is known.
///
/// For every output `k` and row `r`: `base[k] + sum_j values[k][r, j]` is the score that the model's
/// own prediction gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shapley {
    /// The score of a row of which nothing is known. Shape: `[outputs]`.
    pub base: Vec<f64>,
    /// One matrix an output. Shape: `[outputs][rows, cols]`, in the unit of the score.
    pub values: Vec<Matrix>,
}

impl Shapley {
    /// Base plus shares: the scores that these shares explain. Shape: `[rows, outputs]`.
    pub fn total(&self) -> Matrix {
        let rows = self.values.first().map_or(0, |v| v.rows);
        let mut total = Matrix::zeros(rows, self.base.len());
        for (k, (base, shares)) in self.base.iter().zip(&self.values).enumerate() {
            for r in 0..rows {
                total.row_mut(r)[k] = base + shares.row(r).iter().sum::<f64>();
            }
        }
        total
    }
}

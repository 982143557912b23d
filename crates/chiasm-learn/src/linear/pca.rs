use super::rotate::Rotation;
use crate::Error;
use crate::matrix::Matrix;
use serde::{Deserialize, Serialize};

/// Principal components of a training matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pca {
    /// Mean of each column. Shape: `[cols]`.
    pub mean: Vec<f64>,
    /// One axis of unit length a row, of greatest variance first; the entry of greatest magnitude is
    /// positive, so the signs do not depend on the eigensolver. Shape: `[components, cols]`.
    pub axes: Matrix,
    /// Variance (n - 1) along each axis. Shape: `[components]`.
    pub variance: Vec<f64>,
}

impl Pca {
    /// Finds at most `components` axes (fewer where the data have less rank).
    ///
    /// # Errors
    /// [`Error::CannotLearn`] with fewer than two rows, nothing that varies, or a cell that is not finite.
    pub fn fit(x: &Matrix, components: usize) -> Result<Self, Error> {
        let cannot = |message: &str| Error::CannotLearn { place: "pca".into(), message: message.into() };
        if x.rows < 2 {
            return Err(cannot("fewer than two rows"));
        }
        if x.values.iter().any(|v| !v.is_finite()) {
            return Err(cannot("a cell is not a finite number"));
        }
        let mut mean = vec![0.0; x.cols];
        for r in 0..x.rows {
            for (m, v) in mean.iter_mut().zip(x.row(r)) {
                *m += v / x.rows as f64;
            }
        }
        let mut centred = x.clone();
        for r in 0..x.rows {
            for (v, m) in centred.row_mut(r).iter_mut().zip(&mean) {
                *v -= m;
            }
        }
        let rotation = Rotation::new(&centred).ok_or_else(|| cannot("no column varies"))?;
        let found = rotation.axes(&centred);
        let kept = components.min(found.ncols());
        let mut axes = Matrix::zeros(kept, x.cols);
        let mut variance = Vec::with_capacity(kept);
        for c in 0..kept {
            let mut lead = 0;
            for j in 0..x.cols {
                if found[(j, c)].abs() > found[(lead, c)].abs() {
                    lead = j;
                }
            }
            let sign = found[(lead, c)].signum();
            for (j, value) in axes.row_mut(c).iter_mut().enumerate() {
                *value = sign * found[(j, c)];
            }
            let spread: f64 = (0..x.rows).map(|r| rotation.scores.row(r)[c].powi(2)).sum();
            variance.push(spread / (x.rows - 1) as f64);
        }
        Ok(Self { mean, axes, variance })
    }

    /// Coordinates along the axes. Shape: `[rows, cols]` -> `[rows, components]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the number of columns is not that of the training.
    pub fn transform(&self, x: &Matrix) -> Result<Matrix, Error> {
        if x.cols != self.mean.len() {
            let message = format!("pca: {} columns, expected {}", x.cols, self.mean.len());
            return Err(Error::Shape { message });
        }
        let mut out = Matrix::zeros(x.rows, self.axes.rows);
        let mut centred = vec![0.0; x.cols];
        for r in 0..x.rows {
            for ((c, v), m) in centred.iter_mut().zip(x.row(r)).zip(&self.mean) {
                *c = v - m;
            }
            for (a, value) in out.row_mut(r).iter_mut().enumerate() {
                *value = super::newton::dot(self.axes.row(a), &centred);
            }
        }
        Ok(out)
    }
}

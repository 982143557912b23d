//! Columns cut at quantiles into at most 255 bins, so that a split is searched among few places.

use crate::Error;
use crate::matrix::Matrix;

/// The code of a missing value.
pub(super) const MISSING: u8 = 255;
const MOST: usize = 255;

/// A training matrix as bin codes.
pub(super) struct Bins {
    pub(super) rows: usize,
    pub(super) columns: Vec<Binned>,
}

/// One column as bin codes.
pub(super) struct Binned {
    /// Bin of each row. Shape: `[rows]`.
    pub(super) codes: Vec<u8>,
    /// Least and greatest value in each bin, ascending.
    pub(super) ranges: Vec<(f64, f64)>,
}

impl Binned {
    fn new(values: &[f64]) -> Self {
        let mut known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        known.sort_by(f64::total_cmp);
        let mut ranges: Vec<(f64, f64)> = Vec::new();
        let mut distinct = known.clone();
        distinct.dedup();
        if distinct.len() <= MOST {
            ranges.extend(distinct.iter().map(|&v| (v, v)));
        } else {
            // Equal counts as far as ties allow: a bin ends where its quantile is reached.
            let mut i = 0;
            while i < known.len() {
                let bin = ranges.len() + 1;
                let goal = (known.len() * bin).div_ceil(MOST).max(i + 1);
                let mut end = goal.min(known.len());
                while end < known.len() && known[end] <= known[end - 1] {
                    end += 1;
                }
                ranges.push((known[i], known[end - 1]));
                i = end;
            }
        }
        let code = |v: &f64| {
            if v.is_nan() {
                return MISSING;
            }
            let bin = ranges.partition_point(|(_, high)| high < v);
            u8::try_from(bin).unwrap_or(MISSING - 1)
        };
        Self { codes: values.iter().map(code).collect(), ranges }
    }

    /// The place between `bin` and the `next` one that is occupied: at most this goes left.
    pub(super) fn between(&self, bin: usize, next: usize) -> f64 {
        let (low, high) = (self.ranges[bin].1, self.ranges[next].0);
        let middle = low + 0.5 * (high - low);
        if middle < high && middle >= low { middle } else { low }
    }
}

impl Bins {
    /// # Errors
    /// [`Error::CannotLearn`] where there is no row or a cell is infinite.
    pub(super) fn new(place: &str, x: &Matrix) -> Result<Self, Error> {
        let cannot = |message: &str| Error::CannotLearn { place: place.into(), message: message.into() };
        if x.rows == 0 {
            return Err(cannot("no rows"));
        }
        if x.values.len() != x.rows * x.cols {
            return Err(Error::Shape { message: format!("{place}: a matrix without the cells it claims") });
        }
        if x.values.iter().any(|v| v.is_infinite()) {
            return Err(cannot("a cell is infinite"));
        }
        let column = |c: usize| Binned::new(&(0..x.rows).map(|r| x.row(r)[c]).collect::<Vec<f64>>());
        Ok(Self { rows: x.rows, columns: (0..x.cols).map(column).collect() })
    }
}

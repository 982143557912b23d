//! Trees, forests and boosting that marginalise over what is missing, with exact Shapley values.
//!
//! A missing value at a split goes down both branches, weighted by the training cover, in training and in
//! prediction: so the prediction with any columns absent is the tree's marginal over the training
//! distribution given what is present, and the content of an absent column is never read.

mod bins;
mod boost;
mod forest;
mod grow;
mod node;
mod shapley;
mod split;

pub use crate::linear::Shapley;
pub use boost::{Boosted, BoostedConfig};
pub use forest::{Forest, ForestConfig};
pub use node::Tree;

use crate::Error;
use crate::matrix::Matrix;

/// Checks that rows to predict have the columns of the training.
fn check(place: &str, x: &Matrix, absent: Option<&[bool]>, cols: usize) -> Result<(), Error> {
    let shape = |message: String| Err(Error::Shape { message: format!("{place}: {message}") });
    if x.cols != cols || x.values.len() != x.rows * x.cols {
        return shape(format!("{} columns, expected {cols}", x.cols));
    }
    match absent {
        Some(absent) if absent.len() != cols => {
            shape(format!("{} columns marked absent or not, expected {cols}", absent.len()))
        }
        _ => Ok(()),
    }
}

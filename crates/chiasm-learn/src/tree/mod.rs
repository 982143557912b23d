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
mod subsets;

pub use crate::linear::Shapley;
pub use boost::{Boosted, BoostedConfig};
pub use forest::{Forest, ForestConfig};
pub use node::Tree;

use crate::Error;
use crate::matrix::Matrix;
use rayon::prelude::*;

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

/// Rows that are led down one tree before the next.
const ROWS_TOGETHER: usize = 32;

/// Checks that every column has a group, and that the subsets can be counted.
fn check_groups(place: &str, x: &Matrix, group: &[usize], groups: usize, cols: usize) -> Result<(), Error> {
    check(place, x, None, cols)?;
    if group.len() != cols || groups > 16 || group.iter().any(|&g| g >= groups) {
        let message = format!(
            "{place}: {} columns in {groups} groups, expected {cols} columns in at most 16",
            group.len()
        );
        return Err(Error::Shape { message });
    }
    Ok(())
}

/// The sum of `scale` times the trees, added to `start`, for each row through every subset of `groups` groups
/// of columns. Shape: `[rows][2^groups, outputs]`.
fn through_every_subset(
    trees: &[Tree],
    x: &Matrix,
    group: &[usize],
    groups: usize,
    scale: f64,
    start: &[f64],
) -> Vec<Matrix> {
    let plans: Vec<subsets::Plan> =
        trees.par_iter().map(|tree| subsets::Plan::new(tree, group, groups)).collect();
    let outputs = start.len();
    let rows: Vec<usize> = (0..x.rows).collect();
    // Tree by tree for a few rows at once: a tree stays in the cache.
    let several = |rows: &[usize]| {
        let empty = Matrix { rows: 1 << groups, cols: outputs, values: start.repeat(1 << groups) };
        let mut out = vec![empty; rows.len()];
        for plan in &plans {
            let mut room = plan.room();
            for (out, &r) in out.iter_mut().zip(rows) {
                plan.add(x.row(r), scale, &mut room, &mut out.values);
            }
        }
        out
    };
    rows.par_chunks(ROWS_TOGETHER).flat_map_iter(several).collect()
}

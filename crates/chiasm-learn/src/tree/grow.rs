//! Growing one tree from binned columns.

use super::bins::{Bins, MISSING};
use super::node::Tree;
use super::split::{Histogram, Part, Split, Targets};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A smaller piece of a row than this is not split further but goes whole to the heavier branch, so that a
/// row with many missing values cannot end in more than 1/PIECE leaves.
const PIECE: f64 = 0.02;

/// How a tree grows.
pub(super) struct Growth {
    /// Columns that vary, tried at each split.
    pub(super) tried: usize,
    /// Fewest rows in a leaf (pieces of rows add up).
    pub(super) min_leaf: f64,
    pub(super) max_depth: usize,
    /// One random threshold per column tried.
    pub(super) extra: bool,
    /// Added to the curvature of each leaf.
    pub(super) lambda: f64,
    /// A split must gain more than this.
    pub(super) least_gain: f64,
}

/// The rows that a tree sees: those with a positive weight. Shapes: `[rows]`.
pub(super) struct Sample<'a> {
    /// What a row counts for when branches are weighed against each other.
    pub(super) cover: &'a [f64],
    /// What a row counts for in leaves and gains.
    pub(super) weight: &'a [f64],
}

struct Task {
    node: usize,
    depth: usize,
    parts: Vec<Part>,
}

/// Grows one tree; the same input and random state give the same tree.
pub(super) fn grow(
    bins: &Bins,
    targets: &Targets,
    sample: &Sample<'_>,
    growth: &Growth,
    rng: &mut ChaCha8Rng,
) -> Tree {
    let mut tree = Tree::new(targets.outputs);
    let mut histogram = Histogram::new(targets);
    let mut columns: Vec<usize> = (0..bins.columns.len()).collect();
    let whole = |r: usize| Part { row: r as u32, share: 1.0, weight: sample.weight[r] };
    let parts = (0..bins.rows).filter(|&r| sample.weight[r] > 0.0).map(whole).collect();
    let mut tasks = vec![Task { node: tree.push(), depth: 0, parts }];
    while let Some(Task { node, depth, parts }) = tasks.pop() {
        let open = depth < growth.max_depth && !is_pure(targets, &parts);
        let split =
            if open { best(bins, targets, growth, &parts, &mut columns, &mut histogram, rng) } else { None };
        let Some(split) = split else {
            say(&mut tree, node, targets, &parts, growth.lambda);
            continue;
        };
        let (share, left, right) = part(bins, sample, &split, &parts);
        let first = tree.push();
        let second = tree.push();
        tree.feature[node] = split.column as u32;
        tree.threshold[node] = split.threshold;
        tree.left[node] = first as u32;
        tree.share[node] = share;
        tasks.push(Task { node: second, depth: depth + 1, parts: right });
        tasks.push(Task { node: first, depth: depth + 1, parts: left });
    }
    tree
}

/// Whether all rows say the same, so that no split can help.
fn is_pure(targets: &Targets, parts: &[Part]) -> bool {
    let k = targets.outputs;
    let said = |p: &Part| &targets.g[p.row as usize * k..(p.row as usize + 1) * k];
    targets.h.is_none() && parts.iter().all(|p| said(p) == said(&parts[0]))
}

fn best(
    bins: &Bins,
    targets: &Targets,
    growth: &Growth,
    parts: &[Part],
    columns: &mut [usize],
    histogram: &mut Histogram,
    rng: &mut ChaCha8Rng,
) -> Option<Split> {
    let mut best: Option<Split> = None;
    let mut tried = 0;
    for i in 0..columns.len() {
        if tried >= growth.tried && best.is_some() {
            break;
        }
        if growth.tried < columns.len() {
            columns.swap(i, rng.random_range(i..columns.len()));
        }
        let column = columns[i];
        let random = growth.extra.then_some(&mut *rng);
        let limits = (growth.min_leaf, growth.lambda);
        let (varies, split) = histogram.search(column, &bins.columns[column], parts, targets, limits, random);
        tried += usize::from(varies);
        if let Some(split) = split
            && split.gain > growth.least_gain
            && best.as_ref().is_none_or(|b| split.gain > b.gain)
        {
            best = Some(split);
        }
    }
    best
}

/// Writes what a leaf says.
fn say(tree: &mut Tree, node: usize, targets: &Targets, parts: &[Part], lambda: f64) {
    let k = targets.outputs;
    let (mut h, mut g) = (vec![0.0; targets.curvatures()], vec![0.0; k]);
    for part in parts {
        targets.add(part.row as usize, part.weight, &mut h, &mut g);
    }
    for c in 0..k {
        let below = h[if h.len() == 1 { 0 } else { c }] + targets.prior + lambda;
        tree.value[node * k + c] = if below > 0.0 { (g[c] + targets.prior) / below } else { 0.0 };
    }
}

/// The share of the known that goes left, and who goes where.
fn part(bins: &Bins, sample: &Sample<'_>, split: &Split, parts: &[Part]) -> (f64, Vec<Part>, Vec<Part>) {
    let codes = &bins.columns[split.column].codes;
    let (mut left, mut right) = (Vec::with_capacity(parts.len()), Vec::with_capacity(parts.len()));
    let (mut to_left, mut to_right) = (0.0, 0.0);
    for part in parts {
        let row = part.row as usize;
        match codes[row] {
            MISSING => {}
            code if code <= split.bin => {
                to_left += part.share * sample.cover[row];
                left.push(*part);
            }
            _ => {
                to_right += part.share * sample.cover[row];
                right.push(*part);
            }
        }
    }
    let share = to_left / (to_left + to_right);
    for part in parts.iter().filter(|p| codes[p.row as usize] == MISSING) {
        let piece = |s: f64| Part { row: part.row, share: part.share * s, weight: part.weight * s };
        if part.share * share.min(1.0 - share) >= PIECE {
            left.push(piece(share));
            right.push(piece(1.0 - share));
        } else if share >= 0.5 {
            left.push(*part);
        } else {
            right.push(*part);
        }
    }
    (share, left, right)
}

//! What trees say of a row through every subset of groups of columns, in one walk a tree.

use super::node::{LEAF, Tree};
use std::collections::BTreeMap;

/// The groups that a tree asks below each node.
///
/// A walk hands up, for each node, one value for every subset of the groups *below that node*: near the
/// leaves, where most nodes are, that is a handful, however many groups there are. Asking each subset
/// on its own walks the tree as often as there are subsets.
pub(super) struct Plan<'a> {
    tree: &'a Tree,
    /// Per column: its group.
    group: &'a [usize],
    /// Per node: the groups asked at it or below it, as bits.
    below: Vec<u32>,
    /// Per inner node: where its subsets are found among those of its left and of its right child.
    children: Vec<(usize, usize)>,
    /// From the subsets of some groups to those of fewer: the position of the intersection.
    fewer: Vec<Vec<u32>>,
}

impl<'a> Plan<'a> {
    /// `group [cols]`: the group of each column, below 32.
    pub(super) fn new(tree: &'a Tree, group: &'a [usize]) -> Self {
        let nodes = tree.feature.len();
        let (mut below, mut children) = (vec![0u32; nodes], vec![(0, 0); nodes]);
        let (mut fewer, mut known) = (Vec::new(), BTreeMap::new());
        // A child stands after its parent.
        for n in (0..nodes).rev().filter(|&n| tree.feature[n] != LEAF) {
            let left = tree.left[n] as usize;
            let own = 1 << group[tree.feature[n] as usize];
            below[n] = own | below[left] | below[left + 1];
            let mut table = |child: u32| {
                *known.entry((below[n], child)).or_insert_with(|| {
                    fewer.push(intersections(below[n], child));
                    fewer.len() - 1
                })
            };
            children[n] = (table(below[left]), table(below[left + 1]));
        }
        Self { tree, group, below, children, fewer }
    }

    /// Adds `scale` times the tree's values for `row` to `out`, for every subset of the groups `0..groups`;
    /// NaN, and a column whose group is not in the subset, goes both ways.
    ///
    /// Shapes: `row [cols]`, `out [2^groups, outputs]`; `scratch` is room to work in.
    pub(super) fn add(&self, row: &[f64], scale: f64, scratch: &mut Vec<f64>, out: &mut [f64]) {
        scratch.clear();
        self.walk(0, row, scratch);
        let outputs = self.tree.outputs;
        for (subset, out) in out.chunks_exact_mut(outputs).enumerate() {
            let at = extract(subset as u32, self.below[0]) as usize * outputs;
            out.iter_mut().zip(&scratch[at..at + outputs]).for_each(|(out, v)| *out += scale * v);
        }
    }

    /// Puts the values of node `n` on top of `stack`: `[2^groups below n, outputs]`.
    fn walk(&self, n: usize, row: &[f64], stack: &mut Vec<f64>) {
        let outputs = self.tree.outputs;
        if self.tree.feature[n] == LEAF {
            stack.extend_from_slice(self.tree.at(n));
            return;
        }
        let column = self.tree.feature[n] as usize;
        let left = self.tree.left[n] as usize;
        let from_left = stack.len();
        self.walk(left, row, stack);
        let from_right = stack.len();
        self.walk(left + 1, row, stack);
        let start = stack.len();
        let (left, right) = (&self.fewer[self.children[n].0], &self.fewer[self.children[n].1]);
        let (share, value) = (self.tree.share[n], row[column]);
        let own = extract(1 << self.group[column], self.below[n]);
        for (subset, (&l, &r)) in left.iter().zip(right).enumerate() {
            let seen = subset as u32 & own != 0 && !value.is_nan();
            let goes_left = value <= self.tree.threshold[n];
            for k in 0..outputs {
                let l = stack[from_left + l as usize * outputs + k];
                let r = stack[from_right + r as usize * outputs + k];
                stack.push(match (seen, goes_left) {
                    (true, true) => l,
                    (true, false) => r,
                    (false, _) => share * l + (1.0 - share) * r,
                });
            }
        }
        stack.copy_within(start.., from_left);
        stack.truncate(from_left + left.len() * outputs);
    }
}

/// For each subset of `groups`, the position of its part in `fewer` among the subsets of `fewer`.
fn intersections(groups: u32, fewer: u32) -> Vec<u32> {
    let kept = extract(fewer, groups);
    (0..1u32 << groups.count_ones()).map(|subset| extract(subset, kept)).collect()
}

/// The bits of `value` at the places of `mask`, moved together.
fn extract(value: u32, mut mask: u32) -> u32 {
    let (mut found, mut place) = (0, 0);
    while mask != 0 {
        found |= (value >> mask.trailing_zeros() & 1) << place;
        place += 1;
        mask &= mask - 1;
    }
    found
}

//! What trees say of a row through every subset of groups of columns, in one walk a tree.

use super::node::{LEAF, Tree};
use std::collections::BTreeMap;

/// A tree, laid out for walks from the leaves to the root.
///
/// A walk works out, for each node, one value for every subset of the groups asked *below that node*: near
/// the leaves, where most nodes are, that is a handful, however many groups there are. Asking each subset
/// on its own walks the tree as often as there are subsets.
pub(super) struct Plan {
    outputs: usize,
    /// The inner nodes, children before parents.
    inner: Vec<Inner>,
    /// Room for the values of all nodes, those of the leaves filled in.
    room: Vec<f64>,
    /// Of the root, per subset of all groups: where its values stand in the room.
    root: Vec<usize>,
    /// From the subsets of some groups to those of fewer: the position of the intersection.
    fewer: Vec<Vec<u32>>,
}

struct Inner {
    column: usize,
    threshold: f64,
    share: f64,
    /// Where its values begin: `[subsets of the groups at it or below it, outputs]`.
    at: usize,
    /// Of each run of so many subsets and as many again, the first lack its own group, the second have it.
    half: usize,
    /// Per child: where its values begin, and which of them is meant by each of the node's subsets.
    left: (usize, usize),
    right: (usize, usize),
}

impl Plan {
    /// `group [cols]`: the group of each column, below `groups`.
    pub(super) fn new(tree: &Tree, group: &[usize], groups: usize) -> Self {
        let (nodes, outputs) = (tree.feature.len(), tree.outputs);
        let (mut below, mut start) = (vec![0u32; nodes], vec![0; nodes]);
        let (mut inner, mut room) = (Vec::new(), Vec::new());
        let (mut fewer, mut known) = (Vec::new(), BTreeMap::new());
        // A child stands after its parent.
        for n in (0..nodes).rev() {
            start[n] = room.len();
            if tree.feature[n] == LEAF {
                room.extend_from_slice(tree.at(n));
                continue;
            }
            let (column, left) = (tree.feature[n] as usize, tree.left[n] as usize);
            below[n] = 1 << group[column] | below[left] | below[left + 1];
            room.resize(start[n] + (outputs << below[n].count_ones()), 0.0);
            let mut child = |child: usize| {
                let table = *known.entry((below[n], below[child])).or_insert_with(|| {
                    fewer.push(intersections(below[n], below[child]));
                    fewer.len() - 1
                });
                (start[child], table)
            };
            inner.push(Inner {
                column,
                threshold: tree.threshold[n],
                share: tree.share[n],
                at: start[n],
                half: extract(1 << group[column], below[n]) as usize,
                left: child(left),
                right: child(left + 1),
            });
        }
        let everything = (1u32 << groups) - 1;
        let root = intersections(everything, below[0]).into_iter().map(|s| start[0] + s as usize * outputs);
        Self { outputs, inner, room, root: root.collect(), fewer }
    }

    /// Room for the walks of one thread.
    pub(super) fn room(&self) -> Vec<f64> {
        self.room.clone()
    }

    /// Adds `scale` times the tree's values for `row` to `out`, for every subset of the groups; NaN, and a
    /// column whose group is not in the subset, goes both ways.
    ///
    /// Shapes: `row [cols]`, `out [2^groups, outputs]`.
    pub(super) fn add(&self, row: &[f64], scale: f64, room: &mut [f64], out: &mut [f64]) {
        for node in &self.inner {
            self.work_out(node, row[node.column], room);
        }
        for (&at, out) in self.root.iter().zip(out.chunks_exact_mut(self.outputs)) {
            out.iter_mut().zip(&room[at..]).for_each(|(out, value)| *out += scale * value);
        }
    }

    fn work_out(&self, node: &Inner, value: f64, room: &mut [f64]) {
        let k = self.outputs;
        let (left, right) = (&self.fewer[node.left.1], &self.fewer[node.right.1]);
        // Children have been laid out before their parent.
        let (children, here) = room.split_at_mut(node.at);
        let (left_values, right_values) = (&children[node.left.0..], &children[node.right.0..]);
        let mean = |s: usize, output: usize| {
            let l = left_values[left[s] as usize * k + output];
            let r = right_values[right[s] as usize * k + output];
            node.share * l + (1.0 - node.share) * r
        };
        if value.is_nan() {
            for s in 0..left.len() {
                (0..k).for_each(|output| here[s * k + output] = mean(s, output));
            }
            return;
        }
        let (taken, values) =
            if value <= node.threshold { (left, left_values) } else { (right, right_values) };
        for run in (0..left.len()).step_by(2 * node.half) {
            for s in run..run + node.half {
                (0..k).for_each(|output| here[s * k + output] = mean(s, output));
            }
            for s in run + node.half..run + 2 * node.half {
                (0..k).for_each(|output| here[s * k + output] = values[taken[s] as usize * k + output]);
            }
        }
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

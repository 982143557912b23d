//! Packed rows: which tokens belong to which row.

use std::ops::Range;

/// Consecutive runs of tokens, one run a row; runs may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spans {
    /// `rows + 1` ascending positions, from 0 to the number of tokens.
    offsets: Vec<usize>,
}

impl Spans {
    /// From the length of each run.
    pub(crate) fn from_lengths(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut offsets = vec![0];
        let mut at = 0;
        for length in lengths {
            at += length;
            offsets.push(at);
        }
        Self { offsets }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of tokens.
    pub(crate) fn tokens(&self) -> usize {
        self.offsets[self.len()]
    }

    /// Row `row`'s tokens.
    pub(crate) fn get(&self, row: usize) -> Range<usize> {
        self.offsets[row]..self.offsets[row + 1]
    }

    /// The runs of `rows` as one.
    pub(super) fn over(&self, rows: &Range<usize>) -> Range<usize> {
        self.offsets[rows.start]..self.offsets[rows.end]
    }

    /// The rows in groups of `size`.
    pub(super) fn groups(&self, size: usize) -> Vec<Range<usize>> {
        let n = self.len();
        (0..n).step_by(size).map(|start| start..(start + size).min(n)).collect()
    }

    /// Splits `values` (`width` floats a token) at the borders of `groups`, which cover all rows in order.
    pub(super) fn split<'a>(
        &self,
        mut values: &'a mut [f32],
        width: usize,
        groups: &[Range<usize>],
    ) -> Vec<&'a mut [f32]> {
        let cut = |group: &Range<usize>| {
            let (head, tail) = std::mem::take(&mut values).split_at_mut(self.over(group).len() * width);
            values = tail;
            head
        };
        groups.iter().map(cut).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_the_tokens() {
        let spans = Spans::from_lengths([2, 0, 3, 1]);
        assert_eq!((spans.len(), spans.tokens(), spans.get(2)), (4, 6, 2..5));
        let mut values = vec![0.0; 12];
        let groups = spans.groups(3);
        let lengths: Vec<usize> = spans.split(&mut values, 2, &groups).iter().map(|s| s.len()).collect();
        assert_eq!(lengths, [10, 2]);
    }
}

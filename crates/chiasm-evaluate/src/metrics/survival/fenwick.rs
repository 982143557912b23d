/// Weights over ranks with running sums in O(log n): who is below, at, or above a risk.
pub(super) struct Fenwick {
    tree: Vec<f64>,
    at: Vec<f64>,
    total: f64,
}

/// Weight on either side of a rank.
pub(super) struct Sides {
    pub below: f64,
    pub tied: f64,
    pub above: f64,
}

impl Fenwick {
    pub(super) fn new(ranks: usize) -> Self {
        Self { tree: vec![0.0; ranks + 1], at: vec![0.0; ranks], total: 0.0 }
    }

    pub(super) fn add(&mut self, rank: usize, weight: f64) {
        self.total += weight;
        self.at[rank] += weight;
        let mut i = rank + 1;
        while i < self.tree.len() {
            self.tree[i] += weight;
            i += i & i.wrapping_neg();
        }
    }

    pub(super) fn sides(&self, rank: usize) -> Sides {
        let (mut below, mut i) = (0.0, rank);
        while i > 0 {
            below += self.tree[i];
            i &= i - 1;
        }
        Sides { below, tied: self.at[rank], above: self.total - below - self.at[rank] }
    }
}

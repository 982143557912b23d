//! Orders and ranks, with ties.

/// The indices in ascending order of their values; equal values keep their order.
pub(crate) fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}

/// Splits an ascending order into runs of equal values.
pub(crate) fn runs<'a>(
    order: &'a [usize],
    values: &'a [f64],
) -> impl DoubleEndedIterator<Item = &'a [usize]> {
    // `==` and not the bits, so that -0.0 and 0.0 tie.
    order.chunk_by(|&a, &b| values[a] == values[b])
}

/// Ranks from 1; equal values share the mean of their ranks.
pub(crate) fn midranks(values: &[f64]) -> Vec<f64> {
    let order = ascending(values);
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for run in runs(&order, values) {
        let shared = before as f64 + (run.len() as f64 + 1.0) / 2.0;
        for &i in run {
            ranks[i] = shared;
        }
        before += run.len();
    }
    ranks
}

/// Ranks from 0 without gaps; equal values share one. Also returns how many distinct values there are.
pub(crate) fn dense(values: &[f64]) -> (Vec<usize>, usize) {
    let order = ascending(values);
    let mut ranks = vec![0; values.len()];
    let mut next = 0;
    for run in runs(&order, values) {
        for &i in run {
            ranks[i] = next;
        }
        next += 1;
    }
    (ranks, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_mean_rank() {
        assert_eq!(midranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(dense(&[3.0, 1.0, 3.0, 2.0]), (vec![2, 0, 2, 1], 3));
        assert_eq!(midranks(&[-0.0, 0.0]), [1.5, 1.5]);
    }
}

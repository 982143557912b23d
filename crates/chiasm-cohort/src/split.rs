//! Folds: a subject is in one fold, a stratum is spread evenly, the same seed makes the same folds.

use crate::Error;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;

/// The fold of each row.
///
/// All rows of a group (a subject) are in one fold. Where each group has one row, a stratum's rows
/// differ by at most one between folds, and so do the folds' sizes. A group with rows of several
/// strata counts as its largest.
///
/// `groups [rows]`, `strata [rows]` -> `[rows]`, each below `k`.
///
/// # Errors
/// [`Error::Split`] where `k` is below 2, the lengths differ, or a stratum has fewer groups than folds.
pub fn k_fold<G: Ord>(groups: &[G], strata: &[usize], k: usize, seed: u64) -> Result<Vec<usize>, Error> {
    let error = |message: String| Err(Error::Split { message });
    if k < 2 {
        return error(format!("{k} folds; at least 2 are needed"));
    }
    if groups.len() != strata.len() {
        return error(format!("{} groups but {} strata", groups.len(), strata.len()));
    }
    let mut stratum_of: BTreeMap<&G, usize> = BTreeMap::new();
    for (group, &stratum) in groups.iter().zip(strata) {
        stratum_of.entry(group).and_modify(|s| *s = stratum.max(*s)).or_insert(stratum);
    }
    let mut members: BTreeMap<usize, Vec<&G>> = BTreeMap::new();
    for (&group, &stratum) in &stratum_of {
        members.entry(stratum).or_default().push(group);
    }
    if members.is_empty() {
        return error("no subjects".to_owned());
    }
    if let Some((stratum, few)) = members.iter().find(|(_, groups)| groups.len() < k) {
        return error(format!("{k} folds, but class or stratum {stratum} has {} subjects only", few.len()));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut fold_of: BTreeMap<&G, usize> = BTreeMap::new();
    let mut next = 0;
    for groups in members.values_mut() {
        groups.shuffle(&mut rng);
        for &mut group in groups {
            fold_of.insert(group, next % k);
            next += 1;
        }
    }
    Ok(groups.iter().map(|group| fold_of[group]).collect())
}

/// [`k_fold`] several times over, each time shuffled anew. Shape: `[repeats][rows]`.
///
/// # Errors
/// As [`k_fold`]; also where there is no repeat.
pub fn repeated<G: Ord>(
    groups: &[G],
    strata: &[usize],
    k: usize,
    repeats: usize,
    seed: u64,
) -> Result<Vec<Vec<usize>>, Error> {
    if repeats == 0 {
        return Err(Error::Split { message: "0 repeats; at least 1 is needed".to_owned() });
    }
    (0..repeats as u64)
        .map(|repeat| {
            k_fold(groups, strata, k, seed.wrapping_add(repeat.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        })
        .collect()
}

/// Strata of which each has at least `least` rows: a rarer one joins its smaller neighbour.
///
/// For strata that only help the balance (numbers of positive labels); merging the classes of a binary
/// question would hide an impossible split.
pub fn merge_rare(strata: &[usize], least: usize) -> Vec<usize> {
    let mut merged = strata.to_vec();
    loop {
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        merged.iter().for_each(|&s| *sizes.entry(s).or_default() += 1);
        let sizes: Vec<(usize, usize)> = sizes.into_iter().collect();
        let Some(at) = sizes.iter().position(|&(_, n)| n < least) else { return merged };
        let below = at.checked_sub(1).map(|i| sizes[i]);
        let above = sizes.get(at + 1).copied();
        let target = match (below, above) {
            (Some(b), Some(a)) => {
                if a.1 < b.1 {
                    a.0
                } else {
                    b.0
                }
            }
            (Some(only), None) | (None, Some(only)) => only.0,
            (None, None) => return merged,
        };
        merged.iter_mut().filter(|s| **s == sizes[at].0).for_each(|s| *s = target);
    }
}

/// The rows outside fold `fold` (to train on) and those in it (to test on), both ascending.
pub fn rows_of(fold: usize, folds: &[usize]) -> (Vec<usize>, Vec<usize>) {
    (0..folds.len()).partition(|&row| folds[row] != fold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn impossible_splits_are_refused() {
        let groups = ["a", "b", "c", "d"];
        for (strata, k) in [([0, 0, 1, 1], 1), ([0, 0, 0, 1], 2), ([0, 0, 1, 1], 3)] {
            assert!(matches!(k_fold(&groups, &strata, k, 1), Err(Error::Split { .. })), "{strata:?} {k}");
        }
        assert!(k_fold(&groups[..3], &[0, 1], 2, 1).is_err());
        assert!(k_fold::<u8>(&[], &[], 2, 1).is_err());
        assert!(repeated(&groups, &[0, 0, 1, 1], 2, 0, 1).is_err());
    }

    #[test]
    fn rare_strata_join_a_neighbour() {
        assert_eq!(merge_rare(&[0, 0, 1, 2, 2, 2], 2), [0, 0, 0, 2, 2, 2]);
        assert_eq!(merge_rare(&[5], 2), [5]);
    }

    #[test]
    fn repeats_differ() {
        let groups: Vec<usize> = (0..50).collect();
        let all = repeated(&groups, &[0; 50], 5, 3, 7).unwrap();
        assert!(all[0] != all[1] && all[1] != all[2]);
    }

    proptest! {
        #[test]
        fn single_groups_are_balanced(strata in prop::collection::vec(0usize..3, 30..120), k in 2usize..6, seed: u64) {
            let groups: Vec<usize> = (0..strata.len()).collect();
            let sizes: Vec<usize> = (0..3).map(|s| strata.iter().filter(|&&x| x == s).count()).collect();
            prop_assume!(sizes.iter().all(|&n| n == 0 || n >= k));
            let folds = k_fold(&groups, &strata, k, seed).unwrap();
            prop_assert_eq!(&folds, &k_fold(&groups, &strata, k, seed).unwrap());
            let spread = |counts: Vec<usize>| counts.iter().max().unwrap() - counts.iter().min().unwrap();
            for s in 0..3 {
                let counts = (0..k).map(|f| (0..strata.len()).filter(|&i| folds[i] == f && strata[i] == s).count());
                prop_assert!(spread(counts.collect()) <= 1);
            }
            prop_assert!(spread((0..k).map(|f| folds.iter().filter(|&&x| x == f).count()).collect()) <= 1);
        }

        #[test]
        fn no_subject_is_in_two_folds(groups in prop::collection::vec(0usize..40, 40..160), k in 2usize..5, seed: u64) {
            let strata: Vec<usize> = groups.iter().map(|g| g % 2).collect();
            let Ok(folds) = k_fold(&groups, &strata, k, seed) else { return Ok(()) };
            let mut seen = BTreeMap::new();
            for (group, fold) in groups.iter().zip(&folds) {
                prop_assert_eq!(seen.entry(group).or_insert(fold), &fold);
                prop_assert!(*fold < k);
            }
        }
    }
}

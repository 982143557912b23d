//! Seeds: every random choice has one of its own, so that work can be done in any order.

/// Derives the seed of one piece of work from the run's seed and where the work stands.
///
/// # Source
/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014), folded over the path.
pub fn derive(seed: u64, path: &[u64]) -> u64 {
    path.iter().fold(finalise(seed), |state, &step| finalise(state ^ finalise(step.wrapping_add(1))))
}

fn finalise(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #[test]
    fn neighbours_differ() {
        let seeds: std::collections::HashSet<u64> =
            (0..50).flat_map(|a| (0..50).map(move |b| super::derive(7, &[a, b]))).collect();
        assert_eq!(seeds.len(), 2500);
    }
}

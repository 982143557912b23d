//! Which modality moved a prediction: Shapley values over the modalities present.

use crate::{Error, seed};
use chiasm_record::{Attribution, Availability, ModalityShare};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Up to this many modalities present the values are exact; above, they are sampled.
pub const EXACT_UP_TO: usize = 12;

/// Orders drawn where the values are sampled.
const ORDERS: usize = 2_000;

/// The subsets whose value [`attribute`] will ask for, the empty one first.
///
/// All of them for up to [`EXACT_UP_TO`] modalities; otherwise those on the sampled orders.
pub fn subsets_needed(present: Availability, run_seed: u64) -> Vec<Availability> {
    if present.count() <= EXACT_UP_TO {
        return present.subsets().collect();
    }
    let mut needed: Vec<Availability> = orders(present, run_seed)
        .flat_map(|order| {
            let mut set = Availability::NONE;
            let grown: Vec<Availability> = order
                .into_iter()
                .map(|m| {
                    set = set.with(m);
                    set
                })
                .collect();
            grown
        })
        .chain([Availability::NONE])
        .collect();
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// Shapley values of the modalities present, and pairwise Shapley interaction indices.
///
/// `value` is the model's answer on the log-odds or log-risk when it may look at exactly that subset;
/// the shares sum to `value(present) - value(none)`.
///
/// # Errors
/// Whatever `value` returns.
///
/// # Source
/// Shapley 1953; interaction index of Grabisch and Roubens 1999; sampling by permutations after
/// Castro et al. 2009.
pub fn attribute(
    present: Availability,
    run_seed: u64,
    value: impl Fn(Availability) -> Result<f64, Error>,
) -> Result<Attribution, Error> {
    let players: Vec<usize> = present.iter().collect();
    if players.len() > EXACT_UP_TO {
        return sampled(present, run_seed, value);
    }
    let n = players.len();
    // Local bit mask over `players` -> value.
    let worth: Vec<f64> = (0..1usize << n)
        .map(|mask| {
            let members = players.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1);
            value(members.fold(Availability::NONE, |set, (_, &m)| set.with(m)))
        })
        .collect::<Result<_, _>>()?;
    let share_weight = weights(n, 1);
    let pair_weight = weights(n, 2);
    let mut shares = Vec::with_capacity(n);
    let mut interactions = Vec::new();
    for a in 0..n {
        let share = (0..worth.len())
            .filter(|mask| mask >> a & 1 == 0)
            .map(|mask| share_weight[mask.count_ones() as usize] * (worth[mask | 1 << a] - worth[mask]))
            .sum();
        shares.push(ModalityShare { modality: players[a], share });
        for b in a + 1..n {
            let both = 1 << a | 1 << b;
            let value = (0..worth.len())
                .filter(|mask| mask & both == 0)
                .map(|mask| {
                    let delta =
                        worth[mask | both] - worth[mask | 1 << a] - worth[mask | 1 << b] + worth[mask];
                    pair_weight[mask.count_ones() as usize] * delta
                })
                .sum();
            interactions.push((players[a], players[b], value));
        }
    }
    Ok(Attribution { base: worth[0], shares, interactions, sampling_error: None })
}

/// Weight of a coalition of each size when `taken` players are set apart from `n`:
/// `s! (n - s - taken)! / (n - taken + 1)!`.
fn weights(n: usize, taken: usize) -> Vec<f64> {
    let Some(others) = n.checked_sub(taken) else { return Vec::new() };
    // 1 / ((others + 1) * C(others, s)), by the recurrence of binomial coefficients.
    let mut binomial = 1.0;
    (0..=others)
        .map(|s| {
            let weight = 1.0 / ((others + 1) as f64 * binomial);
            binomial *= (others - s) as f64 / (s + 1) as f64;
            weight
        })
        .collect()
}

fn orders(present: Availability, run_seed: u64) -> impl Iterator<Item = Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed::derive(run_seed, &[u64::from(present.bits())]));
    (0..ORDERS / 2).flat_map(move |_| {
        let mut order: Vec<usize> = present.iter().collect();
        shuffle(&mut order, &mut rng);
        // Antithetic: every order also backwards.
        let backwards = order.iter().rev().copied().collect();
        [order, backwards]
    })
}

fn shuffle(items: &mut [usize], rng: &mut impl Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, rng.random_range(0..=i));
    }
}

fn sampled(
    present: Availability,
    run_seed: u64,
    value: impl Fn(Availability) -> Result<f64, Error>,
) -> Result<Attribution, Error> {
    let base = value(Availability::NONE)?;
    let mut sums = [0.0; Availability::MAX];
    let mut squares = [0.0; Availability::MAX];
    for order in orders(present, run_seed) {
        let (mut set, mut before) = (Availability::NONE, base);
        for m in order {
            set = set.with(m);
            let after = value(set)?;
            sums[m] += after - before;
            squares[m] += (after - before).powi(2);
            before = after;
        }
    }
    let n = ORDERS as f64;
    let shares = present.iter().map(|m| ModalityShare { modality: m, share: sums[m] / n }).collect();
    let variance = |m: usize| (squares[m] / n - (sums[m] / n).powi(2)).max(0.0) / n;
    let error = present.iter().map(variance).fold(0.0, f64::max).sqrt();
    Ok(Attribution { base, shares, interactions: Vec::new(), sampling_error: Some(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(set: Availability) -> Result<f64, Error> {
        // An additive part, one pair and one triple.
        let has = |m: usize| f64::from(u8::from(set.contains(m)));
        Ok(0.3 + 1.0 * has(0) - 2.0 * has(2) + 4.0 * has(0) * has(2) + 6.0 * has(0) * has(2) * has(5))
    }

    #[test]
    fn known_game() {
        let a = attribute(Availability::from_bits(0b100101), 1, worth).unwrap();
        assert!((a.base - 0.3).abs() < 1e-12);
        let share: Vec<f64> = a.shares.iter().map(|s| s.share).collect();
        // Own effect + half the pair + a third of the triple.
        for (found, expected) in share.iter().zip([1.0 + 2.0 + 2.0, -2.0 + 2.0 + 2.0, 2.0]) {
            assert!((found - expected).abs() < 1e-12, "{share:?}");
        }
        // Pair + half the triple for (0, 2); half the triple for the others.
        for (pair, expected) in a.interactions.iter().zip([4.0 + 3.0, 3.0, 3.0]) {
            assert!((pair.2 - expected).abs() < 1e-12, "{:?}", a.interactions);
        }
    }

    #[test]
    fn sampled_values_sum_too() {
        let present = Availability::all(14);
        let a = attribute(present, 1, worth).unwrap();
        let sum: f64 = a.shares.iter().map(|s| s.share).sum();
        assert!((sum - (worth(present).unwrap() - 0.3)).abs() < 1e-9);
        let error = a.sampling_error.unwrap();
        assert!((a.shares[0].share - 5.0).abs() < 5.0 * error && error > 0.0);
        let needed = subsets_needed(present, 1);
        assert!(needed.contains(&present) && needed.contains(&Availability::NONE));
    }

    #[test]
    fn nobody_present() {
        let a = attribute(Availability::NONE, 1, worth).unwrap();
        assert!(a.shares.is_empty() && a.interactions.is_empty());
    }
}

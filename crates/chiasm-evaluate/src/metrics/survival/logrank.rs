//! Whether groups differ in when they have the event.

use crate::Error;
use crate::metrics::{check, rank};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// A log-rank test.
#[derive(Clone, Debug, PartialEq)]
pub struct Logrank {
    /// The statistic.
    pub chi_square: f64,
    /// Its degrees of freedom: groups minus one.
    pub degrees: usize,
    /// Its p value.
    pub p: f64,
    /// Events seen per group.
    pub observed: Vec<f64>,
    /// Events expected per group if the groups did not differ.
    pub expected: Vec<f64>,
}

/// The log-rank test over groups `0..k`, each of which has subjects.
///
/// # Errors
/// [`Error::TooFew`] with fewer than two groups or an empty one; [`Error::NoComparablePair`] where
/// events say nothing about the groups; and those of bad input.
///
/// # Source
/// Mantel 1966; R's `survival::survdiff`.
pub fn logrank(time: &[f64], event: &[bool], group: &[usize]) -> Result<Logrank, Error> {
    check::follow_up(time, event)?;
    check::length("group", time.len(), group.len())?;
    let k = group.iter().max().map_or(0, |g| g + 1);
    check::at_least("groups", 2, k)?;
    // A group number past the number of subjects leaves some group empty; it must not be allocated for.
    if k > time.len() {
        return Err(Error::TooFew { what: "subjects of a group", needed: 1, found: 0 });
    }
    let mut at_risk = vec![0usize; k];
    for &g in group {
        at_risk[g] += 1;
    }
    for &n in &at_risk {
        check::at_least("subjects of a group", 1, n)?;
    }
    let (mut observed, mut expected) = (vec![0.0; k], vec![0.0; k]);
    let mut covariance = vec![vec![0.0; k]; k];
    for block in rank::runs(&rank::ascending(time), time) {
        let n: usize = at_risk.iter().sum();
        let d = block.iter().filter(|&&i| event[i]).count();
        if d > 0 {
            block.iter().filter(|&&i| event[i]).for_each(|&i| observed[group[i]] += 1.0);
            let share: Vec<f64> = at_risk.iter().map(|&r| r as f64 / n as f64).collect();
            let d = d as f64;
            let spread = if n > 1 { d * (n as f64 - d) / (n as f64 - 1.0) } else { 0.0 };
            for a in 0..k {
                expected[a] += d * share[a];
                for b in 0..k {
                    covariance[a][b] += spread * share[a] * (f64::from(u8::from(a == b)) - share[b]);
                }
            }
        }
        block.iter().for_each(|&i| at_risk[group[i]] -= 1);
    }
    let nothing = || Error::NoComparablePair { events: event.iter().filter(|&&e| e).count(), of: time.len() };
    let excess: Vec<f64> = observed.iter().zip(&expected).map(|(o, e)| o - e).collect();
    // The last group follows from the others.
    let degrees = k - 1;
    let chi_square = quadratic_form(covariance, &excess[..degrees]).ok_or_else(nothing)?;
    let law = ChiSquared::new(degrees as f64).map_err(|_| nothing())?;
    Ok(Logrank { chi_square, degrees, p: law.sf(chi_square), observed, expected })
}

/// `xᵀ A⁻¹ x` for the leading block of the symmetric positive matrix `a` by elimination; `None` where
/// that block is singular.
fn quadratic_form(mut a: Vec<Vec<f64>>, x: &[f64]) -> Option<f64> {
    let n = x.len();
    let scale = (0..n).map(|i| a[i][i]).fold(0.0, f64::max);
    let mut x = x.to_vec();
    let mut sum = 0.0;
    for i in 0..n {
        let pivot = a[i][i];
        if pivot <= 1e-12 * scale || !pivot.is_finite() {
            return None;
        }
        sum += x[i] * x[i] / pivot;
        let (done, rest) = a.split_at_mut(i + 1);
        for (offset, row) in rest.iter_mut().take(n - i - 1).enumerate() {
            let factor = row[i] / pivot;
            row.iter_mut().zip(&done[i]).skip(i + 1).for_each(|(to, from)| *to -= factor * from);
            x[i + 1 + offset] -= factor * x[i];
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_must_have_subjects_and_events() {
        let (time, event) = ([1.0, 2.0], [true, true]);
        assert!(matches!(logrank(&time, &event, &[0, 0]), Err(Error::TooFew { what: "groups", .. })));
        assert!(matches!(logrank(&time, &event, &[0, 9]), Err(Error::TooFew { .. })));
        assert!(matches!(logrank(&time, &[false; 2], &[0, 1]), Err(Error::NoComparablePair { .. })));
    }
}

use crate::Error;
use crate::metrics::check;
use statrs::distribution::{Binomial, DiscreteCDF};

/// McNemar's exact test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Subjects that the first called right and the second wrong.
    pub only_first: usize,
    /// Subjects that the second called right and the first wrong.
    pub only_second: usize,
    /// Exact two-sided p value; 1 where they never disagree.
    pub p: f64,
}

/// Compares two yes-or-no answers on the same subjects: whether each was right. Given the subjects
/// with the event it compares sensitivities; given those without, specificities.
///
/// # Errors
/// [`Error::Length`], [`Error::TooFew`].
///
/// # Source
/// McNemar 1947, doi:10.1007/BF02295996; R's `binom.test` on the discordant pairs.
pub fn mcnemar(first_right: &[bool], second_right: &[bool]) -> Result<McNemar, Error> {
    check::length("second", first_right.len(), second_right.len())?;
    check::at_least("subjects", 1, first_right.len())?;
    let disagree = |a: bool| first_right.iter().zip(second_right).filter(|(x, y)| x != y && **x == a).count();
    let (only_first, only_second) = (disagree(true), disagree(false));
    let n = (only_first + only_second) as u64;
    let p = match Binomial::new(0.5, n) {
        Ok(law) if n > 0 => (2.0 * law.cdf(only_first.min(only_second) as u64)).min(1.0),
        _ => 1.0,
    };
    Ok(McNemar { only_first, only_second, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_values() {
        let of = |b: usize, c: usize| {
            let first: Vec<bool> = (0..b + c + 3).map(|i| i < b || i >= b + c).collect();
            let second: Vec<bool> = (0..b + c + 3).map(|i| i >= b).collect();
            mcnemar(&first, &second).unwrap()
        };
        // R: binom.test(3, 13)$p.value
        assert_eq!((of(3, 10).only_first, of(3, 10).only_second), (3, 10));
        assert!((of(3, 10).p - 0.0922851562).abs() < 1e-9);
        assert_eq!(of(0, 0).p, 1.0);
        assert_eq!(of(4, 4).p, 1.0);
    }
}

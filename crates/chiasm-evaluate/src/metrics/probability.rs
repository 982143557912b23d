//! How far probabilities lie from what happened.

use super::check;
use crate::Error;

/// Mean squared distance of the probability from the outcome: 0 is perfect, lower is better.
///
/// # Errors
/// [`Error::Length`], [`Error::TooFew`], [`Error::NotFinite`], [`Error::OutOfRange`].
///
/// # Source
/// Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
pub fn brier(positive: &[bool], probability: &[f64]) -> Result<f64, Error> {
    check::labelled(positive, probability)?;
    let sum: f64 = positive.iter().zip(probability).map(|(&y, p)| (p - f64::from(u8::from(y))).powi(2)).sum();
    Ok(sum / positive.len() as f64)
}

/// Mean negative log-likelihood in nats. Probabilities are kept one machine epsilon away from 0
/// and 1, so one certain mistake costs 36 nats rather than infinity.
///
/// # Errors
/// [`Error::Length`], [`Error::TooFew`], [`Error::NotFinite`], [`Error::OutOfRange`].
///
/// # Source
/// scikit-learn's `log_loss`.
pub fn log_loss(positive: &[bool], probability: &[f64]) -> Result<f64, Error> {
    check::labelled(positive, probability)?;
    let sum: f64 = positive
        .iter()
        .zip(probability)
        .map(|(&y, &p)| {
            let p = inside(p);
            -if y { p.ln() } else { (1.0 - p).ln() }
        })
        .sum();
    Ok(sum / positive.len() as f64)
}

/// A probability kept one machine epsilon away from 0 and 1.
pub(crate) fn inside(p: f64) -> f64 {
    p.clamp(f64::EPSILON, 1.0 - f64::EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certainty_is_perfect_or_dear() {
        assert_eq!(brier(&[true, false], &[1.0, 0.0]), Ok(0.0));
        assert!(log_loss(&[true, false], &[1.0, 0.0]).unwrap() < 1e-15);
        assert!((log_loss(&[true], &[0.0]).unwrap() - 36.04365338911715).abs() < 1e-12);
    }

    #[test]
    fn a_logit_is_no_probability() {
        let expected = "a probability from 0 to 1";
        assert_eq!(
            brier(&[true], &[1.5]),
            Err(Error::OutOfRange { what: "probability", position: 0, expected })
        );
        assert_eq!(brier(&[], &[]), Err(Error::TooFew { what: "subjects", needed: 1, found: 0 }));
    }
}

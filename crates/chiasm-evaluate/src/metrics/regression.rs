//! Numbers predicted and numbers seen.

use super::{check, rank};
use crate::Error;

/// Root mean squared error, in the outcome's unit.
///
/// # Errors
/// [`Error::Length`], [`Error::TooFew`], [`Error::NotFinite`].
pub fn rmse(actual: &[f64], predicted: &[f64]) -> Result<f64, Error> {
    pairs(actual, predicted, 1)?;
    Ok((squares(actual, predicted) / actual.len() as f64).sqrt())
}

/// Mean absolute error, in the outcome's unit.
///
/// # Errors
/// [`Error::Length`], [`Error::TooFew`], [`Error::NotFinite`].
pub fn mae(actual: &[f64], predicted: &[f64]) -> Result<f64, Error> {
    pairs(actual, predicted, 1)?;
    let sum: f64 = actual.iter().zip(predicted).map(|(a, p)| (a - p).abs()).sum();
    Ok(sum / actual.len() as f64)
}

/// Share of the outcome's variance that the predictions account for; below 0 where they do worse
/// than the mean of these outcomes.
///
/// # Errors
/// [`Error::NoSpread`] where the outcome does not vary, and those of bad input.
///
/// # Source
/// scikit-learn's `r2_score`.
pub fn r2(actual: &[f64], predicted: &[f64]) -> Result<f64, Error> {
    pairs(actual, predicted, 2)?;
    let mean = actual.iter().sum::<f64>() / actual.len() as f64;
    let total: f64 = actual.iter().map(|a| (a - mean).powi(2)).sum();
    if total == 0.0 {
        return Err(Error::NoSpread { what: "actual" });
    }
    Ok(1.0 - squares(actual, predicted) / total)
}

/// Spearman's rank correlation, ties sharing their mean rank.
///
/// # Errors
/// [`Error::NoSpread`] where either side does not vary, and those of bad input.
///
/// # Source
/// R's `cor(method = "spearman")`.
pub fn spearman(actual: &[f64], predicted: &[f64]) -> Result<f64, Error> {
    pairs(actual, predicted, 2)?;
    let (a, b) = (rank::midranks(actual), rank::midranks(predicted));
    let middle = (a.len() as f64 + 1.0) / 2.0;
    let product =
        |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(p, q)| (p - middle) * (q - middle)).sum() };
    let (va, vb) = (product(&a, &a), product(&b, &b));
    if va == 0.0 || vb == 0.0 {
        return Err(Error::NoSpread { what: if va == 0.0 { "actual" } else { "predicted" } });
    }
    Ok(product(&a, &b) / (va * vb).sqrt())
}

fn pairs(actual: &[f64], predicted: &[f64], needed: usize) -> Result<(), Error> {
    check::length("predicted", actual.len(), predicted.len())?;
    check::at_least("subjects", needed, actual.len())?;
    check::finite("actual", actual)?;
    check::finite("predicted", predicted)
}

fn squares(actual: &[f64], predicted: &[f64]) -> f64 {
    actual.iter().zip(predicted).map(|(a, p)| (a - p).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let (a, p) = ([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]);
        assert!((rmse(&a, &p).unwrap() - 0.375f64.sqrt()).abs() < 1e-15);
        assert_eq!(mae(&a, &p), Ok(0.5));
        // scikit-learn's documented example of r2_score.
        assert!((r2(&a, &p).unwrap() - 0.9486081370449679).abs() < 1e-15);
        assert_eq!(spearman(&a, &p), Ok(1.0));
        assert_eq!(r2(&[1.0, 1.0], &[1.0, 2.0]), Err(Error::NoSpread { what: "actual" }));
        assert_eq!(spearman(&[1.0, 2.0], &[2.0, 2.0]), Err(Error::NoSpread { what: "predicted" }));
    }
}

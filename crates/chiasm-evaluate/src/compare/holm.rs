use crate::Error;
use crate::metrics::{check, rank};

/// P values corrected for how many comparisons were made, in the order given.
///
/// Controls the chance of any false finding whatever the dependence between comparisons.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::OutOfRange`] for what is no probability.
///
/// # Source
/// Holm 1979; R's `p.adjust(method = "holm")`.
pub fn holm(p: &[f64]) -> Result<Vec<f64>, Error> {
    check::probabilities("p", p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (done, i) in rank::ascending(p).into_iter().enumerate() {
        largest = largest.max((p.len() - done) as f64 * p[i]);
        adjusted[i] = largest.min(1.0);
    }
    Ok(adjusted)
}

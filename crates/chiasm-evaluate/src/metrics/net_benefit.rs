//! Whether acting on a prediction does more good than harm.

use super::{Confusion, check};
use crate::Error;

/// Net benefit at one threshold, in true positives per subject. Treating nobody is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetBenefit {
    /// The risk from which one would act: at 0.2, one event caught is worth four acted on in vain.
    pub threshold: f64,
    /// Acting where the predicted probability is at least the threshold.
    pub acting_on_prediction: f64,
    /// Acting on everybody.
    pub treat_all: f64,
}

/// Net benefit `TP/n − FP/n · t/(1−t)` at each threshold `t`.
///
/// # Errors
/// [`Error::OutOfRange`] for a threshold outside 0 ≤ t < 1, and those of bad input.
///
/// # Source
/// Vickers & Elkin 2006, doi:10.1177/0272989X06295361.
pub fn net_benefit(
    positive: &[bool],
    probability: &[f64],
    thresholds: &[f64],
) -> Result<Vec<NetBenefit>, Error> {
    check::labelled(positive, probability)?;
    if let Some(position) = thresholds.iter().position(|t| !(0.0..1.0).contains(t)) {
        return Err(Error::OutOfRange { what: "threshold", position, expected: "0 or more and below 1" });
    }
    let n = positive.len() as f64;
    let prevalence = positive.iter().filter(|&&p| p).count() as f64 / n;
    thresholds
        .iter()
        .map(|&threshold| {
            let counts = Confusion::at(positive, probability, threshold)?;
            let harm = threshold / (1.0 - threshold);
            Ok(NetBenefit {
                threshold,
                acting_on_prediction: counts.true_positives as f64 / n
                    - counts.false_positives as f64 / n * harm,
                treat_all: prevalence - (1.0 - prevalence) * harm,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_threshold_zero_everybody_is_treated() {
        let nb = net_benefit(&[true, false, false], &[0.3, 0.2, 0.6], &[0.0, 0.5]).unwrap();
        assert_eq!(nb[0].acting_on_prediction, nb[0].treat_all);
        assert!((nb[1].acting_on_prediction + 1.0 / 3.0).abs() < 1e-15);
        assert!(net_benefit(&[true], &[0.3], &[1.0]).is_err());
    }
}

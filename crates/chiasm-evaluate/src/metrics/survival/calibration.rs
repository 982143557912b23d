//! Whether predicted risks by a horizon mean what they say.

use super::KaplanMeier;
use crate::Error;
use crate::metrics::{calibration::grouped, check, interval::Z_95};
use chiasm_record::Estimate;

/// Subjects of similar predicted risk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HorizonGroup {
    /// Mean predicted risk by the horizon.
    pub predicted: f64,
    /// Share with the event by then: 1 − Kaplan–Meier, with its interval (Clopper–Pearson's among those
    /// followed to the horizon where no event was seen).
    pub observed: Estimate,
    /// Subjects in the group.
    pub n: usize,
}

/// Predicted against observed risk by a horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct HorizonCalibration {
    /// Observed over expected risk: 1 where calibrated in the large, above where risks were predicted
    /// too low. The interval is on the log scale with Greenwood's standard error and takes the
    /// predictions as given; it is a point at 0 where no event was seen.
    pub observed_over_expected: Estimate,
    /// By ascending predicted risk.
    pub groups: Vec<HorizonGroup>,
}

/// Calibration at `horizon` of predicted risks (the chance of the event by then), overall and in
/// at most `groups` groups of nearly equal size; equal predictions stay together.
///
/// # Errors
/// [`Error::OutOfRange`] for a horizon that nobody was followed to or a risk outside 0..1;
/// [`Error::NoSpread`] where every predicted risk is 0; and those of bad input.
///
/// # Source
/// Observed-over-expected and grouped Kaplan–Meier: McLernon et al. 2023, doi:10.7326/M22-0844;
/// `survival::survfit` for the observed side.
pub fn horizon_calibration(
    time: &[f64],
    event: &[bool],
    risk: &[f64],
    horizon: f64,
    groups: usize,
) -> Result<HorizonCalibration, Error> {
    check::length("risk", time.len(), risk.len())?;
    check::probabilities("risk", risk)?;
    let all = KaplanMeier::fit(time, event)?;
    if !(0.0..=all.last_time()).contains(&horizon) {
        let expected = "a horizon from 0 to the longest follow-up";
        return Err(Error::OutOfRange { what: "horizon", position: 0, expected });
    }
    let expected = risk.iter().sum::<f64>() / risk.len() as f64;
    if expected <= 0.0 {
        return Err(Error::NoSpread { what: "risk" });
    }
    let observed = 1.0 - all.at(horizon);
    let ratio = observed / expected;
    let half = if observed > 0.0 { Z_95 * all.standard_error(horizon) / observed } else { 0.0 };
    let groups = grouped(risk, groups)?
        .into_iter()
        .map(|rows| {
            let time: Vec<f64> = rows.iter().map(|&i| time[i]).collect();
            let event: Vec<bool> = rows.iter().map(|&i| event[i]).collect();
            let curve = KaplanMeier::fit(&time, &event)?;
            let s = curve.estimate(horizon);
            let mut observed = Estimate { estimate: 1.0 - s.estimate, low: 1.0 - s.high, high: 1.0 - s.low };
            if s.estimate == 1.0 {
                // Greenwood's error is 0 where no event was seen: the exact binomial bound instead, of those
                // who were followed to the horizon.
                observed.high = 1.0 - 0.025f64.powf(1.0 / curve.at_risk(horizon).max(1) as f64);
            }
            let predicted = rows.iter().map(|&i| risk[i]).sum::<f64>() / rows.len() as f64;
            Ok(HorizonGroup { predicted, observed, n: rows.len() })
        })
        .collect::<Result<_, Error>>()?;
    Ok(HorizonCalibration {
        observed_over_expected: Estimate {
            estimate: ratio,
            low: ratio * (-half).exp(),
            high: ratio * half.exp(),
        },
        groups,
    })
}

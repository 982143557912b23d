//! Whether predicted probabilities mean what they say.

use super::{check, interval, probability::inside, rank};
use crate::Error;
use chiasm_record::Estimate;

/// Logistic recalibration of probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recalibration {
    /// Intercept of `outcome ~ logit(p)`: 0 where calibrated. Wald interval.
    pub intercept: Estimate,
    /// Its slope: 1 where calibrated, below 1 where predictions are too extreme. Wald interval.
    pub slope: Estimate,
}

/// Fits `logit P(outcome) = intercept + slope · logit(p)` by maximum likelihood.
///
/// Probabilities are kept one machine epsilon away from 0 and 1.
///
/// # Errors
/// [`Error::OneClass`]; [`Error::NoSpread`] where all predictions are the same;
/// [`Error::NotConverged`] where the predictions separate the classes perfectly; and those of bad input.
///
/// # Source
/// Cox 1958; `rms::val.prob` ("Intercept" and "Slope").
pub fn recalibration(positive: &[bool], probability: &[f64]) -> Result<Recalibration, Error> {
    let logit = logits(positive, probability)?;
    if logit.iter().all(|&l| l == logit[0]) {
        return Err(Error::NoSpread { what: "probability" });
    }
    let fit = newton(positive, &logit, None)?;
    let wide = (f64::NEG_INFINITY, f64::INFINITY);
    Ok(Recalibration {
        intercept: interval::normal(fit.intercept, fit.variance[0].sqrt(), wide),
        slope: interval::normal(fit.slope, fit.variance[1].sqrt(), wide),
    })
}

/// Calibration in the large: the shift on the logit scale that makes the mean prediction fit, the
/// slope held at 1. Above 0, risks were predicted too low. Wald interval.
///
/// # Errors
/// [`Error::OneClass`], [`Error::NotConverged`], and those of bad input.
///
/// # Source
/// Steyerberg, Clinical Prediction Models, 15.3; R's `glm(y ~ offset(logit), binomial)`.
pub fn calibration_in_the_large(positive: &[bool], probability: &[f64]) -> Result<Estimate, Error> {
    let logit = logits(positive, probability)?;
    let fit = newton(positive, &logit, Some(1.0))?;
    Ok(interval::normal(fit.intercept, fit.variance[0].sqrt(), (f64::NEG_INFINITY, f64::INFINITY)))
}

fn logits(positive: &[bool], probability: &[f64]) -> Result<Vec<f64>, Error> {
    check::two_classes(positive, probability)?;
    check::probabilities("probability", probability)?;
    Ok(probability.iter().map(|&p| (inside(p) / (1.0 - inside(p))).ln()).collect())
}

struct Fit {
    intercept: f64,
    slope: f64,
    variance: [f64; 2],
}

/// Newton's method with step halving on intercept and slope, or on the intercept alone where the slope is fixed.
fn newton(positive: &[bool], logit: &[f64], fixed_slope: Option<f64>) -> Result<Fit, Error> {
    const FAILED: Error = Error::NotConverged { what: "logistic recalibration" };
    // Centred, so that intercept and slope hardly depend on each other on the way.
    let centre = if fixed_slope.is_some() { 0.0 } else { logit.iter().sum::<f64>() / logit.len() as f64 };
    let deviance = |a: f64, b: f64| -> f64 {
        let terms = logit.iter().zip(positive).map(|(l, &y)| {
            let eta = a + b * (l - centre);
            softplus(if y { -eta } else { eta })
        });
        terms.sum()
    };
    let (mut a, mut b) = (0.0, fixed_slope.unwrap_or(0.0));
    let mut now = deviance(a, b);
    for _ in 0..100 {
        let [mut ga, mut gb, mut haa, mut hab, mut hbb] = [0.0; 5];
        for (l, &y) in logit.iter().zip(positive) {
            let x = l - centre;
            let p = 1.0 / (1.0 + (-(a + b * x)).exp());
            let (residual, w) = (f64::from(u8::from(y)) - p, p * (1.0 - p));
            ga += residual;
            gb += residual * x;
            haa += w;
            hab += w * x;
            hbb += w * x * x;
        }
        let det = haa * hbb - hab * hab;
        let (da, db, variance) = if fixed_slope.is_some() {
            (ga / haa, 0.0, [1.0 / haa, 0.0])
        } else {
            let (vaa, vab, vbb) = (hbb / det, -hab / det, haa / det);
            // Back from the centred intercept: a − b·centre.
            let intercept = vaa - 2.0 * centre * vab + centre * centre * vbb;
            (vaa * ga + vab * gb, vab * ga + vbb * gb, [intercept, vbb])
        };
        if !(da.is_finite() && db.is_finite()) {
            return Err(FAILED);
        }
        if da.abs() < 1e-9 * (1.0 + a.abs()) && db.abs() < 1e-9 * (1.0 + b.abs()) {
            // Convergence is quadratic: this last step brings the error to rounding. A deviance of
            // nearly 0 is no optimum but separation, where the slope grows for ever.
            let sound = now > 1e-6 && variance.iter().all(|v| v.is_finite() && *v >= 0.0);
            let (a, b) = (a + da, b + db);
            return if sound {
                Ok(Fit { intercept: a - b * centre, slope: b, variance })
            } else {
                Err(FAILED)
            };
        }
        let mut step = 1.0;
        let mut next = deviance(a + da, b + db);
        while next > now + 1e-10 * now.abs() && step > 1e-6 {
            step /= 2.0;
            next = deviance(a + step * da, b + step * db);
        }
        (a, b, now) = (a + step * da, b + step * db, next);
    }
    Err(FAILED)
}

/// `ln(1 + e^x)` without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Subjects of similar predicted probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationGroup {
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share who had the event, with Wilson's interval.
    pub observed: Estimate,
    /// Subjects in the group.
    pub n: usize,
}

/// Predicted against observed in `groups` groups of nearly equal size, by ascending prediction.
/// Equal predictions stay together, so there may be fewer groups.
///
/// # Errors
/// [`Error::TooFew`] for no subject or no group, and those of bad input.
pub fn calibration_curve(
    positive: &[bool],
    probability: &[f64],
    groups: usize,
) -> Result<Vec<CalibrationGroup>, Error> {
    check::labelled(positive, probability)?;
    grouped(probability, groups)?
        .into_iter()
        .map(|rows| {
            let hits = rows.iter().filter(|&&i| positive[i]).count();
            let predicted = rows.iter().map(|&i| probability[i]).sum::<f64>() / rows.len() as f64;
            Ok(CalibrationGroup { predicted, observed: interval::wilson(hits, rows.len())?, n: rows.len() })
        })
        .collect()
}

/// Mean distance between predicted and observed over the groups of [`calibration_curve`], weighted
/// by their size (expected calibration error).
///
/// # Errors
/// As [`calibration_curve`].
pub fn calibration_error(positive: &[bool], probability: &[f64], groups: usize) -> Result<f64, Error> {
    let curve = calibration_curve(positive, probability, groups)?;
    let sum: f64 = curve.iter().map(|g| g.n as f64 * (g.predicted - g.observed.estimate).abs()).sum();
    Ok(sum / positive.len() as f64)
}

/// Rows by ascending value in at most `groups` groups; equal values share a group, the one that
/// their middle rank falls into.
pub(crate) fn grouped(values: &[f64], groups: usize) -> Result<Vec<Vec<usize>>, Error> {
    check::at_least("groups", 1, groups)?;
    let order = rank::ascending(values);
    let mut split = vec![Vec::new(); groups.min(values.len())];
    let (mut before, size) = (0, split.len());
    for run in rank::runs(&order, values) {
        let middle = 2 * before + run.len() - 1;
        split[middle * size / (2 * values.len())].extend_from_slice(run);
        before += run.len();
    }
    split.retain(|g| !g.is_empty());
    Ok(split)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_even_and_keep_ties_together() {
        let sizes = |v: &[f64], g| -> Vec<usize> { grouped(v, g).unwrap().iter().map(Vec::len).collect() };
        let ten: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(sizes(&ten, 5), [2; 5]);
        assert_eq!(sizes(&ten, 3), [4, 3, 3]);
        assert_eq!(sizes(&[0.5; 7], 3), [7]);
        assert_eq!(sizes(&[0.1, 0.2], 10), [1, 1]);
        assert_eq!(grouped(&ten, 0), Err(Error::TooFew { what: "groups", needed: 1, found: 0 }));
    }

    #[test]
    fn separation_and_constants_are_errors() {
        let y = [false, false, true, true];
        let failed = Error::NotConverged { what: "logistic recalibration" };
        assert_eq!(recalibration(&y, &[0.1, 0.2, 0.7, 0.8]), Err(failed));
        assert_eq!(recalibration(&y, &[0.5; 4]), Err(Error::NoSpread { what: "probability" }));
        assert!(calibration_in_the_large(&y, &[0.5; 4]).unwrap().estimate.abs() < 1e-12);
    }

    #[test]
    fn certain_predictions_are_kept_inside() {
        let y = [false, true, true, true, false, false];
        let r = recalibration(&y, &[0.0, 1.0, 0.0, 0.8, 0.2, 0.4]).unwrap();
        assert!(r.slope.estimate.is_finite() && r.slope.estimate < 1.0);
    }
}

//! How well a score orders positives above negatives.

use super::{check, rank};
use crate::Error;

/// Area under the ROC curve: the chance that a random positive scores above a random negative,
/// a tie counting one half. O(n log n).
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`], [`Error::OneClass`].
///
/// # Source
/// The Mann–Whitney form: Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747.
pub fn auroc(positive: &[bool], score: &[f64]) -> Result<f64, Error> {
    let (m, n) = check::two_classes(positive, score)?;
    let ranks = rank::midranks(score);
    let sum: f64 = ranks.iter().zip(positive).filter(|(_, p)| **p).map(|(r, _)| r).sum();
    let (m, n) = (m as f64, n as f64);
    Ok((sum - m * (m + 1.0) / 2.0) / (m * n))
}

/// One operating point: a subject is called positive where its score is at least `threshold`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OperatingPoint {
    /// Scores from here up are called positive; `+inf` calls nobody.
    pub threshold: f64,
    /// Share of the positives that are called positive.
    pub sensitivity: f64,
    /// Share of the negatives that are called negative.
    pub specificity: f64,
}

/// The ROC curve from "nobody is positive" (threshold `+inf`) to "everybody is", one point per
/// distinct score.
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`], [`Error::OneClass`].
pub fn roc_curve(positive: &[bool], score: &[f64]) -> Result<Vec<OperatingPoint>, Error> {
    let (m, n) = check::two_classes(positive, score)?;
    let order = rank::ascending(score);
    let (mut hits, mut alarms) = (0, 0);
    let mut curve = vec![OperatingPoint { threshold: f64::INFINITY, sensitivity: 0.0, specificity: 1.0 }];
    for run in rank::runs(&order, score).rev() {
        let positives = run.iter().filter(|&&i| positive[i]).count();
        hits += positives;
        alarms += run.len() - positives;
        curve.push(OperatingPoint {
            threshold: score[run[0]],
            sensitivity: hits as f64 / m as f64,
            specificity: (n - alarms) as f64 / n as f64,
        });
    }
    Ok(curve)
}

/// Area under the precision–recall curve as average precision: the precision at each distinct
/// score, weighted by the recall gained there. No interpolation.
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`], [`Error::OneClass`].
///
/// # Source
/// scikit-learn's `average_precision_score`.
pub fn auprc(positive: &[bool], score: &[f64]) -> Result<f64, Error> {
    let (m, _) = check::two_classes(positive, score)?;
    let order = rank::ascending(score);
    let (mut hits, mut called, mut area) = (0, 0, 0.0);
    for run in rank::runs(&order, score).rev() {
        let positives = run.iter().filter(|&&i| positive[i]).count();
        hits += positives;
        called += run.len();
        area += positives as f64 / m as f64 * (hits as f64 / called as f64);
    }
    Ok(area)
}

/// The threshold with the largest sensitivity + specificity − 1, midway between two neighbouring
/// scores, to be chosen on tuning data and locked. Among equals the lowest, which misses fewest.
///
/// A threshold that calls everybody positive is chosen only where no other is better than chance;
/// it is then the lowest score itself.
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`], [`Error::OneClass`].
///
/// # Source
/// Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3; the midpoint as
/// in pROC's `coords(x = "best")`.
pub fn youden_threshold(positive: &[bool], score: &[f64]) -> Result<f64, Error> {
    let curve = roc_curve(positive, score)?;
    let youden = |p: &OperatingPoint| p.sensitivity + p.specificity;
    let mut best = curve.len() - 1;
    for i in (1..curve.len()).rev() {
        // A hair's margin, so that rounding does not decide between equals.
        if youden(&curve[i]) > youden(&curve[best]) + 1e-12 {
            best = i;
        }
    }
    let at = curve[best].threshold;
    Ok(curve.get(best + 1).map_or(at, |below| at + (below.threshold - at) / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const Y: [bool; 5] = [false, true, false, true, true];

    #[test]
    fn one_class_and_bad_numbers_are_typed_errors() {
        assert_eq!(auroc(&[true, true], &[0.1, 0.2]), Err(Error::OneClass { positives: 2, of: 2 }));
        assert_eq!(auroc(&[], &[]), Err(Error::OneClass { positives: 0, of: 0 }));
        assert_eq!(
            auroc(&[true, false], &[0.1]),
            Err(Error::Length { what: "score", expected: 2, found: 1 })
        );
        assert_eq!(
            auroc(&[true, false], &[0.1, f64::NAN]),
            Err(Error::NotFinite { what: "score", position: 1 })
        );
    }

    #[test]
    fn a_constant_score_is_chance() {
        assert_eq!(auroc(&Y, &[0.3; 5]), Ok(0.5));
        assert_eq!(auprc(&Y, &[0.3; 5]), Ok(0.6));
        assert_eq!(youden_threshold(&Y, &[0.3; 5]), Ok(0.3));
    }

    #[test]
    fn the_curve_runs_from_nobody_to_everybody() {
        let curve = roc_curve(&Y, &[0.1, 0.4, 0.4, 0.8, 0.9]).unwrap();
        assert_eq!(curve.len(), 5);
        assert_eq!((curve[0].sensitivity, curve[0].specificity), (0.0, 1.0));
        assert_eq!((curve[4].sensitivity, curve[4].specificity), (1.0, 0.0));
    }

    #[test]
    fn youden_falls_between_the_classes() {
        let t = youden_threshold(&[false, false, true, true], &[0.1, 0.2, 0.6, 0.8]).unwrap();
        assert!((t - 0.4).abs() < 1e-15);
    }
}

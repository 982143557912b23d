//! How well risks order the times of events.

use super::fenwick::Fenwick;
use super::kaplan_meier::KaplanMeier;
use crate::Error;
use crate::metrics::{check, interval, rank};
use chiasm_record::Estimate;

/// A concordance with the pairs that it rests on and each subject's influence on it.
///
/// Two risks of the same subjects give two of these whose [`Concordance::covariance`] makes a paired test.
#[derive(Clone, Debug, PartialEq)]
pub struct Concordance {
    /// Share of comparable pairs in which the subject with the earlier event had the higher risk, a
    /// tied risk counting one half.
    pub c: f64,
    /// Weight of the pairs ordered rightly. Every weight is 1 for [`harrell`].
    pub concordant: f64,
    /// Weight of the pairs ordered wrongly.
    pub discordant: f64,
    /// Weight of the comparable pairs with equal risks.
    pub tied_risk: f64,
    /// Per subject: by how much `c` would move if that subject's weight grew by one.
    influence: Vec<f64>,
}

impl Concordance {
    /// Variance of `c` by the infinitesimal jackknife.
    pub fn variance(&self) -> f64 {
        self.covariance(self)
    }

    /// Covariance with the concordance of another risk of the same subjects.
    pub fn covariance(&self, other: &Self) -> f64 {
        self.influence.iter().zip(&other.influence).map(|(a, b)| a * b).sum()
    }

    /// The concordance with its 95 % interval, cut to 0..1.
    pub fn estimate(&self) -> Estimate {
        interval::normal(self.c, self.variance().sqrt(), (0.0, 1.0))
    }
}

/// Harrell's C.
///
/// A pair is comparable where one subject had the event and the other was followed for longer, or
/// was censored at the same time (censoring is taken to come after events). Two events at the same
/// time are not comparable. Times tie where they are equal exactly. O(n log n).
///
/// # Errors
/// [`Error::NoComparablePair`], and those of bad input.
///
/// # Source
/// Harrell et al. 1996, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4;
/// counts and variance as in R's `survival::concordance(reverse = TRUE)`.
pub fn harrell(time: &[f64], event: &[bool], risk: &[f64]) -> Result<Concordance, Error> {
    check::follow_up(time, event)?;
    weighted(time, event, risk, &|_| 1.0)
}

/// Uno's C: as [`harrell`], each pair weighted by 1/G² at its event, where G is the chance of
/// being uncensored just before, so that the value does not depend on how the study was censored.
///
/// Events after `tau` are left out; without a `tau`, few late events may weigh very much. G is
/// estimated from these same subjects; the variance takes it as known.
///
/// # Errors
/// [`Error::NoComparablePair`], [`Error::NotFinite`] for `tau`, and those of bad input.
///
/// # Source
/// Uno et al. 2011, doi:10.1002/sim.4154; R's
/// `survival::concordance(timewt = "n/G2", ymax = tau, reverse = TRUE)`.
pub fn uno(time: &[f64], event: &[bool], risk: &[f64], tau: Option<f64>) -> Result<Concordance, Error> {
    if tau.is_some_and(f64::is_nan) {
        return Err(Error::NotFinite { what: "tau", position: 0 });
    }
    let censoring = KaplanMeier::of_censoring(time, event)?;
    weighted(time, event, risk, &|t| {
        if tau.is_some_and(|tau| t > tau) { 0.0 } else { censoring.just_before(t).powi(-2) }
    })
}

/// The concordance of predicted with actual numbers: the share of pairs with different actual
/// values that the predictions order alike, ties in the predictions counting one half.
///
/// # Errors
/// [`Error::NoComparablePair`] where the actual values do not vary, and those of bad input.
///
/// # Source
/// R's `survival::concordance(actual ~ predicted)`.
pub fn regression_concordance(actual: &[f64], predicted: &[f64]) -> Result<Concordance, Error> {
    check::at_least("subjects", 1, actual.len())?;
    check::finite("actual", actual)?;
    let risk: Vec<f64> = predicted.iter().map(|p| -p).collect();
    weighted(actual, &vec![true; actual.len()], &risk, &|_| 1.0)
}

/// Two sweeps over time: backwards each event meets those who outlived it, forwards each subject
/// meets the events that it outlived.
fn weighted(
    time: &[f64],
    event: &[bool],
    risk: &[f64],
    weight: &dyn Fn(f64) -> f64,
) -> Result<Concordance, Error> {
    check::length("risk", time.len(), risk.len())?;
    check::finite("risk", risk)?;
    let (ranks, distinct) = rank::dense(risk);
    let order = rank::ascending(time);
    let n = time.len();
    // Per subject, over the pairs that it is in: weight in favour, and weight in all.
    let (mut favour, mut comparable) = (vec![0.0; n], vec![0.0; n]);
    let [mut concordant, mut discordant, mut tied_risk] = [0.0; 3];

    let mut outlived_by = Fenwick::new(distinct);
    for block in rank::runs(&order, time).rev() {
        block.iter().filter(|&&i| !event[i]).for_each(|&i| outlived_by.add(ranks[i], 1.0));
        let w = weight(time[block[0]]);
        for &i in block.iter().filter(|&&i| event[i]) {
            let s = outlived_by.sides(ranks[i]);
            concordant += w * s.below;
            discordant += w * s.above;
            tied_risk += w * s.tied;
            favour[i] = w * (s.below + s.tied / 2.0);
            comparable[i] = w * (s.below + s.tied + s.above);
        }
        block.iter().filter(|&&i| event[i]).for_each(|&i| outlived_by.add(ranks[i], 1.0));
    }

    let mut events = Fenwick::new(distinct);
    for block in rank::runs(&order, time) {
        let w = weight(time[block[0]]);
        for had_event in [true, false] {
            for &i in block.iter().filter(|&&i| event[i] == had_event) {
                let s = events.sides(ranks[i]);
                favour[i] += s.above + s.tied / 2.0;
                comparable[i] += s.below + s.tied + s.above;
            }
            if had_event {
                block.iter().filter(|&&i| event[i]).for_each(|&i| events.add(ranks[i], w));
            }
        }
    }

    let pairs = concordant + discordant + tied_risk;
    if pairs <= 0.0 {
        let events = event.iter().filter(|&&e| e).count();
        return Err(Error::NoComparablePair { events, of: n });
    }
    let c = (concordant + tied_risk / 2.0) / pairs;
    let influence = favour.iter().zip(&comparable).map(|(f, all)| (f - c * all) / pairs).collect();
    Ok(Concordance { c, concordant, discordant, tied_risk, influence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_as_documented() {
        // Two events at time 1 are no pair; the subject censored at 1 outlived both.
        let c = harrell(&[1.0, 1.0, 1.0, 2.0], &[true, true, false, false], &[3.0, 1.0, 1.0, 2.0]).unwrap();
        assert_eq!((c.concordant, c.discordant, c.tied_risk), (2.0, 1.0, 1.0));
        assert_eq!(c.c, 2.5 / 4.0);
    }

    #[test]
    fn without_events_nothing_is_comparable() {
        let none = Error::NoComparablePair { events: 0, of: 2 };
        assert_eq!(harrell(&[1.0, 2.0], &[false, false], &[1.0, 2.0]), Err(none.clone()));
        assert_eq!(uno(&[1.0, 2.0], &[false, false], &[1.0, 2.0], None), Err(none));
        let late = Error::NoComparablePair { events: 1, of: 2 };
        assert_eq!(harrell(&[1.0, 2.0], &[false, true], &[1.0, 2.0]), Err(late.clone()));
        assert_eq!(uno(&[1.0, 2.0], &[true, false], &[1.0, 2.0], Some(0.5)), Err(late));
    }

    #[test]
    fn bad_input_is_a_typed_error() {
        assert!(matches!(harrell(&[-1.0], &[true], &[1.0]), Err(Error::OutOfRange { what: "time", .. })));
        assert!(matches!(harrell(&[1.0], &[], &[1.0]), Err(Error::Length { what: "event", .. })));
        assert!(matches!(harrell(&[1.0], &[true], &[]), Err(Error::Length { what: "risk", .. })));
        assert!(matches!(harrell(&[], &[], &[]), Err(Error::TooFew { .. })));
        assert!(matches!(harrell(&[1.0], &[true], &[f64::NAN]), Err(Error::NotFinite { what: "risk", .. })));
    }
}

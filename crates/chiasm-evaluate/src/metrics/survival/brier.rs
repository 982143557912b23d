//! How far predicted survival lies from what happened, over time.

use super::KaplanMeier;
use crate::Error;
use crate::metrics::check;

/// The chance of being uncensored over time, by which those who stay stand in for those who left.
#[derive(Clone, Debug, PartialEq)]
pub struct Censoring(KaplanMeier);

impl Censoring {
    /// From the subjects that the model was trained on, or from those evaluated.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::TooFew`], [`Error::NotFinite`], [`Error::OutOfRange`].
    pub fn fit(time: &[f64], event: &[bool]) -> Result<Self, Error> {
        KaplanMeier::of_censoring(time, event).map(Self)
    }

    /// 1 over the chance of being uncensored at `t`; 0 where that chance is 0.
    fn weight(&self, t: f64) -> f64 {
        let g = self.0.at(t);
        if g > 0.0 { 1.0 / g } else { 0.0 }
    }
}

/// The Brier score at each of `times`, weighted for censoring: 0 is perfect, 0.25 is a coin.
///
/// Shapes: `survival [n, times]`, row after row: the predicted chance of no event up to each time.
///
/// # Errors
/// [`Error::Length`], [`Error::OutOfRange`] for a predicted chance outside 0..1 or a time past the
/// longest follow-up, and those of bad input.
///
/// # Source
/// Graf et al. 1999, doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5;
/// scikit-survival's `brier_score`, which takes the chance of being uncensored at an event's own
/// time, where Graf takes it just before; they differ where events and censorings share times.
pub fn brier_curve(
    censoring: &Censoring,
    time: &[f64],
    event: &[bool],
    survival: &[f64],
    times: &[f64],
) -> Result<Vec<f64>, Error> {
    check::follow_up(time, event)?;
    check::finite("times", times)?;
    check::length("survival", time.len() * times.len(), survival.len())?;
    check::probabilities("survival", survival)?;
    let longest = time.iter().copied().fold(0.0, f64::max);
    if let Some(position) = times.iter().position(|&t| t < 0.0 || t >= longest) {
        return Err(Error::OutOfRange { what: "times", position, expected: "before the longest follow-up" });
    }
    let at_own_time: Vec<f64> = time.iter().map(|&t| censoring.weight(t)).collect();
    let score = |(k, &t): (usize, &f64)| {
        let at_t = censoring.weight(t);
        let sum: f64 = (0..time.len())
            .map(|i| {
                let s = survival[i * times.len() + k];
                if time[i] > t {
                    (1.0 - s).powi(2) * at_t
                } else if event[i] {
                    s * s * at_own_time[i]
                } else {
                    0.0
                }
            })
            .sum();
        sum / time.len() as f64
    };
    Ok(times.iter().enumerate().map(score).collect())
}

/// The mean of [`brier_curve`] over time, by the trapezoidal rule between the first and last of `times`.
///
/// # Errors
/// As [`brier_curve`]; [`Error::TooFew`] with fewer than two times; [`Error::OutOfRange`] where they
/// do not ascend.
///
/// # Source
/// scikit-survival's `integrated_brier_score`.
pub fn integrated_brier(
    censoring: &Censoring,
    time: &[f64],
    event: &[bool],
    survival: &[f64],
    times: &[f64],
) -> Result<f64, Error> {
    check::at_least("times", 2, times.len())?;
    if let Some(position) = times.windows(2).position(|w| w[0] >= w[1]) {
        return Err(Error::OutOfRange { what: "times", position: position + 1, expected: "ascending times" });
    }
    let curve = brier_curve(censoring, time, event, survival, times)?;
    let area: f64 =
        times.windows(2).zip(curve.windows(2)).map(|(t, b)| (t[1] - t[0]) * (b[0] + b[1]) / 2.0).sum();
    Ok(area / (times[times.len() - 1] - times[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coin_scores_a_quarter_and_an_oracle_nothing() {
        let (time, event) = ([1.0, 2.0, 3.0, 4.0], [true; 4]);
        let g = Censoring::fit(&time, &event).unwrap();
        assert_eq!(brier_curve(&g, &time, &event, &[0.5; 8], &[1.5, 2.5]).unwrap(), [0.25, 0.25]);
        let oracle = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(integrated_brier(&g, &time, &event, &oracle, &[1.5, 2.5]), Ok(0.0));
    }

    #[test]
    fn times_must_ascend_within_follow_up() {
        let (time, event) = ([1.0, 2.0], [true, true]);
        let g = Censoring::fit(&time, &event).unwrap();
        let of = |times: &[f64]| integrated_brier(&g, &time, &event, &vec![0.5; 2 * times.len()], times);
        assert!(matches!(of(&[1.0, 0.5]), Err(Error::OutOfRange { what: "times", position: 1, .. })));
        assert!(matches!(of(&[1.0, 2.0]), Err(Error::OutOfRange { what: "times", position: 1, .. })));
        assert!(matches!(of(&[1.0]), Err(Error::TooFew { .. })));
    }
}

//! The share of subjects still without the event.

use crate::Error;
use crate::metrics::{check, interval::Z_95, rank};
use chiasm_record::Estimate;

/// What happened at one distinct time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KaplanMeierStep {
    /// The time.
    pub time: f64,
    /// Subjects under observation just before.
    pub at_risk: usize,
    /// Events at this time.
    pub events: usize,
    /// Subjects censored at this time, taken to leave just after the events.
    pub censored: usize,
    /// Share still without the event after this time.
    pub survival: f64,
    /// Greenwood's sum: the variance of the logarithm of `survival`.
    pub log_variance: f64,
}

/// The Kaplan–Meier estimate of survival over time.
///
/// # Source
/// Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452; R's `survival::survfit`.
#[derive(Clone, Debug, PartialEq)]
pub struct KaplanMeier {
    steps: Vec<KaplanMeierStep>,
}

impl KaplanMeier {
    /// The curve of these subjects.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::TooFew`], [`Error::NotFinite`], [`Error::OutOfRange`].
    pub fn fit(time: &[f64], event: &[bool]) -> Result<Self, Error> {
        Self::build(time, event, false)
    }

    /// The share still uncensored: censoring is the event, and who has the true event leaves just before.
    pub(super) fn of_censoring(time: &[f64], event: &[bool]) -> Result<Self, Error> {
        Self::build(time, event, true)
    }

    fn build(time: &[f64], event: &[bool], of_censoring: bool) -> Result<Self, Error> {
        check::follow_up(time, event)?;
        let order = rank::ascending(time);
        let (mut at_risk, mut survival, mut log_variance) = (time.len(), 1.0, 0.0);
        let mut steps = Vec::new();
        for block in rank::runs(&order, time) {
            let events = block.iter().filter(|&&i| event[i]).count();
            let censored = block.len() - events;
            let (gone, of) = if of_censoring { (censored, at_risk - events) } else { (events, at_risk) };
            if gone > 0 {
                let (gone, of) = (gone as f64, of as f64);
                survival *= (of - gone) / of;
                log_variance += gone / (of * (of - gone));
            }
            steps.push(KaplanMeierStep {
                time: time[block[0]],
                at_risk,
                events,
                censored,
                survival,
                log_variance,
            });
            at_risk -= block.len();
        }
        Ok(Self { steps })
    }

    /// One step per distinct time, ascending.
    pub fn steps(&self) -> &[KaplanMeierStep] {
        &self.steps
    }

    /// Share still without the event after time `t`; after the last time, as at the last time.
    pub fn at(&self, t: f64) -> f64 {
        self.last(|s| s.time <= t).map_or(1.0, |s| s.survival)
    }

    /// Share still without the event just before time `t`.
    pub(super) fn just_before(&self, t: f64) -> f64 {
        self.last(|s| s.time < t).map_or(1.0, |s| s.survival)
    }

    /// [`KaplanMeier::at`] with its 95 % interval on the log scale, cut at 1 (R's `conf.type = "log"`).
    /// Where survival is 0 the interval is a point.
    pub fn estimate(&self, t: f64) -> Estimate {
        let Some(step) = self.last(|s| s.time <= t) else {
            return Estimate { estimate: 1.0, low: 1.0, high: 1.0 };
        };
        let s = step.survival;
        if s <= 0.0 {
            return Estimate { estimate: 0.0, low: 0.0, high: 0.0 };
        }
        let half = Z_95 * step.log_variance.sqrt();
        Estimate { estimate: s, low: s * (-half).exp(), high: (s * half.exp()).min(1.0) }
    }

    /// Standard error of [`KaplanMeier::at`] by Greenwood's formula.
    pub fn standard_error(&self, t: f64) -> f64 {
        match self.last(|s| s.time <= t) {
            Some(s) if s.survival > 0.0 => s.survival * s.log_variance.sqrt(),
            _ => 0.0,
        }
    }

    /// Subjects under observation just before time `t`, for the table below a plot.
    pub fn at_risk(&self, t: f64) -> usize {
        self.steps.iter().find(|s| s.time >= t).map_or(0, |s| s.at_risk)
    }

    /// The first time at which survival is one half or less; `None` if it never is. (R reports the
    /// middle of the flat piece where survival is one half exactly.)
    pub fn median(&self) -> Option<f64> {
        self.steps.iter().find(|s| s.survival <= 0.5 + 1e-12).map(|s| s.time)
    }

    /// The longest follow-up.
    pub fn last_time(&self) -> f64 {
        self.steps.last().map_or(0.0, |s| s.time)
    }

    fn last(&self, reached: impl Fn(&KaplanMeierStep) -> bool) -> Option<&KaplanMeierStep> {
        let after = self.steps.partition_point(reached);
        after.checked_sub(1).map(|i| &self.steps[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_by_hand() {
        let km = KaplanMeier::fit(&[1.0, 2.0, 2.0, 3.0], &[true, true, false, true]).unwrap();
        assert_eq!(km.at(0.5), 1.0);
        assert_eq!(km.at(1.0), 0.75);
        assert_eq!(km.just_before(1.0), 1.0);
        assert_eq!(km.at(2.5), 0.5);
        assert_eq!((km.at(3.0), km.at(9.0)), (0.0, 0.0));
        assert_eq!(km.median(), Some(2.0));
        assert_eq!((km.at_risk(0.0), km.at_risk(2.0), km.at_risk(2.5), km.at_risk(4.0)), (4, 3, 1, 0));
    }

    #[test]
    fn censoring_leaves_after_events() {
        let g = KaplanMeier::of_censoring(&[1.0, 1.0, 2.0], &[true, false, true]).unwrap();
        assert_eq!((g.just_before(1.0), g.at(1.0)), (1.0, 0.5));
    }
}

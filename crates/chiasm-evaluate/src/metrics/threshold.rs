//! What a threshold does once it is locked.

use super::{check, interval};
use crate::Error;
use chiasm_record::Estimate;

/// The four counts at a threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Events called positive.
    pub true_positives: usize,
    /// Non-events called positive.
    pub false_positives: usize,
    /// Non-events called negative.
    pub true_negatives: usize,
    /// Events called negative.
    pub false_negatives: usize,
}

impl Confusion {
    /// Counts with a subject called positive where its score is at least `threshold`.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::TooFew`], [`Error::NotFinite`]. One class only is no error here.
    pub fn at(positive: &[bool], score: &[f64], threshold: f64) -> Result<Self, Error> {
        check::length("score", positive.len(), score.len())?;
        check::at_least("subjects", 1, positive.len())?;
        check::finite("score", score)?;
        if threshold.is_nan() {
            return Err(Error::NotFinite { what: "threshold", position: 0 });
        }
        let mut counts = Self::default();
        for (&y, &s) in positive.iter().zip(score) {
            match (y, s >= threshold) {
                (true, true) => counts.true_positives += 1,
                (false, true) => counts.false_positives += 1,
                (false, false) => counts.true_negatives += 1,
                (true, false) => counts.false_negatives += 1,
            }
        }
        Ok(counts)
    }

    /// Share of the events that are called positive (Wilson); `None` without events.
    pub fn sensitivity(&self) -> Option<Estimate> {
        share(self.true_positives, self.false_negatives)
    }

    /// Share of the non-events that are called negative (Wilson); `None` without non-events.
    pub fn specificity(&self) -> Option<Estimate> {
        share(self.true_negatives, self.false_positives)
    }

    /// Share of events among those called positive (Wilson); `None` where nobody is.
    pub fn ppv(&self) -> Option<Estimate> {
        share(self.true_positives, self.false_positives)
    }

    /// Share of non-events among those called negative (Wilson); `None` where nobody is.
    pub fn npv(&self) -> Option<Estimate> {
        share(self.true_negatives, self.false_negatives)
    }

    /// Share of all that are called right (Wilson).
    pub fn accuracy(&self) -> Option<Estimate> {
        share(self.true_positives + self.true_negatives, self.false_positives + self.false_negatives)
    }
}

fn share(hits: usize, misses: usize) -> Option<Estimate> {
    interval::wilson(hits, hits + misses).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_at_the_threshold_is_positive() {
        let c = Confusion::at(&[true, true, false, false], &[0.5, 0.4, 0.5, 0.1], 0.5).unwrap();
        assert_eq!(
            c,
            Confusion { true_positives: 1, false_positives: 1, true_negatives: 1, false_negatives: 1 }
        );
    }

    #[test]
    fn an_empty_denominator_has_no_share() {
        let c = Confusion::at(&[true, true], &[0.5, 0.4], 0.9).unwrap();
        assert_eq!((c.ppv(), c.specificity()), (None, None));
        assert_eq!(c.sensitivity().unwrap().estimate, 0.0);
    }
}

use crate::Verdict;
use chiasm_record::Estimate;

/// What may be said of fusion against its comparator.
///
/// `difference` is oriented so that above 0 favours the fusion; `p_holm` is corrected over all the
/// comparisons made; `margin`, set by the recipe before the run, is the smallest gain that would matter.
///
/// | verdict | where |
/// |---|---|
/// | `fusion_better` | `p_holm` < 0.05 and the difference is above 0 |
/// | `fusion_worse` | `p_holm` < 0.05 and the difference is below 0 |
/// | `no_gain` | otherwise, where the whole interval lies below the margin |
/// | `inconclusive` | otherwise, also without a margin and for numbers that are not finite |
///
/// ```
/// use chiasm_evaluate::{Verdict, compare::verdict};
/// use chiasm_record::Estimate;
/// let difference = Estimate { estimate: 0.001, low: -0.01, high: 0.012 };
/// assert_eq!(verdict(difference, 0.8, Some(0.02)), Verdict::NoGain);
/// assert_eq!(verdict(difference, 0.8, Some(0.01)), Verdict::Inconclusive);
/// ```
pub fn verdict(difference: Estimate, p_holm: f64, margin: Option<f64>) -> Verdict {
    let Estimate { estimate, low, high } = difference;
    let finite = [estimate, low, high, p_holm].iter().all(|v| v.is_finite());
    if finite && p_holm < 0.05 && estimate > 0.0 {
        Verdict::FusionBetter
    } else if finite && p_holm < 0.05 && estimate < 0.0 {
        Verdict::FusionWorse
    } else if finite && margin.is_some_and(|m| high < m) {
        Verdict::NoGain
    } else {
        Verdict::Inconclusive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_row_by_row() {
        let d = |estimate, low, high| Estimate { estimate, low, high };
        assert_eq!(verdict(d(0.05, 0.01, 0.09), 0.02, Some(0.02)), Verdict::FusionBetter);
        assert_eq!(verdict(d(-0.05, -0.09, -0.01), 0.02, Some(0.02)), Verdict::FusionWorse);
        // Not significant after correction: the raw interval does not count as better.
        assert_eq!(verdict(d(0.05, 0.01, 0.09), 0.06, Some(0.02)), Verdict::Inconclusive);
        assert_eq!(verdict(d(0.0, -0.01, 0.01), 0.9, Some(0.02)), Verdict::NoGain);
        assert_eq!(verdict(d(0.0, -0.01, 0.01), 0.9, None), Verdict::Inconclusive);
        assert_eq!(verdict(d(0.05, 0.01, f64::NAN), 0.02, Some(0.02)), Verdict::Inconclusive);
        assert_eq!(verdict(d(0.05, 0.01, 0.09), f64::NAN, Some(0.02)), Verdict::Inconclusive);
    }
}

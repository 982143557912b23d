use crate::Error;
use crate::metrics::interval;
use chiasm_record::Estimate;

/// By how much one model is ahead of another, and whether chance explains it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Metric of the first minus metric of the second, with its 95 % interval.
    pub difference: Estimate,
    /// Its standard error.
    pub standard_error: f64,
    /// Difference over standard error: standard normal, or Student's t for [`super::nadeau_bengio`].
    pub statistic: f64,
    /// Two-sided p value of "no difference".
    pub p: f64,
}

impl Difference {
    /// A difference of 0 that does not vary, as of a model with itself.
    pub(super) const NONE: Self = Self {
        difference: Estimate { estimate: 0.0, low: 0.0, high: 0.0 },
        standard_error: 0.0,
        statistic: 0.0,
        p: 1.0,
    };

    /// From a variance, by the normal law.
    pub(super) fn normal(difference: f64, variance: f64) -> Result<Self, Error> {
        let standard_error = variance.max(0.0).sqrt();
        if vanishes(standard_error) {
            return Self::without_spread(difference);
        }
        let statistic = difference / standard_error;
        Ok(Self {
            difference: interval::normal(difference, standard_error, (f64::NEG_INFINITY, f64::INFINITY)),
            standard_error,
            statistic,
            p: interval::two_sided(statistic),
        })
    }

    /// No spread around 0 is no difference; no spread around anything else is no test.
    pub(super) fn without_spread(difference: f64) -> Result<Self, Error> {
        if vanishes(difference) { Ok(Self::NONE) } else { Err(Error::NoSpread { what: "differences" }) }
    }
}

/// Nothing but rounding.
pub(super) fn vanishes(x: f64) -> bool {
    x.abs() < 1e-12
}

//! The sampling variance of an AUROC.

use super::{check, interval, rank};
use crate::Error;
use chiasm_record::Estimate;

/// An AUROC with its structural components, from which variances and covariances follow.
///
/// Two scores of the same subjects give two of these whose [`Delong::covariance`] makes a paired test.
#[derive(Clone, Debug, PartialEq)]
pub struct Delong {
    /// The area under the curve.
    pub auroc: f64,
    /// Per positive: the share of negatives that it outranks.
    of_positives: Vec<f64>,
    /// Per negative: the share of positives that outrank it.
    of_negatives: Vec<f64>,
}

impl Delong {
    /// Components from mid-ranks, in O(n log n) rather than a comparison of every pair.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::NotFinite`], [`Error::OneClass`], and [`Error::TooFew`] with
    /// fewer than two positives or two negatives: one subject has no variance.
    ///
    /// # Source
    /// DeLong et al. 1988, doi:10.2307/2531595; Sun & Xu 2014, doi:10.1109/LSP.2014.2337313.
    pub fn fit(positive: &[bool], score: &[f64]) -> Result<Self, Error> {
        let (m, n) = check::two_classes(positive, score)?;
        check::at_least("positives", 2, m)?;
        check::at_least("negatives", 2, n)?;
        let all = rank::midranks(score);
        let side = |wanted: bool| -> (Vec<f64>, Vec<f64>) {
            let pick = |values: &[f64]| -> Vec<f64> {
                values.iter().zip(positive).filter(|(_, p)| **p == wanted).map(|(v, _)| *v).collect()
            };
            (pick(&all), rank::midranks(&pick(score)))
        };
        let (all_of_positives, within) = side(true);
        let of_positives: Vec<f64> =
            all_of_positives.iter().zip(&within).map(|(a, w)| (a - w) / n as f64).collect();
        let (all_of_negatives, within) = side(false);
        let of_negatives: Vec<f64> =
            all_of_negatives.iter().zip(&within).map(|(a, w)| 1.0 - (a - w) / m as f64).collect();
        let auroc = of_positives.iter().sum::<f64>() / m as f64;
        Ok(Self { auroc, of_positives, of_negatives })
    }

    /// Variance of the AUROC.
    pub fn variance(&self) -> f64 {
        self.covariance(self)
    }

    /// Covariance with the AUROC of another score of the same subjects under the same labels.
    pub fn covariance(&self, other: &Self) -> f64 {
        let part = |a: &[f64], b: &[f64]| {
            let n = a.len() as f64;
            let sum: f64 = a.iter().zip(b).map(|(x, y)| (x - self.auroc) * (y - other.auroc)).sum();
            sum / (n - 1.0) / n
        };
        part(&self.of_positives, &other.of_positives) + part(&self.of_negatives, &other.of_negatives)
    }

    /// The AUROC with its 95 % interval, cut to 0..1. Where the classes are separated perfectly the
    /// variance is 0 and the interval a point, as in pROC: it says nothing then about the next cohort.
    pub fn estimate(&self) -> Estimate {
        interval::normal(self.auroc, self.variance().sqrt(), (0.0, 1.0))
    }
}

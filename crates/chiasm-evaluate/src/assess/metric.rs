use super::judge::by_fold;
use crate::Error;
use crate::metrics::repeated::pick;
use crate::metrics::{check, rank};
use chiasm_record::{Outcome, TaskKind};

/// A metric that can be counted on any rows of one repeat, with what each subject contributes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    /// Of the one output, or the mean over classes or labels for which it is defined.
    Auroc,
    /// Of one class against the rest, or of one label.
    AurocOf(usize),
    Brier,
    LogLoss,
    Accuracy,
    R2,
    Rmse,
    Mae,
    /// Harrell's, within folds.
    CIndex,
}

/// A metric's value on some rows and, per row, its centred influence: the variance is the sum of squares.
pub(super) struct Fit {
    pub value: f64,
    pub influence: Vec<f64>,
}

impl Metric {
    /// The metric that the verdict is about. For a regression R²: more is better, and it has no unit.
    pub fn deciding(kind: TaskKind) -> Self {
        match kind {
            TaskKind::Binary | TaskKind::MultiClass | TaskKind::MultiLabel => Self::Auroc,
            TaskKind::Regression => Self::R2,
            TaskKind::Survival => Self::CIndex,
        }
    }

    /// Its key in the report.
    pub fn key(self, outputs: &[String]) -> String {
        match self {
            Self::Auroc => "auroc".into(),
            Self::AurocOf(k) => format!("auroc_{}", outputs[k]),
            Self::Brier => "brier".into(),
            Self::LogLoss => "log_loss".into(),
            Self::Accuracy => "accuracy".into(),
            Self::R2 => "r2".into(),
            Self::Rmse => "rmse".into(),
            Self::Mae => "mae".into(),
            Self::CIndex => "c_index".into(),
        }
    }

    /// What the metric can be.
    pub fn range(self) -> (f64, f64) {
        match self {
            Self::Auroc | Self::AurocOf(_) | Self::Accuracy | Self::CIndex => (0.0, 1.0),
            Self::Brier | Self::LogLoss | Self::Rmse | Self::Mae => (0.0, f64::INFINITY),
            Self::R2 => (f64::NEG_INFINITY, 1.0),
        }
    }
}

/// Whether the outcome's question `output` is answered yes, for each of `rows`.
pub(super) fn positives(outcome: &Outcome, rows: &[usize], output: usize) -> Vec<bool> {
    rows.iter()
        .map(|&i| match outcome {
            Outcome::Binary(v) => v[i],
            Outcome::MultiClass(v) => v[i] == output,
            Outcome::MultiLabel(v) => v[i][output],
            Outcome::Survival { event, .. } => event[i],
            Outcome::Regression(_) => false,
        })
        .collect()
}

/// An AUROC with the influences whose squares sum to DeLong's variance.
pub(super) fn auroc(positive: &[bool], score: &[f64]) -> Result<Fit, Error> {
    let (m, n) = check::two_classes(positive, score)?;
    if m < 2 || n < 2 {
        return Err(Error::OneClass { positives: m, of: m + n });
    }
    let all = rank::midranks(score);
    let of = |wanted: bool| -> Vec<f64> {
        let side: Vec<f64> =
            score.iter().zip(positive).filter(|(_, p)| **p == wanted).map(|(s, _)| *s).collect();
        rank::midranks(&side)
    };
    let (mut inside_positives, mut inside_negatives) = (of(true).into_iter(), of(false).into_iter());
    let (m, n) = (m as f64, n as f64);
    let mut placement = Vec::with_capacity(score.len());
    let mut value = 0.0;
    for (&p, rank) in positive.iter().zip(&all) {
        let inside = if p { inside_positives.next() } else { inside_negatives.next() }.unwrap_or(0.0);
        let share = if p { (rank - inside) / n } else { 1.0 - (rank - inside) / m };
        if p {
            value += share / m;
        }
        placement.push(share);
    }
    let scale = |size: f64| (size * (size - 1.0)).sqrt();
    let influence =
        placement.iter().zip(positive).map(|(v, &p)| (v - value) / scale(if p { m } else { n })).collect();
    Ok(Fit { value, influence })
}

/// The AUROC over pairs of the same fold: the mean of the folds' AUROCs, each weighted by its pairs, with
/// the influences of a mean of independent folds. Folds with fewer than two of either answer have no
/// variance and are left out.
///
/// Subjects of different folds were scored by different models; comparing their scores would punish a
/// fold's model for the level that it gives everyone (Forman & Scholz 2010, doi:10.1145/1882471.1882479).
pub(super) fn auroc_within(positive: &[bool], score: &[f64], fold: &[usize]) -> Result<Fit, Error> {
    let everyone: Vec<usize> = (0..fold.len()).collect();
    let (mut value, mut weight) = (0.0, 0.0);
    let mut influence = vec![0.0; fold.len()];
    let mut refusal = Error::TooFew { what: "subjects", needed: 1, found: 0 };
    for rows in by_fold(fold, &everyone) {
        let y: Vec<bool> = rows.iter().map(|&i| positive[i]).collect();
        let positives = y.iter().filter(|&&p| p).count();
        match auroc(&y, &pick(score, &rows)) {
            Ok(fit) => {
                let pairs = (positives * (y.len() - positives)) as f64;
                value += pairs * fit.value;
                weight += pairs;
                rows.iter().zip(fit.influence).for_each(|(&i, own)| influence[i] = pairs * own);
            }
            Err(e @ Error::OneClass { .. }) => refusal = e,
            Err(e) => return Err(e),
        }
    }
    if weight == 0.0 {
        return Err(refusal);
    }
    influence.iter_mut().for_each(|i| *i /= weight);
    Ok(Fit { value: value / weight, influence })
}

/// The mean of the AUROCs that are defined.
pub(super) fn macro_auroc(parts: impl Iterator<Item = Result<Fit, Error>>) -> Result<Fit, Error> {
    let mut sum: Option<Fit> = None;
    let mut refusal = Error::TooFew { what: "outputs", needed: 1, found: 0 };
    let mut count = 0.0;
    for part in parts {
        match part {
            Ok(fit) => {
                count += 1.0;
                sum = Some(match sum {
                    None => fit,
                    Some(s) => Fit {
                        value: s.value + fit.value,
                        influence: s.influence.iter().zip(&fit.influence).map(|(a, b)| a + b).collect(),
                    },
                });
            }
            Err(e @ Error::OneClass { .. }) => refusal = e,
            Err(e) => return Err(e),
        }
    }
    let sum = sum.ok_or(refusal)?;
    Ok(Fit { value: sum.value / count, influence: sum.influence.iter().map(|i| i / count).collect() })
}

/// The mean of one number a subject.
pub(super) fn mean(values: &[f64]) -> Result<Fit, Error> {
    check::at_least("subjects", 2, values.len())?;
    let n = values.len() as f64;
    let value = values.iter().sum::<f64>() / n;
    let scale = (n * (n - 1.0)).sqrt();
    Ok(Fit { value, influence: values.iter().map(|v| (v - value) / scale).collect() })
}

/// The root of a mean of squares, by the delta method.
pub(super) fn root_mean(squares: &[f64]) -> Result<Fit, Error> {
    let Fit { value, influence } = mean(squares)?;
    let root = value.sqrt();
    let slope = if root > 0.0 { 0.5 / root } else { 0.0 };
    Ok(Fit { value: root, influence: influence.iter().map(|i| slope * i).collect() })
}

/// Share of variance accounted for, by the delta method.
pub(super) fn r2(actual: &[f64], predicted: &[f64]) -> Result<Fit, Error> {
    check::at_least("subjects", 2, actual.len())?;
    let n = actual.len() as f64;
    let centre = actual.iter().sum::<f64>() / n;
    let residual = mean(&actual.iter().zip(predicted).map(|(a, p)| (a - p).powi(2)).collect::<Vec<_>>())?;
    let total = mean(&actual.iter().map(|a| (a - centre).powi(2)).collect::<Vec<_>>())?;
    if total.value <= 0.0 {
        return Err(Error::NoSpread { what: "actual" });
    }
    let ratio = residual.value / total.value;
    let influence =
        residual.influence.iter().zip(&total.influence).map(|(e, t)| (ratio * t - e) / total.value).collect();
    Ok(Fit { value: 1.0 - ratio, influence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Delong;

    #[test]
    fn influences_square_to_delong() {
        let y = [true, false, true, false, true, false, false];
        let s = [0.9, 0.2, 0.1, 0.3, 0.8, 0.5, 0.8];
        let (fit, delong) = (auroc(&y, &s).unwrap(), Delong::fit(&y, &s).unwrap());
        assert!((fit.value - delong.auroc).abs() < 1e-12);
        let variance: f64 = fit.influence.iter().map(|i| i * i).sum();
        assert!((variance - delong.variance()).abs() < 1e-12);
    }

    #[test]
    fn folds_with_levels_of_their_own_are_not_compared() {
        let y = [true, true, false, false, true, true, false, false];
        let s = [0.9, 0.8, 0.1, 0.2, 10.9, 10.8, 10.1, 10.2];
        let fold = [0, 0, 0, 0, 1, 1, 1, 1];
        let fit = auroc_within(&y, &s, &fold).unwrap();
        assert_eq!(fit.value, 1.0);
        assert!(auroc(&y, &s).unwrap().value < 1.0);
        // One fold is the plain AUROC; a fold of one class only does not count.
        let s = [0.9, 0.3, 0.5, 0.2, 0.1, 0.7, 0.6, 0.4];
        assert_eq!(auroc_within(&y, &s, &[0; 8]).unwrap().value, auroc(&y, &s).unwrap().value);
        let part = auroc_within(&y, &s, &[0, 0, 0, 0, 1, 1, 2, 2]).unwrap();
        assert_eq!(part.value, auroc(&y[..4], &s[..4]).unwrap().value);
        assert!(part.influence[4..].iter().all(|i| *i == 0.0));
    }

    #[test]
    fn r2_and_root_mean_agree_with_the_plain_ones() {
        let (y, p) = ([1.0, 2.0, 4.0, 7.0], [1.5, 1.0, 5.0, 6.0]);
        assert!((r2(&y, &p).unwrap().value - crate::metrics::r2(&y, &p).unwrap()).abs() < 1e-12);
        let squares: Vec<f64> = y.iter().zip(&p).map(|(a, b): (&f64, &f64)| (a - b).powi(2)).collect();
        assert!((root_mean(&squares).unwrap().value - crate::metrics::rmse(&y, &p).unwrap()).abs() < 1e-12);
        // Jackknife of R² as an independent check of the influences.
        let mut rng_y = Vec::new();
        let mut rng_p = Vec::new();
        for i in 0..60 {
            let x = f64::from(i * 37 % 60);
            rng_y.push(x);
            rng_p.push(0.8 * x + f64::from(i * 11 % 17));
        }
        let fit = r2(&rng_y, &rng_p).unwrap();
        let without = |k: usize| {
            let keep = |v: &[f64]| -> Vec<f64> {
                v.iter().enumerate().filter(|(i, _)| *i != k).map(|(_, x)| *x).collect()
            };
            r2(&keep(&rng_y), &keep(&rng_p)).unwrap().value
        };
        let leave: Vec<f64> = (0..60).map(without).collect();
        let centre = leave.iter().sum::<f64>() / 60.0;
        let jackknife = leave.iter().map(|v| (v - centre).powi(2)).sum::<f64>() * 59.0 / 60.0;
        let variance: f64 = fit.influence.iter().map(|i| i * i).sum();
        assert!((variance / jackknife - 1.0).abs() < 0.1, "{variance} {jackknife}");
    }
}

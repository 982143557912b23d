//! Several classes, or several labels at once.

use super::{auroc, check, probability::inside};
use crate::Error;

/// The mean over classes or labels of the AUROC of one against the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct MacroAuroc {
    /// The mean over those that are defined.
    pub mean: f64,
    /// Per class or label; `None` where it, or everything else, does not occur.
    pub each: Vec<Option<f64>>,
}

/// Macro-averaged one-versus-rest AUROC.
///
/// Shapes: `class [n]`, `probability [n, classes]`, row after row. Any score that orders will do.
///
/// # Errors
/// [`Error::OneClass`] where it is defined for no class, and those of bad input.
///
/// # Source
/// scikit-learn's `roc_auc_score(multi_class="ovr", average="macro")`, which refuses where a class
/// does not occur; here such a class is `None` in [`MacroAuroc::each`].
pub fn macro_auroc(class: &[usize], probability: &[f64], classes: usize) -> Result<MacroAuroc, Error> {
    known(class, classes)?;
    check::length("probability", class.len() * classes, probability.len())?;
    over_columns(probability, classes, |k| class.iter().map(|&c| c == k).collect())
}

/// Macro-averaged AUROC over labels.
///
/// Shapes: `positive [n][labels]`, `score [n, labels]`, row after row.
///
/// # Errors
/// [`Error::OneClass`] where it is defined for no label, and those of bad input.
///
/// # Source
/// scikit-learn's `roc_auc_score(average="macro")` on an indicator matrix.
pub fn multi_label_auroc(positive: &[Vec<bool>], score: &[f64], labels: usize) -> Result<MacroAuroc, Error> {
    for row in positive {
        check::length("labels of a subject", labels, row.len())?;
    }
    check::length("score", positive.len() * labels, score.len())?;
    over_columns(score, labels, |k| positive.iter().map(|row| row[k]).collect())
}

fn over_columns(
    score: &[f64],
    columns: usize,
    positive: impl Fn(usize) -> Vec<bool>,
) -> Result<MacroAuroc, Error> {
    check::at_least("classes", 1, columns)?;
    let mut each = Vec::with_capacity(columns);
    let mut unusable = None;
    for k in 0..columns {
        let column: Vec<f64> = score.iter().skip(k).step_by(columns).copied().collect();
        match auroc(&positive(k), &column) {
            Ok(value) => each.push(Some(value)),
            Err(one @ Error::OneClass { .. }) => {
                unusable = Some(one);
                each.push(None);
            }
            Err(other) => return Err(other),
        }
    }
    let (sum, defined) = each.iter().flatten().fold((0.0, 0), |(s, n), v| (s + v, n + 1));
    match unusable {
        Some(error) if defined == 0 => Err(error),
        _ => Ok(MacroAuroc { mean: sum / defined as f64, each }),
    }
}

/// Share of subjects whose most probable class is theirs; among equals the first class counts as
/// the most probable.
///
/// Shapes as for [`macro_auroc`].
///
/// # Errors
/// [`Error::TooFew`] and those of bad input.
pub fn accuracy(class: &[usize], probability: &[f64], classes: usize) -> Result<f64, Error> {
    rows_of(class, probability, classes)?;
    let right = class.iter().zip(probability.chunks_exact(classes)).filter(|(c, row)| {
        let first_best = (0..classes).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        **c == first_best
    });
    Ok(right.count() as f64 / class.len() as f64)
}

/// Mean negative log-likelihood in nats of the true class; probabilities are kept one machine
/// epsilon away from 0 and 1. Rows must sum to 1 within 1e-6.
///
/// Shapes as for [`macro_auroc`].
///
/// # Errors
/// [`Error::TooFew`], [`Error::OutOfRange`], and those of bad input.
///
/// # Source
/// scikit-learn's `log_loss`.
pub fn multi_class_log_loss(class: &[usize], probability: &[f64], classes: usize) -> Result<f64, Error> {
    rows_of(class, probability, classes)?;
    check::probabilities("probability", probability)?;
    let mut sum = 0.0;
    for (position, (&c, row)) in class.iter().zip(probability.chunks_exact(classes)).enumerate() {
        if (row.iter().sum::<f64>() - 1.0).abs() > 1e-6 {
            let expected = "probabilities of a subject that sum to 1";
            return Err(Error::OutOfRange { what: "probability", position, expected });
        }
        sum -= inside(row[c]).ln();
    }
    Ok(sum / class.len() as f64)
}

fn rows_of(class: &[usize], probability: &[f64], classes: usize) -> Result<(), Error> {
    check::at_least("subjects", 1, class.len())?;
    known(class, classes)?;
    check::length("probability", class.len() * classes, probability.len())?;
    check::finite("probability", probability)
}

fn known(class: &[usize], classes: usize) -> Result<(), Error> {
    match class.iter().position(|&c| c >= classes) {
        Some(position) => Err(Error::OutOfRange {
            what: "class",
            position,
            expected: "an index below the number of classes",
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_does_not_occur_is_left_out_of_the_mean() {
        let p = [0.7, 0.2, 0.1, 0.2, 0.7, 0.1, 0.1, 0.8, 0.1];
        let m = macro_auroc(&[0, 1, 1], &p, 3).unwrap();
        assert_eq!(m.each, [Some(1.0), Some(1.0), None]);
        assert_eq!(m.mean, 1.0);
        assert_eq!(macro_auroc(&[0], &[1.0], 1), Err(Error::OneClass { positives: 1, of: 1 }));
    }

    #[test]
    fn an_unknown_class_is_an_error() {
        assert!(matches!(
            accuracy(&[0, 3], &[0.5; 4], 2),
            Err(Error::OutOfRange { what: "class", position: 1, .. })
        ));
    }
}

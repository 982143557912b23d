//! Whether the predicted risks match what happened.

use super::answers::{Answers, Table};
use super::judge::{Judge, by_fold};
use super::metric::positives;
use super::models::Candidates;
use super::subsets::by_pattern;
use crate::metrics::repeated::pick;
use crate::metrics::survival::{KaplanMeier, horizon_calibration};
use crate::metrics::{self, Z_95, calibration_curve, calibration_in_the_large};
use crate::{Calibration, CalibrationBin, Error, Measure, PatternCalibration};
use chiasm_record::{Estimate, TaskKind};

const BINS: usize = 10;

/// Intercept and slope, as far as they are defined.
#[derive(Clone, Copy, Default)]
pub(super) struct Recalibration {
    pub intercept: Option<Measure>,
    pub slope: Option<Measure>,
}

/// Of the nested procedure; nothing for a regression, or for survival without a horizon.
pub(super) fn calibration(judge: &Judge, candidates: &Candidates) -> Option<Calibration> {
    let answers = &candidates.nested.answers;
    let bins = match judge.kind() {
        TaskKind::Regression => return None,
        TaskKind::Survival => {
            let horizon = judge.held_out.horizon?;
            let (time, event) = judge.follow_up(&judge.everyone);
            mean_bins(answers, |t| {
                let found = horizon_calibration(&time, &event, &t.answer, horizon, BINS)?;
                Ok(found.groups.iter().map(|g| (g.predicted, g.observed, g.n)).collect())
            })
        }
        _ => {
            let truth = flat_truth(judge);
            mean_bins(answers, |t| {
                let found = calibration_curve(&truth, &t.answer, BINS)?;
                Ok(found.iter().map(|g| (g.predicted, g.observed, g.n)).collect())
            })
        }
    };
    let whole = recalibration(judge, answers, &judge.everyone);
    let patterns =
        by_pattern(judge.held_out).into_iter().filter(|(has, rows)| !has.is_empty() && judge.enough(rows));
    let patterns = patterns
        .map(|(has, rows)| {
            let Recalibration { intercept, slope } = recalibration(judge, answers, &rows);
            PatternCalibration {
                modalities: super::names(judge.held_out, has),
                n: rows.len(),
                intercept,
                slope,
            }
        })
        .collect();
    Some(Calibration { intercept: whole.intercept, slope: whole.slope, bins, patterns })
}

/// Calibration in the large on the log-odds, and the slope: over all outputs at once where there are
/// several (then without intervals, since a subject's answers depend on each other); for survival the
/// log-odds of the observed over those of the mean predicted risk at the horizon, and Cox's slope on
/// the log-risk within folds. Means over repeats.
pub(super) fn recalibration(judge: &Judge, answers: &Answers, rows: &[usize]) -> Recalibration {
    let (intercepts, slopes): (Vec<_>, Vec<_>) = answers
        .repeats
        .iter()
        .zip(&judge.held_out.repeats)
        .map(|(table, repeat)| match judge.kind() {
            TaskKind::Regression => (None, None),
            TaskKind::Survival => {
                (at_horizon(judge, table, rows), cox_slope(judge, table, &repeat.fold, rows))
            }
            _ => binary(judge, table, rows),
        })
        .unzip();
    Recalibration { intercept: mean(&intercepts), slope: mean(&slopes) }
}

fn binary(judge: &Judge, table: &Table, rows: &[usize]) -> (Option<Estimate>, Option<Estimate>) {
    let width = judge.outputs();
    let (mut truth, mut risk) = (Vec::new(), Vec::new());
    for k in 0..width {
        truth.extend(positives(&judge.held_out.outcome, rows, k));
        risk.extend(rows.iter().map(|&i| table.answer[i * width + k]));
    }
    let point = |e: Estimate| {
        if width == 1 { e } else { Estimate { low: f64::NAN, high: f64::NAN, ..e } }
    };
    let intercept = calibration_in_the_large(&truth, &risk).ok().map(point);
    (intercept, metrics::recalibration(&truth, &risk).ok().map(|r| point(r.slope)))
}

/// Log-odds of the observed risk by the horizon minus those of the mean predicted one.
fn at_horizon(judge: &Judge, table: &Table, rows: &[usize]) -> Option<Estimate> {
    let horizon = judge.held_out.horizon?;
    let (time, event) = judge.follow_up(rows);
    let curve = KaplanMeier::fit(&time, &event).ok().filter(|c| c.last_time() >= horizon)?;
    let observed = 1.0 - curve.at(horizon);
    let expected = pick(&table.answer, rows).iter().sum::<f64>() / rows.len() as f64;
    let variance_scale = observed * (1.0 - observed);
    if !(variance_scale > 0.0 && expected > 0.0 && expected < 1.0) {
        return None;
    }
    let log_odds = |p: f64| (p / (1.0 - p)).ln();
    let half = Z_95 * curve.standard_error(horizon) / variance_scale;
    let estimate = log_odds(observed) - log_odds(expected);
    Some(Estimate { estimate, low: estimate - half, high: estimate + half })
}

/// The coefficient of the predicted log-risk in a Cox model with a baseline per fold, by Newton's
/// method on Breslow's partial likelihood; nothing where it does not settle.
fn cox_slope(judge: &Judge, table: &Table, fold: &[usize], rows: &[usize]) -> Option<Estimate> {
    let strata: Vec<Vec<(f64, bool, f64)>> = by_fold(fold, rows)
        .into_iter()
        .map(|rows| {
            let (time, event) = judge.follow_up(&rows);
            // Centred: a shift of all log-risks of a fold is its baseline's business.
            let centre = pick(&table.link, &rows).iter().sum::<f64>() / rows.len() as f64;
            let mut subjects: Vec<_> =
                rows.iter().zip(time).zip(event).map(|((&i, t), e)| (t, e, table.link[i] - centre)).collect();
            subjects.sort_by(|a, b| b.0.total_cmp(&a.0));
            subjects
        })
        .collect();
    let mut slope = 1.0f64;
    for _ in 0..50 {
        let (mut gradient, mut information) = (0.0, 0.0);
        for subjects in &strata {
            let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
            for tied in subjects.chunk_by(|a, b| a.0 == b.0) {
                for &(_, _, x) in tied {
                    let w = (slope * x).exp();
                    (sum, first, second) = (sum + w, first + w * x, second + w * x * x);
                }
                for &(_, _, x) in tied.iter().filter(|s| s.1) {
                    let mean = first / sum;
                    gradient += x - mean;
                    information += second / sum - mean * mean;
                }
            }
        }
        let step = gradient / information;
        if !step.is_finite() {
            return None;
        }
        slope += step.clamp(-2.0, 2.0);
        if step.abs() < 1e-9 * (1.0 + slope.abs()) {
            let half = Z_95 / information.sqrt();
            return Some(Estimate { estimate: slope, low: slope - half, high: slope + half });
        }
    }
    None
}

/// Every output's answer to "yes or no", in the order of [`Table::answer`].
fn flat_truth(judge: &Judge) -> Vec<bool> {
    let columns: Vec<Vec<bool>> =
        (0..judge.outputs()).map(|k| positives(&judge.held_out.outcome, &judge.everyone, k)).collect();
    judge.everyone.iter().flat_map(|&i| columns.iter().map(move |c| c[i])).collect()
}

/// The bins of each repeat averaged one by one, so that their intervals are those of one repeat; where
/// ties leave repeats with different numbers of bins, those of the first repeat.
fn mean_bins(
    answers: &Answers,
    of: impl Fn(&Table) -> Result<Vec<(f64, Estimate, usize)>, Error>,
) -> Vec<CalibrationBin> {
    let Ok(mut repeats) = answers.repeats.iter().map(of).collect::<Result<Vec<_>, _>>() else {
        return Vec::new();
    };
    let count = repeats[0].len();
    if repeats.iter().any(|r| r.len() != count) {
        repeats.truncate(1);
    }
    let r = repeats.len() as f64;
    let bin = |b: usize| {
        let observed = mean(&repeats.iter().map(|bins| Some(bins[b].1)).collect::<Vec<_>>())?;
        let predicted = repeats.iter().map(|bins| bins[b].0).sum::<f64>() / r;
        let n = (repeats.iter().map(|bins| bins[b].2).sum::<usize>() as f64 / r).round() as usize;
        Some(CalibrationBin { predicted, observed, n })
    };
    (0..count).filter_map(bin).collect()
}

/// The mean over repeats, bounds too; nothing unless every repeat has a value.
fn mean(estimates: &[Option<Estimate>]) -> Option<Measure> {
    let n = estimates.len() as f64;
    let over = |f: fn(&Estimate) -> f64| {
        estimates.iter().map(|e| e.as_ref().map(f)).sum::<Option<f64>>().map(|sum| sum / n)
    };
    Measure::new(Estimate { estimate: over(|e| e.estimate)?, low: over(|e| e.low)?, high: over(|e| e.high)? })
}

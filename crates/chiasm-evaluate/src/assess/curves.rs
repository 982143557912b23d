//! Thresholds, ROC, decision curve, Kaplan-Meier, prediction sets.

use super::answers::{Answers, choice};
use super::judge::{Judge, by_fold};
use super::metric::positives;
use super::models::{Candidate, Candidates};
use crate::metrics::repeated::pick;
use crate::metrics::survival::KaplanMeier;
use crate::metrics::{OperatingPoint, net_benefit, roc_curve, wilson};
use crate::{
    AtRisk, Conformal, CurvePoint, DecisionPoint, Measure, RiskGroup, RocCurve, RocPoint, RocThreshold,
    SurvivalCurves,
};
use chiasm_record::TaskKind;

/// Coverage and abstention, counted over all repeats; the intervals are Wilson's for one repeat.
pub(super) fn conformal(judge: &Judge) -> Option<Conformal> {
    let h = judge.held_out;
    let repeats = h.repeats.len();
    let (mut known, mut covered, mut abstained) = (0, 0, 0);
    for r in &h.repeats {
        known += r.covered.iter().flatten().count();
        covered += r.covered.iter().flatten().filter(|&&c| c).count();
        abstained += r.abstained.iter().filter(|&&a| a).count();
    }
    Some(Conformal {
        confidence: h.confidence,
        coverage: proportion(covered, known, repeats)?,
        abstention_rate: proportion(abstained, repeats * judge.everyone.len(), repeats)?,
    })
    .filter(|c| c.confidence.is_finite())
}

/// A share counted over several repeats of the same subjects, with the interval of one.
fn proportion(hits: usize, of: usize, repeats: usize) -> Option<Measure> {
    if of == 0 {
        return None;
    }
    let once = |count: usize| (count as f64 / repeats as f64).round() as usize;
    let estimate = hits as f64 / of as f64;
    let n = once(of).max(1);
    let interval = wilson(once(hits).min(n), n).ok()?;
    // Rounding to whole subjects may leave the estimate a hair outside.
    Some(Measure { estimate, low: Some(interval.low.min(estimate)), high: Some(interval.high.max(estimate)) })
}

/// What thresholds locked on each fold's training subjects do on its untouched ones; the threshold
/// shown is the mean over folds.
pub(super) fn thresholds(judge: &Judge, candidates: &Candidates) -> Vec<RocThreshold> {
    let h = judge.held_out;
    if judge.kind() != TaskKind::Binary {
        return Vec::new();
    }
    let truth = positives(&h.outcome, &judge.everyone, 0);
    let mut rules: Vec<&str> = Vec::new();
    for (rule, _) in h.repeats.iter().flat_map(|r| &r.choices).flat_map(|c| &c.thresholds) {
        if !rules.contains(&rule.as_str()) {
            rules.push(rule);
        }
    }
    let of = |rule: &str| {
        let locked = |c: &crate::FoldChoice| {
            c.thresholds.iter().find(|(r, t)| r == rule && !t.is_nan()).map(|(_, t)| *t)
        };
        let shown: Vec<f64> =
            h.repeats.iter().flat_map(|r| &r.choices).filter_map(locked).filter(|t| t.is_finite()).collect();
        // [event][called positive]
        let mut count = [[0usize; 2]; 2];
        for (repeat, table) in h.repeats.iter().zip(&candidates.nested.answers.repeats) {
            for &i in &judge.everyone {
                if let Some(t) = locked(choice(repeat, i)) {
                    count[usize::from(truth[i])][usize::from(table.answer[i] >= t)] += 1;
                }
            }
        }
        let [[tn, fp], [fne, tp]] = count;
        let share = |hits, of| proportion(hits, of, h.repeats.len());
        (!shown.is_empty()).then(|| RocThreshold {
            rule: rule.to_owned(),
            threshold: shown.iter().sum::<f64>() / shown.len() as f64,
            sensitivity: share(tp, tp + fne),
            specificity: share(tn, tn + fp),
            ppv: share(tp, tp + fp),
            npv: share(tn, tn + fne),
        })
    };
    rules.into_iter().filter_map(of).collect()
}

/// The final fusion, the nested procedure and every single: sensitivity averaged over repeats on a grid
/// of false positive rates.
pub(super) fn roc(judge: &Judge, candidates: &Candidates) -> Vec<RocCurve> {
    if judge.kind() != TaskKind::Binary {
        return Vec::new();
    }
    let h = judge.held_out;
    let truth = positives(&h.outcome, &judge.everyone, 0);
    let best = &candidates.singles[h.best_single];
    let others = candidates.singles.iter().enumerate().filter(|(m, _)| *m != h.best_single).map(|(_, c)| c);
    let models = [&candidates.fusions[h.selected], &candidates.nested, best].into_iter().chain(others);
    models.filter_map(|c| mean_roc(&truth, c)).collect()
}

fn mean_roc(truth: &[bool], candidate: &Candidate) -> Option<RocCurve> {
    const STEPS: usize = 200;
    let repeats = &candidate.answers.repeats;
    let mut sensitivity = vec![0.0; STEPS + 1];
    for table in repeats {
        let curve = roc_curve(truth, &table.link).ok()?;
        for (step, sum) in sensitivity.iter_mut().enumerate() {
            *sum += reached(&curve, step as f64 / STEPS as f64) / repeats.len() as f64;
        }
    }
    let point = |(step, &s): (usize, &f64)| RocPoint {
        false_positive_rate: step as f64 / STEPS as f64,
        true_positive_rate: f64::min(s, 1.0),
    };
    let start = RocPoint { false_positive_rate: 0.0, true_positive_rate: 0.0 };
    let points = std::iter::once(start).chain(sensitivity.iter().enumerate().map(point)).collect();
    Some(RocCurve { model: candidate.name.clone(), points })
}

/// The highest sensitivity on the curve at this false positive rate, linear between its points.
fn reached(curve: &[OperatingPoint], rate: f64) -> f64 {
    let after = curve.partition_point(|p| 1.0 - p.specificity <= rate + 1e-12);
    let Some(last) = after.checked_sub(1).map(|i| &curve[i]) else { return 0.0 };
    let Some(next) = curve.get(after) else { return last.sensitivity };
    let (x0, x1) = (1.0 - last.specificity, 1.0 - next.specificity);
    last.sensitivity + (next.sensitivity - last.sensitivity) * ((rate - x0) / (x1 - x0)).clamp(0.0, 1.0)
}

/// Net benefit of the nested procedure and of its comparator at 60 thresholds: up to 0.6 for events of
/// middling frequency, less far for rare ones, further for frequent ones.
pub(super) fn decision_curve(judge: &Judge, candidates: &Candidates) -> Vec<DecisionPoint> {
    let frequency = match judge.kind() {
        TaskKind::Binary => {
            let events = judge.events(&judge.everyone).unwrap_or(0);
            events as f64 / judge.everyone.len() as f64
        }
        TaskKind::Survival => {
            let (time, event) = judge.follow_up(&judge.everyone);
            match (KaplanMeier::fit(&time, &event), judge.held_out.horizon) {
                (Ok(curve), Some(horizon)) if horizon <= curve.last_time() => 1.0 - curve.at(horizon),
                _ => return Vec::new(),
            }
        }
        _ => return Vec::new(),
    };
    let end = if frequency < 0.2 { (3.0 * frequency).max(0.06) } else { (frequency + 0.3).clamp(0.6, 0.95) };
    let thresholds: Vec<f64> = (1..=60).map(|step| end * f64::from(step) / 60.0).collect();
    let Some(fusion) = benefits(judge, &candidates.nested.answers, &thresholds) else { return Vec::new() };
    let single = benefits(judge, &candidates.nested_single.answers, &thresholds);
    let point = |(at, &threshold): (usize, &f64)| DecisionPoint {
        threshold,
        fusion: fusion[at],
        best_single: single.as_ref().map(|s| s[at]),
        treat_all: frequency - (1.0 - frequency) * threshold / (1.0 - threshold),
    };
    thresholds.iter().enumerate().map(point).collect()
}

/// Net benefit per threshold, mean over repeats.
fn benefits(judge: &Judge, answers: &Answers, thresholds: &[f64]) -> Option<Vec<f64>> {
    let mut mean = vec![0.0; thresholds.len()];
    for table in &answers.repeats {
        let once: Vec<f64> = match (judge.kind(), judge.held_out.horizon) {
            (TaskKind::Survival, Some(horizon)) => thresholds
                .iter()
                .map(|&t| benefit_at_horizon(judge, &table.answer, horizon, t))
                .collect::<Option<_>>()?,
            (TaskKind::Survival, None) => return None,
            _ => {
                let truth = positives(&judge.held_out.outcome, &judge.everyone, 0);
                let found = net_benefit(&truth, &table.answer, thresholds).ok()?;
                found.iter().map(|b| b.acting_on_prediction).collect()
            }
        };
        mean.iter_mut().zip(once).for_each(|(sum, b)| *sum += b / answers.repeats.len() as f64);
    }
    Some(mean)
}

/// Net benefit where some are censored: events by the horizon among those called positive are counted
/// by Kaplan-Meier (Vickers et al. 2008, doi:10.1186/1472-6947-8-53).
fn benefit_at_horizon(judge: &Judge, risk: &[f64], horizon: f64, threshold: f64) -> Option<f64> {
    let called: Vec<usize> = judge.everyone.iter().copied().filter(|&i| risk[i] >= threshold).collect();
    if called.is_empty() {
        return Some(0.0);
    }
    let (time, event) = judge.follow_up(&called);
    let free = KaplanMeier::fit(&time, &event).ok()?.at(horizon);
    let share = called.len() as f64 / judge.everyone.len() as f64;
    Some(share * (1.0 - free) - share * free * threshold / (1.0 - threshold))
}

/// Kaplan-Meier by third of predicted risk. A subject's place is its rank among those of its fold, mean
/// over repeats, so every subject is in one group and no two models' risks are compared.
pub(super) fn kaplan_meier(judge: &Judge, candidates: &Candidates) -> Option<SurvivalCurves> {
    const NAMES: [&str; 3] = [
        "lowest third of predicted risk",
        "middle third of predicted risk",
        "highest third of predicted risk",
    ];
    if judge.kind() != TaskKind::Survival {
        return None;
    }
    let place = places(judge, &candidates.nested.answers);
    let mut order = judge.everyone.clone();
    order.sort_by(|&a, &b| place[a].total_cmp(&place[b]));
    let mut third = vec![0; order.len()];
    for (rank, &i) in order.iter().enumerate() {
        third[i] = rank * 3 / order.len();
    }
    let (time, _) = judge.follow_up(&judge.everyone);
    let ticks = round_times(time.iter().copied().fold(0.0, f64::max));
    let group = |(g, name): (usize, &&str)| {
        let rows: Vec<usize> = judge.everyone.iter().copied().filter(|&i| third[i] == g).collect();
        let (time, event) = judge.follow_up(&rows);
        let curve = KaplanMeier::fit(&time, &event).ok()?;
        Some(RiskGroup {
            name: (*name).to_owned(),
            n: rows.len(),
            events: event.iter().filter(|&&e| e).count(),
            points: points(&curve, &ticks),
            at_risk: ticks.iter().map(|&time| AtRisk { time, n: curve.at_risk(time) }).collect(),
        })
    };
    let groups = NAMES.iter().enumerate().map(group).collect::<Option<Vec<_>>>()?;
    Some(SurvivalCurves { groups })
}

/// Per subject: the mean over repeats of the share of its fold with a lower risk, ties in the middle.
fn places(judge: &Judge, answers: &Answers) -> Vec<f64> {
    let mut place = vec![0.0; judge.everyone.len()];
    for (repeat, table) in judge.held_out.repeats.iter().zip(&answers.repeats) {
        for rows in by_fold(&repeat.fold, &judge.everyone) {
            let ranks = crate::metrics::rank::midranks(&pick(&table.link, &rows));
            rows.iter().zip(ranks).for_each(|(&i, rank)| place[i] += (rank - 0.5) / rows.len() as f64);
        }
    }
    place
}

/// The curve at time 0 and at ten even steps from each round time to the next: not at the times of the events,
/// which are those of single subjects.
fn points(curve: &KaplanMeier, ticks: &[f64]) -> Vec<CurvePoint> {
    const BETWEEN: usize = 10;
    let step = ticks.get(1).map_or(0.0, |t| t / BETWEEN as f64);
    let point = |k: usize| {
        let time = k as f64 * step;
        let at = Measure::new(curve.estimate(time));
        CurvePoint {
            time,
            survival: curve.at(time),
            low: at.and_then(|m| m.low),
            high: at.and_then(|m| m.high),
        }
    };
    (0..=(ticks.len() - 1) * BETWEEN).map(point).collect()
}

/// 0 and at most six further round times up to the longest follow-up.
fn round_times(longest: f64) -> Vec<f64> {
    let mut times = vec![0.0];
    if longest > 0.0 && longest.is_finite() {
        let raw = longest / 6.0;
        let magnitude = 10f64.powi(raw.log10().floor() as i32);
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|s| s * magnitude).into_iter().find(|s| *s >= raw);
        let step = step.unwrap_or(raw);
        times.extend((1..=6).map(|k| f64::from(k) * step).filter(|t| *t <= longest));
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_times_are_round_and_few() {
        assert_eq!(round_times(10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(round_times(0.0), [0.0]);
        assert!(round_times(1e-9).len() <= 7 && round_times(7777.0).len() <= 7);
    }

    #[test]
    fn a_curve_is_read_at_the_top_of_its_steps() {
        let curve = roc_curve(&[true, false, true, false], &[0.9, 0.8, 0.7, 0.1]).unwrap();
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|r| reached(&curve, r)), [0.5, 0.5, 1.0, 1.0]);
    }
}

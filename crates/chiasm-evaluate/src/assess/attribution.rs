//! What the predictions rest on, over all subjects.

use super::judge::Judge;
use super::models::Candidates;
use super::subsets::Shown;
use crate::{AttributionSummary, InteractionSummary, ModalitySummary};
use chiasm_record::TaskKind;
use std::collections::BTreeMap;

/// Shares averaged over repeats; without features, which evaluation does not see. Nothing where no
/// subject has an attribution.
pub(super) fn attribution(judge: &Judge, candidates: &Candidates) -> Option<AttributionSummary> {
    let h = judge.held_out;
    let width = h.modalities.len();
    if h.repeats.iter().all(|r| r.attribution.iter().all(Option::is_none)) {
        return None;
    }
    let shares: Vec<Vec<Option<f64>>> = judge.everyone.iter().map(|&i| shares_of(judge, i)).collect();
    let value = value_of_acquiring(judge, candidates);
    let summary = |m: usize| {
        let known: Vec<f64> = shares.iter().filter_map(|row| row[m]).map(f64::abs).collect();
        ModalitySummary {
            name: h.modalities[m].as_str().to_owned(),
            n: h.availability.iter().filter(|a| a.contains(m)).count(),
            mean_abs_share: mean(&known).unwrap_or(0.0),
            value_of_acquiring: value[m],
            features: Vec::new(),
        }
    };
    Some(AttributionSummary {
        scale: match judge.kind() {
            TaskKind::Survival => "log-risk".into(),
            TaskKind::Regression => h.task.outputs[0].clone(),
            _ => "log-odds".into(),
        },
        modalities: (0..width).map(summary).collect(),
        interactions: interactions(judge),
        shares: spread_out(shares.iter().filter(|row| row.iter().any(Option::is_some)).cloned().collect()),
        sampling_error: {
            let errors = h.repeats.iter().flat_map(|r| r.attribution.iter().flatten());
            mean(&errors.filter_map(|a| a.sampling_error).filter(|e| e.is_finite()).collect::<Vec<_>>())
        },
    })
}

/// Subject `i`'s share per modality, mean over repeats; `None` where absent.
fn shares_of(judge: &Judge, i: usize) -> Vec<Option<f64>> {
    let h = judge.held_out;
    let mut sums = vec![(0.0, 0usize); h.modalities.len()];
    for attribution in h.repeats.iter().filter_map(|r| r.attribution[i].as_ref()) {
        for s in &attribution.shares {
            if s.share.is_finite() && h.availability[i].contains(s.modality) {
                sums[s.modality].0 += s.share;
                sums[s.modality].1 += 1;
            }
        }
    }
    sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / n as f64)).collect()
}

fn interactions(judge: &Judge) -> Vec<InteractionSummary> {
    let h = judge.held_out;
    // Sum over repeats per pair and subject, so that a subject counts once.
    let mut pairs = BTreeMap::<(usize, usize), BTreeMap<usize, (f64, usize)>>::new();
    for (i, attribution) in h.repeats.iter().flat_map(|r| r.attribution.iter().enumerate()) {
        for &(a, b, value) in attribution.iter().flat_map(|a| &a.interactions) {
            let has = h.availability[i];
            if value.is_finite() && has.contains(a) && has.contains(b) && a != b {
                let sum = pairs.entry((a.min(b), a.max(b))).or_default().entry(i).or_default();
                *sum = (sum.0 + value, sum.1 + 1);
            }
        }
    }
    let summary = |((a, b), subjects): ((usize, usize), BTreeMap<usize, (f64, usize)>)| {
        let values: Vec<f64> = subjects.values().map(|(sum, n)| sum / *n as f64).collect();
        let name = |m: usize| h.modalities.get(m).map(|m| m.as_str().to_owned());
        Some(InteractionSummary {
            a: name(a)?,
            b: name(b)?,
            mean: mean(&values)?,
            mean_abs: mean(&values.iter().map(|v| v.abs()).collect::<Vec<_>>())?,
        })
    };
    pairs.into_iter().filter_map(summary).collect()
}

/// Per modality: among those who have it beside others, by how much the answer (first output, link
/// scale) moves when it is hidden; `None` where the run did not try that.
fn value_of_acquiring(judge: &Judge, candidates: &Candidates) -> Vec<Option<f64>> {
    let h = judge.held_out;
    let shown = Shown::new(h);
    let width = judge.outputs();
    let of = |m: usize| {
        let mut moved = Vec::new();
        for (repeat, table) in h.repeats.iter().zip(&candidates.nested.answers.repeats) {
            for &i in judge.everyone.iter().filter(|&&i| h.availability[i].contains(m)) {
                let without = super::everything(h).intersect(h.availability[i]).without(m);
                if let Some(at) = shown.at(h, i, without).filter(|_| !without.is_empty()) {
                    moved.push((table.link[i * width] - repeat.subsets[at].1.link[i][0]).abs());
                }
            }
        }
        mean(&moved)
    };
    (0..h.modalities.len()).map(of).collect()
}

/// At most [`AttributionSummary::MAX_SUBJECTS`] rows, evenly spaced by their sum, which is also their order:
/// the order of the data could tell who is who.
fn spread_out(mut rows: Vec<Vec<Option<f64>>>) -> Vec<Vec<Option<f64>>> {
    let sum = |row: &Vec<Option<f64>>| row.iter().flatten().sum::<f64>();
    rows.sort_by(|a, b| sum(a).total_cmp(&sum(b)));
    let most = AttributionSummary::MAX_SUBJECTS;
    if rows.len() <= most {
        return rows;
    }
    (0..most).map(|k| rows[k * rows.len() / most].clone()).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

//! Every model with its metrics.

use super::answers::Answers;
use super::calibration;
use super::judge::{Judge, by_fold};
use super::metric::{Metric, positives};
use crate::metrics::repeated::pick;
use crate::metrics::survival::{Censoring, brier_curve, integrated_brier, uno};
use crate::metrics::{auprc, interval};
use crate::{Error, HeldOut, Measure, ModelKind, ModelResult};
use chiasm_record::{Availability, TaskKind};
use std::collections::BTreeMap;

/// The whole procedure, as the report names it: in each fold the fusion that its training chose.
pub(super) const NESTED: &str = "nested";
/// Its comparator: in each fold the single modality that its training chose.
pub(super) const NESTED_SINGLE: &str = "best single (nested)";

/// A model of the report and what it said.
pub(super) struct Candidate {
    pub name: String,
    pub kind: ModelKind,
    pub modalities: Availability,
    pub fusion: Option<String>,
    pub answers: Answers,
}

/// All models of a report.
pub(super) struct Candidates {
    pub singles: Vec<Candidate>,
    pub fusions: Vec<Candidate>,
    pub nested: Candidate,
    pub nested_single: Candidate,
}

impl Candidates {
    pub fn of(h: &HeldOut) -> Self {
        let candidate = |name: &str, kind, modalities, fusion, answers| Candidate {
            name: name.to_owned(),
            kind,
            modalities,
            fusion,
            answers,
        };
        let everything = Availability::all(h.modalities.len());
        let singles = h.modalities.iter().enumerate().map(|(m, name)| {
            candidate(name.as_str(), ModelKind::Single, Availability::only(m), None, Answers::single(h, m))
        });
        let fusions = h.fusions.iter().enumerate().map(|(f, fusion)| {
            let kind = Some(fusion.kind.clone());
            let modalities = fusion.modalities.intersect(everything);
            candidate(&fusion.name, ModelKind::Fusion, modalities, kind, Answers::fusion(h, f))
        });
        Self {
            singles: singles.collect(),
            fusions: fusions.collect(),
            nested: candidate(NESTED, ModelKind::Nested, everything, None, Answers::nested(h)),
            nested_single: candidate(
                NESTED_SINGLE,
                ModelKind::Reference,
                everything,
                None,
                Answers::nested_single(h),
            ),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Candidate> {
        self.singles.iter().chain(&self.fusions).chain([&self.nested, &self.nested_single])
    }
}

pub(super) fn results(judge: &Judge, candidates: &Candidates) -> Vec<ModelResult> {
    candidates
        .all()
        .map(|c| ModelResult {
            name: c.name.clone(),
            kind: c.kind,
            modalities: super::names(judge.held_out, c.modalities),
            fusion: c.fusion.clone(),
            metrics: metrics(judge, &c.answers),
        })
        .collect()
}

fn metrics(judge: &Judge, answers: &Answers) -> BTreeMap<String, Measure> {
    let everyone = &judge.everyone;
    let mut found = closed_form(judge, answers, everyone);
    match judge.kind() {
        TaskKind::Binary => {
            let truth = positives(&judge.held_out.outcome, everyone, 0);
            let of = |table: &super::answers::Table, rows: &[usize]| {
                auprc(&rows.iter().map(|&i| truth[i]).collect::<Vec<_>>(), &pick(&table.link, rows))
            };
            insert(&mut found, "auprc", judge.bootstrap(answers, of));
        }
        TaskKind::Survival => {
            insert(&mut found, "uno_c", uno_c(judge, answers).ok().and_then(Measure::new));
            insert(&mut found, "brier", brier_at_horizon(judge, answers));
            insert(&mut found, "ibs", brier_to_horizon(judge, answers));
        }
        _ => {}
    }
    found
}

/// The metrics of `rows` whose intervals need no bootstrap; those not defined there are left out.
pub(super) fn closed_form(judge: &Judge, answers: &Answers, rows: &[usize]) -> BTreeMap<String, Measure> {
    let outputs = &judge.held_out.task.outputs;
    let mut wanted = match judge.kind() {
        TaskKind::Binary => vec![Metric::Auroc, Metric::Brier, Metric::LogLoss],
        TaskKind::MultiClass => vec![Metric::Auroc, Metric::Accuracy, Metric::Brier, Metric::LogLoss],
        TaskKind::MultiLabel => vec![Metric::Auroc, Metric::Brier, Metric::LogLoss],
        TaskKind::Regression => vec![Metric::R2, Metric::Rmse, Metric::Mae],
        TaskKind::Survival => vec![Metric::CIndex],
    };
    if matches!(judge.kind(), TaskKind::MultiClass | TaskKind::MultiLabel) {
        wanted.extend((0..outputs.len()).map(Metric::AurocOf));
    }
    let mut found = BTreeMap::new();
    for metric in wanted {
        insert(&mut found, &metric.key(outputs), judge.measure(metric, answers, rows));
    }
    if matches!(judge.kind(), TaskKind::Binary | TaskKind::Survival) {
        let recalibration = calibration::recalibration(judge, answers, rows);
        insert(&mut found, "calibration_intercept", recalibration.intercept);
        insert(&mut found, "calibration_slope", recalibration.slope);
    }
    found
}

fn insert(metrics: &mut BTreeMap<String, Measure>, key: &str, value: Option<Measure>) {
    if let Some(value) = value {
        metrics.insert(key.to_owned(), value);
    }
}

/// Uno's C up to the horizon within folds, put together as [`crate::metrics::repeated::concordance`] does.
fn uno_c(judge: &Judge, answers: &Answers) -> Result<chiasm_record::Estimate, Error> {
    let (mut value, mut variance) = (0.0, 0.0);
    for (repeat, table) in judge.held_out.repeats.iter().zip(&answers.repeats) {
        let folds = by_fold(&repeat.fold, &judge.everyone);
        let fits: Vec<_> = folds
            .iter()
            .filter_map(|rows| {
                let (time, event) = judge.follow_up(rows);
                uno(&time, &event, &pick(&table.link, rows), judge.held_out.horizon).ok()
            })
            .filter(|fit| fit.c.is_finite())
            .collect();
        if fits.is_empty() {
            return Err(Error::NoComparablePair { events: 0, of: judge.everyone.len() });
        }
        let k = fits.len() as f64;
        value += fits.iter().map(|f| f.c).sum::<f64>() / k;
        variance += fits.iter().map(|f| f.variance()).sum::<f64>() / (k * k);
    }
    let r = answers.repeats.len() as f64;
    Ok(interval::normal(value / r, (variance / r).sqrt(), (0.0, 1.0)))
}

/// The Brier score of the risk by the horizon, weighted for censoring.
fn brier_at_horizon(judge: &Judge, answers: &Answers) -> Option<Measure> {
    let horizon = judge.held_out.horizon?;
    let (time, event) = judge.follow_up(&judge.everyone);
    let censoring = Censoring::fit(&time, &event).ok()?;
    judge.bootstrap(answers, |table, rows| {
        let (time, event) = judge.follow_up(rows);
        let survival: Vec<f64> = rows.iter().map(|&i| 1.0 - table.answer[i]).collect();
        brier_curve(&censoring, &time, &event, &survival, &[horizon]).map(|b| b[0])
    })
}

/// The Brier score of the survival curve, weighted for censoring, its mean over the time from 0 to the
/// horizon. At 0 everybody is free of the event.
fn brier_to_horizon(judge: &Judge, answers: &Answers) -> Option<Measure> {
    let times: Vec<f64> = [0.0].into_iter().chain(judge.held_out.times.iter().copied()).collect();
    let (time, event) = judge.follow_up(&judge.everyone);
    let censoring = Censoring::fit(&time, &event).ok()?;
    judge.bootstrap(answers, |table, rows| {
        let (time, event) = judge.follow_up(rows);
        let width = times.len() - 1;
        let curve = |&i: &usize| table.survival[i * width..(i + 1) * width].iter().copied();
        let survival: Vec<f64> = rows.iter().flat_map(|i| [1.0].into_iter().chain(curve(i))).collect();
        integrated_brier(&censoring, &time, &event, &survival, &times)
    })
}

//! From held-out predictions to everything statistical in a [`Report`].
//!
//! Every number is the mean over repeats, and every interval is as wide as that of one repeat: the
//! subjects are the same ones each time. What is undefined (one class only, nobody to compare) is
//! left out, never a NaN. Where the report speaks of the chosen fusion on held-out subjects it means
//! the `nested` model: in each fold the fusion that the fold's training subjects chose.
//!
//! The deciding metric: AUROC for a binary question, its mean over classes or labels where there are
//! several, R² for a number (more is better, no unit), Harrell's C within folds for survival.

mod answers;
mod attribution;
mod calibration;
mod comparisons;
mod curves;
mod judge;
mod metric;
mod models;
mod subgroups;
mod subsets;
#[cfg(test)]
mod synthetic;
#[cfg(test)]
mod tests;

use crate::{Error, FoldSelection, HeldOut, ModalityCount, Report};
use chiasm_record::Availability;
use judge::Judge;
use models::Candidates;

/// What a recipe fixes before the run about how it will be judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AssessOptions {
    /// The smallest difference in the deciding metric that is held to matter.
    pub margin: f64,
    /// Seed of every random draw (bootstrap, random missingness).
    pub seed: u64,
    /// Bootstrap replicates, for the few metrics whose interval has no closed form (AUPRC, the Brier
    /// score at a horizon). Fewer than two: no interval for those.
    pub bootstrap: usize,
}

/// Fills everything statistical in `report`; what the pipeline wrote before (words, data flow, findings,
/// protocol, configurations tried) stays.
///
/// Depends on `held_out` and `options` alone, not on the number of threads.
///
/// # Errors
/// Held-out predictions whose shapes do not fit each other, an index that points nowhere, an answer
/// that is not finite or no probability. A metric that these subjects do not define is no error.
pub fn assess(held_out: &HeldOut, options: &AssessOptions, mut report: Report) -> Result<Report, Error> {
    answers::check_shapes(held_out)?;
    let h = held_out;
    let judge = Judge::new(h, options);
    let candidates = Candidates::of(h);

    report.task = h.task.kind;
    report.outputs = h.task.outputs.clone();
    report.horizon = h.horizon.filter(|t| t.is_finite());
    report.n = h.outcome.len();
    report.events = judge.events(&judge.everyone);
    report.modalities = modalities(h);
    report.metric = judge.metric.key(&h.task.outputs);
    report.margin = options.margin.is_finite().then_some(options.margin);
    report.models = models::results(&judge, &candidates);
    report.selected = h.fusions[h.selected].name.clone();
    report.best_single = h.modalities[h.best_single].as_str().to_owned();
    report.comparisons = comparisons::compare(&judge, &candidates);
    report.verdict = comparisons::decide(&report, options.margin);
    report.subsets = subsets::subsets(&judge, &candidates);
    report.patterns = subsets::patterns(&judge, &candidates);
    report.degradation = subsets::degradation(&judge, &candidates);
    report.calibration = calibration::calibration(&judge, &candidates);
    report.conformal = curves::conformal(&judge);
    report.thresholds = curves::thresholds(&judge, &candidates);
    report.roc = curves::roc(&judge, &candidates);
    report.decision_curve = curves::decision_curve(&judge, &candidates);
    report.kaplan_meier = curves::kaplan_meier(&judge, &candidates);
    report.subgroups = subgroups::subgroups(&judge, &candidates);
    report.attribution = attribution::attribution(&judge, &candidates);
    report.selection = selection(h);
    report.verdict_words = crate::verdict_words(&report);
    Ok(report)
}

fn modalities(h: &HeldOut) -> Vec<ModalityCount> {
    let count = |(m, name): (usize, &chiasm_record::Modality)| ModalityCount {
        name: name.as_str().to_owned(),
        n: h.availability.iter().filter(|a| a.contains(m)).count(),
    };
    h.modalities.iter().enumerate().map(count).collect()
}

/// Repeat by repeat, fold by fold. The scores are the inner losses: smaller is better.
fn selection(h: &HeldOut) -> Vec<FoldSelection> {
    let names: Vec<&str> =
        h.modalities.iter().map(|m| m.as_str()).chain(h.fusions.iter().map(|f| f.name.as_str())).collect();
    let choices = h
        .repeats
        .iter()
        .enumerate()
        .flat_map(|(r, repeat)| repeat.choices.iter().enumerate().map(move |c| (r, c)));
    choices
        .map(|(r, (f, choice))| FoldSelection {
            repeat: r + 1,
            fold: f + 1,
            chosen: h.fusions[choice.fusion].name.clone(),
            best_single: h.modalities[choice.single].as_str().to_owned(),
            scores: names
                .iter()
                .zip(&choice.losses)
                .filter(|(_, loss)| loss.is_finite())
                .map(|(name, loss)| ((*name).to_owned(), *loss))
                .collect(),
        })
        .collect()
}

fn everything(h: &HeldOut) -> Availability {
    Availability::all(h.modalities.len())
}

/// The names in the set, in recipe order.
fn names(h: &HeldOut, set: Availability) -> Vec<String> {
    set.iter().filter_map(|m| h.modalities.get(m)).map(|m| m.as_str().to_owned()).collect()
}

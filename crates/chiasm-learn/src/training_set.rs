//! One training set under study: cross-fitting, choosing and refitting inside it.

use crate::calibrate::Calibration;
use crate::config::{FusionConfig, LearnConfig, LearnerConfig};
use crate::crossfit::{CrossFitted, Loss, Scorer, plainest_of_the_best};
use crate::expert::Expert;
use crate::fusion::{NetModel, Stacked};
use crate::matrix::Matrix;
use crate::net::NetConfig;
use crate::reference::Reference;
use crate::trained::{Fused, FusionModel, Sets, Single, Trained};
use crate::{Error, head, seed};
use chiasm_cohort::{Examples, split};
use chiasm_record::{Availability, Outcome};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// The training subjects, their folds, and the seed of everything random inside.
pub(crate) struct TrainingSet<'a> {
    examples: &'a Examples,
    outcome: &'a Outcome,
    outputs: usize,
    folds: Vec<usize>,
    /// The training part of each fold.
    parts: Vec<Examples>,
    seed: u64,
}

/// A learner with the setting that its out-of-fold loss chose.
struct Chosen {
    /// Refitted on all training subjects.
    expert: Expert,
    cross_fitted: CrossFitted<Expert>,
    /// Out-of-fold scores, each subject as it is. `[subjects, outputs]`.
    scores: Matrix,
    loss: Loss,
    tried: usize,
}

/// A fusion before calibration.
struct Candidate {
    model: FusionModel,
    setting: String,
    own: Matrix,
    by_set: Vec<(Availability, Matrix)>,
    loss: Loss,
    tried: usize,
}

impl<'a> TrainingSet<'a> {
    pub(crate) fn new(examples: &'a Examples, config: &LearnConfig, run_seed: u64) -> Result<Self, Error> {
        let Some(outcome) = examples.outcome() else {
            return Err(Error::Shape { message: "training needs outcomes".into() });
        };
        let groups: Vec<usize> = (0..examples.len()).collect();
        let folds = split::k_fold(
            &groups,
            &strata(outcome, config.inner_folds),
            config.inner_folds,
            seed::derive(run_seed, &[0]),
        )?;
        let parts = (0..config.inner_folds)
            .map(|fold| {
                let rows: Vec<usize> = (0..folds.len()).filter(|&r| folds[r] != fold).collect();
                examples.select(&rows)
            })
            .collect();
        let outputs = examples.task().outputs.len();
        Ok(Self { examples, outcome, outputs, folds, parts, seed: run_seed })
    }

    pub(crate) fn train(
        self,
        config: &LearnConfig,
        sets: Sets<'_>,
        horizon: Option<f64>,
    ) -> Result<(Trained, Reference), Error> {
        let chosen = config
            .experts
            .par_iter()
            .enumerate()
            .map(|(m, settings)| self.choose(&[m], settings, &[1, m as u64]))
            .collect::<Vec<_>>();
        let chosen = in_order(chosen)?;
        let scores: Vec<Matrix> = chosen.iter().map(|c| c.scores.clone()).collect();
        let candidates = config
            .fusions
            .par_iter()
            .enumerate()
            .map(|(f, fusion)| match fusion {
                FusionConfig::Stacked { shrinkage, .. } => self.stacked(&scores, sets.stacked, shrinkage),
                FusionConfig::Concat { modalities, learner, .. } => {
                    let members = self.positions(modalities.as_deref())?;
                    self.concat(&members, learner, sets.learned, f as u64)
                }
                FusionConfig::Net { net, .. } => self.net(net, sets.learned, f as u64),
            })
            .collect::<Vec<_>>();
        let candidates = in_order(candidates)?;

        let tried = chosen.iter().map(|c| c.tried).chain(candidates.iter().map(|c| c.tried)).sum();
        let singles = chosen
            .into_iter()
            .map(|mut c| {
                let alone = c.expert.modalities();
                let calibration = Calibration::fit(self.outcome, &c.scores, &[(alone, c.scores.clone())])?;
                (0..c.scores.rows).for_each(|row| calibration.apply(alone, c.scores.row_mut(row)));
                let baseline_hazard = self.baseline_hazard(&c.scores, horizon)?;
                Ok(Single { expert: c.expert, calibration, baseline_hazard, loss: c.loss.mean })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let losses: Vec<Loss> = candidates.iter().map(|c| c.loss.clone()).collect();
        let selected = plainest_of_the_best(&losses);
        let mut reference = None;
        let mut fusions = Vec::with_capacity(candidates.len());
        for (f, (mut c, fusion)) in candidates.into_iter().zip(&config.fusions).enumerate() {
            let calibration = Calibration::fit(self.outcome, &c.own, &c.by_set)?;
            for row in 0..c.own.rows {
                calibration.apply(self.examples.availability(row), c.own.row_mut(row));
            }
            let baseline_hazard = self.baseline_hazard(&c.own, horizon)?;
            if f == selected {
                for (set, scores) in &mut c.by_set {
                    (0..scores.rows).for_each(|row| calibration.apply(*set, scores.row_mut(row)));
                }
                reference = Some(Reference::new(self.outcome, &c.own, &c.by_set, horizon));
            }
            let name = fusion.name().to_owned();
            fusions.push(Fused {
                name,
                setting: c.setting,
                model: c.model,
                calibration,
                baseline_hazard,
                loss: c.loss.mean,
            });
        }
        let Some(reference) = reference else {
            return Err(Error::Shape { message: "a recipe needs at least one fusion".into() });
        };
        let trained = Trained {
            task: self.examples.task().clone(),
            modalities: self.examples.modalities(),
            base: head::marginals(self.outcome, self.outputs).iter().map(head::base_rate).collect(),
            selected,
            best_single: smallest(singles.iter().map(|s| s.loss)),
            singles,
            fusions,
            tried,
        };
        Ok((trained, reference))
    }

    /// Breslow's cumulative hazard up to the horizon for a subject of log-risk 0; empty unless survival.
    fn baseline_hazard(&self, scores: &Matrix, horizon: Option<f64>) -> Result<Vec<f64>, Error> {
        let Outcome::Survival { time, event } = self.outcome else { return Ok(Vec::new()) };
        let Some(horizon) = horizon else {
            return Err(Error::Shape { message: "a survival question needs a horizon".into() });
        };
        let scores = (0..scores.rows).map(|r| scores.row(r)[0]).map(|s| if s.is_finite() { s } else { 0.0 });
        let times = head::curve_times(horizon);
        Ok(head::baseline_hazard(time, event, &scores.collect::<Vec<f64>>(), &times))
    }

    /// Cross-fits every setting of every learner, keeps the one with the smallest out-of-fold loss, and
    /// refits it on all training subjects.
    fn choose(
        &self,
        modalities: &[usize],
        learners: &[LearnerConfig],
        path: &[u64],
    ) -> Result<Chosen, Error> {
        let seed = |learner: usize, part: usize| {
            let path: Vec<u64> = path.iter().copied().chain([learner as u64, part as u64]).collect();
            seed::derive(self.seed, &path)
        };
        let mut best: Option<(usize, usize, CrossFitted<Expert>, Matrix, Loss)> = None;
        let mut tried = 0;
        for (l, learner) in learners.iter().enumerate() {
            // [fold][setting] -> [setting][fold]
            let by_fold = self
                .parts
                .par_iter()
                .enumerate()
                .map(|(fold, part)| {
                    Expert::fit_settings(part, modalities, learner, seed(l, fold))
                        .map_err(|e| e.in_fold(fold))
                })
                .collect::<Vec<_>>();
            let by_fold = in_order(by_fold)?;
            let settings = by_fold.first().map_or(0, Vec::len);
            let mut columns: Vec<_> = by_fold.into_iter().map(Vec::into_iter).collect();
            for setting in 0..settings {
                let models: Vec<Expert> = columns.iter_mut().filter_map(Iterator::next).collect();
                let cross_fitted = CrossFitted::new(self.folds.clone(), models);
                let scores = self.out_of_fold(&cross_fitted)?;
                let loss = self.loss(&scores)?;
                tried += 1;
                if best.as_ref().is_none_or(|b| loss.mean < b.4.mean) {
                    best = Some((l, setting, cross_fitted, scores, loss));
                }
            }
        }
        let Some((l, setting, cross_fitted, scores, loss)) = best else {
            return Err(Error::Shape { message: "a modality has no learner".into() });
        };
        let mut refitted =
            Expert::fit_settings(self.examples, modalities, &learners[l], seed(l, usize::MAX))?;
        Ok(Chosen { expert: refitted.swap_remove(setting), cross_fitted, scores, loss, tried })
    }

    fn stacked(
        &self,
        scores: &[Matrix],
        sets: &[Availability],
        strengths: &[f64],
    ) -> Result<Candidate, Error> {
        let own = |row: usize| self.examples.availability(row);
        let observed: BTreeSet<Availability> = (0..self.examples.len()).map(own).collect();
        let mut best: Option<(f64, Matrix, Loss)> = None;
        for &strength in strengths {
            let by_fold = self.stacked_by_fold(scores, &observed, strength)?;
            let cross = self.stacked_out_of_fold(&by_fold, scores, own);
            let loss = self.loss(&cross)?;
            if best.as_ref().is_none_or(|b| loss.mean < b.2.mean) {
                best = Some((strength, cross, loss));
            }
        }
        let Some((strength, cross, loss)) = best else {
            return Err(Error::Shape { message: "stacked: no shrinkage to try".into() });
        };
        let wanted: BTreeSet<Availability> = observed.iter().chain(sets).copied().collect();
        let by_fold = self.stacked_by_fold(scores, &wanted, strength)?;
        let by_set = sets
            .iter()
            .map(|&set| {
                let mut seen = self.stacked_out_of_fold(&by_fold, scores, |_| set);
                self.hide_incomplete(set, &mut seen);
                (set, seen)
            })
            .collect();
        let model =
            FusionModel::Stacked(Stacked::fit(scores, self.outcome, self.outputs, &wanted, strength)?);
        let setting = format!("shrinkage {strength}");
        Ok(Candidate { model, setting, own: cross, by_set, loss, tried: strengths.len() })
    }

    /// The combination itself is cross-fitted too: each fold's weights come from the other folds.
    fn stacked_by_fold(
        &self,
        scores: &[Matrix],
        sets: &BTreeSet<Availability>,
        strength: f64,
    ) -> Result<Vec<Stacked>, Error> {
        let by_fold = (0..self.parts.len())
            .into_par_iter()
            .map(|fold| {
                let inside: Vec<usize> = (0..self.folds.len()).filter(|&r| self.folds[r] != fold).collect();
                let known: Vec<Matrix> = scores.iter().map(|s| s.select(&inside)).collect();
                Stacked::fit(&known, &self.outcome.select(&inside), self.outputs, sets, strength)
            })
            .collect();
        in_order(by_fold)
    }

    /// What each fold's combination says of that fold's subjects, looked at through `set(row)`.
    fn stacked_out_of_fold(
        &self,
        by_fold: &[Stacked],
        scores: &[Matrix],
        set: impl Fn(usize) -> Availability,
    ) -> Matrix {
        let mut cross = Matrix::zeros(self.examples.len(), self.outputs);
        for (fold, stacked) in by_fold.iter().enumerate() {
            let held_out: Vec<usize> = (0..self.folds.len()).filter(|&r| self.folds[r] == fold).collect();
            let combined = stacked.score(scores, &held_out, |i| set(held_out[i]));
            for (i, &row) in held_out.iter().enumerate() {
                cross.row_mut(row).copy_from_slice(combined.row(i));
            }
        }
        cross
    }

    fn concat(
        &self,
        members: &[usize],
        learner: &LearnerConfig,
        sets: &[Availability],
        f: u64,
    ) -> Result<Candidate, Error> {
        let chosen = self.choose(members, std::slice::from_ref(learner), &[2, f])?;
        Ok(Candidate {
            setting: chosen.expert.setting().to_owned(),
            by_set: self.by_set(&chosen.cross_fitted, sets)?,
            model: FusionModel::Concat(chosen.expert),
            own: chosen.scores,
            loss: chosen.loss,
            tried: chosen.tried,
        })
    }

    fn net(&self, config: &NetConfig, sets: &[Availability], f: u64) -> Result<Candidate, Error> {
        let seed = |part: usize| seed::derive(self.seed, &[3, f, part as u64]);
        let models = self
            .parts
            .par_iter()
            .enumerate()
            .map(|(fold, part)| NetModel::fit(part, config, seed(fold)).map_err(|e| e.in_fold(fold)))
            .collect();
        let cross_fitted = CrossFitted::new(self.folds.clone(), in_order(models)?);
        let own = self.out_of_fold(&cross_fitted)?;
        Ok(Candidate {
            loss: self.loss(&own)?,
            model: FusionModel::Net(NetModel::fit(self.examples, config, seed(usize::MAX))?),
            setting: format!("width {}, {} layers, {} epochs", config.width, config.layers, config.epochs),
            by_set: self.by_set(&cross_fitted, sets)?,
            own,
            tried: 1,
        })
    }

    fn loss(&self, scores: &Matrix) -> Result<Loss, Error> {
        Loss::of(scores, self.outcome, &self.folds)
    }

    /// Out-of-fold scores of every subject as it is.
    fn out_of_fold<M: Scorer>(&self, model: &CrossFitted<M>) -> Result<Matrix, Error> {
        model.score(self.examples, self.outputs, |row| self.examples.availability(row))
    }

    /// Out-of-fold scores looking only at each set, of the subjects who have all of it.
    fn by_set<M: Scorer>(
        &self,
        model: &CrossFitted<M>,
        sets: &[Availability],
    ) -> Result<Vec<(Availability, Matrix)>, Error> {
        sets.iter()
            .map(|&set| {
                let mut scores = model.score(self.examples, self.outputs, |_| set)?;
                self.hide_incomplete(set, &mut scores);
                Ok((set, scores))
            })
            .collect()
    }

    fn hide_incomplete(&self, set: Availability, scores: &mut Matrix) {
        for row in (0..scores.rows).filter(|&r| !self.examples.availability(r).includes(set)) {
            scores.row_mut(row).fill(f64::NAN);
        }
    }

    fn positions(&self, names: Option<&[String]>) -> Result<Vec<usize>, Error> {
        let all = self.examples.modalities();
        let Some(names) = names else { return Ok((0..all.len()).collect()) };
        // A modality that this source does not have was dropped with a finding; a misspelt one was
        // refused when the recipe was read.
        let found: Vec<usize> =
            names.iter().filter_map(|n| all.iter().position(|m| m.as_str() == n)).collect();
        if found.is_empty() {
            return Err(Error::Shape {
                message: "a fusion names none of the modalities that there are".into(),
            });
        }
        Ok(found)
    }
}

/// The results, or the first error in their order: collected in parallel it would be the first in time.
fn in_order<T>(results: Vec<Result<T, Error>>) -> Result<Vec<T>, Error> {
    results.into_iter().collect()
}

fn smallest(losses: impl Iterator<Item = f64>) -> usize {
    losses.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(i, _)| i)
}

/// What a split keeps balanced. The number of positive labels is only a help, so rare numbers join
/// their neighbours; a class, or the event, must be in every fold.
pub fn strata(outcome: &Outcome, folds: usize) -> Vec<usize> {
    match outcome {
        Outcome::MultiLabel(_) => split::merge_rare(&outcome.strata(), folds),
        _ => outcome.strata(),
    }
}

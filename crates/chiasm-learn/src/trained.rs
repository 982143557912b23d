//! Training: experts, fusions, the choice among them, and what they say when evidence is missing.

use crate::calibrate::Calibration;
use crate::config::LearnConfig;
use crate::crossfit::Scorer;
use crate::expert::{Expert, FeatureShare};
use crate::fusion::{NetModel, Stacked};
use crate::matrix::Matrix;
use crate::reference::Reference;
use crate::training_set::TrainingSet;
use crate::{Error, head};
use chiasm_cohort::Examples;
use chiasm_record::{Availability, Modality, Task};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Everything that one training set taught.
#[derive(Clone, Debug)]
pub struct Trained {
    pub(crate) task: Task,
    pub(crate) modalities: Vec<Modality>,
    /// Per modality: its expert, refitted on all training subjects.
    pub(crate) singles: Vec<Single>,
    pub(crate) fusions: Vec<Fused>,
    pub(crate) selected: usize,
    pub(crate) best_single: usize,
    pub(crate) tried: usize,
    /// Per output: what is believed of nobody in particular, on the link scale.
    pub(crate) base: Vec<f64>,
}

/// A modality's expert on its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Single {
    pub(crate) expert: Expert,
    pub(crate) calibration: Calibration,
    /// Baseline cumulative hazard over [`head::curve_times`]; empty unless a survival question.
    pub(crate) baseline_hazard: Vec<f64>,
    pub(crate) loss: f64,
}

/// A fusion.
#[derive(Clone, Debug)]
pub(crate) struct Fused {
    pub(crate) name: String,
    pub(crate) setting: String,
    pub(crate) model: FusionModel,
    pub(crate) calibration: Calibration,
    /// Baseline cumulative hazard over [`head::curve_times`]; empty unless a survival question.
    pub(crate) baseline_hazard: Vec<f64>,
    pub(crate) loss: f64,
}

#[derive(Clone, Debug)]
pub(crate) enum FusionModel {
    Stacked(Stacked),
    Concat(Expert),
    Net(NetModel),
}

/// The subsets of modalities that fusions are fitted and calibrated for.
#[derive(Clone, Copy, Debug)]
pub struct Sets<'a> {
    /// Of `stacked`, for which a subset costs little.
    pub stacked: &'a [Availability],
    /// Of concatenation and networks, whose training subjects must be scored anew for each.
    pub learned: &'a [Availability],
}

impl<'a> Sets<'a> {
    /// The same subsets for every fusion.
    pub fn all(sets: &'a [Availability]) -> Self {
        Self { stacked: sets, learned: sets }
    }
}

/// One of the models of a [`Trained`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The expert of the modality at this position.
    Single(usize),
    /// The fusion at this position.
    Fusion(usize),
}

impl Trained {
    /// Trains every expert and every fusion of `config` on `examples`, chooses the best of each by
    /// cross-fitting inside them, and calibrates for the `sets` (and for subjects as they are).
    /// `horizon`: years at which a survival question is answered.
    ///
    /// # Errors
    /// [`Error::CannotLearn`] names the modality, fold or fusion that cannot be learned.
    pub fn fit(
        examples: &Examples,
        config: &LearnConfig,
        sets: Sets<'_>,
        horizon: Option<f64>,
        seed: u64,
    ) -> Result<(Self, Reference), Error> {
        TrainingSet::new(examples, config, seed)?.train(config, sets, horizon)
    }

    /// Calibrated scores of `rows` on the link scale, each looked at through its set of modalities.
    /// Shape: `[rows, outputs]`. Where a model sees nothing of a row, the row has the base rate.
    ///
    /// # Errors
    /// Whatever the model reports.
    pub fn score(
        &self,
        which: Which,
        examples: &Examples,
        rows: &[usize],
        sets: &[Availability],
    ) -> Result<Matrix, Error> {
        let (mut scores, calibration) = match which {
            Which::Single(m) => {
                (self.singles[m].expert.score(examples, rows, sets)?, &self.singles[m].calibration)
            }
            Which::Fusion(f) => (self.raw(f, examples, rows, sets)?, &self.fusions[f].calibration),
        };
        for (i, (&row, set)) in rows.iter().zip(sets).enumerate() {
            let seen = match which {
                Which::Single(m) => Availability::only(m),
                Which::Fusion(_) => set.intersect(examples.availability(row)),
            };
            let scores = scores.row_mut(i);
            if scores.iter().all(|s| s.is_finite()) {
                calibration.apply(seen, scores);
            } else {
                scores.copy_from_slice(&self.base);
            }
        }
        Ok(scores)
    }

    /// Turns calibrated scores of one subject into answers: probabilities, a value, or the risk by the
    /// horizon. Shape: `[outputs]`.
    pub fn answer(&self, which: Which, scores: &mut [f64]) {
        head::answer(self.task.kind, self.baseline_hazard(which), scores);
    }

    /// The chance of no event up to each of [`head::curve_times`], from a subject's calibrated score. Empty
    /// unless a survival question.
    pub fn survival(&self, which: Which, score: f64) -> Vec<f64> {
        head::survival_curve(self.baseline_hazard(which), score)
    }

    fn baseline_hazard(&self, which: Which) -> &[f64] {
        match which {
            Which::Single(m) => &self.singles[m].baseline_hazard,
            Which::Fusion(f) => &self.fusions[f].baseline_hazard,
        }
    }

    fn raw(
        &self,
        f: usize,
        examples: &Examples,
        rows: &[usize],
        sets: &[Availability],
    ) -> Result<Matrix, Error> {
        match &self.fusions[f].model {
            FusionModel::Concat(expert) => expert.score(examples, rows, sets),
            FusionModel::Net(net) => net.score(examples, rows, sets),
            FusionModel::Stacked(stacked) => {
                // An expert's score does not depend on the other modalities: once per subject is enough,
                // however many subsets are asked for.
                let mut distinct = rows.to_vec();
                distinct.sort_unstable();
                distinct.dedup();
                let own: Vec<Availability> = distinct.iter().map(|&r| examples.availability(r)).collect();
                let scores = self
                    .singles
                    .par_iter()
                    .map(|single| single.expert.score(examples, &distinct, &own))
                    .collect::<Result<Vec<_>, _>>()?;
                let at: Vec<usize> = rows.iter().map(|r| distinct.partition_point(|d| d < r)).collect();
                Ok(stacked.score(&scores, &at, |i| sets[i].intersect(examples.availability(rows[i]))))
            }
        }
    }

    /// What the features inside each modality add to its expert's answer, per row, for one output.
    ///
    /// # Errors
    /// [`Error::Shape`] where the examples do not fit.
    pub fn features(
        &self,
        examples: &Examples,
        rows: &[usize],
        output: usize,
    ) -> Result<Vec<Vec<FeatureShare>>, Error> {
        let mut all = vec![Vec::new(); rows.len()];
        for single in &self.singles {
            for (shares, more) in all.iter_mut().zip(single.expert.attribute(examples, rows, output)?) {
                shares.extend(more);
            }
        }
        Ok(all)
    }

    /// The question.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The modalities, in recipe order.
    pub fn modalities(&self) -> &[Modality] {
        &self.modalities
    }

    /// What is believed of nobody in particular, per output, on the link scale.
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// The chosen fusion.
    pub fn selected(&self) -> Which {
        Which::Fusion(self.selected)
    }

    /// The modality that is best alone, chosen inside the training subjects.
    pub fn best_single(&self) -> Which {
        Which::Single(self.best_single)
    }

    /// Every model: the modalities alone, then the fusions.
    pub fn models(&self) -> Vec<Which> {
        let singles = (0..self.singles.len()).map(Which::Single);
        singles.chain((0..self.fusions.len()).map(Which::Fusion)).collect()
    }

    /// A model's name: the modality's, or the fusion's in the recipe.
    pub fn name(&self, which: Which) -> &str {
        match which {
            Which::Single(m) => self.modalities[m].as_str(),
            Which::Fusion(f) => &self.fusions[f].name,
        }
    }

    /// A model's chosen setting, in words.
    pub fn setting(&self, which: Which) -> &str {
        match which {
            Which::Single(m) => self.singles[m].expert.setting(),
            Which::Fusion(f) => &self.fusions[f].setting,
        }
    }

    /// A model's out-of-fold loss inside the training subjects; smaller is better.
    pub fn loss(&self, which: Which) -> f64 {
        match which {
            Which::Single(m) => self.singles[m].loss,
            Which::Fusion(f) => self.fusions[f].loss,
        }
    }

    /// How many configurations were compared.
    pub fn tried(&self) -> usize {
        self.tried
    }
}

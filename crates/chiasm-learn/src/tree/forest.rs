//! Random forests and extra-trees.

use super::Shapley;
use super::bins::Bins;
use super::grow::{Growth, Sample, grow};
use super::node::Tree;
use super::shapley::Explainer;
use super::split::Targets;
use crate::Error;
use crate::linear::{Cox, Likelihood, row_weights};
use crate::matrix::Matrix;
use chiasm_record::{Outcome, TaskKind};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How a forest grows; the default is 500 trees on the square root of the columns, leaves of 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForestConfig {
    /// Number of trees.
    pub trees: usize,
    /// Share of the columns tried at each split; `None`: the square root of their number.
    pub mtry: Option<f64>,
    /// Fewest distinct rows in a leaf.
    pub min_leaf: f64,
    /// Most splits above a leaf; `None`: no limit.
    pub max_depth: Option<usize>,
    /// Whether each tree sees rows drawn with replacement; the others are then out of its bag.
    pub bootstrap: bool,
    /// Extremely randomised: one threshold drawn at random per column tried.
    pub extra: bool,
    /// Number of classes of a multi-class outcome, where the rows may not show them all.
    pub classes: Option<usize>,
}

impl Default for ForestConfig {
    fn default() -> Self {
        Self {
            trees: 500,
            mtry: None,
            min_leaf: 3.0,
            max_depth: None,
            bootstrap: true,
            extra: false,
            classes: None,
        }
    }
}

/// Which rows a tree saw, where it did not see all.
type Bag = Option<Vec<bool>>;

/// A fitted forest. Its value is the mean of its trees' leaves; its score is that on the link scale.
///
/// A leaf holds the share of each class (binary: of the event), the share of each label, the mean, or for
/// survival the relative risk: events over the events expected from the cohort's cumulative hazard, shrunk
/// by one expected event toward 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    /// The kind of question it answers.
    pub kind: TaskKind,
    trees: Vec<Tree>,
    cols: usize,
    outputs: usize,
    /// Half an observation of the training rows: shares stay this far from 0 and 1 before the logarithm.
    margin: f64,
}

impl Forest {
    /// Grows a forest. The same seed gives the same forest whatever the number of threads.
    ///
    /// Shapes: `x [rows, cols]`, NaN where missing; `weights [rows]`.
    ///
    /// Survival trees split on the martingale residuals of the cohort's own cumulative hazard: the gain
    /// `(O - E)^2 / E` of a branch is the log-rank statistic's usual approximation.
    ///
    /// # Errors
    /// [`Error::Shape`] where rows or weights do not fit; [`Error::CannotLearn`] with no row,
    /// one class only, no event, or an infinite cell.
    ///
    /// # Source
    /// Breiman 2001; extra-trees: Geurts et al. 2006; survival: LeBlanc & Crowley 1992, one step of the
    /// full likelihood (also `rpart`'s `method = "exp"`).
    pub fn fit(
        x: &Matrix,
        outcome: &Outcome,
        weights: Option<&[f64]>,
        config: &ForestConfig,
        seed: u64,
    ) -> Result<Self, Error> {
        Ok(Self::grow(x, outcome, weights, config, seed)?.0)
    }

    /// As [`Forest::fit`], with each row's score from only the trees that did not see it: an estimate of
    /// what the forest does on new rows at no further cost.
    ///
    /// A row that every tree saw (always so without bootstrap) has NaN. Shape: `[rows, outputs]`.
    ///
    /// # Errors
    /// As [`Forest::fit`].
    pub fn fit_with_oob(
        x: &Matrix,
        outcome: &Outcome,
        weights: Option<&[f64]>,
        config: &ForestConfig,
        seed: u64,
    ) -> Result<(Self, Matrix), Error> {
        let (forest, bags) = Self::grow(x, outcome, weights, config, seed)?;
        let k = forest.outputs;
        let mut out = Matrix::zeros(x.rows, k);
        out.values.par_chunks_mut(k).enumerate().for_each(|(r, out)| {
            let mut seen = 0.0;
            for (tree, bag) in forest.trees.iter().zip(&bags) {
                if bag.as_ref().is_some_and(|bag| !bag[r]) {
                    seen += 1.0;
                    tree.add(x.row(r), None, 1.0, out);
                }
            }
            out.iter_mut().for_each(|v| *v /= seen);
            forest.link_row(out);
        });
        Ok((forest, out))
    }

    fn grow(
        x: &Matrix,
        outcome: &Outcome,
        weights: Option<&[f64]>,
        config: &ForestConfig,
        seed: u64,
    ) -> Result<(Self, Vec<Bag>), Error> {
        if outcome.len() != x.rows {
            let message = format!("forest: {} rows, {} outcomes", x.rows, outcome.len());
            return Err(Error::Shape { message });
        }
        if config.trees == 0 {
            return Err(Error::Shape { message: "forest: no trees".into() });
        }
        let bins = Bins::new("forest", x)?;
        let weights = row_weights("forest", x.rows, weights)?;
        let targets = targets(outcome, &weights, config)?;
        let tried = config.mtry.map_or((x.cols as f64).sqrt(), |m| m * x.cols as f64);
        let growth = Growth {
            tried: (tried as usize).clamp(1, x.cols.max(1)),
            min_leaf: config.min_leaf,
            max_depth: config.max_depth.unwrap_or(usize::MAX),
            extra: config.extra,
            lambda: 0.0,
            // A split that explains nothing alone may open one that does (exclusive or).
            least_gain: f64::NEG_INFINITY,
        };
        let rows: Vec<usize> = (0..x.rows).filter(|&r| weights[r] > 0.0).collect();
        let one = |t: usize| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(t as u64 + 1);
            let mut count = vec![0.0; x.rows];
            if config.bootstrap {
                for _ in 0..rows.len() {
                    count[rows[rng.random_range(0..rows.len())]] += 1.0;
                }
            } else {
                rows.iter().for_each(|&r| count[r] = 1.0);
            }
            let cover: Vec<f64> = count.iter().zip(&weights).map(|(c, w)| c * w).collect();
            let sample = Sample { cover: &cover, weight: &cover };
            let tree = grow(&bins, &targets, &sample, &growth, &mut rng);
            let bag = config.bootstrap.then(|| count.iter().map(|c| *c > 0.0).collect());
            (tree, bag)
        };
        let (trees, bags) = (0..config.trees).into_par_iter().map(one).unzip();
        let margin = 0.5 / rows.len() as f64;
        let forest = Self { kind: outcome.kind(), trees, cols: x.cols, outputs: targets.outputs, margin };
        Ok((forest, bags))
    }

    /// Scores on the link scale: log-odds, log-probability a class, log-odds a label, value, log-risk.
    ///
    /// Shapes: `x [rows, cols]`, NaN where missing; `absent [cols]` marks columns that count as missing in
    /// every row and are not read -> `[rows, outputs]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the columns are not those of the training.
    pub fn predict(&self, x: &Matrix, absent: Option<&[bool]>) -> Result<Matrix, Error> {
        let mut out = self.value(x, absent)?;
        out.values.chunks_mut(self.outputs).for_each(|row| self.link_row(row));
        Ok(out)
    }

    /// The scores of each row through every subset of groups of columns, those of other groups missing: what
    /// [`Forest::predict`] gives for each, in one walk a tree. Row `s` of a matrix is the subset with the bits
    /// of `s`.
    ///
    /// Shapes: `x [rows, cols]`, `group [cols]` below `groups` -> `[rows][2^groups, outputs]`.
    ///
    /// # Errors
    /// As [`Forest::predict`]; a group that is not below `groups`, or more than 16 of them.
    pub fn predict_subsets(&self, x: &Matrix, group: &[usize], groups: usize) -> Result<Vec<Matrix>, Error> {
        super::check_groups("forest", x, group, groups, self.cols)?;
        let scale = 1.0 / self.trees.len() as f64;
        let start = vec![0.0; self.outputs];
        let mut all = super::through_every_subset(&self.trees, x, group, groups, scale, &start);
        let values = all.iter_mut().flat_map(|m| m.values.chunks_mut(self.outputs));
        values.for_each(|row| self.link_row(row));
        Ok(all)
    }

    /// The mean of the leaves, off the link scale: shares, values, relative risks. Shapes as
    /// [`Forest::predict`].
    ///
    /// # Errors
    /// As [`Forest::predict`].
    pub fn value(&self, x: &Matrix, absent: Option<&[bool]>) -> Result<Matrix, Error> {
        super::check("forest", x, absent, self.cols)?;
        let mut out = Matrix::zeros(x.rows, self.outputs);
        let scale = 1.0 / self.trees.len() as f64;
        out.values.par_chunks_mut(self.outputs).enumerate().for_each(|(r, out)| {
            for tree in &self.trees {
                tree.add(x.row(r), absent, scale, out);
            }
        });
        Ok(out)
    }

    /// Exact Shapley values of [`Forest::value`] per column, where an unknown column is marginalised by
    /// training cover; they sum to the value less the base to rounding. Missing columns get exactly 0.
    ///
    /// # Errors
    /// As [`Forest::predict`].
    ///
    /// # Source
    /// The path-dependent game of Lundberg et al. 2020 (TreeSHAP), solved by quadrature of Owen's integral.
    pub fn shapley(&self, x: &Matrix, absent: Option<&[bool]>) -> Result<Shapley, Error> {
        super::check("forest", x, absent, self.cols)?;
        let scale = 1.0 / self.trees.len() as f64;
        let explainer = Explainer { trees: &self.trees, cols: self.cols, outputs: self.outputs };
        Ok(explainer.explain(x, absent, scale, vec![0.0; self.outputs]))
    }

    /// [`Forest::shapley`] carried to the link scale: per row and output all shares are multiplied by the
    /// slope of the link's secant from base to value, so they sum to the score less the base's score. Signs
    /// and proportions are those of the exact values; for a regression nothing changes.
    ///
    /// # Errors
    /// As [`Forest::predict`].
    pub fn shapley_link(&self, x: &Matrix, absent: Option<&[bool]>) -> Result<Shapley, Error> {
        let mut shapley = self.shapley(x, absent)?;
        for (base, shares) in shapley.base.iter_mut().zip(&mut shapley.values) {
            for r in 0..shares.rows {
                let row = shares.row_mut(r);
                let moved: f64 = row.iter().sum();
                // A secant over almost nothing is the derivative, by a small symmetric step.
                let (from, to) =
                    if moved.abs() > 1e-9 { (*base, *base + moved) } else { (*base - 1e-6, *base + 1e-6) };
                let slope = (self.link(to) - self.link(from)) / (to - from);
                row.iter_mut().for_each(|v| *v *= slope);
            }
            *base = self.link(*base);
        }
        Ok(shapley)
    }

    fn link(&self, value: f64) -> f64 {
        let held = value.clamp(self.margin, 1.0 - self.margin);
        match self.kind {
            TaskKind::Binary | TaskKind::MultiLabel => (held / (1.0 - held)).ln(),
            TaskKind::MultiClass => value.max(self.margin).ln(),
            TaskKind::Regression => value,
            TaskKind::Survival => value.ln(),
        }
    }

    fn link_row(&self, row: &mut [f64]) {
        row.iter_mut().for_each(|v| *v = self.link(*v));
    }

    /// The trees.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Whether a forest that was read from a file can be used.
    pub fn is_sound(&self) -> bool {
        !self.trees.is_empty()
            && self.outputs > 0
            && self.trees.iter().all(|t| t.outputs == self.outputs && t.is_sound(self.cols))
    }
}

/// The outcome as what leaves say.
fn targets(outcome: &Outcome, weights: &[f64], config: &ForestConfig) -> Result<Targets, Error> {
    // The checks of what can teach are those of the likelihoods.
    let likelihood = Likelihood::new("forest", outcome, weights.to_vec(), config.classes)?;
    let outputs = likelihood.outputs();
    let number = |b: &bool| f64::from(u8::from(*b));
    let plain = |g: Vec<f64>| Targets { g, h: None, outputs, prior: 0.0, centre: 0.0 };
    Ok(match outcome {
        Outcome::Binary(y) => plain(y.iter().map(number).collect()),
        Outcome::MultiLabel(y) => plain(y.iter().flatten().map(number).collect()),
        Outcome::MultiClass(y) => {
            let mut g = vec![0.0; y.len() * outputs];
            y.iter().enumerate().for_each(|(r, &c)| g[r * outputs + c] = 1.0);
            plain(g)
        }
        Outcome::Regression(y) => Targets { centre: likelihood.constant()[0], ..plain(y.clone()) },
        Outcome::Survival { time, event } => {
            let hazard = Cox::new(time, event, weights).null_hazard();
            let g = event.iter().map(number).collect();
            Targets { g, h: Some(hazard), outputs, prior: 1.0, centre: 1.0 }
        }
    })
}

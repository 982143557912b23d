//! Gradient boosting by Newton steps.

use super::Shapley;
use super::bins::Bins;
use super::grow::{Growth, Sample, grow};
use super::node::Tree;
use super::shapley::Explainer;
use super::split::Targets;
use crate::Error;
use crate::linear::{Likelihood, row_weights};
use crate::matrix::Matrix;
use chiasm_record::{Outcome, TaskKind};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How boosting goes; the default is 200 rounds of depth 3 at rate 0.05.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoostedConfig {
    /// Number of trees.
    pub rounds: usize,
    /// How much of each tree is added.
    pub rate: f64,
    /// Most splits above a leaf.
    pub depth: usize,
    /// Ridge on the leaves.
    pub lambda: f64,
    /// Fewest rows in a leaf.
    pub min_leaf: f64,
    /// Share of the rows that each tree sees.
    pub subsample: f64,
    /// Share of the columns tried at each split.
    pub mtry: f64,
    /// Number of classes of a multi-class outcome, where the rows may not show them all.
    pub classes: Option<usize>,
}

impl Default for BoostedConfig {
    fn default() -> Self {
        Self {
            rounds: 200,
            rate: 0.05,
            depth: 3,
            lambda: 1.0,
            min_leaf: 5.0,
            subsample: 1.0,
            mtry: 1.0,
            classes: None,
        }
    }
}

/// A fitted sum of trees, on the link scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Boosted {
    /// The kind of question it answers.
    pub kind: TaskKind,
    /// The scores before the first tree. Shape: `[outputs]`.
    pub start: Vec<f64>,
    rate: f64,
    trees: Vec<Tree>,
    cols: usize,
}

impl Boosted {
    /// Boosts the log-likelihood that the outcome implies: logistic (each label on its own), softmax,
    /// squared error, or Cox's partial likelihood with Efron ties. Several outputs share each tree's splits.
    ///
    /// Shapes: `x [rows, cols]`, NaN where missing; `weights [rows]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where rows, weights or settings do not fit; [`Error::CannotLearn`] with no row, one
    /// class only, no event, or an infinite cell.
    ///
    /// # Source
    /// Friedman 2001; Newton gains and leaf ridge: Chen & Guestrin 2016.
    pub fn fit(
        x: &Matrix,
        outcome: &Outcome,
        weights: Option<&[f64]>,
        config: &BoostedConfig,
        seed: u64,
    ) -> Result<Self, Error> {
        let shape = |message: String| Err(Error::Shape { message: format!("boosting: {message}") });
        if outcome.len() != x.rows {
            return shape(format!("{} rows, {} outcomes", x.rows, outcome.len()));
        }
        let share = |v: f64| v > 0.0 && v <= 1.0;
        if !share(config.subsample) || !share(config.mtry) {
            return shape("subsample and mtry must be above 0 and at most 1".into());
        }
        if !config.rate.is_finite() || config.rate <= 0.0 || !config.lambda.is_finite() || config.lambda < 0.0
        {
            return shape("the rate must be positive and lambda not negative".into());
        }
        let bins = Bins::new("boosting", x)?;
        let weights = row_weights("boosting", x.rows, weights)?;
        let likelihood = Likelihood::new("boosting", outcome, weights.clone(), config.classes)?;
        let k = likelihood.outputs();
        let start = likelihood.constant();
        let growth = Growth {
            tried: ((config.mtry * x.cols as f64) as usize).clamp(1, x.cols.max(1)),
            min_leaf: config.min_leaf,
            max_depth: config.depth,
            extra: false,
            lambda: config.lambda,
            least_gain: 1e-12,
        };
        let rows: Vec<usize> = (0..x.rows).filter(|&r| weights[r] > 0.0).collect();
        let drawn = ((config.subsample * rows.len() as f64).round() as usize).clamp(1, rows.len());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut scores: Vec<f64> = start.iter().copied().cycle().take(x.rows * k).collect();
        let mut trees = Vec::with_capacity(config.rounds);
        for _ in 0..config.rounds {
            let point = likelihood.at(&scores);
            let mut seen = vec![0.0; x.rows];
            let mut pool = rows.clone();
            for i in 0..drawn {
                if drawn < pool.len() {
                    let other = rng.random_range(i..pool.len());
                    pool.swap(i, other);
                }
                seen[pool[i]] = 1.0;
            }
            let cover: Vec<f64> = seen.iter().zip(&weights).map(|(s, w)| s * w).collect();
            // Gradient and curvature carry the row weights already.
            let targets =
                Targets { g: point.gradient, h: Some(point.diagonal), outputs: k, prior: 0.0, centre: 0.0 };
            let sample = Sample { cover: &cover, weight: &seen };
            let tree = grow(&bins, &targets, &sample, &growth, &mut rng);
            scores.chunks_exact_mut(k).enumerate().for_each(|(r, out)| {
                tree.add(x.row(r), None, config.rate, out);
            });
            trees.push(tree);
        }
        Ok(Self { kind: outcome.kind(), start, rate: config.rate, trees, cols: x.cols })
    }

    /// Scores on the link scale. Shapes as for [`super::Forest::predict`].
    ///
    /// # Errors
    /// [`Error::Shape`] where the columns are not those of the training.
    pub fn predict(&self, x: &Matrix, absent: Option<&[bool]>) -> Result<Matrix, Error> {
        super::check("boosting", x, absent, self.cols)?;
        let k = self.start.len();
        let mut out = Matrix::zeros(x.rows, k);
        out.values.par_chunks_mut(k).enumerate().for_each(|(r, out)| {
            out.copy_from_slice(&self.start);
            for tree in &self.trees {
                tree.add(x.row(r), absent, self.rate, out);
            }
        });
        Ok(out)
    }

    /// The scores of each row through every subset of groups of columns, as
    /// [`super::Forest::predict_subsets`] gives them.
    ///
    /// # Errors
    /// As there.
    pub fn predict_subsets(&self, x: &Matrix, group: &[usize], groups: usize) -> Result<Vec<Matrix>, Error> {
        super::check_groups("boosting", x, group, groups, self.cols)?;
        Ok(super::through_every_subset(&self.trees, x, group, groups, self.rate, &self.start))
    }

    /// The trees, in the order in which they were added.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Exact Shapley values of the scores per column, where an unknown column is marginalised by training
    /// cover; they sum to the score less the base to rounding. Missing columns get exactly 0.
    ///
    /// # Errors
    /// As [`Boosted::predict`].
    ///
    /// # Source
    /// The path-dependent game of Lundberg et al. 2020 (TreeSHAP), solved by quadrature of Owen's integral.
    pub fn shapley(&self, x: &Matrix, absent: Option<&[bool]>) -> Result<Shapley, Error> {
        super::check("boosting", x, absent, self.cols)?;
        let explainer = Explainer { trees: &self.trees, cols: self.cols, outputs: self.start.len() };
        Ok(explainer.explain(x, absent, self.rate, self.start.clone()))
    }

    /// Whether a model that was read from a file can be used.
    pub fn is_sound(&self) -> bool {
        let k = self.start.len();
        k > 0 && self.trees.iter().all(|t| t.outputs == k && t.is_sound(self.cols))
    }
}

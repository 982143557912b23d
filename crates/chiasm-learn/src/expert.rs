//! One table, one learner: what a modality says alone, or several modalities side by side.

use crate::Error;
use crate::config::LearnerConfig;
use crate::crossfit::Scorer;
use crate::linear::{Linear, Options, Pca};
use crate::matrix::Matrix;
use crate::prepare::{Form, Preparation};
use crate::tree::{Boosted, BoostedConfig, Forest, ForestConfig};
use chiasm_cohort::Examples;
use chiasm_record::{Availability, Outcome, TaskKind};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Up to this many modalities a tree gives all subsets of a subject in one walk.
const TOGETHER_UP_TO: usize = 12;

/// A learner over the columns of one or more modalities.
///
/// With several modalities this is the fusion that most papers call early: one concatenated table.
/// A modality that may not be looked at is missing to it: trees marginalise over its columns, linear
/// learners give its columns weight zero.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expert {
    /// Position of each modality in the recipe, with how its block becomes columns.
    parts: Vec<(usize, Preparation)>,
    learner: Learner,
    /// How the learner's setting reads in a report.
    setting: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Learner {
    Ridge { pca: Option<Pca>, linear: Linear },
    Forest(Forest),
    Boosted(Boosted),
}

/// What one feature of one modality adds to an expert's score.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureShare {
    /// Position of the modality in the recipe.
    pub modality: usize,
    /// The feature (or slot of a bag).
    pub feature: String,
    /// Shapley value.
    pub share: f64,
}

impl Expert {
    /// Fits one expert per setting that `config` tries (a ridge per penalty), on the training subjects
    /// of `examples` who have at least one of `modalities`.
    ///
    /// # Errors
    /// [`Error::CannotLearn`] where nobody has the modality, or the outcome does not vary.
    pub fn fit_settings(
        examples: &Examples,
        modalities: &[usize],
        config: &LearnerConfig,
        seed: u64,
    ) -> Result<Vec<Self>, Error> {
        let Some(outcome) = examples.outcome() else {
            return Err(Error::Shape { message: "training needs outcomes".into() });
        };
        let wanted = modalities.iter().fold(Availability::NONE, |set, &m| set.with(m));
        let rows: Vec<usize> =
            (0..examples.len()).filter(|&r| !examples.availability(r).intersect(wanted).is_empty()).collect();
        let (form, bag) = match config {
            LearnerConfig::Ridge { bag, .. } => (Form::Dense, *bag),
            LearnerConfig::Forest { bag, .. } | LearnerConfig::Boosted { bag, .. } => (Form::Raw, *bag),
        };
        let parts = modalities
            .iter()
            .map(|&m| Ok((m, Preparation::fit(&examples.blocks()[m], &rows, form, bag)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let x = columns(&parts, examples, &rows);
        let learners =
            Learner::fit_settings(&x, &outcome.select(&rows), examples.task().outputs.len(), config, seed)?;
        Ok(learners
            .into_iter()
            .map(|(learner, setting)| Self { parts: parts.clone(), learner, setting })
            .collect())
    }

    /// Exact Shapley values per feature of `rows`, for one output, looking at whatever each has: on the
    /// link scale. They sum to the expert's score minus its score for nobody in particular (over several
    /// classes: of the class's own linear predictor). A forest's are exact for its shares and carried to
    /// the link scale along the secant. One list per row.
    ///
    /// # Errors
    /// [`Error::Shape`] where the examples do not fit the expert.
    pub fn attribute(
        &self,
        examples: &Examples,
        rows: &[usize],
        output: usize,
    ) -> Result<Vec<Vec<FeatureShare>>, Error> {
        let per_column = self.learner.attribute(&columns(&self.parts, examples, rows), output)?;
        let shares = (0..rows.len()).map(|i| {
            let mut at = 0;
            let mut shares = Vec::new();
            for (modality, preparation) in &self.parts {
                let values = preparation.by_feature(&per_column.row(i)[at..at + preparation.width()]);
                at += preparation.width();
                let named = preparation.features().iter().zip(values);
                shares.extend(named.map(|(f, share)| FeatureShare {
                    modality: *modality,
                    feature: f.clone(),
                    share,
                }));
            }
            shares
        });
        Ok(shares.collect())
    }

    /// Makes the columns of modalities outside the set missing.
    fn hide(&self, set: Availability, row: &mut [f64]) {
        let mut at = 0;
        for (m, preparation) in &self.parts {
            if !set.contains(*m) {
                row[at..at + preparation.width()].fill(preparation.missing());
            }
            at += preparation.width();
        }
    }

    /// The part that each column belongs to.
    fn groups(&self) -> Vec<usize> {
        let widths = self.parts.iter().map(|(_, p)| p.width()).enumerate();
        widths.flat_map(|(part, width)| std::iter::repeat_n(part, width)).collect()
    }

    /// The modalities that this expert can look at.
    pub fn modalities(&self) -> Availability {
        self.parts.iter().fold(Availability::NONE, |set, (m, _)| set.with(*m))
    }

    /// How the learner's setting reads in a report: `ridge, penalty 30`.
    pub fn setting(&self) -> &str {
        &self.setting
    }
}

impl Scorer for Expert {
    fn score(&self, examples: &Examples, rows: &[usize], sets: &[Availability]) -> Result<Matrix, Error> {
        // A subject who is looked at through several sets stands several times in a row: it is prepared
        // once, and a tree gives all its subsets in one walk where that is less work.
        let runs: Vec<Range<usize>> = rows
            .chunk_by(|a, b| a == b)
            .scan(0, |at, run| {
                *at += run.len();
                Some(*at - run.len()..*at)
            })
            .collect();
        let distinct: Vec<usize> = runs.iter().map(|run| rows[run.start]).collect();
        let x = columns(&self.parts, examples, &distinct);
        let groups = self.parts.len();
        let together = |run: &Range<usize>| {
            self.learner.is_tree() && groups <= TOGETHER_UP_TO && run.len() * 8 >= 1 << groups
        };
        let (several, apart): (Vec<usize>, Vec<usize>) =
            (0..runs.len()).partition(|&i| runs[i].len() > 1 && together(&runs[i]));

        let mut at = Vec::new();
        let mut masked = Matrix { rows: 0, cols: x.cols, values: Vec::new() };
        for (i, pair) in apart.iter().flat_map(|&i| runs[i].clone().map(move |pair| (i, pair))) {
            masked.values.extend_from_slice(x.row(i));
            masked.rows += 1;
            self.hide(sets[pair], masked.row_mut(at.len()));
            at.push(pair);
        }
        let one_by_one = self.learner.score(&masked)?;
        let mut scores = Matrix::zeros(rows.len(), one_by_one.cols);
        for (i, pair) in at.into_iter().enumerate() {
            scores.row_mut(pair).copy_from_slice(one_by_one.row(i));
        }
        let subsets = self.learner.score_subsets(&x.select(&several), &self.groups(), groups)?;
        for (i, subsets) in several.into_iter().zip(subsets) {
            for pair in runs[i].clone() {
                let held = |(p, (m, _)): (usize, &(usize, _))| usize::from(sets[pair].contains(*m)) << p;
                let subset = self.parts.iter().enumerate().map(held).sum();
                scores.row_mut(pair).copy_from_slice(subsets.row(subset));
            }
        }
        let seen = self.modalities();
        for (i, (&row, set)) in rows.iter().zip(sets).enumerate() {
            if set.intersect(examples.availability(row)).intersect(seen).is_empty() {
                scores.row_mut(i).fill(f64::NAN);
            }
        }
        Ok(scores)
    }
}

/// The columns of all parts side by side. Shape: `[rows, columns]`.
fn columns(parts: &[(usize, Preparation)], examples: &Examples, rows: &[usize]) -> Matrix {
    let width = parts.iter().map(|(_, p)| p.width()).sum();
    let mut all = Matrix::zeros(rows.len(), width);
    let mut at = 0;
    for (m, preparation) in parts {
        let part = preparation.matrix(&examples.blocks()[*m], rows);
        for i in 0..rows.len() {
            all.row_mut(i)[at..at + preparation.width()].copy_from_slice(part.row(i));
        }
        at += preparation.width();
    }
    all
}

impl Learner {
    fn fit_settings(
        x: &Matrix,
        outcome: &Outcome,
        outputs: usize,
        config: &LearnerConfig,
        seed: u64,
    ) -> Result<Vec<(Self, String)>, Error> {
        let classes = matches!(outcome, Outcome::MultiClass(_)).then_some(outputs);
        match config {
            LearnerConfig::Ridge { penalties, components, .. } => {
                let pca = components.map(|k| Pca::fit(x, k)).transpose()?;
                let rotated = pca.as_ref().map(|pca| pca.transform(x)).transpose()?;
                let options = Options { classes, ..Options::default() };
                let x = rotated.as_ref().unwrap_or(x);
                let lambdas: Vec<f64> = penalties.iter().map(|penalty| penalty * x.cols as f64).collect();
                let setting = |penalty: f64| match components {
                    Some(k) => format!("ridge on {k} components, penalty {penalty}"),
                    None => format!("ridge, penalty {penalty}"),
                };
                let fits = Linear::fit_path(x, outcome, &lambdas, &options)?;
                Ok(fits
                    .into_iter()
                    .zip(penalties)
                    .map(|(linear, &penalty)| (Self::Ridge { pca: pca.clone(), linear }, setting(penalty)))
                    .collect())
            }
            LearnerConfig::Forest { trees, min_leaf, columns, extra, .. } => {
                let config = ForestConfig {
                    trees: *trees,
                    min_leaf: *min_leaf as f64,
                    mtry: *columns,
                    extra: *extra,
                    bootstrap: !extra,
                    classes,
                    ..ForestConfig::default()
                };
                let kind = if *extra { "extra-trees" } else { "forest" };
                let forest = Forest::fit(x, outcome, None, &config, seed)?;
                Ok(vec![(Self::Forest(forest), format!("{kind} of {trees}, leaves of {min_leaf}"))])
            }
            LearnerConfig::Boosted { rounds, learning_rate, depth, subsample, .. } => {
                let config = BoostedConfig {
                    rounds: *rounds,
                    rate: *learning_rate,
                    depth: *depth,
                    subsample: *subsample,
                    classes,
                    ..BoostedConfig::default()
                };
                let boosted = Boosted::fit(x, outcome, None, &config, seed)?;
                let setting = format!("{rounds} boosted trees of depth {depth}, rate {learning_rate}");
                Ok(vec![(Self::Boosted(boosted), setting)])
            }
        }
    }

    fn score(&self, x: &Matrix) -> Result<Matrix, Error> {
        match self {
            Self::Ridge { pca: Some(pca), linear } => {
                Ok(log_odds(linear.kind, linear.predict(&pca.transform(x)?)?))
            }
            Self::Ridge { pca: None, linear } => Ok(log_odds(linear.kind, linear.predict(x)?)),
            Self::Forest(forest) => Ok(log_odds(forest.kind, forest.predict(x, None)?)),
            Self::Boosted(boosted) => Ok(log_odds(boosted.kind, boosted.predict(x, None)?)),
        }
    }

    /// Whether [`Learner::score_subsets`] is there.
    fn is_tree(&self) -> bool {
        matches!(self, Self::Forest(_) | Self::Boosted(_))
    }

    /// The scores of each row through every subset of groups of columns: `[rows][2^groups, outputs]`. No
    /// rows but of trees.
    fn score_subsets(&self, x: &Matrix, group: &[usize], groups: usize) -> Result<Vec<Matrix>, Error> {
        if x.rows == 0 {
            return Ok(Vec::new());
        }
        let (kind, scores) = match self {
            Self::Ridge { .. } => return Err(Error::Shape { message: "a ridge has no subsets".into() }),
            Self::Forest(forest) => (forest.kind, forest.predict_subsets(x, group, groups)?),
            Self::Boosted(boosted) => (boosted.kind, boosted.predict_subsets(x, group, groups)?),
        };
        Ok(scores.into_iter().map(|s| log_odds(kind, s)).collect())
    }

    fn attribute(&self, x: &Matrix, output: usize) -> Result<Matrix, Error> {
        match self {
            // A component is linear in the columns, so a column's weight is the components' weights
            // carried back along the axes.
            Self::Ridge { pca: Some(pca), linear } => {
                let mut weights = vec![0.0; pca.mean.len()];
                for (k, coefficient) in linear.coefficients[output].iter().enumerate() {
                    let axis = weights.iter_mut().zip(pca.axes.row(k));
                    axis.for_each(|(w, a)| *w += coefficient * a);
                }
                let mut shares = x.clone();
                for row in 0..x.rows {
                    let cells = shares.row_mut(row).iter_mut().zip(&pca.mean).zip(&weights);
                    cells.for_each(|((v, m), w)| *v = w * (*v - m));
                }
                Ok(shares)
            }
            Self::Ridge { pca: None, linear } => Ok(linear.shapley(x)?.values.swap_remove(output)),
            Self::Forest(forest) => Ok(forest.shapley_link(x, None)?.values.swap_remove(output)),
            Self::Boosted(boosted) => Ok(boosted.shapley(x, None)?.values.swap_remove(output)),
        }
    }
}

/// Over several classes: from linear predictors (or log-probabilities) to each class's log-odds against
/// all the others, which alone order subjects by that class's probability. Other scores stay.
fn log_odds(kind: TaskKind, mut scores: Matrix) -> Matrix {
    if kind == TaskKind::MultiClass {
        for row in 0..scores.rows {
            let eta = scores.row(row).to_vec();
            for (k, value) in scores.row_mut(row).iter_mut().enumerate() {
                let others = eta.iter().enumerate().filter(|(j, _)| *j != k).map(|(_, e)| *e);
                let largest = others.clone().fold(f64::NEG_INFINITY, f64::max);
                *value = eta[k] - largest - others.map(|e| (e - largest).exp()).sum::<f64>().ln();
            }
        }
    }
    scores
}

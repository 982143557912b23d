//! Fitting and using a ridge regression.

use super::likelihood::{Likelihood, row_weights};
use super::newton::{DENSE, Problem, dot};
use super::rotate::Rotation;
use super::shapley::Shapley;
use crate::Error;
use crate::matrix::Matrix;
use chiasm_record::{Outcome, TaskKind};
use serde::{Deserialize, Serialize};

/// What a fit may be told beside the data and `lambda`; the default is a plain ridge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Weight of each row. Shape: `[rows]`.
    pub weights: Option<Vec<f64>>,
    /// Multiplies `lambda` column by column; 0 leaves a column free. Shape: `[cols]`.
    pub factors: Option<Vec<f64>>,
    /// The coefficients that the penalty shrinks toward, instead of zero. Shape: `[outputs][cols]`.
    pub prior: Option<Vec<Vec<f64>>>,
    /// Known part of the scores, added before the fit and not part of the model. Shape: `[rows, outputs]`.
    pub offset: Option<Matrix>,
    /// Allows no coefficient below zero (meant for few columns, as in stacking).
    pub non_negative: bool,
    /// Number of classes of a multi-class outcome, where the rows may not show them all.
    pub classes: Option<usize>,
}

/// A fitted ridge regression: one linear score an output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// The kind of question it answers.
    pub kind: TaskKind,
    /// Score of a row of zeros. For survival it makes the log-risk of the mean row zero. Shape: `[outputs]`.
    pub intercept: Vec<f64>,
    /// Change of the score per unit of each column. Shape: `[outputs][cols]`.
    pub coefficients: Vec<Vec<f64>>,
    /// Weighted mean of each column in training. Shape: `[cols]`.
    pub mean: Vec<f64>,
    /// The penalty it was fitted with.
    pub lambda: f64,
    /// Log-likelihood (partial for survival; minus half the sum of squares for regression) in training,
    /// without the penalty.
    pub log_likelihood: f64,
    /// Whether the optimum was reached (separated data without a penalty has none).
    pub converged: bool,
}

fn shape<T>(message: String) -> Result<T, Error> {
    Err(Error::Shape { message: format!("linear: {message}") })
}

/// A part of the outcome that is fitted on its own, and which outputs it holds.
struct Part {
    likelihood: Likelihood,
    outputs: Vec<usize>,
}

/// The design of one path: centred columns, perhaps rotated, the intercept's ones in front.
struct Design {
    matrix: Matrix,
    rotation: Option<Rotation>,
    intercept: bool,
}

impl Linear {
    /// Fits one model.
    ///
    /// Shapes: `x [rows, cols]` without NaN.
    ///
    /// # Errors
    /// [`Error::Shape`] where `x`, outcome and options do not fit or `lambda` is negative;
    /// [`Error::CannotLearn`] with one class only or no event.
    pub fn fit(x: &Matrix, outcome: &Outcome, lambda: f64, options: &Options) -> Result<Self, Error> {
        let mut path = Self::fit_path(x, outcome, &[lambda], options)?;
        path.pop().ok_or_else(|| Error::Shape { message: "linear: no penalty".into() })
    }

    /// Fits one model a `lambda`, in the order given; a wide `x` is rotated once for all of them and each
    /// fit starts from the one before.
    ///
    /// A class that no row has gets the level of half an observation and no slope, and so does a label
    /// that all rows agree on.
    ///
    /// # Errors
    /// As [`Linear::fit`].
    ///
    /// # Source
    /// Rotation to the row space: Hastie & Tibshirani 2004, Biostatistics 5:329.
    pub fn fit_path(
        x: &Matrix,
        outcome: &Outcome,
        lambdas: &[f64],
        options: &Options,
    ) -> Result<Vec<Self>, Error> {
        if outcome.len() != x.rows || x.values.len() != x.rows * x.cols {
            return shape(format!("{} rows, {} outcomes", x.rows, outcome.len()));
        }
        if x.values.iter().any(|v| !v.is_finite()) {
            return shape("a cell is not a finite number".into());
        }
        if lambdas.iter().any(|l| !l.is_finite() || *l < 0.0) {
            return shape("lambda must be finite and not negative".into());
        }
        let weights = row_weights("linear", x.rows, options.weights.as_deref())?;
        let whole = Likelihood::new("linear", outcome, weights.clone(), options.classes)?;
        let outputs = whole.outputs();
        check(x, outputs, options)?;
        let total: f64 = weights.iter().sum();
        let mut mean = vec![0.0; x.cols];
        for (r, w) in weights.iter().enumerate() {
            for (m, v) in mean.iter_mut().zip(x.row(r)) {
                *m += w / total * v;
            }
        }
        let mut centred = x.clone();
        let factors = options.factors.clone().unwrap_or_else(|| vec![1.0; x.cols]);
        // Where columns are rotated, their penalty factors must be equal first: scale by 1/sqrt(factor).
        let rotate = x.cols * outputs > DENSE
            && !options.non_negative
            && factors.iter().all(|f| *f > 0.0)
            && lambdas.iter().all(|l| *l > 0.0);
        let scale: Vec<f64> = factors.iter().map(|f| if rotate { 1.0 / f.sqrt() } else { 1.0 }).collect();
        for r in 0..x.rows {
            for ((v, m), s) in centred.row_mut(r).iter_mut().zip(&mean).zip(&scale) {
                *v = (*v - m) * s;
            }
        }
        let rotation = if rotate { Rotation::new(&centred) } else { None };
        let intercept = whole.has_level();
        let design = Design::new(&centred, rotation, intercept);
        let levels = whole.constant();
        let parts = parts(outcome, whole, &weights)?;

        let mut models: Vec<Self> = lambdas
            .iter()
            .map(|&lambda| Self {
                kind: outcome.kind(),
                intercept: levels.clone(),
                coefficients: vec![vec![0.0; x.cols]; outputs],
                mean: mean.clone(),
                lambda,
                log_likelihood: 0.0,
                converged: true,
            })
            .collect();
        for part in &parts {
            let offset = offset(&centred, &scale, part, options);
            let k = part.outputs.len();
            let width = design.matrix.cols;
            let lead = usize::from(intercept);
            let mut start = vec![0.0; k * width];
            if intercept && options.offset.is_none() {
                for (c, level) in part.likelihood.constant().into_iter().enumerate() {
                    start[c * width] = level;
                }
            }
            for model in &mut models {
                let axis = |j: usize| if design.rotation.is_some() { 1.0 } else { factors[j] };
                let one = (0..width).map(|j| if j < lead { 0.0 } else { model.lambda * axis(j - lead) });
                let penalty: Vec<f64> = std::iter::repeat_n(one.collect::<Vec<f64>>(), k).flatten().collect();
                let lower = options.non_negative.then(|| {
                    let bound = |c: usize, j: usize| {
                        if j < lead { f64::NEG_INFINITY } else { -prior(options, part.outputs[c], j - lead) }
                    };
                    (0..k * width).map(|i| bound(i / width, i % width)).collect::<Vec<f64>>()
                });
                if let Some(lower) = &lower {
                    for (s, l) in start.iter_mut().zip(lower) {
                        *s = s.max(*l);
                    }
                }
                let problem = Problem {
                    likelihood: &part.likelihood,
                    design: &design.matrix,
                    offset: &offset,
                    penalty,
                    lower,
                };
                let solution = problem.solve(start);
                model.log_likelihood += solution.log_likelihood;
                model.converged &= solution.converged;
                for (c, &output) in part.outputs.iter().enumerate() {
                    let found = &solution.coefficients[c * width..(c + 1) * width];
                    let along = design.columns(&centred, &found[lead..]);
                    let slope: Vec<f64> = along
                        .iter()
                        .enumerate()
                        .map(|(j, b)| {
                            let b = b * scale[j] + prior(options, output, j);
                            if options.non_negative { b.max(0.0) } else { b }
                        })
                        .collect();
                    let level = if intercept { found[0] } else { 0.0 };
                    model.intercept[output] = level - dot(&slope, &mean);
                    model.coefficients[output] = slope;
                }
                start = solution.coefficients;
            }
        }
        if let Outcome::MultiClass(y) = outcome {
            for model in &mut models {
                model.settle_classes(y, &weights);
            }
        }
        Ok(models)
    }

    /// Scores on the link scale. Shape: `[rows, cols]` -> `[rows, outputs]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the number of columns is not that of the training.
    pub fn predict(&self, x: &Matrix) -> Result<Matrix, Error> {
        self.check_columns(x)?;
        let mut out = Matrix::zeros(x.rows, self.intercept.len());
        for r in 0..x.rows {
            for (k, value) in out.row_mut(r).iter_mut().enumerate() {
                *value = self.intercept[k] + dot(&self.coefficients[k], x.row(r));
            }
        }
        Ok(out)
    }

    /// Exact Shapley values per column, where an unknown column counts as its training mean:
    /// `coefficient * (x - mean)`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the number of columns is not that of the training.
    ///
    /// # Source
    /// Štrumbelj & Kononenko 2014 (additive models).
    pub fn shapley(&self, x: &Matrix) -> Result<Shapley, Error> {
        self.check_columns(x)?;
        let base =
            self.intercept.iter().zip(&self.coefficients).map(|(i, b)| i + dot(b, &self.mean)).collect();
        let share = |slope: &Vec<f64>| {
            let mut shares = x.clone();
            for r in 0..x.rows {
                for ((v, m), b) in shares.row_mut(r).iter_mut().zip(&self.mean).zip(slope) {
                    *v = b * (*v - m);
                }
            }
            shares
        };
        Ok(Shapley { base, values: self.coefficients.iter().map(share).collect() })
    }

    fn check_columns(&self, x: &Matrix) -> Result<(), Error> {
        if x.cols == self.mean.len() {
            return Ok(());
        }
        shape(format!("{} columns, expected {}", x.cols, self.mean.len()))
    }

    /// Levels of classes sum to zero over the classes seen; a class never seen gets no slope and the
    /// share of half an observation at the mean row.
    fn settle_classes(&mut self, y: &[usize], weights: &[f64]) {
        let mut mass = vec![0.0; self.intercept.len()];
        for (c, w) in y.iter().zip(weights) {
            mass[*c] += w;
        }
        let total: f64 = mass.iter().sum();
        let seen: Vec<usize> = (0..mass.len()).filter(|&c| mass[c] > 0.0).collect();
        let level = |m: &Self, c: usize| m.intercept[c] + dot(&m.coefficients[c], &m.mean);
        let mean = seen.iter().map(|&c| level(self, c)).sum::<f64>() / seen.len() as f64;
        for &c in &seen {
            self.intercept[c] -= mean;
        }
        let sum: f64 = seen.iter().map(|&c| level(self, c).exp()).sum();
        let half = total / (2.0 * y.len() as f64);
        for c in (0..mass.len()).filter(|&c| mass[c] <= 0.0) {
            self.coefficients[c].fill(0.0);
            self.intercept[c] = sum.ln() + (half / total).ln();
        }
    }
}

impl Design {
    fn new(centred: &Matrix, rotation: Option<Rotation>, intercept: bool) -> Self {
        let lead = usize::from(intercept);
        let source = rotation.as_ref().map_or(centred, |r| &r.scores);
        let mut matrix = Matrix::zeros(source.rows, source.cols + lead);
        for r in 0..source.rows {
            let row = matrix.row_mut(r);
            row[..lead].fill(1.0);
            row[lead..].copy_from_slice(source.row(r));
        }
        Self { matrix, rotation, intercept }
    }

    /// Coefficients of the design's columns, intercept left out -> of the centred columns.
    fn columns(&self, centred: &Matrix, along: &[f64]) -> Vec<f64> {
        debug_assert_eq!(self.matrix.cols, along.len() + usize::from(self.intercept));
        self.rotation.as_ref().map_or_else(|| along.to_vec(), |r| r.back(centred, along))
    }
}

fn prior(options: &Options, output: usize, column: usize) -> f64 {
    options.prior.as_ref().map_or(0.0, |p| p[output][column])
}

/// What is known of the scores before the fit: the caller's offset and the prior's scores.
fn offset(centred: &Matrix, scale: &[f64], part: &Part, options: &Options) -> Vec<f64> {
    let k = part.outputs.len();
    let mut out = vec![0.0; centred.rows * k];
    for (r, out) in out.chunks_exact_mut(k).enumerate() {
        for (value, &output) in out.iter_mut().zip(&part.outputs) {
            if let Some(offset) = &options.offset {
                *value += offset.row(r)[output];
            }
            if let Some(prior) = &options.prior {
                let cells = centred.row(r).iter().zip(scale).zip(&prior[output]);
                *value += cells.map(|((x, s), b)| x / s * b).sum::<f64>();
            }
        }
    }
    out
}

/// What is fitted together: labels one by one, since they have nothing in common but the columns, and
/// without those that all rows agree on; classes at once, without those that no row has.
fn parts(outcome: &Outcome, whole: Likelihood, weights: &[f64]) -> Result<Vec<Part>, Error> {
    let counted = |r: &usize| weights[*r] > 0.0;
    let rows = || (0..weights.len()).filter(counted);
    match outcome {
        Outcome::MultiLabel(labels) => (0..whole.outputs())
            .filter(|&l| rows().any(|r| labels[r][l]) && rows().any(|r| !labels[r][l]))
            .map(|l| {
                let own = Outcome::Binary(labels.iter().map(|row| row[l]).collect());
                let likelihood = Likelihood::new("linear", &own, weights.to_vec(), None)?;
                Ok(Part { likelihood, outputs: vec![l] })
            })
            .collect(),
        Outcome::MultiClass(classes) => {
            let seen: Vec<usize> =
                (0..whole.outputs()).filter(|&c| rows().any(|r| classes[r] == c)).collect();
            // Rows of weight zero may hold an unseen class; what they hold does not count.
            let place = |c: &usize| seen.iter().position(|s| s == c).unwrap_or(0);
            let own = Outcome::MultiClass(classes.iter().map(place).collect());
            let likelihood = Likelihood::new("linear", &own, weights.to_vec(), Some(seen.len()))?;
            Ok(vec![Part { likelihood, outputs: seen }])
        }
        _ => Ok(vec![Part { outputs: (0..whole.outputs()).collect(), likelihood: whole }]),
    }
}

fn check(x: &Matrix, outputs: usize, options: &Options) -> Result<(), Error> {
    if let Some(factors) = &options.factors
        && (factors.len() != x.cols || factors.iter().any(|f| !f.is_finite() || *f < 0.0))
    {
        return shape(format!("factors must be {} finite numbers, none negative", x.cols));
    }
    if let Some(prior) = &options.prior {
        let fits = prior.len() == outputs && prior.iter().all(|p| p.len() == x.cols);
        if !fits || prior.iter().flatten().any(|b| !b.is_finite()) {
            return shape(format!("the prior must be {outputs} times {} finite numbers", x.cols));
        }
        if options.non_negative && prior.iter().flatten().any(|b| *b < 0.0) {
            return shape("a negative prior for coefficients that may not be".into());
        }
    }
    if let Some(offset) = &options.offset {
        let fits = offset.rows == x.rows && offset.cols == outputs;
        if !fits || offset.values.iter().any(|v| !v.is_finite()) {
            return shape(format!("the offset must be finite, {} rows by {outputs}", x.rows));
        }
    }
    Ok(())
}

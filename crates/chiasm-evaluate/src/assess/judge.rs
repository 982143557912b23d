use super::AssessOptions;
use super::answers::{Answers, Table};
use super::metric::{self, Fit, Metric, positives};
use crate::compare::{bootstrap, repeated_concordance_test};
use crate::metrics::repeated::{self, Repeat, pick};
use crate::metrics::survival::harrell;
use crate::metrics::{Z_95, interval};
use crate::{Error, HeldOut, Measure};
use chiasm_record::{Estimate, Outcome, TaskKind};
use std::collections::BTreeMap;

/// What the luck of one split into folds adds to the variance of a difference, as a share of the variance
/// over subjects; see [`super::comparisons`].
const OF_ONE_REPEAT: f64 = 0.6;

/// The held-out predictions with what every part of the report asks of them.
pub(super) struct Judge<'a> {
    pub held_out: &'a HeldOut,
    pub options: &'a AssessOptions,
    /// The deciding metric.
    pub metric: Metric,
    /// Every subject.
    pub everyone: Vec<usize>,
}

/// By how much one model is ahead, with the test that says whether chance explains it.
pub(super) struct Gap {
    pub difference: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub p: Option<f64>,
    pub test: &'static str,
}

impl<'a> Judge<'a> {
    pub fn new(held_out: &'a HeldOut, options: &'a AssessOptions) -> Self {
        let metric = Metric::deciding(held_out.task.kind);
        Self { held_out, options, metric, everyone: (0..held_out.outcome.len()).collect() }
    }

    pub fn kind(&self) -> TaskKind {
        self.held_out.task.kind
    }

    pub fn outputs(&self) -> usize {
        self.held_out.task.outputs.len()
    }

    /// Subjects with the event among `rows`; `None` where the question has no event.
    pub fn events(&self, rows: &[usize]) -> Option<usize> {
        match &self.held_out.outcome {
            Outcome::Binary(v) => Some(rows.iter().filter(|&&i| v[i]).count()),
            Outcome::Survival { event, .. } => Some(rows.iter().filter(|&&i| event[i]).count()),
            _ => None,
        }
    }

    /// Whether `rows` are enough for a metric of their own: 20 subjects, 10 of them with the event and
    /// (but for survival) 10 without, for one of the outputs at least.
    pub fn enough(&self, rows: &[usize]) -> bool {
        const EACH: usize = 10;
        let count = |k| positives(&self.held_out.outcome, rows, k).iter().filter(|&&p| p).count();
        let balanced = |k: usize| (EACH..=rows.len().saturating_sub(EACH)).contains(&count(k));
        rows.len() >= 2 * EACH
            && match self.kind() {
                TaskKind::Regression => true,
                TaskKind::Survival => count(0) >= EACH,
                _ => (0..self.outputs()).any(balanced),
            }
    }

    /// The deciding metric on `rows`, with its interval; nothing where it is not defined.
    pub fn decide(&self, answers: &Answers, rows: &[usize]) -> Option<Measure> {
        self.measure(self.metric, answers, rows)
    }

    /// `metric` on `rows`: the mean over repeats, with an interval as wide as that of one repeat.
    pub fn measure(&self, metric: Metric, answers: &Answers, rows: &[usize]) -> Option<Measure> {
        Measure::new(self.estimate(metric, answers, rows).ok()?)
    }

    fn estimate(&self, metric: Metric, answers: &Answers, rows: &[usize]) -> Result<Estimate, Error> {
        if metric == Metric::CIndex {
            let (time, event) = self.follow_up(rows);
            return self.with_repeats(answers, rows, |r| repeated::concordance(&time, &event, r));
        }
        let (mut value, mut variance) = (0.0, 0.0);
        for (repeat, table) in answers.repeats.iter().enumerate() {
            let fit = self.fit(metric, repeat, table, rows)?;
            value += fit.value;
            variance += squares(fit.influence.iter().copied());
        }
        let r = answers.repeats.len() as f64;
        Ok(interval::normal(value / r, (variance / r).sqrt(), metric.range()))
    }

    /// One metric of one repeat.
    fn fit(&self, metric: Metric, repeat: usize, table: &Table, rows: &[usize]) -> Result<Fit, Error> {
        let outcome = &self.held_out.outcome;
        let width = self.outputs();
        match metric {
            Metric::Auroc => metric::macro_auroc((0..width).map(|k| self.auroc_of(repeat, table, rows, k))),
            Metric::AurocOf(k) => self.auroc_of(repeat, table, rows, k),
            Metric::Brier => metric::mean(&self.per_answer(table, rows, |p, y| (p - y).powi(2))),
            Metric::LogLoss => {
                let inside = |p: f64| p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
                let several = self.kind() == TaskKind::MultiClass;
                metric::mean(&self.per_answer(table, rows, |p, y| match (several, y > 0.5) {
                    (_, true) => -inside(p).ln(),
                    (true, false) => 0.0,
                    (false, false) => -(1.0 - inside(p)).ln(),
                }))
            }
            Metric::Accuracy => {
                let right = |&i: &usize| {
                    let row = &table.answer[i * width..(i + 1) * width];
                    let best = (0..width).fold(0, |best, k| if row[k] > row[best] { k } else { best });
                    f64::from(u8::from(positives(outcome, &[i], best)[0]))
                };
                metric::mean(&rows.iter().map(right).collect::<Vec<_>>())
            }
            Metric::R2 | Metric::Rmse | Metric::Mae => {
                let Outcome::Regression(values) = outcome else {
                    return Err(Error::NoSpread { what: "outcome" });
                };
                let (actual, predicted) = (pick(values, rows), pick(&table.answer, rows));
                let errors = actual.iter().zip(&predicted).map(|(a, p)| a - p);
                match metric {
                    Metric::R2 => metric::r2(&actual, &predicted),
                    Metric::Rmse => metric::root_mean(&errors.map(|e| e * e).collect::<Vec<_>>()),
                    _ => metric::mean(&errors.map(f64::abs).collect::<Vec<_>>()),
                }
            }
            Metric::CIndex => {
                let (time, event) = self.follow_up(rows);
                let value = harrell(&time, &event, &pick(&table.link, rows))?.c;
                Ok(Fit { value, influence: Vec::new() })
            }
        }
    }

    /// Within folds, as Harrell's C is: subjects of different folds were scored by different models.
    fn auroc_of(&self, repeat: usize, table: &Table, rows: &[usize], k: usize) -> Result<Fit, Error> {
        // The log-odds order as the probabilities do, but do not tie where those round to 1. Over
        // several classes only the probabilities are on one scale.
        let scores = if self.kind() == TaskKind::MultiClass { &table.answer } else { &table.link };
        let score: Vec<f64> = rows.iter().map(|&i| scores[i * self.outputs() + k]).collect();
        let fold = pick_folds(&self.held_out.repeats[repeat].fold, rows);
        metric::auroc_within(&positives(&self.held_out.outcome, rows, k), &score, &fold)
    }

    /// Per subject, `loss(probability, 0 or 1)` over the outputs: their sum for classes, their mean for labels.
    fn per_answer(&self, table: &Table, rows: &[usize], loss: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let width = self.outputs();
        let over = if self.kind() == TaskKind::MultiLabel { width as f64 } else { 1.0 };
        let mut total = vec![0.0; rows.len()];
        for k in 0..width {
            let truth = positives(&self.held_out.outcome, rows, k);
            for ((sum, &i), y) in total.iter_mut().zip(rows).zip(truth) {
                *sum += loss(table.answer[i * width + k], f64::from(u8::from(y))) / over;
            }
        }
        total
    }

    /// The patient-level bootstrap interval of a metric without a closed form.
    pub fn bootstrap(
        &self,
        answers: &Answers,
        metric: impl Fn(&Table, &[usize]) -> Result<f64, Error> + Sync,
    ) -> Option<Measure> {
        let of = |rows: &[usize]| {
            let sum: f64 = answers.repeats.iter().map(|t| metric(t, rows)).sum::<Result<f64, Error>>()?;
            Ok(sum / answers.repeats.len() as f64)
        };
        let n = self.everyone.len();
        match bootstrap(n, self.options.bootstrap, self.options.seed, of) {
            Ok(found) => Measure::new(found.estimate),
            Err(_) => Measure::point(of(&self.everyone).ok()?),
        }
    }

    /// `a` against `b` in the deciding metric; nothing where that is not defined. See
    /// [`super::comparisons`] for why this test.
    pub fn gap(&self, a: &Answers, b: &Answers) -> Option<Gap> {
        let (difference, standard_error) = self.over_subjects(a, b)?;
        let widened = standard_error.map(|se| se * self.refitting().sqrt());
        Some(Gap::normal(difference, widened.unwrap_or(f64::NAN), self.closed_form()))
    }

    /// By how much the variance over subjects is widened for models that were trained in folds; 1 for
    /// one fixed split.
    fn refitting(&self) -> f64 {
        let folded = self.held_out.repeats.iter().any(|r| r.fold.iter().any(|f| *f != r.fold[0]));
        if folded { 1.0 + OF_ONE_REPEAT / self.held_out.repeats.len() as f64 } else { 1.0 }
    }

    fn closed_form(&self) -> &'static str {
        match self.metric {
            Metric::Auroc => "DeLong",
            Metric::CIndex => "paired concordance",
            _ => "paired influence functions",
        }
    }

    /// Difference and its standard error for these trained models on new subjects.
    fn over_subjects(&self, a: &Answers, b: &Answers) -> Option<(f64, Option<f64>)> {
        let rows = &self.everyone;
        if self.metric == Metric::CIndex {
            let (time, event) = self.follow_up(rows);
            let test = self.with_repeats(a, rows, |a| {
                self.with_repeats(b, rows, |b| repeated_concordance_test(&time, &event, a, b))
            });
            return match test {
                Ok(t) => Some((t.difference.estimate, Some(t.standard_error))),
                Err(_) => {
                    let of = |x| self.estimate(Metric::CIndex, x, rows).ok().map(|e| e.estimate);
                    Some((of(a)? - of(b)?, None))
                }
            };
        }
        let (mut difference, mut variance) = (0.0, 0.0);
        for (repeat, (a, b)) in a.repeats.iter().zip(&b.repeats).enumerate() {
            let fit = |table| self.fit(self.metric, repeat, table, rows).ok();
            let (a, b) = (fit(a)?, fit(b)?);
            difference += a.value - b.value;
            variance += squares(a.influence.iter().zip(&b.influence).map(|(x, y)| x - y));
        }
        let r = a.repeats.len() as f64;
        Some((difference / r, Some((variance / r).sqrt())))
    }

    /// Follow-up of `rows`; nothing for a question without.
    pub fn follow_up(&self, rows: &[usize]) -> (Vec<f64>, Vec<bool>) {
        match &self.held_out.outcome {
            Outcome::Survival { time, event } => (pick(time, rows), rows.iter().map(|&i| event[i]).collect()),
            _ => (Vec::new(), Vec::new()),
        }
    }

    fn with_repeats<T>(
        &self,
        answers: &Answers,
        rows: &[usize],
        then: impl FnOnce(&[Repeat]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let parts: Vec<(Vec<usize>, Vec<f64>)> = self
            .held_out
            .repeats
            .iter()
            .zip(&answers.repeats)
            .map(|(r, t)| (rows.iter().map(|&i| r.fold[i]).collect(), pick(&t.link, rows)))
            .collect();
        let repeats: Vec<Repeat> = parts.iter().map(|(fold, score)| Repeat { fold, score }).collect();
        then(&repeats)
    }
}

impl Gap {
    fn none(test: &'static str) -> Self {
        Self { difference: 0.0, low: Some(0.0), high: Some(0.0), p: Some(1.0), test }
    }

    fn normal(difference: f64, standard_error: f64, test: &'static str) -> Self {
        if standard_error > 1e-12 {
            Self {
                difference,
                low: Some(difference - Z_95 * standard_error),
                high: Some(difference + Z_95 * standard_error),
                p: Some(interval::two_sided(difference / standard_error)),
                test,
            }
        } else if difference.abs() < 1e-12 {
            Self::none(test)
        } else {
            Self { difference, low: None, high: None, p: None, test }
        }
    }
}

fn pick_folds(fold: &[usize], rows: &[usize]) -> Vec<usize> {
    rows.iter().map(|&i| fold[i]).collect()
}

/// The rows of each fold, by ascending fold.
pub(super) fn by_fold(fold: &[usize], rows: &[usize]) -> Vec<Vec<usize>> {
    let mut folds = BTreeMap::<usize, Vec<usize>>::new();
    for &i in rows {
        folds.entry(fold[i]).or_default().push(i);
    }
    folds.into_values().collect()
}

fn squares(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum()
}

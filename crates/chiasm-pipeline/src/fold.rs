//! One outer fold: what its training subjects taught, asked about its held-out subjects.

use crate::Error;
use chiasm_cohort::Examples;
use chiasm_evaluate::metrics::youden_threshold;
use chiasm_learn::config::LearnConfig;
use chiasm_learn::matrix::Matrix;
use chiasm_learn::predict::Predictor;
use chiasm_learn::reference::Reference;
use chiasm_learn::trained::{Sets, Trained, Which};
use chiasm_record::{Attribution, Availability, Outcome, TaskKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Up to this many modalities every subset is evaluated.
const EVERY_SUBSET_UP_TO: usize = 8;

/// A finished fold, as it is kept in the run folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldResult {
    /// The run that it belongs to.
    pub fingerprint: String,
    /// The held-out rows.
    pub rows: Vec<usize>,
    /// Per modality, then per fusion: the scores of the held-out rows.
    pub models: Vec<Predicted>,
    /// Number of modalities.
    pub singles: usize,
    /// The fusion that the training subjects chose (index into the fusions).
    pub fusion: usize,
    /// The single modality that they chose.
    pub single: usize,
    /// Inner loss per model.
    pub losses: Vec<f64>,
    /// Thresholds locked on the training subjects.
    pub thresholds: Vec<(String, f64)>,
    /// The chosen fusion, looking only at each subset.
    pub subsets: Vec<(Availability, Predicted)>,
    /// Per row and output: the interval of the answer.
    pub interval: Vec<Vec<(Option<f64>, Option<f64>)>>,
    /// Per row: whether the run abstains.
    pub abstained: Vec<bool>,
    /// Per row: whether the prediction set holds the truth, where that is known.
    pub covered: Vec<Option<bool>>,
    /// Per row: what the answer rests on (first output).
    pub attribution: Vec<Option<Attribution>>,
    /// Configurations compared inside.
    pub tried: usize,
}

impl FoldResult {
    /// Whether this is the result of the run with this fingerprint for these rows, whole.
    pub fn belongs(
        &self,
        fingerprint: &str,
        rows: &[usize],
        models: usize,
        subsets: &[Availability],
    ) -> bool {
        let n = rows.len();
        let whole =
            |p: &Predicted| p.link.len() == n && p.answer.len() == n && [0, n].contains(&p.survival.len());
        self.fingerprint == fingerprint
            && self.rows == rows
            && self.models.len() == models
            && self.losses.len() == models
            && self.subsets.iter().map(|(set, _)| set).eq(subsets)
            && self.models.iter().all(|m| m.survival.len() == self.models[0].survival.len())
            && self.singles + self.fusion < models
            && self.models.iter().chain(self.subsets.iter().map(|(_, p)| p)).all(whole)
            && [self.interval.len(), self.abstained.len(), self.covered.len(), self.attribution.len()]
                == [n; 4]
    }
}

/// Scores and answers of some rows: `[row][output]`, `None` where nothing was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// On the link scale.
    pub link: Vec<Option<Vec<f64>>>,
    /// Probabilities, values or risks.
    pub answer: Vec<Option<Vec<f64>>>,
    /// The chance of no event up to each of the times of a survival curve. Empty for other questions and
    /// for subsets.
    pub survival: Vec<Option<Vec<f64>>>,
}

/// The patterns that calibration should know: those of the subjects, and each modality alone.
pub fn patterns(examples: &Examples) -> Vec<Availability> {
    let observed = (0..examples.len()).map(|r| examples.availability(r)).filter(|s| !s.is_empty());
    let alone = (0..examples.blocks().len()).map(Availability::only);
    observed.chain(alone).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The subsets on which a run is judged and, for the final model, calibrated: all of them for up to
/// eight modalities; otherwise the patterns, each modality alone, and all but one.
pub fn subsets(examples: &Examples) -> Vec<Availability> {
    let m = examples.blocks().len();
    let full = Availability::all(m);
    if m <= EVERY_SUBSET_UP_TO {
        return full.subsets().filter(|s| !s.is_empty()).collect();
    }
    let without = (0..m).map(|i| full.without(i));
    patterns(examples).into_iter().chain(without).chain([full]).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Trains on the rows outside the fold and predicts those inside.
///
/// # Errors
/// Whatever cannot be learned, with the fold named.
pub fn run(
    examples: &Examples,
    folds: &[usize],
    fold: usize,
    config: &LearnConfig,
    confidence: f64,
    horizon: Option<f64>,
    seed: u64,
) -> Result<FoldResult, Error> {
    let (inside, rows) = chiasm_cohort::split::rows_of(fold, folds);
    let training = examples.select(&inside);
    let sets = Sets { stacked: &subsets(&training), learned: &patterns(&training) };
    let (trained, reference) = Trained::fit(&training, config, sets, horizon, seed)?;
    let sets: Vec<Availability> = rows.iter().map(|&r| examples.availability(r)).collect();
    let predict = |which: Which, sets: &[Availability]| -> Result<Predicted, Error> {
        Ok(predicted(&trained, which, &trained.score(which, examples, &rows, sets)?, sets))
    };
    let models = trained
        .models()
        .into_iter()
        .map(|which| {
            let mut predicted = predict(which, &sets)?;
            if trained.task().kind == TaskKind::Survival {
                let curve = |link: &Option<Vec<f64>>| Some(trained.survival(which, link.as_ref()?[0]));
                predicted.survival = predicted.link.iter().map(curve).collect();
            }
            Ok(predicted)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let subsets = subsets(examples)
        .into_iter()
        .map(|subset| {
            let seen: Vec<Availability> = sets.iter().map(|s| s.intersect(subset)).collect();
            Ok((subset, predict(trained.selected(), &seen)?))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let (Which::Fusion(fusion), Which::Single(single)) = (trained.selected(), trained.best_single()) else {
        return Err(Error::Broken {
            path: "fold".into(),
            message: "a fusion and a single were expected".into(),
        });
    };
    let (losses, tried) = (trained.models().into_iter().map(|w| trained.loss(w)).collect(), trained.tried());
    let singles = trained.modalities().len();
    let thresholds = thresholds(&trained, &reference)?;
    let predictor = Predictor { trained, reference, confidence, seed };
    let answers = predictor.answer(examples, &rows)?;
    let finite = |v: f64| v.is_finite().then_some(v);
    Ok(FoldResult {
        fingerprint: String::new(),
        models,
        singles,
        fusion,
        single,
        losses,
        thresholds,
        subsets,
        interval: answers
            .iter()
            .map(|a| {
                a.prediction
                    .low
                    .iter()
                    .zip(&a.prediction.high)
                    .map(|(l, h)| (finite(*l), finite(*h)))
                    .collect()
            })
            .collect(),
        abstained: answers.iter().map(|a| a.prediction.abstention.is_some()).collect(),
        covered: answers
            .iter()
            .zip(&rows)
            .map(|(a, &row)| covered(a, examples.outcome()?, row, horizon))
            .collect(),
        attribution: answers.into_iter().map(|a| a.prediction.attribution.into_iter().next()).collect(),
        rows,
        tried,
    })
}

fn predicted(trained: &Trained, which: Which, scores: &Matrix, sets: &[Availability]) -> Predicted {
    // A single model gives the base rate where its modality is absent; a subset that a subject has
    // nothing of gives no answer.
    let link: Vec<Option<Vec<f64>>> = (0..scores.rows)
        .map(|i| {
            let seen = matches!(which, Which::Single(_)) || !sets[i].is_empty();
            seen.then(|| scores.row(i).to_vec())
        })
        .collect();
    let answer = link
        .iter()
        .map(|row| {
            let mut row = row.clone()?;
            trained.answer(which, &mut row);
            Some(row)
        })
        .collect();
    Predicted { link, answer, survival: Vec::new() }
}

/// Thresholds for a yes-or-no question, from out-of-fold answers of the training subjects.
fn thresholds(trained: &Trained, reference: &Reference) -> Result<Vec<(String, f64)>, Error> {
    if trained.task().kind != TaskKind::Binary {
        return Ok(Vec::new());
    }
    let answers = reference.own(0).map(|(scores, yes)| {
        let mut answer = scores.to_vec();
        trained.answer(trained.selected(), &mut answer);
        (yes, answer[0])
    });
    let (positive, risk): (Vec<bool>, Vec<f64>) = answers.unzip();
    let youden = youden_threshold(&positive, &risk)?;
    // The largest threshold that still finds nine in ten of those with the event.
    let mut events: Vec<f64> = risk.iter().zip(&positive).filter(|(_, p)| **p).map(|(r, _)| *r).collect();
    events.sort_by(f64::total_cmp);
    let Some(&sensitive) = events.get(events.len() / 10) else { return Ok(Vec::new()) };
    Ok(vec![
        ("Youden on training subjects, out of fold".to_owned(), youden),
        ("sensitivity 90 % on training subjects, out of fold".to_owned(), sensitive),
    ])
}

/// Whether the prediction set (or interval) holds the truth.
fn covered(
    answer: &chiasm_learn::predict::Answer,
    outcome: &Outcome,
    row: usize,
    horizon: Option<f64>,
) -> Option<bool> {
    let set = &answer.plausible;
    let holds = |k: usize, yes: bool| set.get(k).map(|&(no_in, yes_in)| if yes { yes_in } else { no_in });
    match outcome {
        Outcome::Binary(yes) => holds(0, yes[row]),
        Outcome::MultiClass(classes) => holds(classes[row], true),
        Outcome::MultiLabel(labels) => {
            let all: Option<Vec<bool>> =
                labels[row].iter().enumerate().map(|(k, &yes)| holds(k, yes)).collect();
            all.map(|all| all.into_iter().all(|held| held))
        }
        Outcome::Regression(values) => {
            let (low, high) = (answer.prediction.low.first()?, answer.prediction.high.first()?);
            Some((*low..=*high).contains(&values[row]))
        }
        Outcome::Survival { time, event } => {
            let horizon = horizon?;
            match (time[row] <= horizon, event[row]) {
                (true, true) => holds(0, true),
                (true, false) => None,
                (false, _) => holds(0, false),
            }
        }
    }
}

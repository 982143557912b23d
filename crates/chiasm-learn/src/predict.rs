//! Answers for subjects: value, interval, abstention, what it rests on, and what to look for next.

use crate::reference::Reference;
use crate::trained::Trained;
use crate::{Error, conformal, shapley};
use chiasm_cohort::Examples;
use chiasm_record::{Abstention, Attribution, Availability, Prediction, TaskKind};
use rayon::prelude::*;

/// Pairs of a subject and a subset that are scored at once, which bounds the memory.
const PAIRS: usize = 16_384;

/// A trained fusion with everything needed to answer.
#[derive(Clone, Debug)]
pub struct Predictor {
    /// What training taught.
    pub trained: Trained,
    /// The witnesses.
    pub reference: Reference,
    /// The share of subjects whose prediction set shall hold the truth.
    pub confidence: f64,
    /// Seed of the sampled attributions (more modalities than can be done exactly).
    pub seed: u64,
}

/// A prediction and the value of the evidence that it lacks.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The prediction.
    pub prediction: Prediction,
    /// Per missing modality: how far the first output would likely move on the link scale if it were
    /// there; `None` where too few training subjects can tell.
    pub value_of_missing: Vec<(usize, Option<f64>)>,
    /// Per output: whether "no" and whether "yes" are in the prediction set. Empty for a regression and
    /// where nothing is present.
    pub plausible: Vec<(bool, bool)>,
}

impl Predictor {
    /// Answers for `rows`, in that order. A subject without any modality gets an abstention, never a
    /// default score.
    ///
    /// # Errors
    /// Whatever the model reports.
    pub fn answer(&self, examples: &Examples, rows: &[usize]) -> Result<Vec<Answer>, Error> {
        let (mut answers, mut at) = (Vec::with_capacity(rows.len()), 0);
        while at < rows.len() {
            let (mut end, mut pairs) = (at, 0);
            while end < rows.len() && (end == at || pairs < PAIRS) {
                pairs += 1 << examples.availability(rows[end]).count().min(shapley::EXACT_UP_TO);
                end += 1;
            }
            answers.extend(self.answer_together(examples, &rows[at..end])?);
            at = end;
        }
        Ok(answers)
    }

    fn answer_together(&self, examples: &Examples, rows: &[usize]) -> Result<Vec<Answer>, Error> {
        let sets: Vec<Availability> = rows.iter().map(|&r| examples.availability(r)).collect();
        // Every subset that attribution asks for, of every row, in one batch.
        let wanted: Vec<Vec<Availability>> =
            sets.iter().map(|&set| shapley::subsets_needed(set, self.seed)).collect();
        let pairs: Vec<(usize, Availability)> =
            rows.iter().zip(&wanted).flat_map(|(&row, sets)| sets.iter().map(move |&s| (row, s))).collect();
        let (pair_rows, pair_sets): (Vec<usize>, Vec<Availability>) = pairs.into_iter().unzip();
        let scores = self.trained.score(self.trained.selected(), examples, &pair_rows, &pair_sets)?;
        let mut starts = Vec::with_capacity(rows.len());
        let mut at = 0;
        for sets in &wanted {
            starts.push(at);
            at += sets.len();
        }
        (0..rows.len())
            .into_par_iter()
            .map(|i| {
                let look_up = |set: Availability, output: usize| {
                    wanted[i].binary_search(&set).map_or(f64::NAN, |k| scores.row(starts[i] + k)[output])
                };
                self.one(examples, rows[i], sets[i], &look_up)
            })
            .collect()
    }

    fn one(
        &self,
        examples: &Examples,
        row: usize,
        present: Availability,
        score: &(impl Fn(Availability, usize) -> f64 + Sync),
    ) -> Result<Answer, Error> {
        let task = self.trained.task();
        let subject = examples.subjects()[row].clone();
        let missing: Vec<usize> = (0..examples.blocks().len()).filter(|&m| !present.contains(m)).collect();
        if present.is_empty() {
            let prediction = Prediction {
                subject,
                present,
                value: Vec::new(),
                low: Vec::new(),
                high: Vec::new(),
                abstention: Some(Abstention::NothingPresent),
                attribution: Vec::new(),
            };
            return Ok(Answer {
                prediction,
                value_of_missing: missing.into_iter().map(|m| (m, None)).collect(),
                plausible: Vec::new(),
            });
        }
        let outputs = task.outputs.len();
        let mut value: Vec<f64> = (0..outputs).map(|k| score(present, k)).collect();
        let link = value.clone();
        self.trained.answer(self.trained.selected(), &mut value);
        let (low, high, plausible, abstention) = self.certainty(task.kind, present, &link, &value);
        let attribution = (0..outputs)
            .map(|k| shapley::attribute(present, self.seed, |set| Ok(score(set, k))))
            .collect::<Result<Vec<Attribution>, Error>>()?;
        let value_of_missing =
            missing.into_iter().map(|m| (m, self.reference.value_of(present, m, 0, link[0]))).collect();
        let prediction = Prediction { subject, present, value, low, high, abstention, attribution };
        Ok(Answer { prediction, value_of_missing, plausible })
    }

    /// Interval and prediction set per output, and whether to abstain.
    fn certainty(&self, kind: TaskKind, present: Availability, link: &[f64], value: &[f64]) -> Certainty {
        if kind == TaskKind::Regression {
            let half = self.reference.half_width(present, self.confidence);
            // Too few training subjects to say how far off it may be.
            let unknown = (!half.is_finite()).then_some(Abstention::Uncertain);
            return (vec![value[0] - half], vec![value[0] + half], Vec::new(), unknown);
        }
        let refused = 1.0 - self.confidence;
        let (mut low, mut high, mut plausible) = (Vec::new(), Vec::new(), Vec::new());
        for (k, &score) in link.iter().enumerate() {
            let witnesses = self.reference.witnesses(present, k);
            let (a, b) = conformal::venn_abers(&witnesses, score);
            low.push(a.min(value[k]));
            high.push(b.max(value[k]));
            let possible = |answer| conformal::p_value(&witnesses, score, answer) > refused;
            plausible.push((possible(false), possible(true)));
        }
        let settled = match kind {
            TaskKind::MultiClass => plausible.iter().filter(|(_, yes)| *yes).count() == 1,
            // Several labels: an answer is worth giving as soon as one label is settled.
            _ => plausible.iter().any(|(no, yes)| no != yes),
        };
        (low, high, plausible, (!settled).then_some(Abstention::Uncertain))
    }
}

/// Lower ends, upper ends, prediction sets, abstention.
type Certainty = (Vec<f64>, Vec<f64>, Vec<(bool, bool)>, Option<Abstention>);

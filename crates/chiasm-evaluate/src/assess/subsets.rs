//! What the chosen fusion does when it sees less.

use super::AssessOptions;
use super::answers::{Answers, row};
use super::judge::Judge;
use super::models::Candidates;
use crate::{DegradationPoint, HeldOut, Measure, Pattern, SubsetResult};
use chiasm_record::{Availability, Outcome};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// The most patterns that a report lists: the most frequent ones.
const MOST_PATTERNS: usize = 64;
/// Random draws per share of missingness.
const DRAWS: usize = 5;

/// Every subset that the run tried, smallest first, and always the full set.
pub(super) fn subsets(judge: &Judge, candidates: &Candidates) -> Vec<SubsetResult> {
    let h = judge.held_out;
    let everything = Availability::all(h.modalities.len());
    let mut tried: Vec<Availability> = h.repeats[0].subsets.iter().map(|(s, _)| *s).collect();
    tried.push(everything);
    tried.retain(|s| !s.is_empty() && everything.includes(*s));
    tried.sort_by_key(|s| (s.count(), s.bits()));
    tried.dedup();
    let losses = single_losses(h);
    let of = |subset: Availability| {
        let rows = having(h, subset);
        // Without an entry of its own the full set is the nested procedure itself.
        let shown = Answers::subset(h, subset);
        let fusion = shown.as_ref().or((subset == everything).then_some(&candidates.nested.answers))?;
        let best = subset.iter().min_by(|&a, &b| losses[a].total_cmp(&losses[b]));
        let single = best.and_then(|m| {
            let measure = judge.decide(&candidates.singles[m].answers, &rows)?;
            Some((h.modalities[m].as_str().to_owned(), measure))
        });
        let (best_single, best_single_metric) = single.unzip();
        Some(SubsetResult {
            modalities: super::names(h, subset),
            n: rows.len(),
            metric: judge.decide(fusion, &rows),
            best_single,
            best_single_metric,
        })
    };
    tried.into_iter().filter_map(of).collect()
}

/// Per single model: its mean inner loss over folds. What was not finite counts as the worst.
fn single_losses(h: &HeldOut) -> Vec<f64> {
    let choices: Vec<_> = h.repeats.iter().flat_map(|r| &r.choices).collect();
    let mean = |m: usize| {
        let sum: f64 = choices.iter().map(|c| c.losses[m]).sum();
        if sum.is_finite() { sum / choices.len() as f64 } else { f64::INFINITY }
    };
    (0..h.modalities.len()).map(mean).collect()
}

/// Who has at least one modality of `subset`.
fn having(h: &HeldOut, subset: Availability) -> Vec<usize> {
    (0..h.availability.len()).filter(|&i| !h.availability[i].intersect(subset).is_empty()).collect()
}

/// The subjects by which modalities they have, the most frequent pattern first.
pub(super) fn by_pattern(h: &HeldOut) -> Vec<(Availability, Vec<usize>)> {
    let everything = Availability::all(h.modalities.len());
    let mut groups = BTreeMap::<Availability, Vec<usize>>::new();
    for (i, has) in h.availability.iter().enumerate() {
        groups.entry(has.intersect(everything)).or_default().push(i);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    groups.truncate(MOST_PATTERNS);
    groups
}

pub(super) fn patterns(judge: &Judge, candidates: &Candidates) -> Vec<Pattern> {
    let h = judge.held_out;
    let of = |(has, rows): (Availability, Vec<usize>)| {
        let known = || h.repeats.iter().flat_map(|r| rows.iter().filter_map(|&i| r.covered[i]));
        let gave_none = h.repeats.iter().flat_map(|r| rows.iter().map(|&i| r.abstained[i]));
        Pattern {
            modalities: super::names(h, has),
            n: rows.len(),
            events: judge.events(&rows),
            metric: (judge.enough(&rows) && !has.is_empty())
                .then(|| judge.decide(&candidates.nested.answers, &rows))
                .flatten(),
            coverage: share(known()),
            abstention_rate: share(gave_none),
        }
    };
    by_pattern(h).into_iter().map(of).collect()
}

fn share(flags: impl Iterator<Item = bool>) -> Option<f64> {
    let (mut yes, mut all) = (0usize, 0usize);
    for flag in flags {
        all += 1;
        yes += usize::from(flag);
    }
    (all > 0).then(|| yes as f64 / all as f64)
}

/// The metric when each modality of each subject is hidden with a probability of 0, 0.1, ..., 0.9, at
/// least one kept: the mean over a few draws. Subjects who have nothing are left out. A point is left
/// out where the run did not try the subsets that it takes (many modalities).
pub(super) fn degradation(judge: &Judge, candidates: &Candidates) -> Vec<DegradationPoint> {
    let h = judge.held_out;
    let rows = having(h, Availability::all(h.modalities.len()));
    let shown = Shown::new(h);
    (0..10u32).filter_map(|tenths| point(judge, candidates, &rows, &shown, tenths)).collect()
}

fn point(
    judge: &Judge,
    candidates: &Candidates,
    rows: &[usize],
    shown: &Shown,
    tenths: u32,
) -> Option<DegradationPoint> {
    let h = judge.held_out;
    let missing = f64::from(tenths) / 10.0;
    let draws = if tenths == 0 { 1 } else { DRAWS };
    let (mut fusion, mut single) = (Vec::new(), Vec::new());
    for draw in 0..draws {
        let kept = hide(h, judge.options, missing, u64::from(tenths) * DRAWS as u64 + draw as u64);
        if !rows.iter().all(|&i| shown.can(h, i, kept[i])) {
            return None;
        }
        let seen = Answers::gather(h, |r, i| match shown.at(h, i, kept[i]) {
            Some(at) => row(&r.subsets[at].1, i),
            None => row(&r.fusions[super::answers::choice(r, i).fusion], i),
        });
        fusion.push(judge.decide(&seen, rows)?);
        let base = &shown.base;
        let mut alone = candidates.nested_single.answers.clone();
        for ((table, repeat), base) in alone.repeats.iter_mut().zip(&h.repeats).zip(base) {
            for &i in rows.iter().filter(|&&i| {
                let m = super::answers::choice(repeat, i).single;
                h.availability[i].contains(m) && !kept[i].contains(m)
            }) {
                let width = judge.outputs();
                let (link, answer) = &base[repeat.fold[i]];
                table.link[i * width..(i + 1) * width].copy_from_slice(link);
                table.answer[i * width..(i + 1) * width].copy_from_slice(answer);
            }
        }
        single.extend(judge.decide(&alone, rows));
    }
    Some(DegradationPoint { missing, fusion: mean(&fusion)?, best_single: mean(&single) })
}

/// Per subject what stays visible.
fn hide(h: &HeldOut, options: &AssessOptions, missing: f64, stream: u64) -> Vec<Availability> {
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    rng.set_stream(stream);
    let everything = Availability::all(h.modalities.len());
    h.availability
        .iter()
        .map(|has| {
            let has = has.intersect(everything);
            let mut kept = Availability::NONE;
            for m in has.iter() {
                if rng.random::<f64>() >= missing {
                    kept = kept.with(m);
                }
            }
            if kept.is_empty() && !has.is_empty() {
                let one = rng.random_range(0..has.count() as u64) as usize;
                kept = has.iter().nth(one).map_or(kept, Availability::only);
            }
            kept
        })
        .collect()
}

/// Where the fusion's answer is found for a subject of whom only some modalities are shown.
pub(super) struct Shown {
    /// By what the subject has and what is shown: the entry of `subsets`.
    at: BTreeMap<(Availability, Availability), Option<usize>>,
    everything: Availability,
    subsets: Vec<Availability>,
    /// `[repeat][fold]`: the answer of a single model of whom nothing is known.
    base: Vec<Vec<(Vec<f64>, Vec<f64>)>>,
}

impl Shown {
    pub fn new(h: &HeldOut) -> Self {
        let listed = |r: &crate::HeldOutRepeat| r.subsets.iter().map(|(s, _)| *s).collect::<Vec<_>>();
        let first = listed(&h.repeats[0]);
        // An entry is of use only where it is the same one in every repeat.
        let same = h.repeats.iter().all(|r| listed(r) == first);
        let base = h.repeats.iter().map(|r| (0..r.choices.len()).map(|f| base_rate(h, &r.fold, f)).collect());
        let mut shown = Self {
            at: BTreeMap::new(),
            everything: Availability::all(h.modalities.len()),
            subsets: if same { first } else { Vec::new() },
            base: base.collect(),
        };
        let patterns: std::collections::BTreeSet<_> =
            h.availability.iter().map(|a| a.intersect(shown.everything)).collect();
        for has in patterns {
            for (at, subset) in shown.subsets.iter().enumerate() {
                shown.at.entry((has, has.intersect(*subset))).or_insert(Some(at));
            }
        }
        shown
    }

    /// The entry of `subsets` that shows `kept` of subject `i`; `None` where that is all it has.
    pub fn at(&self, h: &HeldOut, i: usize, kept: Availability) -> Option<usize> {
        let has = h.availability[i].intersect(self.everything);
        if kept == has { None } else { self.at.get(&(has, kept)).copied().flatten() }
    }

    /// Whether the run tried what it takes.
    pub fn can(&self, h: &HeldOut, i: usize, kept: Availability) -> bool {
        kept == h.availability[i].intersect(self.everything) || self.at(h, i, kept).is_some()
    }
}

/// Link and answer of the mean prediction of those outside `fold`.
fn base_rate(h: &HeldOut, folds: &[usize], fold: usize) -> (Vec<f64>, Vec<f64>) {
    let training: Vec<usize> = (0..folds.len()).filter(|&i| folds[i] != fold).collect();
    let n = (training.len() as f64).max(1.0);
    let rate = |k| {
        let hits = super::metric::positives(&h.outcome, &training, k).iter().filter(|&&p| p).count();
        (hits as f64 / n).clamp(0.5 / n, 1.0 - 0.5 / n)
    };
    let log_odds = |p: f64| (p / (1.0 - p).max(f64::EPSILON)).ln();
    match &h.outcome {
        Outcome::Regression(v) => {
            let mean = training.iter().map(|&i| v[i]).sum::<f64>() / n;
            (vec![mean], vec![mean])
        }
        // Only the log-risk is judged here; 0 is the training mean.
        Outcome::Survival { .. } => (vec![0.0], vec![0.5]),
        _ => {
            let answer: Vec<f64> = (0..h.task.outputs.len()).map(rate).collect();
            (answer.iter().map(|&p| log_odds(p)).collect(), answer)
        }
    }
}

fn mean(measures: &[Measure]) -> Option<Measure> {
    let n = measures.len() as f64;
    let over =
        |f: &dyn Fn(&Measure) -> Option<f64>| measures.iter().map(f).sum::<Option<f64>>().map(|sum| sum / n);
    let bounds = over(&|m| m.low).zip(over(&|m| m.high));
    (!measures.is_empty()).then(|| Measure {
        estimate: measures.iter().map(|m| m.estimate).sum::<f64>() / n,
        low: bounds.map(|b| b.0),
        high: bounds.map(|b| b.1),
    })
}

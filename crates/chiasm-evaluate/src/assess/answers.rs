use crate::metrics::check;
use crate::{Error, FoldChoice, HeldOut, HeldOutRepeat, Scores};
use chiasm_record::{Availability, TaskKind};

/// What one model said of every subject, repeat by repeat.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    /// One table a repeat.
    pub repeats: Vec<Table>,
}

/// One repeat, row after row: `[subject, output]`, and `[subject, time]` for survival.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub link: Vec<f64>,
    pub answer: Vec<f64>,
    pub survival: Vec<f64>,
}

/// What a model said of one subject.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said<'a> {
    pub link: &'a [f64],
    pub answer: &'a [f64],
    pub survival: &'a [f64],
}

impl Answers {
    /// For each repeat and subject, what `pick` gives.
    pub fn gather<'a>(held_out: &'a HeldOut, pick: impl Fn(&'a HeldOutRepeat, usize) -> Said<'a>) -> Self {
        let n = held_out.availability.len();
        let table = |repeat: &'a HeldOutRepeat| {
            let mut table = Table::default();
            for subject in 0..n {
                let said = pick(repeat, subject);
                table.link.extend_from_slice(said.link);
                table.answer.extend_from_slice(said.answer);
                table.survival.extend_from_slice(said.survival);
            }
            table
        };
        Self { repeats: held_out.repeats.iter().map(table).collect() }
    }

    /// The single model of modality `m`.
    pub fn single(held_out: &HeldOut, m: usize) -> Self {
        Self::gather(held_out, |r, i| row(&r.singles[m], i))
    }

    /// Fusion `f`.
    pub fn fusion(held_out: &HeldOut, f: usize) -> Self {
        Self::gather(held_out, |r, i| row(&r.fusions[f], i))
    }

    /// The whole procedure: the fusion that the subject's fold chose without looking at the subject.
    pub fn nested(held_out: &HeldOut) -> Self {
        Self::gather(held_out, |r, i| row(&r.fusions[choice(r, i).fusion], i))
    }

    /// The single that the subject's fold chose.
    pub fn nested_single(held_out: &HeldOut) -> Self {
        Self::gather(held_out, |r, i| row(&r.singles[choice(r, i).single], i))
    }

    /// The chosen fusion, shown `subset` alone. `None` where a repeat does not hold that subset.
    pub fn subset(held_out: &HeldOut, subset: Availability) -> Option<Self> {
        held_out.repeats.iter().all(|r| position(r, subset).is_some()).then(|| {
            Self::gather(held_out, |r, i| match position(r, subset) {
                Some(at) => row(&r.subsets[at].1, i),
                None => Said::default(),
            })
        })
    }
}

pub(super) fn row(scores: &Scores, subject: usize) -> Said<'_> {
    Said {
        link: &scores.link[subject],
        answer: &scores.answer[subject],
        survival: scores.survival.get(subject).map_or(&[], Vec::as_slice),
    }
}

pub(super) fn choice(repeat: &HeldOutRepeat, subject: usize) -> &FoldChoice {
    &repeat.choices[repeat.fold[subject]]
}

fn position(repeat: &HeldOutRepeat, subset: Availability) -> Option<usize> {
    repeat.subsets.iter().position(|(s, _)| *s == subset)
}

/// That every list is as long as it must be, every index points somewhere and every answer is one.
pub(super) fn check_shapes(h: &HeldOut) -> Result<(), Error> {
    let n = h.outcome.len();
    let (singles, fusions) = (h.modalities.len(), h.fusions.len());
    check::at_least("subjects", 1, n)?;
    check::at_least("modalities", 1, singles)?;
    check::at_least("fusions", 1, fusions)?;
    check::at_least("repeats", 1, h.repeats.len())?;
    check::at_least("outputs", 1, h.task.outputs.len())?;
    check::length("availability", n, h.availability.len())?;
    within("task kind", [usize::from(h.task.kind != h.outcome.kind())], 1, "that of the outcome")?;
    within("selected fusion", [h.selected], fusions, "one of the fusions")?;
    within("best single", [h.best_single], singles, "one of the modalities")?;
    let width = h.task.outputs.len();
    outcome(h, width)?;
    for (_, parts) in &h.subgroups {
        check::length("subgroup", n, parts.len())?;
    }
    for r in &h.repeats {
        check::length("folds of a repeat", n, r.fold.len())?;
        check::length("singles of a repeat", singles, r.singles.len())?;
        check::length("fusions of a repeat", fusions, r.fusions.len())?;
        check::length("abstentions of a repeat", n, r.abstained.len())?;
        check::length("coverage of a repeat", n, r.covered.len())?;
        check::length("attributions of a repeat", n, r.attribution.len())?;
        within("fold", r.fold.iter().copied(), r.choices.len(), "a fold that has made its choices")?;
        within("fold's fusion", r.choices.iter().map(|c| c.fusion), fusions, "one of the fusions")?;
        within("fold's single", r.choices.iter().map(|c| c.single), singles, "one of the modalities")?;
        for choice in &r.choices {
            check::length("losses of a fold", singles + fusions, choice.losses.len())?;
        }
        let modality = |a: &chiasm_record::Attribution| {
            let pairs = a.interactions.iter().map(|(_, b, _)| *b);
            a.shares.iter().map(|s| s.modality).chain(pairs).max()
        };
        let named: Vec<usize> = r.attribution.iter().flatten().filter_map(modality).collect();
        within("modality of a share", named, singles, "one of the modalities")?;
        for scores in r.singles.iter().chain(&r.fusions) {
            answers(h.task.kind, scores, n, width, |_| true)?;
            check::length(
                "survival curves of a model",
                if h.times.is_empty() { 0 } else { n },
                scores.survival.len(),
            )?;
            for curve in &scores.survival {
                check::length("survival curve of a subject", h.times.len(), curve.len())?;
                check::probabilities("survival", curve)?;
            }
        }
        for (subset, scores) in &r.subsets {
            let shown = |i: usize| !h.availability[i].intersect(*subset).is_empty();
            answers(h.task.kind, scores, n, width, shown)?;
        }
    }
    Ok(())
}

fn outcome(h: &HeldOut, width: usize) -> Result<(), Error> {
    use chiasm_record::Outcome;
    let expected_width = |one: bool| check::length("outputs", if one { 1 } else { width }, width);
    match &h.outcome {
        Outcome::Binary(_) => expected_width(true),
        Outcome::MultiClass(class) => within("class", class.iter().copied(), width, "one of the outputs"),
        Outcome::MultiLabel(rows) => {
            rows.iter().try_for_each(|r| check::length("labels of a subject", width, r.len()))
        }
        Outcome::Regression(v) => expected_width(true).and_then(|()| check::finite("outcome", v)),
        Outcome::Survival { time, event } => {
            expected_width(true)?;
            check::follow_up(time, event)
        }
    }
}

/// Answers of the right shape, finite for every subject of whom something was `shown`.
fn answers(
    kind: TaskKind,
    scores: &Scores,
    n: usize,
    width: usize,
    shown: impl Fn(usize) -> bool,
) -> Result<(), Error> {
    check::length("links of a model", n, scores.link.len())?;
    check::length("answers of a model", n, scores.answer.len())?;
    for i in 0..n {
        let Said { link, answer, .. } = row(scores, i);
        check::length("links of a subject", width, link.len())?;
        check::length("answers of a subject", width, answer.len())?;
        if !shown(i) {
            continue;
        }
        if !link.iter().chain(answer).all(|v| v.is_finite()) {
            return Err(Error::NotFinite { what: "answer", position: i });
        }
        if kind != TaskKind::Regression && !answer.iter().all(|p| (0.0..=1.0).contains(p)) {
            let expected = "a probability from 0 to 1";
            return Err(Error::OutOfRange { what: "answer", position: i, expected });
        }
    }
    Ok(())
}

fn within(
    what: &'static str,
    values: impl IntoIterator<Item = usize>,
    end: usize,
    expected: &'static str,
) -> Result<(), Error> {
    match values.into_iter().position(|v| v >= end) {
        Some(position) => Err(Error::OutOfRange { what, position, expected }),
        None => Ok(()),
    }
}

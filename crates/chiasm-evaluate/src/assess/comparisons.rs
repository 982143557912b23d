//! Which models are compared, by which test, and which comparison decides.
//!
//! **Which.** In this order: the final fusion against the final best single; the whole procedure
//! (`nested`) against its comparator (`best single (nested)`), unless every fold chose as the final run
//! did, which makes these two the same; the final fusion against every other single; the final fusion
//! against every other fusion.
//!
//! **What decides.** The nested pair. Which fusion is final was decided on all subjects, those included
//! on whom it is judged here; the nested pair chose in each fold on the others only. Where the two pairs
//! are the same, the named models decide.
//!
//! Where no single is clearly the best, the nested single is a weak comparator: by the luck of the split the
//! single that does well in training does less well on the held-out rest of the same subjects, and its
//! mean falls below that of every single it was chosen from. `fusion_better` therefore also asks that the
//! final fusion be ahead of the final best single with a 95 % interval above 0. Both must hold, so neither
//! needs a correction for the other (Berger 1982, intersection-union tests).
//!
//! **Test.** Paired over subjects: DeLong's for AUROC, the joint variance of the concordances within folds
//! for survival, the same construction from influence functions for the others; variances averaged over
//! repeats. Such a test takes the predictions as given, but in cross-validation they depend on each other
//! through overlapping training sets. Simulated with ridge models refitted in 5 folds on pure noise (120
//! to 400 subjects, 400 runs each) a nominal 5 % two-sided DeLong test rejects in 8 to 12 % of the runs
//! with one repeat and in 1 to 7 % with three: the true variance is 1.2 to 1.6 times as large with one
//! repeat and shrinks as repeats average out the luck of the split (with a real gain: 1.6 times with one, 1.2
//! with three). The variance is therefore multiplied by 1 + 0.6 / repeats, after which 0 to 5 % reject, at most
//! 2.5 % in favour of the fusion with one repeat and 0.5 % with three (`refitting.py` beside this file, AUROC
//! within folds; the tests repeat it with other models). Nadeau and Bengio's test
//! ([`crate::compare::nadeau_bengio`]) keeps its level too, but from so few folds that it finds a real gain of .07
//! among 400 subjects in 54 % of the runs with three repeats (this test: 66 %) and in 25 % with one (53 %).
//! One fixed split needs no widening.
//!
//! **Holm.** One family: the deciding comparison and the final fusion against every single, since these
//! are what "fusion helps" could mean. Fusion against fusion is exploratory and a family of its own, so
//! that trying more kinds of fusion does not hide a gain over the singles.

use super::judge::Judge;
use super::models::{Candidate, Candidates};
use crate::compare::{holm, verdict};
use crate::{Comparison, Report, Verdict};
use chiasm_record::Estimate;

pub(super) fn compare(judge: &Judge, candidates: &Candidates) -> Vec<Comparison> {
    let h = judge.held_out;
    let selected = &candidates.fusions[h.selected];
    let best = &candidates.singles[h.best_single];
    let others =
        |all: &'_ [Candidate], not: usize| -> Vec<usize> { (0..all.len()).filter(|&i| i != not).collect() };
    let mut choices = h.repeats.iter().flat_map(|r| r.fold.iter().map(|&f| &r.choices[f]));
    let same = choices.all(|c| c.fusion == h.selected && c.single == h.best_single);

    let mut family = vec![comparison(judge, selected, best, same)];
    if !same {
        family.push(comparison(judge, &candidates.nested, &candidates.nested_single, true));
    }
    let singles = others(&candidates.singles, h.best_single);
    family.extend(singles.into_iter().map(|m| comparison(judge, selected, &candidates.singles[m], false)));
    let fusions = others(&candidates.fusions, h.selected);
    let mut exploratory: Vec<_> =
        fusions.into_iter().map(|f| comparison(judge, selected, &candidates.fusions[f], false)).collect();

    let mut found = correct(std::mem::take(&mut family));
    found.append(&mut correct(std::mem::take(&mut exploratory)));
    found
}

/// `a` against `b`; `None` where the metric is not defined for them.
fn comparison(judge: &Judge, a: &Candidate, b: &Candidate, decides: bool) -> Option<Comparison> {
    let gap = judge.gap(&a.answers, &b.answers)?;
    Some(Comparison {
        a: a.name.clone(),
        b: b.name.clone(),
        metric: judge.metric.key(&judge.held_out.task.outputs),
        difference: gap.difference,
        low: gap.low,
        high: gap.high,
        p: gap.p,
        p_holm: None,
        test: gap.test.to_owned(),
        decides,
    })
}

/// Holm over the comparisons of one family that have a p value.
fn correct(family: Vec<Option<Comparison>>) -> Vec<Comparison> {
    let mut family: Vec<Comparison> = family.into_iter().flatten().collect();
    let p: Vec<f64> = family.iter().filter_map(|c| c.p).collect();
    let mut adjusted = holm(&p).unwrap_or_default().into_iter();
    for comparison in family.iter_mut().filter(|c| c.p.is_some()) {
        comparison.p_holm = adjusted.next();
    }
    family
}

/// The verdict of the deciding comparison, which the named one (the final fusion against the final best
/// single) must bear out where it is `fusion_better`. The deciding metrics are all better where higher.
pub(super) fn decide(report: &Report, margin: f64) -> Verdict {
    let Some(Comparison { difference, low: Some(low), high: Some(high), p_holm: Some(p), .. }) =
        report.deciding_comparison()
    else {
        return Verdict::Inconclusive;
    };
    match verdict(Estimate { estimate: *difference, low: *low, high: *high }, *p, Some(margin)) {
        // Without an interval (a difference that no subject changes) the difference itself counts.
        Verdict::FusionBetter
            if report.named_comparison().is_none_or(|named| named.low.unwrap_or(named.difference) <= 0.0) =>
        {
            Verdict::Inconclusive
        }
        verdict => verdict,
    }
}

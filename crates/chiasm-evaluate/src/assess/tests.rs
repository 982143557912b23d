use super::synthetic::{FOLDS, Plan, TIMES, Truth, normal, plan};
use super::*;
use crate::metrics::survival::{Censoring, integrated_brier};
use crate::{Scores, Verdict};
use chiasm_record::{Outcome, TaskKind};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const KINDS: [TaskKind; 5] =
    [TaskKind::Binary, TaskKind::MultiClass, TaskKind::MultiLabel, TaskKind::Regression, TaskKind::Survival];
const OPTIONS: AssessOptions = AssessOptions { margin: 0.03, seed: 3, bootstrap: 50 };

fn assessed(h: &HeldOut) -> Report {
    let report = assess(h, &OPTIONS, Report::new("planted", h.task.kind)).unwrap();
    let json = report.to_json().unwrap();
    assert_eq!(Report::from_json(&json).unwrap(), report, "the report survives its own text");

    assert!(!report.verdict_words.contains("do not bear it out"), "{}", report.verdict_words);
    report
}

#[test]
fn planted_truths_get_their_verdicts_in_every_task() {
    for kind in KINDS {
        let adds = assessed(&plan(kind, Truth::Adds).held_out());
        assert_eq!(adds.verdict, Verdict::FusionBetter, "{kind:?}: {}", adds.verdict_words);
        let copies = assessed(&Plan { n: 900, ..plan(kind, Truth::Copies) }.held_out());
        assert_eq!(copies.verdict, Verdict::NoGain, "{kind:?}: {}", copies.verdict_words);
        let noise = assessed(&Plan { n: 150, ..plan(kind, Truth::Noise) }.held_out());
        assert!(
            matches!(noise.verdict, Verdict::Inconclusive | Verdict::FusionWorse),
            "{kind:?}: {}",
            noise.verdict_words
        );
    }
}

#[test]
fn every_part_is_filled_where_the_task_has_it() {
    for kind in KINDS {
        let r = assessed(&plan(kind, Truth::Adds).held_out());
        let survival = kind == TaskKind::Survival;
        let binary = kind == TaskKind::Binary;
        assert_eq!((r.n, r.models.len(), r.subsets.len()), (500, 3 + 2 + 2, 7));
        assert!(r.models.iter().all(|m| m.metrics.contains_key(&r.metric)), "{kind:?}");
        assert_eq!(r.comparisons.len(), 1 + 2 + 1);
        assert!(r.comparisons.iter().all(|c| c.p_holm.is_some() && c.low.is_some()));
        assert_eq!(r.deciding_comparison().unwrap().a, "stacked");
        let difference = |name: &str| r.model(name).unwrap().metrics[&r.metric].estimate;
        for c in &r.comparisons {
            assert!((c.difference - (difference(&c.a) - difference(&c.b))).abs() < 1e-9, "{kind:?} {}", c.b);
        }
        assert!(r.models.iter().all(|m| m.metrics.contains_key("ibs") == survival), "{kind:?}");
        assert_eq!(r.patterns.iter().map(|p| p.n).sum::<usize>(), 500);
        assert_eq!(r.degradation.len(), 10);
        assert!(r.degradation[0].fusion.estimate > r.degradation[9].fusion.estimate + 0.02, "{kind:?}");
        assert_eq!(r.calibration.is_some(), kind != TaskKind::Regression);
        assert_eq!(r.thresholds.len(), usize::from(binary));
        assert_eq!(r.roc.len(), if binary { 5 } else { 0 });
        assert_eq!(r.decision_curve.len(), if binary || survival { 60 } else { 0 });
        assert_eq!(r.kaplan_meier.is_some(), survival);
        assert_eq!(r.subgroups.len(), 2);
        assert!(r.subgroups.iter().all(|s| !s.metrics.is_empty()));
        assert_eq!(r.selection.len(), 3 * FOLDS);
        let conformal = r.conformal.unwrap();
        assert!((conformal.coverage.estimate - 0.9).abs() < 0.02);
        let attribution = r.attribution.unwrap();
        assert_eq!(attribution.shares.len(), 500);
        assert_eq!(attribution.interactions.len(), 1);
        // E|1.3 z| of a standard normal.
        assert!(attribution.modalities.iter().all(|m| (m.mean_abs_share - 1.037).abs() < 0.1));
        // Shares and moves are those of the first output, which not every modality speaks to.
        let moves = |m: &crate::ModalitySummary| m.value_of_acquiring.is_some_and(|v| v > 0.5);
        assert!(moves(&attribution.modalities[0]));
        assert!(r.outputs.len() > 1 || attribution.modalities.iter().all(moves));
    }
}

#[test]
fn calibrated_answers_are_found_calibrated() {
    for kind in [TaskKind::Binary, TaskKind::Survival] {
        let h = Plan { n: 2000, missing: 0.0, ..plan(kind, Truth::Adds) }.held_out();
        let calibration = assessed(&h).calibration.unwrap();
        let (slope, intercept) = (calibration.slope.unwrap(), calibration.intercept.unwrap());
        assert!((slope.estimate - 1.0).abs() < 0.1, "{kind:?} {slope:?}");
        assert!(intercept.estimate.abs() < 0.25, "{kind:?} {intercept:?}");
        assert_eq!(calibration.bins.len(), 10);
        assert_eq!(calibration.bins.iter().map(|b| b.n).sum::<usize>(), 2000);
        assert!(calibration.bins.iter().all(|b| (b.predicted - b.observed.estimate).abs() < 0.12));
    }
}

#[test]
fn survival_by_thirds_of_risk() {
    let curves = assessed(&plan(TaskKind::Survival, Truth::Adds).held_out()).kaplan_meier.unwrap();
    assert_eq!(curves.groups.iter().map(|g| g.n).collect::<Vec<_>>(), [167, 167, 166]);
    let times: Vec<f64> = curves.groups[0].points.iter().map(|p| p.time).collect();
    let step = times[1];
    assert!(times.iter().enumerate().all(|(k, t)| (t - k as f64 * step).abs() < 1e-9) && times.len() <= 61);
    let events: Vec<usize> = curves.groups.iter().map(|g| g.events).collect();
    assert!(events[0] < events[1] && events[1] < events[2], "{events:?}");
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let h = plan(TaskKind::Survival, Truth::Adds).held_out();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| assessed(&h).to_json().unwrap())
    };
    assert_eq!(on(1), on(2));
}

#[test]
fn what_the_pipeline_wrote_stays() {
    let mut before = Report::new("planted", TaskKind::Binary);
    (before.configurations_tried, before.question) = (42, "Will it?".into());
    let after = assess(&plan(TaskKind::Binary, Truth::Adds).held_out(), &OPTIONS, before).unwrap();
    assert_eq!((after.configurations_tried, after.question.as_str()), (42, "Will it?"));
}

#[test]
fn folds_that_chose_otherwise_make_the_nested_pair_decide() {
    let mut h = plan(TaskKind::Binary, Truth::Adds).held_out();
    h.repeats[1].choices[2].fusion = 1;
    let r = assessed(&h);
    assert_eq!((r.comparisons[0].a.as_str(), r.comparisons[0].decides), ("stacked", false));
    let decides = r.deciding_comparison().unwrap();
    assert_eq!((decides.a.as_str(), decides.b.as_str()), ("nested", "best single (nested)"));
    // Holm over the family alone: the exploratory comparison of two fusions is not counted.
    let p: Vec<f64> = r.comparisons[..4].iter().map(|c| c.p.unwrap()).collect();
    let expected = crate::compare::holm(&p).unwrap();
    for (c, e) in r.comparisons.iter().zip(expected) {
        assert_eq!(c.p_holm, Some(e));
    }
    assert_eq!(r.comparisons[4].p, r.comparisons[4].p_holm);
}

#[test]
fn hostile_one_class_in_a_fold_and_in_all() {
    let mut h = Plan { n: 60, ..plan(TaskKind::Binary, Truth::Adds) }.held_out();
    let folds = h.repeats[0].fold.clone();
    if let Outcome::Binary(y) = &mut h.outcome {
        y.iter_mut().zip(&folds).filter(|(_, f)| **f == 0).for_each(|(y, _)| *y = false);
    }
    assert!(assessed(&h).deciding_comparison().is_some());
    h.outcome = Outcome::Binary(vec![false; 60]);
    let nobody = assessed(&h);
    assert_eq!((nobody.verdict, nobody.comparisons.len()), (Verdict::Inconclusive, 0));
    for kind in KINDS {
        let mut h = Plan { n: 40, ..plan(kind, Truth::Adds) }.held_out();
        h.outcome = match kind {
            TaskKind::Binary => Outcome::Binary(vec![true; 40]),
            TaskKind::MultiClass => Outcome::MultiClass(vec![1; 40]),
            TaskKind::MultiLabel => Outcome::MultiLabel(vec![vec![false; 2]; 40]),
            TaskKind::Regression => Outcome::Regression(vec![2.0; 40]),
            TaskKind::Survival => Outcome::Survival { time: vec![1.0; 40], event: vec![false; 40] },
        };
        assert_eq!(assessed(&h).verdict, Verdict::Inconclusive, "{kind:?}");
    }
}

#[test]
fn the_integrated_brier_score_starts_where_everybody_is_free_of_the_event() {
    let h = plan(TaskKind::Survival, Truth::Adds).held_out();
    let r = assessed(&h);
    let Outcome::Survival { time, event } = &h.outcome else { panic!("a survival question") };
    let censoring = Censoring::fit(time, event).unwrap();
    let expected = |scores: &Scores| {
        let curve = |c: &Vec<f64>| [1.0, c[0], c[1]];
        let curves: Vec<f64> = scores.survival.iter().flat_map(curve).collect();
        integrated_brier(&censoring, time, event, &curves, &[0.0, TIMES[0], TIMES[1]]).unwrap()
    };
    let mean = h.repeats.iter().map(|r| expected(&r.singles[1])).sum::<f64>() / h.repeats.len() as f64;
    let ibs = |name: &str| r.model(name).unwrap().metrics["ibs"];
    assert!((ibs("modality_1").estimate - mean).abs() < 1e-12);
    assert!(ibs("modality_1").low.unwrap() < mean && mean < ibs("modality_1").high.unwrap());
    assert!(ibs("nested").estimate < ibs("best single (nested)").estimate);

    let mut short = h.clone();
    short.repeats[0].fusions[0].survival[3].pop();
    assert!(assess(&short, &OPTIONS, Report::new("x", h.task.kind)).is_err());
    let mut beyond = h;
    beyond.repeats[0].fusions[0].survival[3][0] = 1.5;
    assert!(assess(&beyond, &OPTIONS, Report::new("x", beyond.task.kind)).is_err());
}

#[test]
fn a_comparator_that_changes_from_fold_to_fold_is_not_enough() {
    let mut r = assessed(&plan(TaskKind::Binary, Truth::Adds).held_out());
    let named = comparisons_of(0.04, -0.01, 0.09, 0.1, false);
    let nested = comparisons_of(0.10, 0.04, 0.16, 0.002, true);
    (r.selected, r.best_single) = ("stacked".into(), "modality_1".into());
    r.comparisons = vec![nested.clone()];
    assert_eq!(comparisons::decide(&r, 0.03), Verdict::Inconclusive, "nothing bears it out");
    let clear = comparisons_of(0.06, 0.01, 0.11, 0.02, false);
    r.comparisons = vec![clear, nested.clone()];
    assert_eq!(comparisons::decide(&r, 0.03), Verdict::FusionBetter);
    r.comparisons = vec![named, nested];
    assert_eq!(comparisons::decide(&r, 0.03), Verdict::Inconclusive);
    r.verdict = Verdict::Inconclusive;
    let words = crate::verdict_words(&r);
    assert!(words.contains("over modality 1 alone, the best overall, it is not (difference .04"), "{words}");
}

fn comparisons_of(difference: f64, low: f64, high: f64, p: f64, decides: bool) -> crate::Comparison {
    let names = if decides { (models::NESTED, models::NESTED_SINGLE) } else { ("stacked", "modality_1") };
    crate::Comparison {
        a: names.0.into(),
        b: names.1.into(),
        metric: "auroc".into(),
        difference,
        low: Some(low),
        high: Some(high),
        p: Some(p),
        p_holm: Some(p),
        test: "DeLong".into(),
        decides,
    }
}

#[test]
fn hostile_subjects_with_nothing_present() {
    for kind in KINDS {
        let mut h = plan(kind, Truth::Adds).held_out();
        for i in 0..40 {
            h.availability[i] = Availability::NONE;
            for r in &mut h.repeats {
                (r.attribution[i], r.covered[i], r.abstained[i]) = (None, None, true);
                for scores in r.singles.iter_mut().chain(&mut r.fusions) {
                    scores.link[i].fill(0.0);
                    scores.answer[i].fill(0.3);
                }
                for (_, scores) in &mut r.subsets {
                    scores.link[i].fill(f64::NAN);
                    scores.answer[i].fill(f64::NAN);
                }
            }
        }
        let r = assessed(&h);
        assert_eq!(r.patterns.iter().find(|p| p.modalities.is_empty()).unwrap().n, 40);
        assert_eq!(r.subsets.last().unwrap().n, 460);
        assert_eq!(r.attribution.unwrap().shares.len(), 460);
    }
}

#[test]
fn hostile_one_repeat_one_split_and_very_few_subjects() {
    for kind in KINDS {
        let one = Plan { repeats: 1, ..plan(kind, Truth::Adds) }.held_out();
        assert_eq!(assessed(&one).verdict, Verdict::FusionBetter, "{kind:?}");
        let mut split = one.clone();
        split.repeats[0].fold.fill(0);
        assert!(assessed(&split).deciding_comparison().is_some());
        for n in [1, 2, 5] {
            assessed(&Plan { n, ..plan(kind, Truth::Adds) }.held_out());
        }
        let mut bare = one;
        bare.repeats[0].subsets.clear();
        bare.repeats[0].attribution.fill(None);
        bare.repeats[0].covered.fill(None);
        let bare = assessed(&bare);
        assert_eq!((bare.subsets.len(), bare.attribution, bare.conformal), (1, None, None));
    }
}

#[test]
fn twelve_modalities_with_few_subsets_leave_out_what_was_not_tried() {
    let r = assessed(&Plan { modalities: 12, ..plan(TaskKind::Binary, Truth::Adds) }.held_out());
    assert_eq!(r.subsets.len(), 12 + 12 + 1);
    assert_eq!(r.degradation.len(), 1);
    assert!(r.patterns.len() <= 64);
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let whole = plan(TaskKind::MultiClass, Truth::Adds).held_out();
    let spoil: [fn(&mut HeldOut); 9] = [
        |h| h.selected = 2,
        |h| h.best_single = 3,
        |h| h.repeats.clear(),
        |h| h.availability.truncate(3),
        |h| h.repeats[0].fold[7] = FOLDS,
        |h| h.repeats[1].singles[0].link[4] = vec![0.0],
        |h| h.repeats[1].fusions[0].answer[4][0] = f64::NAN,
        |h| h.task.kind = TaskKind::Binary,
        |h| h.repeats[0].choices[0].losses.truncate(2),
    ];
    for (which, spoil) in spoil.iter().enumerate() {
        let mut h = whole.clone();
        spoil(&mut h);
        assert!(assess(&h, &OPTIONS, Report::new("x", h.task.kind)).is_err(), "{which}");
    }
}

/// Pure noise with models that really are trained anew in every fold: the direction between the class
/// means of each modality, the fusion their sum or their concatenation, chosen by resubstitution.
fn refitted_noise(seed: u64, repeats: usize, modalities: usize, features: usize) -> HeldOut {
    let n = 150;
    let base = Plan { n, modalities, repeats, missing: 0.0, seed, ..plan(TaskKind::Binary, Truth::Noise) };
    let mut h = base.held_out();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let x: Vec<Vec<f64>> =
        (0..modalities).map(|_| (0..n * features).map(|_| normal(&mut rng)).collect()).collect();
    let y: Vec<bool> = (0..n).map(|_| rng.random::<f64>() < 0.3).collect();
    for r in &mut h.repeats {
        r.subsets.clear();
        for fold in 0..FOLDS {
            let mut link = vec![vec![0.0; n]; modalities];
            for (x, link) in x.iter().zip(&mut link) {
                let mut direction = vec![0.0; features];
                let train = || (0..n).filter(|&i| r.fold[i] != fold);
                let events = train().filter(|&i| y[i]).count() as f64;
                let others = train().count() as f64 - events;
                for i in train() {
                    let w = if y[i] { 1.0 / events } else { -1.0 / others };
                    (0..features).for_each(|f| direction[f] += w * x[i * features + f]);
                }
                for (i, link) in link.iter_mut().enumerate() {
                    *link = (0..features).map(|f| direction[f] * x[i * features + f]).sum();
                }
            }
            let apart = |m: usize| -> f64 {
                (0..n)
                    .filter(|&i| r.fold[i] != fold)
                    .map(|i| if y[i] { link[m][i] } else { -0.4 * link[m][i] })
                    .sum()
            };
            r.choices[fold].single = (0..modalities).max_by(|&a, &b| apart(a).total_cmp(&apart(b))).unwrap();
            let put = |scores: &mut Scores, i: usize, value: f64| {
                scores.link[i][0] = value;
                scores.answer[i][0] = 1.0 / (1.0 + (-value).exp());
            };
            for i in (0..n).filter(|&i| r.fold[i] == fold) {
                (0..modalities).for_each(|m| put(&mut r.singles[m], i, link[m][i]));
                let sum: f64 = link.iter().map(|l| l[i]).sum();
                (0..2).for_each(|f| put(&mut r.fusions[f], i, sum));
            }
        }
    }
    h.outcome = Outcome::Binary(y);
    h
}

#[test]
fn pure_noise_with_refitting_rarely_looks_like_a_gain() {
    for (repeats, modalities, features) in [(1, 2, 20), (1, 3, 5), (3, 2, 20)] {
        let runs = 400;
        let verdicts = (0..runs).map(|seed| {
            let h = refitted_noise(seed, repeats, modalities, features);
            let judge = Judge::new(&h, &OPTIONS);
            let found = comparisons::compare(&judge, &Candidates::of(&h));
            let raw = found.iter().any(|c| c.decides && c.p.is_some_and(|p| p < 0.05) && c.difference > 0.0);
            let mut report = Report::new("noise", TaskKind::Binary);
            report.metric = "auroc".into();
            report.selected = h.fusions[h.selected].name.clone();
            report.best_single = h.modalities[h.best_single].to_string();
            report.comparisons = found;
            (raw, comparisons::decide(&report, OPTIONS.margin) == Verdict::FusionBetter)
        });
        let (mut raw, mut better) = (0, 0);
        for (r, b) in verdicts {
            raw += usize::from(r);
            better += usize::from(b);
        }
        println!("{repeats} repeats, {modalities} modalities: raw {raw}, fusion_better {better} of {runs}");
        assert!(better <= runs as usize * 4 / 100, "{better} of {runs}");
    }
}

#[test]
fn fast_enough() {
    let h = Plan { n: 560, modalities: 6, ..plan(TaskKind::Binary, Truth::Adds) }.held_out();
    let start = std::time::Instant::now();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let options = AssessOptions { bootstrap: 500, ..OPTIONS };
    pool.install(|| assess(&h, &options, Report::new("x", h.task.kind))).unwrap();
    println!("assess took {:?}", start.elapsed());
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

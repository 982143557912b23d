//! What a run promises whatever is missing: at least as good as one modality, calibrated, covered.

use crate::judge::{judge, recipe};
use chiasm_synth::{Draw, Question, additive};

#[test]
fn no_subset_is_worse_than_its_best_single() {
    for question in [Question::Binary, Question::Survival] {
        let draw = Draw::new(600, 6).missing(&[0.2, 0.3, 0.4]);
        let cohort = additive(&draw, &[1.2, 0.8, 0.4], question).unwrap();
        let judged = judge(&cohort, &recipe(&cohort, 5, 1).unwrap()).unwrap();
        assert_eq!(judged.report.subsets.len(), 7);
        for subset in &judged.report.subsets {
            let (fusion, single) = (subset.metric.unwrap(), subset.best_single_metric.unwrap());
            let half = (single.high.unwrap() - single.low.unwrap()) / 2.0;
            eprintln!(
                "{question:?} {:?}: {:.3} against {:.3} ± {half:.3}",
                subset.modalities, fusion.estimate, single.estimate
            );
            assert!(fusion.estimate >= single.estimate - half, "{question:?} {:?}", subset.modalities);
        }
    }
}

#[test]
fn risks_mean_what_they_say_for_every_main_pattern() {
    let draw = Draw::new(1_500, 7).missing(&[0.0, 0.4, 0.0]);
    let cohort = additive(&draw, &[1.5, 1.0, 0.75], Question::Binary).unwrap();
    let judged = judge(&cohort, &recipe(&cohort, 5, 1).unwrap()).unwrap();
    let calibration = judged.report.calibration.unwrap();
    assert_eq!(calibration.patterns.len(), 2);
    for pattern in &calibration.patterns {
        let slope = pattern.slope.unwrap().estimate;
        let intercept = pattern.intercept.unwrap().estimate;
        eprintln!("{:?}: n {}, slope {slope:.3}, intercept {intercept:.3}", pattern.modalities, pattern.n);
        assert!((0.8..=1.2).contains(&slope) && intercept.abs() < 0.25, "{pattern:?}");
    }
    let conformal = judged.report.conformal.unwrap();
    eprintln!(
        "coverage {:.3}, abstention {:.3}",
        conformal.coverage.estimate, conformal.abstention_rate.estimate
    );
    assert!(conformal.coverage.estimate >= conformal.confidence - 0.03, "{conformal:?}");
    for pattern in &judged.report.patterns {
        assert!(pattern.coverage.unwrap() >= conformal.confidence - 0.03, "{pattern:?}");
    }
}

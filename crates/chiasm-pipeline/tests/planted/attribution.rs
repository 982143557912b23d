//! The planted weights are known, so is what an attribution and a value of information must say.

use crate::judge::{judge, recipe};
use chiasm_record::Availability;
use chiasm_synth::{Draw, Question, additive};

const WEIGHTS: [f64; 3] = [1.5, 1.0, 0.75];

/// Mean absolute share of each modality over all held-out subjects, as parts of 1.
fn found_shares(question: Question, n: usize) -> Vec<f64> {
    let cohort = additive(&Draw::new(n, 3), &WEIGHTS, question).unwrap();
    let judged = judge(&cohort, &recipe(&cohort, 5, 1).unwrap()).unwrap();
    let attribution = judged.report.attribution.unwrap();
    let total: f64 = attribution.modalities.iter().map(|m| m.mean_abs_share).sum();
    attribution.modalities.iter().map(|m| m.mean_abs_share / total).collect()
}

#[test]
fn shares_recover_the_planted_weights() {
    for (question, n) in [(Question::Binary, 6_000), (Question::Survival, 2_500)] {
        let found = found_shares(question, n);
        let planted = additive::shares(&WEIGHTS);
        eprintln!(
            "{question:?}: found {found:.4?}, planted {planted:.4?}, on log-odds {:.4?}",
            additive::shares_on_log_odds(&WEIGHTS)
        );
        for (found, planted) in found.iter().zip(&planted) {
            assert!((found / planted - 1.0).abs() < 0.1, "{question:?}: {found} against {planted}");
        }
        if question == Question::Binary {
            for (found, known) in found.iter().zip(additive::shares_on_log_odds(&WEIGHTS)) {
                assert!((found / known - 1.0).abs() < 0.1, "{found} against {known}");
            }
        }
    }
}

#[test]
fn shares_sum_to_what_evidence_moved() {
    for question in [Question::Binary, Question::Survival] {
        let cohort = additive(&Draw::new(250, 4).missing(&[0.2, 0.3, 0.4]), &WEIGHTS, question).unwrap();
        let judged = judge(&cohort, &recipe(&cohort, 4, 1).unwrap()).unwrap();
        let mut seen = 0;
        for fold in &judged.folds[0] {
            let scores = &fold.models[fold.singles + fold.fusion].link;
            for (score, attribution) in scores.iter().zip(&fold.attribution) {
                let (score, attribution) = (score.as_ref().unwrap()[0], attribution.as_ref().unwrap());
                let sum: f64 = attribution.shares.iter().map(|s| s.share).sum();
                assert!((sum - (score - attribution.base)).abs() < 1e-9, "{question:?}: {sum} {score}");
                seen += 1;
            }
        }
        assert_eq!(seen, 250);
        // The base is what the model says of nobody in particular.
        let trained = &judged.predictor.trained;
        let nothing =
            trained.score(trained.selected(), &cohort.examples, &[0], &[Availability::NONE]).unwrap();
        let answer = judged.predictor.answer(&cohort.examples, &[0]).unwrap().swap_remove(0);
        assert_eq!(answer.prediction.attribution[0].base, nothing.row(0)[0]);
    }
}

#[test]
fn the_heavier_missing_modality_is_worth_more() {
    for question in [Question::Binary, Question::Survival] {
        let cohort =
            additive(&Draw::new(500, 5).missing(&[0.4, 0.4, 0.2]), &[0.4, 1.4, 0.8], question).unwrap();
        let judged = judge(&cohort, &recipe(&cohort, 4, 1).unwrap()).unwrap();
        let value =
            |m: usize| judged.report.attribution.as_ref().unwrap().modalities[m].value_of_acquiring.unwrap();
        eprintln!("{question:?}: {} {} {}", value(0), value(1), value(2));
        assert!(value(1) > value(2) && value(2) > value(0), "{question:?}");
        // For each single subject who has the third alone, too.
        let alone: Vec<usize> =
            (0..500).filter(|&r| cohort.examples.availability(r) == Availability::only(2)).collect();
        assert!(alone.len() > 20, "{}", alone.len());
        for answer in judged.predictor.answer(&cohort.examples, &alone).unwrap() {
            let worth =
                |m| answer.value_of_missing.iter().find(|(missing, _)| *missing == m).unwrap().1.unwrap();
            assert!(worth(1) > worth(0), "{question:?}: {:?}", answer.value_of_missing);
        }
    }
}

//! The one check that every kind of fusion passes for every kind of question: shapes, sense, determinism,
//! absent evidence, Shapley values that sum, save and load.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_cohort::Examples;
use chiasm_learn::config::{FusionConfig, LearnConfig, LearnerConfig};
use chiasm_learn::net::{EncoderConfig, FusionKind, NetConfig};
use chiasm_learn::predict::Predictor;
use chiasm_learn::prepare::BagForm;
use chiasm_learn::trained::{Sets, Trained};
use chiasm_record::{
    Abstention, Availability, Bag, Block, Content, Feature, FeatureKind, Grid, Modality, Outcome, Scale,
    SubjectId, Task, TaskKind,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const N: usize = 160;

/// Two tables and a bag; the answer follows one column of each table. Some subjects lack the second
/// table, some the bag; the last one lacks everything.
fn examples(kind: TaskKind) -> Examples {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut uniform = || rng.random_range(-1.0..1.0f64);
    let latent: Vec<(f64, f64)> = (0..N).map(|_| (uniform(), uniform())).collect();
    let feature = |name: &str, kind| Feature { name: name.into(), kind, unit: None, scale: Scale::Linear };
    let mut first =
        Grid::missing(vec![feature("a", FeatureKind::Numeric), feature("b", FeatureKind::Numeric)], N);
    let mut second = Grid::missing(
        vec![
            feature("c", FeatureKind::Ordered),
            feature("d", FeatureKind::Nominal(vec!["low".into(), "high".into()])),
        ],
        N,
    );
    let present =
        |m: usize| -> Vec<bool> { (0..N).map(|r| r + 1 < N && (m == 0 || r % (5 + m) != 0)).collect() };
    let mut vectors = vec![Vec::new(); N];
    for r in 0..N {
        if present(0)[r] {
            first.set(r, 0, latent[r].0 + 0.2 * uniform());
            if r % 9 != 0 {
                first.set(r, 1, uniform());
            }
        }
        if present(1)[r] {
            second.set(r, 0, (3.0 * latent[r].1).round());
            second.set(r, 1, f64::from(u8::from(uniform() > 0.0)));
        }
        if present(2)[r] {
            vectors[r] =
                (0..1 + r % 3).map(|i| (i % 2, vec![uniform() as f32, latent[r].0 as f32, 0.5])).collect();
        }
    }
    let noise: Vec<f64> = (0..N).map(|_| 0.5 * uniform()).collect();
    let truth: Vec<f64> = latent.iter().zip(noise).map(|((a, b), e)| a + b + e).collect();
    let class = |t: f64| if t < -0.4 { 0 } else { usize::from(t > 0.4) + 1 };
    let (outputs, outcome) = match kind {
        TaskKind::Binary => (1, Outcome::Binary(truth.iter().map(|&t| t > 0.2).collect())),
        TaskKind::MultiClass => (3, Outcome::MultiClass(truth.iter().map(|&t| class(t)).collect())),
        TaskKind::MultiLabel => {
            (2, Outcome::MultiLabel(latent.iter().map(|(a, b)| vec![*a > 0.0, *b > 0.1]).collect()))
        }
        TaskKind::Regression => (1, Outcome::Regression(truth.clone())),
        TaskKind::Survival => (
            1,
            Outcome::Survival {
                time: truth.iter().map(|t| (-2.0 * t).exp().min(4.0)).collect(),
                event: truth.iter().map(|t| (-2.0 * t).exp() < 4.0).collect(),
            },
        ),
    };
    let block =
        |name: &str, m, content| Block { modality: Modality::new(name), present: present(m), content };
    Examples::new(
        Task { kind, outputs: (0..outputs).map(|k| format!("output{k}")).collect() },
        (0..N).map(|r| SubjectId::new(format!("S{r:03}"))).collect(),
        vec![
            block("first", 0, Content::Table(first)),
            block("second", 1, Content::Table(second)),
            block("tiles", 2, Content::Bag(Bag { slots: vec!["x".into(), "y".into()], width: 3, vectors })),
        ],
        Some(outcome),
        Vec::new(),
    )
    .unwrap()
}

fn fusions() -> Vec<FusionConfig> {
    let net = |kind| NetConfig {
        kind,
        width: 16,
        layers: 1,
        heads: 2,
        epochs: 15,
        encoders: [(
            "tiles".to_owned(),
            EncoderConfig::Bag {
                hidden: vec![],
                activation: Default::default(),
                dropout: 0.0,
                pool: Default::default(),
            },
        )]
        .into(),
        ..NetConfig::default()
    };
    let forest =
        LearnerConfig::Forest { trees: 40, min_leaf: 3, columns: None, extra: false, bag: BagForm::Summary };
    let boosted = LearnerConfig::Boosted {
        rounds: 30,
        learning_rate: 0.1,
        depth: 2,
        subsample: 0.8,
        bag: BagForm::Mean,
    };
    let ridge = LearnerConfig::Ridge { penalties: vec![0.1, 1.0], components: Some(3), bag: BagForm::Mean };
    let concat = |name: &str, learner| FusionConfig::Concat { name: name.into(), modalities: None, learner };
    vec![
        FusionConfig::Stacked { name: "stacked".into(), shrinkage: vec![1.0, 10.0] },
        concat("forest", forest),
        concat("boosted", boosted),
        concat("ridge", ridge),
        FusionConfig::Net { name: "attention".into(), net: net(FusionKind::Attention) },
        FusionConfig::Net { name: "cross attention".into(), net: net(FusionKind::CrossAttention) },
    ]
}

fn train(examples: &Examples, fusion: FusionConfig) -> Predictor {
    let ridge = LearnerConfig::Ridge { penalties: vec![0.1, 1.0], components: None, bag: BagForm::Mean };
    let config = LearnConfig { experts: vec![vec![ridge]; 3], fusions: vec![fusion], inner_folds: 3 };
    let sets: Vec<Availability> = Availability::all(3).subsets().filter(|s| !s.is_empty()).collect();
    let horizon = (examples.task().kind == TaskKind::Survival).then_some(1.0);
    let everyone_with_evidence: Vec<usize> = (0..N - 1).collect();
    let (trained, reference) =
        Trained::fit(&examples.select(&everyone_with_evidence), &config, Sets::all(&sets), horizon, 11)
            .unwrap();
    Predictor { trained, reference, confidence: 0.9, seed: 11 }
}

/// Share of pairs that the first output orders as the truth does.
fn concordance(examples: &Examples, values: &[f64]) -> f64 {
    let truth: Vec<f64> = match examples.outcome().unwrap() {
        Outcome::Binary(v) => v.iter().map(|&b| f64::from(u8::from(b))).collect(),
        Outcome::MultiClass(v) => v.iter().map(|&c| f64::from(u8::from(c == 0))).collect(),
        Outcome::MultiLabel(v) => v.iter().map(|l| f64::from(u8::from(l[0]))).collect(),
        Outcome::Regression(v) => v.clone(),
        Outcome::Survival { time, .. } => time.iter().map(|t| -t).collect(),
    };
    let (mut right, mut pairs) = (0.0, 0.0);
    for i in 0..values.len() {
        for j in 0..values.len() {
            if truth[i] > truth[j] {
                pairs += 1.0;
                right += f64::from(u8::from(values[i] > values[j]));
            }
        }
    }
    right / pairs
}

#[test]
fn every_fusion_answers_every_question() {
    for kind in [
        TaskKind::Binary,
        TaskKind::MultiClass,
        TaskKind::MultiLabel,
        TaskKind::Regression,
        TaskKind::Survival,
    ] {
        let examples = examples(kind);
        let rows: Vec<usize> = (0..N).collect();
        for fusion in fusions() {
            let name = format!("{kind:?} {}", fusion.name());
            let predictor = train(&examples, fusion);
            let answers = predictor.answer(&examples, &rows).unwrap();

            // Whoever has nothing gets no number.
            let nobody = &answers[N - 1].prediction;
            assert_eq!(nobody.abstention, Some(Abstention::NothingPresent), "{name}");
            assert!(nobody.value.is_empty() && nobody.attribution.is_empty(), "{name}");

            let with_evidence = &answers[..N - 1];
            for answer in with_evidence {
                let p = &answer.prediction;
                assert_eq!(p.value.len(), examples.task().outputs.len(), "{name}");
                for ((value, low), high) in p.value.iter().zip(&p.low).zip(&p.high) {
                    assert!(low <= value && value <= high, "{name}: {low} {value} {high}");
                    assert!(kind == TaskKind::Regression || (0.0..=1.0).contains(value), "{name}: {value}");
                }
                if kind == TaskKind::MultiClass {
                    assert!((p.value.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{name}");
                }
                let missing: Vec<usize> = answer.value_of_missing.iter().map(|(m, _)| *m).collect();
                assert!(
                    missing.iter().all(|&m| !p.present.contains(m)) && missing.len() + p.present.count() == 3
                );
            }
            // f(all) - f(none) is shared out in full.
            let sets: Vec<Availability> = rows.iter().map(|&r| examples.availability(r)).collect();
            let link =
                predictor.trained.score(predictor.trained.selected(), &examples, &rows, &sets).unwrap();
            for (row, answer) in with_evidence.iter().enumerate() {
                for (k, a) in answer.prediction.attribution.iter().enumerate() {
                    let sum: f64 = a.shares.iter().map(|s| s.share).sum();
                    assert!((sum - (link.row(row)[k] - a.base)).abs() < 1e-5, "{name}");
                    assert_eq!(a.base, predictor.trained.base()[k], "{name}");
                }
            }
            let first: Vec<f64> = with_evidence.iter().map(|a| a.prediction.value[0]).collect();
            let known = examples.select(&rows[..N - 1]);
            let c = concordance(&known, &first);
            assert!(c > 0.7, "{name}: {c}");

            // The same again, and after save and load.
            let again = Predictor::load(&predictor.save().unwrap()).unwrap();
            assert_eq!(again.answer(&examples, &rows).unwrap(), answers, "{name}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let examples = examples(TaskKind::Binary);
    for fusion in fusions() {
        let bytes = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train(&examples, fusion.clone()).save().unwrap())
        };
        assert!(bytes(1) == bytes(2), "{}", fusion.name());
    }
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let predictor = train(&examples(TaskKind::Binary), fusions().swap_remove(4));
    let whole = predictor.save().unwrap();
    let mut cut = whole.clone();
    cut.model.truncate(cut.model.len() / 2);
    assert!(Predictor::load(&cut).is_err());
    let mut without = whole.clone();
    without.tensors = None;
    assert!(Predictor::load(&without).is_err());
    let mut other = whole.clone();
    other.model =
        String::from_utf8(whole.model).unwrap().replacen("\"version\":1", "\"version\":99", 1).into_bytes();
    assert!(Predictor::load(&other).unwrap_err().to_string().contains("version 99"));
}

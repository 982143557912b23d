//! Answers with exact Shapley values over six modalities (64 subsets each), intervals and the value of
//! missing evidence, for 1,000 subjects: `cargo bench --workspace --bench shapley`.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use chiasm_cohort::Examples;
use chiasm_learn::config::{FusionConfig, LearnConfig, LearnerConfig};
use chiasm_learn::net::NetConfig;
use chiasm_learn::predict::Predictor;
use chiasm_learn::prepare::BagForm;
use chiasm_learn::trained::{Sets, Trained};
use chiasm_record::{
    Availability, Block, Content, Feature, FeatureKind, Grid, Modality, Outcome, Scale, SubjectId, Task,
    TaskKind,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

const MODALITIES: usize = 6;
const COLUMNS: usize = 12;

fn examples(n: usize, seed: u64) -> Examples {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut logit = vec![0.0; n];
    let blocks = (0..MODALITIES)
        .map(|m| {
            let feature = |c| Feature {
                name: format!("m{m}c{c}"),
                kind: FeatureKind::Numeric,
                unit: None,
                scale: Scale::Linear,
            };
            let mut grid = Grid::missing((0..COLUMNS).map(feature).collect(), n);
            for (row, logit) in logit.iter_mut().enumerate() {
                for c in 0..COLUMNS {
                    let value: f64 = rng.random_range(-1.7..1.7);
                    *logit += if c == 0 { value } else { 0.0 };
                    grid.set(row, c, value);
                }
            }
            Block {
                modality: Modality::new(format!("m{m}")),
                present: vec![true; n],
                content: Content::Table(grid),
            }
        })
        .collect();
    let outcome = logit.iter().map(|l| rng.random_range(0.0..1.0) < 1.0 / (1.0 + (-l).exp())).collect();
    let subjects = (0..n).map(|i| SubjectId::new(format!("{i}"))).collect();
    let task = Task { kind: TaskKind::Binary, outputs: vec!["event".into()] };
    Examples::new(task, subjects, blocks, Some(Outcome::Binary(outcome)), Vec::new()).unwrap()
}

fn main() {
    let training = examples(500, 1);
    let patients = examples(1_000, 2);
    let rows: Vec<usize> = (0..patients.len()).collect();
    let sets: Vec<Availability> = Availability::all(MODALITIES).subsets().filter(|s| !s.is_empty()).collect();
    let ridge = LearnerConfig::Ridge { penalties: vec![1.0], components: None, bag: BagForm::Mean };
    let forest =
        LearnerConfig::Forest { trees: 300, min_leaf: 3, columns: None, extra: false, bag: BagForm::Mean };
    for fusion in [
        FusionConfig::Stacked { name: "stacked".into(), shrinkage: vec![10.0] },
        FusionConfig::Net { name: "attention".into(), net: NetConfig { epochs: 5, ..NetConfig::default() } },
        FusionConfig::Concat { name: "concat (forest)".into(), modalities: None, learner: forest },
    ] {
        let name = fusion.name().to_owned();
        let config = LearnConfig {
            experts: vec![vec![ridge.clone()]; MODALITIES],
            fusions: vec![fusion],
            inner_folds: 3,
        };
        let (trained, reference) = Trained::fit(&training, &config, Sets::all(&sets), None, 3).unwrap();
        let predictor = Predictor { trained, reference, confidence: 0.9, seed: 3 };
        let begun = Instant::now();
        let answers = predictor.answer(&patients, &rows).unwrap();
        println!("{name}: {} answers in {:.2} s", answers.len(), begun.elapsed().as_secs_f64());
    }
}

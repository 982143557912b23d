//! What a network must do: learn what only joint fusion can, take any subset, never look at what is
//! absent, give the same bits for the same seed, survive its checkpoint and refuse a broken one.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use chiasm_learn::matrix::Matrix;
use chiasm_learn::net::{Net, NetConfig, NetInput, Part};
use chiasm_learn::{Error, net::EncoderConfig};
use chiasm_record::{Availability, Bag, Modality, Outcome};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Imaging (a bag of up to four vectors in two slots), clinical and genomic vectors; some are absent.
struct Cohort {
    names: Vec<Modality>,
    imaging: Bag,
    clinical: Matrix,
    genomic: Matrix,
    present: [Vec<bool>; 3],
}

impl Cohort {
    fn new(rows: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut matrix = |cols: usize| Matrix {
            rows,
            cols,
            values: (0..rows * cols).map(|_| rng.random_range(-1.0..1.0)).collect(),
        };
        let (clinical, genomic) = (matrix(5), matrix(12));
        let present: [Vec<bool>; 3] = std::array::from_fn(|m| {
            (0..rows).map(|r| r % 4 == m || rng.random_range(0.0..1.0) < 0.6).collect()
        });
        let mut present = present;
        (0..rows).filter(|r| r % 4 == 3).for_each(|r| present[0][r] = true);
        let vector = |rng: &mut ChaCha8Rng, i: usize| {
            (i % 2, (0..6).map(|_| rng.random_range(-2.0f32..4.0)).collect())
        };
        let vectors = (0..rows)
            .map(|r| {
                if present[0][r] { (0..1 + r % 4).map(|i| vector(&mut rng, i)).collect() } else { Vec::new() }
            })
            .collect();
        let imaging = Bag { slots: vec!["a".into(), "b".into()], width: 6, vectors };
        Self {
            names: ["imaging", "clinical", "genomic"].map(Modality::new).into(),
            imaging,
            clinical,
            genomic,
            present,
        }
    }

    fn input(&self) -> NetInput<'_> {
        let [imaging, clinical, genomic] = &self.present;
        NetInput {
            modalities: &self.names,
            parts: vec![
                Part::Bag { bag: &self.imaging, present: imaging },
                Part::Row { values: &self.clinical, present: clinical },
                Part::Row { values: &self.genomic, present: genomic },
            ],
        }
    }

    fn rows(&self) -> usize {
        self.clinical.rows
    }

    fn labels(&self) -> Outcome {
        Outcome::Binary((0..self.rows()).map(|r| self.clinical.row(r)[0] > 0.0).collect())
    }

    fn all(&self) -> Vec<Availability> {
        vec![Availability::all(3); self.rows()]
    }
}

fn config(json: &str) -> NetConfig {
    serde_json::from_str(json).unwrap()
}

fn quick(kind: &str) -> NetConfig {
    config(&format!(
        r#"{{"kind": "{kind}", "width": 16, "heads": 2, "epochs": 2, "batch": 16,
        "encoders": {{"imaging": {{"kind": "bag", "pool": "gated"}}, "genomic": {{"kind": "snn", "hidden": [8], "dropout": 0.1}}}}}}"#
    ))
}

fn bits(m: &Matrix) -> Vec<u64> {
    m.values.iter().map(|v| v.to_bits()).collect()
}

fn auroc(scores: &[f64], labels: &[bool]) -> f64 {
    let (mut won, mut pairs) = (0.0, 0.0);
    for (s, _) in scores.iter().zip(labels).filter(|(_, l)| **l) {
        for (t, _) in scores.iter().zip(labels).filter(|(_, l)| !**l) {
            won += if s > t { 1.0 } else { 0.5 * f64::from(u8::from(s == t)) };
            pairs += 1.0;
        }
    }
    won / pairs
}

/// Two modalities of four values each; the first value of each carries a sign, and the label is whether
/// the signs differ.
fn xor(rows: usize, seed: u64) -> (Matrix, Matrix, Vec<bool>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut a, mut b, mut labels) = (Matrix::zeros(rows, 4), Matrix::zeros(rows, 4), Vec::new());
    for r in 0..rows {
        let signs = [rng.random_bool(0.5), rng.random_bool(0.5)];
        for (matrix, sign) in [(&mut a, signs[0]), (&mut b, signs[1])] {
            for v in matrix.row_mut(r) {
                *v = rng.random_range(-1.0..1.0);
            }
            matrix.row_mut(r)[0] = if sign { 1.0 } else { -1.0 } + rng.random_range(-0.5..0.5);
        }
        labels.push(signs[0] != signs[1]);
    }
    (a, b, labels)
}

#[test]
fn xor_across_two_modalities_is_learnt() {
    let names = ["a", "b"].map(Modality::new);
    let (a, b, labels) = xor(450, 1);
    let there = vec![true; 450];
    let part = |m| Part::Row { values: m, present: &there };
    let input = NetInput { modalities: &names, parts: vec![part(&a), part(&b)] };
    let start = std::time::Instant::now();
    let net = Net::fit(&input, &Outcome::Binary(labels), 1, &NetConfig::default(), 7).unwrap();
    println!("450 rows, 40 epochs: {:?}", start.elapsed());
    let (a, b, labels) = xor(450, 2);
    let part = |m| Part::Row { values: m, present: &there };
    let input = NetInput { modalities: &names, parts: vec![part(&a), part(&b)] };
    let score = |set| auroc(&net.score(&input, &vec![set; 450]).unwrap().values, &labels);
    assert!(score(Availability::all(2)) > 0.95, "{}", score(Availability::all(2)));
    for m in 0..2 {
        assert!((score(Availability::only(m)) - 0.5).abs() < 0.12, "one modality alone knows nothing");
    }
}

#[test]
fn the_shape_of_the_literature_is_a_configuration() {
    let text = r#"
        kind = "cross_attention"
        width = 256
        heads = 8
        layers = 1
        feed_forward = 0
        pooling = "mean"
        asks = ["patches"]
        epochs = 1
        [encoders]
        patches = { kind = "bag" }
        genes = { kind = "mlp", hidden = [512], dropout = 0.25 }
    "#;
    let config: NetConfig = toml::from_str(text).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let rows = 8;
    let genes =
        Matrix { rows, cols: 1000, values: (0..rows * 1000).map(|_| rng.random_range(-1.0..1.0)).collect() };
    let patch = |rng: &mut ChaCha8Rng| (0, (0..384).map(|_| rng.random_range(-1.0f32..1.0)).collect());
    let vectors = (0..rows).map(|_| (0..10).map(|_| patch(&mut rng)).collect()).collect();
    let patches = Bag { slots: vec!["he".into()], width: 384, vectors };
    let there = vec![true; rows];
    let names = ["patches", "genes"].map(Modality::new);
    let input = NetInput {
        modalities: &names,
        parts: vec![
            Part::Bag { bag: &patches, present: &there },
            Part::Row { values: &genes, present: &there },
        ],
    };
    let outcome = Outcome::MultiClass((0..rows).map(|r| r % 3).collect());
    let net = Net::fit(&input, &outcome, 3, &config, 1).unwrap();
    let (weights, _) = net.save().unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&weights).unwrap();
    for (name, shape) in
        [("encoder.1.0", [512, 1000]), ("encoder.1.last", [256, 512]), ("block.0.q", [256, 256])]
    {
        assert_eq!(tensors.tensor(&format!("seed.0.{name}.weight")).unwrap().shape(), shape);
    }
    for subset in Availability::all(2).subsets().filter(|s| !s.is_empty()) {
        let scores = net.score(&input, &vec![subset; rows]).unwrap();
        for r in 0..rows {
            let total: f64 = scores.row(r).iter().map(|s| s.exp()).sum();
            assert!((total - 1.0).abs() < 1e-9, "log-probabilities");
        }
    }
}

#[test]
fn any_subset_works_and_none_is_an_error() {
    let cohort = Cohort::new(60, 5);
    for kind in ["attention", "cross_attention"] {
        let net = Net::fit(&cohort.input(), &cohort.labels(), 1, &quick(kind), 1).unwrap();
        let input = cohort.input();
        let pairs: Vec<(usize, Availability)> = (0..60)
            .flat_map(|r| input.availability(r).subsets().filter(|s| !s.is_empty()).map(move |s| (r, s)))
            .collect();
        let batched = net.score_pairs(&input, &pairs).unwrap();
        assert!(batched.values.iter().all(|v| v.is_finite()));
        for (i, pair) in pairs.iter().enumerate().step_by(17) {
            let alone = net.score_pairs(&input, &[*pair]).unwrap();
            assert!(
                (alone.values[0] - batched.values[i]).abs() < 1e-5,
                "a row's score depends on its company"
            );
        }
        let full: Vec<usize> = (0..60).filter(|&r| input.availability(r).count() == 3).collect();
        let subsets: Vec<Availability> = Availability::all(3).subsets().filter(|s| !s.is_empty()).collect();
        let every: Vec<(usize, Availability)> =
            full.iter().flat_map(|&r| subsets.iter().map(move |&s| (r, s))).collect();
        let scores = net.score_pairs(&input, &every).unwrap();
        assert_eq!((scores.rows, scores.cols), (7 * full.len(), 1));
        let whole = net.score(&input, &cohort.all()).unwrap();
        for (i, &r) in full.iter().enumerate() {
            assert!((scores.values[7 * i + 6] - whole.values[r]).abs() < 1e-5);
        }
        let nothing = net.score_pairs(&input, &[(0, Availability::NONE)]).unwrap_err();
        assert_eq!(nothing.to_string(), "at least one modality required");
        assert!(matches!(nothing, Error::NothingPresent));
    }
    let mut empty = Cohort::new(20, 5);
    (0..3).for_each(|m| empty.present[m][4] = false);
    let refused = Net::fit(&empty.input(), &empty.labels(), 1, &quick("attention"), 1);
    assert!(matches!(refused, Err(Error::NothingPresent)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands where a modality is absent, training and scores keep every bit.
    #[test]
    fn what_is_absent_is_never_read(seed in 0u64..1000, garbage in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(1e30), -9.0..9.0f64]) {
        let clean = Cohort::new(30, seed);
        let mut dirty = Cohort::new(30, seed);
        for r in 0..30 {
            if !dirty.present[0][r] {
                dirty.imaging.vectors[r] = vec![(9, vec![garbage as f32; 3])];
            }
            if !dirty.present[1][r] {
                dirty.clinical.row_mut(r).fill(garbage);
            }
            if !dirty.present[2][r] {
                dirty.genomic.row_mut(r).fill(garbage);
            }
        }
        for kind in ["attention", "cross_attention"] {
            let score = |cohort: &Cohort| {
                let net = Net::fit(&cohort.input(), &clean.labels(), 1, &quick(kind), seed).unwrap();
                net.score(&cohort.input(), &cohort.all()).unwrap()
            };
            prop_assert_eq!(bits(&score(&clean)), bits(&score(&dirty)));
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_whatever_the_threads() {
    let mut cohort = Cohort::new(128, 9);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // Wide enough for the products to be shared among threads.
    cohort.genomic = Matrix {
        rows: 128,
        cols: 600,
        values: (0..128 * 600).map(|_| rng.random_range(-1.0..1.0)).collect(),
    };
    let config = config(
        r#"{"width": 128, "heads": 4, "epochs": 2, "batch": 64, "feed_forward": 4, "seeds": 2,
        "early_stopping": {"fraction": 0.2, "patience": 1}, "encoders": {"genomic": {"kind": "mlp", "hidden": [256], "dropout": 0.2}}}"#,
    );
    let run = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let net = Net::fit(&cohort.input(), &cohort.labels(), 1, &config, seed).unwrap();
            (net.save().unwrap(), bits(&net.score(&cohort.input(), &cohort.all()).unwrap()))
        })
    };
    let one = run(1, 4);
    assert!(one == run(2, 4), "two threads");
    assert!(one == run(3, 4), "three threads");
    assert!(one.1 != run(1, 5).1, "another seed");
}

#[test]
fn every_kind_of_question_is_answered_on_its_scale() {
    let cohort = Cohort::new(200, 11);
    let signal: Vec<f64> = (0..200).map(|r| cohort.clinical.row(r)[0]).collect();
    let time: Vec<f64> = signal.iter().map(|s| (-2.0 * s).exp()).collect();
    let event: Vec<bool> = (0..200).map(|r| r % 3 != 0).collect();
    let clinical: Vec<usize> = (0..200).filter(|&r| cohort.present[1][r]).collect();
    let pairs: Vec<(usize, Availability)> = clinical.iter().map(|&r| (r, Availability::only(1))).collect();
    let fit = |outcome: Outcome, outputs: usize, more: &str| {
        let config = config(&format!(r#"{{"width": 16, "epochs": 60, "lr": 0.005 {more}}}"#));
        let net = Net::fit(&cohort.input(), &outcome, outputs, &config, 2).unwrap();
        let (weights, json) = net.save().unwrap();
        let again = Net::load(&weights, &json).unwrap();
        let scores = net.score_pairs(&cohort.input(), &pairs).unwrap();
        assert_eq!(bits(&scores), bits(&again.score_pairs(&cohort.input(), &pairs).unwrap()));
        assert_eq!(scores.cols, net.outputs());
        scores
    };
    let high: Vec<bool> = clinical.iter().map(|&r| signal[r] > 0.0).collect();
    let first = |m: &Matrix, c: usize| (0..m.rows).map(|r| m.row(r)[c]).collect::<Vec<_>>();
    let binary = fit(cohort.labels(), 1, "");
    assert!(auroc(&binary.values, &high) > 0.95);
    let classes = signal.iter().map(|s| if *s < -0.3 { 0 } else { 1 + usize::from(*s > 0.3) }).collect();
    let classes = fit(Outcome::MultiClass(classes), 3, r#", "class_weights": [1, 2, 1]"#);
    assert!(auroc(&first(&classes, 2), &high) > 0.9 && classes.values.iter().all(|v| *v <= 0.0));
    let labels = signal.iter().map(|s| vec![*s > 0.0, *s < 0.0]).collect();
    let labels = fit(Outcome::MultiLabel(labels), 2, "");
    assert!(auroc(&first(&labels, 0), &high) > 0.95 && auroc(&first(&labels, 1), &high) < 0.05);
    let value = fit(Outcome::Regression(signal.iter().map(|s| 100.0 + 20.0 * s).collect()), 1, "");
    let mean = value.values.iter().sum::<f64>() / value.values.len() as f64;
    assert!(auroc(&value.values, &high) > 0.95 && (mean - 100.0).abs() < 10.0);
    for loss in
        ["", r#", "survival": {"kind": "cox_breslow"}"#, r#", "survival": {"kind": "discrete", "bins": 6}"#]
    {
        let risk = fit(Outcome::Survival { time: time.clone(), event: event.clone() }, 1, loss);
        assert!(auroc(&risk.values, &high) > 0.95, "{loss}: {}", auroc(&risk.values, &high));
    }
}

#[test]
fn a_broken_checkpoint_is_an_error_and_never_a_panic() {
    let cohort = Cohort::new(40, 13);
    let net = Net::fit(&cohort.input(), &cohort.labels(), 1, &quick("attention"), 1).unwrap();
    let (weights, json) = net.save().unwrap();
    let refused = |weights: &[u8], json: &serde_json::Value| match Net::load(weights, json) {
        Err(Error::Checkpoint { .. }) => {}
        other => panic!("{other:?}"),
    };
    for end in (0..weights.len()).step_by(97) {
        refused(&weights[..end], &json);
    }
    for at in (0..weights.len()).step_by(61) {
        let mut flipped = weights.clone();
        flipped[at] ^= 0xff;
        let _ = Net::load(&flipped, &json);
    }
    let mut nan = weights.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    refused(&nan, &json);
    refused(&weights, &serde_json::Value::Null);
    for (pointer, value) in [
        ("/version", serde_json::json!(2)),
        ("/outputs", serde_json::json!(3)),
        ("/outputs", serde_json::json!(u64::MAX)),
        ("/modalities", serde_json::json!([])),
        ("/modalities/0/width", serde_json::json!(1u64 << 40)),
        ("/modalities/0/slots", serde_json::json!(null)),
        ("/modalities/1/width", serde_json::json!(0)),
        ("/config/width", serde_json::json!(1u64 << 60)),
        ("/config/layers", serde_json::json!(1000)),
        ("/config/layers", serde_json::json!(1)),
        ("/config/seeds", serde_json::json!(2)),
        ("/link", serde_json::json!({"kind": "value", "mean": 1.0, "sd": null})),
        ("/link", serde_json::json!({"kind": "hazards", "edges": [1.0, 2.0]})),
    ] {
        let mut json = json.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        refused(&weights, &json);
    }
}

#[test]
fn input_that_does_not_fit_is_refused_by_name_and_place() {
    let mut cohort = Cohort::new(40, 17);
    let net = Net::fit(&cohort.input(), &cohort.labels(), 1, &quick("attention"), 1).unwrap();
    let row = (0..40).find(|&r| cohort.present[1][r]).unwrap();
    cohort.clinical.row_mut(row)[2] = f64::NAN;
    let message = net.score(&cohort.input(), &cohort.all()).unwrap_err().to_string();
    assert_eq!(message, format!("clinical, row {row}: a value that is not finite"));
    cohort.clinical = Matrix::zeros(40, 6);
    let message = net.score(&cohort.input(), &cohort.all()).unwrap_err().to_string();
    assert!(message.starts_with("clinical: width"), "{message}");
    let mut strange = quick("attention");
    strange.encoders.insert("rna".into(), EncoderConfig::Linear {});
    let message = Net::fit(&cohort.input(), &cohort.labels(), 1, &strange, 1).unwrap_err().to_string();
    assert!(message.starts_with("rna:"), "{message}");
}

//! What trees, forests and boosting promise.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_learn::Error;
use chiasm_learn::matrix::Matrix;
use chiasm_learn::tree::{Boosted, BoostedConfig, Forest, ForestConfig, Shapley};
use chiasm_record::Outcome;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Uniform on (-1, 1), with a share of holes.
fn matrix(rng: &mut ChaCha8Rng, rows: usize, cols: usize, holes: f64) -> Matrix {
    let mut cell = || {
        let value = 2.0 * rng.random::<f64>() - 1.0;
        if rng.random::<f64>() < holes { f64::NAN } else { value }
    };
    Matrix { rows, cols, values: (0..rows * cols).map(|_| cell()).collect() }
}

fn known(v: f64) -> f64 {
    if v.is_nan() { 0.0 } else { v }
}

fn outcomes(rng: &mut ChaCha8Rng, x: &Matrix) -> Vec<Outcome> {
    let score: Vec<f64> = (0..x.rows)
        .map(|r| {
            2.0 * known(x.row(r)[0]) + known(x.row(r)[1]) * known(x.row(r)[2]) + rng.random::<f64>() - 0.5
        })
        .collect();
    vec![
        Outcome::Binary(score.iter().map(|s| *s > 0.2).collect()),
        Outcome::MultiClass(score.iter().map(|s| ((s + 1.0).clamp(0.0, 2.9)) as usize).collect()),
        Outcome::MultiLabel(score.iter().map(|s| vec![*s > 0.0, *s < -0.4]).collect()),
        Outcome::Regression(score.iter().map(|s| 50.0 + s).collect()),
        Outcome::Survival {
            time: score.iter().map(|s| ((-s).exp() * 4.0).ceil() / 2.0).collect(),
            event: (0..x.rows).map(|_| rng.random::<f64>() < 0.7).collect(),
        },
    ]
}

fn small() -> (ForestConfig, BoostedConfig) {
    let forest = ForestConfig { trees: 7, ..ForestConfig::default() };
    (forest, BoostedConfig { rounds: 9, rate: 0.3, depth: 4, ..BoostedConfig::default() })
}

fn auroc(score: &[f64], y: &[bool]) -> f64 {
    let (mut wins, mut pairs) = (0.0, 0.0);
    for i in (0..y.len()).filter(|&i| y[i]) {
        for j in (0..y.len()).filter(|&j| !y[j]) {
            pairs += 1.0;
            wins += if score[i] > score[j] {
                1.0
            } else if score[i] < score[j] {
                0.0
            } else {
                0.5
            };
        }
    }
    wins / pairs
}

/// Shapley's formula over all subsets, where a subset's worth is the prediction with the others absent.
fn brute_force(cols: usize, k: usize, value: &dyn Fn(&[bool]) -> Matrix) -> Vec<Vec<f64>> {
    let worth: Vec<Matrix> = (0..1usize << cols)
        .map(|set| value(&(0..cols).map(|j| set >> j & 1 == 0).collect::<Vec<bool>>()))
        .collect();
    let factorial = |n: usize| (1..=n).map(|v| v as f64).product::<f64>();
    let rows = worth[0].rows;
    let mut shares = vec![vec![0.0; cols]; rows];
    for (r, shares) in shares.iter_mut().enumerate() {
        for (j, share) in shares.iter_mut().enumerate() {
            for set in (0..1usize << cols).filter(|s| s >> j & 1 == 0) {
                let size = set.count_ones() as usize;
                let weight = factorial(size) * factorial(cols - size - 1) / factorial(cols);
                *share += weight * (worth[set | 1 << j].row(r)[k] - worth[set].row(r)[k]);
            }
        }
    }
    shares
}

fn check_shapley(shapley: &Shapley, x: &Matrix, value: &dyn Fn(&[bool]) -> Matrix) {
    let full = value(&vec![false; x.cols]);
    let total = shapley.total();
    for (a, b) in total.values.iter().zip(&full.values) {
        assert!((a - b).abs() < 1e-9, "shares sum to {a}, expected {b}");
    }
    let none = value(&vec![true; x.cols]);
    for k in 0..shapley.base.len() {
        assert!((shapley.base[k] - none.row(0)[k]).abs() < 1e-9);
        let brute = brute_force(x.cols, k, value);
        for (r, brute) in brute.iter().enumerate() {
            for (j, (a, b)) in shapley.values[k].row(r).iter().zip(brute).enumerate() {
                assert!((a - b).abs() < 1e-9, "row {r}, column {j}: {a}, expected {b}");
                assert!(!x.row(r)[j].is_nan() || *a == 0.0, "a missing column has a share");
            }
        }
    }
}

#[test]
fn shapley_values_are_those_of_brute_force() {
    for holes in [0.0, 0.3] {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let x = matrix(&mut rng, 120, 6, holes);
        let some = x.select(&[0, 5, 17, 99]);
        let (forest, boosted) = small();
        for outcome in outcomes(&mut rng, &x) {
            let f = Forest::fit(&x, &outcome, None, &forest, 3).unwrap();
            check_shapley(&f.shapley(&some, None).unwrap(), &some, &|a| f.value(&some, Some(a)).unwrap());
            let (link, score) = (f.shapley_link(&some, None).unwrap(), f.predict(&some, None).unwrap());
            for (a, b) in link.total().values.iter().zip(&score.values) {
                assert!((a - b).abs() < 1e-9, "{:?}: link shares sum to {a}, expected {b}", outcome.kind());
            }
            let b = Boosted::fit(&x, &outcome, None, &boosted, 3).unwrap();
            check_shapley(&b.shapley(&some, None).unwrap(), &some, &|a| b.predict(&some, Some(a)).unwrap());
        }
    }
}

#[test]
fn absent_columns_are_not_read_and_count_as_missing() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let x = matrix(&mut rng, 100, 4, 0.1);
    let (forest, boosted) = small();
    let absent = [false, true, false, true];
    let (mut garbage, mut holes) = (x.clone(), x.clone());
    for r in 0..x.rows {
        for j in [1, 3] {
            garbage.row_mut(r)[j] = 1e300 * rng.random::<f64>();
            holes.row_mut(r)[j] = f64::NAN;
        }
    }
    let nothing = Matrix { rows: 1, cols: 4, values: vec![f64::NAN; 4] };
    for outcome in outcomes(&mut rng, &x) {
        let f = Forest::fit(&x, &outcome, None, &forest, 3).unwrap();
        assert_eq!(f.predict(&garbage, Some(&absent)).unwrap(), f.predict(&holes, None).unwrap());
        assert_eq!(f.value(&nothing, None).unwrap().values, f.shapley(&x, None).unwrap().base);
        let b = Boosted::fit(&x, &outcome, None, &boosted, 3).unwrap();
        assert_eq!(b.predict(&garbage, Some(&absent)).unwrap(), b.predict(&holes, None).unwrap());
        let base = b.shapley(&x, None).unwrap().base;
        let value = b.predict(&nothing, None).unwrap().values;
        assert!(base.iter().zip(&value).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}

#[test]
fn all_subsets_in_one_walk_are_those_one_by_one() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let x = matrix(&mut rng, 120, 7, 0.15);
    let group = [2, 0, 1, 0, 3, 3, 1];
    let (forest, boosted) = small();
    for outcome in outcomes(&mut rng, &x) {
        let f = Forest::fit(&x, &outcome, None, &forest, 3).unwrap();
        let b = Boosted::fit(&x, &outcome, None, &boosted, 3).unwrap();
        let several = [f.predict_subsets(&x, &group, 4).unwrap(), b.predict_subsets(&x, &group, 4).unwrap()];
        for subset in 0..16 {
            let absent: Vec<bool> = group.iter().map(|g| subset >> g & 1 == 0).collect();
            let one = [f.predict(&x, Some(&absent)).unwrap(), b.predict(&x, Some(&absent)).unwrap()];
            for (several, one) in several.iter().zip(&one) {
                for (r, several) in several.iter().enumerate() {
                    let pairs = several.row(subset).iter().zip(one.row(r));
                    pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{subset} {r}: {a} {b}"));
                }
            }
        }
        assert!(matches!(f.predict_subsets(&x, &group[1..], 4), Err(Error::Shape { .. })));
        assert!(matches!(f.predict_subsets(&x, &group, 3), Err(Error::Shape { .. })));
    }
}

/// Without bootstrap and without missing values, the marginal over everything is the training mean.
#[test]
fn knowing_nothing_gives_the_training_mean() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let x = matrix(&mut rng, 90, 3, 0.0);
    let y: Vec<f64> = (0..90).map(|r| x.row(r)[0] * 3.0 + 7.0).collect();
    let mean = y.iter().sum::<f64>() / 90.0;
    let config = ForestConfig { trees: 4, bootstrap: false, ..ForestConfig::default() };
    let f = Forest::fit(&x, &Outcome::Regression(y), None, &config, 1).unwrap();
    let base = f.predict(&x.select(&[0]), Some(&[true; 3])).unwrap().values[0];
    assert!((base - mean).abs() < 1e-9, "{base}, expected {mean}");
}

#[test]
fn a_tree_on_hand_made_data_is_exact() {
    // Column 0 parts 1, 2 | 3, 4 at 2.5; the row whose column 0 is missing goes half to each side.
    let x = Matrix { rows: 5, cols: 1, values: vec![1.0, 2.0, 3.0, 4.0, f64::NAN] };
    let outcome = Outcome::Regression(vec![0.0, 0.0, 6.0, 6.0, 3.0]);
    let config = ForestConfig {
        trees: 1,
        bootstrap: false,
        min_leaf: 1.0,
        max_depth: Some(1),
        ..ForestConfig::default()
    };
    let f = Forest::fit(&x, &outcome, None, &config, 0).unwrap();
    let ask = Matrix { rows: 4, cols: 1, values: vec![2.5, 2.6, -9.0, f64::NAN] };
    let said = f.predict(&ask, None).unwrap().values;
    // Left: (0 + 0 + 1.5) / 2.5; right: (6 + 6 + 1.5) / 2.5.
    for (a, b) in said.iter().zip([0.6, 5.4, 0.6, 3.0]) {
        assert!((a - b).abs() < 1e-12, "{a}, expected {b}");
    }
    let b = Boosted::fit(
        &x.select(&[0, 1, 2, 3]),
        &Outcome::Regression(vec![0.0, 0.0, 6.0, 6.0]),
        None,
        &BoostedConfig { rounds: 1, rate: 0.5, depth: 1, min_leaf: 1.0, ..BoostedConfig::default() },
        0,
    )
    .unwrap();
    // Start 3; leaves -6 / (2 + 1) and 6 / (2 + 1); half of each is added.
    assert_eq!(b.predict(&ask.select(&[0, 1]), None).unwrap().values, vec![2.0, 4.0]);
}

#[test]
fn exclusive_or_is_learnt() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (x, new) = (matrix(&mut rng, 300, 4, 0.0), matrix(&mut rng, 300, 4, 0.0));
    let odd =
        |x: &Matrix| (0..300).map(|r| (x.row(r)[0] > 0.0) != (x.row(r)[1] > 0.0)).collect::<Vec<bool>>();
    let outcome = Outcome::Binary(odd(&x));
    let f =
        Forest::fit(&x, &outcome, None, &ForestConfig { trees: 200, ..ForestConfig::default() }, 1).unwrap();
    let a = auroc(&f.predict(&new, None).unwrap().values, &odd(&new));
    assert!(a > 0.95, "forest {a}");
    let config = ForestConfig { trees: 200, extra: true, bootstrap: false, ..ForestConfig::default() };
    let f = Forest::fit(&x, &outcome, None, &config, 1).unwrap();
    let a = auroc(&f.predict(&new, None).unwrap().values, &odd(&new));
    assert!(a > 0.95, "extra-trees {a}");
    let b = Boosted::fit(&x, &outcome, None, &BoostedConfig::default(), 1).unwrap();
    let a = auroc(&b.predict(&new, None).unwrap().values, &odd(&new));
    assert!(a > 0.95, "boosting {a}");
    // With one of the two absent there is nothing left to know.
    let half = b.predict(&new, Some(&[true, false, false, false])).unwrap().values;
    let a = auroc(&half, &odd(&new));
    assert!((a - 0.5).abs() < 0.1, "half an exclusive or {a}");
}

#[test]
fn planted_risk_is_ranked() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let (x, new) = (matrix(&mut rng, 400, 6, 0.05), matrix(&mut rng, 400, 6, 0.05));
    let risk = |x: &Matrix, r: usize| 2.0 * known(x.row(r)[0]) - 1.5 * known(x.row(r)[1]).abs();
    let mut draw = |x: &Matrix| {
        let time: Vec<f64> = (0..400).map(|r| -rng.random::<f64>().ln() * (-risk(x, r)).exp()).collect();
        let left: Vec<f64> = (0..400).map(|_| rng.random::<f64>() * 4.0).collect();
        let event = time.iter().zip(&left).map(|(t, l)| t <= l).collect();
        let time = time.iter().zip(&left).map(|(t, l)| t.min(*l)).collect();
        Outcome::Survival { time, event }
    };
    let (outcome, later) = (draw(&x), draw(&new));
    let Outcome::Survival { time, event } = &later else { unreachable!() };
    let concordance = |score: &[f64]| {
        let (mut right, mut pairs) = (0.0, 0.0);
        for i in (0..400).filter(|&i| event[i]) {
            for j in (0..400).filter(|&j| time[j] > time[i]) {
                pairs += 1.0;
                right += f64::from(u8::from(score[i] > score[j]));
            }
        }
        right / pairs
    };
    let truth = concordance(&(0..400).map(|r| risk(&new, r)).collect::<Vec<f64>>());
    let (f, oob) = Forest::fit_with_oob(
        &x,
        &outcome,
        None,
        &ForestConfig { min_leaf: 8.0, ..ForestConfig::default() },
        1,
    )
    .unwrap();
    assert!(oob.values.iter().all(|v| v.is_finite()));
    let forest = concordance(&f.predict(&new, None).unwrap().values);
    let b = Boosted::fit(&x, &outcome, None, &BoostedConfig::default(), 1).unwrap();
    let boosted = concordance(&b.predict(&new, None).unwrap().values);
    println!("concordance: truth {truth:.3}, forest {forest:.3}, boosting {boosted:.3}");
    assert!(forest > truth - 0.05 && boosted > truth - 0.05);
}

/// scikit-learn 1.9.1 on the same rows: golden/forest.py prints .7339 (SD .0034 over seeds) for the random
/// forest and .7419 (SD .0026) for extra-trees.
#[test]
fn forests_do_as_well_as_scikit_learns() {
    let rows: Vec<Vec<f64>> = include_str!("golden/forest.csv")
        .lines()
        .skip(1)
        .map(|l| l.split(',').map(|c| c.parse().unwrap()).collect())
        .collect();
    let part = |rows: &[Vec<f64>]| {
        let values: Vec<f64> = rows.iter().flat_map(|r| r[..10].to_vec()).collect();
        let y: Vec<bool> = rows.iter().map(|r| r[10] > 0.5).collect();
        (Matrix { rows: rows.len(), cols: 10, values }, y)
    };
    let ((x, y), (new, truth)) = (part(&rows[..200]), part(&rows[200..]));
    let outcome = Outcome::Binary(y.clone());
    let extra = ForestConfig { extra: true, bootstrap: false, ..ForestConfig::default() };
    for (name, config, theirs) in
        [("forest", ForestConfig::default(), 0.7339), ("extra-trees", extra, 0.7419)]
    {
        let mut mean = 0.0;
        for seed in 0..5 {
            let f = Forest::fit(&x, &outcome, None, &config, seed).unwrap();
            mean += auroc(&f.predict(&new, None).unwrap().values, &truth) / 5.0;
        }
        println!("{name}: AUROC {mean:.4}, scikit-learn {theirs}");
        assert!((mean - theirs).abs() < 0.015, "{name}: {mean}, expected about {theirs}");
    }
    let (_, oob) = Forest::fit_with_oob(&x, &outcome, None, &ForestConfig::default(), 0).unwrap();
    let oob = auroc(&oob.values, &y);
    println!("out of bag: {oob:.4}, scikit-learn .7821");
    assert!((oob - 0.7821).abs() < 0.03, "out of bag {oob}");
}

#[test]
fn the_number_of_threads_changes_nothing_and_files_round_trip() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let x = matrix(&mut rng, 150, 8, 0.2);
    let (forest, boosted) = small();
    let boosted = BoostedConfig { subsample: 0.7, mtry: 0.5, ..boosted };
    let pool = |n: usize| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    for outcome in outcomes(&mut rng, &x) {
        let all = || {
            let (f, oob) = Forest::fit_with_oob(&x, &outcome, None, &forest, 11).unwrap();
            let b = Boosted::fit(&x, &outcome, None, &boosted, 11).unwrap();
            let texts = [serde_json::to_string(&f).unwrap(), serde_json::to_string(&b).unwrap()];
            let shares = (f.shapley(&x, None).unwrap(), b.shapley(&x, None).unwrap());
            let bits: Vec<u64> = oob.values.iter().map(|v| v.to_bits()).collect();
            (texts, shares, bits, f.predict(&x, None).unwrap(), b.predict(&x, None).unwrap())
        };
        let (one, two) = (pool(1).install(all), pool(2).install(all));
        assert!(one == two, "{:?}: one thread and two differ", outcome.kind());
        let f: Forest = serde_json::from_str(&one.0[0]).unwrap();
        let b: Boosted = serde_json::from_str(&one.0[1]).unwrap();
        assert!(f.is_sound() && b.is_sound());
        assert_eq!(f.predict(&x, None).unwrap(), one.3);
        assert_eq!(b.predict(&x, None).unwrap(), one.4);
    }
}

#[test]
fn weights_of_zero_remove_rows() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let x = matrix(&mut rng, 80, 3, 0.1);
    let kept: Vec<usize> = (0..60).collect();
    let weights: Vec<f64> = (0..80).map(|r| if r < 60 { 1.0 } else { 0.0 }).collect();
    let config = ForestConfig { trees: 5, bootstrap: false, mtry: Some(1.0), ..ForestConfig::default() };
    for outcome in outcomes(&mut rng, &x) {
        let whole = Forest::fit(&x, &outcome, Some(&weights), &config, 1).unwrap();
        let part = Forest::fit(&x.select(&kept), &outcome.select(&kept), None, &config, 1).unwrap();
        let at = x.select(&kept);
        let pair = (whole.predict(&at, None).unwrap(), part.predict(&at, None).unwrap());
        for (a, b) in pair.0.values.iter().zip(&pair.1.values) {
            assert!((a - b).abs() < 1e-9, "{:?}: {a}, {b}", outcome.kind());
        }
    }
}

#[test]
fn what_cannot_teach_is_refused() {
    let x = Matrix::zeros(3, 2);
    let config = ForestConfig::default();
    let fit = |x: &Matrix, y: Outcome| Forest::fit(x, &y, None, &config, 1);
    assert!(matches!(fit(&x, Outcome::Binary(vec![true; 3])), Err(Error::CannotLearn { .. })));
    assert!(matches!(fit(&x, Outcome::Binary(vec![true, false])), Err(Error::Shape { .. })));
    let far = Matrix { rows: 2, cols: 1, values: vec![f64::INFINITY, 0.0] };
    assert!(matches!(fit(&far, Outcome::Binary(vec![true, false])), Err(Error::CannotLearn { .. })));
    let f = fit(&x, Outcome::Binary(vec![true, false, true])).unwrap();
    assert!(matches!(f.predict(&Matrix::zeros(1, 3), None), Err(Error::Shape { .. })));
    assert!(matches!(f.predict(&x, Some(&[true])), Err(Error::Shape { .. })));
    let empty = Forest::fit(&Matrix::zeros(0, 2), &Outcome::Regression(vec![]), None, &config, 1);
    assert!(empty.is_err());
}

/// The size of one modality of a real cohort, on one thread.
#[test]
fn a_forest_is_fast() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let full = matrix(&mut rng, 450, 80, 0.0);
    let holes = matrix(&mut rng, 450, 80, 0.3);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for (name, x) in [("no holes", full), ("30 % holes", holes)] {
        for outcome in outcomes(&mut rng, &x) {
            let start = std::time::Instant::now();
            let f = pool.install(|| Forest::fit(&x, &outcome, None, &ForestConfig::default(), 1)).unwrap();
            let grown = start.elapsed();
            let start = std::time::Instant::now();
            pool.install(|| f.predict(&x, None)).unwrap();
            let said = start.elapsed();
            let start = std::time::Instant::now();
            pool.install(|| f.shapley(&x.select(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), None)).unwrap();
            let kind = outcome.kind();
            println!(
                "{name}, {kind:?}: grown {grown:?}, 450 rows {said:?}, Shapley 10 rows {:?}",
                start.elapsed()
            );
        }
    }
}

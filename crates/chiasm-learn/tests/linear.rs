//! Properties that every ridge regression has.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_learn::Error;
use chiasm_learn::linear::{Linear, Options};
use chiasm_learn::matrix::Matrix;
use chiasm_record::Outcome;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn noise(rng: &mut ChaCha8Rng) -> f64 {
    (0..6).map(|_| rng.random::<f64>() - 0.5).sum::<f64>() * 1.4
}

fn matrix(rng: &mut ChaCha8Rng, rows: usize, cols: usize) -> Matrix {
    Matrix { rows, cols, values: (0..rows * cols).map(|_| noise(rng)).collect() }
}

/// One outcome of each kind, driven by the first column.
fn outcomes(rng: &mut ChaCha8Rng, x: &Matrix) -> Vec<Outcome> {
    let score: Vec<f64> = (0..x.rows).map(|r| x.row(r)[0] + 0.7 * noise(rng)).collect();
    let time = score.iter().map(|s| ((-s).exp() * 4.0).ceil() / 2.0).collect();
    vec![
        Outcome::Binary(score.iter().map(|s| *s > 0.2).collect()),
        Outcome::MultiClass(score.iter().map(|s| ((s + 1.0).clamp(0.0, 2.9)) as usize).collect()),
        Outcome::MultiLabel(score.iter().map(|s| vec![*s > 0.0, *s < -0.4]).collect()),
        Outcome::Regression(score.clone()),
        Outcome::Survival { time, event: (0..x.rows).map(|_| rng.random::<f64>() < 0.7).collect() },
    ]
}

/// The log-likelihood by its definition, knowing nothing of how it is climbed.
fn log_likelihood(eta: &Matrix, outcome: &Outcome) -> f64 {
    let logistic = |y: bool, e: f64| if y { -(-e).exp().ln_1p() } else { -e.exp().ln_1p() };
    match outcome {
        Outcome::Binary(y) => y.iter().enumerate().map(|(r, &y)| logistic(y, eta.row(r)[0])).sum(),
        Outcome::MultiLabel(y) => (0..y.len())
            .map(|r| y[r].iter().zip(eta.row(r)).map(|(&y, &e)| logistic(y, e)).sum::<f64>())
            .sum(),
        Outcome::MultiClass(y) => (0..y.len())
            .map(|r| eta.row(r)[y[r]] - eta.row(r).iter().map(|e| e.exp()).sum::<f64>().ln())
            .sum(),
        Outcome::Regression(y) => {
            -0.5 * y.iter().enumerate().map(|(r, y)| (y - eta.row(r)[0]).powi(2)).sum::<f64>()
        }
        Outcome::Survival { time, event } => {
            let mut sum = 0.0;
            let mut times: Vec<f64> = time.clone();
            times.sort_by(f64::total_cmp);
            times.dedup();
            for t in times {
                let risk = |r: &usize| eta.row(*r)[0].exp();
                let dead: Vec<usize> = (0..time.len()).filter(|&r| time[r] == t && event[r]).collect();
                let all: f64 = (0..time.len()).filter(|&r| time[r] >= t).map(|r| risk(&r)).sum();
                let dying: f64 = dead.iter().map(risk).sum();
                sum += dead.iter().map(|&r| eta.row(r)[0]).sum::<f64>();
                for step in 0..dead.len() {
                    sum -= (all - step as f64 / dead.len() as f64 * dying).ln();
                }
            }
            sum
        }
    }
}

/// What the penalty was told.
struct Setting {
    lambda: f64,
    factors: Vec<f64>,
    prior: Vec<Vec<f64>>,
}

fn objective(m: &Linear, x: &Matrix, outcome: &Outcome, s: &Setting) -> f64 {
    let penalty: f64 = (0..m.coefficients.len())
        .flat_map(|k| (0..x.cols).map(move |j| (k, j)))
        .map(|(k, j)| s.factors[j] * (m.coefficients[k][j] - s.prior[k][j]).powi(2))
        .sum();
    log_likelihood(&m.predict(x).unwrap(), outcome) - 0.5 * s.lambda * penalty
}

/// Every kind, few and many columns, with factors and prior: the gradient is zero and no neighbour is better.
#[test]
fn the_fit_is_the_optimum() {
    for (seed, rows, cols) in [(1, 60, 4), (2, 50, 20), (3, 40, 90), (4, 30, 150), (5, 170, 140)] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x = matrix(&mut rng, rows, cols);
        for outcome in outcomes(&mut rng, &x) {
            let kind = outcome.kind();
            let outputs = Linear::fit(&x, &outcome, 1.0, &Options::default()).unwrap().intercept.len();
            let setting = Setting {
                lambda: 2.0,
                factors: (0..cols).map(|_| 0.5 + rng.random::<f64>()).collect(),
                prior: (0..outputs).map(|_| (0..cols).map(|_| 0.1 * noise(&mut rng)).collect()).collect(),
            };
            let options = Options {
                factors: Some(setting.factors.clone()),
                prior: Some(setting.prior.clone()),
                ..Options::default()
            };
            let m = Linear::fit(&x, &outcome, setting.lambda, &options).unwrap();
            assert!(m.converged, "{kind:?} {rows}x{cols}");
            let likelihood = log_likelihood(&m.predict(&x).unwrap(), &outcome);
            assert!((m.log_likelihood - likelihood).abs() < 1e-8 * (1.0 + likelihood.abs()), "{kind:?}");
            let best = objective(&m, &x, &outcome, &setting);
            for direction in 0..12 {
                let step = |size: f64| {
                    let mut rng = ChaCha8Rng::seed_from_u64(direction);
                    let mut moved = m.clone();
                    for b in moved.coefficients.iter_mut().flatten().chain(&mut moved.intercept) {
                        *b += size * noise(&mut rng);
                    }
                    objective(&moved, &x, &outcome, &setting) - best
                };
                let gradient = (step(1e-5) - step(-1e-5)) / 2e-5;
                assert!(gradient.abs() < 1e-4, "{kind:?} {rows}x{cols}: slope {gradient} at the optimum");
                assert!(step(1e-3) < 0.0 && step(-1e-3) < 0.0, "{kind:?}: a better neighbour");
            }
        }
    }
}

/// A free column that holds nothing keeps the fit from being rotated; the answer must be the same.
#[test]
fn rotation_changes_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let wide = matrix(&mut rng, 40, 150);
    let mut padded = Matrix::zeros(40, 151);
    (0..40).for_each(|r| padded.row_mut(r)[..150].copy_from_slice(wide.row(r)));
    let factors = (0..151).map(|j| if j < 150 { 1.0 } else { 0.0 }).collect();
    let free = Options { factors: Some(factors), ..Options::default() };
    for outcome in outcomes(&mut rng, &wide) {
        let path = Linear::fit_path(&wide, &outcome, &[30.0, 3.0], &Options::default()).unwrap();
        for rotated in path {
            let direct = Linear::fit(&padded, &outcome, rotated.lambda, &free).unwrap();
            let pairs = rotated.coefficients.iter().zip(&direct.coefficients);
            for (a, b) in pairs.flat_map(|(a, b)| a.iter().zip(b)) {
                assert!((a - b).abs() < 1e-7, "{:?}: {a} rotated, {b} direct", outcome.kind());
            }
        }
    }
}

#[test]
fn non_negative_fits_meet_the_kkt_conditions() {
    for seed in 0..10 {
        let mut rng = ChaCha8Rng::seed_from_u64(100 + seed);
        let x = matrix(&mut rng, 80, 5);
        for outcome in outcomes(&mut rng, &x) {
            let options = Options { non_negative: true, ..Options::default() };
            let m = Linear::fit(&x, &outcome, 0.5, &options).unwrap();
            assert!(m.converged, "{:?}", outcome.kind());
            let setting = Setting { lambda: 0.5, factors: vec![1.0; 5], prior: vec![vec![0.0; 5]; 3] };
            let slope = |k: usize, j: usize| {
                let at = |h: f64| {
                    let mut moved = m.clone();
                    moved.coefficients[k][j] += h;
                    moved.intercept[k] -= h * m.mean[j];
                    objective(&moved, &x, &outcome, &setting)
                };
                (at(1e-5) - at(-1e-5)) / 2e-5
            };
            for k in 0..m.coefficients.len() {
                for j in 0..5 {
                    let b = m.coefficients[k][j];
                    assert!(b >= 0.0);
                    let g = slope(k, j);
                    let fine = if b > 0.0 { g.abs() < 1e-4 } else { g < 1e-4 };
                    assert!(fine, "{:?} seed {seed}: coefficient {b}, slope {g}", outcome.kind());
                }
            }
        }
    }
}

#[test]
fn a_strong_penalty_returns_the_prior_and_an_offset_moves_the_level() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let x = matrix(&mut rng, 50, 3);
    let outcome = Outcome::Binary((0..50).map(|r| r % 3 == 0).collect());
    let prior = vec![vec![0.5, 0.25, 0.0]];
    let options = Options { prior: Some(prior.clone()), non_negative: true, ..Options::default() };
    let m = Linear::fit(&x, &outcome, 1e9, &options).unwrap();
    for (a, b) in m.coefficients[0].iter().zip(&prior[0]) {
        assert!((a - b).abs() < 1e-6);
    }
    let plain = Linear::fit(&x, &outcome, 1.0, &Options::default()).unwrap();
    let offset = Matrix { rows: 50, cols: 1, values: vec![2.0; 50] };
    let moved =
        Linear::fit(&x, &outcome, 1.0, &Options { offset: Some(offset), ..Options::default() }).unwrap();
    assert!((plain.intercept[0] - moved.intercept[0] - 2.0).abs() < 1e-8);
}

#[test]
fn separated_data_stay_finite_with_a_penalty() {
    let x = Matrix { rows: 6, cols: 1, values: vec![-3.0, -2.0, -1.0, 1.0, 2.0, 3.0] };
    let outcome = Outcome::Binary(vec![false, false, false, true, true, true]);
    let m = Linear::fit(&x, &outcome, 0.1, &Options::default()).unwrap();
    assert!(m.converged && m.coefficients[0][0] > 0.0 && m.coefficients[0][0] < 10.0);
    let free = Linear::fit(&x, &outcome, 0.0, &Options::default()).unwrap();
    assert!(free.coefficients[0][0].is_finite());
    let time = Outcome::Survival { time: vec![6.0, 5.0, 4.0, 3.0, 2.0, 1.0], event: vec![true; 6] };
    let m = Linear::fit(&x, &time, 0.1, &Options::default()).unwrap();
    assert!(m.converged && m.coefficients[0][0].is_finite());
}

#[test]
fn shapley_values_sum_to_the_score_and_files_round_trip() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let x = matrix(&mut rng, 60, 4);
    for outcome in outcomes(&mut rng, &x) {
        let m = Linear::fit(&x, &outcome, 1.0, &Options::default()).unwrap();
        let (total, score) = (m.shapley(&x).unwrap().total(), m.predict(&x).unwrap());
        assert!(total.values.iter().zip(&score.values).all(|(a, b)| (a - b).abs() < 1e-12));
        let again: Linear = serde_json::from_str(&serde_json::to_string(&m).unwrap()).unwrap();
        assert_eq!(again, m);
    }
}

#[test]
fn classes_and_labels_that_no_row_shows_get_a_level_and_no_slope() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let x = matrix(&mut rng, 40, 2);
    let outcome = Outcome::MultiClass((0..40).map(|r| if r % 3 == 0 { 0 } else { 2 }).collect());
    let m = Linear::fit(&x, &outcome, 1.0, &Options { classes: Some(4), ..Options::default() }).unwrap();
    assert_eq!(m.coefficients[1], vec![0.0, 0.0]);
    let eta = m.predict(&Matrix { rows: 1, cols: 2, values: m.mean.clone() }).unwrap();
    let sum: f64 = eta.values.iter().map(|e| e.exp()).sum();
    assert!((eta.values[1].exp() / sum - 0.5 / 41.0).abs() < 1e-6);
    let labels = Outcome::MultiLabel((0..40).map(|r| vec![r % 2 == 0, false]).collect());
    let m = Linear::fit(&x, &labels, 1.0, &Options::default()).unwrap();
    assert_eq!(m.coefficients[1], vec![0.0, 0.0]);
    assert!((m.intercept[1] - (0.5f64 / 40.5).ln()).abs() < 1e-12);
}

#[test]
fn what_cannot_teach_is_refused() {
    let x = Matrix::zeros(3, 1);
    let fit = |x: &Matrix, y: Outcome| Linear::fit(x, &y, 1.0, &Options::default());
    assert!(matches!(fit(&x, Outcome::Binary(vec![true; 3])), Err(Error::CannotLearn { .. })));
    let late = Outcome::Survival { time: vec![1.0; 3], event: vec![false; 3] };
    assert!(matches!(fit(&x, late), Err(Error::CannotLearn { .. })));
    let before = Outcome::Survival { time: vec![-1.0, 1.0, 2.0], event: vec![true; 3] };
    assert!(matches!(fit(&x, before), Err(Error::CannotLearn { .. })));
    assert!(matches!(fit(&x, Outcome::Binary(vec![true, false])), Err(Error::Shape { .. })));
    let hole = Matrix { rows: 3, cols: 1, values: vec![0.0, f64::NAN, 1.0] };
    assert!(matches!(fit(&hole, Outcome::Binary(vec![true, false, true])), Err(Error::Shape { .. })));
}

/// A full Cox path on a wide table: the size of one modality of a real cohort.
#[test]
fn a_wide_cox_path_is_fast() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let x = matrix(&mut rng, 455, 1544);
    let risk: Vec<f64> = (0..455).map(|r| x.row(r)[..20].iter().sum::<f64>() * 0.3).collect();
    let time = risk.iter().map(|s| ((-s).exp() * -rng.random::<f64>().ln() * 100.0).ceil()).collect();
    let outcome = Outcome::Survival { time, event: (0..455).map(|_| rng.random::<f64>() < 0.4).collect() };
    let lambdas: Vec<f64> = (0..8).map(|i| 1e4 / 10f64.powf(f64::from(i) / 2.0)).collect();
    let start = std::time::Instant::now();
    let path = Linear::fit_path(&x, &outcome, &lambdas, &Options::default()).unwrap();
    println!("Cox path of 8 lambdas, 455 x 1544: {:?}", start.elapsed());
    assert!(path.iter().all(|m| m.converged));
    let rise = path.windows(2).all(|w| w[1].log_likelihood > w[0].log_likelihood);
    assert!(rise, "less penalty, better fit");
}

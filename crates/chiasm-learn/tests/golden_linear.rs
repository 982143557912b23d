//! Ridge regression against R's survival, glm and glmnet: see golden/survival.R for how each value was made.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_learn::linear::{Linear, Options, Pca};
use chiasm_learn::matrix::Matrix;
use chiasm_record::Outcome;
use std::collections::HashMap;

struct Veteran {
    time: Vec<f64>,
    event: Vec<bool>,
    cell: Vec<usize>,
    x: Matrix,
}

fn veteran() -> Veteran {
    let mut v = Veteran { time: vec![], event: vec![], cell: vec![], x: Matrix::zeros(0, 5) };
    for line in include_str!("golden/veteran.csv").lines().skip(1) {
        let cells: Vec<f64> = line.split(',').map(|c| c.parse().unwrap()).collect();
        v.time.push(cells[0]);
        v.event.push(cells[1] > 0.0);
        v.x.values.extend(&cells[2..7]);
        v.x.rows += 1;
        v.cell.push(cells[7] as usize);
    }
    v
}

fn golden() -> HashMap<String, Vec<f64>> {
    let lines = include_str!("golden/survival.csv").lines().skip(2);
    lines
        .map(|line| {
            let (name, values) = line.split_once(',').unwrap();
            (name.into(), values.split(';').map(|v| v.parse().unwrap()).collect())
        })
        .collect()
}

/// Columns to mean 0 and standard deviation (n - 1) 1, as R's scale().
fn scaled(x: &Matrix) -> Matrix {
    let mut z = x.clone();
    let n = x.rows as f64;
    for c in 0..x.cols {
        let mean = (0..x.rows).map(|r| x.row(r)[c]).sum::<f64>() / n;
        let sd = ((0..x.rows).map(|r| (x.row(r)[c] - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        (0..x.rows).for_each(|r| z.row_mut(r)[c] = (x.row(r)[c] - mean) / sd);
    }
    z
}

fn close(name: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{name}: {a}, expected {b}");
    }
}

fn weights(n: usize) -> Option<Vec<f64>> {
    Some((1..=n).map(|i| 1.0 + (i % 3) as f64 / 2.0).collect())
}

#[test]
fn cox_with_efron_ties_is_that_of_r() {
    let (v, r) = (veteran(), golden());
    let outcome = Outcome::Survival { time: v.time.clone(), event: v.event.clone() };
    let plain = Linear::fit(&v.x, &outcome, 0.0, &Options::default()).unwrap();
    assert!(plain.converged);
    close("cox", &plain.coefficients[0], &r["cox"], 1e-8);
    close("loglik", &[plain.log_likelihood], &r["cox_loglik"], 1e-10);
    let options = Options { weights: weights(137), ..Options::default() };
    let weighted = Linear::fit(&v.x, &outcome, 0.0, &options).unwrap();
    close("weighted", &weighted.coefficients[0], &r["cox_weighted"], 1e-8);
    close("weighted loglik", &[weighted.log_likelihood], &r["cox_weighted_loglik"], 1e-10);
    let null = Linear::fit(&Matrix::zeros(137, 1), &outcome, 1.0, &Options::default()).unwrap();
    close("null loglik", &[null.log_likelihood], &r["cox_null"], 1e-10);
    let ridge = Linear::fit(&scaled(&v.x), &outcome, 7.0, &Options::default()).unwrap();
    close("ridge", &ridge.coefficients[0], &r["cox_ridge"], 1e-6);
}

#[test]
fn logistic_is_that_of_r() {
    let (v, r) = (veteran(), golden());
    let outcome = Outcome::Binary(v.time.iter().map(|&t| t > 100.0).collect());
    let flat = |m: &Linear| [m.intercept.clone(), m.coefficients[0].clone()].concat();
    let plain = Linear::fit(&v.x, &outcome, 0.0, &Options::default()).unwrap();
    close("logistic", &flat(&plain), &r["logistic"], 1e-8);
    close("loglik", &[plain.log_likelihood], &r["logistic_loglik"], 1e-10);
    let options = Options { weights: weights(137), ..Options::default() };
    let weighted = Linear::fit(&v.x, &outcome, 0.0, &options).unwrap();
    close("weighted", &flat(&weighted), &r["logistic_weighted"], 1e-8);
    let ridge = Linear::fit(&scaled(&v.x), &outcome, 7.0, &Options::default()).unwrap();
    close("ridge", &flat(&ridge), &r["logistic_ridge"], 1e-6);
}

#[test]
fn multinomial_and_linear_ridge_are_those_of_r() {
    let (v, r) = (veteran(), golden());
    let z = scaled(&v.x);
    let m = Linear::fit(&z, &Outcome::MultiClass(v.cell), 7.0, &Options::default()).unwrap();
    let flat: Vec<f64> =
        (0..4).flat_map(|c| std::iter::once(m.intercept[c]).chain(m.coefficients[c].clone())).collect();
    close("multinomial", &flat, &r["multinomial_ridge"], 1e-6);
    let log = Outcome::Regression(v.time.iter().map(|t| t.ln()).collect());
    let m = Linear::fit(&z, &log, 7.0, &Options::default()).unwrap();
    close("linear", &[m.intercept, m.coefficients[0].clone()].concat(), &r["linear_ridge"], 1e-9);
}

#[test]
fn principal_components_are_those_of_r() {
    let (v, r) = (veteran(), golden());
    let pca = Pca::fit(&v.x, 5).unwrap();
    close("variance", &pca.variance, &r["pca_variance"], 1e-9);
    let first: Vec<f64> = pca.axes.row(0).iter().map(|a| a.abs()).collect();
    close("first axis", &first, &r["pca_first"], 1e-8);
    let along = pca.transform(&v.x).unwrap();
    let mean = (0..137).map(|i| along.row(i)[0]).sum::<f64>() / 137.0;
    assert!(mean.abs() < 1e-9);
}

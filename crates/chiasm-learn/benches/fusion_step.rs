//! One training step of the attention fusion: five modalities of widths 1024, 768, 5000, 64 and 384 to
//! tokens of width 256, four layers of eight heads, ten labels, 64 rows, `f32`. The same model as
//! `torch_fusion.py`.
//!
//! `cargo bench --workspace --bench fusion_step -- [step|cohort] [WARM-UP] [STEPS]`
//! - `step`: the step above; prints the median and least milliseconds and the peak of the memory.
//! - `cohort`: fits the default network to 450 rows of 6 modalities on one thread.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use chiasm_learn::matrix::Matrix;
use chiasm_learn::net::step::Stepper;
use chiasm_learn::net::{Net, NetConfig, NetInput, Part, Pooling};
use chiasm_record::{Availability, Modality, Outcome};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn random(rows: usize, cols: usize, rng: &mut ChaCha8Rng) -> Matrix {
    Matrix { rows, cols, values: (0..rows * cols).map(|_| rng.random_range(-1.7..1.7)).collect() }
}

fn names(n: usize) -> Vec<Modality> {
    (0..n).map(|m| Modality::new(format!("m{m}"))).collect()
}

/// The most memory that the process has held, in MB (Linux).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM"));
    line.and_then(|l| l.split_whitespace().nth(1)).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn report(name: &str, mut times: Vec<f64>, more: &str) {
    times.sort_by(f64::total_cmp);
    println!(
        "{name} median_ms={:.2} min_ms={:.2} rss_mb={} {more}",
        times[times.len() / 2],
        times[0],
        peak()
    );
}

fn step(warm: usize, steps: usize) {
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let matrices: Vec<Matrix> = [1024, 768, 5000, 64, 384].iter().map(|&w| random(64, w, rng)).collect();
    let there = vec![true; 64];
    let modalities = names(5);
    let parts = matrices.iter().map(|values| Part::Row { values, present: &there }).collect();
    let input = NetInput { modalities: &modalities, parts };
    let labels = (0..64).map(|_| (0..10).map(|_| rng.random_bool(0.5)).collect()).collect();
    let config = NetConfig {
        width: 256,
        layers: 4,
        heads: 8,
        feed_forward: 4,
        pooling: Pooling::Mean,
        dropout: 0.0,
        aux_weight: 0.0,
        lr: 1e-3,
        ..NetConfig::default()
    };
    let mut stepper = Stepper::new(&input, Outcome::MultiLabel(labels), 10, config, 0).unwrap();
    let (mut times, mut first, mut last) = (Vec::new(), 0.0, 0.0);
    for i in 0..warm + steps {
        let start = Instant::now();
        last = stepper.step(i as u64).unwrap();
        if i >= warm {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        if i == 0 {
            first = last;
        }
    }
    report(
        "fusion chiasm",
        times,
        &format!("parameters={} loss0={first:.4} loss1={last:.4}", stepper.parameters()),
    );
}

fn cohort(warm: usize, fits: usize) {
    let rows = 450;
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let matrices: Vec<Matrix> = [20, 30, 40, 100, 16, 512].iter().map(|&w| random(rows, w, rng)).collect();
    let there: Vec<Vec<bool>> =
        (0..6).map(|m| (0..rows).map(|_| m == 0 || rng.random_bool(0.8)).collect()).collect();
    let modalities = names(6);
    let parts = matrices.iter().zip(&there).map(|(values, present)| Part::Row { values, present }).collect();
    let input = NetInput { modalities: &modalities, parts };
    let outcome = Outcome::Binary((0..rows).map(|r| matrices[0].row(r)[0] > 0.0).collect());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for (name, config) in [
        ("width 32, 40 epochs", NetConfig::default()),
        ("width 64, 40 epochs", NetConfig { width: 64, ..NetConfig::default() }),
    ] {
        let mut times = Vec::new();
        let mut net = None;
        for i in 0..warm + fits {
            let start = Instant::now();
            net = Some(pool.install(|| Net::fit(&input, &outcome, 1, &config, i as u64)).unwrap());
            if i >= warm {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        report(&format!("fit of {rows} rows, {name}:"), times, "");
        let pairs: Vec<(usize, Availability)> = (0..rows)
            .flat_map(|r| input.availability(r).subsets().filter(|s| !s.is_empty()).map(move |s| (r, s)))
            .collect();
        let start = Instant::now();
        pool.install(|| net.unwrap().score_pairs(&input, &pairs)).unwrap();
        report(
            &format!("all {} subsets, {name}:", pairs.len()),
            vec![start.elapsed().as_secs_f64() * 1e3],
            "",
        );
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let number = |i: usize, default| words.get(i).and_then(|w| w.parse().ok()).unwrap_or(default);
    match words.first().map_or("step", String::as_str) {
        "cohort" => cohort(number(1, 1), number(2, 5)),
        _ => step(number(1, 5), number(2, 40)),
    }
}

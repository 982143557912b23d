//! How often pure noise is called a gain, by the whole nested procedure. At most 5 % of runs should be.
//!
//! ```text
//! cargo run --release -p chiasm-pipeline --example noise_level -- [binary|survival] [RUNS] [N] [REPEATS]
//! ```
//!
//! Three modalities without any signal, ridge experts, `stacked` and `concat` fusion, 5 outer folds.

#[path = "../tests/planted/judge.rs"]
mod judge;

use chiasm_evaluate::Verdict;
use chiasm_synth::{Draw, Question, noise};
use std::collections::BTreeMap;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default: usize| words.get(i).map_or(Ok(default), |w| w.parse());
    let question = match words.first().map(String::as_str) {
        None | Some("binary") => Question::Binary,
        Some("survival") => Question::Survival,
        Some(other) => return Err(format!("expected binary or survival, found {other}").into()),
    };
    let (runs, n, repeats) = (number(1, 200)?, number(2, 150)?, number(3, 1)?);
    let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
    for run in 0..runs {
        let cohort = noise(&Draw::new(n, run as u64), 3, question)?;
        let judged = judge::judge(&cohort, &judge::recipe(&cohort, 5, repeats)?)?;
        *verdicts.entry(judged.report.verdict.as_str()).or_default() += 1;
    }
    let better = verdicts.get(Verdict::FusionBetter.as_str()).copied().unwrap_or(0);
    println!("{question:?}, {n} subjects, 5 folds x {repeats}: {verdicts:?}");
    println!("fusion_better in {better} of {runs} runs: {:.1} %", 100.0 * better as f64 / runs as f64);
    Ok(())
}

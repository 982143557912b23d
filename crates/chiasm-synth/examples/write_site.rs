//! Writes a synthetic cohort that the whole command line can run on:
//!
//! ```text
//! cargo run --release -p chiasm-synth --example write_site -- xor 400 /tmp/xor
//! chiasm run /tmp/xor --site /tmp/xor --data /tmp/xor/data --out /tmp/xor-run
//! ```
#![allow(clippy::print_stderr)]

use chiasm_synth::{Draw, Question, additive, noise, redundant, write_site, xor};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [generator, n, folder] = words.as_slice() else {
        return Err("usage: write_site xor|redundant|noise|additive|survival N FOLDER".into());
    };
    let draw = Draw::new(n.parse()?, 1);
    let cohort = match generator.as_str() {
        "xor" => xor(&draw)?,
        "redundant" => redundant(&draw, 3, Question::Binary)?,
        "noise" => noise(&draw, 3, Question::Binary)?,
        "additive" => additive(&draw.missing(&[0.1, 0.2, 0.3]), &[1.0, 0.6, 0.4], Question::Binary)?,
        "survival" => additive(&draw.missing(&[0.1, 0.2, 0.3]), &[1.0, 0.6, 0.4], Question::Survival)?,
        other => return Err(format!("no generator '{other}'").into()),
    };
    write_site(&cohort, Path::new(folder))?;
    eprintln!("chiasm run {folder} --site {folder} --data {folder}/data --out {folder}/run");
    Ok(())
}

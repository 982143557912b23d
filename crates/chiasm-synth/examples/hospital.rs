//! Writes a synthetic hospital: `hospital PATIENTS SEED OUT [HEAVY]`, or person records alone:
//! `hospital people RECORDS SEED OUT.csv`.

use chiasm_synth::hospital::{HospitalConfig, generate, people};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["people", n, seed, out] => println!("{:?}", people(n.parse()?, seed.parse()?, Path::new(out))?),
        [n, seed, out, ref rest @ ..] => {
            let mut config = HospitalConfig::new(n.parse()?, seed.parse()?);
            if let [heavy] = rest {
                config = config.heavy(heavy.parse()?);
            }
            let mut progress = |done: u64, all: u64| {
                if done.is_multiple_of(1_000) {
                    eprintln!("{done} of {all}");
                }
            };
            println!("{:?}", generate(&config, Path::new(out), &mut progress)?);
        }
        _ => return Err("PATIENTS SEED OUT [HEAVY], or people RECORDS SEED OUT.csv".into()),
    }
    Ok(())
}

//! `chiasm check`: what a file is, what is in it, what is wrong with it.

use crate::cli::Cli;
use anyhow::Result;
use chiasm_pipeline::evidence::check::{Checked, Severity, check};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Faults of one file that are printed; `--json` has them all.
const SHOWN: usize = 50;

/// Checks every file; ends with 1 where one breaks its standard or can be no format that is known.
///
/// # Errors
/// Where a file is not there.
pub fn run(cli: &Cli, files: &[PathBuf]) -> Result<ExitCode> {
    let mut valid = true;
    let mut answers = Vec::new();
    for file in files {
        let checked = check(file)?;
        valid &= checked.is_valid();
        if cli.json {
            let mut answer = serde_json::to_value(&checked)?;
            answer["file"] = json!(file);
            answer["valid"] = json!(checked.is_valid());
            answers.push(answer);
        } else {
            show(cli, &file.display().to_string(), &checked);
        }
    }
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&answers)?);
    }
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(cli: &Cli, file: &str, checked: &Checked) {
    let version = checked.version.as_deref().map_or_else(String::new, |v| format!(" {v}"));
    let word = if checked.is_valid() { "valid" } else { "breaks its standard" };
    println!("{file}: {}{version}, {word}", checked.format);
    if !cli.quiet {
        for (name, value) in &checked.contents {
            println!("  {name:24} {value}");
        }
    }
    for fault in checked.faults.iter().take(SHOWN) {
        let word = match fault.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "note",
        };
        let place = if fault.place.is_empty() { String::new() } else { format!(" at {}", fault.place) };
        println!("  {word}{place}: {} [{}]", fault.message, fault.rule);
    }
    if let Some(more) = checked.faults.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        println!("  and {more} more; --json has them all");
    }
}

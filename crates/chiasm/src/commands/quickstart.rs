//! The first thing that a new user runs.

use crate::cli::Cli;
use crate::progress::Bars;
use anyhow::Result;
use chiasm_pipeline::{Progress, RunRequest, dataset, run};
use std::path::{Path, PathBuf};

/// Runs `hancock-recurrence` on HANCOCK where it can be had, else `gse7390-metastasis` on the cohort
/// that the binary carries.
pub fn run(cli: &Cli, data: Option<&Path>, out: &Path, bars: &Bars) -> Result<()> {
    let (recipe, data) = match find_hancock(data, bars)? {
        Some(path) => {
            bars.say(&format!(
                "HANCOCK from {}: 6 kinds of evidence, recurrence within three years",
                path.display()
            ));
            ("hancock-recurrence", path)
        }
        None => {
            bars.say("HANCOCK cannot be reached; running on the bundled cohort GSE7390 instead (198 breast cancers)");
            let bundled = dataset::get(&dataset::find("gse7390")?, &out.join("data"), bars)?;
            ("gse7390-metastasis", bundled)
        }
    };
    let out = out.join(recipe);
    let request = RunRequest { recipe: recipe.into(), site: None, data, out: out.clone(), set: Vec::new() };
    let report = run::run(&request, bars)?;
    super::show_report(cli, &report, &out)
}

fn find_hancock(data: Option<&Path>, bars: &Bars) -> Result<Option<PathBuf>> {
    if let Some(given) = data {
        return Ok(Some(given.to_path_buf()));
    }
    if let Some(path) = dataset::locate("hancock", super::data_sets().as_deref()) {
        return Ok(Some(path));
    }
    let root = super::data_sets().unwrap_or_else(|| PathBuf::from("data"));
    match dataset::get(&dataset::find("hancock")?, &root, bars) {
        Ok(path) => Ok(Some(path)),
        Err(error) => {
            bars.say(&format!("note: {error}"));
            Ok(None)
        }
    }
}

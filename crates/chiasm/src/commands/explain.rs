//! One subject on the terminal.

use crate::cli::Cli;
use crate::progress::Bars;
use anyhow::Result;
use chiasm_pipeline::predict::{self, Explanation};
use chiasm_pipeline::{Progress, Run};
use serde_json::json;
use std::path::Path;

/// Features shown per modality.
const FEATURES: usize = 4;

/// Prints what drove a subject's prediction and what is missing.
pub fn run(cli: &Cli, run: &Path, data: &Path, subject: &str, bars: &Bars) -> Result<()> {
    let run = Run::open(run)?;
    let explanation = predict::explain(&run, data, subject, bars)?;
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&as_json(&explanation))?);
        return Ok(());
    }
    for finding in &explanation.findings {
        bars.say(&format!("note: {finding}"));
    }
    print!("{}", words(&explanation));
    Ok(())
}

fn as_json(e: &Explanation) -> serde_json::Value {
    let features: Vec<_> = e
        .features
        .iter()
        .map(|f| json!({ "modality": e.modalities[f.modality], "feature": f.feature, "share": f.share }))
        .collect();
    let missing: Vec<_> = e
        .answer
        .value_of_missing
        .iter()
        .map(|(m, v)| json!({ "modality": e.modalities[*m], "value_of_information": v }))
        .collect();
    json!({
        "modalities": e.modalities,
        "outputs": e.task.outputs,
        "prediction": e.answer.prediction,
        "features": features,
        "missing": missing,
    })
}

fn words(e: &Explanation) -> String {
    let p = &e.answer.prediction;
    let mut text = format!("Subject {}\n\n", p.subject);
    if let Some(reason) = &p.abstention {
        text += &format!("No usable answer: {reason}.\n\n");
    }
    for (k, output) in e.task.outputs.iter().enumerate().filter(|(k, _)| *k < p.value.len()) {
        // A number has no prediction set.
        let band = if e.answer.plausible.is_empty() { "interval" } else { "calibration allows" };
        text += &format!("{output}: {:.3}  ({band} {:.3} to {:.3})\n", p.value[k], p.low[k], p.high[k]);
    }
    if let Some(attribution) = p.attribution.first() {
        text += "\nWhat drove it (Shapley value on the log-odds or log-risk; above 0 raises the answer)\n";
        let mut shares = attribution.shares.clone();
        shares.sort_by(|a, b| b.share.abs().total_cmp(&a.share.abs()));
        let largest = shares.first().map_or(1.0, |s| s.share.abs()).max(1e-12);
        for share in shares {
            let bar = "█".repeat((share.share.abs() / largest * 24.0).round() as usize);
            text += &format!("  {:16} {:+.3}  {bar}\n", e.modalities[share.modality].as_str(), share.share);
            for f in e.features.iter().filter(|f| f.modality == share.modality).take(FEATURES) {
                text += &format!("      {:+.3}  {}\n", f.share, f.feature);
            }
        }
        if let Some(error) = attribution.sampling_error {
            text += &format!("  (sampled: standard error {error:.4})\n");
        }
    }
    if !e.answer.value_of_missing.is_empty() {
        text += "\nMissing, and how far the answer would likely move if it were there\n";
        let mut missing = e.answer.value_of_missing.clone();
        missing.sort_by(|a, b| b.1.unwrap_or(0.0).total_cmp(&a.1.unwrap_or(0.0)));
        for (m, value) in missing {
            let value = value.map_or("too few training subjects can tell".to_owned(), |v| format!("±{v:.3}"));
            text += &format!("  {:16} {value}\n", e.modalities[m].as_str());
        }
    }
    text
}

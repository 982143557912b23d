//! `chiasm quarantine`: what could not be read.

use super::evidence::say;
use crate::cli::{Cli, QuarantineCommand};
use crate::progress::Bars;
use anyhow::{Context, Result};
use chiasm_pipeline::evidence::{quarantine, site::IngestSite, store};
use serde_json::json;

/// Digits of an id that are printed.
const DIGITS: usize = 12;

/// Lists, shows, tries again.
///
/// # Errors
/// Where the store is not there or the id is not known.
pub fn run(cli: &Cli, command: &QuarantineCommand, bars: &Bars) -> Result<()> {
    match command {
        QuarantineCommand::List { store } => {
            let rows = quarantine::open(&store::open(store)?)?;
            if cli.json {
                let rows: Vec<_> = rows.iter().map(quarantine::to_json).collect();
                println!("{}", serde_json::to_string_pretty(&rows)?);
                return Ok(());
            }
            for row in &rows {
                let place = if row.place.is_empty() { String::new() } else { format!(", {}", row.place) };
                println!("{}  {}{place}: {} [{}]", &row.id[..DIGITS], row.origin, row.message, row.rule);
            }
            println!("{} open", rows.len());
            Ok(())
        }
        QuarantineCommand::Show { id, store, out } => {
            let store = store::open(store)?;
            let row = quarantine::find(&store, id)?;
            if let Some(out) = out {
                let bytes = quarantine::bytes(&store, &row)?;
                std::fs::write(out, bytes).with_context(|| format!("cannot write {}", out.display()))?;
            }
            println!("{}", serde_json::to_string_pretty(&quarantine::to_json(&row))?);
            Ok(())
        }
        QuarantineCommand::Retry { store, site } => {
            let site = IngestSite::open(site)?;
            let done = quarantine::retry(&mut store::open(store)?, &site, bars)?;
            let words = format!(
                "{} read now with {} events, {} refused again, {} no longer to be had",
                done.taken, done.totals.events, done.refused, done.gone
            );
            say(cli, json!(done), &words);
            Ok(())
        }
    }
}

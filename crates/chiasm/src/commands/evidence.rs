//! `chiasm ingest`, `timeline` and `query`: a store filled and asked.

use crate::cli::{Cli, IngestArgs};
use crate::progress::Bars;
use anyhow::{Context, Result};
use chiasm_pipeline::evidence::{ingest, linking, normalise, patient, site::IngestSite, store, timeline};
use std::path::Path;

/// Unmapped codes that are printed; `--json` has them all.
const SHOWN: usize = 15;

/// Reads sources into a store.
///
/// # Errors
/// Where a source or the site is not there, or the store cannot be written.
pub fn ingest(cli: &Cli, args: &IngestArgs, bars: &Bars) -> Result<()> {
    let site = IngestSite::open(&args.site)?;
    let mut store = store::create(&args.store, secret()?)?;
    let done = ingest::ingest(&args.sources, &site, &mut store, bars)?;
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&done)?);
        return Ok(());
    }
    let t = &done.totals;
    println!(
        "{} files read, {} unchanged, {} companions: {} new entries with {} events, {} there already, {} in quarantine",
        t.files, done.unchanged, done.companions, t.entries, t.events, t.repeated, t.rejected
    );
    if !cli.quiet {
        for (format, files) in &done.formats {
            println!("  {format:12} {files} files");
        }
        frequent("codes that no binding names", &done.tally.unmapped);
        frequent("units that are not UCUM", &done.tally.unknown_units);
        frequent("modalities with undated events, which count as known at any time", &done.tally.undated);
        let (converted, not) = (done.tally.converted, done.tally.not_converted);
        if converted + not > 0 {
            println!("  {converted} values converted to the usual unit, {not} could not be");
        }
        if t.entries == 0 && t.repeated > 0 {
            println!(
                "  what is there already keeps its codes and units; `chiasm normalise` gives it the site's present ones"
            );
        }
    }
    println!("Store: {}", args.store.display());
    Ok(())
}

/// Gives a site's events the codes and units that its bindings name now.
///
/// # Errors
/// Where there is no such site or store.
pub fn normalise(cli: &Cli, path: &Path, site: &str) -> Result<()> {
    let site = IngestSite::open(site)?;
    let mut store = store::open(path)?;
    let done = normalise::normalise(&mut store, &site)?;
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&done)?);
        return Ok(());
    }
    println!(
        "{} of {} events of {} have another code, unit or value now",
        done.changed, done.events, site.name
    );
    if !cli.quiet {
        frequent("codes that no binding names", &done.tally.unmapped);
        frequent("units that are not UCUM", &done.tally.unknown_units);
    }
    Ok(())
}

fn frequent(what: &str, counts: &std::collections::BTreeMap<String, u64>) {
    if counts.is_empty() {
        return;
    }
    println!("  {} {what}:", counts.len());
    let mut order: Vec<_> = counts.iter().collect();
    order.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (name, n) in order.iter().take(SHOWN) {
        println!("    {n:>9}  {name}");
    }
    if let Some(more) = order.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        println!("    and {more} more; --json has them all");
    }
}

/// Bytes that nobody can guess, for a store that is made.
pub(super) fn secret() -> Result<[u8; 32]> {
    use rand::TryRng;
    let mut secret = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut secret).context("the system gives no random bytes")?;
    Ok(secret)
}

/// Shows one patient.
///
/// # Errors
/// Where the store has no such patient, or `as_of` is no time.
pub fn timeline(cli: &Cli, path: &Path, patient: &str, as_of: Option<&str>, limit: usize) -> Result<()> {
    let store = store::open(path)?;
    let patient = patient::subject(&store, patient)?;
    let as_of = as_of
        .map(|text| {
            timeline::instant(text)
                .with_context(|| format!("expected a time such as 2024-03-05T12:00:00Z, found '{text}'"))
        })
        .transpose()?;
    let found = timeline::timeline(&store, patient, as_of)?;
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&found.to_json())?);
        return Ok(());
    }
    let kinds: Vec<String> = found.modalities().iter().map(|(m, n)| format!("{n} {m}")).collect();
    println!(
        "Patient {patient}: {} records, {} events ({})",
        found.records.len(),
        found.events.len(),
        kinds.join(", ")
    );
    let lines: Vec<String> = found.lines().collect();
    for line in lines.iter().take(limit) {
        println!("{line}");
    }
    if let Some(more) = lines.len().checked_sub(limit).filter(|n| *n > 0) {
        println!("and {more} more; --limit shows them");
    }
    for clock in linking::clocks(&store)?.iter().filter(|clock| clock.differs()) {
        println!("note: times are as stamped, and {}", clock.words());
    }
    Ok(())
}

/// Answers a question in SQL.
///
/// # Errors
/// What is wrong with the question.
pub fn query(cli: &Cli, path: &Path, sql: &str) -> Result<()> {
    let store = store::open(path)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let batches = runtime.block_on(store.query(sql))?;
    if cli.json {
        println!("{}", store::to_json(&batches)?);
    } else if batches.iter().all(|b| b.num_rows() == 0) {
        println!("no rows");
    } else {
        println!("{}", store::to_table(&batches)?);
    }
    Ok(())
}

/// Says `what` in JSON or in words.
pub(super) fn say(cli: &Cli, json: serde_json::Value, words: &str) {
    if cli.json { println!("{json}") } else { println!("{words}") }
}

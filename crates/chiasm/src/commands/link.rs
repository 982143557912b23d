//! `chiasm link`: who is who.

use super::evidence::say;
use crate::cli::{Cli, LinkArgs};
use crate::progress::Bars;
use anyhow::{Context, Result, bail};
use chiasm_pipeline::Progress;
use chiasm_pipeline::evidence::linking::{self, Linked, Told, Word, link_store, link_tables};
use chiasm_pipeline::evidence::store;
use serde_json::json;
use std::path::Path;

/// Pairs for review that are printed; `--json` has them all.
const SHOWN: usize = 50;

/// Links tables or a store, as asked.
///
/// # Errors
/// What is wrong with the tables, the store, or the decision.
pub fn run(cli: &Cli, args: &LinkArgs, bars: &Bars) -> Result<()> {
    if let (Some(tables), Some(out)) = (&args.records, &args.out) {
        let done = link_tables(tables, args.fields.as_deref(), args.least, out)?;
        for finding in &done.findings {
            bars.say(&format!("note: {finding}"));
        }
        let (likely, out) = (done.likely, out.display());
        let words = format!(
            "{} records, {} pairs, {likely} of them more likely one person than two: {out}",
            done.records, done.pairs
        );
        say(cli, json!(done), &words);
        return Ok(());
    }
    let Some(path) = &args.store else { bail!("expected --store, or --records with --out") };
    let mut store = store::open(path)?;
    if let Some(two) = &args.why {
        return why(cli, &store, two, args.svg.as_deref());
    }
    if args.review {
        return review(cli, &store);
    }
    let asked = [(&args.same, Word::Same), (&args.different, Word::Different), (&args.undo, Word::Undone)];
    let done = match asked.into_iter().find_map(|(two, word)| two.as_ref().map(|two| (two, word))) {
        Some((two, word)) => decide(&mut store, two, word, bars)?,
        None => link_store(&mut store, bars)?,
    };
    let mut words = format!(
        "{} records are {} patients; {} records are linked, {} pairs name one order, {} pairs are for a person to \
         decide (--review), {} of them as a file contradicts the record; {} records have a number that was given to \
         two people; {} decisions in force, {} merges name a number that no record has",
        done.records,
        done.patients,
        done.linked,
        done.ordered,
        done.review,
        done.wrong_patient,
        done.reused,
        done.decisions,
        done.unknown
    );
    for clock in done.clocks.iter().filter(|clock| clock.differs()) {
        words.push_str(&format!("\nclock: {}", clock.words()));
    }
    say(cli, json!(done), &words);
    Ok(())
}

fn decide(store: &mut store::Store, two: &[i64], word: Word, bars: &Bars) -> Result<Linked> {
    let [one, other] = two else { bail!("expected two records") };
    Ok(linking::decide(store, *one, *other, word, bars)?)
}

fn why(cli: &Cli, store: &store::Store, two: &[i64], svg: Option<&Path>) -> Result<()> {
    let [one, other] = two else { bail!("expected two records") };
    let why = linking::why(store, *one, *other)?;
    if let Some(path) = svg {
        std::fs::write(path, &why.svg).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let pair = &why.pair;
    if cli.json {
        let evidence: serde_json::Value = serde_json::from_str(&pair.evidence)?;
        let (state, reason) = (&pair.state, &pair.reason);
        println!(
            "{}",
            json!({ "records": two, "probability": pair.probability, "state": state, "reason": reason, "evidence": evidence })
        );
    } else {
        let reason = if pair.reason.is_empty() { String::new() } else { format!(" ({})", pair.reason) };
        println!(
            "{one} and {other}: {}{reason}, probability {:.6}\n\n{}",
            pair.state, pair.probability, why.text
        );
    }
    Ok(())
}

fn review(cli: &Cli, store: &store::Store) -> Result<()> {
    let pairs = linking::review(store)?;
    if cli.json {
        let mut all = Vec::with_capacity(pairs.len());
        for p in &pairs {
            let [pro, contra] = Told::of(p)?.sides();
            let by_itself = p.record_l == p.record_r;
            let records = if by_itself { vec![p.record_l.0] } else { vec![p.record_l.0, p.record_r.0] };
            all.push(json!({
                "kind": if by_itself { "record" } else { "pair" }, "records": records, "probability": p.probability, "reason": p.reason,
                "for": pro, "against": contra,
            }));
        }
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    for pair in pairs.iter().take(SHOWN) {
        if pair.record_l == pair.record_r {
            println!("{:19} by itself  {}", pair.record_l.0, pair.reason);
        } else {
            println!(
                "{:19} {:19}  {:.4}  {}",
                pair.record_l.0, pair.record_r.0, pair.probability, pair.reason
            );
        }
        for (side, words) in ["for", "against"].into_iter().zip(Told::of(pair)?.sides()) {
            if !words.is_empty() {
                println!("    {side:8} {}", words.join(", "));
            }
        }
    }
    if let Some(more) = pairs.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        println!("and {more} more; --json has them all");
    }
    println!(
        "{} pairs to decide: chiasm link --store ... --why A B shows one, --same A B or --different A B decides it, \
         --undo A B takes that back",
        pairs.len()
    );
    Ok(())
}

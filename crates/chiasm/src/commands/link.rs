//! `chiasm link`: who is who.

use super::evidence::say;
use crate::cli::{Cli, LinkArgs};
use crate::progress::Bars;
use anyhow::{Result, bail};
use chiasm_pipeline::Progress;
use chiasm_pipeline::evidence::linking;
use serde_json::json;

/// Links tables or a store, as asked.
///
/// # Errors
/// What is wrong with the tables, the store, or the decision.
pub fn run(cli: &Cli, args: &LinkArgs, bars: &Bars) -> Result<()> {
    let (Some(tables), Some(out)) = (&args.records, &args.out) else {
        bail!("linking a store is not there yet");
    };
    let done = linking::link_tables(tables, args.fields.as_deref(), args.least, out)?;
    for finding in &done.findings {
        bars.say(&format!("note: {finding}"));
    }
    let words = format!(
        "{} records, {} pairs, {} of them more likely one person than two: {}",
        done.records,
        done.pairs,
        done.likely,
        out.display()
    );
    say(cli, json!(done), &words);
    Ok(())
}

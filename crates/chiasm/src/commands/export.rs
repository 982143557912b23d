//! `chiasm export`: a store's events for others.

use crate::cli::{Cli, ExportCommand};
use crate::progress::Bars;
use anyhow::Result;
use chiasm_pipeline::evidence::{export, store};

/// Writes what was asked for.
///
/// # Errors
/// Where the folder holds something already, or the store cannot be read.
pub fn run(cli: &Cli, command: &ExportCommand, bars: &Bars) -> Result<()> {
    let ExportCommand::Meds { store: path, out, name } = command;
    let done = export::meds(&store::open(path)?, out, name.as_deref(), bars)?;
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&done)?);
        return Ok(());
    }
    println!(
        "{} subjects, {} events, {} codes in {} files: {}",
        done.subjects,
        done.events,
        done.codes,
        done.shards,
        out.display()
    );
    if done.joined > 0 {
        println!("  {} patients that several MEDS numbers were linked to; they have the first", done.joined);
    }
    if done.renumbered > 0 {
        println!(
            "  {} patients with another number: theirs is that of a patient of an earlier set",
            done.renumbered
        );
    }
    if done.left_out > 0 {
        println!("  {} events about nobody are left out", done.left_out);
    }
    Ok(())
}

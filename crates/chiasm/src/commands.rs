//! One function a command.

mod check;
mod evidence;
mod explain;
mod export;
mod link;
mod listen;
mod pull;
mod quarantine;
mod quickstart;
mod synth;

use crate::cli::{CheckArgs, Cli, Command, DataCommand, RecipeCommand};
use crate::progress::Bars;
use anyhow::{Context, Result};
use chiasm_pipeline::{Progress, Recipe, Report, Run, RunRequest, dataset, predict, run};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Does what was asked, and says with which code to end.
///
/// # Errors
/// Whatever the pipeline reports.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    let bars = Bars::new(cli.quiet);
    match &cli.command {
        Command::Check { files } => return check::run(cli, files),
        other => answer(cli, other, &bars)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(cli: &Cli, command: &Command, bars: &Bars) -> Result<()> {
    match command {
        Command::Check { files } => check::run(cli, files).map(|_| ()),
        Command::Ingest(args) => evidence::ingest(cli, args, bars),
        Command::Normalise { store, site } => evidence::normalise(cli, store, site),
        Command::Listen(args) => listen::run(cli, args),
        Command::Pull(command) => pull::run(cli, command, bars),
        Command::Synth(command) => synth::run(cli, command, bars),
        Command::Link(args) => link::run(cli, args, bars),
        Command::Timeline { store, patient, as_of, limit } => {
            evidence::timeline(cli, store, patient, as_of.as_deref(), *limit)
        }
        Command::Query { store, sql } => evidence::query(cli, store, sql),
        Command::Export(command) => export::run(cli, command, bars),
        Command::Quarantine(command) => quarantine::run(cli, command, bars),
        Command::Quickstart { data, out } => quickstart::run(cli, data.as_deref(), out, bars),
        Command::Run { recipe, data, out, site, set } => {
            let request = RunRequest {
                recipe: recipe.clone(),
                site: site.clone(),
                data: data.clone(),
                out: out.clone(),
                set: set.clone(),
            };
            let report = run::run(&request, bars)?;
            show_report(cli, &report, out)
        }
        Command::Predict { run, data, out } => predict_all(cli, run, data, out, bars),
        Command::Explain { run, data, subject } => explain::run(cli, run, data, subject, bars),
        Command::Report { run } => {
            let (report, page) = run::rebuild_report(run)?;
            if cli.json {
                println!("{}", json!({ "report": page, "verdict": report.verdict.as_str() }));
            } else {
                println!("{}\n\n{}", page.display(), report.verdict_words);
            }
            Ok(())
        }
        Command::Data(DataCommand::List) => list(cli),
        Command::Data(DataCommand::Get { name, into }) => {
            let root = into.clone().or_else(data_sets).unwrap_or_else(|| PathBuf::from("data"));
            let path = dataset::get(&dataset::find(name)?, &root, bars)?;
            if cli.json {
                println!("{}", json!({ "path": path }))
            } else {
                println!("{}", path.display())
            }
            Ok(())
        }
        Command::Recipe(RecipeCommand::Check(args)) => check_recipe(cli, args),
        Command::Recipe(RecipeCommand::Schema) => {
            println!("{}", serde_json::to_string_pretty(&Recipe::schema())?);
            Ok(())
        }
    }
}

/// The folder of data sets that CHIASM_DATA names.
fn data_sets() -> Option<PathBuf> {
    std::env::var_os("CHIASM_DATA").map(PathBuf::from)
}

fn show_report(cli: &Cli, report: &Report, out: &Path) -> Result<()> {
    if cli.json {
        println!("{}", report.to_json()?);
        return Ok(());
    }
    println!("{}", chiasm_pipeline::terminal_table(report));
    println!("Report: {}", out.join("report.html").display());
    Ok(())
}

fn predict_all(cli: &Cli, run: &Path, data: &Path, out: &Path, bars: &Bars) -> Result<()> {
    let run = Run::open(run)?;
    let answers = predict::predict(&run, data, bars)?;
    answers.write_csv(out)?;
    let abstained = answers.answers.iter().filter(|a| a.prediction.abstention.is_some()).count();
    let n = answers.answers.len();
    if cli.json {
        println!(
            "{}",
            json!({ "out": out, "subjects": n, "abstained": abstained, "findings": answers.findings })
        );
        return Ok(());
    }
    for finding in &answers.findings {
        bars.say(&format!("note: {finding}"));
    }
    println!("{n} subjects, {abstained} without a usable answer: {}", out.display());
    Ok(())
}

fn list(cli: &Cli) -> Result<()> {
    let sets = dataset::list()?;
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&sets)?);
        return Ok(());
    }
    for set in sets {
        let here = dataset::locate(&set.name, data_sets().as_deref());
        let place = match (&here, set.is_bundled()) {
            (Some(path), _) => path.display().to_string(),
            (None, true) => "in the program itself".into(),
            (None, false) => format!("chiasm data get {}", set.name),
        };
        println!(
            "{:12} {}\n{:12} {}; {}\n{:12} {place}\n",
            set.name, set.title, "", set.licence, set.homepage, ""
        );
    }
    Ok(())
}

fn check_recipe(cli: &Cli, args: &CheckArgs) -> Result<()> {
    let (recipe, site) = run::check(&args.path, args.site.as_deref()).context("not usable")?;
    if cli.json {
        println!("{}", json!({ "recipe": recipe.name, "site": site.name, "usable": true }));
    } else {
        println!("{} on site {}: nothing wrong", recipe.name, site.name);
    }
    Ok(())
}

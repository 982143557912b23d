//! What can be typed: each command and flag once; help is derived from here.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// One patient's scattered evidence, one prediction that says what it rests on.
#[derive(Debug, Parser)]
#[command(name = "chiasm", version, after_help = "Start with:  chiasm quickstart")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print the result as JSON on standard output; progress and findings go to standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but the result.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train and judge a fusion model on real data in minutes.
    #[command(
        after_help = "Example:  chiasm quickstart --data ~/data/hancock\n\nHANCOCK is taken from --data, from CHIASM_DATA/hancock, from ../shared/data/hancock, or from its public\nsource; if none can be reached, the small bundled cohort (GSE7390) is used instead."
    )]
    Quickstart {
        /// The folder that holds HANCOCK's files.
        #[arg(long)]
        data: Option<PathBuf>,
        /// The run folder.
        #[arg(long, default_value = "runs/quickstart")]
        out: PathBuf,
    },
    /// Run a recipe: cohort, training, evaluation, report. A stopped run goes on where it was.
    #[command(
        after_help = "Example:  chiasm run recipes/pancancer-survival --data ~/data/porpoise --out runs/luad --set cancer=luad"
    )]
    Run {
        /// A recipe's folder, or the name of a bundled recipe.
        recipe: String,
        /// The folder that holds the site's files.
        #[arg(long)]
        data: PathBuf,
        /// The run folder.
        #[arg(long)]
        out: PathBuf,
        /// A site's folder or the name of a bundled site; the recipe's own unless given.
        #[arg(long)]
        site: Option<String>,
        /// Fill a parameter that the recipe declares.
        #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
        set: Vec<(String, String)>,
    },
    /// Predict for every subject of a data folder, labels not needed.
    #[command(
        after_help = "Example:  chiasm predict runs/hancock --data ~/data/new-patients --out predictions.csv"
    )]
    Predict {
        /// A finished run.
        run: PathBuf,
        /// The folder that holds the site's files.
        #[arg(long)]
        data: PathBuf,
        /// The CSV file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Explain one subject: what drove the prediction, what is missing.
    #[command(after_help = "Example:  chiasm explain runs/hancock --data ~/data/hancock --subject 017")]
    Explain {
        /// A finished run.
        run: PathBuf,
        /// The folder that holds the site's files.
        #[arg(long)]
        data: PathBuf,
        /// The subject's id as it stands in the files.
        #[arg(long)]
        subject: String,
    },
    /// Say where the report is, and rebuild report.html from report.json.
    #[command(after_help = "Example:  chiasm report runs/hancock")]
    Report {
        /// A finished run.
        run: PathBuf,
    },
    /// The public data sets that the recipes use.
    #[command(subcommand)]
    Data(DataCommand),
    /// Check recipes, print their schema.
    #[command(subcommand)]
    Recipe(RecipeCommand),
}

/// About data sets.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List them.
    #[command(after_help = "Example:  chiasm data list --json")]
    List,
    /// Fetch one, or unpack a bundled one.
    #[command(after_help = "Example:  chiasm data get gse7390 --into ~/data")]
    Get {
        /// The data set's name.
        name: String,
        /// The folder of data sets; CHIASM_DATA or ./data unless given.
        #[arg(long)]
        into: Option<PathBuf>,
    },
}

/// About recipes.
#[derive(Debug, Subcommand)]
pub enum RecipeCommand {
    /// Say what is wrong in a recipe and its site, and where.
    #[command(after_help = "Example:  chiasm recipe check recipes/hancock-recurrence")]
    Check(CheckArgs),
    /// Print the JSON Schema of recipe.toml.
    #[command(after_help = "Example:  chiasm recipe schema > recipe.schema.json")]
    Schema,
}

/// What to check.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A recipe's folder or file, or the name of a bundled recipe.
    pub path: String,
    /// A site's folder or the name of a bundled site; the recipe's own unless given.
    #[arg(long)]
    pub site: Option<String>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".into()),
    }
}

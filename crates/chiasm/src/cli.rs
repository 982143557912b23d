//! What can be typed: each command and flag once; help is derived from here. Long, for there are many.

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
    /// Read files, folders and archives of a hospital's systems into a store. A stopped run goes on where it was.
    #[command(
        after_help = "Example:  chiasm ingest export/ labs.hl7 --site sites/st-mary --store st-mary.store\n\nWhat breaks a rule goes to quarantine with its place and the rule; everything else is read."
    )]
    Ingest(IngestArgs),
    /// Give a site's events in a store the codes and units that its bindings name now. Records, times and tables stay.
    #[command(after_help = "Example:  chiasm normalise --store st-mary.store --site sites/st-mary")]
    Normalise {
        /// The store's folder.
        #[arg(long)]
        store: PathBuf,
        /// The site's folder or the name of a bundled site.
        #[arg(long)]
        site: String,
    },
    /// Take what systems send, DICOM and HL7, until interrupted. Nothing is acknowledged before it is on disk.
    #[command(
        after_help = "Example:  chiasm listen --dicom 11112 --hl7 2575 --site sites/st-mary --store st-mary.store\n\nOnly this machine can call unless --bind says otherwise (0.0.0.0: everybody); --tls-certificate and --tls-key\nencrypt both. Port 0 takes a free one and says which."
    )]
    Listen(ListenArgs),
    /// Fetch what a PACS (DICOMweb) or an EHR server (FHIR) has.
    #[command(subcommand)]
    Pull(PullCommand),
    /// Make synthetic patients, with the truth beside them.
    #[command(subcommand)]
    Synth(SynthCommand),
    /// Say who is who: in a store, or in plain tables.
    #[command(
        after_help = "Examples:\n  chiasm link --store st-mary.store\n  chiasm link --store st-mary.store --review\n  chiasm link --records a.csv b.csv --out pairs.csv\n\nIn tables the first column is the record's id; fields are recognised by name, or named by --fields."
    )]
    Link(LinkArgs),
    /// Say which format a file is, what is in it, and what is wrong with it. Exit code 1 where it breaks its standard.
    #[command(after_help = "Example:  chiasm check image.dcm variants.vcf bundle.json")]
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Show one patient's evidence in time order.
    #[command(
        after_help = "Examples:\n  chiasm timeline --store st-mary.store --patient 'st-mary/mrn|12345'\n  chiasm timeline --store st-mary.store --patient 4711 --as-of 2024-03-05T12:00:00Z"
    )]
    Timeline {
        /// The store's folder.
        #[arg(long)]
        store: PathBuf,
        /// The patient's number in the store (`subject_id`), or an identifier of a source as 'authority|value'.
        #[arg(long, value_name = "ID")]
        patient: String,
        /// Only what was known then, as ISO 8601.
        #[arg(long)]
        as_of: Option<String>,
        /// Show at most so many events.
        #[arg(long, default_value_t = 200)]
        limit: usize,
    },
    /// Ask a store in SQL. Tables: events, links, pairs, clocks, entries, sources, assets, quarantine.
    #[command(
        after_help = "Example:  chiasm query --store st-mary.store \"SELECT modality, count(*) FROM events GROUP BY 1\""
    )]
    Query {
        /// The store's folder.
        #[arg(long)]
        store: PathBuf,
        /// The question.
        sql: String,
    },
    /// Write what a store holds as a data set for others.
    #[command(subcommand)]
    Export(ExportCommand),
    /// What could not be read.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// The public data sets that the recipes use.
    #[command(subcommand)]
    Data(DataCommand),
    /// Check recipes, print their schema.
    #[command(subcommand)]
    Recipe(RecipeCommand),
}

/// What to read, and where to keep it.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Files, folders, archives.
    #[arg(required = true)]
    pub sources: Vec<PathBuf>,
    /// A site's folder or the name of a bundled site, whose `ingest` table says what names and codes mean.
    #[arg(long, default_value = "plain")]
    pub site: String,
    /// The store's folder; made where there is none.
    #[arg(long)]
    pub store: PathBuf,
}

/// Where to listen.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// The port for DICOM (C-STORE, C-ECHO).
    #[arg(long, value_name = "PORT")]
    pub dicom: Option<u16>,
    /// The port for HL7 v2 over MLLP.
    #[arg(long, value_name = "PORT")]
    pub hl7: Option<u16>,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub bind: String,
    /// The AE title that callers must call; any unless given.
    #[arg(long)]
    pub ae_title: Option<String>,
    /// A PEM file with the certificate: listen with TLS.
    #[arg(long, requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// A PEM file with its key.
    #[arg(long, requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// A PEM file of authorities whose certificates callers must show.
    #[arg(long, requires = "tls_certificate")]
    pub tls_clients: Option<PathBuf>,
    /// A site's folder or the name of a bundled site.
    #[arg(long, default_value = "plain")]
    pub site: String,
    /// The store's folder; made where there is none.
    #[arg(long)]
    pub store: PathBuf,
}

/// From where to fetch.
#[derive(Debug, Subcommand)]
pub enum PullCommand {
    /// From a PACS by QIDO-RS and WADO-RS.
    #[command(
        after_help = "Example:  chiasm pull dicomweb https://pacs.example/dicom-web --dates 20260101-20260131 --store st-mary.store"
    )]
    Dicomweb {
        /// Server, store, login.
        #[command(flatten)]
        common: PullArgs,
        /// Study dates, as in 20260101-20260131.
        #[arg(long)]
        dates: Option<String>,
        /// A patient ID.
        #[arg(long)]
        patient: Option<String>,
        /// DICOM's modality, as in CT.
        #[arg(long)]
        modality: Option<String>,
        /// One study, by its instance UID.
        #[arg(long)]
        study: Option<String>,
        /// Fetch again what an earlier pull from this server has brought.
        #[arg(long)]
        again: bool,
    },
    /// From a FHIR R4 server by searches or Bulk Data export.
    #[command(
        after_help = "Examples:\n  chiasm pull fhir https://ehr.example/fhir --search 'Observation?code=718-7' --store st-mary.store\n  chiasm pull fhir https://ehr.example/fhir --export --client-id chiasm --client-key key.pem --store st-mary.store"
    )]
    Fhir {
        /// Server, store, login.
        #[command(flatten)]
        common: PullArgs,
        /// A search, as in 'Observation?code=718-7'; may be given several times.
        #[arg(long, conflicts_with = "export")]
        search: Vec<String>,
        /// Only what changed since this instant.
        #[arg(long)]
        since: Option<String>,
        /// Bulk Data export.
        #[arg(long)]
        export: bool,
        /// With --export: resource types; all unless given.
        #[arg(long, requires = "export", value_delimiter = ',')]
        types: Vec<String>,
        /// With --export: the patients of this Group.
        #[arg(long, requires = "export")]
        group: Option<String>,
        /// From the start, even where an earlier pull was stopped on the way.
        #[arg(long)]
        again: bool,
    },
}

/// Server, store, login.
#[derive(Debug, Args)]
pub struct PullArgs {
    /// The server's address.
    pub url: String,
    /// A site's folder or the name of a bundled site.
    #[arg(long, default_value = "plain")]
    pub site: String,
    /// The store's folder; made where there is none.
    #[arg(long)]
    pub store: PathBuf,
    /// Log in with this name.
    #[arg(long)]
    pub user: Option<String>,
    /// The file whose first line is the password or the bearer token.
    #[arg(long, conflicts_with = "secret_variable")]
    pub secret_file: Option<PathBuf>,
    /// The environment variable that holds the password or the bearer token.
    #[arg(long, value_name = "NAME")]
    pub secret_variable: Option<String>,
    /// SMART Backend Services: the client's id.
    #[arg(long, requires = "client_key")]
    pub client_id: Option<String>,
    /// SMART Backend Services: a PEM file with the private key (RSA, or EC P-384).
    #[arg(long, requires = "client_id")]
    pub client_key: Option<PathBuf>,
    /// SMART Backend Services: the key's id at the server.
    #[arg(long, requires = "client_id")]
    pub client_key_id: Option<String>,
    /// SMART Backend Services: where tokens are given; the server says it unless given.
    #[arg(long, requires = "client_id")]
    pub token_url: Option<String>,
    /// Another host to which the server's links may lead; may be given several times.
    #[arg(long)]
    pub allow_host: Vec<String>,
}

/// What to make.
#[derive(Debug, Subcommand)]
pub enum SynthCommand {
    /// A hospital's raw exports: FHIR, HL7, DICOM, slides, VCF, signals.
    #[command(after_help = "Example:  chiasm synth hospital --patients 1000 --seed 1 --out hospital")]
    Hospital {
        /// How many patients, 10 to 1,000,000.
        #[arg(long)]
        patients: u64,
        /// The seed of everything random.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Images, slides, genomes and signals of so many patients; 2,000 unless given.
        #[arg(long)]
        heavy: Option<u64>,
        /// A new or empty folder.
        #[arg(long)]
        out: PathBuf,
    },
    /// Records of people alone, to link at scale.
    #[command(after_help = "Example:  chiasm synth people --records 1000000 --seed 1 --out people.csv")]
    People {
        /// How many records.
        #[arg(long)]
        records: u64,
        /// The seed of everything random.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The CSV file; the truth is written beside it.
        #[arg(long)]
        out: PathBuf,
    },
}

/// Whom to link.
#[derive(Debug, Args)]
pub struct LinkArgs {
    /// The store's folder.
    #[arg(long, required_unless_present = "records", conflicts_with = "records")]
    pub store: Option<PathBuf>,
    /// List the pairs that a person should decide, with what speaks for and against.
    #[arg(long, requires = "store")]
    pub review: bool,
    /// Decide that two records are one person.
    #[arg(long, num_args = 2, value_names = ["RECORD", "RECORD"], requires = "store")]
    pub same: Option<Vec<i64>>,
    /// Decide that two records are two people.
    #[arg(long, num_args = 2, value_names = ["RECORD", "RECORD"], requires = "store", conflicts_with = "same")]
    pub different: Option<Vec<i64>>,
    /// Take back the last decision on two records: everything is as if it had not been made.
    #[arg(long, num_args = 2, value_names = ["RECORD", "RECORD"], requires = "store", conflicts_with_all = ["same", "different"])]
    pub undo: Option<Vec<i64>>,
    /// Show what speaks for and against two records being one person.
    #[arg(long, num_args = 2, value_names = ["RECORD", "RECORD"], requires = "store")]
    pub why: Option<Vec<i64>>,
    /// With --why: write the picture to an SVG file.
    #[arg(long, requires = "why")]
    pub svg: Option<PathBuf>,
    /// One table to find its duplicates, or two to link one with the other.
    #[arg(long, num_args = 1..=2, value_name = "CSV", requires = "out")]
    pub records: Option<Vec<PathBuf>>,
    /// With --records: the CSV file of pairs to write.
    #[arg(long, requires = "records")]
    pub out: Option<PathBuf>,
    /// With --records: a TOML file that says which column is which field.
    #[arg(long, requires = "records")]
    pub fields: Option<PathBuf>,
    /// With --records: the least probability of a pair that is written.
    #[arg(long, default_value_t = 0.01, requires = "records")]
    pub least: f64,
}

/// What to write.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// All events as a MEDS 0.4 data set: data/, metadata/codes.parquet, metadata/dataset.json.
    #[command(
        after_help = "Example:  chiasm export meds --store st-mary.store --out st-mary.meds\n\nA subject is a patient after linking. Rows that came from a MEDS set have the subject's number, the code and every\ncolumn that they had there; the folder is there whole or not at all."
    )]
    Meds {
        /// The store's folder.
        #[arg(long)]
        store: PathBuf,
        /// A new or empty folder.
        #[arg(long)]
        out: PathBuf,
        /// The data set's name; that of the one set that all of it came from, or the sites' names, unless given.
        #[arg(long)]
        name: Option<String>,
    },
}

/// About what could not be read.
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// List what is open.
    #[command(after_help = "Example:  chiasm quarantine list --store st-mary.store")]
    List {
        /// The store's folder.
        #[arg(long)]
        store: PathBuf,
    },
    /// Show one, and write its bytes to a file.
    #[command(after_help = "Example:  chiasm quarantine show 3f2a --store st-mary.store --out message.hl7")]
    Show {
        /// The beginning of its id.
        id: String,
        /// The store's folder.
        #[arg(long)]
        store: PathBuf,
        /// Where to write the part that could not be read. It may hold a patient's data.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Try again what is open, after a fix.
    #[command(after_help = "Example:  chiasm quarantine retry --store st-mary.store --site sites/st-mary")]
    Retry {
        /// The store's folder.
        #[arg(long)]
        store: PathBuf,
        /// The site whose parts are tried.
        #[arg(long, default_value = "plain")]
        site: String,
    },
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

//! From a recipe and a data folder to a run folder: examples, folds, the final model, the report.

use crate::cohort::{self, Cohort};
use crate::fold::{self, FoldResult, Predicted};
use crate::folder::RunFolder;
use crate::recipe::{Recipe, SplitRecipe};
use crate::{Error, Progress, bundle, report, table};
use chiasm_cohort::{Examples, Mode, Schema, Site, split};
use chiasm_evaluate::Report;
use chiasm_learn::checkpoint::Checkpoint;
use chiasm_learn::predict::Predictor;
use chiasm_learn::seed;
use chiasm_learn::trained::{Sets, Trained};
use chiasm_record::Outcome;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a user asks for.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// A recipe's folder or file, or the name of a bundled one.
    pub recipe: String,
    /// A site's folder or file, or the name of a bundled one; the recipe's own unless named.
    pub site: Option<String>,
    /// The folder that holds the site's files.
    pub data: PathBuf,
    /// The run folder.
    pub out: PathBuf,
    /// `--set KEY=VALUE`.
    pub set: Vec<(String, String)>,
}

/// What a run was made of: `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the run folder's layout.
    pub version: u32,
    /// Version of the program.
    pub software: String,
    /// Hash over recipe, site, parameters and data: the same fingerprint gives the same report.
    pub fingerprint: String,
    /// The parameters.
    pub parameters: BTreeMap<String, String>,
    /// Path below the data folder -> BLAKE3 of the file.
    pub files: BTreeMap<String, String>,
    /// Subjects, in row order of the split.
    pub subjects: usize,
    /// Per repeat, per subject: the fold that held it out.
    pub split: Vec<Vec<usize>>,
}

/// The layout of the run folder that this code writes.
const VERSION: u32 = 1;

/// A run as opened from its folder.
pub struct Run {
    /// The folder.
    pub folder: RunFolder,
    /// Its record.
    pub record: RunRecord,
    /// The recipe as used.
    pub recipe: Recipe,
    /// The site as used.
    pub site: Site,
    /// What the examples held.
    pub schema: Schema,
    /// The final model.
    pub predictor: Predictor,
}

/// Reads and checks a recipe and its site; names that the site does not know are refused.
///
/// # Errors
/// [`Error::Recipe`], [`Error::Unknown`], [`Error::Cohort`] (an outcome bound as an input, for one).
pub fn check(recipe: &str, site: Option<&str>) -> Result<(Recipe, Site), Error> {
    let text = bundle::recipe(recipe)?;
    let recipe = Recipe::parse(&text.text, &text.place)?;
    let text = bundle::site(site.unwrap_or(&recipe.site))?;
    let site = Site::parse(&text.text).map_err(|e| at(&text.place, e))?;
    let undeclared = site.parameters().into_iter().find(|p| !recipe.parameters.contains_key(p));
    if let Some(parameter) = undeclared {
        return Err(Error::Recipe {
            place: text.place,
            message: format!("its files need the parameter '{parameter}', which the recipe does not declare"),
        });
    }
    let parameters = recipe.parameters(&[])?;
    chiasm_cohort::inputs(&site, &recipe.cohort(), Mode::Train, &parameters)?;
    Ok((recipe, site))
}

fn at(place: &str, error: chiasm_cohort::Error) -> Error {
    match error {
        chiasm_cohort::Error::Site { .. } => {
            Error::Recipe { place: place.to_owned(), message: error.to_string() }
        }
        other => other.into(),
    }
}

/// Runs a recipe; a run that was stopped goes on at its last finished fold.
///
/// # Errors
/// Whatever is wrong with recipe, site, data or disk. Files of the folder are whole or absent.
pub fn run(request: &RunRequest, progress: &dyn Progress) -> Result<Report, Error> {
    let (recipe, site) = check(&request.recipe, request.site.as_deref())?;
    let parameters = recipe.parameters(&request.set)?;
    let cohort = cohort::read(&recipe, &site, &request.data, &parameters, Mode::Train, progress)?;
    for finding in &cohort.assembled.findings {
        progress.say(&format!("note: {finding}"));
    }
    let examples = &cohort.assembled.examples;
    let there = examples.blocks().len();
    if there < 2 {
        let message =
            format!("found data of {there} modality, expected at least 2: a fusion of one modality is none");
        return Err(Error::Recipe { place: format!("{} at site {}", recipe.name, site.name), message });
    }
    if let (Some(Outcome::Survival { time, .. }), Some(horizon)) = (examples.outcome(), recipe.horizon())
        && !time.iter().any(|&t| t > horizon)
    {
        let message =
            format!("horizon_years: found {horizon}, expected a time beyond which some subject was followed");
        return Err(Error::Recipe { place: format!("{} at site {}", recipe.name, site.name), message });
    }
    let split = split_of(&recipe, &cohort)?;
    let record = RunRecord {
        version: VERSION,
        software: concat!("chiasm ", env!("CARGO_PKG_VERSION")).to_owned(),
        fingerprint: fingerprint(&recipe, &site, &parameters, &cohort.files)?,
        parameters,
        files: cohort.files.clone(),
        subjects: examples.len(),
        split,
    };
    let folder = prepare(request, &recipe, &site, &record, &cohort)?;

    let learning = recipe.learning(&examples.modalities());
    let total: usize = record.split.iter().map(|folds| fold_count(folds)).sum();
    progress.begin("cross-validation", total);
    let models = there + recipe.fusions.len();
    let subsets = fold::subsets(examples);
    let mut results = Vec::with_capacity(record.split.len());
    for (repeat, folds) in record.split.iter().enumerate() {
        let mut of_repeat = Vec::new();
        for fold in 0..fold_count(folds) {
            let name = format!("folds/repeat{}-fold{}.json", repeat + 1, fold + 1);
            let rows = split::rows_of(fold, folds).1;
            let done = finished(&folder, &name)?;
            let result = match done.filter(|d| d.belongs(&record.fingerprint, &rows, models, &subsets)) {
                Some(done) => done,
                None => {
                    let seed = seed::derive(recipe.seed, &[repeat as u64, fold as u64]);
                    let horizon = recipe.horizon();
                    let run = fold::run(examples, folds, fold, &learning, recipe.confidence, horizon, seed);
                    let mut done = run.map_err(|e| e.in_fold(repeat, fold))?;
                    done.fingerprint.clone_from(&record.fingerprint);
                    folder.write_json(&name, &done)?;
                    done
                }
            };
            of_repeat.push(result);
            progress.advance();
        }
        results.push(of_repeat);
    }

    progress.begin("final model", 1);
    let predictor = final_model(examples, &recipe, &learning)?;
    save(&folder, &predictor)?;
    progress.advance();

    progress.begin("evaluation", 1);
    let singles = examples.modalities().into_iter().map(|m| m.to_string());
    let names: Vec<String> = singles.chain(recipe.fusions.iter().map(|f| f.name().to_owned())).collect();
    table::write_predictions(&folder.path("predictions.parquet"), examples, &results, &names)?;
    let report =
        report::build(reproduce(request, &recipe, &site), &recipe, &record, &cohort, &results, &predictor)?;
    write_report(&folder, &report)?;
    progress.advance();
    Ok(report)
}

/// The command that makes the run again, without paths of this machine.
fn reproduce(request: &RunRequest, recipe: &Recipe, site: &Site) -> String {
    let set: String = request.set.iter().map(|(k, v)| format!(" --set {k}={v}")).collect();
    let site = request.site.as_ref().map(|_| format!(" --site sites/{}", site.name)).unwrap_or_default();
    format!("chiasm run recipes/{} --data DIR --out RUN{site}{set}", recipe.name)
}

/// Writes report.json and report.html.
fn write_report(folder: &RunFolder, report: &Report) -> Result<(), Error> {
    let text = report
        .to_json()
        .map_err(|e| Error::Broken { path: folder.path("report.json"), message: e.to_string() })?;
    folder.write("report.json", text.as_bytes())?;
    folder.write("report.html", chiasm_evaluate::html::render(report).as_bytes())
}

/// Rebuilds report.html from report.json. Returns the report and the page's path.
///
/// # Errors
/// [`Error::NotARun`], [`Error::Missing`] where the run is not finished, [`Error::Broken`].
pub fn rebuild_report(root: &Path) -> Result<(Report, PathBuf), Error> {
    let folder = RunFolder::open(root)?;
    let path = folder.path("report.json");
    if !path.is_file() {
        let hint = "; the run is not finished: run it again with the same --out and it goes on".to_owned();
        return Err(Error::Missing { path, hint });
    }
    let text = String::from_utf8_lossy(&folder.read("report.json")?).into_owned();
    let report = Report::from_json(&text).map_err(|e| Error::Broken { path, message: e.to_string() })?;
    folder.write("report.html", chiasm_evaluate::html::render(&report).as_bytes())?;
    Ok((report, folder.path("report.html")))
}

fn split_of(recipe: &Recipe, cohort: &Cohort) -> Result<Vec<Vec<usize>>, Error> {
    let examples = &cohort.assembled.examples;
    match (&recipe.split, &cohort.assembled.folds) {
        (SplitRecipe::Given { .. }, Some(folds)) => Ok(vec![folds.clone()]),
        (SplitRecipe::Given { name }, None) => Err(Error::Unknown {
            what: "set of folds",
            name: name.clone(),
            hint: "; the site gives none".into(),
        }),
        (SplitRecipe::RepeatedKFold { folds, repeats }, _) => {
            let strata = examples.outcome().map(|o| chiasm_learn::strata(o, *folds)).unwrap_or_default();
            Ok(split::repeated(examples.subjects(), &strata, *folds, *repeats, recipe.seed)?)
        }
    }
}

/// A fold's file, where there is a readable one; another program's or a damaged one counts as none.
fn finished(folder: &RunFolder, name: &str) -> Result<Option<FoldResult>, Error> {
    if !folder.path(name).is_file() {
        return Ok(None);
    }
    match folder.read_json(name) {
        Ok(done) => Ok(Some(done)),
        Err(Error::Broken { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

fn fold_count(folds: &[usize]) -> usize {
    folds.iter().max().map_or(0, |last| last + 1)
}

/// Opens a new run folder, or the same run's folder again.
fn prepare(
    request: &RunRequest,
    recipe: &Recipe,
    site: &Site,
    record: &RunRecord,
    cohort: &Cohort,
) -> Result<RunFolder, Error> {
    if let Ok(folder) = RunFolder::open(&request.out) {
        let earlier: RunRecord = folder.read_json("run.json")?;
        if earlier.fingerprint != record.fingerprint {
            return Err(Error::OtherRun { path: request.out.clone() });
        }
        return Ok(folder);
    }
    if !RunFolder::is_free(&request.out) {
        return Err(Error::NotEmpty { path: request.out.clone() });
    }
    let folder = RunFolder::create(&request.out)?;
    let toml = |name: &str, value: Result<String, toml::ser::Error>| {
        value.map_err(|e| Error::Broken { path: folder.path(name), message: e.to_string() })
    };
    folder.write("recipe.toml", toml("recipe.toml", toml::to_string_pretty(recipe))?.as_bytes())?;
    folder.write("site.toml", toml("site.toml", toml::to_string_pretty(site))?.as_bytes())?;
    folder.write_json("schema.json", &cohort.assembled.schema)?;
    // With the ids of subjects, which the report leaves out.
    folder.write_json("findings.json", &cohort.assembled.findings)?;
    folder.write_json("run.json", record)?;
    Ok(folder)
}

fn fingerprint(
    recipe: &Recipe,
    site: &Site,
    parameters: &BTreeMap<String, String>,
    files: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let parts = (VERSION, env!("CARGO_PKG_VERSION"), recipe, site, parameters, files);
    let bytes = serde_json::to_vec(&parts)
        .map_err(|e| Error::Broken { path: "run.json".into(), message: e.to_string() })?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

fn final_model(
    examples: &Examples,
    recipe: &Recipe,
    learning: &chiasm_learn::config::LearnConfig,
) -> Result<Predictor, Error> {
    let seed = seed::derive(recipe.seed, &[u64::MAX]);
    let all = fold::subsets(examples);
    let (trained, reference) = Trained::fit(examples, learning, Sets::all(&all), recipe.horizon(), seed)?;
    Ok(Predictor { trained, reference, confidence: recipe.confidence, seed })
}

fn save(folder: &RunFolder, predictor: &Predictor) -> Result<(), Error> {
    let checkpoint = predictor.save()?;
    folder.write("checkpoint/model.json", &checkpoint.model)?;
    folder.write("checkpoint/reference.json", &checkpoint.reference)?;
    match &checkpoint.tensors {
        Some(tensors) => folder.write("checkpoint/net.safetensors", tensors),
        None => Ok(()),
    }
}

impl Run {
    /// Opens a finished run.
    ///
    /// # Errors
    /// [`Error::NotARun`], [`Error::Read`], [`Error::Broken`], and damaged checkpoints.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let folder = RunFolder::open(root)?;
        let record: RunRecord = folder.read_json("run.json")?;
        if record.version != VERSION {
            let message = format!("found version {}, expected {VERSION}", record.version);
            return Err(Error::Broken { path: folder.path("run.json"), message });
        }
        let text = |name: &str| -> Result<String, Error> {
            Ok(String::from_utf8_lossy(&folder.read(name)?).into_owned())
        };
        let recipe = Recipe::parse(&text("recipe.toml")?, &folder.path("recipe.toml").display().to_string())?;
        let site = Site::parse(&text("site.toml")?)?;
        let tensors = folder.path("checkpoint/net.safetensors");
        let checkpoint = Checkpoint {
            model: folder.read("checkpoint/model.json")?,
            reference: folder.read("checkpoint/reference.json")?,
            tensors: tensors.is_file().then(|| folder.read("checkpoint/net.safetensors")).transpose()?,
        };
        Ok(Self {
            record,
            schema: folder.read_json("schema.json")?,
            predictor: Predictor::load(&checkpoint).map_err(|e| match e {
                chiasm_learn::Error::Checkpoint { message } => {
                    Error::Broken { path: folder.path("checkpoint"), message }
                }
                other => other.into(),
            })?,
            folder,
            recipe,
            site,
        })
    }

    /// Reads the subjects of a data folder the way that training did, labels not needed.
    ///
    /// # Errors
    /// A folder that no longer fits the run: an unknown category, a missing column, another unit.
    pub fn read(&self, data: &Path, progress: &dyn Progress) -> Result<Cohort, Error> {
        let mode = Mode::Predict(&self.schema);
        cohort::read(&self.recipe, &self.site, data, &self.record.parameters, mode, progress)
    }
}

/// The rows' scores of one model over the whole repeat, in row order.
pub(crate) fn gather(results: &[FoldResult], n: usize, of: impl Fn(&FoldResult) -> &Predicted) -> Predicted {
    let curves = results.first().is_some_and(|r| !of(r).survival.is_empty());
    let mut all = Predicted {
        link: vec![None; n],
        answer: vec![None; n],
        survival: if curves { vec![None; n] } else { Vec::new() },
    };
    for result in results {
        let part = of(result);
        for (i, &row) in result.rows.iter().enumerate() {
            all.link[row].clone_from(&part.link[i]);
            all.answer[row].clone_from(&part.answer[i]);
            if curves {
                all.survival[row].clone_from(&part.survival[i]);
            }
        }
    }
    all
}

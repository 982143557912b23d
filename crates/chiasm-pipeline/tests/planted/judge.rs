//! The procedure of `chiasm run` on examples that are in memory, without files.
#![allow(clippy::result_large_err, reason = "a test's error is made once")]

use chiasm_cohort::{Assembled, Flow, Schema, split};
use chiasm_learn::predict::Predictor;
use chiasm_learn::seed;
use chiasm_learn::trained::{Sets, Trained};
use chiasm_pipeline::cohort::Cohort;
use chiasm_pipeline::fold::{self, FoldResult};
use chiasm_pipeline::recipe::SplitRecipe;
use chiasm_pipeline::run::RunRecord;
use chiasm_pipeline::{Error, Recipe, Report, report};
use chiasm_synth::Synthetic;
use std::collections::BTreeMap;

/// What a run found, and what it found it with.
#[allow(dead_code, reason = "not every user of this file looks at everything")]
pub struct Judged {
    pub report: Report,
    pub predictor: Predictor,
    /// `[repeat][fold]`.
    pub folds: Vec<Vec<FoldResult>>,
}

/// The cohort's own recipe with so many repeats of so many outer folds.
pub fn recipe(cohort: &Synthetic, folds: usize, repeats: usize) -> Result<Recipe, Error> {
    let mut recipe = Recipe::parse(&cohort.recipe(), cohort.name)?;
    recipe.split = SplitRecipe::RepeatedKFold { folds, repeats };
    Ok(recipe)
}

/// Nested cross-validation, the final model, the report.
pub fn judge(cohort: &Synthetic, recipe: &Recipe) -> Result<Judged, Error> {
    let examples = &cohort.examples;
    let SplitRecipe::RepeatedKFold { folds: k, repeats } = recipe.split else {
        return Err(Error::Recipe {
            place: cohort.name.into(),
            message: "expected a repeated k-fold split".into(),
        });
    };
    let strata = examples.outcome().map(|o| o.strata()).unwrap_or_default();
    let split = split::repeated(examples.subjects(), &strata, k, repeats, recipe.seed)?;
    let learning = recipe.learning(&examples.modalities());
    let (confidence, horizon) = (recipe.confidence, recipe.horizon());
    let mut folds = Vec::new();
    for (r, fold_of) in split.iter().enumerate() {
        let one = |f| {
            let seed = seed::derive(recipe.seed, &[r as u64, f as u64]);
            fold::run(examples, fold_of, f, &learning, confidence, horizon, seed)
        };
        folds.push((0..k).map(one).collect::<Result<Vec<_>, _>>()?);
    }
    let seed = seed::derive(recipe.seed, &[u64::MAX]);
    let (trained, reference) =
        Trained::fit(examples, &learning, Sets::all(&fold::subsets(examples)), horizon, seed)?;
    let predictor = Predictor { trained, reference, confidence, seed };

    let n = examples.len();
    let schema = Schema { site: cohort.name.into(), task: examples.task().clone(), modalities: Vec::new() };
    let flow = Flow { seen: n, included: n, ..Flow::default() };
    let assembled = Assembled { examples: examples.clone(), schema, findings: Vec::new(), flow, folds: None };
    let record = RunRecord {
        version: 1,
        software: String::new(),
        fingerprint: String::new(),
        parameters: BTreeMap::new(),
        files: BTreeMap::new(),
        subjects: n,
        split,
    };
    let in_memory = Cohort { assembled, files: BTreeMap::new() };
    let report = report::build(String::new(), recipe, &record, &in_memory, &folds, &predictor)?;
    Ok(Judged { report, predictor, folds })
}

//! From finished folds to a report: the pipeline's words, evaluation's numbers, the features that drive
//! each modality.

use crate::Error;
use crate::cohort::Cohort;
use crate::fold::{FoldResult, Predicted};
use crate::recipe::{Recipe, SplitRecipe};
use crate::run::{RunRecord, gather};
use chiasm_evaluate::metrics::spearman;
use chiasm_evaluate::{
    AssessOptions, FoldChoice, FusionName, HeldOut, HeldOutRepeat, Report, Scores, assess,
};
use chiasm_evaluate::{FeatureShare, FlowStep, Protocol, ReportFinding};
use chiasm_learn::config::FusionConfig;
use chiasm_learn::head::curve_times;
use chiasm_learn::net::FusionKind;
use chiasm_learn::predict::Predictor;
use chiasm_learn::trained::Which;
use chiasm_record::{Availability, Content, FeatureKind, Modality};
use std::collections::BTreeMap;

/// Features told per modality.
const TOP_FEATURES: usize = 12;

/// Builds the report of a run. `reproduce`: the command that makes it again.
///
/// # Errors
/// Whatever evaluation refuses.
pub fn build(
    reproduce: String,
    recipe: &Recipe,
    record: &RunRecord,
    cohort: &Cohort,
    results: &[Vec<FoldResult>],
    predictor: &Predictor,
) -> Result<Report, Error> {
    let held_out = held_out(recipe, cohort, record, results, predictor)?;
    let mut report = Report::new(recipe.name.clone(), recipe.task.kind);
    report.question.clone_from(&recipe.question);
    report.intended_use.clone_from(&recipe.intended_use);
    report.limits.clone_from(&recipe.limits);
    report.software.clone_from(&record.software);
    report.fingerprint.clone_from(&record.fingerprint);
    report.reproduce = reproduce;
    report.data_flow = flow(cohort);
    report.findings = cohort.assembled.findings.iter().map(ReportFinding::from).collect();
    report.protocol = protocol(recipe, record);
    report.configurations_tried =
        results.iter().flatten().map(|f| f.tried).sum::<usize>() + predictor.trained.tried();
    let options = AssessOptions { margin: recipe.margin, seed: recipe.seed, bootstrap: 200 };
    let mut report = assess(&held_out, &options, report)?;
    add_features(&mut report, cohort, predictor)?;
    Ok(report)
}

fn held_out(
    recipe: &Recipe,
    cohort: &Cohort,
    record: &RunRecord,
    results: &[Vec<FoldResult>],
    predictor: &Predictor,
) -> Result<HeldOut, Error> {
    let examples = &cohort.assembled.examples;
    let Some(outcome) = examples.outcome() else {
        return Err(Error::Broken { path: "examples".into(), message: "no outcomes".into() });
    };
    let modalities = examples.modalities();
    let (Which::Fusion(selected), Which::Single(best_single)) =
        (predictor.trained.selected(), predictor.trained.best_single())
    else {
        return Err(Error::Broken {
            path: "model".into(),
            message: "a fusion and a single were expected".into(),
        });
    };
    let n = examples.len();
    let outputs = examples.task().outputs.len();
    let repeats = results
        .iter()
        .zip(&record.split)
        .map(|(results, fold)| repeat(results, fold, n, outputs, modalities.len()))
        .collect();
    Ok(HeldOut {
        task: examples.task().clone(),
        outcome: outcome.clone(),
        horizon: recipe.horizon(),
        times: recipe.horizon().map_or_else(Vec::new, curve_times),
        availability: (0..n).map(|r| examples.availability(r)).collect(),
        subgroups: examples.subgroups().iter().map(|s| (s.name.clone(), s.values.clone())).collect(),
        fusions: recipe.fusions.iter().map(|f| fusion_name(f, &modalities)).collect(),
        modalities,
        confidence: recipe.confidence,
        repeats,
        selected,
        best_single,
    })
}

fn repeat(results: &[FoldResult], fold: &[usize], n: usize, outputs: usize, singles: usize) -> HeldOutRepeat {
    let models = results.first().map_or(0, |r| r.models.len());
    let subsets: Vec<Availability> =
        results.first().map_or_else(Vec::new, |r| r.subsets.iter().map(|(s, _)| *s).collect());
    let model = |k: usize| scores(gather(results, n, |r| &r.models[k]), outputs);
    let mut repeat = HeldOutRepeat {
        fold: fold.to_vec(),
        choices: results
            .iter()
            .map(|r| FoldChoice {
                fusion: r.fusion,
                single: r.single,
                losses: r.losses.clone(),
                thresholds: r.thresholds.clone(),
            })
            .collect(),
        singles: (0..singles).map(model).collect(),
        fusions: (singles..models).map(model).collect(),
        subsets: subsets
            .into_iter()
            .enumerate()
            .map(|(i, set)| (set, scores(gather(results, n, |r| &r.subsets[i].1), outputs)))
            .collect(),
        interval: vec![Vec::new(); n],
        abstained: vec![false; n],
        covered: vec![None; n],
        attribution: vec![None; n],
    };
    for result in results {
        for (i, &row) in result.rows.iter().enumerate() {
            repeat.interval[row] = result.interval[i]
                .iter()
                .map(|(low, high)| (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY)))
                .collect();
            repeat.abstained[row] = result.abstained[i];
            repeat.covered[row] = result.covered[i];
            repeat.attribution[row].clone_from(&result.attribution[i]);
        }
    }
    repeat
}

fn scores(predicted: Predicted, outputs: usize) -> Scores {
    let filled = |rows: Vec<Option<Vec<f64>>>| {
        rows.into_iter().map(|row| row.unwrap_or_else(|| vec![f64::NAN; outputs])).collect()
    };
    Scores {
        link: filled(predicted.link),
        answer: filled(predicted.answer),
        survival: predicted.survival.into_iter().map(Option::unwrap_or_default).collect(),
    }
}

fn fusion_name(fusion: &FusionConfig, modalities: &[Modality]) -> FusionName {
    let all = Availability::all(modalities.len());
    let (kind, seen) = match fusion {
        FusionConfig::Stacked { .. } => ("stacked", all),
        FusionConfig::Concat { modalities: None, .. } => ("concat", all),
        FusionConfig::Concat { modalities: Some(names), .. } => {
            let positions = names.iter().filter_map(|n| modalities.iter().position(|m| m.as_str() == n));
            ("concat", positions.fold(Availability::NONE, Availability::with))
        }
        FusionConfig::Net { net, .. } => match net.kind {
            FusionKind::Attention => ("attention", all),
            FusionKind::CrossAttention => ("cross_attention", all),
        },
    };
    FusionName { name: fusion.name().to_owned(), kind: kind.to_owned(), modalities: seen }
}

fn flow(cohort: &Cohort) -> Vec<FlowStep> {
    let flow = &cohort.assembled.flow;
    let mut left = flow.seen;
    let mut steps =
        vec![FlowStep { step: "subjects in any table".into(), n: left, dropped: 0, reason: None }];
    for (reason, &dropped) in &flow.excluded {
        left -= dropped;
        steps.push(FlowStep { step: "left out".into(), n: left, dropped, reason: Some(reason.clone()) });
    }
    steps.push(FlowStep { step: "in the analysis".into(), n: flow.included, dropped: 0, reason: None });
    steps
}

fn protocol(recipe: &Recipe, record: &RunRecord) -> Protocol {
    let folds = record.split.first().map_or(0, |f| f.iter().max().map_or(0, |m| m + 1));
    let outer = match &recipe.split {
        SplitRecipe::RepeatedKFold { repeats, .. } => {
            format!("Subjects were held out in {folds} stratified folds, {repeats} times over.")
        }
        SplitRecipe::Given { name } => {
            format!("Subjects were held out in the {folds} folds '{name}' that the source gives.")
        }
    };
    Protocol {
        words: vec![
            outer,
            format!(
                "Inside each training set, {} folds chose every expert's setting and the best single modality by held-out likelihood, and kept the first fusion of the recipe unless another's held-out likelihood was better by more than one standard error over folds; scaling, ranks, levels, calibration and thresholds were learned there too.",
                recipe.inner_folds
            ),
            "The held-out subjects of a fold were looked at once, by the models that their training set had chosen.".into(),
            format!("Index time: {}", recipe.index_time),
        ],
        outer_folds: folds,
        inner_folds: recipe.inner_folds,
        repeats: record.split.len(),
        seed: recipe.seed,
    }
}

/// Mean absolute share of each feature inside its modality, from the final model on all subjects.
fn add_features(report: &mut Report, cohort: &Cohort, predictor: &Predictor) -> Result<(), Error> {
    let Some(attribution) = &mut report.attribution else { return Ok(()) };
    let examples = &cohort.assembled.examples;
    let rows: Vec<usize> = (0..examples.len()).collect();
    let modalities = examples.modalities();
    let mut shares: BTreeMap<(usize, String), Vec<(usize, f64)>> = BTreeMap::new();
    for (&row, of_row) in rows.iter().zip(predictor.trained.features(examples, &rows, 0)?) {
        for share in of_row.into_iter().filter(|s| examples.blocks()[s.modality].present[row]) {
            shares.entry((share.modality, share.feature)).or_default().push((row, share.share));
        }
    }
    for summary in &mut attribution.modalities {
        let Some(m) = modalities.iter().position(|m| m.as_str() == summary.name) else { continue };
        let mut features: Vec<FeatureShare> = shares
            .iter()
            .filter(|((modality, _), _)| *modality == m)
            .map(|((_, name), shares)| FeatureShare {
                name: name.clone(),
                mean_abs_share: shares.iter().map(|(_, s)| s.abs()).sum::<f64>() / shares.len() as f64,
                direction: direction(&examples.blocks()[m].content, name, shares),
            })
            .collect();
        features.sort_by(|a, b| b.mean_abs_share.total_cmp(&a.mean_abs_share).then(a.name.cmp(&b.name)));
        features.truncate(TOP_FEATURES);
        summary.features = features;
    }
    Ok(())
}

/// Rank correlation of a feature's value with its share over the subjects where it is known; `None` for
/// codes without order, slots of a bag, and what does not vary.
fn direction(content: &Content, name: &str, shares: &[(usize, f64)]) -> Option<f64> {
    let Content::Table(grid) = content else { return None };
    let f = grid.features.iter().position(|f| f.name == name)?;
    if matches!(grid.features[f].kind, FeatureKind::Nominal(_)) {
        return None;
    }
    let known = shares.iter().filter_map(|&(row, share)| Some((grid.get(row, f)?, share)));
    let (values, shares): (Vec<f64>, Vec<f64>) = known.unzip();
    spearman(&values, &shares).ok()
}

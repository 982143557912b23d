//! From tables, through a site's binding, to examples.

mod bag;
mod cell;
mod derive;
mod evidence;
mod folds;
mod grid;
mod join;
mod keyed;
mod label;
mod subgroup;
mod tables;

pub(crate) use cell::code;
use tables::Tables;

use crate::{CohortSpec, Error, Examples, Flow, Schema, Site, Sources};
use chiasm_record::{Block, Finding, SubjectId, Task};
use std::collections::BTreeMap;

/// What the examples are for.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// To learn from: outcomes are needed, features are found.
    Train,
    /// To predict for: features are those of the schema, outcomes are not looked at.
    Predict(&'a Schema),
}

/// Examples and what was seen while making them.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// The rows, sorted by subject.
    pub examples: Examples,
    /// What they hold, to be kept with the run.
    pub schema: Schema,
    /// Doubts about the data.
    pub findings: Vec<Finding>,
    /// Who was left out and why.
    pub flow: Flow,
    /// Per row: the fold that the source gives, where the spec asks for such folds.
    pub folds: Option<Vec<usize>>,
}

/// Joins the sources into examples.
///
/// Subjects are those of any table of a modality, of the outcome table and of the site's `subjects`.
/// To train, those without a label, without any modality or without a required one are left out and
/// counted; to predict, everyone stays (a subject without any modality is a row in which all is absent).
///
/// # Errors
/// The first thing that is wrong with the data or does not fit the site or spec, naming file, line and
/// column. In training a missing file is an error; in prediction its columns or vectors are absent for
/// all, and that is a Finding.
pub fn assemble(
    site: &Site,
    spec: &CohortSpec,
    sources: &Sources,
    mode: Mode<'_>,
) -> Result<Assembled, Error> {
    site.check()?;
    check_wanted(spec)?;
    let mut findings = Vec::new();
    let tables = Tables::new(site, spec, sources, mode, &mut findings)?;
    match mode {
        Mode::Train => train(spec, &tables, findings),
        Mode::Predict(schema) => predict(spec, &tables, schema, findings),
    }
}

/// Refuses a spec that asks for nothing, or twice for the same.
fn check_wanted(spec: &CohortSpec) -> Result<(), Error> {
    let mut names: Vec<&str> = spec.modalities.iter().map(|w| w.name.as_str()).collect();
    names.sort_unstable();
    if names.is_empty() {
        return Err(Error::Task { message: "no modality is asked for".to_owned() });
    }
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::Task { message: format!("modality `{}` is asked for twice", pair[0]) }),
        None => Ok(()),
    }
}

fn train(spec: &CohortSpec, tables: &Tables<'_>, mut findings: Vec<Finding>) -> Result<Assembled, Error> {
    let site = tables.site;
    let outcome = site.outcome(&spec.task.outcome)?;
    let task = label::task(&spec.task, outcome)?;
    let seen = join::subjects(spec, tables, Some(outcome.table()), &mut findings)?;
    let mut excluded = BTreeMap::new();
    let mut exclude = |reason: &str| *excluded.entry(reason.to_owned()).or_insert(0) += 1;

    let (mut labelled, mut answers) = (Vec::new(), Vec::new());
    for (subject, label) in seen.iter().zip(label::read(&spec.task, outcome, tables, &seen, &mut findings)?) {
        match label {
            Ok(answer) => {
                labelled.push(subject.clone());
                answers.push(answer);
            }
            Err(reason) => exclude(reason),
        }
    }
    let evidence = evidence::read(spec, tables, &labelled, Mode::Train, &mut findings)?;
    let required = |name: &str| spec.modalities.iter().any(|w| w.required && w.name == name);
    let keep: Vec<usize> = (0..labelled.len())
        .filter(|&row| {
            let lacks = evidence.blocks.iter().find(|b| !b.present[row] && required(b.modality.as_str()));
            if let Some(block) = lacks {
                exclude(&format!("without {}", block.modality));
                return false;
            }
            let any = evidence.blocks.iter().any(|b| b.present[row]);
            if !any {
                exclude("without any modality");
            }
            any
        })
        .collect();
    if keep.is_empty() {
        let reasons =
            excluded.iter().map(|(reason, n)| format!("{reason} {n}")).collect::<Vec<_>>().join(", ");
        return Err(Error::NobodyLeft { reasons });
    }
    let subjects: Vec<SubjectId> = keep.iter().map(|&row| labelled[row].clone()).collect();
    let answers = keep.iter().map(|&row| answers[row].clone()).collect();
    let (outcome, events) = label::collect(task.kind, answers)?;
    let mut subgroups = Vec::with_capacity(spec.subgroups.len());
    for name in &spec.subgroups {
        subgroups.push(subgroup::read(name, site.subgroup(name)?, tables, &subjects, &mut findings)?);
    }
    let folds = match &spec.folds {
        Some(name) => Some(folds::read(name, site.fold_set(name)?, tables, &subjects, &mut findings)?),
        None => None,
    };
    let blocks: Vec<Block> = evidence.blocks.iter().map(|b| b.select(&keep)).collect();
    let flow = flow(seen.len(), excluded, &blocks, subjects.len(), events);
    let schema = Schema { site: site.name.clone(), task: task.clone(), modalities: evidence.schema };
    let examples = Examples::new(task, subjects, blocks, Some(outcome), subgroups)?;
    Ok(Assembled { examples, schema, findings, flow, folds })
}

fn predict(
    spec: &CohortSpec,
    tables: &Tables<'_>,
    schema: &Schema,
    mut findings: Vec<Finding>,
) -> Result<Assembled, Error> {
    let task: Task = schema.task.clone();
    let subjects = join::subjects(spec, tables, None, &mut findings)?;
    if subjects.is_empty() {
        return Err(Error::NobodyLeft { reasons: "no file of any modality has a subject".to_owned() });
    }
    let evidence = evidence::read(spec, tables, &subjects, Mode::Predict(schema), &mut findings)?;
    let flow = flow(subjects.len(), BTreeMap::new(), &evidence.blocks, subjects.len(), None);
    let examples = Examples::new(task, subjects, evidence.blocks, None, Vec::new())?;
    Ok(Assembled { examples, schema: schema.clone(), findings, flow, folds: None })
}

fn flow(
    seen: usize,
    excluded: BTreeMap<String, usize>,
    blocks: &[Block],
    included: usize,
    events: Option<usize>,
) -> Flow {
    let count = |b: &Block| (b.modality.to_string(), b.present.iter().filter(|&&p| p).count());
    Flow { seen, excluded, included, events, present: blocks.iter().map(count).collect() }
}

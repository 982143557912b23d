//! From tables, through a site's binding, to examples.

mod bag;
mod cell;
mod derive;
mod folds;
mod grid;
mod keyed;
mod label;
mod subgroup;

pub(crate) use cell::code;

use crate::{CohortSpec, Error, Examples, Flow, Schema, Site, Sources};
use chiasm_record::Finding;

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
/// # Errors
/// The first thing that is wrong with the data or does not fit the site or spec, naming file, line and
/// column.
pub fn assemble(site: &Site, spec: &CohortSpec, sources: &Sources, mode: Mode<'_>) -> Result<Assembled, Error> {
    todo!("{site:?}{spec:?}{sources:?}{mode:?}")
}

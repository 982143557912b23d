//! A source of data as its `site.toml` binds it: which files there are and what their columns mean.
//!
//! A site holds no clinical question; a recipe asks by the names that are given here.

mod check;
mod folds;
mod modality;
mod outcome;
mod parse;
mod subgroup;
mod table;

pub(crate) use check::same_file;

pub use folds::FoldsBinding;
pub use modality::{BagBinding, ColumnKind, Columns, ModalityBinding, Slot};
pub use outcome::{
    ClassOutcome, EventCodes, EventOutcome, LabelsOutcome, LateEvent, NegativeTime, OutcomeBinding,
    SurvivalOutcome, TimeUnit, ValueOutcome,
};
pub use subgroup::SubgroupBinding;
pub use table::{Derived, Operation, Repeats, TableBinding};

use crate::Error;
use crate::error::nearest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A source of data. Made by [`Site::parse`], which also checks it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The site's name, as its folder is called.
    pub name: String,
    /// What a person calls it.
    pub title: String,
    /// The licence of the data.
    pub licence: String,
    /// Whom to cite.
    pub citation: String,
    /// The key column of tables that do not name their own.
    pub key: String,
    /// Marks that mean "missing" in tables that do not name their own. An empty cell always does.
    #[serde(default)]
    pub missing: Vec<String>,
    /// A table that lists every subject, where the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<String>,
    /// The files.
    pub tables: BTreeMap<String, TableBinding>,
    /// The kinds of evidence and where they come from.
    pub modalities: BTreeMap<String, ModalityBinding>,
    /// What is known only afterwards.
    #[serde(default)]
    pub outcomes: BTreeMap<String, OutcomeBinding>,
    /// Folds that the source gives.
    #[serde(default)]
    pub folds: BTreeMap<String, FoldsBinding>,
    /// Partitions of the subjects for reports.
    #[serde(default)]
    pub subgroups: BTreeMap<String, SubgroupBinding>,
}

impl Site {
    /// Reads and checks a `site.toml`.
    ///
    /// # Errors
    /// [`Error::Site`] names the line, the key and the nearest known key; [`Error::Leak`] where an
    /// outcome column is bound as an input.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let site = parse::parse(text)?;
        site.check()?;
        Ok(site)
    }

    /// The names of the `{parameters}` that the files' paths have.
    pub fn parameters(&self) -> BTreeSet<String> {
        let paths = self.tables.values().map(|t| &t.file).chain(self.folds.values().map(|f| &f.files));
        let mut names = BTreeSet::new();
        for path in paths {
            let mut rest = path.as_str();
            while let Some((name, tail)) = rest.split_once('{').and_then(|(_, after)| after.split_once('}')) {
                names.insert(name.to_owned());
                rest = tail;
            }
        }
        names.remove("fold");
        names
    }

    /// The modality of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the nearest name.
    pub fn modality(&self, name: &str) -> Result<&ModalityBinding, Error> {
        find("modality", &self.modalities, name)
    }

    /// The outcome of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the nearest name.
    pub fn outcome(&self, name: &str) -> Result<&OutcomeBinding, Error> {
        find("outcome", &self.outcomes, name)
    }

    /// The table of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the nearest name.
    pub fn table(&self, name: &str) -> Result<&TableBinding, Error> {
        find("table", &self.tables, name)
    }

    /// The subgroup of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the nearest name.
    pub fn subgroup(&self, name: &str) -> Result<&SubgroupBinding, Error> {
        find("subgroup", &self.subgroups, name)
    }

    /// The given folds of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the nearest name.
    pub fn fold_set(&self, name: &str) -> Result<&FoldsBinding, Error> {
        find("folds", &self.folds, name)
    }

    /// The key column of a table.
    pub(crate) fn key_of<'a>(&'a self, table: &'a TableBinding) -> &'a str {
        table.key.as_deref().unwrap_or(&self.key)
    }

    /// The missing marks of a table, normalised.
    pub(crate) fn marks_of(&self, table: &TableBinding) -> Vec<String> {
        let marks = table.missing.as_ref().unwrap_or(&self.missing);
        marks.iter().map(|m| crate::assemble::code(m).into_owned()).collect()
    }
}

fn find<'a, T>(what: &'static str, map: &'a BTreeMap<String, T>, name: &str) -> Result<&'a T, Error> {
    map.get(name).ok_or_else(|| Error::UnknownName {
        what,
        name: name.to_owned(),
        nearest: nearest(name, map.keys().map(String::as_str)),
    })
}

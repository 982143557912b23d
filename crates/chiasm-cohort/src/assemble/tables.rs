//! The tables that a cohort needs, by subject.

use super::keyed::Keyed;
use super::{Mode, derive};
use crate::sources::needed;
use crate::{CohortSpec, Error, Site, Sources};
use chiasm_record::Finding;
use std::collections::BTreeMap;

/// The tables that a cohort needs, by subject, with what is derived from them.
pub(super) struct Tables<'a> {
    pub(super) site: &'a Site,
    pub(super) sources: &'a Sources,
    keyed: BTreeMap<&'a str, Keyed<'a>>,
}

impl<'a> Tables<'a> {
    /// Finds the rows of each subject and works out derived columns. A file that is not there is an
    /// error in training, a Finding in prediction.
    pub(super) fn new(
        site: &'a Site,
        spec: &CohortSpec,
        sources: &'a Sources,
        mode: Mode<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, Error> {
        let mut tables = Self { site, sources, keyed: BTreeMap::new() };
        for name in needed(site, spec, mode)? {
            let binding = site.table(name)?;
            let found = if binding.vectors {
                sources.vectors.contains_key(name)
            } else {
                sources.tables.contains_key(name)
            };
            match (found, mode) {
                (true, _) => {}
                (false, Mode::Train) => return Err(tables.missing_file(name)),
                (false, Mode::Predict(_)) => {
                    findings.push(Finding::new(
                        &binding.file,
                        "the file is missing: absent for every subject",
                        1,
                    ));
                }
            }
            if let Some(table) = sources.tables.get(name).filter(|_| !binding.vectors) {
                tables.keyed.insert(name, Keyed::new(site, binding, table)?);
            }
        }
        let mut derived = Vec::new();
        for (&name, table) in &tables.keyed {
            let census = table.binding.census.as_deref().and_then(|census| tables.keyed.get(census));
            let census = census.map(Keyed::subjects);
            for column in &table.binding.derive {
                let values = derive::values(table, column, census.as_ref())?;
                derived.push((name, column.name.as_str(), values));
            }
        }
        for (name, column, values) in derived {
            if let Some(table) = tables.keyed.get_mut(name) {
                table.derived.push((column, values));
            }
        }
        Ok(tables)
    }

    /// A table, where its file is there.
    pub(super) fn keyed(&self, name: &str) -> Option<&Keyed<'a>> {
        self.keyed.get(name)
    }

    /// A table that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<&Keyed<'a>, Error> {
        self.keyed.get(name).ok_or_else(|| self.missing_file(name))
    }

    /// The error for a file that is not there.
    pub(super) fn missing_file(&self, name: &str) -> Error {
        let file = self.site.tables.get(name).map_or_else(String::new, |t| t.file.clone());
        Error::MissingFile { table: name.to_owned(), file }
    }
}

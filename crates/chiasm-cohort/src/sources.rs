use crate::site::{ModalityBinding, Site, same_file};
use crate::{CohortSpec, Error, Mode};
use chiasm_record::{Table, Vectors};
use std::collections::BTreeMap;

/// Files as read, by the names that [`inputs`] gave them.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) vectors: BTreeMap<String, Vectors>,
}

impl Sources {
    /// No file yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a table under an [`Input`]'s name.
    pub fn insert_table(&mut self, name: impl Into<String>, table: Table) {
        self.tables.insert(name.into(), table);
    }

    /// Adds vectors under an [`Input`]'s name.
    pub fn insert_vectors(&mut self, name: impl Into<String>, vectors: Vectors) {
        self.vectors.insert(name.into(), vectors);
    }
}

/// How a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// Rows and columns.
    Table,
    /// A vector per key.
    Vectors,
}

/// A file that a cohort needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The name under which [`Sources`] wants it.
    pub name: String,
    /// The path below the data folder with its parameters filled in; `archive.zip!/member` for a
    /// member of an archive.
    pub path: String,
    /// How to read it.
    pub kind: InputKind,
}

/// The files that `spec` needs at `site`, each once, in a fixed order. In prediction: those of the
/// modalities alone (a file that is not there is simply not inserted).
///
/// # Errors
/// [`Error::UnknownName`] where the site lacks a name that the spec asks for, [`Error::Parameter`]
/// where a `{parameter}` of a path has no value or one that is not plain letters, digits, `-`, `_`.
pub fn inputs(
    site: &Site,
    spec: &CohortSpec,
    mode: Mode<'_>,
    parameters: &BTreeMap<String, String>,
) -> Result<Vec<Input>, Error> {
    one_way_to_each_file(site, parameters)?;
    let names = needed(site, spec, mode)?;
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let table = site.table(name)?;
        let kind = if table.vectors { InputKind::Vectors } else { InputKind::Table };
        found.push(Input { name: name.to_owned(), path: fill(&table.file, parameters)?, kind });
    }
    if let (Mode::Train, Some(name)) = (mode, &spec.folds) {
        let folds = site.fold_set(name)?;
        for fold in 0..folds.count {
            let path = fill(&folds.files.replace("{fold}", &fold.to_string()), parameters)?;
            found.push(Input { name: fold_table(name, fold), path, kind: InputKind::Table });
        }
    }
    Ok(found)
}

/// Refuses two tables that are bound to one file by different words, as a `{parameter}` allows: what a site
/// calls an outcome in one of them must be one in the other.
fn one_way_to_each_file(site: &Site, parameters: &BTreeMap<String, String>) -> Result<(), Error> {
    // A parameter without a value is an error where its table is needed.
    let filled: Vec<(&str, &str, String)> = site
        .tables
        .iter()
        .filter_map(|(name, t)| Some((name.as_str(), t.file.as_str(), fill(&t.file, parameters).ok()?)))
        .collect();
    for (i, (name, file, path)) in filled.iter().enumerate() {
        for (other, other_file, other_path) in &filled[..i] {
            if same_file(path, other_path) && !same_file(file, other_file) {
                let message = format!(
                    "tables `{other}` and `{name}` are one file, `{path}`: expected one spelling, found `{other_file}` and `{file}`"
                );
                return Err(Error::Site { line: None, message, nearest: None });
            }
        }
    }
    Ok(())
}

/// The tables that `spec` needs, sorted.
pub(crate) fn needed<'a>(site: &'a Site, spec: &CohortSpec, mode: Mode<'_>) -> Result<Vec<&'a str>, Error> {
    let mut names: Vec<&str> = site.subjects.iter().map(String::as_str).collect();
    for wanted in &spec.modalities {
        let trained = match mode {
            Mode::Train => true,
            Mode::Predict(schema) => schema.modalities.iter().any(|m| m.modality.as_str() == wanted.name),
        };
        if trained {
            names.extend(modality_tables(site.modality(&wanted.name)?));
        }
    }
    if let Mode::Train = mode {
        names.push(site.outcome(&spec.task.outcome)?.table());
        for name in &spec.subgroups {
            names.push(&site.subgroup(name)?.table);
        }
    }
    let tables = names.iter().map(|name| site.table(name)).collect::<Result<Vec<_>, _>>()?;
    names.extend(tables.iter().filter_map(|table| table.census.as_deref()));
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// The name of the table that holds fold number `fold`.
pub(crate) fn fold_table(name: &str, fold: usize) -> String {
    format!("folds.{name}.{fold}")
}

/// The tables that a modality takes columns or vectors from.
pub(crate) fn modality_tables(binding: &ModalityBinding) -> impl Iterator<Item = &str> {
    let slots = binding.bag.iter().flat_map(|b| b.slots.iter().map(|s| s.table.as_str()));
    binding.columns.iter().map(|c| c.table.as_str()).chain(slots)
}

/// Fills `{parameter}` in a path.
fn fill(path: &str, parameters: &BTreeMap<String, String>) -> Result<String, Error> {
    let mut filled = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        let error = |message: &str| Error::Parameter { name: name.to_owned(), message: message.to_owned() };
        let value = parameters.get(name).ok_or_else(|| error("no value is given"))?;
        if value.is_empty() || !value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(error("expected plain letters, digits, `-` or `_`, found something else"));
        }
        filled.push_str(before);
        filled.push_str(value);
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_fill_paths_and_cannot_leave_the_folder() {
        let one = |v: &str| BTreeMap::from([("cancer".to_owned(), v.to_owned())]);
        assert_eq!(fill("a/{cancer}_b/{cancer}.zip", &one("luad")).unwrap(), "a/luad_b/luad.zip");
        assert_eq!(fill("plain.csv", &BTreeMap::new()).unwrap(), "plain.csv");
        assert!(matches!(fill("{cancer}", &one("../x")), Err(Error::Parameter { .. })));
        assert!(matches!(fill("{stage}", &one("x")), Err(Error::Parameter { .. })));
    }
}

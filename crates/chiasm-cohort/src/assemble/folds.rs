//! Folds that the source gives.

use super::Tables;
use crate::sources::fold_table;
use crate::{Error, site::FoldsBinding};
use chiasm_record::{Finding, SubjectId};
use std::collections::{BTreeMap, BTreeSet};

/// The fold of each of `subjects`, checked to be a partition.
pub(super) fn read(
    name: &str,
    binding: &FoldsBinding,
    tables: &Tables<'_>,
    subjects: &[SubjectId],
    findings: &mut Vec<Finding>,
) -> Result<Vec<usize>, Error> {
    let error = |message: String| Error::Folds { name: name.to_owned(), message };
    let mut fold_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut training = Vec::with_capacity(binding.count);
    for fold in 0..binding.count {
        let source = fold_table(name, fold);
        let table = tables.sources.tables.get(&source).ok_or_else(|| Error::MissingFile {
            table: source.clone(),
            file: binding.files.replace("{fold}", &fold.to_string()),
        })?;
        let ids = |column: &str| -> Result<BTreeSet<String>, Error> {
            let found = table.column(column).ok_or_else(|| Error::MissingColumn {
                origin: table.origin.clone(),
                column: column.to_owned(),
                nearest: crate::error::nearest(column, table.columns.iter().map(|c| c.name.as_str())),
                single: table.columns.len() == 1,
            })?;
            let ids = (0..table.rows).map(|row| found.cells.text(row).into_owned());
            Ok(ids.filter(|id| !id.is_empty()).collect())
        };
        let (train, validation) = (ids(&binding.train)?, ids(&binding.validation)?);
        let both = train.intersection(&validation).count();
        if both > 0 {
            return Err(error(format!("{both} subjects are in training and validation of {}", table.origin)));
        }
        let twice = validation.iter().filter(|id| fold_of.contains_key(*id)).count();
        if twice > 0 {
            return Err(error(format!(
                "{twice} validation subjects of {} are in another fold too",
                table.origin
            )));
        }
        fold_of.extend(validation.into_iter().map(|id| (id, fold)));
        training.push((table.origin.as_str(), train));
    }
    for (fold, (origin, train)) in training.iter().enumerate() {
        let expected = fold_of.values().filter(|&&f| f != fold).count();
        if train.len() != expected || !train.iter().all(|id| fold_of.contains_key(id)) {
            let found = train.len();
            return Err(error(format!(
                "the training subjects of {origin} are not those of the other folds: expected {expected}, found {found}"
            )));
        }
    }
    let folds: Vec<Option<usize>> = subjects.iter().map(|s| fold_of.get(s.as_str()).copied()).collect();
    let lacking = folds.iter().filter(|f| f.is_none()).count();
    if lacking > 0 {
        return Err(error(format!("{lacking} of {} subjects are in no fold", subjects.len())));
    }
    let known: BTreeSet<&str> = subjects.iter().map(SubjectId::as_str).collect();
    let extra: Vec<SubjectId> = fold_of
        .keys()
        .filter(|id| !known.contains(id.as_str()))
        .map(|id| SubjectId::new(id.clone()))
        .collect();
    if !extra.is_empty() {
        let (place, message) =
            (format!("folds `{name}`"), "subjects of the folds who are not in the examples".to_owned());
        findings.push(Finding { place, message, count: extra.len(), subjects: extra });
    }
    Ok(folds.into_iter().flatten().collect())
}

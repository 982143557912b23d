//! Whom the tables are about, and which ids do not join.

use super::Tables;
use crate::sources::modality_tables;
use crate::{CohortSpec, Error};
use chiasm_record::{Finding, SubjectId};
use std::collections::{BTreeMap, BTreeSet};

/// Every subject of the modalities' tables, the outcome table and the site's `subjects`, sorted.
pub(super) fn subjects(
    spec: &CohortSpec,
    tables: &Tables<'_>,
    outcome: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Result<Vec<SubjectId>, Error> {
    let mut evidence: BTreeMap<String, BTreeSet<SubjectId>> = BTreeMap::new();
    for wanted in &spec.modalities {
        for name in modality_tables(tables.site.modality(&wanted.name)?) {
            if let Some(table) = tables.keyed(name) {
                evidence.entry(table.table.origin.clone()).or_default().extend(table.rows.keys().cloned());
            } else if let Some(vectors) = tables.sources.vectors.get(name) {
                let ids = vectors.keys.iter().map(|k| SubjectId::new(k.clone()));
                evidence.entry(vectors.origin.clone()).or_default().extend(ids);
            }
        }
    }
    let mut reference: BTreeSet<SubjectId> = BTreeSet::new();
    let mut origins = Vec::new();
    for name in outcome.into_iter().chain(tables.site.subjects.as_deref()) {
        if let Some(table) = tables.keyed(name) {
            reference.extend(table.rows.keys().cloned());
            origins.push(table.table.origin.as_str());
        }
    }
    origins.dedup();
    let reference_name = origins.join(" or ");
    let mut all: BTreeSet<SubjectId> = BTreeSet::new();
    for (origin, ids) in &evidence {
        let strangers: Vec<SubjectId> = ids.difference(&reference).cloned().collect();
        if !origins.is_empty() && !strangers.is_empty() {
            findings.push(Finding {
                place: origin.clone(),
                message: format!("ids that are not in {reference_name}"),
                count: strangers.len(),
                subjects: strangers,
            });
        }
        all.extend(ids.iter().cloned());
    }
    if outcome.is_some() && !all.is_empty() && all.is_disjoint(&reference) {
        let left = evidence.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(Error::NothingJoins { left, right: reference_name });
    }
    let bare: Vec<SubjectId> = reference.difference(&all).cloned().collect();
    if !bare.is_empty() {
        findings.push(Finding {
            place: reference_name,
            message: "ids that are in no table of any modality".to_owned(),
            count: bare.len(),
            subjects: bare,
        });
    }
    all.extend(reference);
    Ok(all.into_iter().collect())
}

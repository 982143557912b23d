//! A modality of columns.

use super::Tables;
use super::keyed::Keyed;
use crate::error::nearest;
use crate::pattern::{is_pattern, matches};
use crate::site::{ColumnKind, Columns};
use crate::{Error, FeatureSchema};
use chiasm_record::{Feature, FeatureKind, Finding, Grid, SubjectId};
use std::collections::{BTreeMap, BTreeSet};

/// Values outside the plausible range, as a share of a column, from which on the unit is doubted.
const DOUBTED_SHARE: f64 = 0.5;
/// The number of values from which on such a share means something.
const DOUBTED_FROM: usize = 5;

/// The number of values from which on percentiles are kept, and a shift of them is looked for.
const MIDDLE_FROM: usize = 20;

/// A column that becomes a feature.
struct Source<'a> {
    columns: &'a Columns,
    column: &'a str,
}

/// The features and values of `subjects`. Shape of the grid: `[subjects, features]`.
pub(super) fn read<'a>(
    place: &str,
    binding: &'a [Columns],
    tables: &Tables<'a>,
    subjects: &[SubjectId],
    trained: Option<&'a [FeatureSchema]>,
    findings: &mut Vec<Finding>,
) -> Result<(Vec<FeatureSchema>, Grid), Error> {
    let sources = match trained {
        None => find(place, binding, tables, findings)?,
        Some(features) => features.iter().map(|f| same(place, binding, f)).collect::<Result<_, _>>()?,
    };
    let mut features = Vec::with_capacity(sources.len());
    let mut filled: Vec<Vec<Option<f64>>> = Vec::with_capacity(sources.len());
    for (at, source) in sources.iter().enumerate() {
        let known = trained.map(|features| &features[at]);
        let Some(table) = tables.keyed(&source.columns.table) else {
            // In prediction a file may be missing; training has refused that before.
            features.extend(known.cloned());
            filled.push(vec![None; subjects.len()]);
            continue;
        };
        let (kind, values) = column(table, source, subjects, known, findings)?;
        if known.is_none() && values.iter().all(Option::is_none) {
            let origin = format!("{}, column `{}`", table.table.origin, source.column);
            findings.push(Finding::new(origin, "no value for any subject: left out", 1));
            continue;
        }
        features.push(match known {
            Some(feature) => feature.clone(),
            None => FeatureSchema {
                table: source.columns.table.clone(),
                column: source.column.to_owned(),
                feature: Feature {
                    name: source.column.to_owned(),
                    kind: kind.clone(),
                    unit: source.columns.unit.clone(),
                    scale: source.columns.scale,
                },
                order: source.columns.order.clone().unwrap_or_default(),
                middle: if kind == FeatureKind::Numeric { middle(&values) } else { None },
            },
        });
        filled.push(values);
    }
    if trained.is_none() {
        qualify(&mut features);
    } else {
        findings.extend(shifted(place, &features, &filled));
    }
    let mut grid = Grid::missing(features.iter().map(|f| f.feature.clone()).collect(), subjects.len());
    for (feature, values) in filled.iter().enumerate() {
        for (row, value) in values.iter().enumerate() {
            if let Some(value) = value {
                grid.set(row, feature, *value);
            }
        }
    }
    Ok((features, grid))
}

/// The columns that a binding takes; the first entry that takes a column keeps it.
fn find<'a>(
    place: &str,
    binding: &'a [Columns],
    tables: &Tables<'a>,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Source<'a>>, Error> {
    let mut taken = BTreeSet::new();
    let mut sources = Vec::new();
    for columns in binding {
        let table = tables.needed(&columns.table)?;
        let outcomes = tables.site.outcome_columns(&columns.table);
        for name in &columns.names {
            let mut found = Vec::new();
            if is_pattern(name) {
                let fits = |n: &&str| matches(name, n) && !columns.exclude.iter().any(|e| matches(e, n));
                found.extend(table.names().filter(fits));
                if found.is_empty() {
                    let origin = format!("{}, {place}", table.table.origin);
                    findings.push(Finding::new(origin, format!("no column fits `{name}`"), 1));
                }
            } else {
                let present = table.names().find(|n| n == name);
                found.push(match present {
                    Some(name) => name,
                    None => return Err(missing_column(table, name)),
                });
            }
            for column in found {
                if outcomes.iter().any(|o| matches(o, column)) {
                    let (table, column) = (columns.table.clone(), column.to_owned());
                    return Err(Error::Leak { place: place.to_owned(), table, column });
                }
                if taken.insert((&columns.table, column)) {
                    sources.push(Source { columns, column });
                }
            }
        }
    }
    Ok(sources)
}

fn missing_column(table: &Keyed<'_>, name: &str) -> Error {
    Error::MissingColumn {
        origin: table.table.origin.clone(),
        column: name.to_owned(),
        nearest: nearest(name, table.names()),
        single: table.table.columns.len() == 1,
    }
}

/// The binding of a feature that a run was trained on, which must read it in the same way.
fn same<'a>(place: &str, binding: &'a [Columns], trained: &'a FeatureSchema) -> Result<Source<'a>, Error> {
    let column = trained.column.as_str();
    let changed = |expected: String, found: String| Error::Changed {
        place: format!("{place}, column `{column}` of table `{}`", trained.table),
        expected,
        found,
    };
    let takes = |c: &&Columns| c.table == trained.table && c.names.iter().any(|n| matches(n, column));
    let Some(columns) = binding.iter().find(takes) else {
        return Err(changed("an input".into(), "no binding in the site".into()));
    };
    let feature = &trained.feature;
    if columns.unit != feature.unit {
        let unit = |u: &Option<String>| u.as_ref().map_or("no unit".to_owned(), |u| format!("unit `{u}`"));
        return Err(changed(unit(&feature.unit), unit(&columns.unit)));
    }
    let kind = match feature.kind {
        FeatureKind::Numeric => ColumnKind::Numeric,
        FeatureKind::Ordered => ColumnKind::Ordered,
        FeatureKind::Nominal(_) => ColumnKind::Nominal,
    };
    if columns.kind != kind {
        return Err(changed(
            format!("a {kind:?} column").to_lowercase(),
            format!("a {:?} one", columns.kind).to_lowercase(),
        ));
    }
    if columns.order.as_deref().unwrap_or_default() != trained.order || columns.scale != feature.scale {
        return Err(changed("the order of codes and the scale".into(), "others".into()));
    }
    Ok(Source { columns, column })
}

/// One column's values, and how it is to be read.
fn column<'a>(
    table: &Keyed<'a>,
    source: &Source<'a>,
    subjects: &[SubjectId],
    known: Option<&FeatureSchema>,
    findings: &mut Vec<Finding>,
) -> Result<(FeatureKind, Vec<Option<f64>>), Error> {
    let columns = source.columns;
    if let Some((_, derived)) = table.derived.iter().find(|(name, _)| *name == source.column) {
        let values = subjects.iter().map(|s| derived.get(s).copied()).collect();
        let origin = &table.table.origin;
        return Ok((numeric_kind(columns), plausible(origin, source, values, findings)?));
    }
    let column = table.column(source.column)?;
    let marks: Vec<String> = columns.missing.iter().map(|m| super::code(m).into_owned()).collect();
    let codes = || subjects.iter().map(|subject| table.code_of(column, subject, &marks));
    let levels: Vec<String> =
        match (columns.kind, known.map(|k| &k.feature.kind), &columns.levels, &columns.order) {
            (ColumnKind::Nominal, Some(FeatureKind::Nominal(levels)), _, _) => levels.clone(),
            (ColumnKind::Nominal, _, declared, _) => {
                let declared = declared.as_deref().unwrap_or_default();
                let mut seen = BTreeSet::new();
                for found in codes() {
                    seen.extend(found?.map(|(_, code)| code.into_owned()));
                }
                seen.retain(|found| !declared.iter().any(|d| super::code(d) == found.as_str()));
                if !declared.is_empty() && !seen.is_empty() {
                    let place = format!("{}, column `{}`", table.table.origin, source.column);
                    findings.push(Finding::new(
                        place,
                        "codes beyond the levels that the site declares: taken as levels",
                        seen.len(),
                    ));
                }
                declared.iter().cloned().chain(seen).collect()
            }
            (ColumnKind::Ordered, _, _, Some(order)) => order.clone(),
            _ => {
                let values = subjects.iter().map(|s| Ok(table.number_of(column, s, &marks)?.map(|(_, x)| x)));
                let values = values.collect::<Result<Vec<_>, Error>>()?;
                return Ok((
                    numeric_kind(columns),
                    plausible(&table.table.origin, source, values, findings)?,
                ));
            }
        };
    let index: BTreeMap<String, usize> =
        levels.iter().enumerate().map(|(i, level)| (super::code(level).into_owned(), i)).collect();
    let mut values = Vec::with_capacity(subjects.len());
    for found in codes() {
        values.push(match found? {
            None => None,
            Some((row, code)) => match index.get(code.as_ref()) {
                Some(&at) => Some(at as f64),
                None => {
                    let shown: Vec<&str> = levels.iter().take(12).map(String::as_str).collect();
                    let more = if levels.len() > shown.len() { ", ..." } else { "" };
                    let when = if known.is_some() { " (the codes of training)" } else { "" };
                    let expected = format!("one of {}{more}{when}", shown.join(", "));
                    return Err(table.unexpected(column, row, expected, "another code"));
                }
            },
        });
    }
    let kind =
        if columns.kind == ColumnKind::Nominal { FeatureKind::Nominal(levels) } else { FeatureKind::Ordered };
    Ok((kind, values))
}

fn numeric_kind(columns: &Columns) -> FeatureKind {
    if columns.kind == ColumnKind::Ordered { FeatureKind::Ordered } else { FeatureKind::Numeric }
}

/// Takes implausible values out, and clips the rest.
fn plausible(
    origin: &str,
    source: &Source<'_>,
    mut values: Vec<Option<f64>>,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Option<f64>>, Error> {
    let (column, columns) = (source.column, source.columns);
    if let Some([low, high]) = columns.range {
        let total = values.iter().flatten().count();
        let outside = |v: &f64| !(low..=high).contains(v);
        let count = values.iter().flatten().filter(|v| outside(v)).count();
        let range = format!("[{low}, {high}]");
        let unit = columns.unit.clone().unwrap_or_else(|| "1".to_owned());
        if total >= DOUBTED_FROM && count as f64 > DOUBTED_SHARE * total as f64 {
            let (origin, column) = (origin.to_owned(), column.to_owned());
            return Err(Error::Implausible { origin, column, outside: count, total, range, unit });
        }
        if count > 0 {
            let message = format!("outside the plausible range {range} {unit}: taken as missing");
            findings.push(Finding::new(format!("{origin}, column `{column}`"), message, count));
            values.iter_mut().for_each(|v| *v = v.filter(|v| !outside(v)));
        }
    }
    if let Some([low, high]) = columns.clip {
        values.iter_mut().for_each(|v| *v = v.map(|v| v.clamp(low, high)));
    }
    Ok(values)
}

/// The 5th and the 95th percentile.
fn middle(values: &[Option<f64>]) -> Option<[f64; 2]> {
    let mut known: Vec<f64> = values.iter().flatten().copied().collect();
    known.sort_by(f64::total_cmp);
    let at = |share: f64| known[((known.len() - 1) as f64 * share).round() as usize];
    (known.len() >= MIDDLE_FROM).then(|| [at(0.05), at(0.95)])
}

/// Columns of which more than half of the values lie where a tenth of the training values did: another
/// unit, assay or kind of patient, of which a model says nothing by itself.
fn shifted(place: &str, features: &[FeatureSchema], filled: &[Vec<Option<f64>>]) -> Option<Finding> {
    let is_shifted = |(feature, values): &(&FeatureSchema, &Vec<Option<f64>>)| {
        let Some([low, high]) = feature.middle else { return false };
        let known = values.iter().flatten().count();
        let outside = values.iter().flatten().filter(|v| !(low..=high).contains(v)).count();
        known >= MIDDLE_FROM && outside as f64 > DOUBTED_SHARE * known as f64
    };
    let names: Vec<&str> =
        features.iter().zip(filled).filter(is_shifted).map(|(f, _)| f.feature.name.as_str()).collect();
    let shown = names[..names.len().min(3)].join(", ");
    let message = format!(
        "over half of the values lie outside the range of nine in ten training subjects (another unit, assay or population?), in {shown}{}",
        if names.len() > 3 { " and others" } else { "" }
    );
    (!names.is_empty()).then(|| Finding::new(place, message, names.len()))
}

/// Columns of the same name from different tables get the table's name in front.
fn qualify(features: &mut [FeatureSchema]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    features.iter().for_each(|f| *counts.entry(f.column.clone()).or_default() += 1);
    for feature in features.iter_mut().filter(|f| counts.get(&f.column).is_some_and(|&n| n > 1)) {
        feature.feature.name = format!("{}.{}", feature.table, feature.column);
    }
}

/// Whether a modality of columns has anything of a subject. Shape: `[subjects]`.
pub(super) fn presence(grid: &Grid) -> Vec<bool> {
    (0..grid.rows()).map(|row| (0..grid.features.len()).any(|f| grid.get(row, f).is_some())).collect()
}

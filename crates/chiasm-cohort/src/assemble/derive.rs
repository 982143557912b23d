//! Columns worked out from a long table.

use super::keyed::Keyed;
use crate::Error;
use crate::pattern::matches;
use crate::site::{Derived, Operation};
use chiasm_record::{Column, SubjectId};
use std::collections::{BTreeMap, BTreeSet};

/// Conditions on a row, with their columns found.
struct Conditions<'a>(Vec<(&'a Column, &'a [String])>);

impl<'a> Conditions<'a> {
    fn find(table: &Keyed<'a>, conditions: &'a BTreeMap<String, Vec<String>>) -> Result<Self, Error> {
        conditions
            .iter()
            .map(|(name, texts)| Ok((table.column(name)?, &texts[..])))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn hold(&self, table: &Keyed<'a>, row: usize) -> bool {
        self.0.iter().all(|(column, texts)| {
            let code = table.code_at(column, row, &[]);
            code.is_some_and(|code| texts.iter().any(|t| matches(t, &code)))
        })
    }
}

/// The value of a derived column for each subject that has one. `census`: who was looked at.
pub(super) fn values<'a>(
    table: &Keyed<'a>,
    derived: &'a Derived,
    census: Option<&BTreeSet<&SubjectId>>,
) -> Result<BTreeMap<SubjectId, f64>, Error> {
    let filter = Conditions::find(table, &derived.filter)?;
    let among = Conditions::find(table, &derived.among)?;
    let of = derived.of.as_deref().map(|name| table.column(name)).transpose()?;
    let distinct = derived.distinct.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
    let mut values = BTreeMap::new();
    for (subject, rows) in &table.rows {
        let looked: Vec<usize> = rows.iter().copied().filter(|&row| among.hold(table, row)).collect();
        let count: Vec<usize> = looked.iter().copied().filter(|&row| filter.hold(table, row)).collect();
        let mut numbers = Vec::with_capacity(count.len());
        if let Some(column) = of {
            for &row in &count {
                if let Some(code) = table.code_at(column, row, &[]) {
                    numbers.push(table.as_number(column, row, &code)?);
                }
            }
        }
        let value = match derived.op {
            Operation::Count if distinct.is_empty() => Some(count.len() as f64),
            Operation::Count => {
                let tuple =
                    |&row: &usize| distinct.iter().map(|c| table.code_at(c, row, &[])).collect::<Vec<_>>();
                Some(count.iter().map(tuple).collect::<BTreeSet<_>>().len() as f64)
            }
            Operation::Any => Some(f64::from(u8::from(!count.is_empty()))),
            Operation::Sum => Some(numbers.iter().sum()),
            Operation::Mean if numbers.is_empty() => None,
            Operation::Mean => Some(numbers.iter().sum::<f64>() / numbers.len() as f64),
            Operation::Max => numbers.into_iter().reduce(f64::max),
            Operation::Share if looked.is_empty() => None,
            Operation::Share => Some(count.len() as f64 / looked.len() as f64),
        };
        if let Some(value) = value {
            values.insert(subject.clone(), value);
        }
    }
    if matches!(derived.op, Operation::Count | Operation::Any | Operation::Sum) {
        for subject in census.into_iter().flatten() {
            values.entry((*subject).clone()).or_insert(0.0);
        }
    }
    Ok(values)
}

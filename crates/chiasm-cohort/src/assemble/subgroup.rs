//! Partitions of the subjects for reports.

use super::{Tables, code};
use crate::{Error, Subgroup, site::SubgroupBinding};
use chiasm_record::{Finding, SubjectId};
use std::collections::BTreeMap;

/// The part that each of `subjects` is in.
pub(super) fn read(
    name: &str,
    binding: &SubgroupBinding,
    tables: &Tables<'_>,
    subjects: &[SubjectId],
    findings: &mut Vec<Finding>,
) -> Result<Subgroup, Error> {
    let table = tables.needed(&binding.table)?;
    let column = table.column(&binding.column)?;
    let labels: BTreeMap<_, _> = binding.labels.iter().map(|(c, label)| (code(c), label)).collect();
    let mut unnamed = 0;
    let mut values = Vec::with_capacity(subjects.len());
    for subject in subjects {
        values.push(if binding.cuts.is_empty() {
            let found = table.code_of(column, subject, &[])?.map(|(_, code)| code.into_owned());
            match found {
                Some(found) if !labels.is_empty() => {
                    let label = labels.get(found.as_str()).map(|l| (*l).clone());
                    unnamed += usize::from(label.is_none());
                    label
                }
                found => found,
            }
        } else {
            table.number_of(column, subject, &[])?.map(|(_, x)| band(&binding.cuts, x))
        });
    }
    if unnamed > 0 {
        let place = format!("{}, column `{}`", table.table.origin, binding.column);
        findings.push(Finding::new(place, format!("codes that subgroup `{name}` has no label for"), unnamed));
    }
    Ok(Subgroup { name: name.to_owned(), values })
}

/// The name of the band that a number is in.
fn band(cuts: &[f64], x: f64) -> String {
    let above = cuts.iter().take_while(|&&cut| x >= cut).count();
    match (above.checked_sub(1).map(|i| cuts[i]), cuts.get(above)) {
        (None, Some(high)) => format!("under {high}"),
        (Some(low), Some(high)) => format!("{low} to under {high}"),
        (Some(low), None) => format!("{low} and over"),
        (None, None) => "all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_take_their_lower_end() {
        let names: Vec<String> = [49.9, 50.0, 64.9, 65.0].iter().map(|&x| band(&[50.0, 65.0], x)).collect();
        assert_eq!(names, ["under 50", "50 to under 65", "50 to under 65", "65 and over"]);
    }
}

//! What a `site.toml` may not say: names that lead nowhere, and outcomes as inputs.

use super::{ColumnKind, Columns, Operation, OutcomeBinding, Repeats, Site, TableBinding};
use crate::Error;
use crate::error::nearest;
use crate::pattern::{is_pattern, matches, overlap};
use std::path::{Component, Path};

impl Site {
    /// Checks everything that can be said without data. [`Site::parse`] has done it already.
    ///
    /// # Errors
    /// [`Error::Leak`] where an outcome column is bound as an input, by its name or by a pattern that
    /// could take it (unless the binding's `exclude` names it); [`Error::Site`] for anything else.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(name) = &self.subjects {
            self.plain_table("subjects", name)?;
        }
        for (name, table) in &self.tables {
            self.check_table(name, table)?;
        }
        for (name, modality) in &self.modalities {
            let place = format!("modalities.{name}");
            match &modality.bag {
                None if modality.columns.is_empty() => {
                    return wrong(&place, "expected columns or a bag, found neither");
                }
                Some(_) if !modality.columns.is_empty() => {
                    return wrong(&place, "expected columns or a bag, found both");
                }
                Some(bag) if bag.slots.is_empty() || bag.tiles == 0 => {
                    return wrong(&place, "a bag needs at least one slot and one tile");
                }
                _ => {}
            }
            for slot in modality.bag.iter().flat_map(|b| &b.slots) {
                if !self.known_table(&place, &slot.table)?.vectors {
                    return wrong(&place, &format!("table `{}` is no `vectors = true` table", slot.table));
                }
            }
            for columns in &modality.columns {
                self.check_columns(&place, columns)?;
            }
        }
        for (name, outcome) in &self.outcomes {
            let place = format!("outcomes.{name}");
            self.plain_table(&place, outcome.table())?;
            check_outcome(&place, outcome)?;
        }
        for (name, folds) in &self.folds {
            stays_inside(&format!("folds.{name}"), &folds.files)?;
            if folds.count < 2 || !folds.files.contains("{fold}") {
                return wrong(
                    &format!("folds.{name}"),
                    "expected a count of 2 or more and `{fold}` in `files`",
                );
            }
        }
        for (name, subgroup) in &self.subgroups {
            let place = format!("subgroups.{name}");
            self.plain_table(&place, &subgroup.table)?;
            if !subgroup.cuts.is_empty() && !subgroup.labels.is_empty() {
                return wrong(&place, "expected `cuts` or `labels`, found both");
            }
            if !subgroup.cuts.is_sorted_by(|a, b| a < b) {
                return wrong(&place, "`cuts` must ascend");
            }
        }
        Ok(())
    }

    fn known_table(&self, place: &str, name: &str) -> Result<&TableBinding, Error> {
        self.tables.get(name).ok_or_else(|| Error::Site {
            line: None,
            message: format!("{place}: there is no table `{name}`"),
            nearest: nearest(name, self.tables.keys().map(String::as_str)),
        })
    }

    /// A table with one row a subject.
    fn plain_table(&self, place: &str, name: &str) -> Result<(), Error> {
        let table = self.known_table(place, name)?;
        if table.vectors || table.repeats == Repeats::Many {
            return wrong(place, &format!("table `{name}` must have one row a subject"));
        }
        Ok(())
    }

    fn check_table(&self, name: &str, table: &TableBinding) -> Result<(), Error> {
        let place = format!("tables.{name}");
        stays_inside(&place, &table.file)?;
        let long = table.repeats == Repeats::Many;
        if !long && (!table.derive.is_empty() || table.census.is_some()) {
            return wrong(&place, "`derive` and `census` need `repeats = \"many\"`");
        }
        if let Some(census) = &table.census
            && self.known_table(&place, census)?.vectors
        {
            return wrong(&place, &format!("census `{census}` holds vectors, not rows"));
        }
        for derived in &table.derive {
            let place = format!("{place}, derived column `{}`", derived.name);
            let needs = matches!(derived.op, Operation::Sum | Operation::Mean | Operation::Max);
            if needs != derived.of.is_some() {
                return wrong(&place, "`of` belongs to sum, mean and max, and they need it");
            }
            if !derived.distinct.is_empty() && derived.op != Operation::Count {
                return wrong(&place, "`distinct` belongs to count");
            }
            if derived.op == Operation::Share && derived.filter.is_empty() {
                return wrong(&place, "a share needs `where`");
            }
            let used =
                derived.filter.keys().chain(derived.among.keys()).chain(&derived.distinct).chain(&derived.of);
            for column in used {
                self.refuse_outcomes(&place, name, column, &[])?;
            }
        }
        Ok(())
    }

    fn check_columns(&self, place: &str, columns: &Columns) -> Result<(), Error> {
        let table = self.known_table(place, &columns.table)?;
        if table.vectors {
            return wrong(place, &format!("table `{}` holds vectors, not columns", columns.table));
        }
        let numeric = columns.kind == ColumnKind::Numeric;
        if !numeric && (columns.unit.is_some() || columns.range.is_some() || columns.clip.is_some()) {
            return wrong(place, "`unit`, `range` and `clip` belong to numeric columns");
        }
        if columns.order.is_some() && columns.kind != ColumnKind::Ordered {
            return wrong(place, "`order` belongs to ordered columns");
        }
        if columns.levels.is_some() && columns.kind != ColumnKind::Nominal {
            return wrong(place, "`levels` belong to nominal columns");
        }
        for [low, high] in columns.range.iter().chain(&columns.clip) {
            if low.partial_cmp(high) != Some(std::cmp::Ordering::Less) {
                return wrong(place, "a range goes from a lower to a higher number");
            }
        }
        if columns.names.is_empty() {
            return wrong(place, "`names` is empty");
        }
        for name in &columns.names {
            if *name == self.key_of(table) {
                return wrong(place, &format!("the key column `{name}` cannot be an input"));
            }
            if table.repeats == Repeats::Many
                && !is_pattern(name)
                && !table.derive.iter().any(|d| d.name == *name)
            {
                return Err(Error::Site {
                    line: None,
                    message: format!(
                        "{place}: table `{}` is long and has no derived column `{name}`",
                        columns.table
                    ),
                    nearest: nearest(name, table.derive.iter().map(|d| d.name.as_str())),
                });
            }
            self.refuse_outcomes(place, &columns.table, name, &columns.exclude)?;
        }
        Ok(())
    }

    /// Refuses `column` (a name or pattern) of `table` where it could be an outcome column. What the
    /// same file holds is the same column, whichever table of the site names it.
    fn refuse_outcomes(
        &self,
        place: &str,
        table: &str,
        column: &str,
        exclude: &[String],
    ) -> Result<(), Error> {
        for outcome in self.outcome_columns(table) {
            let excluded =
                exclude.iter().any(|e| *e == outcome || (!is_pattern(outcome) && matches(e, outcome)));
            if overlap(column, outcome) && !excluded {
                let (place, table, column) = (place.to_owned(), table.to_owned(), outcome.to_owned());
                return Err(Error::Leak { place, table, column });
            }
        }
        Ok(())
    }

    /// The outcome columns (names and patterns) of the file that `table` is bound to.
    pub(crate) fn outcome_columns(&self, table: &str) -> Vec<&str> {
        let Some(file) = self.tables.get(table).map(|t| t.file.as_str()) else { return Vec::new() };
        let same = |name: &str| self.tables.get(name).is_some_and(|t| same_file(&t.file, file));
        let declared =
            self.tables.values().filter(|t| same_file(&t.file, file)).flat_map(|t| &t.outcome_columns);
        let named = self.outcomes.values().filter(|o| same(o.table())).flat_map(OutcomeBinding::columns);
        declared.map(String::as_str).chain(named).collect()
    }
}

fn check_outcome(place: &str, outcome: &OutcomeBinding) -> Result<(), Error> {
    let codes = match outcome {
        OutcomeBinding::Event(o) => Some((&o.event.yes, &o.event.no)),
        OutcomeBinding::Survival(o) => Some((&o.event.yes, &o.event.no)),
        OutcomeBinding::Labels(o) => Some((&o.yes, &o.no)),
        OutcomeBinding::Class(o) => {
            if o.levels.len() < 2 {
                return wrong(place, "a class outcome needs at least two levels");
            }
            if let Some(positive) = o.positive.as_ref().filter(|p| !o.levels.contains(p)) {
                return wrong(place, &format!("`positive` is `{positive}`, which is not among the levels"));
            }
            None
        }
        OutcomeBinding::Value(_) => None,
    };
    match codes {
        Some((yes, no)) if yes.is_empty() || no.is_empty() || yes.iter().any(|y| no.contains(y)) => {
            wrong(place, "`yes` and `no` need codes, and none in both")
        }
        _ => Ok(()),
    }
}

/// Whether two paths below the data folder are one: `a.csv`, `./a.csv`; `b/c.csv`, `b//./c.csv`.
pub(crate) fn same_file(a: &str, b: &str) -> bool {
    fn plain(path: &str) -> impl Iterator<Item = Component<'_>> {
        Path::new(path).components().filter(|c| *c != Component::CurDir)
    }
    plain(a).eq(plain(b))
}

/// Refuses a path that leaves the data folder.
fn stays_inside(place: &str, file: &str) -> Result<(), Error> {
    let plain = |c: Component<'_>| matches!(c, Component::Normal(_) | Component::CurDir);
    if file.is_empty() || !Path::new(file).components().all(plain) {
        return wrong(place, "expected a path below the data folder, without `..`");
    }
    Ok(())
}

fn wrong<T>(place: &str, message: &str) -> Result<T, Error> {
    Err(Error::Site { line: None, message: format!("{place}: {message}"), nearest: None })
}

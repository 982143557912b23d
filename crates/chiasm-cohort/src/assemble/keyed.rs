//! A table with its rows by subject.

use super::cell::{code, number};
use crate::Error;
use crate::error::nearest;
use crate::site::{Repeats, Site, TableBinding};
use chiasm_record::{Column, SubjectId, Table};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A table with its rows by subject, and the columns derived from it.
pub(super) struct Keyed<'a> {
    pub(super) table: &'a Table,
    pub(super) binding: &'a TableBinding,
    /// The rows of each subject, in file order.
    pub(super) rows: BTreeMap<SubjectId, Vec<usize>>,
    /// Derived columns: name and value a subject.
    pub(super) derived: Vec<(&'a str, BTreeMap<SubjectId, f64>)>,
    key: &'a str,
    marks: Vec<String>,
    columns: HashMap<&'a str, &'a Column>,
}

impl<'a> Keyed<'a> {
    /// Finds the rows of each subject.
    pub(super) fn new(site: &'a Site, binding: &'a TableBinding, table: &'a Table) -> Result<Self, Error> {
        let columns = table.columns.iter().map(|c| (c.name.as_str(), c)).collect();
        let (key, marks) = (site.key_of(binding), site.marks_of(binding));
        let mut keyed =
            Self { table, binding, rows: BTreeMap::new(), derived: Vec::new(), key, marks, columns };
        let cells = &keyed.column(key)?.cells;
        for row in 0..table.rows {
            let id = cells.text(row);
            if id.is_empty() {
                return Err(Error::EmptyKey { place: table.place(row), column: key.to_owned() });
            }
            let rows = keyed.rows.entry(SubjectId::new(id)).or_default();
            if let (Some(&first), Repeats::Error) = (rows.first(), binding.repeats) {
                let (place, earlier) = (table.place(row), table.place(first));
                return Err(Error::DuplicateKey { place, column: key.to_owned(), earlier });
            }
            rows.push(row);
        }
        Ok(keyed)
    }

    /// The subjects.
    pub(super) fn subjects(&self) -> BTreeSet<&SubjectId> {
        self.rows.keys().collect()
    }

    /// The column of that name.
    pub(super) fn column(&self, name: &str) -> Result<&'a Column, Error> {
        self.columns.get(name).copied().ok_or_else(|| Error::MissingColumn {
            origin: self.table.origin.clone(),
            column: name.to_owned(),
            nearest: nearest(name, self.names()),
            single: self.table.columns.len() == 1,
        })
    }

    /// The names of what can be an input: derived columns, and those of the file unless it is long.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        let own = if self.binding.repeats == Repeats::Many { &[][..] } else { &self.table.columns[..] };
        let own = own.iter().map(|c| c.name.as_str()).filter(|&n| n != self.key);
        self.derived.iter().map(|(name, _)| *name).chain(own)
    }

    /// Whether a code means "missing" here.
    pub(super) fn is_missing(&self, code: &str, more: &[String]) -> bool {
        code.is_empty() || self.marks.iter().chain(more).any(|m| m == code)
    }

    /// The code in `column` at `row`, or `None` where it is missing.
    pub(super) fn code_at(&self, column: &'a Column, row: usize, more: &[String]) -> Option<Cow<'a, str>> {
        let code = match column.cells.text(row) {
            Cow::Borrowed(text) => code(text),
            Cow::Owned(text) => Cow::Owned(code(&text).into_owned()),
        };
        (!self.is_missing(&code, more)).then_some(code)
    }

    /// The code of a subject, with its row; `None` where the subject has no row or the cell is missing.
    pub(super) fn code_of(
        &self,
        column: &'a Column,
        subject: &SubjectId,
        more: &[String],
    ) -> Result<Option<(usize, Cow<'a, str>)>, Error> {
        let Some((&first, others)) = self.rows.get(subject).and_then(|rows| rows.split_first()) else {
            return Ok(None);
        };
        let found = self.code_at(column, first, more);
        if let Some(&other) = others.iter().find(|&&row| self.code_at(column, row, more) != found) {
            let (place, earlier) = (self.table.place(other), self.table.place(first));
            return Err(Error::Disagree { place, column: column.name.clone(), earlier });
        }
        Ok(found.map(|code| (first, code)))
    }

    /// The number of a subject, with its row.
    pub(super) fn number_of(
        &self,
        column: &'a Column,
        subject: &SubjectId,
        more: &[String],
    ) -> Result<Option<(usize, f64)>, Error> {
        let Some((row, code)) = self.code_of(column, subject, more)? else { return Ok(None) };
        Ok(Some((row, self.as_number(column, row, &code)?)))
    }

    /// A code as a number.
    pub(super) fn as_number(&self, column: &Column, row: usize, code: &str) -> Result<f64, Error> {
        number(code).map_err(|found| self.unexpected(column, row, "a number", found))
    }

    /// The error for a cell that holds something else than its column is declared to hold.
    pub(super) fn unexpected(
        &self,
        column: &Column,
        row: usize,
        expected: impl Into<String>,
        found: &'static str,
    ) -> Error {
        Error::Cell {
            place: self.table.place(row),
            column: column.name.clone(),
            expected: expected.into(),
            found,
        }
    }
}

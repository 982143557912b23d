use super::event::{Cells, Holds, birth, is_missing, number};
use super::rows::{Row, Rows};
use super::table::{Kind, Table};
use super::{HEAD, table};
use crate::Error;
use crate::columnar::MAGIC;
use crate::feed::{Checked, Feed, Parts, Severity, Source};
use chiasm_record::Moment;
use std::collections::{BTreeMap, HashSet};

/// Keys that are told apart.
const TOLD_APART: usize = 4_000_000;
/// Concepts that are looked up.
const CONCEPTS: usize = 1_000_000;

/// Says what a table holds, and which rules of the CDM it breaks: columns, types, keys, times, and ids that the
/// PERSON and CONCEPT tables beside it do not have.
///
/// # Errors
/// What makes it unreadable.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let table = table(source)?;
    let mut checked = Checked::new("OMOP", Some("5.4".to_owned()));
    checked.content("table", table.name);
    if let Kind::Aside(why) = table.kind {
        checked.content("what it is", format!("{} {why}", table.name));
        return Ok(checked);
    }
    let mut rows = Rows::open(source, &table, &|_| true)?;
    for name in table.required.iter().filter(|r| !rows.names.iter().any(|n| n == *r)) {
        let message = format!("expected a column {name}, found none");
        checked.fault(Severity::Error, "omop.column", "", message);
    }
    let mut seen = Seen { faults: BTreeMap::new(), concepts: HashSet::new(), persons: HashSet::new() };
    let mut keys: HashSet<i64> = HashSet::new();
    let own = match table.kind {
        Kind::Clinical(clinical) => clinical.id,
        Kind::Person => "person_id",
        _ => "concept_id",
    };
    let feed = Feed::utc("");
    let mut count = 0u64;
    let mut row = Row::default();
    while rows.next(&mut row)? {
        count += 1;
        let place = rows.place(&row);
        if row.broken.is_some() {
            seen.fault("omop.row", "", &place, "expected as many cells as the header has");
            continue;
        }
        let cells = Cells { names: &rows.names, cells: &row.cells };
        seen.types(&table, &cells, &place);
        if let Some(key) = cells.id(own) {
            if keys.contains(&key) {
                seen.fault("omop.key", own, &place, "expected each key once, found one again");
            } else if keys.len() < TOLD_APART {
                keys.insert(key);
            }
        }
        if matches!(table.kind, Kind::Person) && birth(&cells, &feed).is_none() {
            seen.fault("omop.birth", "year_of_birth", &place, "expected a birth that the calendar has");
        }
        if let Kind::Clinical(clinical) = table.kind {
            let start = cells.moment(clinical.start, &feed).ok().flatten();
            let end = clinical.end.and_then(|end| cells.moment(end, &feed).ok().flatten());
            if start.zip(end).is_some_and(|(a, b)| b.end() < a.start()) {
                seen.fault("omop.period", clinical.start.0, &place, "expected an end after the start");
            }
            let (date, time) = (cells.get(clinical.start.0), cells.get(clinical.start.1));
            let day = |cell: &str| Parts::iso(cell).map(|p| (p.year, p.month, p.day));
            if date.and_then(day).zip(time.and_then(day)).is_some_and(|(a, b)| a != b) {
                seen.fault("omop.datetime", clinical.start.1, &place, "expected the datetime on the date");
            }
            if let Some(person) = cells.id("person_id").filter(|_| seen.persons.len() < TOLD_APART) {
                seen.persons.insert(person);
            }
        }
    }
    checked.content("rows", count);
    checked.content("columns", rows.names.len());
    seen.beside(source, &table, &mut checked)?;
    seen.tell(&mut checked);
    Ok(checked)
}

/// What is found in the rows.
struct Seen {
    /// By rule and column: the first place, how many, and what is wrong.
    faults: BTreeMap<(&'static str, String), (String, u64, &'static str)>,
    concepts: HashSet<i64>,
    persons: HashSet<i64>,
}

impl Seen {
    fn fault(&mut self, rule: &'static str, column: &str, place: &str, message: &'static str) {
        let first = || (place.to_owned(), 0, message);
        self.faults.entry((rule, column.to_owned())).or_insert_with(first).1 += 1;
    }

    fn types(&mut self, table: &Table, cells: &Cells<'_>, place: &str) {
        let feed = Feed::utc("");
        for (name, cell) in cells.names.iter().zip(cells.cells) {
            let holds = Holds::of(name);
            let missing = if holds == Holds::Text { cell.is_empty() } else { is_missing(cell) };
            if missing {
                if table.required.contains(&name.as_str()) {
                    self.fault("omop.required", name, place, "expected a value, found none");
                }
                continue;
            }
            match holds {
                Holds::Id => match number(cell) {
                    None => self.fault("omop.type", name, place, "expected a whole number"),
                    Some(id)
                        if id != 0 && name.ends_with("_concept_id") && self.concepts.len() < CONCEPTS =>
                    {
                        self.concepts.insert(id);
                    }
                    Some(_) => {}
                },
                Holds::Number if cell.parse::<f64>().is_err() => {
                    self.fault("omop.type", name, place, "expected a number");
                }
                Holds::Date | Holds::Time => {
                    let parts = Parts::iso(cell).or_else(|| Parts::compact(cell));
                    let moment: Option<Moment> = parts.and_then(|p| p.day.and_then(|_| feed.moment(&p)));
                    if moment.is_none() {
                        self.fault("omop.date", name, place, "expected a date or time that the calendar has");
                    }
                }
                Holds::Number | Holds::Text => {}
            }
        }
    }

    /// Ids that the tables beside it do not have.
    fn beside(&mut self, source: &Source, table: &Table, checked: &mut Checked) -> Result<(), Error> {
        if matches!(table.kind, Kind::Concept) {
            return Ok(());
        }
        checked.content("concepts", self.concepts.len());
        match keys(source, "concept", "concept_id", &self.concepts)? {
            None => {
                let message = "no CONCEPT table beside it: concept ids were not looked up";
                checked.fault(Severity::Information, "omop.concept", "", message);
            }
            Some(0) => {}
            Some(n) => {
                let message = format!("expected concept ids that CONCEPT has, found others ({n} of them)");
                checked.fault(Severity::Error, "omop.concept", "", message);
            }
        }
        if let Some(n) = keys(source, "person", "person_id", &self.persons)?.filter(|n| *n > 0) {
            let message = format!("expected persons that PERSON has, found others ({n} of them)");
            checked.fault(Severity::Error, "omop.person", "", message);
        }
        Ok(())
    }

    fn tell(self, checked: &mut Checked) {
        for ((rule, column), (place, n, message)) in self.faults {
            let severity = match rule {
                "omop.period" | "omop.datetime" => Severity::Warning,
                _ => Severity::Error,
            };
            let place = if column.is_empty() { place } else { format!("{place}, {column}") };
            checked.fault(severity, rule, place, format!("{message} ({n} rows)"));
        }
    }
}

/// How many of `wanted` the table `name` beside a source does not have; `None` where there is no such table.
fn keys(source: &Source, name: &str, column: &str, wanted: &HashSet<i64>) -> Result<Option<usize>, Error> {
    let is = |file: &str| file.contains('.') && Table::of(MAGIC, file).is_some_and(|t| t.name == name);
    let Some(file) = source.neighbour(&is)? else { return Ok(None) };
    let Some(table) = Table::of(&file.head(HEAD)?, &file.origin) else { return Ok(None) };
    let mut rows = Rows::open(&file, &table, &|n| n == column)?;
    let Some(at) = rows.names.iter().position(|n| n == column) else { return Ok(None) };
    let mut missing = wanted.clone();
    let mut row = Row::default();
    while !missing.is_empty() && rows.next(&mut row)? {
        number(&row.cells[at]).map(|id| missing.remove(&id));
    }
    Ok(Some(missing.len()))
}

use super::concepts::Concepts;
use super::event::{self, Cells};
use super::person;
use super::rows::{Row, Rows};
use super::table::{Kind, Table};
use crate::Error;
use crate::feed::{Entry, Feed, RowBlock, Sink, Source};
use crate::refusals::Refusals;
use chiasm_linkage::Identity;
use chiasm_record::Finding;
use std::collections::HashSet;

/// Persons that are told apart; a second row of one beyond them is taken.
const PERSONS: usize = 4_000_000;

/// Reads a file of a table.
pub(super) fn read(source: &Source, table: &Table, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let origin = source.origin.as_str();
    if let Kind::Aside(why) = table.kind {
        return aside(origin, &format!("{} {why}: read where it is needed, not taken", table.name), sink);
    }
    let mut rows = Rows::open(source, table, &|_| true)?;
    require(origin, table, &rows.names)?;
    if let Kind::Concept = table.kind {
        return aside(origin, "concept gives the codes of other tables: read with each of them", sink);
    }
    let concepts = Concepts::beside(source, table)?;
    // In whichever part of the table a row stands.
    let mut names = vec![feed.site.as_str(), table.name];
    names.extend(rows.names.iter().map(String::as_str));
    let mut block = RowBlock::of(&names);
    if !concepts.there {
        block.find("no CONCEPT table beside it: codes are OMOP|concept_id", 1);
    }
    if concepts.beyond {
        block.find("more than a million concepts: some codes are OMOP|concept_id", 1);
    }
    if rows.unread > 0 {
        block.find("columns that hold neither text, numbers nor times", rows.unread);
    }
    let mut refusals = Refusals::of(origin);
    let mut persons: HashSet<i64> = HashSet::new();
    let mut row = Row::default();
    while rows.next(&mut row)? {
        let mut refuse = |rule, message: &str| {
            let place = rows.place(&row);
            refusals.refuse(sink, place, row.offset, rule, message)
        };
        if let Some(broken) = &row.broken {
            refuse("omop.row", broken)?;
            continue;
        }
        let cells = Cells { names: &rows.names, cells: &row.cells };
        let Some(person) = cells.id("person_id") else {
            let there = cells.get("person_id").is_some();
            let (rule, found) =
                if there { ("omop.type", "another text") } else { ("omop.person_id", "none") };
            refuse(rule, &format!("expected a whole number in person_id, found {found}"))?;
            continue;
        };
        let read = match table.kind {
            Kind::Person if persons.contains(&person) => {
                Err(("omop.person.duplicate", "expected a person once, found a second row".to_owned()))
            }
            Kind::Person => person::events(&cells, person, &concepts, feed),
            Kind::Clinical(clinical) => event::events(&cells, clinical, &concepts, feed)
                .map(|events| (person::identity(person, feed), events)),
            Kind::Concept | Kind::Aside(_) => Ok((Identity::default(), Vec::new())),
        };
        match read {
            Err((rule, message)) => refuse(rule, &message)?,
            Ok((identity, events)) => {
                if matches!(table.kind, Kind::Person) && persons.len() < PERSONS {
                    persons.insert(person);
                }
                let odd = cells.get("value_as_number").is_some_and(|v| v.parse::<f64>().is_err());
                block.add(row.number, row.cells.iter().map(|c| c.as_bytes()), identity, events);
                if odd {
                    block.find("values as numbers that are none: kept as an attribute", 1);
                }
                if block.is_full() {
                    block.give(origin, sink).map_err(|e| refusals.sunk(e))?;
                }
            }
        }
    }
    block.give(origin, sink).map_err(|e| refusals.sunk(e))?;
    refusals.finish(sink)
}

/// # Errors
/// [`Error::UnsupportedType`] where a required column is not there.
fn require(origin: &str, table: &Table, names: &[String]) -> Result<(), Error> {
    let missing: Vec<&str> =
        table.required.iter().filter(|r| !names.iter().any(|n| n == *r)).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::UnsupportedType {
        place: origin.to_owned(),
        expected: "the columns that OMOP CDM 5.4 requires of the table",
        found: format!("none called {}", missing.join(", ")),
    })
}

/// Says of a table that it is no evidence of its own.
fn aside(origin: &str, message: &str, sink: &mut dyn Sink) -> Result<(), Error> {
    let mut entry =
        Entry::of(*blake3::hash(format!("omop\0{message}").as_bytes()).as_bytes(), "", None, Vec::new());
    entry.subjects.clear();
    entry.findings.push(Finding::new(origin, message.to_owned(), 1));
    sink.entry(entry).map_err(|e| Error::Sink { place: origin.to_owned(), source: e })
}

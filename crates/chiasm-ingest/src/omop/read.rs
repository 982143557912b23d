use super::concepts::Concepts;
use super::event::{self, Cells};
use super::person;
use super::rows::{Row, Rows};
use super::table::{Kind, Table};
use crate::Error;
use crate::feed::{Entry, Feed, Mention, Sink, Source};
use crate::refusals::Refusals;
use chiasm_linkage::Identity;
use chiasm_record::{Event, Finding};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Rows that are one entry...
const BLOCK: usize = 1024;
/// ...or bytes of their cells.
const BYTES: usize = 16 << 20;
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
    let mut block = Block::of(table, origin);
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
                block.add(&row, person, identity, events);
                if odd {
                    block.find("values as numbers that are none: kept as an attribute", 1);
                }
                if block.rows == BLOCK || block.bytes >= BYTES {
                    block.give(&refusals, sink)?;
                }
            }
        }
    }
    block.give(&refusals, sink)?;
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

/// Rows that will be one entry.
struct Block<'a> {
    table: &'a Table,
    origin: &'a str,
    hash: blake3::Hasher,
    rows: usize,
    bytes: usize,
    first: u64,
    last: u64,
    persons: Vec<(Identity, Vec<Event>)>,
    at: HashMap<i64, usize>,
    findings: BTreeMap<&'static str, usize>,
}

impl<'a> Block<'a> {
    fn of(table: &'a Table, origin: &'a str) -> Self {
        Self {
            table,
            origin,
            hash: blake3::Hasher::new(),
            rows: 0,
            bytes: 0,
            first: 0,
            last: 0,
            persons: Vec::new(),
            at: HashMap::new(),
            findings: BTreeMap::new(),
        }
    }

    fn find(&mut self, message: &'static str, n: usize) {
        *self.findings.entry(message).or_default() += n;
    }

    fn add(&mut self, row: &Row, person: i64, identity: Identity, events: Vec<Event>) {
        if self.rows == 0 {
            self.first = row.number;
        }
        (self.rows, self.last) = (self.rows + 1, row.number);
        for cell in &row.cells {
            self.hash.update(&(cell.len() as u64).to_le_bytes());
            self.hash.update(cell.as_bytes());
            self.bytes += cell.len();
        }
        let at = *self.at.entry(person).or_insert_with(|| {
            self.persons.push((identity, Vec::new()));
            self.persons.len() - 1
        });
        self.persons[at].1.extend(events);
    }

    fn give(&mut self, refusals: &Refusals, sink: &mut dyn Sink) -> Result<(), Error> {
        let block = std::mem::replace(self, Self::of(self.table, self.origin));
        if block.rows == 0 && block.findings.is_empty() {
            return Ok(());
        }
        // The same rows at another place of the table are other rows.
        let mut hash = block.hash;
        hash.update(&block.first.to_le_bytes());
        hash.update(self.table.name.as_bytes());
        hash.update(self.origin.rsplit(['/', '!']).find(|p| !p.is_empty()).unwrap_or_default().as_bytes());
        let entry = Entry {
            key: *hash.finalize().as_bytes(),
            place: if block.rows == 0 {
                String::new()
            } else {
                format!("rows {}-{}", block.first, block.last)
            },
            subjects: block
                .persons
                .into_iter()
                .map(|(identity, events)| Mention { identity: Some(identity), events })
                .collect(),
            links: Vec::new(),
            assets: Vec::new(),
            findings: block
                .findings
                .into_iter()
                .map(|(m, n)| Finding::new(self.origin, m.to_owned(), n))
                .collect(),
        };
        sink.entry(entry).map_err(|e| refusals.sunk(e))
    }
}

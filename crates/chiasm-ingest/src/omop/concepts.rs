use super::rows::{Row, Rows};
use super::table::{Kind, Table};
use super::{HEAD, event::number};
use crate::columnar::MAGIC;
use crate::feed::Source;
use crate::{Error, codes};
use chiasm_record::Code;
use std::collections::{HashMap, HashSet};

/// Concept ids of one table that are looked up; a table that names more keeps the others as numbers.
const MOST: usize = 1_000_000;

/// What concept ids stand for, as far as one table names them.
#[derive(Default)]
pub(super) struct Concepts {
    known: HashMap<i64, Concept>,
    /// Whether there is a CONCEPT table.
    pub there: bool,
    /// Concept ids beyond what is looked up.
    pub beyond: bool,
}

/// One concept.
pub(super) struct Concept {
    /// `system|code`.
    pub code: Code,
    /// Its name.
    pub words: String,
}

impl Concepts {
    /// Those that `source`, a file of `table`, names, by the CONCEPT table beside it.
    ///
    /// # Errors
    /// What makes either table unreadable.
    pub fn beside(source: &Source, table: &Table) -> Result<Self, Error> {
        let is_concept = |name: &str| {
            // By the name alone: a folder has no ending.
            name.contains('.') && Table::of(MAGIC, name).is_some_and(|t| matches!(t.kind, Kind::Concept))
        };
        let Some(file) = source.neighbour(&is_concept)? else { return Ok(Self::default()) };
        let is_id = |name: &str| name.ends_with("concept_id");
        let mut needed = HashSet::new();
        let mut beyond = false;
        let mut rows = Rows::open(source, table, &is_id)?;
        let ids: Vec<usize> = (0..rows.names.len()).filter(|i| is_id(&rows.names[*i])).collect();
        let mut row = Row::default();
        while rows.next(&mut row)? {
            for id in ids.iter().filter_map(|i| number(&row.cells[*i])).filter(|id| *id != 0) {
                if needed.len() < MOST {
                    needed.insert(id);
                } else {
                    beyond |= !needed.contains(&id);
                }
            }
        }
        Ok(Self { known: find(&file, &needed)?, there: true, beyond })
    }

    /// What an id stands for.
    pub fn get(&self, id: i64) -> Option<&Concept> {
        self.known.get(&id)
    }

    /// The code of an id, by its number where it is not known.
    pub fn code(&self, id: i64) -> Code {
        self.get(id).map_or_else(|| Code::new("OMOP", &id.to_string()), |c| c.code.clone())
    }
}

/// The concepts of some ids, out of a table that is read row by row.
fn find(file: &Source, needed: &HashSet<i64>) -> Result<HashMap<i64, Concept>, Error> {
    let mut known = HashMap::with_capacity(needed.len());
    let Some(table) = Table::of(&file.head(HEAD)?, &file.origin) else { return Ok(known) };
    let wanted = ["concept_id", "concept_name", "vocabulary_id", "concept_code"];
    let mut rows = Rows::open(file, &table, &|name| wanted.contains(&name))?;
    let at = |name: &str| rows.names.iter().position(|n| n == name);
    let [Some(id), Some(words), Some(vocabulary), Some(code)] = wanted.map(at) else { return Ok(known) };
    let mut row = Row::default();
    while known.len() < needed.len() && rows.next(&mut row)? {
        let Some(number) = number(&row.cells[id]).filter(|id| needed.contains(id) && row.broken.is_none())
        else {
            continue;
        };
        let system = codes::system(&row.cells[vocabulary]);
        if system.is_empty() || row.cells[code].is_empty() {
            continue;
        }
        let code = Code::new(&system, &row.cells[code]);
        known.insert(number, Concept { code, words: row.cells[words].clone() });
    }
    Ok(known)
}

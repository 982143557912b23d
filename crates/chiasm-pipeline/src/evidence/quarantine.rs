//! What could not be read: listed, shown, tried again after a fix.

use super::preparing::{Ground, Preparing};
use super::reading::caught;
use super::site::IngestSite;
use super::taking::{Taking, Totals};
use crate::{Error, Progress};
use chiasm_ingest::feed::{FeedFormat, Rejected, Sink, SinkError, Source, tabular};
use chiasm_record::AssetId;
use chiasm_store::{QuarantineRow, Store};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What is open in quarantine, in the order in which it came; each once.
///
/// # Errors
/// Where the store cannot be read.
pub fn open(store: &Store) -> Result<Vec<QuarantineRow>, Error> {
    let mut order = Vec::new();
    let mut newest: BTreeMap<String, QuarantineRow> = BTreeMap::new();
    for rows in store.scan::<QuarantineRow>() {
        for row in rows? {
            if !newest.contains_key(&row.id) {
                order.push(row.id.clone());
            }
            newest.insert(row.id.clone(), row);
        }
    }
    Ok(order.into_iter().filter_map(|id| newest.remove(&id)).filter(|row| row.state == "open").collect())
}

/// The one whose id begins so.
///
/// # Errors
/// [`Error::Unknown`] where there is none, or more than one.
pub fn find(store: &Store, id: &str) -> Result<QuarantineRow, Error> {
    let mut found: Vec<QuarantineRow> = open(store)?.into_iter().filter(|r| r.id.starts_with(id)).collect();
    let hint = match (found.len(), id.is_empty()) {
        (1, false) => return Ok(found.remove(0)),
        (0, _) => "; `chiasm quarantine list` has them all".to_owned(),
        (n, _) => format!("; {n} begin so, say more of it"),
    };
    Err(Error::Unknown { what: "quarantine entry", name: id.to_owned(), hint })
}

/// A row as JSON.
pub fn to_json(row: &QuarantineRow) -> serde_json::Value {
    serde_json::json!({
        "id": row.id, "site": row.source, "origin": row.origin, "place": row.place, "offset": row.offset,
        "format": row.format, "rule": row.rule, "message": row.message, "asset": row.asset, "state": row.state,
    })
}

/// The part that could not be read. It may hold a patient's data.
///
/// # Errors
/// [`Error::Missing`] where it was too large to be kept and is no longer where it was.
pub fn bytes(store: &Store, row: &QuarantineRow) -> Result<Vec<u8>, Error> {
    match row.asset.as_deref().and_then(AssetId::parse) {
        Some(id) => Ok(store.asset(&id)?.to_vec()),
        None => {
            let path = Path::new(&row.origin);
            let hint = "; the part was not kept in the store".to_owned();
            std::fs::read(path).map_err(|_| Error::Missing { path: path.to_owned(), hint })
        }
    }
}

/// What a retry did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// Read now.
    pub taken: u64,
    /// Refused again.
    pub refused: u64,
    /// Neither kept here nor where they were.
    pub gone: u64,
    /// What came of them.
    pub totals: Totals,
}

/// Tries again what is open and came from the site, with its bindings as they are now.
///
/// # Errors
/// Where the store cannot be read or written.
pub fn retry(store: &mut Store, site: &IngestSite, progress: &dyn Progress) -> Result<Retried, Error> {
    let rows: Vec<QuarantineRow> = open(store)?.into_iter().filter(|r| r.source == site.name).collect();
    let mut done = Retried::default();
    progress.begin("trying again", rows.len());
    let ground = Ground::of(store, site)?;
    let mut taking = Taking::new(store, site);
    for row in rows {
        progress.advance();
        let source = match row.asset.as_deref().and_then(AssetId::parse) {
            Some(id) => Source::memory(row.origin.as_str(), taking.store().asset(&id)?),
            None if row.place.is_empty() && Path::new(&row.origin).is_file() => {
                Source::file(Path::new(&row.origin)).called(row.origin.as_str())
            }
            None => {
                done.gone += 1;
                continue;
            }
        };
        match again(&source, &ground, &mut taking)? {
            true => {
                done.taken += 1;
                taking.settle(QuarantineRow { state: "taken".to_owned(), ..row });
            }
            false => done.refused += 1,
        }
    }
    taking.commit()?;
    done.totals = taking.done.totals;
    Ok(done)
}

/// Reads a part again; `false` where anything in it is refused again.
fn again(source: &Source, ground: &Ground<'_>, taking: &mut Taking<'_>) -> Result<bool, Error> {
    let site = ground.site;
    let name = source.origin.as_str();
    let Ok(head) = source.head(1 << 16) else { return Ok(false) };
    let mut trial = Trial { entries: Vec::new(), refused: 0 };
    let read = caught(name, || match (site.bindings.table(name), FeedFormat::of(&head, name)) {
        (Some(table), _) => Ok(tabular::read(source, table, &site.feed, &mut trial)?),
        (None, Some(format)) => Ok(format.read(source, &site.feed, &mut trial)?),
        (None, None) => Ok(()),
    });
    if read.is_err() || trial.refused > 0 || trial.entries.is_empty() {
        return Ok(false);
    }
    let mut out = |step| taking.take(step);
    let mut preparing = Preparing::new(ground, &mut out);
    preparing.begin(name, "retried")?;
    for entry in trial.entries {
        preparing
            .entry(entry)
            .map_err(|source| chiasm_ingest::Error::Sink { place: name.to_owned(), source })?;
    }
    Ok(true)
}

/// Entries of one part, and whether all of it could be read.
struct Trial {
    entries: Vec<chiasm_ingest::feed::Entry>,
    refused: usize,
}

impl Sink for Trial {
    fn entry(&mut self, entry: chiasm_ingest::feed::Entry) -> Result<(), SinkError> {
        self.entries.push(entry);
        Ok(())
    }

    fn reject(&mut self, _rejected: Rejected) -> Result<(), SinkError> {
        self.refused += 1;
        Ok(())
    }
}

//! FHIR Bulk Data export: ask, wait, fetch NDJSON.
//!
//! # Source
//! Bulk Data Access 2.0, <https://hl7.org/fhir/uv/bulkdata/STU2/export.html>.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::fhir::{Fhir, JSON};
use super::http::{Ask, Identified, retry_after};
use super::login::escape;
use super::{Bookmark, Pulled};
use crate::Error;
use crate::inbox::{Inbox, Kind};

const NDJSON: &str = "application/fhir+ndjson";

/// Whose data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// Everything.
    System,
    /// All patients.
    Patient,
    /// The patients of a Group, by its id.
    Group(String),
}

/// What to export.
#[derive(Debug, Clone)]
pub struct Export {
    /// Whose data.
    pub level: Level,
    /// Resource types; empty asks for all.
    pub types: Vec<String>,
    /// Only what changed since this instant.
    pub since: Option<String>,
    /// How long the server may prepare it.
    pub patience: Duration,
}

impl Fhir {
    /// Asks for an export, waits as the server says, and fetches its files into the inbox: first what there is,
    /// then the lists of what was deleted. With a bookmark, an export that was stopped is waited for again.
    ///
    /// # Errors
    /// [`Error::Remote`], [`Error::Answer`], [`Error::OtherHost`] for files elsewhere, [`Error::Disk`]. Files
    /// that the server lists as its own errors, or lists and does not give, are counted as missing.
    pub fn export(&self, export: &Export, inbox: &Inbox, mark: Option<&Bookmark>) -> Result<Pulled, Error> {
        let before = mark.and_then(Bookmark::place).and_then(|place| self.client.resolve(&place).ok());
        let found = before.and_then(|place| Some((self.wait(&place, export.patience).ok()?, place)));
        let (manifest, place) = match found {
            Some(found) => found,
            None => {
                let place = self.begin(export)?;
                if let Some(mark) = mark {
                    mark.set(&place)?;
                }
                (self.wait(&place, export.patience)?, place)
            }
        };
        let identified = match manifest.get("requiresAccessToken").and_then(Value::as_bool) {
            Some(true) => Identified::Everywhere,
            _ => Identified::No,
        };
        let mut pulled = Pulled::default();
        for list in ["output", "deleted"] {
            for file in manifest.get(list).and_then(Value::as_array).into_iter().flatten() {
                let url = file.get("url").and_then(Value::as_str);
                let url = url.ok_or_else(|| wrong("a file without url", "a url for each file"))?;
                let url = self.client.resolve(url)?;
                let ask = Ask { identified, ..Ask::get(&url, NDJSON) };
                match self.client.draft(ask, inbox) {
                    Ok(draft) if draft.bytes() > 0 => pulled.add(&draft.keep(Kind::Ndjson)?),
                    Ok(_) => {}
                    // The others are worth having; the server keeps what it has for another attempt.
                    Err(Error::Remote { .. }) => pulled.missing += 1,
                    Err(error) => return Err(error),
                }
            }
        }
        if pulled.missing == 0 {
            if let Some(mark) = mark {
                mark.clear();
            }
            // The server may forget the files now; that it does not want to hear so is no failure of ours.
            let _ = self.client.send(Ask { method: "DELETE", ..Ask::get(&place, JSON) });
        }
        pulled.missing += manifest.get("error").and_then(Value::as_array).map_or(0, Vec::len) as u64;
        Ok(pulled)
    }

    /// Asks; says where to ask for progress.
    fn begin(&self, export: &Export) -> Result<String, Error> {
        let url = self.kick_off(export);
        let ask = Ask { respond_async: true, ..Ask::get(&url, JSON) };
        let accepted = self.client.send(ask)?;
        let place = accepted.headers().get("Content-Location").and_then(|l| l.to_str().ok());
        let place = place.ok_or_else(|| wrong("no Content-Location", "where to ask for progress"))?;
        self.client.resolve(place)
    }

    fn kick_off(&self, export: &Export) -> String {
        let whose = match &export.level {
            Level::System => String::new(),
            Level::Patient => "Patient/".into(),
            Level::Group(id) => format!("Group/{}/", escape(id)),
        };
        let mut url = format!("{}/{whose}$export?_outputFormat={}", self.client.base(), escape(NDJSON));
        if !export.types.is_empty() {
            url.push_str(&format!("&_type={}", escape(&export.types.join(","))));
        }
        if let Some(since) = &export.since {
            url.push_str(&format!("&_since={}", escape(since)));
        }
        url
    }

    fn wait(&self, place: &str, patience: Duration) -> Result<Value, Error> {
        let end = Instant::now() + patience;
        let mut pause = Duration::from_secs(1);
        loop {
            let mut answer = self.client.send(Ask::get(place, "application/json"))?;
            if answer.status().as_u16() == 200 {
                let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap_or_default();
                return serde_json::from_slice(&bytes).map_err(|_| wrong("no JSON", "a manifest"));
            }
            let wait = retry_after(&answer).unwrap_or(pause).min(Duration::from_secs(120));
            pause = pause.saturating_mul(2).min(Duration::from_secs(60));
            if Instant::now() + wait > end {
                return Err(self.client.remote("still prepares the export after the time allowed".into()));
            }
            sleep(wait);
        }
    }
}

fn wrong(found: &str, expected: &'static str) -> Error {
    Error::Answer { place: "an export", found: found.into(), expected }
}

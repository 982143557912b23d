use super::Feed;
use super::tabular::TableFeed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The `[ingest]` table of a `site.toml`: what a source's own names, codes, units and times mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SiteFeed {
    /// The zone of times that name none: an IANA name such as `Europe/Berlin`; UTC unless given.
    pub zone: Option<String>,
    /// Whether a file that names nobody inside (a slide, a wearable's counts) is about the one whose name it
    /// has, without folder and ending: `S001.svs` is of the sample S001 wherever it lies.
    pub file_names: bool,
    /// Whether accession numbers are the numbers of who ordered (HL7 ORC-2), where a message has none of its own.
    pub accession_is_placer: bool,
    /// Names that systems have for one and the same authority of identifiers, and the one to use:
    /// `"urn:oid:1.2.3" = "st-mary-mrn"`.
    pub authorities: BTreeMap<String, String>,
    /// Local codes and what they mean: `"LAB|GLU" = "LOINC|2345-7"`.
    pub codes: BTreeMap<String, String>,
    /// The unit in which a code's values are kept, in UCUM: `"LOINC|2345-7" = "mg/dL"`.
    pub units: BTreeMap<String, String>,
    /// What the source's own spellings of units mean, in UCUM: `"mg%" = "mg/dL"`.
    pub spellings: BTreeMap<String, String>,
    /// Exports of tables, and what their columns mean.
    pub tables: Vec<TableFeed>,
}

/// Why the `[ingest]` table of a site cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ingest.{key}: {message}")]
pub struct SiteFault {
    /// The key below `[ingest]`.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

impl SiteFeed {
    /// What a reader must know of the site called `name`.
    ///
    /// # Errors
    /// [`SiteFault`] where the zone is none, or a table's binding says two things or nothing.
    pub fn feed(&self, name: &str) -> Result<Feed, SiteFault> {
        for table in &self.tables {
            table.check()?;
        }
        let feed = match &self.zone {
            None => Feed::utc(name),
            Some(zone) => Feed::new(name, zone).ok_or_else(|| SiteFault {
                key: "zone".to_owned(),
                message: format!("expected the name of a time zone such as Europe/Berlin, found '{zone}'"),
            })?,
        };
        Ok(Feed { file_names: self.file_names, ..feed })
    }

    /// The table that a file of that path is, by its binding's `file`; the first that fits.
    pub fn table(&self, path: &str) -> Option<&TableFeed> {
        self.tables.iter().find(|t| t.fits(path))
    }

    /// The name to use for an authority.
    pub fn authority<'a>(&'a self, name: &'a str) -> &'a str {
        self.authorities.get(name).map_or(name, String::as_str)
    }
}

//! A source's `[ingest]` table.

use crate::{Error, bundle};
use chiasm_ingest::feed::{Feed, SiteFeed};

/// A site as the readers of raw feeds need it.
#[derive(Clone, Debug)]
pub struct IngestSite {
    /// Its name: the authority of identifiers that name none.
    pub name: String,
    /// What its names, codes, units and times mean.
    pub bindings: SiteFeed,
    /// What every reader must know.
    pub feed: Feed,
    /// The BLAKE3 hash of the bindings: a file read with others is read anew.
    pub hash: [u8; 32],
}

impl IngestSite {
    /// The site at `path` (its folder or its `site.toml`), else the bundled one of that name.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Read`]; [`Error::Recipe`] where its `[ingest]` table is missing or wrong.
    pub fn open(path: &str) -> Result<Self, Error> {
        let text = bundle::site(path)?;
        Self::parse(&text.text, &text.place)
    }

    /// A site from the text of its `site.toml`.
    ///
    /// # Errors
    /// As [`IngestSite::open`].
    pub fn parse(text: &str, place: &str) -> Result<Self, Error> {
        let fault = |message: String| Error::Recipe { place: place.to_owned(), message };
        let mut all: toml::Table = toml::from_str(text).map_err(|e| fault(e.to_string()))?;
        let name = all.get("name").and_then(toml::Value::as_str).map(str::to_owned);
        let name = name.ok_or_else(|| fault("expected the site's name: name = \"st-mary\"".to_owned()))?;
        let bindings = all.remove("ingest").ok_or_else(|| {
            fault("expected an [ingest] table, which says how raw feeds of this site are read".to_owned())
        })?;
        let canonical = bindings.to_string();
        let bindings: SiteFeed =
            bindings.try_into().map_err(|e: toml::de::Error| fault(format!("[ingest]: {e}")))?;
        let feed = bindings.feed(&name).map_err(|e| fault(e.to_string()))?;
        let hash = *blake3::hash(canonical.as_bytes()).as_bytes();
        Ok(Self { name, bindings, feed, hash })
    }
}

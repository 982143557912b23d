use crate::place::Place;
use crate::{Error, Table};
use serde::{Deserialize, Serialize};

/// The version of the store's files that this program reads and writes.
pub const VERSION: u32 = 1;
/// Manifests kept behind the newest, for readers that have just opened one.
const KEPT: u64 = 16;

/// What a store holds at one moment: the parts of every table. A reader takes one and sees that state
/// until it takes another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`VERSION`].
    pub version: u32,
    /// Counts commits.
    pub commit: u64,
    /// Into how many buckets the records are divided.
    pub buckets: u32,
    /// The files.
    pub parts: Vec<Part>,
}

/// One Parquet file of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Whose.
    pub table: Table,
    /// The bucket of records, where the table is divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<u32>,
    /// The path inside the store.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Bytes in it.
    pub bytes: u64,
}

impl Manifest {
    /// Of a store with nothing in it.
    pub fn empty(buckets: u32) -> Self {
        Self { version: VERSION, commit: 0, buckets, parts: Vec::new() }
    }

    /// The newest manifest at a place; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Version`] where another program wrote it, [`Error::Damaged`] where it cannot be read.
    pub fn newest(place: &Place) -> Result<Option<Self>, Error> {
        let Some(name) = place.list("manifest")?.pop() else { return Ok(None) };
        let damaged =
            |found: String| Error::Damaged { place: name.clone(), expected: "a manifest".to_owned(), found };
        let bytes = place.read(&name)?;
        #[derive(Deserialize)]
        struct Stamp {
            version: u32,
        }
        let Stamp { version } = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        if version != VERSION {
            return Err(Error::Version { place: name, expected: VERSION, found: version });
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|e| damaged(e.to_string()))
    }

    /// Makes this the newest, if nobody was faster; `false` if somebody was.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Remote`].
    pub fn publish(&self, place: &Place) -> Result<bool, Error> {
        let bytes = serde_json::to_vec(self)
            .map_err(|e| Error::Rows { place: "manifest".to_owned(), source: e.into() })?;
        if !place.create(&name(self.commit), &bytes)? {
            return Ok(false);
        }
        if let Some(old) = self.commit.checked_sub(KEPT) {
            place.remove(&name(old))?;
        }
        Ok(true)
    }

    /// The parts of a table.
    pub fn of(&self, table: Table) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |p| p.table == table)
    }

    /// Rows of a table.
    pub fn rows(&self, table: Table) -> u64 {
        self.of(table).map(|p| p.rows).sum()
    }
}

fn name(commit: u64) -> String {
    format!("manifest/{commit:012}.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn one_of_two_writers_wins_and_old_manifests_go() {
        let place = Place::Remote(Arc::new(object_store::memory::InMemory::new()));
        assert_eq!(Manifest::newest(&place).unwrap(), None);
        let mut manifest = Manifest::empty(4);
        assert!(manifest.publish(&place).unwrap());
        assert!(!manifest.publish(&place).unwrap());
        for commit in 1..40 {
            manifest.commit = commit;
            assert!(manifest.publish(&place).unwrap());
        }
        assert_eq!(Manifest::newest(&place).unwrap(), Some(manifest));
        assert_eq!(place.list("manifest").unwrap().len() as u64, KEPT);
    }

    #[test]
    fn another_version_is_told_apart_from_damage() {
        let place = Place::Remote(Arc::new(object_store::memory::InMemory::new()));
        place.create("manifest/000000000001.json", br#"{"version": 9, "new": true}"#).unwrap();
        assert!(matches!(Manifest::newest(&place), Err(Error::Version { found: 9, .. })));
        place.create("manifest/000000000002.json", b"{").unwrap();
        assert!(matches!(Manifest::newest(&place), Err(Error::Damaged { .. })));
    }
}

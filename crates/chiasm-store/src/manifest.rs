use crate::place::Place;
use crate::{Error, Table};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The version of the store's files that this program reads and writes.
pub const VERSION: u32 = 2;
/// Manifests kept behind the newest, for readers that have just opened one.
const KEPT: u64 = 16;
/// How often the newest is looked for while others commit.
const ATTEMPTS: usize = 10;

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
        let Some((name, bytes)) = newest(place)? else { return Ok(None) };
        let damaged =
            |found: String| Error::Damaged { place: name.clone(), expected: "a manifest".to_owned(), found };
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
            // It is committed, whatever becomes of an old one; the next clean-up takes what stays.
            let _ = place.remove(&name(old));
        }
        Ok(true)
    }

    /// Makes sure that this manifest outlives a power failure, whoever published it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn settle(&self, place: &Place) -> Result<(), Error> {
        place.settle(&BTreeSet::from([name(self.commit)]), None)
    }

    /// The name of its file.
    pub(crate) fn file(&self) -> String {
        name(self.commit)
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

/// The newest manifest's name and bytes.
fn newest(place: &Place) -> Result<Option<(String, Bytes)>, Error> {
    let mut missed = None;
    for _ in 0..ATTEMPTS {
        let mut names = place.list("manifest")?;
        names.retain(|name| is_manifest(name));
        let Some(name) = names.pop() else { return Ok(None) };
        match place.read(&name) {
            Ok(bytes) => return Ok(Some((name, bytes))),
            // Others have committed so often since that it is gone.
            Err(error) if error.is_absence() => missed = Some(error),
            Err(error) => return Err(error),
        }
    }
    missed.map_or(Ok(None), Err)
}

/// Whether a file of the folder of manifests is one; editors and file systems leave others.
fn is_manifest(name: &str) -> bool {
    let number = name.strip_prefix("manifest/").and_then(|n| n.strip_suffix(".json"));
    number.is_some_and(|n| n.len() == 12 && n.bytes().all(|b| b.is_ascii_digit()))
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
        // What editors and file systems leave there is none.
        for name in [".nfs0001", "000000000003.json~", "000000000003.json.swp", "copy.json"] {
            place.create(&format!("manifest/{name}"), b"x").unwrap();
        }
        assert!(
            matches!(Manifest::newest(&place), Err(Error::Damaged { place, .. }) if place.ends_with("2.json"))
        );
    }
}

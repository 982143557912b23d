//! Hashes of what a store has, to be asked from any thread.

use crate::RecordId;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// 16 bytes of the hash of a table's row.
pub type RowKey = [u8; 16];

/// A set of hashes, 16 bytes of each, that all its clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Arc<RwLock<HashSet<RowKey>>>);

impl Keys {
    pub fn contains(&self, key: &[u8; 16]) -> bool {
        // A thread that panicked while it wrote had at most left one key out.
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    pub fn extend(&mut self, keys: impl Iterator<Item = [u8; 16]>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }

    fn copy(&self) -> HashSet<[u8; 16]> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a store has taken, for the threads that read sources.
///
/// Entries are known as soon as they are committed, files as they were when this was made: whether a file is
/// read does not depend on how fast others are.
#[derive(Clone, Debug)]
pub struct Known {
    key: [u8; 32],
    entries: Keys,
    rows: Keys,
    sources: Arc<HashSet<[u8; 16]>>,
}

impl Known {
    pub(crate) fn of(key: [u8; 32], entries: &Keys, rows: &Keys, sources: &Keys) -> Self {
        Self { key, entries: entries.clone(), rows: rows.clone(), sources: Arc::new(sources.copy()) }
    }

    /// The number of a source system's record, as [`Store::record`](crate::Store::record) gives it.
    pub fn record(&self, authority: &str, identifier: &str) -> RecordId {
        record(&self.key, authority, identifier)
    }

    /// Whether an entry of that key is there.
    pub fn has_entry(&self, key: &[u8; 32]) -> bool {
        self.entries.contains(&first(key))
    }

    /// Whether a row of that key is there.
    pub fn has_row(&self, key: &RowKey) -> bool {
        self.rows.contains(key)
    }

    /// Whether a file of that key was read to its end.
    pub fn has_source(&self, key: &[u8; 32]) -> bool {
        self.sources.contains(&first(key))
    }
}

/// The number of a source system's record in a store with that key.
pub(crate) fn record(key: &[u8; 32], authority: &str, identifier: &str) -> RecordId {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&(authority.len() as u64).to_le_bytes());
    hasher.update(authority.as_bytes());
    hasher.update(identifier.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    // Not negative, so that it reads as a number everywhere.
    RecordId((u64::from_le_bytes(first) >> 1) as i64)
}

/// The first 16 bytes of a hash.
pub(crate) fn first(hash: &[u8; 32]) -> [u8; 16] {
    std::array::from_fn(|i| hash[i])
}

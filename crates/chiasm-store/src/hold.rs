//! Who uses a store: anybody beside others, or one alone who cleans up.

use crate::place::Place;
use std::fs::{File, TryLockError};

/// The file whose lock says so. The lock ends with the process that holds it, however that ends.
pub(crate) const NAME: &str = "lock";

/// Says that somebody uses the store, until the file is dropped. Waits while another cleans up. `None` where
/// nothing can be locked: an object store, or a folder that may only be read.
pub(crate) fn beside_others(place: &Place) -> Option<File> {
    let file = open(place)?;
    file.lock_shared().ok()?;
    Some(file)
}

/// The store to oneself, until the file is dropped; `None` where somebody else uses it.
pub(crate) fn alone(place: &Place) -> Option<File> {
    let file = open(place)?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
    }
}

fn open(place: &Place) -> Option<File> {
    let Place::Folder(root) = place else { return None };
    let path = root.join(NAME);
    // Both ways, as NFS demands for its locks; but a reader need not be able to write.
    File::options().read(true).append(true).create(true).open(&path).or_else(|_| File::open(&path)).ok()
}

//! One folder whose names several threads make durable together.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::disk::Disk;

/// A folder; [`Folder::sync`] is shared by all who wait for it, so that ten associations pay for one.
pub(crate) struct Folder {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    round: Mutex<Round>,
    ended: Condvar,
}

/// How many syncs began and ended, and whether one failed.
#[derive(Default)]
struct Round {
    begun: u64,
    ended: u64,
    running: bool,
    failed: Option<io::ErrorKind>,
}

impl Folder {
    pub(crate) fn new(path: PathBuf, disk: Arc<dyn Disk>) -> Self {
        Self { path, disk, round: Mutex::default(), ended: Condvar::new() }
    }

    pub(crate) fn disk(&self) -> Arc<dyn Disk> {
        self.disk.clone()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns once a sync that began after this call has ended.
    ///
    /// # Errors
    /// When a sync failed, now or ever: a system may report a lost name only once, so a later success says
    /// nothing. Opening the inbox anew begins afresh.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let mut round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = round.begun + 1;
        while round.ended < mine {
            if round.running {
                round = self.ended.wait(round).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            round.begun += 1;
            round.running = true;
            let this = round.begun;
            drop(round);
            let outcome = self.disk.sync_folder(&self.path);
            round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
            round.running = false;
            round.ended = this;
            if let Err(e) = outcome {
                round.failed = Some(e.kind());
            }
            self.ended.notify_all();
        }
        round.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

//! What is done with the files of a process that was killed.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::disk::Disk;
use crate::Error;
use crate::mllp::frame;

/// Removes drafts that nobody writes any more; they were never acknowledged.
pub(super) fn drop_partial(partial: &Path) {
    for entry in fs::read_dir(partial).into_iter().flatten().flatten() {
        let path = entry.path();
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Cuts every open segment to its last whole message and seals it. The journal's lock must be held.
///
/// # Errors
/// [`Error::Disk`].
pub(super) fn seal_left(journal: &Path, disk: &dyn Disk) -> Result<(), Error> {
    let failed = || Error::disk("seal the journal's last segment");
    let mut changed = false;
    for entry in fs::read_dir(journal).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if path.extension().is_none_or(|e| e != "open") {
            continue;
        }
        changed = true;
        let whole = whole_length(&path).map_err(failed())?;
        if whole == 0 {
            disk.remove(&path).map_err(failed())?;
            continue;
        }
        let file = File::options().write(true).open(&path).map_err(failed())?;
        file.set_len(whole).map_err(failed())?;
        file.sync_all().map_err(failed())?;
        disk.rename(&path, &path.with_extension("mllp")).map_err(failed())?;
    }
    if changed {
        disk.sync_folder(journal).map_err(failed())?;
    }
    Ok(())
}

/// The length of a segment's whole messages: up to the first byte that cannot be part of one.
///
/// A batch is written only after the one before it was made durable, so whatever stands behind such a byte was
/// never acknowledged. A hole that a crash left reads as 00, which no message holds.
fn whole_length(path: &Path) -> io::Result<u64> {
    let mut whole = 0;
    let mut scan = frame::Scan::default();
    for (at, byte) in (1..).zip(BufReader::with_capacity(1 << 16, File::open(path)?).bytes()) {
        match scan.step(byte?) {
            frame::Step::Within => {}
            frame::Step::End => whole = at,
            frame::Step::Broken => break,
        }
    }
    Ok(whole)
}

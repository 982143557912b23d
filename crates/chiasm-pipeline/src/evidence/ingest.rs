//! Files, folders and archives into the store: resumable, and stopped by nothing but a full disk.

use super::preparing::Ground;
use super::reading::Reading;
use super::site::IngestSite;
pub use super::taking::Ingested;
use super::taking::Taking;
use crate::{Error, Progress};
use chiasm_store::Store;
use std::fs;
use std::path::{Path, PathBuf};

/// Reads `sources` (files, folders, archives) into the store.
///
/// What a killed run committed is not read again, and the same content twice changes nothing.
///
/// # Errors
/// Where the store cannot be written, or a source that was named is not there. What is wrong inside a
/// source goes to quarantine and the run goes on.
pub fn ingest(
    sources: &[PathBuf],
    site: &IngestSite,
    store: &mut Store,
    progress: &dyn Progress,
) -> Result<Ingested, Error> {
    let mut files = Vec::new();
    for path in sources {
        if !path.exists() {
            return Err(Error::Missing { path: path.clone(), hint: String::new() });
        }
        let before = files.len();
        gather(path, &mut files)?;
        files[before..].sort();
    }
    let scratch = scratch(store)?;
    let reading = Reading { ground: Ground::of(store, site)?, scratch: scratch.path() };
    progress.begin("reading", files.len());
    let mut taking = Taking::new(store, site);
    reading.all(&files, |step| taking.take(step), || progress.advance())?;
    taking.commit()?;
    let done = taking.done;
    store.compact()?;
    Ok(done)
}

/// A folder for what is unpacked: inside a local store, so that nothing of a patient lies elsewhere.
fn scratch(store: &Store) -> Result<tempfile::TempDir, Error> {
    let root = match store.place() {
        chiasm_store::Place::Folder(root) => root.join("tmp"),
        chiasm_store::Place::Remote(_) => std::env::temp_dir(),
    };
    fs::create_dir_all(&root)
        .and_then(|()| tempfile::Builder::new().prefix("unpacked-").tempdir_in(&root))
        .map_err(|source| Error::Write { path: root, source })
}

/// The plain files at or below a path. Links are not followed: what lies outside was not named.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let fault = |source| Error::Read { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(fault)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_dir() {
            gather(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

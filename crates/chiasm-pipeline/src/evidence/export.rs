//! A store's events as a MEDS 0.4 data set: a folder that is there whole or not at all.
//!
//! Rows that came from a MEDS set go out as they came in, to the bit; events of other sources get their own
//! `system|code`, UTC, and a few further columns. A subject is a patient after linking.

mod columns;
mod metadata;
mod numbers;
mod shards;
mod survey;

use crate::{Error, Progress};
use chiasm_store::Store;
use numbers::Numbers;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use survey::Survey;

/// What an export wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Patients.
    pub subjects: usize,
    /// Rows.
    pub events: u64,
    /// Files below `data/`.
    pub shards: usize,
    /// Codes in `metadata/codes.parquet`.
    pub codes: usize,
    /// MEDS data sets that events came from, by the names of their subjects' authorities.
    pub sets: Vec<String>,
    /// Patients with a MEDS number whose number goes to another patient, of a set that was taken earlier.
    pub renumbered: u64,
    /// Patients that several MEDS numbers were linked to; they have the first.
    pub joined: u64,
    /// Events about nobody, which MEDS has no place for.
    pub left_out: u64,
}

/// Writes the store's events as a MEDS data set into a new or empty folder; `name` is its name where it is not that of
/// the one set that all of it came from.
///
/// # Errors
/// [`Error::NotEmpty`] where the folder holds something; [`Error::Write`], or where the store cannot be read: nothing is
/// left of it then.
pub fn meds(
    store: &Store,
    out: &Path,
    name: Option<&str>,
    progress: &dyn Progress,
) -> Result<Exported, Error> {
    let read = |source| Error::Read { path: out.to_owned(), source };
    if out.exists() && (!out.is_dir() || fs::read_dir(out).map_err(read)?.next().is_some()) {
        return Err(Error::NotEmpty { path: out.to_owned() });
    }
    let parent = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    };
    fs::create_dir_all(parent).map_err(write(parent))?;
    let made = tempfile::Builder::new().prefix(".meds-").tempdir_in(parent).map_err(write(parent))?;

    let survey = Survey::of(store, progress)?;
    let numbers = Numbers::of(store, &survey)?;
    let mut done = Exported {
        subjects: survey.patients.len(),
        sets: survey.sets.clone(),
        renumbered: numbers.renumbered,
        joined: numbers.joined,
        left_out: survey.left_out,
        ..Exported::default()
    };
    let layout = columns::Layout::of(store, &survey)?;
    (done.events, done.shards) = shards::write(store, &survey, &numbers, &layout, made.path(), progress)?;
    done.codes = metadata::codes(store, &survey, made.path())?;
    metadata::splits(store, &survey, &numbers, made.path())?;
    metadata::dataset(store, &survey, &layout, name, made.path())?;

    sync(made.path())?;
    // A rename onto an empty folder takes its place; onto a full one it fails.
    fs::rename(made.path(), out).map_err(write(out))?;
    // Its name is another now: there is nothing left to remove.
    let _ = made.keep();
    readable(out)?;
    fs::File::open(parent).and_then(|f| f.sync_all()).map_err(write(parent))?;
    Ok(done)
}

/// A temporary folder is for its owner alone; an export has the permissions that folders usually have here.
#[cfg(unix)]
fn readable(out: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let inside = out.join("metadata");
    let usual = fs::metadata(&inside).map(|m| m.permissions().mode());
    usual
        .and_then(|mode| fs::set_permissions(out, fs::Permissions::from_mode(mode)))
        .map_err(|source| Error::Write { path: out.to_owned(), source })
}

#[cfg(not(unix))]
fn readable(_: &Path) -> Result<(), Error> {
    Ok(())
}

/// Makes sure that every file and name below a folder is on the disk.
fn sync(folder: &Path) -> Result<(), Error> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    };
    let entries: Vec<PathBuf> =
        fs::read_dir(folder).map_err(fault(folder))?.filter_map(|e| Some(e.ok()?.path())).collect();
    for path in entries {
        if path.is_dir() {
            sync(&path)?;
        } else {
            fs::File::open(&path).and_then(|f| f.sync_all()).map_err(fault(&path))?;
        }
    }
    fs::File::open(folder).and_then(|f| f.sync_all()).map_err(fault(folder))
}

//! The RUN folder: every file appears whole or not at all.

use crate::Error;
use serde::{Serialize, de::DeserializeOwned};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder that holds one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// Whether a run may be begun here: nothing is there, or only what a run leaves that was stopped
    /// before its record was written.
    pub fn is_free(root: &Path) -> bool {
        let Ok(entries) = fs::read_dir(root) else { return !root.exists() };
        let names: Vec<String> =
            entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        let own = ["folds", "checkpoint", "recipe.toml", "site.toml", "schema.json", "findings.json"];
        names.is_empty()
            || root.join("folds").is_dir()
                && root.join("checkpoint").is_dir()
                && names.iter().all(|n| own.contains(&n.as_str()))
    }

    /// Creates the folder where it is absent.
    ///
    /// # Errors
    /// [`Error::Write`] with the path and the system's reason.
    pub fn create(root: &Path) -> Result<Self, Error> {
        for folder in [root.to_path_buf(), root.join("folds"), root.join("checkpoint")] {
            fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder, source })?;
        }
        Ok(Self { root: root.to_path_buf() })
    }

    /// Opens a folder that a run has made.
    ///
    /// # Errors
    /// [`Error::NotARun`] where it has no recipe in it.
    pub fn open(root: &Path) -> Result<Self, Error> {
        if !root.join("run.json").is_file() {
            return Err(Error::NotARun { path: root.to_path_buf() });
        }
        Ok(Self { root: root.to_path_buf() })
    }

    /// The path of a file inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file whole: to a neighbour first, synced, then renamed over.
    ///
    /// # Errors
    /// [`Error::Write`] (a full disk, for example); the file's old content, if any, stays.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        write_whole(&self.path(name), bytes)
    }

    /// Writes a value as indented JSON, whole.
    ///
    /// # Errors
    /// As [`RunFolder::write`].
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|e| Error::Broken { path: self.path(name), message: e.to_string() })?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`] with the path and the system's reason.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.path(name);
        fs::read(&path).map_err(|source| Error::Read { path, source })
    }

    /// Reads a JSON file.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Broken`] where it is not what it should be.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.read(name)?)
            .map_err(|e| Error::Broken { path: self.path(name), message: e.to_string() })
    }
}

/// Writes a file whole: to a neighbour first, synced, then renamed over.
///
/// # Errors
/// [`Error::Write`]; the file's old content, if any, stays, and the neighbour is removed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let error = |source| Error::Write { path: path.to_path_buf(), source };
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let part = path.with_file_name(format!(".{name}.part"));
    let written = fs::File::create(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, path));
    written.map_err(|source| {
        // Nothing half-written stays; the first error is the one worth telling.
        let _ = fs::remove_file(&part);
        error(source)
    })
}

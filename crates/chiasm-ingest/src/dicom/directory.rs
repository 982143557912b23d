use super::dataset::{DataSet, Level};
use super::entry::asset;
use super::key;
use crate::Error;
use crate::feed::{Entry, Source};
use chiasm_record::Finding;
use dicom_dictionary_std::tags;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The SOP class of a DICOMDIR.
const DIRECTORY: &str = "1.2.840.10008.1.3.10";

/// The longest name that is followed; the standard allows eight parts of eight characters.
const NAME: usize = 1024;

pub(super) fn is_directory(data: &DataSet) -> bool {
    let root = data.root();
    root.first(tags::MEDIA_STORAGE_SOP_CLASS_UID).as_deref() == Some(DIRECTORY)
        || root.find(tags::DIRECTORY_RECORD_SEQUENCE).is_some()
}

/// The files that a DICOMDIR names, relative to its folder with `/` between the parts, each once and in
/// its order.
///
/// A name is as the file says it and may lead anywhere: open it by [`Source::sibling`] alone.
///
/// # Errors
/// As [`open`](super::open), and [`Error::WrongFormat`] where the file is no DICOMDIR.
pub fn directory(source: &Source) -> Result<Vec<String>, Error> {
    let data = super::open(source)?;
    if !is_directory(&data) {
        let (place, expected) = (source.origin.clone(), "a DICOMDIR");
        return Err(Error::WrongFormat { place, expected, found: "another DICOM file" });
    }
    Ok(names(data.root()))
}

fn names(root: Level<'_>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let records = root.items(tags::DIRECTORY_RECORD_SEQUENCE);
    let active = records.filter(|r| r.integer(tags::RECORD_IN_USE_FLAG) != Some(0));
    let named = active.map(|r| r.texts(tags::REFERENCED_FILE_ID).join("/"));
    named.filter(|n| (1..=NAME).contains(&n.len()) && seen.insert(n.clone())).collect()
}

/// Where the files are that a DICOMDIR names; each folder is looked up once.
struct Medium {
    root: PathBuf,
    /// Folders that were looked up: not there, or there and whether inside the DICOMDIR's own.
    folders: BTreeMap<PathBuf, Option<bool>>,
}

impl Medium {
    /// Whether a file is inside; `None` where it is not there.
    fn holds(&mut self, path: &Path) -> Option<bool> {
        let folder = path.parent()?;
        if !self.folders.contains_key(folder) {
            let found = folder.canonicalize().ok().map(|f| f.starts_with(&self.root));
            self.folders.insert(folder.to_owned(), found);
        }
        if !self.folders.get(folder).copied().flatten()? {
            return Some(false);
        }
        match path.symlink_metadata().ok()?.is_symlink() {
            true => Some(path.canonicalize().ok()?.starts_with(&self.root)),
            false => Some(true),
        }
    }

    /// As [`Medium::holds`]; on a mounted disc names may have lost their upper case.
    fn holds_either(&mut self, source: &Source, name: &str) -> Result<Option<bool>, Error> {
        let found = self.holds(&source.beside(name)?.1);
        let lower = name.to_lowercase();
        Ok(if found.is_none() && lower != name { self.holds(&source.beside(&lower)?.1) } else { found })
    }
}

/// A DICOMDIR as an entry about nobody, with its doubts.
pub(super) fn entry(source: &Source, data: &DataSet) -> Result<Entry, Error> {
    let mut entry = Entry::of(key::key(data), "", None, Vec::new());
    entry.subjects.clear();
    entry.assets = vec![asset(source, data)?];
    // What came over a wire has no folder to look in.
    if source.path().is_some() {
        let root = source.beside("DICOMDIR")?.0.canonicalize().unwrap_or_default();
        let mut medium = Medium { root, folders: BTreeMap::new() };
        let (mut missing, mut outside) = (0, 0);
        for name in names(data.root()) {
            match medium.holds_either(source, &name) {
                Ok(Some(true)) => {}
                Ok(None) => missing += 1,
                Ok(Some(false)) | Err(_) => outside += 1,
            }
        }
        let texts = [
            (missing, "files that the DICOMDIR names are not there"),
            (outside, "file names of the DICOMDIR lead out of its folder"),
        ];
        let found = texts.into_iter().filter(|t| t.0 > 0);
        entry.findings = found.map(|(count, text)| Finding::new(&source.origin, text, count)).collect();
    }
    Ok(entry)
}

use super::dataset::{DataSet, Level};
use super::entry::asset;
use super::key;
use crate::Error;
use crate::feed::{Entry, Source};
use chiasm_record::Finding;
use dicom_dictionary_std::tags;

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

/// The file that a DICOMDIR names; on a mounted disc names may have lost their upper case.
fn referenced(source: &Source, name: &str) -> Result<Source, Error> {
    let lower = name.to_lowercase();
    let there = [name, lower.as_str()].into_iter().find(|n| source.has_sibling(n));
    source.sibling(there.unwrap_or(name))
}

/// A DICOMDIR as an entry about nobody, with its doubts.
pub(super) fn entry(source: &Source, data: &DataSet) -> Result<Entry, Error> {
    let mut entry = Entry::of(key::key(data), "", None, Vec::new());
    entry.subjects.clear();
    entry.assets = vec![asset(source, data)?];
    // What came over a wire has no folder to look in.
    if source.path().is_some() {
        let (mut missing, mut outside) = (0, 0);
        for name in names(data.root()) {
            match referenced(source, &name) {
                Ok(_) => {}
                Err(Error::Outside { .. }) => outside += 1,
                Err(_) => missing += 1,
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

//! What belongs to no state of the store any more, removed.

use crate::place::Place;
use crate::{Error, Manifest, Store, Table, hold, parts};
use chiasm_record::AssetId;
use std::collections::{HashMap, HashSet};
use std::fs;

/// What a clean-up removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Parts that were merged into others, or that a killed program wrote and never committed.
    pub parts: u64,
    /// Assets that nothing committed points to.
    pub assets: u64,
    /// Unfinished files and folders.
    pub unfinished: u64,
}

impl Store {
    /// Removes the files that the newest state does not name: parts merged into others, what a killed
    /// program left, older states. Nothing happens while another program, or another [`Store`] of this one,
    /// has the store open, so no reader loses a file and no writer one that it is about to commit. An object
    /// store is left alone: nobody can tell there who reads.
    ///
    /// # Errors
    /// Where the newest state cannot be read, or a file not removed.
    pub fn reclaim(place: &Place) -> Result<Reclaimed, Error> {
        let mut done = Reclaimed::default();
        if Manifest::newest(place)?.is_none() {
            return Ok(done);
        }
        let Some(_alone) = hold::alone(place) else { return Ok(done) };
        let Some(newest) = Manifest::newest(place)? else { return Ok(done) };
        let parts: HashSet<&str> = newest.parts.iter().map(|p| p.file.as_str()).collect();
        // Older states first: none may name what is gone.
        for name in place.list("manifest")?.iter().filter(|name| **name < newest.file()) {
            place.remove(name)?;
        }
        let files: Vec<String> =
            Table::ALL.iter().map(|t| place.list(t.name())).collect::<Result<Vec<_>, _>>()?.concat();
        for name in files.iter().filter(|n| n.ends_with(".parquet") && !parts.contains(n.as_str())) {
            place.remove(name)?;
            done.parts += 1;
        }
        for name in orphans(place, &newest, &files)? {
            place.remove(&name)?;
            done.assets += 1;
        }
        if let Place::Folder(root) = place {
            let fault = |source| Error::Io { place: "tmp".to_owned(), action: "emptied", source };
            for entry in fs::read_dir(root.join("tmp")).into_iter().flatten() {
                let path = entry.map_err(fault)?.path();
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
                    .map_err(fault)?;
                done.unfinished += 1;
            }
        }
        Ok(done)
    }
}

/// The files of assets that no row of a state points to.
fn orphans(place: &Place, manifest: &Manifest, files: &[String]) -> Result<Vec<String>, Error> {
    let mut left: HashMap<AssetId, &String> = files.iter().filter_map(|f| Some((asset(f)?, f))).collect();
    // Events last: there are many, and mostly nothing is left by then.
    for table in [Table::Assets, Table::Quarantine, Table::Events] {
        for part in manifest.of(table) {
            if left.is_empty() {
                return Ok(Vec::new());
            }
            for id in parts::texts(place, part, "asset")?.iter().filter_map(|id| AssetId::parse(id)) {
                left.remove(&id);
            }
        }
    }
    Ok(left.into_values().cloned().collect())
}

/// The asset that a file is, by its name; `None` for a file of another kind, which is not ours to remove.
fn asset(name: &str) -> Option<AssetId> {
    AssetId::parse(&name.strip_prefix("assets/")?.replace('/', ""))
}

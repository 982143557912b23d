//! From a recipe, a site and a data folder to examples.

use crate::recipe::Recipe;
use crate::{Error, Progress};
use chiasm_cohort::{Assembled, CohortSpec, InputKind, Mode, Site, Sources, assemble, inputs};
use std::collections::BTreeMap;
use std::path::Path;

/// The examples of a data folder, and a fingerprint of each file read.
pub struct Cohort {
    /// The examples and what was seen while making them.
    pub assembled: Assembled,
    /// Path below the data folder -> BLAKE3 of the file.
    pub files: BTreeMap<String, String>,
}

/// Reads the files that the recipe needs at this site and joins them.
///
/// # Errors
/// A missing or broken file, a column that is not there, and so on: whatever ingest and cohort refuse.
pub fn read(
    recipe: &Recipe,
    site: &Site,
    data: &Path,
    parameters: &BTreeMap<String, String>,
    mode: Mode<'_>,
    progress: &dyn Progress,
) -> Result<Cohort, Error> {
    if !data.is_dir() {
        let hint = "; --data names the folder that holds the site's files".to_owned();
        return Err(Error::Missing { path: data.to_path_buf(), hint });
    }
    let spec: CohortSpec = recipe.cohort();
    let wanted = inputs(site, &spec, mode, parameters)?;
    progress.begin("reading", wanted.len());
    let mut sources = Sources::new();
    let mut files = BTreeMap::new();
    for input in wanted {
        let path = data.join(&input.path);
        let missing = |e: &chiasm_ingest::Error| matches!(e, chiasm_ingest::Error::MissingFile { .. });
        let read = match input.kind {
            InputKind::Table => {
                chiasm_ingest::read_table(&path).map(|t| sources.insert_table(&input.name, t))
            }
            InputKind::Vectors => {
                chiasm_ingest::read_vectors(&path).map(|v| sources.insert_vectors(&input.name, v))
            }
        };
        match read {
            Ok(()) => {
                files.insert(input.path.clone(), chiasm_ingest::fingerprint(&path)?);
            }
            // In prediction a modality may be absent for everyone; assemble tells so.
            Err(e) if missing(&e) && matches!(mode, Mode::Predict(_)) => {}
            Err(e) => return Err(e.into()),
        }
        progress.advance();
    }
    let assembled = assemble(site, &spec, &sources, mode)?;
    Ok(Cohort { assembled, files })
}

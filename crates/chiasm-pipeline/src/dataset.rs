//! The public data sets that the recipes use: what they are, where they come from, and fetching them.

use crate::recipe::nearest;
use crate::{Error, Progress, bundle, folder};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Largest file that is fetched: 2 GiB.
const LARGEST: u64 = 2 << 30;

/// A `datasets/NAME.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Its name, which is also its folder's.
    pub name: String,
    /// What a person calls it.
    pub title: String,
    /// Its licence.
    pub licence: String,
    /// Whom to cite.
    pub citation: String,
    /// Where to read about it.
    pub homepage: String,
    /// What a user should know before fetching it.
    #[serde(default)]
    pub note: Option<String>,
    /// Its files.
    #[serde(default)]
    pub files: Vec<DatasetFile>,
}

/// One file of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetFile {
    /// Path below the data set's folder.
    pub path: String,
    /// Where it comes from, pinned to a version; absent for a file that the program itself carries.
    #[serde(default)]
    pub url: Option<String>,
    /// BLAKE3 of its bytes, where it is known; a file that differs is refused.
    #[serde(default)]
    pub blake3: Option<String>,
}

impl Dataset {
    /// Whether the program itself carries all of it.
    pub fn is_bundled(&self) -> bool {
        self.files.iter().all(|f| f.url.is_none())
    }
}

/// All data sets, by name.
///
/// # Errors
/// [`Error::Broken`] where a description cannot be read.
pub fn list() -> Result<Vec<Dataset>, Error> {
    bundle::datasets()
        .into_iter()
        .map(|(name, text)| {
            toml::from_str(text).map_err(|e| Error::Broken {
                path: format!("datasets/{name}.toml").into(),
                message: e.to_string(),
            })
        })
        .collect()
}

/// The data set of that name.
///
/// # Errors
/// [`Error::Unknown`] with the nearest name.
pub fn find(name: &str) -> Result<Dataset, Error> {
    let all = list()?;
    all.iter().find(|d| d.name == name).cloned().ok_or_else(|| Error::Unknown {
        what: "data set",
        name: name.to_owned(),
        hint: nearest(name, all.iter().map(|d| d.name.as_str())),
    })
}

/// Where a data set lies on this machine: in `given`, in the folder of data sets, or beside the checkout.
pub fn locate(name: &str, data_sets: Option<&Path>) -> Option<PathBuf> {
    let beside = Path::new("../shared/data");
    data_sets.into_iter().chain([beside]).map(|folder| folder.join(name)).find(|path| path.is_dir())
}

/// Fetches a data set into `folder/NAME` and returns that path; files that are there and right are kept.
///
/// # Errors
/// [`Error::Fetch`] where a file cannot be reached or is not the pinned one (nothing half-written stays),
/// [`Error::Write`].
pub fn get(dataset: &Dataset, root: &Path, progress: &dyn Progress) -> Result<PathBuf, Error> {
    let target = root.join(&dataset.name);
    if dataset.is_bundled() {
        return match bundle::unpack_data(&dataset.name, &target)? {
            Some(path) => Ok(path),
            None => Err(Error::Missing { path: target, hint: "; the binary carries no such data".into() }),
        };
    }
    progress.begin(&format!("fetching {}", dataset.name), dataset.files.len());
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_global(Some(Duration::from_secs(600)))
        .build()
        .into();
    for file in &dataset.files {
        let path = target.join(&file.path);
        let right = |bytes: &[u8]| {
            file.blake3.as_ref().is_none_or(|hash| blake3::hash(bytes).to_hex().as_str() == hash)
        };
        if !std::fs::read(&path).is_ok_and(|bytes| right(&bytes)) {
            let Some(url) = &file.url else { continue };
            let bytes = fetch(&agent, url)?;
            if !right(&bytes) {
                let message = "the file is not the pinned one (BLAKE3 differs)".to_owned();
                return Err(Error::Fetch { url: url.clone(), message });
            }
            let parent = path.parent().unwrap_or(&target);
            std::fs::create_dir_all(parent)
                .map_err(|source| Error::Write { path: parent.to_path_buf(), source })?;
            folder::write_whole(&path, &bytes)?;
        }
        progress.advance();
    }
    Ok(target)
}

fn fetch(agent: &ureq::Agent, url: &str) -> Result<Vec<u8>, Error> {
    let error = |message: String| Error::Fetch { url: url.to_owned(), message };
    let mut response = agent.get(url).call().map_err(|e| error(e.to_string()))?;
    let mut bytes = Vec::new();
    let mut reader = response.body_mut().as_reader().take(LARGEST + 1);
    reader.read_to_end(&mut bytes).map_err(|e| error(e.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(error("larger than 2 GiB".into()));
    }
    Ok(bytes)
}

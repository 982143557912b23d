//! What travels inside the binary: the recipes, the sites, the data sets' descriptions and the small
//! real cohort, so that an installed program works without the source tree.

use crate::Error;
use crate::recipe::nearest;
use include_dir::{Dir, include_dir};
use std::path::{Path, PathBuf};

static RECIPES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../recipes");
static SITES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sites");
static DATASETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../datasets");

/// A text and where it came from, for messages.
#[derive(Clone, Debug)]
pub struct Text {
    /// A path, or a path inside the binary.
    pub place: String,
    /// The text.
    pub text: String,
}

/// The recipe at `path` (its folder or its file), else the bundled one of that name.
///
/// # Errors
/// [`Error::Unknown`] with the nearest bundled name, [`Error::Read`].
pub fn recipe(path: &str) -> Result<Text, Error> {
    find(path, "recipe.toml", "recipe", &RECIPES)
}

/// The site at `path` (its folder or its file), else the bundled one of that name.
///
/// # Errors
/// As [`recipe`].
pub fn site(path: &str) -> Result<Text, Error> {
    find(path, "site.toml", "site", &SITES)
}

fn find(path: &str, file: &str, what: &'static str, bundle: &Dir<'_>) -> Result<Text, Error> {
    let on_disk = Path::new(path);
    let on_disk = if on_disk.is_dir() { on_disk.join(file) } else { on_disk.to_path_buf() };
    if on_disk.is_file() {
        let text = std::fs::read_to_string(&on_disk)
            .map_err(|source| Error::Read { path: on_disk.clone(), source })?;
        return Ok(Text { place: on_disk.display().to_string(), text });
    }
    let name = Path::new(path).file_name().map_or(path.into(), |n| n.to_string_lossy());
    match bundle.get_file(format!("{name}/{file}")).and_then(|f| f.contents_utf8()) {
        Some(text) => Ok(Text { place: format!("{what}s/{name}/{file}"), text: text.to_owned() }),
        None => {
            let names: Vec<String> = bundle.dirs().map(|d| d.path().display().to_string()).collect();
            let hint = nearest(&name, names.iter().map(String::as_str));
            Err(Error::Unknown { what, name: path.to_owned(), hint })
        }
    }
}

/// The descriptions of the public data sets, by name.
pub fn datasets() -> Vec<(String, &'static str)> {
    let files = DATASETS.files().filter(|f| f.path().extension().is_some_and(|e| e == "toml"));
    let mut all: Vec<(String, &'static str)> = files
        .filter_map(|f| Some((f.path().file_stem()?.to_string_lossy().into_owned(), f.contents_utf8()?)))
        .collect();
    all.sort();
    all
}

/// Writes a site's bundled data into `folder` and returns the folder; `None` where the site has none.
///
/// # Errors
/// [`Error::Write`].
pub fn unpack_data(site: &str, folder: &Path) -> Result<Option<PathBuf>, Error> {
    let Some(data) = SITES.get_dir(format!("{site}/data")) else { return Ok(None) };
    std::fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.to_path_buf(), source })?;
    for file in data.files() {
        if let Some(name) = file.path().file_name() {
            crate::folder::write_whole(&folder.join(name), file.contents())?;
        }
    }
    Ok(Some(folder.to_path_buf()))
}

use crate::feed::{Feed, Source};
use chiasm_linkage::{IdentifierKind, Identity};
use std::path::PathBuf;

/// Bytes of `dataset.json` that are read.
const DATASET: u64 = 1 << 20;
/// The longest name of a data set that is used.
const NAME: usize = 200;

/// Where a file stands in a MEDS data set, and what the set is called.
pub(super) struct Place {
    /// The file's path below `data/` or `metadata/`, without its ending.
    pub shard: String,
    /// The set's own name.
    pub name: Option<String>,
}

impl Place {
    /// Where a source stands: below the last folder of its path that is called `data` or `metadata`. A member
    /// of an archive never looks outside of the archive.
    pub fn of(source: &Source) -> Self {
        let (parts, at, root) = split(source);
        let below = at.map_or(parts.len().saturating_sub(1), |at| at + 1);
        let shard = parts[below..].join("/");
        let shard = shard.strip_suffix(".parquet").unwrap_or(&shard).to_owned();
        Self { shard, name: root.and_then(name) }
    }

    /// The folder of the set that a source belongs to, where it is one on disk.
    pub fn root(source: &Source) -> Option<PathBuf> {
        split(source).2
    }

    /// Who gave a set's subjects their numbers: the site, under the set's name. Two sites never share a number,
    /// since two sets of one name need not be one.
    pub fn authority(&self, feed: &Feed) -> String {
        match &self.name {
            Some(name) => format!("{}|MEDS|{name}", feed.site),
            None => format!("{}|MEDS", feed.site),
        }
    }
}

/// The parts of a source's path, which of them is `data` or `metadata`, and the folder above that.
fn split(source: &Source) -> (Vec<String>, Option<usize>, Option<PathBuf>) {
    let member = source.origin.contains('!');
    let file = source.path().map(|p| p.canonicalize().unwrap_or_else(|_| p.to_owned()));
    let text = match &file {
        Some(path) if !member => path.to_string_lossy().into_owned(),
        _ => source.origin.rsplit('!').find(|p| !p.is_empty()).unwrap_or_default().to_owned(),
    };
    let plain = |p: &&str| !p.is_empty() && *p != ".";
    let parts: Vec<String> = text.split(['/', '\\']).filter(plain).map(str::to_owned).collect();
    let folders = parts.len().saturating_sub(1);
    let at = parts[..folders].iter().rposition(|p| matches!(p.as_str(), "data" | "metadata"));
    let root = at.and_then(|at| Some(file?.ancestors().nth(parts.len() - at)?.to_owned()));
    (parts, at, root)
}

/// A subject of a set.
pub(super) fn identity(authority: &str, subject: i64) -> Identity {
    Identity::of_key(authority, subject.to_string(), IdentifierKind::Source)
}

/// The name that `metadata/dataset.json` below `root` gives.
fn name(root: PathBuf) -> Option<String> {
    let file = Source::file(&root.join("metadata").join("dataset.json"));
    let json: serde_json::Value = serde_json::from_slice(&file.bytes(DATASET).ok()?).ok()?;
    let name: String = json.get("dataset_name")?.as_str()?.trim().chars().take(NAME).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_named_below_data() {
        for (origin, shard) in [
            ("a.zip!/set/data/train/0.parquet", "train/0"),
            ("a.zip!/0.parquet", "0"),
            ("data/data/0.parquet", "0"),
            ("x.tar!!/metadata/codes.parquet", "codes"),
            ("", ""),
        ] {
            let place = Place::of(&Source::memory(origin, ""));
            assert_eq!((place.shard.as_str(), place.name), (shard, None), "{origin}");
        }
    }

    #[test]
    fn a_set_says_its_name_and_an_archive_stays_inside() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("set");
        std::fs::create_dir_all(root.join("data/train")).unwrap();
        std::fs::create_dir_all(root.join("metadata")).unwrap();
        std::fs::write(root.join("metadata/dataset.json"), r#"{"dataset_name": "demo"}"#).unwrap();
        let file = root.join("data/train/0.parquet");
        std::fs::write(&file, "x").unwrap();
        let place = Place::of(&Source::file(&file));
        assert_eq!((place.shard.as_str(), place.name.as_deref()), ("train/0", Some("demo")));
        assert_eq!(place.authority(&Feed::utc("s")), "s|MEDS|demo");
        let place = Place::of(&Source::file(&root.join("metadata/codes.parquet")));
        assert_eq!(place.name.as_deref(), Some("demo"));
        // Unpacked somewhere below a folder that is called data: the origin alone counts.
        let place = Place::of(&Source::file(&file).called("a.zip!/0.parquet"));
        assert_eq!((place.shard.as_str(), place.name), ("0", None));
    }
}

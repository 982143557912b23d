//! Archives and databases onto disk: each member a file of its own, so that a header finds its signal and nothing large
//! is held in memory.

use super::{Source, duckdb};
use crate::{Budget, Error};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

/// Bytes of the name of one member and its folders.
const NAME: usize = 1024;
/// Members of one archive.
const MEMBERS: usize = 1_000_000;

/// What bytes are packed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Zip.
    Zip,
    /// Tar.
    Tar,
    /// Gzip of anything; of a tar, mostly.
    Gzip,
    /// A DuckDB database: tables.
    DuckDb,
}

impl Packing {
    /// How the beginning of a file says that it is packed.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            _ if duckdb::recognises(head) => Some(Self::DuckDb),
            _ if head.get(257..262) == Some(&b"ustar"[..]) => Some(Self::Tar),
            _ => None,
        }
    }
}

/// Unpacks one layer of `source` into the empty folder `into`, and gives the members in name order, called
/// `archive.zip!/member`. A member of a gzip has the archive's name without `.gz`.
///
/// Folders, links and devices inside are passed over: a member is a plain file below `into` or it is
/// refused. What is unpacked counts against `budget`.
///
/// # Errors
/// [`Error::Outside`] where a member's name leads out of the folder, [`Error::TooLarge`] where there is
/// more than the budget, [`Error::Damaged`] where the bytes break the rules of the packing, [`Error::WrongFormat`]
/// for a database where DuckDB's program is not there.
pub fn unpack(
    source: &Source,
    packing: Packing,
    into: &Path,
    budget: &mut Budget,
) -> Result<Vec<Source>, Error> {
    let place = source.origin.as_str();
    let mut members = match packing {
        Packing::Gzip => {
            let name = place.rsplit('/').next().unwrap_or(place);
            let name = inner_name(name);
            let reader = flate2::read::MultiGzDecoder::new(source.open()?);
            vec![(name.clone(), write(reader, into, &name, place, budget)?)]
        }
        Packing::Zip => unzip(source, into, budget)?,
        Packing::Tar => untar(source, into, budget)?,
        Packing::DuckDb => duckdb::tables(source, into, budget)?,
    };
    members.sort();
    let called = |name: &str| match packing {
        Packing::Gzip => format!("{place}!"),
        Packing::Zip | Packing::Tar | Packing::DuckDb => format!("{place}!/{name}"),
    };
    Ok(members.iter().map(|(name, path)| Source::file(path).called(called(name))).collect())
}

/// The name of what a gzip file called `name` holds.
fn inner_name(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let stem = |suffix: usize| name.get(..name.len() - suffix).filter(|s| !s.is_empty());
    if lower.ends_with(".tgz") {
        stem(3).map_or_else(|| "content".to_owned(), |s| format!("{s}tar"))
    } else if lower.ends_with(".gz") {
        stem(3).unwrap_or("content").to_owned()
    } else {
        "content".to_owned()
    }
}

fn unzip(source: &Source, into: &Path, budget: &mut Budget) -> Result<Vec<(String, PathBuf)>, Error> {
    let place = source.origin.as_str();
    let damaged = |e: zip::result::ZipError| damaged(place, "zip", &e);
    let mut archive = zip::ZipArchive::new(source.open()?).map_err(damaged)?;
    too_many(archive.len(), place)?;
    let mut members = Vec::new();
    for i in 0..archive.len() {
        let member = archive.by_index(i).map_err(damaged)?;
        if !member.is_file() || member.is_symlink() {
            continue;
        }
        let name = member.name().map_err(damaged)?.into_owned();
        if name.starts_with("__MACOSX/") {
            continue;
        }
        let path = write(member, into, &name, place, budget)?;
        members.push((name, path));
    }
    Ok(members)
}

fn untar(source: &Source, into: &Path, budget: &mut Budget) -> Result<Vec<(String, PathBuf)>, Error> {
    let place = source.origin.as_str();
    let damaged = |e: std::io::Error| damaged(place, "tar", &e);
    let mut archive = tar::Archive::new(source.open()?);
    let mut members = Vec::new();
    for member in archive.entries().map_err(damaged)? {
        let member = member.map_err(damaged)?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        too_many(members.len() + 1, place)?;
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let path = write(member, into, &name, place, budget)?;
        members.push((name, path));
    }
    Ok(members)
}

fn too_many(members: usize, place: &str) -> Result<(), Error> {
    if members <= MEMBERS {
        return Ok(());
    }
    let found = format!("{members} members");
    Err(Error::Damaged {
        place: place.to_owned(),
        expected: "an archive of at most a million members",
        found,
    })
}

fn damaged(place: &str, expected: &'static str, error: &dyn std::error::Error) -> Error {
    Error::Damaged { place: place.to_owned(), expected, found: error.to_string() }
}

/// Writes one member below `into`; where a name comes twice, the second is refused.
fn write(
    mut from: impl Read,
    into: &Path,
    name: &str,
    place: &str,
    budget: &mut Budget,
) -> Result<PathBuf, Error> {
    let outside = || Error::Outside { place: place.to_owned() };
    let relative = Path::new(name);
    let plain = relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if name.is_empty() || name.len() > NAME || name.contains(['\\', '\0']) || !plain {
        return Err(outside());
    }
    let path = into.join(relative);
    let fault = |source| Error::Io { path: PathBuf::from(name), source };
    fs::create_dir_all(path.parent().unwrap_or(into)).map_err(fault)?;
    let mut to = match File::create_new(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::DuplicateMember { place: place.to_owned() });
        }
        file => file.map_err(fault)?,
    };
    let mut block = vec![0; 1 << 16];
    loop {
        match from.read(&mut block).map_err(|e| damaged(place, "packed bytes", &e))? {
            0 => return Ok(path),
            n => {
                budget.spend(n as u64, place)?;
                to.write_all(&block[..n]).map_err(fault)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zipped(names: &[&str]) -> Source {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in names {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(b"content").unwrap();
        }
        Source::memory("a.zip", writer.finish().unwrap().into_inner())
    }

    fn unpacked(source: &Source, limit: u64) -> Result<Vec<String>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("in");
        fs::create_dir(&into).unwrap();
        let packing = Packing::of(&source.head(512).unwrap()).unwrap();
        let members = unpack(source, packing, &into, &mut Budget::new(limit));
        // Nothing beside the folder, whatever the names say.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        Ok(members?.into_iter().map(|m| m.origin).collect())
    }

    #[test]
    fn members_are_files_below_the_folder() {
        assert_eq!(unpacked(&zipped(&["b/2", "a/1"]), 99).unwrap(), ["a.zip!/a/1", "a.zip!/b/2"]);
        for name in ["../out", "/etc/out", "a/../../out", "a\\..\\out"] {
            assert!(matches!(unpacked(&zipped(&[name]), 99), Err(Error::Outside { .. })), "{name}");
        }
        assert!(matches!(unpacked(&zipped(&["a", "b"]), 13), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn links_in_a_tar_are_passed_over() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_cksum();
        builder.append_link(&mut header, "link", "/etc/passwd").unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(2);
        header.set_cksum();
        builder.append_data(&mut header, "file", &b"ok"[..]).unwrap();
        let source = Source::memory("a.tar", builder.into_inner().unwrap());
        assert_eq!(unpacked(&source, 99).unwrap(), ["a.tar!/file"]);
    }

    #[test]
    fn a_gzip_has_one_member_and_a_bomb_stops_at_the_budget() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
        let source = Source::memory("a.vcf.gz", encoder.finish().unwrap());
        assert_eq!(unpacked(&source, 1 << 20).unwrap(), ["a.vcf.gz!"]);
        assert!(matches!(unpacked(&source, 1 << 19), Err(Error::TooLarge { .. })));
    }
}

use crate::{
    Budget, Error, Format, address::Address, delimited, gzip, member::Member, npz, parquet, tar, zip,
};
use chiasm_record::{Table, Vectors};
use std::{borrow::Cow, path::Path};

/// Layers of packing that are unpacked: `a.zip` in `b.tar.gz` is three. An archive can hold itself.
const LAYERS: usize = 8;

/// The table at `path`: delimited text or Parquet, as it is or packed.
///
/// A member of an archive is `archive.zip!/member.csv`; the only member needs no name.
///
/// # Errors
/// [`Error`] says what is wrong and where.
///
/// # Examples
/// ```
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("blood.csv");
/// std::fs::write(&path, "patient_id,haemoglobin\n001,13.1\n")?;
/// let table = chiasm_ingest::read_table(&path)?;
/// assert_eq!(table.columns[0].cells.text(0), "001");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_table(path: &Path) -> Result<Table, Error> {
    read_table_within(path, Budget::default())
}

/// [`read_table`] with a budget of the caller's.
///
/// # Errors
/// As [`read_table`].
pub fn read_table_within(path: &Path, mut budget: Budget) -> Result<Table, Error> {
    let address = Address::of(path);
    let origin = address.origin();
    table(unpack(&origin, &address.bytes()?, &address.members, &mut budget)?, &mut budget)
}

/// The vectors at `path`: NPZ, as it is or packed; addressed as in [`read_table`].
///
/// # Errors
/// [`Error`] says what is wrong and where.
pub fn read_vectors(path: &Path) -> Result<Vectors, Error> {
    read_vectors_within(path, Budget::default())
}

/// [`read_vectors`] with a budget of the caller's.
///
/// # Errors
/// As [`read_vectors`].
pub fn read_vectors_within(path: &Path, mut budget: Budget) -> Result<Vectors, Error> {
    let address = Address::of(path);
    let origin = address.origin();
    vectors(unpack(&origin, &address.bytes()?, &address.members, &mut budget)?, &mut budget)
}

/// The table in the bytes of a file called `origin`; archives must have one member.
///
/// # Errors
/// As [`read_table`], without those of the disk.
pub fn parse_table(origin: &str, bytes: &[u8], budget: &mut Budget) -> Result<Table, Error> {
    table(unpack(origin, bytes, &[], budget)?, budget)
}

/// The vectors in the bytes of a file called `origin`; archives other than NPZ must have one member.
///
/// # Errors
/// As [`read_vectors`], without those of the disk.
pub fn parse_vectors(origin: &str, bytes: &[u8], budget: &mut Budget) -> Result<Vectors, Error> {
    vectors(unpack(origin, bytes, &[], budget)?, budget)
}

/// Bytes that are no archive, and what they are.
struct Content<'a> {
    origin: String,
    format: Format,
    bytes: Cow<'a, [u8]>,
}

/// Takes off layer after layer of packing, along `members` where archives have several.
fn unpack<'a>(
    origin: &str,
    bytes: &'a [u8],
    members: &[String],
    budget: &mut Budget,
) -> Result<Content<'a>, Error> {
    let mut content = Cow::Borrowed(bytes);
    let (mut origin, mut name) = (origin.to_owned(), origin.to_owned());
    let mut members = members.iter();
    for _ in 0..=LAYERS {
        let mut format = Format::of(&origin, &name, &content)?;
        if format == Format::Zip && members.len() == 0 && zip::holds_arrays(&content) {
            format = Format::Npz;
        }
        let wanted = members.as_slice().first().map(String::as_str);
        let member = match format {
            Format::Gzip => {
                Member { name: inner_name(&name), bytes: gzip::unpack(&origin, &content, budget)? }
            }
            Format::Zip => zip::unpack(&origin, &content, wanted, budget)?,
            Format::Npz if wanted.is_some() => zip::unpack(&origin, &content, wanted, budget)?,
            Format::Tar => tar::unpack(&origin, &content, wanted, budget)?,
            Format::Delimited(_) | Format::Parquet | Format::Npy | Format::Npz if wanted.is_none() => {
                return Ok(Content { origin, format, bytes: content });
            }
            Format::Delimited(_) | Format::Parquet | Format::Npy | Format::Npz => {
                let (expected, found) = ("an archive with members", format.label());
                return Err(Error::WrongFormat { place: origin, expected, found });
            }
        };
        if format != Format::Gzip {
            members.next();
            origin = format!("{origin}!/{}", member.name);
        }
        (name, content) = (member.name, Cow::Owned(member.bytes));
    }
    Err(Error::TooDeep { place: origin, limit: LAYERS })
}

/// The name of what a gzip file called `name` holds.
fn inner_name(name: &str) -> String {
    let stem = |suffix: usize| name.get(..name.len().saturating_sub(suffix)).unwrap_or_default();
    match name.to_ascii_lowercase() {
        lower if lower.ends_with(".tgz") => stem(3).to_owned() + "tar",
        lower if lower.ends_with(".gz") => stem(3).to_owned(),
        _ => name.to_owned(),
    }
}

fn table(content: Content<'_>, budget: &mut Budget) -> Result<Table, Error> {
    let Content { origin, format, bytes } = content;
    match format {
        Format::Delimited(delimiter) => delimited::parse(&origin, &bytes, delimiter, budget),
        Format::Parquet => parquet::parse(&origin, &bytes, budget),
        Format::Npy | Format::Npz | Format::Gzip | Format::Zip | Format::Tar => {
            Err(Error::WrongFormat { place: origin, expected: "a table", found: format.label() })
        }
    }
}

fn vectors(content: Content<'_>, budget: &mut Budget) -> Result<Vectors, Error> {
    let Content { origin, format, bytes } = content;
    match format {
        Format::Npz => npz::parse(&origin, &bytes, budget),
        Format::Delimited(_) | Format::Parquet | Format::Npy | Format::Gzip | Format::Zip | Format::Tar => {
            Err(Error::WrongFormat { place: origin, expected: "NPZ", found: format.label() })
        }
    }
}

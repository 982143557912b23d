//! zip: one member of an archive, unpacked in memory.

use crate::{
    Budget, Error, Member,
    member::{choose, plain},
};
use std::io::Cursor;
use zip::{ZipArchive, result::ZipError};

const EXPECTED: &str = "a whole zip archive";

/// The member of the zip archive `bytes` that is called `member`, or its only one.
///
/// # Errors
/// [`Error::Damaged`] where the archive is cut off, altered, encrypted or packed by a method other than
/// stored and deflate; [`Error::MissingMember`], [`Error::ManyMembers`], [`Error::DuplicateMember`];
/// [`Error::TooLarge`] past the budget.
pub fn unpack(
    origin: &str,
    bytes: &[u8],
    member: Option<&str>,
    budget: &mut Budget,
) -> Result<Member, Error> {
    let mut archive = open(origin, bytes)?;
    let names = names(&archive).map_err(|e| damaged(origin, &e))?;
    let position = choose(origin, &names, member)?;
    let name = names.into_iter().nth(position).flatten().unwrap_or_default();
    let name = plain(&name).to_owned();
    let bytes = read(&mut archive, position, &format!("{origin}!/{name}"), budget)?;
    Ok(Member { name, bytes })
}

/// Opens the archive; its list of members is read, nothing is unpacked.
pub(crate) fn open<'a>(origin: &str, bytes: &'a [u8]) -> Result<ZipArchive<Cursor<&'a [u8]>>, Error> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(origin, &e))?;
    if archive.has_duplicate_names() {
        return Err(Error::DuplicateMember { place: origin.to_owned() });
    }
    Ok(archive)
}

/// Whether any member of the archive is a NumPy array.
pub(crate) fn holds_arrays(bytes: &[u8]) -> bool {
    ZipArchive::new(Cursor::new(bytes)).is_ok_and(|a| a.file_names_raw().any(|n| n.ends_with(b".npy")))
}

/// The names of the archive's members in its own order, `None` for folders.
pub(crate) fn names(archive: &ZipArchive<Cursor<&[u8]>>) -> Result<Vec<Option<String>>, ZipError> {
    let file = |name: &str| (!name.ends_with('/')).then(|| name.to_owned());
    archive.file_names().map(|name| Ok(file(&name?))).collect()
}

/// The content of the member at `position`, its checksum checked.
pub(crate) fn read(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    position: usize,
    place: &str,
    budget: &mut Budget,
) -> Result<Vec<u8>, Error> {
    let member = archive.by_index(position).map_err(|e| damaged(place, &e))?;
    budget.read(member, place, EXPECTED)
}

pub(crate) fn damaged(place: &str, error: &ZipError) -> Error {
    Error::Damaged { place: place.to_owned(), expected: EXPECTED, found: error.to_string() }
}

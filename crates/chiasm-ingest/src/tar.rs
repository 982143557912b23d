//! tar: one member of an archive.

use crate::{
    Budget, Error, Member,
    member::{choose, plain},
};
use std::io;
use tar::Archive;

const EXPECTED: &str = "a whole tar archive";
/// The size of a header, and of the empty blocks at the end, in bytes.
const BLOCK: usize = 512;

/// The member of the tar archive `bytes` that is called `member`, or its only one.
///
/// # Errors
/// [`Error::Damaged`] where the archive is cut off (it must end in an empty block) or altered;
/// [`Error::MissingMember`], [`Error::ManyMembers`], [`Error::DuplicateMember`]; [`Error::TooLarge`] past the budget.
pub fn unpack(
    origin: &str,
    bytes: &[u8],
    member: Option<&str>,
    budget: &mut Budget,
) -> Result<Member, Error> {
    let damaged =
        |e: io::Error| Error::Damaged { place: origin.to_owned(), expected: EXPECTED, found: e.to_string() };
    let ends = bytes.last_chunk::<BLOCK>().is_some_and(|end| end.iter().all(|&b| b == 0));
    if !ends {
        return Err(damaged(io::Error::other("no empty block at the end")));
    }
    let names = names(bytes).map_err(damaged)?;
    let position = choose(origin, &names, member)?;
    let mut archive = Archive::new(bytes);
    let Some(entry) = archive.entries().map_err(damaged)?.nth(position) else {
        return Err(damaged(io::Error::other("fewer members than headers")));
    };
    let entry = entry.map_err(damaged)?;
    let name = plain(&String::from_utf8_lossy(&entry.path_bytes())).to_owned();
    let place = format!("{origin}!/{name}");
    let size = entry.size();
    let bytes = budget.read(entry, &place, EXPECTED)?;
    if bytes.len() as u64 != size {
        let found = format!("{} of {size} bytes", bytes.len());
        return Err(Error::Damaged { place, expected: EXPECTED, found });
    }
    Ok(Member { name, bytes })
}

/// The names of the archive's members in its own order, `None` for what is not a regular file.
fn names(bytes: &[u8]) -> io::Result<Vec<Option<String>>> {
    let name = |entry: io::Result<tar::Entry<'_, _>>| {
        let entry = entry?;
        let regular = entry.header().entry_type().is_file();
        Ok(regular.then(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned()))
    };
    Archive::new(bytes).entries()?.map(name).collect()
}

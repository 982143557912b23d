use crate::{Error, nearest::nearest};

/// One member of an archive, unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name inside the archive, without a leading `./`.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Names are compared without the `./` that some programs put before them.
pub(crate) fn plain(name: &str) -> &str {
    let mut name = name;
    while let Some(rest) = name.strip_prefix("./") {
        name = rest;
    }
    name
}

/// Whether a member is an operating system's note beside the content, not content.
fn is_note(name: &str) -> bool {
    plain(name).starts_with("__MACOSX/")
}

/// The position in `names` (those of the archive's files, folders left out as `None`) of the wanted
/// member, or of the only one.
pub(crate) fn choose(place: &str, names: &[Option<String>], wanted: Option<&str>) -> Result<usize, Error> {
    let files = names.iter().enumerate().filter_map(|(i, n)| n.as_deref().map(|n| (i, n)));
    let found: Vec<(usize, &str)> = match wanted {
        Some(wanted) => files.filter(|(_, n)| plain(n) == plain(wanted)).collect(),
        None => files.filter(|(_, n)| !is_note(n)).collect(),
    };
    match (found.as_slice(), wanted) {
        ([(position, _)], _) => Ok(*position),
        ([], Some(wanted)) => Err(Error::MissingMember {
            place: place.to_owned(),
            member: wanted.to_owned(),
            nearest: nearest(wanted, names.iter().flatten().map(|n| plain(n).to_owned())),
        }),
        ([], None) => Err(Error::Empty { place: place.to_owned(), expected: "a member" }),
        (_, Some(_)) => Err(Error::DuplicateMember { place: place.to_owned() }),
        (many, None) => Err(Error::ManyMembers { place: place.to_owned(), found: many.len() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_file_needs_no_name() {
        let names = |list: &[&str]| -> Vec<Option<String>> {
            list.iter().map(|n| (!n.ends_with('/')).then(|| (*n).to_owned())).collect()
        };
        assert_eq!(choose("a", &names(&["x/", "./x/t.csv", "__MACOSX/x/._t.csv"]), None).unwrap(), 1);
        assert_eq!(choose("a", &names(&["a.csv", "b.csv"]), Some("./b.csv")).unwrap(), 1);
        let missing = choose("a.zip", &names(&["a.csv", "blood.csv"]), Some("blod.csv")).unwrap_err();
        assert_eq!(missing.to_string(), "a.zip: no member 'blod.csv'; the nearest name is 'blood.csv'");
        assert!(matches!(choose("a", &names(&["x", "y"]), None), Err(Error::ManyMembers { found: 2, .. })));
        assert!(matches!(choose("a", &names(&["x/"]), None), Err(Error::Empty { .. })));
        assert!(matches!(choose("a", &names(&["x", "./x"]), Some("x")), Err(Error::DuplicateMember { .. })));
    }
}

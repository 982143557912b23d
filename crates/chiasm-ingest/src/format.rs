use crate::{Delimiter, Error};

/// What bytes can be. Closed, so that the compiler lists every place that a new format touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text with one record a line; `None` where the delimiter is to be found out.
    Delimited(Option<Delimiter>),
    /// Apache Parquet.
    Parquet,
    /// One NumPy array.
    Npy,
    /// A zip archive of NumPy arrays.
    Npz,
    /// A gzip stream of one or more members.
    Gzip,
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
}

impl Format {
    /// What `bytes` called `name` are.
    ///
    /// The content decides: a `.zip` that holds plain text is text (some sources ship such members).
    /// Text under a binary format's name must have a line end, so that the first bytes of an archive
    /// that was cut off are not taken for a header.
    ///
    /// # Errors
    /// [`Error::Empty`] without bytes; [`Error::WrongFormat`] where the name promises a format that
    /// the content is not.
    pub fn of(place: &str, name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let by_name = Self::by_name(name);
        if bytes.is_empty() {
            return Err(Error::Empty { place: place.to_owned(), expected: by_name.label() });
        }
        match (Self::by_content(bytes), by_name) {
            (Some(Self::Zip), Self::Npz) => Ok(Self::Npz),
            (Some(found), _) => Ok(found),
            (None, Self::Delimited(delimiter)) => Ok(Self::Delimited(delimiter)),
            // Cut off: its reader says so. A tar of the oldest kind has no magic number at all.
            (None, Self::Parquet) if bytes.starts_with(PARQUET) => Ok(Self::Parquet),
            (None, Self::Tar) if !is_text(bytes) => Ok(Self::Tar),
            (None, Self::Gzip | Self::Zip | Self::Tar) if is_text(bytes) => {
                Ok(Self::Delimited(Delimiter::by_name(name)))
            }
            (None, expected) => Err(Error::WrongFormat {
                place: place.to_owned(),
                expected: expected.label(),
                found: if is_text(bytes) { "text" } else { "bytes of no known format" },
            }),
        }
    }

    /// The format's name in a message.
    pub fn label(self) -> &'static str {
        match self {
            Self::Delimited(_) => "delimited text",
            Self::Parquet => "Parquet",
            Self::Npy => "a single NumPy array",
            Self::Npz => "NPZ",
            Self::Gzip => "gzip",
            Self::Zip => "a zip archive",
            Self::Tar => "a tar archive",
        }
    }

    fn by_name(name: &str) -> Self {
        match extension(name).to_ascii_lowercase().as_str() {
            "parquet" | "pq" => Self::Parquet,
            "npy" => Self::Npy,
            "npz" => Self::Npz,
            "gz" | "tgz" => Self::Gzip,
            "zip" => Self::Zip,
            "tar" => Self::Tar,
            _ => Self::Delimited(Delimiter::by_name(name)),
        }
    }

    fn by_content(bytes: &[u8]) -> Option<Self> {
        match bytes {
            // A member, or the end record of an archive without members.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Some(Self::Npy),
            _ if bytes.starts_with(PARQUET) && bytes.ends_with(PARQUET) && bytes.len() >= 12 => {
                Some(Self::Parquet)
            }
            _ if bytes.get(257..262) == Some(&b"ustar"[..]) => Some(Self::Tar),
            _ => None,
        }
    }
}

const PARQUET: &[u8] = b"PAR1";

/// The part of a file name after its last dot, `""` without one.
pub(crate) fn extension(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// `name` without the extensions of packing: `a.csv.zip` and `a.csv.gz` are `a.csv`, `a.tgz` is `a.tar`.
pub(crate) fn unpacked_name(name: &str) -> String {
    let mut name = name.to_owned();
    loop {
        let kept = name.len().saturating_sub(extension(&name).len() + 1);
        match extension(&name).to_ascii_lowercase().as_str() {
            "gz" | "zip" => name.truncate(kept),
            "tgz" => return name[..kept].to_owned() + ".tar",
            _ => return name,
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let line_end = bytes.iter().any(|b| matches!(b, b'\n' | b'\r'));
    line_end && !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_before_the_name() {
        let of = |name: &str, bytes: &[u8]| Format::of(name, name, bytes);
        assert_eq!(of("a.csv", b"PK\x03\x04").unwrap(), Format::Zip);
        assert_eq!(of("a.csv", b"\x1f\x8b\x08").unwrap(), Format::Gzip);
        assert_eq!(of("a.npz", b"PK\x03\x04").unwrap(), Format::Npz);
        assert_eq!(of("a.csv", b"PAR1,b\n1,2\n").unwrap(), Format::Delimited(Some(Delimiter::Comma)));
        assert_eq!(of("a.csv.zip", b"a,b\n1,2\n").unwrap(), Format::Delimited(Some(Delimiter::Comma)));
        assert_eq!(of("a.tsv.gz", b"a\tb\n").unwrap(), Format::Delimited(Some(Delimiter::Tab)));
        assert_eq!(of("a.txt", b"a\tb\n").unwrap(), Format::Delimited(None));
    }

    #[test]
    fn a_name_that_promises_more_than_the_content_is_an_error() {
        for (name, bytes) in
            [("a.zip", &b"PK"[..]), ("a.gz", b"\x1f"), ("a.npz", b"a,b\n"), ("a.parquet", b"a,b\n1,2\n")]
        {
            assert!(matches!(Format::of(name, name, bytes), Err(Error::WrongFormat { .. })), "{name}");
            assert!(matches!(Format::of(name, name, b""), Err(Error::Empty { .. })), "{name}");
        }
    }

    #[test]
    fn packing_is_peeled_off_names() {
        assert_eq!(unpacked_name("x/a.csv.zip"), "x/a.csv");
        assert_eq!(unpacked_name("a.tgz"), "a.tar");
        assert_eq!(unpacked_name("a.tar.gz"), "a.tar");
        assert_eq!(unpacked_name("v1.2/a"), "v1.2/a");
        assert_eq!(unpacked_name(".gz"), "");
    }
}

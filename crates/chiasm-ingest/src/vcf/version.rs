/// A version of the specification, by which the rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V41,
    V42,
    V43,
    V44,
}

/// What a `fileformat` line says.
pub(super) enum Said {
    /// A version whose rules are known.
    Known(Version),
    /// A version of VCF that is read by the rules of its nearest neighbour.
    Near(Version),
    /// Nothing that a VCF may say.
    Wrong,
}

impl Version {
    /// Reads the value of `##fileformat=`.
    pub fn of(value: &[u8]) -> Said {
        match value {
            b"VCFv4.1" => Said::Known(Self::V41),
            b"VCFv4.2" => Said::Known(Self::V42),
            b"VCFv4.3" => Said::Known(Self::V43),
            b"VCFv4.4" => Said::Known(Self::V44),
            b"VCFv4.0" => Said::Near(Self::V41),
            b"VCFv4.5" => Said::Near(Self::V44),
            _ => Said::Wrong,
        }
    }

    /// Whether the stricter wording of 4.3 and later holds: UTF-8, names by regular expression, unique
    /// identifiers, a line end after the last record.
    pub fn strict(self) -> bool {
        self >= Self::V43
    }

    /// As in `fileformat`, without the prefix.
    pub fn name(self) -> &'static str {
        match self {
            Self::V41 => "4.1",
            Self::V42 => "4.2",
            Self::V43 => "4.3",
            Self::V44 => "4.4",
        }
    }
}

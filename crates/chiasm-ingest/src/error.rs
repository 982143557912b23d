use std::path::PathBuf;

/// Why bytes could not become a table or vectors.
///
/// `place` is a file name, with the member inside an archive and the line where there is one:
/// `cohort.zip!/clinical.csv, line 7`. Messages never carry a patient's values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such file.
    #[error("{}: no such file{}", .path.display(), suggestion(.nearest))]
    MissingFile {
        /// The path as it was asked for.
        path: PathBuf,
        /// The file in that folder whose name is nearest.
        nearest: Option<String>,
    },
    /// The archive has no such member.
    #[error("{place}: no member '{member}'{}", suggestion(.nearest))]
    MissingMember {
        /// The archive.
        place: String,
        /// The member that was asked for.
        member: String,
        /// The member whose name is nearest.
        nearest: Option<String>,
    },
    /// The archive holds several members and none was named.
    #[error("{place}: expected one member, found {found}; name one as '{place}!/member'")]
    ManyMembers {
        /// The archive.
        place: String,
        /// How many members there are.
        found: usize,
    },
    /// Two members of an archive have one name, so the name does not say which is meant.
    #[error("{place}: two members have the same name")]
    DuplicateMember {
        /// The archive, with the ordinals of both members where they are known.
        place: String,
    },
    /// The operating system could not read the file.
    #[error("{}: cannot be read", .path.display())]
    Io {
        /// The path as it was asked for.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Nothing is there: no bytes, no header, or no member.
    #[error("{place}: empty; expected {expected}")]
    Empty {
        /// The file.
        place: String,
        /// What should have been there.
        expected: &'static str,
    },
    /// The content is of another kind than the name or the caller says.
    #[error("{place}: expected {expected}, found {found}")]
    WrongFormat {
        /// The file.
        place: String,
        /// What should have been there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The header is one column by the expected delimiter, several by another.
    #[error("{place}: expected columns separated by {expected}, found {found}")]
    WrongDelimiter {
        /// The file and line.
        place: String,
        /// The delimiter that the file's name stands for.
        expected: crate::Delimiter,
        /// The delimiter that splits the header.
        found: crate::Delimiter,
    },
    /// A row has more or fewer cells than the header.
    #[error("{place}: expected {expected} cells as in the header, found {found}")]
    Ragged {
        /// The file and line.
        place: String,
        /// Columns of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A quoted cell is still open at the end of the file.
    #[error("{place}: expected a closing quote for the cell that starts here, found the end of the file")]
    UnclosedQuote {
        /// The file and the line of the opening quote.
        place: String,
    },
    /// The text is not UTF-8.
    #[error("{place}: expected UTF-8, found another encoding at byte {offset}")]
    NotUtf8 {
        /// The file and line.
        place: String,
        /// Bytes before the first that does not fit.
        offset: usize,
    },
    /// Two columns have one name.
    #[error("{place}: expected unique column names, found '{name}' as columns {first} and {second}")]
    DuplicateColumn {
        /// The file.
        place: String,
        /// The name.
        name: String,
        /// The first column of that name, from 1.
        first: usize,
        /// The second, from 1.
        second: usize,
    },
    /// A column or array has a type that is neither text nor numbers.
    #[error("{place}: expected {expected}, found {found}")]
    UnsupportedType {
        /// The file and the column or member.
        place: String,
        /// What can be read.
        expected: &'static str,
        /// The type that is there.
        found: String,
    },
    /// An array has another shape than its neighbours, or is not one-dimensional.
    #[error("{place}: expected {expected}, found {found}")]
    Shape {
        /// The file and the member's ordinal.
        place: String,
        /// The shape that was expected.
        expected: String,
        /// The shape that is there.
        found: String,
    },
    /// A vector holds NaN, an infinity, or a number too large for 32 bits.
    #[error("{place}: expected finite 32-bit numbers, found another at position {position}")]
    NotFinite {
        /// The file and the member's ordinal.
        place: String,
        /// Position in the vector, from 1.
        position: usize,
    },
    /// The bytes break the rules of their format: cut off, or altered.
    #[error("{place}: damaged or cut off: expected {expected}, found {found}")]
    Damaged {
        /// The file, and the member where there is one.
        place: String,
        /// What the format demands.
        expected: &'static str,
        /// What is there, as the format's reader says it.
        found: String,
    },
    /// Unpacked, the content is larger than the budget allows.
    #[error("{place}: expected at most {limit} bytes once unpacked, found more")]
    TooLarge {
        /// The file, and the member where there is one.
        place: String,
        /// The budget in bytes.
        limit: u64,
    },
    /// A file names another one that is not in its own folder.
    #[error("{place}: expected names of files in its own folder, found one that leads out of it")]
    Outside {
        /// The file that names the other.
        place: String,
    },
    /// The reader itself failed: a mistake of this program, and what is read is not to blame.
    #[error("{place}: a fault of the reader; expected none, whatever the file holds")]
    Fault {
        /// What was read.
        place: String,
    },
    /// What was read could not be kept.
    #[error("{place}: read, but not kept")]
    Sink {
        /// The file.
        place: String,
        /// Why.
        source: crate::feed::SinkError,
    },
    /// Archives inside archives, too many times.
    #[error("{place}: expected at most {limit} layers of packing, found more")]
    TooDeep {
        /// The file.
        place: String,
        /// The number of layers that are unpacked.
        limit: usize,
    },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; the nearest name is '{name}'"))
}

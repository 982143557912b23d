use crate::{Error, nearest::nearest};
use std::path::{Path, PathBuf};

/// What parts the archive from the member: `archive.zip!/member.csv`.
const MARK: &str = "!/";

/// A file, and the way from it to a member: none for a plain file, one step an archive.
#[derive(Debug, PartialEq)]
pub(crate) struct Address {
    pub file: PathBuf,
    pub members: Vec<String>,
}

impl Address {
    /// Splits `path` at the first `!/` that stands after an existing file, so that a folder whose
    /// name ends in `!` stays a folder.
    pub fn of(path: &Path) -> Self {
        let whole = || Self { file: path.to_owned(), members: Vec::new() };
        let Some(text) = path.to_str() else { return whole() };
        let at = |i: usize| Self {
            file: PathBuf::from(&text[..i]),
            members: text[i + MARK.len()..].split(MARK).map(str::to_owned).collect(),
        };
        let mut marks = text.match_indices(MARK).map(|(i, _)| i).filter(|&i| i > 0).peekable();
        let Some(&first) = marks.peek() else { return whole() };
        if path.is_file() {
            return whole();
        }
        at(marks.find(|&i| Path::new(&text[..i]).is_file()).unwrap_or(first))
    }

    /// The file's name, for messages.
    pub fn origin(&self) -> String {
        self.file
            .file_name()
            .map_or_else(|| self.file.to_string_lossy(), |n| n.to_string_lossy())
            .into_owned()
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`Error::MissingFile`] with the nearest name in the folder, [`Error::Io`] otherwise.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        std::fs::read(&self.file).map_err(|source| fault(&self.file, source))
    }
}

/// The error for `file` that the system did not open.
pub(crate) fn fault(file: &Path, source: std::io::Error) -> Error {
    if source.kind() != std::io::ErrorKind::NotFound {
        return Error::Io { path: file.to_owned(), source };
    }
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let neighbours = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names =
        neighbours.filter(|e| e.path().is_file()).map(|e| e.file_name().to_string_lossy().into_owned());
    let wanted = file.file_name().unwrap_or_default().to_string_lossy();
    Error::MissingFile { path: file.to_owned(), nearest: nearest(&wanted, names) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_members_off_existing_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("wow!");
        std::fs::create_dir(&odd).unwrap();
        std::fs::write(odd.join("a.zip"), b"x").unwrap();

        let plain = Address::of(&odd.join("a.zip"));
        assert_eq!((plain.origin(), plain.members.len()), ("a.zip".into(), 0));
        let nested = Address::of(&odd.join("a.zip!/b.tar!/c.csv"));
        assert_eq!(
            nested,
            Address { file: odd.join("a.zip"), members: vec!["b.tar".into(), "c.csv".into()] }
        );
    }
}

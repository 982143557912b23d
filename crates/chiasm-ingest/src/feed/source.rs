use crate::Error;
use crate::address::fault;
use bytes::Bytes;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Component, Path, PathBuf};

/// Bytes that can be read from any place in them.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// One file of a source, or a part that came over a wire.
#[derive(Clone, Debug)]
pub struct Source {
    /// What messages call it: a file's name with the archive that it came in, never a whole path.
    pub origin: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    File(PathBuf),
    Memory(Bytes),
}

impl Source {
    /// A file on disk.
    pub fn file(path: &Path) -> Self {
        let origin = path.file_name().map_or_else(|| path.to_string_lossy(), |n| n.to_string_lossy());
        Self { origin: origin.into_owned(), content: Content::File(path.to_owned()) }
    }

    /// Bytes in memory.
    pub fn memory(origin: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { origin: origin.into(), content: Content::Memory(bytes.into()) }
    }

    /// The same content under another name in messages.
    #[must_use]
    pub fn called(self, origin: impl Into<String>) -> Self {
        Self { origin: origin.into(), ..self }
    }

    /// The file, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.content {
            Content::File(path) => Some(path),
            Content::Memory(_) => None,
        }
    }

    /// How many bytes it has.
    ///
    /// # Errors
    /// [`Error::MissingFile`] or [`Error::Io`].
    pub fn len(&self) -> Result<u64, Error> {
        match &self.content {
            Content::File(path) => Ok(std::fs::metadata(path).map_err(|e| fault(path, e))?.len()),
            Content::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// Whether it has no bytes.
    ///
    /// # Errors
    /// As [`Source::len`].
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Opens it at its beginning, buffered.
    ///
    /// # Errors
    /// [`Error::MissingFile`] or [`Error::Io`].
    pub fn open(&self) -> Result<Box<dyn ReadSeek>, Error> {
        match &self.content {
            Content::File(path) => {
                let file = File::open(path).map_err(|e| fault(path, e))?;
                Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
            }
            Content::Memory(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
        }
    }

    /// Its first bytes, at most `n`.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn head(&self, n: usize) -> Result<Vec<u8>, Error> {
        let mut head = Vec::with_capacity(n);
        self.open()?.take(n as u64).read_to_end(&mut head).map_err(|e| self.unreadable(e))?;
        Ok(head)
    }

    /// All of it, where that is at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where it is more; otherwise as [`Source::open`].
    pub fn bytes(&self, limit: u64) -> Result<Bytes, Error> {
        let too_large = || Error::TooLarge { place: self.origin.clone(), limit };
        let path = match &self.content {
            Content::File(path) => path,
            Content::Memory(bytes) if bytes.len() as u64 <= limit => return Ok(bytes.clone()),
            Content::Memory(_) => return Err(too_large()),
        };
        let file = File::open(path).map_err(|e| fault(path, e))?;
        let length = file.metadata().map_err(|e| self.unreadable(e))?.len();
        if length > limit {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| self.unreadable(e))?;
        if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes.into()) }
    }

    /// The file of that name in the same folder, or below it: a header's signal, a DICOMDIR's image.
    ///
    /// # Errors
    /// [`Error::Outside`] where the name leads out of the folder (`..`, an absolute path, a symbolic
    /// link); [`Error::MissingFile`] where it is not there, or where this source has no folder.
    pub fn sibling(&self, name: &str) -> Result<Self, Error> {
        let (folder, path) = self.beside(name)?;
        // Asked for every file that a record may have: mostly none is there, and nobody wants the nearest name.
        if path.symlink_metadata().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
            return Err(Error::MissingFile { path: name.into(), nearest: None });
        }
        let inside = |p: &Path| p.canonicalize().map_err(|e| fault(p, e));
        if !inside(&path)?.starts_with(inside(&folder)?) {
            return Err(Error::Outside { place: self.origin.clone() });
        }
        Ok(Self::file(&path))
    }

    /// This file's folder, and where a file of that name would be in it; it may be a link that leads out.
    pub(crate) fn beside(&self, name: &str) -> Result<(PathBuf, PathBuf), Error> {
        let relative = Path::new(name);
        let plain = relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if name.is_empty() || name.contains('\\') || !plain {
            return Err(Error::Outside { place: self.origin.clone() });
        }
        let missing = || Error::MissingFile { path: relative.to_owned(), nearest: None };
        let folder = self.path().and_then(Path::parent).ok_or_else(missing)?;
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Ok((folder.to_owned(), folder.join(relative)))
    }

    /// The first file in the same folder, by name, whose name fits; `None` where there is none, or where this source has
    /// no folder.
    ///
    /// # Errors
    /// As [`Source::sibling`]; [`Error::Io`] where the folder cannot be listed.
    pub fn neighbour(&self, fits: &dyn Fn(&str) -> bool) -> Result<Option<Self>, Error> {
        let Some(folder) = self.path().and_then(Path::parent) else { return Ok(None) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let listed = std::fs::read_dir(folder).map_err(|e| fault(folder, e))?;
        let mut names: Vec<String> =
            listed.filter_map(|e| e.ok()?.file_name().into_string().ok()).filter(|n| fits(n)).collect();
        names.sort();
        names.first().map(|name| self.sibling(name)).transpose()
    }

    fn unreadable(&self, source: std::io::Error) -> Error {
        Error::Io { path: self.path().map_or_else(|| PathBuf::from(&self.origin), Path::to_owned), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sibling_is_never_outside_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("in");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(folder.path().join("secret"), b"x").unwrap();
        std::fs::write(inner.join("a.hea"), b"x").unwrap();
        std::fs::write(inner.join("a.dat"), b"data").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), inner.join("link")).unwrap();

        let header = Source::file(&inner.join("a.hea"));
        assert_eq!(&header.sibling("a.dat").unwrap().bytes(9).unwrap()[..], b"data");
        assert_eq!(&header.sibling("./a.dat").unwrap().bytes(9).unwrap()[..], b"data");
        for name in ["../secret", "/etc/passwd", "link", "", "..\\secret", "x/../../secret"] {
            assert!(matches!(header.sibling(name), Err(Error::Outside { .. })), "{name}");
        }
        assert!(matches!(header.sibling("b.dat"), Err(Error::MissingFile { .. })));
        assert!(matches!(Source::memory("m", "x").sibling("b"), Err(Error::MissingFile { .. })));
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let source = Source::memory("m", "12345");
        assert_eq!((source.len().unwrap(), source.head(2).unwrap()), (5, b"12".to_vec()));
        assert!(matches!(source.bytes(4), Err(Error::TooLarge { limit: 4, .. })));
        assert_eq!(source.bytes(5).unwrap().len(), 5);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("m"), "12345").unwrap();
        let source = Source::file(&folder.path().join("m"));
        assert!(matches!(source.bytes(4), Err(Error::TooLarge { limit: 4, .. })));
        assert_eq!([5, u64::MAX].map(|limit| source.bytes(limit).unwrap().len()), [5, 5]);
    }
}

//! One object on its way into the inbox.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Kind, Receipt, Shelf};
use crate::Error;
use crate::inbox::disk::DiskFile;

/// A file being received: written piece by piece, so an object of gigabytes is never in memory.
///
/// Dropped without [`Draft::keep`], it leaves nothing behind.
pub struct Draft {
    shelf: Arc<Shelf>,
    temporary: PathBuf,
    file: Option<Box<dyn DiskFile>>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Draft {
    pub(super) fn new(shelf: Arc<Shelf>) -> Result<Self, Error> {
        loop {
            let temporary = shelf.next_temporary();
            match shelf.disk.create(&temporary) {
                Ok(file) => {
                    let (file, hasher) = (Some(file), blake3::Hasher::new());
                    return Ok(Self { shelf, temporary, file, hasher, bytes: 0 });
                }
                // Another's, who counts as we do.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::disk("create an object's file")(e)),
            }
        }
    }

    /// How many bytes were written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends a piece.
    ///
    /// # Errors
    /// [`Error::Disk`]; the draft cannot be kept after that.
    pub fn append(&mut self, piece: &[u8]) -> Result<(), Error> {
        let action = "write an object";
        let Some(file) = self.file.as_mut() else {
            return Err(Error::Disk { action, kind: io::ErrorKind::BrokenPipe });
        };
        if let Err(e) = file.append(piece) {
            self.file = None;
            return Err(Error::disk(action)(e));
        }
        self.hasher.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Makes the file durable under the name of its content and says so.
    ///
    /// The same content kept before is one file: it is on disk already, and only its name is made sure of.
    ///
    /// # Errors
    /// [`Error::Disk`]: nothing is promised.
    pub fn keep(mut self, kind: Kind) -> Result<Receipt, Error> {
        let name = kind.name(&self.hasher.finalize().to_hex());
        let lasting = self.shelf.objects.path().join(&name);
        let new = !lasting.exists();
        let Some(mut file) = self.file.take() else {
            return Err(Error::Disk { action: "keep an object", kind: io::ErrorKind::BrokenPipe });
        };
        if new {
            file.sync().map_err(Error::disk("make an object durable"))?;
            self.shelf.disk.rename(&self.temporary, &lasting).map_err(Error::disk("name an object"))?;
        }
        drop(file);
        self.shelf.objects.sync().map_err(Error::disk("make an object's name durable"))?;
        Ok(Receipt { name, bytes: self.bytes, new })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.file = None;
        let _ = self.shelf.disk.remove(&self.temporary);
    }
}

impl io::Write for Draft {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self.append(piece) {
            Ok(()) => Ok(piece.len()),
            Err(Error::Disk { kind, .. }) => Err(kind.into()),
            Err(other) => Err(io::Error::other(other)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

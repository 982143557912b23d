//! A part as Parquet's reader wants it: pieces of a local file as they are asked for, a remote one as a whole.

use crate::Error;
use crate::place::Place;
use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{BufReader, Read};

/// The bytes of a part.
pub(crate) enum Input {
    /// Not read yet.
    File(File),
    /// In memory.
    Whole(Bytes),
}

impl Input {
    /// Opens a part.
    pub fn open(place: &Place, name: &str) -> std::result::Result<Self, Error> {
        match place {
            Place::Folder(root) => File::open(root.join(name)).map(Self::File).map_err(|source| Error::Io {
                place: name.to_owned(),
                action: "read",
                source,
            }),
            Place::Remote(_) => place.read(name).map(Self::Whole),
        }
    }
}

impl Length for Input {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file),
            Self::Whole(bytes) => bytes.len() as u64,
        }
    }
}

impl ChunkReader for Input {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(match self {
            Self::File(file) => {
                let reader: BufReader<File> = file.get_read(start)?;
                Box::new(reader)
            }
            Self::Whole(bytes) => Box::new(bytes.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Whole(bytes) => bytes.get_bytes(start, length),
        }
    }
}

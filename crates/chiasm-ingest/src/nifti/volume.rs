use super::{Header, VoxelType};
use crate::Error;
use crate::feed::Source;
use flate2::read::MultiGzDecoder;
use std::io::{self, BufReader, Read};

/// Bytes of values that are handed out at once, at most.
const MAX_BYTES: u64 = 4 << 30;
/// Bytes that are read at a time.
const RUN: usize = 1 << 18;

/// A volume: its header and its voxels.
#[derive(Clone, Debug)]
pub struct Volume {
    source: Source,
    header: Header,
}

/// The bytes of a file, unpacked where it is gzip.
fn plain(source: &Source) -> Result<Box<dyn Read>, Error> {
    let bytes = source.open()?;
    if source.head(2)? == [0x1f, 0x8b] {
        return Ok(Box::new(MultiGzDecoder::new(BufReader::new(bytes))));
    }
    Ok(Box::new(bytes))
}

impl Volume {
    /// Reads the header.
    ///
    /// # Errors
    /// As [`Header::parse`]; [`Error::Damaged`] for a gzip stream that is none.
    pub fn open(source: &Source) -> Result<Self, Error> {
        let mut head = Vec::with_capacity(540);
        plain(source)?
            .take(540)
            .read_to_end(&mut head)
            .map_err(|e| damaged(source, "a whole gzip stream", &e))?;
        Ok(Self { source: source.clone(), header: Header::parse(&source.origin, &head)? })
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The file of the voxels: the same, or the `.img` beside the header.
    ///
    /// # Errors
    /// [`Error::MissingFile`] or [`Error::Outside`].
    pub fn data(&self) -> Result<Source, Error> {
        if !self.header.pair {
            return Ok(self.source.clone());
        }
        let path = self.source.path().and_then(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned());
        let name = path.unwrap_or_else(|| self.source.origin.clone());
        let lower = name.to_ascii_lowercase();
        let stem =
            lower.strip_suffix(".gz").unwrap_or(&lower).strip_suffix(".hdr").map_or(name.len(), str::len);
        let stem = name.get(..stem).unwrap_or(&name);
        let plain = self.source.sibling(&format!("{stem}.img"));
        plain.or_else(|e| self.source.sibling(&format!("{stem}.img.gz")).map_err(|_| e))
    }

    /// Hands over the values of a run of voxels after the other, scaled, the first axis fastest.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] for voxels without single values, [`Error::Damaged`] where voxels are
    /// missing or the offset is none.
    pub fn each(&self, take: &mut dyn FnMut(&[f64]) -> bool) -> Result<(), Error> {
        let (kind, mut left) = self.layout()?;
        let (data, mut bytes) = self.voxels()?;
        let mut run = vec![0; RUN];
        let mut values = Vec::with_capacity(RUN / kind.width());
        while left > 0 {
            let n = usize::try_from(left).unwrap_or(usize::MAX).min(RUN / kind.width());
            let own = &mut run[..n * kind.width()];
            bytes.read_exact(own).map_err(|e| short(&data, format!("{left} fewer ({e})")))?;
            values.clear();
            let stored = own.chunks_exact(kind.width()).map(|b| kind.value(b, self.header.big_endian));
            values.extend(stored.map(|v| self.header.scaled(v)));
            left -= n as u64;
            if !take(&values) {
                break;
            }
        }
        Ok(())
    }

    /// The file of the voxels, and its bytes from the first voxel on.
    fn voxels(&self) -> Result<(Source, Box<dyn Read>), Error> {
        let data = self.data()?;
        let mut bytes = plain(&data)?;
        let skip = self.start()?;
        let skipped = io::copy(&mut bytes.by_ref().take(skip), &mut io::sink());
        if skipped.map_err(|e| damaged(&data, "bytes that can be read", &e))? < skip {
            return Err(short(&data, "the end of the file before the first".to_owned()));
        }
        Ok((data, bytes))
    }

    /// Goes through all bytes of the voxels, without a look at their values.
    ///
    /// # Errors
    /// As [`Volume::each`].
    pub fn complete(&self) -> Result<(), Error> {
        let (kind, voxels) = self.layout()?;
        let (data, bytes) = self.voxels()?;
        let wanted = voxels.saturating_mul(kind.width() as u64);
        let read = io::copy(&mut bytes.take(wanted), &mut io::sink());
        match read.map_err(|e| damaged(&data, "bytes that can be read", &e))? {
            read if read < wanted => Err(short(&data, format!("{} bytes fewer", wanted - read))),
            _ => Ok(()),
        }
    }

    /// All values, the first axis fastest.
    ///
    /// # Errors
    /// As [`Volume::each`]; [`Error::TooLarge`] past 4 GiB.
    pub fn values(&self) -> Result<Vec<f64>, Error> {
        let (_, voxels) = self.layout()?;
        if voxels > MAX_BYTES / 8 {
            return Err(Error::TooLarge { place: self.source.origin.clone(), limit: MAX_BYTES });
        }
        let mut all = Vec::new();
        self.each(&mut |run| {
            all.extend_from_slice(run);
            true
        })?;
        Ok(all)
    }

    fn layout(&self) -> Result<(VoxelType, u64), Error> {
        let header = &self.header;
        let kind = header.voxel_type().ok_or_else(|| Error::UnsupportedType {
            place: self.source.origin.clone(),
            expected: "whole or floating numbers of 8 to 64 bits",
            found: format!("type {}", header.code),
        })?;
        let voxels = header.voxels().filter(|n| n.checked_mul(8).is_some());
        let voxels = voxels.ok_or_else(|| Error::Damaged {
            place: self.source.origin.clone(),
            expected: "a volume that a file can hold",
            found: "more than 2^61 voxels".to_owned(),
        })?;
        Ok((kind, voxels))
    }

    /// Bytes before the first voxel: after header and extensions in one file, often 0 in two.
    pub(super) fn start(&self) -> Result<u64, Error> {
        let header = &self.header;
        let least = match (header.pair, header.version) {
            (true, _) => 0.0,
            (false, 1) => 352.0,
            (false, _) => 544.0,
        };
        // Some writers leave 0 in one file; nibabel then takes the header's end.
        let offset = if header.offset == 0.0 { least } else { header.offset };
        if offset.is_finite() && (least..1e15).contains(&offset) {
            return Ok(offset as u64);
        }
        Err(Error::Damaged {
            place: self.source.origin.clone(),
            expected: "an offset of the voxels (vox_offset) after the header",
            found: "another number".to_owned(),
        })
    }
}

fn short(data: &Source, found: String) -> Error {
    Error::Damaged { place: data.origin.clone(), expected: "as many voxels as the header says", found }
}

fn damaged(source: &Source, expected: &'static str, error: &io::Error) -> Error {
    Error::Damaged { place: source.origin.clone(), expected, found: error.to_string() }
}

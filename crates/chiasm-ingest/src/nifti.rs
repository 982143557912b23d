//! NIfTI-1 and NIfTI-2: volumes of research imaging, in one file (`.nii`, `.nii.gz`) or two (`.hdr`, `.img`).
//!
//! [`Volume`] gives geometry and voxels, a run at a time, so that neither a header that claims 4 GB nor a
//! gzip bomb costs memory. The crate `nifti` was weighed and left: it allocates what the header claims.
//!
//! # Source
//! nifti1.h and nifti2.h, nifti.nimh.nih.gov. Values as nibabel gives them (`tests/fixtures/signals/make.py`).

use crate::feed::Source;

mod events;
mod header;
mod volume;

pub use events::{check, read};
pub use header::{Header, VoxelType};
pub use volume::Volume;

/// The file of the voxels of a pair, where it is there.
pub(crate) fn companions(source: &Source) -> Vec<Source> {
    let Some((stem, "hdr")) = source.path().and_then(|p| p.file_name()?.to_str()?.rsplit_once('.')) else {
        return Vec::new();
    };
    ["img", "img.gz"].iter().filter_map(|ending| source.sibling(&format!("{stem}.{ending}")).ok()).collect()
}

/// Whether the first bytes are a NIfTI header, plain or in gzip. The `.img` of a pair is read with its
/// `.hdr` and is no source of its own.
pub fn recognises(head: &[u8], name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let packed = head.starts_with(&[0x1f, 0x8b]);
    header::version(head).is_some() || (packed && (name.ends_with(".nii.gz") || name.ends_with(".hdr.gz")))
}

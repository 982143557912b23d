//! Whole slides: Aperio SVS, and pyramids in tiled TIFF or BigTIFF. (Slides in DICOM are DICOM's.)
//!
//! [`Slide::open`] reads directories only; [`Slide::tile`] reads and unpacks one tile, [`Slide::thumbnail`]
//! all tiles of one level, one after the other. Photographs of the glass and its label are found and
//! flagged, because they may show a patient's name; descriptions never reach a message.
//!
//! The crate `tiff` was weighed and left: it reads whole offset tables into memory and has neither shared
//! JPEG tables with RGB components nor JPEG 2000.
//!
//! # Source
//! TIFF 6.0, TIFF Technical Note 2 (JPEG), BigTIFF; Aperio's "Digital slides and third-party data
//! interchange". Pixels as tifffile and Pillow give them (`tests/fixtures/signals/make.py`, `tools/slide_peer.py`).

mod directory;
mod events;
mod pyramid;
mod tile;

pub use events::{check, read};
pub use pyramid::{Associated, Level, Rgb, Slide};

/// Whether the first bytes are those of a TIFF or BigTIFF, or the name is that of an Aperio slide (which is
/// then refused, and not passed over, where the bytes are none).
pub fn recognises(head: &[u8], name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    directory::order(head).is_some() || name.ends_with(".svs")
}

use super::dataset::DataSet;
use dicom_core::{Tag, VR};

/// Bytes that are gathered before they are hashed: BLAKE3 is at its best with many at a time.
const GATHERED: usize = 1 << 14;

/// What makes two files one instance: the BLAKE3 hash of their elements, however those are written.
///
/// The meta group, group lengths and padding stay out, and so do representations, so that a file sent
/// explicit and implicit, deflated, big endian, or with sequences of undefined length has one key.
pub(super) fn key(data: &DataSet) -> [u8; 32] {
    let mut hash = Gathered { hasher: blake3::Hasher::new(), held: Vec::with_capacity(GATHERED) };
    for element in &data.elements {
        let tag = element.tag;
        if tag.0 <= 2 || tag.1 == 0 && tag.0 != 0xfffe || tag == Tag(0xfffc, 0xfffc) {
            continue;
        }
        hash.update(&tag.0.to_le_bytes());
        hash.update(&tag.1.to_le_bytes());
        hash.update(&element.depth.to_le_bytes());
        hash.update(&element.length.to_le_bytes());
        let unit = if element.little { 1 } else { unit(element.vr) };
        let mut rest = Vec::new();
        data.input.pieces(element.offset, u64::from(element.length), |piece| {
            if unit == 1 {
                hash.update(piece);
                return;
            }
            rest.extend_from_slice(piece);
            let whole = rest.len() - rest.len() % unit;
            rest[..whole].chunks_exact_mut(unit).for_each(<[u8]>::reverse);
            hash.update(&rest[..whole]);
            rest.drain(..whole);
        });
        hash.update(&rest);
    }
    hash.hasher.update(&hash.held);
    *hash.hasher.finalize().as_bytes()
}

/// A hasher that is given small pieces.
struct Gathered {
    hasher: blake3::Hasher,
    held: Vec<u8>,
}

impl Gathered {
    fn update(&mut self, piece: &[u8]) {
        if self.held.len() + piece.len() > GATHERED {
            self.hasher.update(&self.held);
            self.held.clear();
        }
        if piece.len() > GATHERED {
            self.hasher.update(piece);
        } else {
            self.held.extend_from_slice(piece);
        }
    }
}

/// Bytes of one number of a representation.
pub(super) fn unit(vr: VR) -> usize {
    match vr {
        VR::US | VR::SS | VR::OW | VR::AT => 2,
        VR::UL | VR::SL | VR::FL | VR::OF | VR::OL => 4,
        VR::FD | VR::OD | VR::SV | VR::UV | VR::OV => 8,
        _ => 1,
    }
}

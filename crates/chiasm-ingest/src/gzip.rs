//! gzip: one stream of one or more gzip members, unpacked as one.

use crate::{Budget, Error};
use flate2::bufread::MultiGzDecoder;

const EXPECTED: &str = "a whole gzip stream";

/// The bytes that the gzip stream `bytes` holds. Checksums are checked.
///
/// # Errors
/// [`Error::Damaged`] where the stream is cut off or altered, [`Error::TooLarge`] past the budget.
pub fn unpack(origin: &str, bytes: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Error> {
    budget.read(MultiGzDecoder::new(bytes), origin, EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn several_members_are_one_text() {
        let bytes = [gz(b"a,b\n1,"), gz(b"2\n")].concat();
        assert_eq!(unpack("t", &bytes, &mut Budget::default()).unwrap(), b"a,b\n1,2\n");
    }

    #[test]
    fn every_cut_and_every_flipped_checksum_is_an_error() {
        let whole = gz(b"a,b\n1,2\n");
        for cut in 0..whole.len() {
            let result = unpack("t", &whole[..cut], &mut Budget::default());
            assert!(matches!(result, Err(Error::Damaged { .. })), "cut at {cut}");
        }
        let mut altered = whole;
        let checksum = altered.len() - 8;
        altered[checksum] ^= 1;
        assert!(unpack("t", &altered, &mut Budget::default()).is_err());
    }

    #[test]
    fn a_bomb_stops_at_the_budget() {
        let bomb = gz(&vec![b'0'; 1 << 20]);
        assert!(bomb.len() < 4096);
        assert!(matches!(unpack("t", &bomb, &mut Budget::new(65_536)), Err(Error::TooLarge { .. })));
    }
}

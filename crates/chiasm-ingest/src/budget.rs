use crate::Error;
use std::io::Read;

/// How many bytes one read may unpack, over all layers together, checked while unpacking.
///
/// A few kilobytes of zip can unpack to terabytes; what a file claims about its own size is not believed.
#[derive(Clone, Debug)]
pub struct Budget {
    limit: u64,
    left: u64,
}

impl Default for Budget {
    /// 4 GiB.
    fn default() -> Self {
        Self::new(4 << 30)
    }
}

impl Budget {
    /// What an archive of `packed` bytes may unpack to, over all its layers: 256 MiB, or 250 times its size where
    /// that is more, and never more than `most`.
    ///
    /// Records, tables and images pack ten- to fiftyfold; a bomb packs a thousandfold, and a layer of bombs again.
    pub fn of_archive(packed: u64, most: u64) -> Self {
        Self::new(packed.saturating_mul(250).max(256 << 20).min(most))
    }

    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { limit, left: limit }
    }

    /// Takes `bytes` off.
    pub(crate) fn spend(&mut self, bytes: u64, place: &str) -> Result<(), Error> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Error::TooLarge { place: place.to_owned(), limit: self.limit }),
        }
    }

    /// Everything that `source` gives, which must be `expected` (words for the message) and fit the budget.
    pub(crate) fn read(
        &mut self,
        source: impl Read,
        place: &str,
        expected: &'static str,
    ) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        source.take(self.left.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| Error::Damaged {
            place: place.to_owned(),
            expected,
            found: e.to_string(),
        })?;
        self.spend(bytes.len() as u64, place)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_up_to_the_limit_and_no_further() {
        let mut budget = Budget::new(8);
        assert_eq!(budget.read(&b"12345"[..], "f", "text").unwrap(), b"12345");
        assert_eq!(budget.read(&b"678"[..], "f", "text").unwrap(), b"678");
        let error = budget.read(std::io::repeat(0), "f", "text").unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 8, .. }), "{error}");
    }
}

//! What a model has been trained on: the hashes of its images, by which they are known in a data set in whatever file.

use crate::error::{Error, Result};
use crate::image::dhash::DHash;

/// The first bytes of a list.
const MAGIC: &[u8; 8] = b"dHash128";

/// Bytes of a hash.
const HASH: usize = 16;

/// The images that a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenImages {
    hashes: Vec<DHash>,
}

impl SeenImages {
    /// A list of these, each once.
    #[must_use]
    pub fn new(mut hashes: Vec<DHash>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        Self { hashes }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether an image is one of them, or nearly the same.
    #[must_use]
    pub fn contains(&self, hash: DHash) -> bool {
        let near = |seen: &DHash| seen.distance(hash) <= DHash::SAME;
        self.hashes.iter().any(near)
    }

    /// A list's file: eight bytes that name it, then 16 bytes a hash, the most significant first, ascending.
    ///
    /// # Errors
    /// [`Error::Weights`] if the bytes are no such list.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self> {
        let hashes = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| Error::weights(file, "is no list of hashes"))?;
        let (hashes, rest) = hashes.as_chunks::<HASH>();
        let hashes: Vec<DHash> = hashes
            .iter()
            .map(|bytes| DHash(u128::from_be_bytes(*bytes)))
            .collect();
        if !rest.is_empty() || !hashes.is_sorted() {
            return Err(Error::weights(file, "is a damaged list of hashes"));
        }
        Ok(Self { hashes })
    }

    /// The bytes that [`SeenImages::read`] reads.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let hashes = self.hashes.iter().flat_map(|hash| hash.0.to_be_bytes());
        MAGIC.iter().copied().chain(hashes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_knows_its_images_and_what_is_near_them() {
        let seen = SeenImages::new(vec![DHash(u128::MAX), DHash(0), DHash(0)]);
        assert_eq!(seen.len(), 2);
        let near = (1 << DHash::SAME) - 1;
        assert!(seen.contains(DHash(near)));
        assert!(!seen.contains(DHash(near << 1 | 1)));
    }

    #[test]
    fn a_list_comes_back_from_its_file_and_a_damaged_one_does_not() {
        let seen = SeenImages::new(vec![DHash(7), DHash(1 << 100)]);
        let bytes = seen.write();
        assert_eq!(SeenImages::read("list", &bytes), Ok(seen));
        for damaged in [&bytes[..bytes.len() - 1], &bytes[1..], b""] {
            assert!(SeenImages::read("list", damaged).is_err());
        }
        let [a, b] = [&bytes[8..24], &bytes[24..]];
        let swapped = [&bytes[..8], b, a].concat();
        assert!(SeenImages::read("list", &swapped).is_err());
    }
}

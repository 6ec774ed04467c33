//! What a model has been trained on: the hashes of its images, by which they are known in a data set in whatever file.

use crate::error::{Error, Result};
use crate::image::phash::PHash;

/// The first bytes of a list.
const MAGIC: &[u8; 8] = b"pHash 64";

/// Bytes of a hash.
const HASH: usize = 8;

/// The images that a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenImages {
    hashes: Vec<PHash>,
}

impl SeenImages {
    /// A list of these, each once.
    #[must_use]
    pub fn new(mut hashes: Vec<PHash>) -> Self {
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
    pub fn contains(&self, hash: PHash) -> bool {
        let near = |seen: &PHash| seen.distance(hash) <= PHash::SAME;
        self.hashes.iter().any(near)
    }

    /// A list's file: eight bytes that name it, then 8 bytes a hash, the most significant first, ascending.
    ///
    /// # Errors
    /// [`Error::Weights`] if the bytes are no such list.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self> {
        let hashes = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| Error::weights(file, "is no list of hashes"))?;
        let (hashes, rest) = hashes.as_chunks::<HASH>();
        let hashes: Vec<PHash> = hashes
            .iter()
            .map(|bytes| PHash(u64::from_be_bytes(*bytes)))
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
        let seen = SeenImages::new(vec![PHash(u64::MAX), PHash(0), PHash(0)]);
        assert_eq!(seen.len(), 2);
        let near = (1 << PHash::SAME) - 1;
        assert!(seen.contains(PHash(near)));
        assert!(!seen.contains(PHash(near << 1 | 1)));
    }

    #[test]
    fn a_list_comes_back_from_its_file_and_a_damaged_one_does_not() {
        let seen = SeenImages::new(vec![PHash(7), PHash(1 << 50)]);
        let bytes = seen.write();
        assert_eq!(SeenImages::read("list", &bytes), Ok(seen));
        for damaged in [&bytes[..bytes.len() - 1], &bytes[1..], b""] {
            assert!(SeenImages::read("list", damaged).is_err());
        }
        let [a, b] = [&bytes[8..16], &bytes[16..]];
        let swapped = [&bytes[..8], b, a].concat();
        assert!(SeenImages::read("list", &swapped).is_err());
    }
}

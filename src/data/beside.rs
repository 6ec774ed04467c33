//! A data set with files beside it: the archive of the images and, as its own download, the table of labels.

use super::source::{FolderSource, Source};
use crate::error::Result;
use crate::protocol::Skipped;

/// The files of a source, then some more.
pub struct Beside {
    source: Box<dyn Source>,
    more: FolderSource,
}

impl Beside {
    /// The files of `more` follow those of `source`.
    #[must_use]
    pub fn new(source: Box<dyn Source>, more: FolderSource) -> Self {
        Self { source, more }
    }

    /// The place of file i in `more`, if it is there.
    fn in_more(&self, i: usize) -> Option<usize> {
        i.checked_sub(self.source.len())
    }
}

impl Source for Beside {
    fn len(&self) -> usize {
        self.source.len() + self.more.len()
    }

    fn path(&self, i: usize) -> &str {
        self.in_more(i)
            .map_or_else(|| self.source.path(i), |i| self.more.path(i))
    }

    fn size(&self, i: usize) -> u64 {
        self.in_more(i)
            .map_or_else(|| self.source.size(i), |i| self.more.size(i))
    }

    fn fingerprint(&self, i: usize) -> Option<u64> {
        self.in_more(i)
            .map_or_else(|| self.source.fingerprint(i), |i| self.more.fingerprint(i))
    }

    fn read(&mut self, i: usize) -> Result<Vec<u8>> {
        match self.in_more(i) {
            None => self.source.read(i),
            Some(i) => self.more.read(i),
        }
    }

    fn head(&mut self, i: usize, n: usize) -> Result<Vec<u8>> {
        match self.in_more(i) {
            None => self.source.head(i, n),
            Some(i) => self.more.head(i, n),
        }
    }

    fn content(&mut self, i: usize) -> Result<u64> {
        match self.in_more(i) {
            None => self.source.content(i),
            Some(i) => self.more.content(i),
        }
    }

    fn refused(&self) -> &[Skipped] {
        self.source.refused()
    }

    fn empty_folders(&self) -> &[String] {
        self.source.empty_folders()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::files::InputFile;

    #[test]
    fn the_files_beside_come_last() {
        let one = |path: &str, byte| {
            let file = InputFile::memory(path, vec![byte]);
            FolderSource::new(vec![(path.to_string(), file)])
        };
        let mut both = Beside::new(Box::new(one("a.jpg", 1)), one("labels.csv", 2));
        assert_eq!(
            (both.len(), both.path(0), both.path(1)),
            (2, "a.jpg", "labels.csv")
        );
        assert_eq!((both.read(0), both.read(1)), (Ok(vec![1]), Ok(vec![2])));
        assert_eq!(
            (both.head(1, 9), both.head(1, 0)),
            (Ok(vec![2]), Ok(vec![]))
        );
        assert_ne!(both.content(0), both.content(1));
        assert!(both.head(2, 1).is_err() && both.content(2).is_err());
        assert!(both.read(2).is_err() && both.path(2).is_empty());
    }
}

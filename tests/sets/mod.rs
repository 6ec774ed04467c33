//! Data sets of files in memory, for tests.
#![allow(dead_code, reason = "not every test needs all of it")]

use retune::data::{Dataset, FolderSource, Indexer, Source};
use retune::platform::files::InputFile;

/// A source's data set.
pub fn index(source: impl Source + 'static) -> Dataset {
    Indexer::new("set", Box::new(source))
        .finish()
        .expect("a data set")
}

/// Files under paths.
pub fn source<P: AsRef<str>, B: AsRef<[u8]>>(files: &[(P, B)]) -> FolderSource {
    let handle = |(path, bytes): &(P, B)| {
        let path = path.as_ref();
        (
            path.to_owned(),
            InputFile::memory(path, bytes.as_ref().to_vec()),
        )
    };
    FolderSource::new(files.iter().map(handle).collect())
}

/// The data set of files under paths.
pub fn folder<P: AsRef<str>, B: AsRef<[u8]>>(files: &[(P, B)]) -> Dataset {
    index(source(files))
}

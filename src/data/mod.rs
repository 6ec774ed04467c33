//! From a pile of files to samples with labels, the same in the page and natively.
//!
//! A [`Source`] lists and reads files: a folder, a zip in place, the generator. An [`Indexer`] walks it in
//! slices and makes the [`Dataset`], which [`split`] divides.

pub mod archive;
pub mod dataset;
pub mod demo;
pub mod index;
pub mod layout;
pub mod source;
pub mod split;

pub use archive::ZipSource;
pub use dataset::{Dataset, Sample, Subset};
pub use demo::DemoSource;
pub use index::Indexer;
pub use source::{FolderSource, Source};
pub use split::{Split, split};

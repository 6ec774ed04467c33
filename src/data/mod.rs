//! From a pile of files to samples with labels, the same in the page and natively.
//!
//! A [`Source`] lists and reads files: a folder, an archive in place, the generator. An [`Indexer`] walks it in
//! slices and makes the [`Dataset`], which [`split()`] divides.

pub mod archive;
pub mod beside;
mod beside_folders;
mod class_names;
pub mod dataset;
pub mod demo;
mod division;
mod file_names;
mod folders;
mod from_names;
mod from_tables;
pub mod hidden;
mod id_folders;
pub mod index;
mod kinds;
mod labelling;
pub mod layout;
mod leaks;
mod masks;
mod notes;
mod others;
mod parts;
mod problem;
mod reading;
pub mod seen;
pub mod source;
pub mod split;
mod table;
mod tree;
mod unread;
mod unused_lists;

pub use archive::ArchiveSource;
pub use beside::Beside;
pub use dataset::{Candidate, Dataset, Sample};
pub use demo::DemoSource;
pub use index::Indexer;
pub use source::{FolderSource, Source};
pub use split::{Split, split, split_few};

pub use crate::protocol::Part as Subset;

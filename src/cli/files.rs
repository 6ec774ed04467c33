//! Files that the command line writes.

use std::path::Path;

use super::failure::Result;
use crate::error::Error;

/// Makes a folder and those above it.
///
/// # Errors
/// [`Error::Storage`] naming it.
pub fn make_folder(out: &Path) -> Result<()> {
    let made = std::fs::create_dir_all(out);
    Ok(made.map_err(|error| Error::Storage(format!("{}: {error}", out.display())))?)
}

/// Writes a file.
///
/// # Errors
/// [`Error::Storage`] naming it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = std::fs::write(path, bytes);
    Ok(written.map_err(|error| Error::Storage(format!("{}: {error}", path.display())))?)
}

//! Lists a folder.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::super::escape;
use super::files::{InputFile, failed};
use crate::data::hidden::{Hidden, HiddenFolders, hidden};
use crate::error::{Error, Result};
use crate::protocol::Skipped;

/// Most entries of a hidden folder that are looked at to count its images.
const MAX_HIDDEN: usize = 100_000;

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// Its files by path.
    pub files: Vec<(String, InputFile)>,
    /// What of it cannot be used.
    pub refused: Vec<Skipped>,
    /// Folders in it that hold nothing at all.
    pub empty_folders: Vec<String>,
}

/// Every file under a folder, sorted by path. Paths begin with the folder's own name and have `/` between their
/// parts, as those of a folder dropped on the page; bytes that are no UTF-8 are spelt out (`\xff`). A folder that
/// links lead to as well is listed once, in its own place if it has one here. What cannot be read, is no file or
/// leads nowhere is set aside with the reason. Hidden files and folders are left out, and a hidden folder that holds
/// images is told; the folder itself may be hidden: the dot in front of its name goes.
///
/// # Errors
/// [`Error::Storage`] if the folder itself cannot be listed.
pub fn list_folder(path: impl AsRef<Path>) -> Result<Listing> {
    let path = path.as_ref();
    let fail = |e: &io::Error| failed(&path.to_string_lossy(), e);
    let root = fs::canonicalize(path).map_err(|e| fail(&e))?;
    if !root.is_dir() {
        return Err(Error::Storage(format!("{}: is no folder", path.display())));
    }
    let name = root.file_name().map_or_else(String::new, text);
    let shown = name.trim_start_matches('.');
    let name = if shown.is_empty() { &name } else { shown };
    let mut walk = Walk::default();
    walk.folder(name, &root).map_err(|e| fail(&e))?;
    // Folders in their own place come before those that links lead to, so that they keep their own names.
    while let Some((path, folder)) = walk.open.pop().or_else(|| walk.linked.pop()) {
        if let Err(error) = walk.folder(&path, &folder) {
            let reason = format!("is a folder that cannot be read ({error})");
            walk.refused.push(Skipped::failed(path, reason));
        }
    }
    walk.found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    walk.refused.extend(walk.hidden.skipped());
    walk.refused.sort_by(|a, b| a.file.cmp(&b.file));
    walk.empty.sort_unstable();
    Ok(Listing {
        files: walk.found,
        refused: walk.refused,
        empty_folders: walk.empty,
    })
}

/// A name as text.
fn text(name: &OsStr) -> String {
    escape(name.as_encoded_bytes())
}

/// A folder being listed.
#[derive(Default)]
struct Walk {
    found: Vec<(String, InputFile)>,
    refused: Vec<Skipped>,
    empty: Vec<String>,
    hidden: HiddenFolders,
    /// Folders to be listed.
    open: Vec<(String, PathBuf)>,
    /// Folders to be listed that links lead to; the first one last.
    linked: Vec<(String, PathBuf)>,
    /// Folders that were listed, where they really are.
    seen: HashSet<PathBuf>,
}

impl Walk {
    fn folder(&mut self, path: &str, folder: &Path) -> io::Result<()> {
        if !self.seen.insert(fs::canonicalize(folder)?) {
            let reason = "is a link to a folder that is listed already";
            self.refused.push(Skipped::passed_over(path, reason));
            return Ok(());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder)? {
            match entry {
                Ok(entry) => entries.push(entry.path()),
                Err(e) => {
                    let reason = format!("is a folder that cannot be read to its end ({e})");
                    self.refused.push(Skipped::failed(path, reason));
                    break;
                }
            }
        }
        // A `.gitkeep` or `.DS_Store` fills no folder.
        let litter = |entry: &PathBuf| {
            let name = entry.file_name().map(text);
            name.is_some_and(|name| hidden(&name) == Some(Hidden::Litter)) && !entry.is_dir()
        };
        if entries.iter().all(litter) {
            self.empty.push(path.to_owned());
        }
        // The system's order is arbitrary, and which of two links to one folder is kept hangs on it.
        entries.sort_unstable();
        let links = self.linked.len();
        for entry in entries {
            let Some(name) = entry.file_name().map(text) else {
                continue;
            };
            let joined = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}/{name}")
            };
            if hidden(&name).is_none() {
                self.entry(joined, entry);
            } else {
                self.hidden_entry(joined, &name, entry);
            }
        }
        if self.linked.len() > links {
            self.linked.sort_unstable_by(|a, b| b.0.cmp(&a.0));
        }
        Ok(())
    }

    fn entry(&mut self, path: String, entry: PathBuf) {
        // Follows links.
        let facts = match fs::metadata(&entry) {
            Ok(facts) => facts,
            Err(error) => {
                let is_link = fs::symlink_metadata(&entry).is_ok_and(|f| f.is_symlink());
                let reason = if is_link && error.kind() == io::ErrorKind::NotFound {
                    "is a link to a file that is not there".to_owned()
                } else {
                    format!("cannot be read ({error})")
                };
                self.refused.push(Skipped::failed(path, reason));
                return;
            }
        };
        if facts.is_dir() {
            let is_link = fs::symlink_metadata(&entry).is_ok_and(|f| f.is_symlink());
            let list = if is_link {
                &mut self.linked
            } else {
                &mut self.open
            };
            list.push((path, entry));
        } else if !facts.is_file() {
            // Opening a pipe waits for somebody to write into it.
            let reason = "is a pipe, a socket or a device, not a file";
            self.refused.push(Skipped::passed_over(path, reason));
        } else if let Err(error) = can_be_read(&entry, &facts) {
            let reason = format!("cannot be read ({error})");
            self.refused.push(Skipped::failed(path, reason));
        } else {
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            self.found
                .push((path, InputFile::at(entry, name, facts.len())));
        }
    }

    fn hidden_entry(&mut self, path: String, name: &str, entry: PathBuf) {
        if let Some(file) = name
            .strip_prefix('.')
            .and_then(|n| n.strip_suffix(".icloud"))
        {
            let reason = format!(
                "stands for {file}, which is in iCloud and not on this disk; download it first"
            );
            self.refused.push(Skipped::failed(path, reason));
            return;
        }
        let below = format!("{name}/x");
        if hidden(&below) == Some(Hidden::Litter) {
            return;
        }
        let mut open = vec![entry];
        let mut seen = 0;
        while let Some(folder) = open.pop() {
            // What cannot be read here would not have been used either.
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                seen += 1;
                if seen > MAX_HIDDEN {
                    return;
                }
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => open.push(entry.path()),
                    Ok(kind) if kind.is_file() => {
                        self.hidden
                            .note(&path, &entry.file_name().to_string_lossy());
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Tries to open a file that not everyone may read.
#[cfg(unix)]
fn can_be_read(path: &Path, facts: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if facts.permissions().mode() & 0o444 != 0o444 {
        File::open(path)?;
    }
    Ok(())
}

/// Elsewhere that shows when it is read.
#[cfg(not(unix))]
fn can_be_read(_: &Path, _: &Metadata) -> io::Result<()> {
    Ok(())
}

//! Kept files of a native process: a folder of the user's, `$RETUNE_CACHE`, else
//! `$XDG_CACHE_HOME/retune`, else `~/.cache/retune`.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::platform::common::{StorageLocation, check_key};

/// The file kept under this name; none if there is none.
///
/// # Errors
/// [`Error::Storage`] if it is there and cannot be read, or there is no place to keep files.
pub async fn read(key: &str) -> Result<Option<Vec<u8>>> {
    read_at(&StorageLocation::Own, key).await
}

/// The same at another place.
///
/// # Errors
/// As [`read`].
pub async fn read_at(place: &StorageLocation, key: &str) -> Result<Option<Vec<u8>>> {
    read_in(&folder_of(place)?, key)
}

/// Keeps a file under this name, in place of an earlier one, which is lost only once the new one is
/// whole on disk.
///
/// # Errors
/// [`Error::Storage`], "storage full" among them; the earlier file is then still there.
pub async fn write(key: &str, bytes: &[u8]) -> Result<()> {
    write_at(&StorageLocation::Own, key, bytes).await
}

/// The same at another place.
///
/// # Errors
/// As [`write()`].
pub async fn write_at(place: &StorageLocation, key: &str, bytes: &[u8]) -> Result<()> {
    write_in(&folder_of(place)?, key, bytes)
}

/// Forgets the file of this name; none is no error.
///
/// # Errors
/// [`Error::Storage`] if it is there and cannot be removed.
pub async fn remove(key: &str) -> Result<()> {
    remove_at(&StorageLocation::Own, key).await
}

/// The same at another place.
///
/// # Errors
/// As [`remove`].
pub async fn remove_at(place: &StorageLocation, key: &str) -> Result<()> {
    remove_in(&folder_of(place)?, key)
}

fn folder_of(place: &StorageLocation) -> Result<PathBuf> {
    match place {
        StorageLocation::Own => folder(),
        StorageLocation::Folder(path) => Ok(PathBuf::from(path)),
    }
}

fn folder() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = || set("HOME").or_else(|| set("USERPROFILE"));
    (set("RETUNE_CACHE").map(PathBuf::from))
        .or_else(|| Some(PathBuf::from(set("XDG_CACHE_HOME")?).join("retune")))
        .or_else(|| Some(PathBuf::from(home()?).join(".cache/retune")))
        .ok_or_else(|| Error::Storage("no folder to keep files in; set RETUNE_CACHE".into()))
}

fn read_in(folder: &Path, key: &str) -> Result<Option<Vec<u8>>> {
    check_key(key)?;
    let path = folder.join(key);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed(&path, &e)),
    }
}

fn write_in(folder: &Path, key: &str, bytes: &[u8]) -> Result<()> {
    check_key(key)?;
    let path = folder.join(key);
    // Another process may be writing the same file; whoever renames last wins, and both are whole.
    let part = folder.join(format!(".{key}.{}.part", std::process::id()));
    let written = fs::create_dir_all(folder)
        .and_then(|()| write_synced(&part, bytes))
        .and_then(|()| fs::rename(&part, &path));
    written.map_err(|e| {
        let _ = fs::remove_file(&part);
        failed(&path, &e)
    })
}

/// Without the sync a crash soon after could leave the new name with no content behind it.
fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn remove_in(folder: &Path, key: &str) -> Result<()> {
    check_key(key)?;
    let path = folder.join(key);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(failed(&path, &e)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    let full = matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    );
    let what = if full { "storage full: " } else { "" };
    Error::Storage(format!("{what}{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is gone when the test ends.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("retune-store-{name}-{}", std::process::id())))
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_kept_replaced_and_forgotten() {
        let folder = Temporary::new("kept");
        assert_eq!(read_in(&folder.0, "m.safetensors"), Ok(None));
        assert_eq!(remove_in(&folder.0, "m.safetensors"), Ok(()));
        write_in(&folder.0, "m.safetensors", b"one").unwrap();
        write_in(&folder.0, "m.safetensors", b"two").unwrap();
        assert_eq!(
            read_in(&folder.0, "m.safetensors"),
            Ok(Some(b"two".to_vec()))
        );
        assert_eq!(
            fs::read_dir(&folder.0).unwrap().count(),
            1,
            "no parts are left"
        );
        remove_in(&folder.0, "m.safetensors").unwrap();
        assert_eq!(read_in(&folder.0, "m.safetensors"), Ok(None));
    }

    #[test]
    fn a_failed_write_leaves_the_file_before_it() {
        let folder = Temporary::new("failed");
        write_in(&folder.0, "m", b"one").unwrap();
        // The part cannot be made where a folder of its name is.
        let part = folder.0.join(format!(".m.{}.part", std::process::id()));
        fs::create_dir(&part).unwrap();
        let error = write_in(&folder.0, "m", b"two").unwrap_err();
        assert!(matches!(error, Error::Storage(_)), "{error:?}");
        assert_eq!(read_in(&folder.0, "m"), Ok(Some(b"one".to_vec())));
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        let folder = Temporary::new("names");
        for key in [
            "",
            ".",
            "..",
            "../m",
            "a/b",
            "a\\b",
            ".m",
            "a\0",
            "é",
            &"m".repeat(129),
        ] {
            assert!(
                write_in(&folder.0, key, b"x").is_err(),
                "{key:?} was accepted"
            );
        }
        assert!(!folder.0.exists());
    }
}

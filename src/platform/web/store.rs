//! Kept files of a Web Worker: the browser's origin-private file system.
//!
//! A tab can be closed in the middle of a write, and OPFS has no rename that every browser knows. So each
//! name has two slots. A write goes to the slot that is not in use, its header (with a sequence number,
//! the length and a checksum) last; only then is the other slot removed. A reader takes the newest slot
//! that is whole, so whatever happens to a write, the file before it is still there.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
    WorkerGlobalScope,
};

use super::js::{name, reason};
use crate::error::{Error, Result};
use crate::platform::common::{StorageLocation, check_key};

/// Folder within the origin's file system, which other pages of the same host may share.
const FOLDER: &str = "retune";
/// The first bytes of a slot.
const MAGIC: [u8; 8] = *b"retune-1";
/// Bytes of a slot before the file's own.
const HEADER: usize = 32;
/// Bytes written at a time.
const CHUNK: usize = 16 << 20;

type Js<T> = std::result::Result<T, JsValue>;

/// The file kept under this name; none if there is none that is whole.
///
/// # Errors
/// [`Error::Storage`] if the browser lends no storage (a private window), or it cannot be read.
pub async fn read(key: &str) -> Result<Option<Vec<u8>>> {
    check_key(key)?;
    let read = async {
        let folder = folder().await?;
        for slot in slots(&folder, key).await? {
            let bytes = content(&slot.blob, HEADER as f64, slot.blob.size()).await?;
            if crc32fast::hash(&bytes) == slot.header.checksum {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    };
    read.await.map_err(|e| failed(key, &e))
}

/// The same at another place, which a page has not.
///
/// # Errors
/// As [`read`].
pub async fn read_at(place: &StorageLocation, key: &str) -> Result<Option<Vec<u8>>> {
    own(place)?;
    read(key).await
}

/// Keeps a file under this name, in place of an earlier one, which is lost only once the new one is
/// whole.
///
/// # Errors
/// [`Error::Storage`]: the browser lends no storage, "storage full", or another tab is writing the same
/// file. The earlier file is then still there.
pub async fn write(key: &str, bytes: &[u8]) -> Result<()> {
    check_key(key)?;
    let write = async {
        let folder = folder().await?;
        let newest = slots(&folder, key).await?.into_iter().next();
        let (old, sequence) =
            newest.map_or((None, 0), |slot| (Some(slot.suffix), slot.header.sequence));
        let target = if old == Some('a') { 'b' } else { 'a' };
        let header = Header {
            sequence: sequence + 1,
            length: bytes.len() as u64,
            checksum: crc32fast::hash(bytes),
        };
        if let Err(error) = fill(&folder, &path(key, target), header, bytes).await {
            let _ = JsFuture::from(folder.remove_entry(&path(key, target))).await;
            return Err(error);
        }
        if let Some(old) = old {
            // If this fails there are two whole slots, and the newer one counts.
            let _ = JsFuture::from(folder.remove_entry(&path(key, old))).await;
        }
        Ok(())
    };
    write.await.map_err(|e| failed(key, &e))
}

/// Forgets the file of this name; none is no error.
///
/// # Errors
/// [`Error::Storage`] if the browser lends no storage or it cannot be removed.
pub async fn remove(key: &str) -> Result<()> {
    check_key(key)?;
    let remove = async {
        let folder = folder().await?;
        for suffix in ['a', 'b'] {
            let removed = JsFuture::from(folder.remove_entry(&path(key, suffix))).await;
            removed.map(drop).or_else(unless_absent)?;
        }
        Ok(())
    };
    remove.await.map_err(|e| failed(key, &e))
}

/// [`write`] at another place, which a page has not.
///
/// # Errors
/// As [`write`].
pub async fn write_at(place: &StorageLocation, key: &str, bytes: &[u8]) -> Result<()> {
    own(place)?;
    write(key, bytes).await
}

/// [`remove`] at another place, which a page has not.
///
/// # Errors
/// As [`remove`].
pub async fn remove_at(place: &StorageLocation, key: &str) -> Result<()> {
    own(place)?;
    remove(key).await
}

fn own(place: &StorageLocation) -> Result<()> {
    match place {
        StorageLocation::Own => Ok(()),
        StorageLocation::Folder(path) => {
            Err(Error::Storage(format!("{path}: a page has no folders")))
        }
    }
}

/// What stands before a slot's bytes.
#[derive(Clone, Copy)]
struct Header {
    /// Higher is newer.
    sequence: u64,
    length: u64,
    checksum: u32,
}

impl Header {
    /// Magic, sequence, length, checksum, zeros; little-endian.
    fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.length.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    /// None if these are not a header's bytes.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        Some(Self {
            sequence: u64::from_le_bytes(*sequence),
            length: u64::from_le_bytes(*length),
            checksum: u32::from_le_bytes(*rest.first_chunk()?),
        })
    }
}

/// A slot with a header that fits its length.
struct Slot {
    suffix: char,
    header: Header,
    blob: Blob,
}

/// The slots of a name that look whole, newest first.
async fn slots(folder: &FileSystemDirectoryHandle, key: &str) -> Js<Vec<Slot>> {
    let mut found = Vec::new();
    for suffix in ['a', 'b'] {
        let handle = match JsFuture::from(folder.get_file_handle(&path(key, suffix))).await {
            Ok(handle) => handle.unchecked_into::<FileSystemFileHandle>(),
            Err(error) => {
                unless_absent(error)?;
                continue;
            }
        };
        let blob: Blob = JsFuture::from(handle.get_file()).await?.unchecked_into();
        let header = Header::from_bytes(&content(&blob, 0.0, HEADER as f64).await?)
            .filter(|header| (HEADER as u64).saturating_add(header.length) == blob.size() as u64);
        if let Some(header) = header {
            found.push(Slot {
                suffix,
                header,
                blob,
            });
        }
    }
    found.sort_by_key(|slot| std::cmp::Reverse(slot.header.sequence));
    Ok(found)
}

/// Writes a slot: content, then header, so that a header stands before whole content only.
async fn fill(
    folder: &FileSystemDirectoryHandle,
    path: &str,
    header: Header,
    bytes: &[u8],
) -> Js<()> {
    let create = FileSystemGetFileOptions::new();
    create.set_create(true);
    let handle = JsFuture::from(folder.get_file_handle_with_options(path, &create)).await?;
    let handle: FileSystemFileHandle = handle.unchecked_into();
    let file: FileSystemSyncAccessHandle = JsFuture::from(handle.create_sync_access_handle())
        .await?
        .unchecked_into();
    let filled = (|| {
        file.truncate_with_u32(0)?;
        for (i, chunk) in bytes.chunks(CHUNK).enumerate() {
            put(&file, HEADER + i * CHUNK, chunk)?;
        }
        file.flush()?;
        put(&file, 0, &header.to_bytes())?;
        file.flush()
    })();
    // Closed in every case: an open handle locks the file for all tabs.
    file.close();
    filled
}

fn put(file: &FileSystemSyncAccessHandle, at: usize, bytes: &[u8]) -> Js<()> {
    let place = FileSystemReadWriteOptions::new();
    place.set_at(at as f64);
    let written = file.write_with_u8_array_and_options(bytes, &place)?;
    if written == bytes.len() as f64 {
        return Ok(());
    }
    let error = js_sys::Error::new("only a part could be written");
    error.set_name(FULL);
    Err(error.into())
}

/// Bytes `begin` to `end` of a file.
async fn content(blob: &Blob, begin: f64, end: f64) -> Js<Vec<u8>> {
    let part = blob.slice_with_f64_and_f64(begin, end)?;
    let buffer = JsFuture::from(part.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// This page's folder, made if need be.
async fn folder() -> Js<FileSystemDirectoryHandle> {
    let scope: WorkerGlobalScope = js_sys::global().dyn_into()?;
    // Absent in an insecure context; the binding would call a method of undefined.
    let storage = scope.navigator().storage();
    if storage.is_undefined() || !Reflect::has(&storage, &"getDirectory".into())? {
        return Err("the browser lends this page no storage".into());
    }
    let root: FileSystemDirectoryHandle = JsFuture::from(storage.get_directory())
        .await?
        .unchecked_into();
    let create = FileSystemGetDirectoryOptions::new();
    create.set_create(true);
    let folder = root.get_directory_handle_with_options(FOLDER, &create);
    Ok(JsFuture::from(folder).await?.unchecked_into())
}

fn path(key: &str, suffix: char) -> String {
    format!("{key}.{suffix}")
}

/// Passes every exception on but the one that says there is no such file.
fn unless_absent(thrown: JsValue) -> Js<()> {
    if name(&thrown) == "NotFoundError" {
        return Ok(());
    }
    Err(thrown)
}

/// The exception's name when the browser grants no more space.
const FULL: &str = "QuotaExceededError";

fn failed(key: &str, thrown: &JsValue) -> Error {
    let what = match name(thrown).as_str() {
        FULL => "storage full: ",
        "NoModificationAllowedError" => "in use by another tab: ",
        _ => "",
    };
    Error::Storage(format!(
        "{what}{key} in the browser's storage: {}",
        reason(thrown)
    ))
}

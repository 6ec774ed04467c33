//! Pretrained ImageNet weights on the Hugging Face hub, as data: where they lie, what they are worth,
//! what licence they have; and their download, the only thing here that reaches another host.
//!
//! Hash: the hub answers a request for a large file with a redirect that carries the file's SHA-256 in
//! `X-Linked-Etag`. A browser follows redirects without showing their headers, so where the header is
//! not seen the Git LFS pointer is asked for (`raw` in place of `resolve`), three lines with the same hash.

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::network::Arch;
use crate::platform::{Fetched, Progress, fetch, hash, store};

/// The hub's own address.
pub const HUB: &str = "https://huggingface.co";

/// The file within a repository.
pub const FILE: &str = "model.safetensors";

/// Classes of the last layer of such weights.
pub const CLASSES: usize = 1000;

/// The file's address, on the hub or on a mirror with the hub's paths.
///
/// # Errors
/// [`Error::Setting`] if the backbone has no weights there.
pub fn url(base: Option<&str>, arch: Arch) -> Result<String> {
    address(base, arch, "resolve")
}

/// The address of its Git LFS pointer.
///
/// # Errors
/// As [`url`].
pub fn pointer_url(base: Option<&str>, arch: Arch) -> Result<String> {
    address(base, arch, "raw")
}

fn address(base: Option<&str>, arch: Arch, what: &str) -> Result<String> {
    let base = base.unwrap_or(HUB).trim_end_matches('/');
    let Some(weights) = arch.row().weights else {
        let reason = format!("{arch} has none that can be downloaded");
        return Err(Error::setting("ImageNet weights", reason));
    };
    Ok(format!("{base}/{}/{what}/main/{FILE}", weights.repository))
}

/// A downloaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256, hexadecimal.
    pub sha256: String,
    /// What the user should know: that no hash could be compared, or that it could not be kept.
    pub warnings: Vec<String>,
}

/// The weights of a backbone: those kept from an earlier download, else downloaded, compared with the
/// hub's hash, and kept.
///
/// # Errors
/// [`Error::Storage`] from the network, [`Error::Weights`] if the hash differs, [`Error::Cancelled`] if
/// `progress` said so. Storage that is full or absent is a warning, not an error.
pub async fn download(
    base: Option<&str>,
    arch: Arch,
    progress: &mut Progress<'_>,
) -> Result<Downloaded> {
    let key = key(base, arch);
    // Storage that cannot be read only means that there is nothing kept.
    if let Ok(Some(bytes)) = store::read(&key).await {
        let sha256 = hash::sha256(&bytes).await;
        return Ok(Downloaded {
            bytes,
            sha256,
            warnings: Vec::new(),
        });
    }
    let url = url(base, arch)?;
    let Fetched { bytes, linked_etag } = fetch::get(&url, progress).await?;
    let expected = match linked_etag.as_deref().and_then(etag_sha256) {
        Some(found) => Some(found),
        None => pointer_sha256(&pointer_url(base, arch)?).await,
    };
    let sha256 = hash::sha256(&bytes).await;
    let mut warnings = Vec::new();
    match expected {
        Some(expected) if expected != sha256 => {
            return Err(Error::weights(
                url,
                format!("arrived damaged: its SHA-256 is {sha256}, the server says {expected}"),
            ));
        }
        Some(_) => {}
        None => warnings.push(format!("{url}: the server gave no hash to compare with")),
    }
    if let Err(error) = store::write(&key, &bytes).await {
        warnings.push(format!("the weights are used but not kept: {error}"));
    }
    Ok(Downloaded {
        bytes,
        sha256,
        warnings,
    })
}

/// Forgets a kept download, for instance because it turned out unusable.
///
/// # Errors
/// [`Error::Storage`] if it is there and cannot be removed.
pub async fn forget(base: Option<&str>, arch: Arch) -> Result<()> {
    store::remove(&key(base, arch)).await
}

/// The name a download is kept under. A mirror's is another one than the hub's.
fn key(base: Option<&str>, arch: Arch) -> String {
    let from: String = (base.unwrap_or(HUB).chars())
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(80)
        .collect();
    format!("{from}-{}.safetensors", arch.name())
}

/// The hash in an `X-Linked-Etag`: quoted, sometimes marked weak.
fn etag_sha256(etag: &str) -> Option<String> {
    let hash = etag.trim().trim_start_matches("W/").trim_matches('"');
    is_sha256(hash).then(|| hash.to_ascii_lowercase())
}

/// The hash in the pointer at this address, if there is one.
async fn pointer_sha256(url: &str) -> Option<String> {
    let pointer = fetch::get(url, &mut |_, _| ControlFlow::Continue(()))
        .await
        .ok()?;
    let text = String::from_utf8(pointer.bytes).ok()?;
    let hash = text
        .lines()
        .find_map(|line| line.strip_prefix("oid sha256:"))?;
    is_sha256(hash).then(|| hash.to_ascii_lowercase())
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

//! Files that lie beside the page, kept in the browser's storage after the first visit.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::platform::common::{Asset, Progress};

use super::{fetch, hash, store};

/// Where bundled weights of that path are kept; one name, so that a new version replaces the old.
fn key(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    format!("bundled-{file}")
}

/// Bundled weights: the kept copy if it is this version, else fetched and kept.
///
/// # Errors
/// [`Error::Storage`] from the network, [`Error::Weights`] if the server has another file,
/// [`Error::Cancelled`] if `progress` said so. That it cannot be kept is no error: it is at hand.
pub async fn bundled_model(
    asset: &Asset,
    progress: &mut Progress<'_>,
) -> Result<Cow<'static, [u8]>> {
    let key = key(asset.path);
    if let Ok(Some(bytes)) = store::read(&key).await
        && hash::sha256(&bytes).await == asset.sha256
    {
        return Ok(Cow::Owned(bytes));
    }
    let bytes = fetch::asset(asset.path, asset.bytes, progress).await?;
    let sha256 = hash::sha256(&bytes).await;
    if sha256 != asset.sha256 {
        return Err(Error::weights(
            asset.path,
            format!("is not this page's version: its SHA-256 is {sha256}"),
        ));
    }
    let _ = store::write(&key, &bytes).await;
    Ok(Cow::Owned(bytes))
}

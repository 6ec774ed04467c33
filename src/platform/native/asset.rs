//! Files that come with the program, compiled into it: a command line has no page to lie beside.

use std::borrow::Cow;

use crate::error::Result;
use crate::platform::common::{Asset, Progress};

/// The bundled weights. A test compares them with `asset`'s hash.
///
/// # Errors
/// None; the browser's twin has some.
pub async fn bundled_model(
    _asset: &Asset,
    _progress: &mut Progress<'_>,
) -> Result<Cow<'static, [u8]>> {
    const BYTES: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/www/models/resnet18-scenes.safetensors"
    ));
    Ok(Cow::Borrowed(BYTES))
}

//! Files that come with the program, compiled into it: a command line has no page to lie beside.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::platform::common::{Asset, Progress};

/// Paths and bytes of the bundled weights.
macro_rules! compiled_in {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/www/", $path)) as &[u8])),+]
    };
}

/// The bytes of bundled weights. A test compares them with `asset`'s hash.
///
/// # Errors
/// [`Error::Storage`] for a path that is none of theirs; the browser's twin has others.
pub async fn bundled_model(
    asset: &Asset,
    _progress: &mut Progress<'_>,
) -> Result<Cow<'static, [u8]>> {
    static FILES: [(&str, &[u8]); 4] = compiled_in![
        "models/resnet18-scenes.safetensors",
        "models/resnet18-scenes.seen",
        "models/efficientnet_lite0-imagenet.safetensors",
        "models/resnet-2223-imagenet.safetensors",
    ];
    let found = FILES.iter().find(|(path, _)| *path == asset.path);
    found
        .map(|(_, bytes)| Cow::Borrowed(*bytes))
        .ok_or_else(|| Error::Storage(format!("{} is not part of this program", asset.path)))
}

//! The weights that come with the page: a `ResNet-18` for six kinds of scenes, trained by this project
//! from random weights, so that the page works offline and owes nobody. See `www/models/MODEL_CARD.md`.

use std::borrow::Cow;

use crate::classes;
use crate::config::{Arch, Preprocess};
use crate::error::Result;
use crate::platform::{Asset, Progress, asset};

/// Its file, beside the page.
pub const MODEL: Asset = Asset {
    path: "models/resnet18-scenes.safetensors",
    bytes: 22_388_332,
    sha256: "9c419d7da1582775226ed637231fbd7b6a6f66e41846742ab0a1fa5aa5baee77",
};

/// Its backbone.
pub const ARCH: Arch = Arch::ResNet18;

/// Its labels, in output order.
#[must_use]
pub fn classes() -> Vec<String> {
    classes::intel()
}

/// The input at which it did best on held-out images: 160 x 160, ImageNet's mean and deviation.
#[must_use]
pub fn preprocess() -> Preprocess {
    Preprocess {
        size: 160,
        ..Preprocess::default()
    }
}

/// The file's bytes: compiled into a native program; in the browser from storage, where the first visit
/// puts it, or else from the page's server.
///
/// # Errors
/// [`Error::Storage`](crate::error::Error::Storage) from the network,
/// [`Error::Weights`](crate::error::Error::Weights) if the server has another file,
/// [`Error::Cancelled`](crate::error::Error::Cancelled) if `progress` said so.
pub async fn load(progress: &mut Progress<'_>) -> Result<Cow<'static, [u8]>> {
    asset::bundled_model(&MODEL, progress).await
}

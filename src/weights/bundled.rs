//! The weights that come with the program: for six kinds of scenes, for `ImageNet`'s 1000 classes, and a `ResNet` without
//! a last layer. All may be passed on; each has its card in `www/models/`, with licence and origin.

use std::borrow::Cow;

use crate::config::{Arch, BundledModel};
use crate::error::Result;
use crate::platform::{Asset, Progress, asset};

/// What is known of a bundled model beside its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bundled {
    /// Which one it is.
    pub model: BundledModel,
    /// Its file, beside the page.
    pub asset: Asset,
    /// Its backbone.
    pub arch: Arch,
}

/// All of them, in the order of [`BundledModel`].
static ALL: [Bundled; 3] = [
    Bundled {
        model: BundledModel::Scenes,
        asset: Asset {
            path: "models/resnet18-scenes.safetensors",
            bytes: 22_388_332,
            sha256: "9c419d7da1582775226ed637231fbd7b6a6f66e41846742ab0a1fa5aa5baee77",
        },
        arch: Arch::ResNet18,
    },
    Bundled {
        model: BundledModel::Things,
        asset: Asset {
            path: "models/efficientnet_lite0-imagenet.safetensors",
            bytes: 9_425_568,
            sha256: "c34136e2f4dc78573d85ad8e64f7b231ccbd921ac5d22ce2db182fcbc835aaf6",
        },
        arch: Arch::EfficientNetLite0,
    },
    Bundled {
        model: BundledModel::General,
        asset: Asset {
            path: "models/resnet-2223-imagenet.safetensors",
            bytes: 31_827_472,
            sha256: "72f9dca2b2c3525889201b098ef73be45a7b60a81fabdbd27adddf44b0b581dc",
        },
        arch: Arch::ResNet2223,
    },
];

impl Bundled {
    /// What is known of a model.
    #[must_use]
    pub fn of(model: BundledModel) -> &'static Self {
        let [scenes, things, general] = &ALL;
        match model {
            BundledModel::Scenes => scenes,
            BundledModel::Things => things,
            BundledModel::General => general,
        }
    }

    /// The model whose file has that SHA-256, if there is one.
    #[must_use]
    pub fn of_hash(sha256: &str) -> Option<&'static Self> {
        ALL.iter().find(|bundled| bundled.asset.sha256 == sha256)
    }

    /// The file's bytes: compiled into a native program; in the browser from storage, where the first use puts it, or
    /// else from the page's server.
    ///
    /// # Errors
    /// [`Error::Storage`](crate::error::Error::Storage) from the network,
    /// [`Error::Weights`](crate::error::Error::Weights) if the server has another file,
    /// [`Error::Cancelled`](crate::error::Error::Cancelled) if `progress` said so.
    pub async fn load(&self, progress: &mut Progress<'_>) -> Result<Cow<'static, [u8]>> {
        asset::bundled_model(&self.asset, progress).await
    }
}

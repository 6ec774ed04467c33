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
    /// The list of the images that it was trained on, if they are known: see [`crate::data::seen`].
    pub seen: Option<Asset>,
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
        seen: Some(Asset {
            path: "models/resnet18-scenes.seen",
            bytes: 100_880,
            sha256: "f5e0268287af71d8cafafe5a825f3ae5f003fc3de07eaac043a4f6c2ac11be7b",
        }),
    },
    Bundled {
        model: BundledModel::Things,
        asset: Asset {
            path: "models/efficientnet_lite0-imagenet.safetensors",
            bytes: 9_425_568,
            sha256: "85c7b270ff77e5e3fcc3f24fa2a68a56527349c64e5dafd122cf3eb670e0282c",
        },
        arch: Arch::EfficientNetLite0,
        seen: None,
    },
    Bundled {
        model: BundledModel::General,
        asset: Asset {
            path: "models/resnet-2223-imagenet.safetensors",
            bytes: 15_966_928,
            sha256: "162fed4913573b2445eadd2feb32cb452e5e5099f68996666c0bbf0ead850008",
        },
        arch: Arch::ResNet2223,
        seen: None,
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

    /// The model whose file has that SHA-256, if it says on which images it was trained.
    #[must_use]
    pub fn seen_by(sha256: &str) -> Option<BundledModel> {
        let bundled = Self::of_hash(sha256)?;
        bundled.seen.map(|_| bundled.model)
    }

    /// The file's bytes: compiled into a native program; in the browser from storage, where the first use puts it, or
    /// else from the page's server.
    ///
    /// # Errors
    /// [`Error::Storage`](crate::error::Error::Storage) from the network,
    /// [`Error::Weights`](crate::error::Error::Weights) if the server has another file,
    /// [`Error::Cancelled`](crate::error::Error::Cancelled) if `progress` said so.
    pub async fn load(&self, progress: &mut Progress<'_>) -> Result<Cow<'static, [u8]>> {
        Self::load_asset(&self.asset, progress).await
    }

    /// The same of any file that comes with a bundled model.
    ///
    /// # Errors
    /// As [`Bundled::load`].
    pub async fn load_asset(
        asset: &Asset,
        progress: &mut Progress<'_>,
    ) -> Result<Cow<'static, [u8]>> {
        asset::bundled_model(asset, progress).await
    }
}

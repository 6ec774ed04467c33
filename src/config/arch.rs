//! The backbones and the heads on offer, by name.

use serde::{Deserialize, Serialize};

use super::value::words;

/// The backbones: torchvision's `ResNet` family (V1.5: the stride sits in the 3x3 convolution), its
/// `DenseNet`s and its `EfficientNet`s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Arch {
    #[default]
    #[serde(rename = "resnet18")]
    ResNet18,
    #[serde(rename = "resnet34")]
    ResNet34,
    #[serde(rename = "resnet50")]
    ResNet50,
    #[serde(rename = "resnet101")]
    ResNet101,
    #[serde(rename = "resnet152")]
    ResNet152,
    #[serde(rename = "wide_resnet50_2")]
    WideResNet50,
    #[serde(rename = "wide_resnet101_2")]
    WideResNet101,
    #[serde(rename = "resnext50_32x4d")]
    ResNext50,
    #[serde(rename = "resnext101_32x8d")]
    ResNext101,
    #[serde(rename = "densenet121")]
    Densenet121,
    #[serde(rename = "densenet169")]
    Densenet169,
    #[serde(rename = "efficientnet_b0")]
    EfficientNetB0,
    #[serde(rename = "efficientnet_b1")]
    EfficientNetB1,
    #[serde(rename = "efficientnet_b2")]
    EfficientNetB2,
    #[serde(rename = "efficientnet_b3")]
    EfficientNetB3,
    #[serde(rename = "efficientnet_b4")]
    EfficientNetB4,
}

/// Backbones of one construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Family {
    ResNet,
    DenseNet,
    EfficientNet,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ResNet, Self::DenseNet, Self::EfficientNet];
}

impl Arch {
    /// All of them, small to large within a family.
    pub const ALL: [Self; 16] = [
        Self::ResNet18,
        Self::ResNet34,
        Self::ResNet50,
        Self::ResNet101,
        Self::ResNet152,
        Self::WideResNet50,
        Self::WideResNet101,
        Self::ResNext50,
        Self::ResNext101,
        Self::Densenet121,
        Self::Densenet169,
        Self::EfficientNetB0,
        Self::EfficientNetB1,
        Self::EfficientNetB2,
        Self::EfficientNetB3,
        Self::EfficientNetB4,
    ];

    /// torchvision's name, which is also the one in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ResNet18 => "resnet18",
            Self::ResNet34 => "resnet34",
            Self::ResNet50 => "resnet50",
            Self::ResNet101 => "resnet101",
            Self::ResNet152 => "resnet152",
            Self::WideResNet50 => "wide_resnet50_2",
            Self::WideResNet101 => "wide_resnet101_2",
            Self::ResNext50 => "resnext50_32x4d",
            Self::ResNext101 => "resnext101_32x8d",
            Self::Densenet121 => "densenet121",
            Self::Densenet169 => "densenet169",
            Self::EfficientNetB0 => "efficientnet_b0",
            Self::EfficientNetB1 => "efficientnet_b1",
            Self::EfficientNetB2 => "efficientnet_b2",
            Self::EfficientNetB3 => "efficientnet_b3",
            Self::EfficientNetB4 => "efficientnet_b4",
        }
    }

    /// How it is built.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::ResNet18
            | Self::ResNet34
            | Self::ResNet50
            | Self::ResNet101
            | Self::ResNet152
            | Self::WideResNet50
            | Self::WideResNet101
            | Self::ResNext50
            | Self::ResNext101 => Family::ResNet,
            Self::Densenet121 | Self::Densenet169 => Family::DenseNet,
            Self::EfficientNetB0
            | Self::EfficientNetB1
            | Self::EfficientNetB2
            | Self::EfficientNetB3
            | Self::EfficientNetB4 => Family::EfficientNet,
        }
    }

    /// Whether its convolutions can be trained here; if not, it is a frozen feature extractor.
    #[must_use]
    pub const fn trains_convolutions(self) -> bool {
        matches!(self.family(), Family::ResNet)
    }

    /// The backbone of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name)
    }
}

/// The heads on offer. C is what the backbone gives (512 to 2048), K the number of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// C->K.
    #[default]
    Linear,
    /// C->1024->256->64->K, ReLU between, dropout 0.2 after the first.
    #[serde(rename = "mlp-3")]
    Mlp3,
    /// C->128->K, ReLU between.
    #[serde(rename = "mlp-1")]
    Mlp1,
    /// C->1024->512->256->128->64->K with ReLU, dropout 0.2 and batch norm (the course's ResNet-34 head).
    #[serde(rename = "mlp-bn")]
    MlpBn,
}

words!(HeadKind {
    Linear = "linear", "linear (one linear layer)";
    Mlp3 = "mlp-3", "mlp-3 (1024, 256, 64; dropout 0.2)";
    Mlp1 = "mlp-1", "mlp-1 (128)";
    MlpBn = "mlp-bn", "mlp-bn (1024, 512, 256, 128, 64; dropout 0.2, batch norm)";
});

//! The architectures: a file for each family, and one table with a row for each member.

pub mod alexnet;
pub mod densenet;
pub mod efficientnet;
pub mod efficientnet_lite;
pub mod googlenet;
pub mod inception;
pub mod inception_resnet;
pub mod inception_v4;
pub mod lenet;
pub mod mobilenet;
pub mod nasnet;
pub mod pnasnet;
pub mod resnet;
pub mod scaling;
pub mod senet;
pub mod vgg;
pub mod xception;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::alexnet::{AlexNet, ZfNet};
use self::densenet::DenseNet;
use self::efficientnet::EfficientNet;
use self::efficientnet_lite::EfficientNetLite;
use self::googlenet::GoogLeNet;
use self::inception::InceptionV3;
use self::inception_resnet::InceptionResNetV2;
use self::inception_v4::InceptionV4;
use self::lenet::LeNet5;
use self::mobilenet::MobileNetV2;
use self::nasnet::NasNet;
use self::pnasnet::PNasNet;
use self::resnet::ResNet;
use self::senet::SeNet;
use self::vgg::Vgg;
use self::xception::Xception;
use super::builder::Builder;
use super::graph::Graph;

/// Pretrained ImageNet weights on the Hugging Face hub.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Repository: timm's copy of torchvision's `IMAGENET1K_V1`, where there is one.
    pub repository: &'static str,
    /// Top-1 accuracy on ImageNet-1K's validation set in percent, as the publisher says.
    pub top1: f64,
    /// Licence of the project that published them.
    pub licence: &'static str,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Architecture {
    /// Whose row it is.
    pub arch: Arch,
    /// torchvision's or timm's name, which is also the one in files and on the command line.
    pub name: &'static str,
    /// What its construction is called: members of one family differ in numbers only.
    pub family: &'static str,
    /// Builds it.
    pub graph: fn() -> Graph,
    /// Builds it so many times as wide and as deep, where its family scales.
    pub scaled: Option<fn(f64, f64) -> Graph>,
    /// Edge of the images that its pretrained weights were measured on, in pixels.
    pub size: usize,
    /// Whether those images were brought to -1..1 (mean and deviation 0.5), and not by ImageNet's mean and deviation.
    pub half: bool,
    /// Pretrained weights, if any are known.
    pub weights: Option<Weights>,
}

/// How a member of a family that scales is built wider and deeper.
macro_rules! scaled {
    (scales $graph:expr) => {
        Some(|width, depth| $graph.scaled(width, depth).graph())
    };
    (fixed $graph:expr) => {
        None
    };
}

/// The enum of the members, and their table in the same order.
macro_rules! architectures {
    ($($family:literal $scales:ident { $($variant:ident $name:literal $size:literal $half:ident $weights:expr, $graph:expr;)* })*) => {
        /// A backbone by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        #[allow(missing_docs)]
        pub enum Arch {
            #[default]
            $($($variant,)*)*
            /// A network that a file brought, with its graph.
            Imported,
        }

        /// The members, family by family, small to large.
        static TABLE: &[Architecture] = &[
            $($(Architecture {
                arch: Arch::$variant,
                name: $name,
                family: $family,
                graph: || $graph.graph(),
                scaled: scaled!($scales $graph),
                size: $size,
                half: $half,
                weights: $weights,
            },)*)*
        ];

        impl Arch {
            /// All that are known by name, family by family, small to large.
            pub const ALL: &[Self] = &[$($(Self::$variant,)*)*];
        }
    };
}

const IMAGENET: bool = false;
const HALF: bool = true;

/// torchvision's, which top-1 accuracy is documented at <https://docs.pytorch.org/vision/stable/models.html>.
const fn torchvision(repository: &'static str, top1: f64) -> Option<Weights> {
    Some(Weights {
        repository,
        top1,
        licence: "BSD-3-Clause",
    })
}

/// timm's own.
const fn timm(repository: &'static str, top1: f64) -> Option<Weights> {
    Some(Weights {
        repository,
        top1,
        licence: "Apache-2.0",
    })
}

architectures! {
    "ResNet" scales {
        ResNet18 "resnet18" 224 IMAGENET torchvision("timm/resnet18.tv_in1k", 69.758), ResNet::basic([2, 2, 2, 2]);
        ResNet34 "resnet34" 224 IMAGENET torchvision("timm/resnet34.tv_in1k", 73.314), ResNet::basic([3, 4, 6, 3]);
        ResNet50 "resnet50" 224 IMAGENET torchvision("timm/resnet50.tv_in1k", 76.130),
            ResNet::bottleneck([3, 4, 6, 3], 1, 64);
        ResNet101 "resnet101" 224 IMAGENET torchvision("timm/resnet101.tv_in1k", 77.374),
            ResNet::bottleneck([3, 4, 23, 3], 1, 64);
        ResNet152 "resnet152" 224 IMAGENET torchvision("timm/resnet152.tv_in1k", 78.312),
            ResNet::bottleneck([3, 8, 36, 3], 1, 64);
        WideResNet50 "wide_resnet50_2" 224 IMAGENET torchvision("timm/wide_resnet50_2.tv_in1k", 78.468),
            ResNet::bottleneck([3, 4, 6, 3], 1, 128);
        WideResNet101 "wide_resnet101_2" 224 IMAGENET None,
            ResNet::bottleneck([3, 4, 23, 3], 1, 128);
        ResNext50 "resnext50_32x4d" 224 IMAGENET torchvision("timm/resnext50_32x4d.tv_in1k", 77.618),
            ResNet::bottleneck([3, 4, 6, 3], 32, 4);
        ResNext101 "resnext101_32x8d" 224 IMAGENET torchvision("timm/resnext101_32x8d.tv_in1k", 79.312),
            ResNet::bottleneck([3, 4, 23, 3], 32, 8);
        ResNext101x64 "resnext101_64x4d" 224 IMAGENET torchvision("timm/resnext101_64x4d.tv_in1k", 83.246),
            ResNet::bottleneck([3, 4, 23, 3], 64, 4);
        ResNet2223 "resnet_2223" 224 IMAGENET None, ResNet::basic([2, 2, 2, 3]);
        Plain18 "plain18" 224 IMAGENET None, ResNet::basic([2, 2, 2, 2]).plain();
        Plain34 "plain34" 224 IMAGENET None, ResNet::basic([3, 4, 6, 3]).plain();
    }
    "DenseNet" fixed {
        Densenet121 "densenet121" 224 IMAGENET torchvision("timm/densenet121.tv_in1k", 74.434),
            DenseNet::new([6, 12, 24, 16]);
        Densenet161 "densenet161" 224 IMAGENET torchvision("timm/densenet161.tv_in1k", 77.138),
            DenseNet::new([6, 12, 36, 24]).growth(48);
        Densenet169 "densenet169" 224 IMAGENET torchvision("timm/densenet169.tv_in1k", 75.600),
            DenseNet::new([6, 12, 32, 32]);
        Densenet201 "densenet201" 224 IMAGENET torchvision("timm/densenet201.tv_in1k", 76.896),
            DenseNet::new([6, 12, 48, 32]);
        Densenet264 "densenet264" 224 IMAGENET None, DenseNet::new([6, 12, 64, 48]);
    }
    "EfficientNet" scales {
        EfficientNetB0 "efficientnet_b0" 224 IMAGENET timm("timm/efficientnet_b0.ra_in1k", 77.692),
            EfficientNet::new(1.0, 1.0);
        EfficientNetB1 "efficientnet_b1" 240 IMAGENET timm("timm/efficientnet_b1.ft_in1k", 78.642),
            EfficientNet::new(1.0, 1.1);
        EfficientNetB2 "efficientnet_b2" 288 IMAGENET timm("timm/efficientnet_b2.ra_in1k", 80.608),
            EfficientNet::new(1.1, 1.2);
        EfficientNetB3 "efficientnet_b3" 300 IMAGENET timm("timm/efficientnet_b3.ra2_in1k", 82.008),
            EfficientNet::new(1.2, 1.4);
        EfficientNetB4 "efficientnet_b4" 380 IMAGENET timm("timm/efficientnet_b4.ra2_in1k", 83.384),
            EfficientNet::new(1.4, 1.8);
        EfficientNetB5 "efficientnet_b5" 456 IMAGENET None, EfficientNet::new(1.6, 2.2).tensorflow_norms();
        EfficientNetB6 "efficientnet_b6" 528 IMAGENET None, EfficientNet::new(1.8, 2.6).tensorflow_norms();
        EfficientNetB7 "efficientnet_b7" 600 IMAGENET None, EfficientNet::new(2.0, 3.1).tensorflow_norms();
    }
    "EfficientNet-Lite" scales {
        EfficientNetLite0 "efficientnet_lite0" 224 HALF timm("timm/tf_efficientnet_lite0.in1k", 74.830),
            EfficientNetLite::new(1.0, 1.0);
        EfficientNetLite1 "efficientnet_lite1" 240 HALF timm("timm/tf_efficientnet_lite1.in1k", 76.644),
            EfficientNetLite::new(1.0, 1.1);
        EfficientNetLite2 "efficientnet_lite2" 260 HALF timm("timm/tf_efficientnet_lite2.in1k", 77.464),
            EfficientNetLite::new(1.1, 1.2);
        EfficientNetLite3 "efficientnet_lite3" 300 HALF timm("timm/tf_efficientnet_lite3.in1k", 79.808),
            EfficientNetLite::new(1.2, 1.4);
        EfficientNetLite4 "efficientnet_lite4" 380 HALF timm("timm/tf_efficientnet_lite4.in1k", 81.532),
            EfficientNetLite::new(1.4, 1.8);
    }
    "MobileNet" scales {
        MobileNetV2 "mobilenet_v2" 224 IMAGENET None, MobileNetV2::new();
    }
    "Inception" fixed {
        GoogLeNet "googlenet" 224 HALF None, GoogLeNet;
        InceptionV3 "inception_v3" 299 HALF torchvision("timm/inception_v3.tv_in1k", 77.294), InceptionV3;
    }
    "VGG" fixed {
        Vgg16 "vgg16" 224 IMAGENET torchvision("timm/vgg16.tv_in1k", 71.592), Vgg::new([2, 2, 3, 3, 3]);
        Vgg19 "vgg19" 224 IMAGENET torchvision("timm/vgg19.tv_in1k", 72.376), Vgg::new([2, 2, 4, 4, 4]);
        Vgg16Bn "vgg16_bn" 224 IMAGENET torchvision("timm/vgg16_bn.tv_in1k", 73.360),
            Vgg::new([2, 2, 3, 3, 3]).norms();
        Vgg19Bn "vgg19_bn" 224 IMAGENET torchvision("timm/vgg19_bn.tv_in1k", 74.218),
            Vgg::new([2, 2, 4, 4, 4]).norms();
    }
    "LeNet" fixed {
        LeNet5 "lenet5" 32 IMAGENET None, LeNet5;
    }
    "AlexNet" fixed {
        AlexNet "alexnet" 224 IMAGENET None, AlexNet;
        ZfNet "zfnet" 224 IMAGENET None, ZfNet;
    }
    // The accuracies are those of timm's results/results-imagenet.csv of August 2026.
    "Inception-v4" fixed {
        InceptionV4 "inception_v4" 299 HALF timm("timm/inception_v4.tf_in1k", 80.144), InceptionV4;
    }
    "Inception-ResNet" fixed {
        InceptionResNetV2 "inception_resnet_v2" 299 HALF timm("timm/inception_resnet_v2.tf_in1k", 80.434),
            InceptionResNetV2;
    }
    "Xception" fixed {
        Xception "xception" 299 HALF None, Xception;
    }
    "SENet" fixed {
        SeNet154 "legacy_senet154" 224 IMAGENET None, SeNet::new([3, 8, 36, 3]);
    }
    "NASNet" fixed {
        NasNetALarge "nasnetalarge" 331 HALF timm("timm/nasnetalarge.tf_in1k", 82.638), NasNet::new(6, 4032);
    }
    "PNASNet" fixed {
        PNasNet5Large "pnasnet5large" 331 HALF timm("timm/pnasnet5large.tf_in1k", 82.814),
            PNasNet::new([4, 4, 4], 4320);
    }
}

/// In place of a row.
static IMPORTED: Architecture = Architecture {
    arch: Arch::Imported,
    name: "imported",
    family: "imported",
    graph: || Builder::new("fc").0.finish(),
    scaled: None,
    size: 224,
    half: IMAGENET,
    weights: None,
};

impl Arch {
    /// Its row.
    #[must_use]
    pub fn row(self) -> &'static Architecture {
        TABLE.get(self as usize).unwrap_or(&IMPORTED)
    }

    /// Its name, in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What its construction is called.
    #[must_use]
    pub fn family(self) -> &'static str {
        self.row().family
    }

    /// The network; of an imported one, whose graph is in its file, nothing.
    #[must_use]
    pub fn graph(self) -> Graph {
        (self.row().graph)()
    }

    /// The backbone of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let mut rows = TABLE.iter().chain([&IMPORTED]);
        let row = rows.find(|row| row.name == name)?;
        Some(row.arch)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Arch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Arch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("no architecture is called {name}")))
    }
}

//! Compound scaling: what a network becomes for phi (Tan and Le 2019, arXiv:1905.11946).

use crate::network::Graph;
use crate::network::families::efficientnet::EfficientNet;
use crate::network::families::mobilenet::MobileNetV2;
use crate::network::families::resnet::ResNet;
use crate::network::families::scaling::Compound;
use crate::network::inspect::multiply_adds;

/// What is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum Base {
    #[default]
    EfficientNetB0,
    ResNet50,
    MobileNetV2,
}

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Factor {
    Phi,
    Alpha,
    Beta,
    Gamma,
}

/// How much deeper, wider and finer a network is for one step of phi.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub struct Growth {
    pub alpha: f64,
    pub beta: f64,
    pub gamma: f64,
}

/// A network that was scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// By which phi.
    pub phi: f64,
    /// How much deeper, wider and finer it is.
    pub scale: Compound,
    /// Edge of the image in pixels.
    pub edge: usize,
    /// Trainable values, with a head for `ImageNet`'s classes, as papers count.
    pub parameters: u64,
    /// Multiply-adds for one image, with the head.
    pub multiply_adds: u64,
}

/// A published member of the family: its name, width, depth, edge of the image.
const PUBLISHED: [(&str, f64, f64, usize); 8] = [
    ("B0", 1.0, 1.0, 224),
    ("B1", 1.0, 1.1, 240),
    ("B2", 1.1, 1.2, 260),
    ("B3", 1.2, 1.4, 300),
    ("B4", 1.4, 1.8, 380),
    ("B5", 1.6, 2.2, 456),
    ("B6", 1.8, 2.6, 528),
    ("B7", 2.0, 3.1, 600),
];

/// Edge of the image of every base.
const EDGE: f64 = 224.0;
/// The largest phi.
pub const LAST: usize = 7;
/// Classes of `ImageNet`.
const CLASSES: u64 = 1000;
/// Beyond so many times the base nothing is counted: the numbers would leave what a processor counts in.
const LARGEST: f64 = 16.0;

/// Parameters and multiply-adds of a linear head for `ImageNet`'s classes.
#[must_use]
pub const fn head(features: usize) -> [u64; 2] {
    let features = features as u64;
    [(features + 1) * CLASSES, features * CLASSES]
}

impl Base {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EfficientNetB0, Self::ResNet50, Self::MobileNetV2];

    /// As in the paper.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EfficientNetB0 => "EfficientNet-B0",
            Self::ResNet50 => "ResNet-50",
            Self::MobileNetV2 => "MobileNetV2",
        }
    }

    fn graph(self, width: f64, depth: f64) -> Graph {
        match self {
            Self::EfficientNetB0 => EfficientNet::new(width, depth).graph(),
            Self::ResNet50 => ResNet::bottleneck([3, 4, 6, 3], 1, 64)
                .scaled(width, depth)
                .graph(),
            Self::MobileNetV2 => MobileNetV2::new().scaled(width, depth).graph(),
        }
    }

    /// What it becomes for phi; nothing where that would be too large to count.
    #[must_use]
    pub fn at(self, growth: Growth, phi: f64) -> Option<Point> {
        let scale = Compound {
            depth: growth.alpha.powf(phi),
            width: growth.beta.powf(phi),
            resolution: growth.gamma.powf(phi),
        };
        let edge = (EDGE * scale.resolution).round() as usize;
        self.scaled(scale, edge, phi)
    }

    /// What it becomes for phi from 0 on, two points a step.
    #[must_use]
    pub fn curve(self, growth: Growth) -> Vec<Point> {
        let steps = (0..=2 * LAST).map(|half| half as f64 / 2.0);
        steps.map_while(|phi| self.at(growth, phi)).collect()
    }

    /// The published members of its family, B0 to B7, each at the phi that gives its depth by the paper's alpha.
    #[must_use]
    pub fn published(self) -> Vec<(&'static str, Point)> {
        if self != Self::EfficientNetB0 {
            return Vec::new();
        }
        let member = |(name, width, depth, edge): (&'static str, f64, f64, usize)| {
            let scale = Compound {
                depth,
                width,
                resolution: edge as f64 / EDGE,
            };
            let phi = depth.ln() / crate::network::families::scaling::Growth::PAPER.alpha.ln();
            Some((name, self.scaled(scale, edge, phi)?))
        };
        PUBLISHED.into_iter().filter_map(member).collect()
    }

    fn scaled(self, scale: Compound, edge: usize, phi: f64) -> Option<Point> {
        let largest = scale.depth.max(scale.width).max(scale.resolution);
        if largest > LARGEST {
            return None;
        }
        let graph = self.graph(scale.width, scale.depth);
        let shapes = graph.shapes([edge; 2]).ok()?;
        let [mut parameters, mut products] = head(graph.features());
        for (node, shape) in graph.nodes.iter().zip(shapes) {
            parameters += node.parameters();
            products += multiply_adds(&node.op, shape);
        }
        Some(Point {
            phi,
            scale,
            edge,
            parameters,
            multiply_adds: products,
        })
    }
}

impl Factor {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Phi, Self::Alpha, Self::Beta, Self::Gamma];

    /// What it does.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Phi => "phi: steps",
            Self::Alpha => "alpha: depth",
            Self::Beta => "beta: width",
            Self::Gamma => "gamma: edge",
        }
    }

    /// Its letter in the paper, written out.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phi => "phi",
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Gamma => "gamma",
        }
    }

    /// The paper's, and phi 1.
    #[must_use]
    pub const fn usual(self) -> f64 {
        match self {
            Self::Phi => 1.0,
            Self::Alpha => crate::network::families::scaling::Growth::PAPER.alpha,
            Self::Beta => crate::network::families::scaling::Growth::PAPER.beta,
            Self::Gamma => crate::network::families::scaling::Growth::PAPER.gamma,
        }
    }

    /// Smallest and largest.
    #[must_use]
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::Phi => (0.0, LAST as f64),
            _ => (1.0, 2.0),
        }
    }
}

impl Growth {
    /// How much one step multiplies the multiply-adds by, about: `alpha * beta^2 * gamma^2`.
    #[must_use]
    pub fn product(self) -> f64 {
        self.alpha * self.beta.powi(2) * self.gamma.powi(2)
    }

    /// Whether that is near the paper's 2; its own factors give 1.92.
    #[must_use]
    pub fn doubles(self) -> bool {
        (self.product() - 2.0).abs() <= 0.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Arch;

    const PAPER: Growth = Growth {
        alpha: crate::network::families::scaling::Growth::PAPER.alpha,
        beta: crate::network::families::scaling::Growth::PAPER.beta,
        gamma: crate::network::families::scaling::Growth::PAPER.gamma,
    };

    #[test]
    fn phi_0_is_the_base() {
        let bases = [Arch::EfficientNetB0, Arch::ResNet50, Arch::MobileNetV2];
        for (base, arch) in Base::ALL.into_iter().zip(bases) {
            let point = base.at(PAPER, 0.0).unwrap();
            let graph = arch.graph();
            let parameters: u64 = graph.nodes.iter().map(|n| n.parameters()).sum();
            let [head, _] = head(graph.features());
            assert_eq!(point.parameters, parameters + head, "{arch}");
            assert_eq!(point.edge, 224, "{arch}");
        }
        // torchvision's efficientnet_b0.
        let b0 = Base::EfficientNetB0.at(PAPER, 0.0).unwrap();
        assert_eq!(b0.parameters, 5_288_548);
    }

    #[test]
    fn cost_grows_as_the_paper_says() {
        assert!(PAPER.doubles());
        assert!((PAPER.product() - 1.92).abs() < 0.01);
        for base in Base::ALL {
            let curve = base.curve(PAPER);
            assert_eq!(curve.len(), 2 * LAST + 1);
            assert!(
                curve
                    .windows(2)
                    .all(|w| w[0].multiply_adds <= w[1].multiply_adds)
            );
        }
    }

    #[test]
    fn published_members_are_those_of_the_table() {
        let members = Base::EfficientNetB0.published();
        let names: Vec<_> = members.iter().map(|m| m.0).collect();
        assert_eq!(names, ["B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7"]);
        // torchvision's efficientnet_b7.
        assert_eq!(members[7].1.parameters, 66_347_960);
        // The paper's table 2: 0.39 and 37 billion FLOPs, by which it means multiply-adds.
        assert!((members[0].1.multiply_adds as f64 / 0.39e9 - 1.0).abs() < 0.05);
        assert!((members[7].1.multiply_adds as f64 / 37e9 - 1.0).abs() < 0.05);
        assert!(Base::ResNet50.published().is_empty());
    }

    #[test]
    fn what_is_too_large_is_not_counted() {
        let steep = Growth { beta: 2.0, ..PAPER };
        assert!(!steep.doubles());
        assert!(Base::ResNet50.at(steep, 5.0).is_none());
        assert_eq!(Base::EfficientNetB0.curve(steep).len(), 9);
    }
}

//! Networks that were scaled in depth, width and resolution (Tan and Le 2019, arXiv:1905.11946): any member of a family
//! that scales, by given factors or by those of a phi.

use serde::Serialize;

use super::families::scaling::{Compound, Growth};
use super::inspect::Cost;
use super::{Arch, Graph};
use crate::error::{Error, Result};

// Within these ranges nothing that is counted of a tensor or an image leaves the 32 bits that a size has in a browser.

/// Range of phi.
pub const PHI: (f64, f64) = (-2.0, 10.0);
/// Range of the factors of depth and width.
pub const FACTOR: (f64, f64) = (0.1, 10.0);
/// Range of the image's edge, in pixels.
pub const EDGE: (usize, usize) = (32, 1024);
/// Range of alpha, beta and gamma.
pub const GROWTH: (f64, f64) = (1.0, 2.0);

/// A published member of the `EfficientNet`s: its factors, which are not the formula's to the digit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Member {
    /// Its network.
    pub arch: Arch,
    /// Channels over those of b0.
    pub width: f64,
    /// Blocks over those of b0.
    pub depth: f64,
    /// Edge of its images, in pixels.
    pub edge: usize,
}

/// The published members, with the factors of the authors' code (`efficientnet_builder.py` of
/// <https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet>).
pub const PUBLISHED: [Member; 8] = [
    member(Arch::EfficientNetB0, 1.0, 1.0, 224),
    member(Arch::EfficientNetB1, 1.0, 1.1, 240),
    member(Arch::EfficientNetB2, 1.1, 1.2, 260),
    member(Arch::EfficientNetB3, 1.2, 1.4, 300),
    member(Arch::EfficientNetB4, 1.4, 1.8, 380),
    member(Arch::EfficientNetB5, 1.6, 2.2, 456),
    member(Arch::EfficientNetB6, 1.8, 2.6, 528),
    member(Arch::EfficientNetB7, 2.0, 3.1, 600),
];

const fn member(arch: Arch, width: f64, depth: f64, edge: usize) -> Member {
    Member {
        arch,
        width,
        depth,
        edge,
    }
}

/// How far off a factor of the nearest published member may be: a fifth.
const NEAR: f64 = 1.2;

impl Member {
    /// The member nearest to b0 scaled so, of those of which no factor is off by more than a fifth.
    #[must_use]
    pub fn nearest(scale: Compound, edge: usize) -> Option<&'static Self> {
        let off = |member: &Self| {
            [
                scale.width / member.width,
                scale.depth / member.depth,
                edge as f64 / member.edge as f64,
            ]
            .map(|ratio| ratio.ln().abs())
        };
        let near = PUBLISHED
            .iter()
            .filter(|member| off(member).iter().all(|off| *off <= NEAR.ln()));
        let distance = |member: &Self| off(member).iter().map(|off| off * off).sum::<f64>();
        near.min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }
}

/// The families that scale, by a name of their own, and their base.
pub const FAMILIES: [(&str, Arch); 4] = [
    ("resnet", Arch::ResNet50),
    ("efficientnet", Arch::EfficientNetB0),
    ("efficientnet_lite", Arch::EfficientNetLite0),
    ("mobilenet", Arch::MobileNetV2),
];

/// The network of that name, or the base of the family of that name.
#[must_use]
pub fn named(name: &str) -> Option<Arch> {
    let family = FAMILIES.iter().find(|(family, _)| *family == name);
    Arch::from_name(name).or_else(|| family.map(|(_, base)| *base))
}

/// A scaled network.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled {
    /// What it was scaled from.
    pub base: Arch,
    /// By how much; the resolution is that of the edge.
    pub scale: Compound,
    /// Edge of its images, in pixels.
    pub edge: usize,
    /// The network.
    pub graph: Graph,
}

impl Scaled {
    /// A name that tells what was done: `resnet50 x 1.2 wide x 1.4 deep`.
    #[must_use]
    pub fn name(&self) -> String {
        let Compound { width, depth, .. } = self.scale;
        format!(
            "{} x {} wide x {} deep",
            self.base,
            short(width),
            short(depth)
        )
    }

    /// What it costs with a head for ImageNet's classes.
    ///
    /// # Errors
    /// [`Error::Setting`] for images too small for it.
    pub fn cost(&self) -> Result<Cost> {
        Cost::of(&self.graph, self.base.name(), self.edge)
    }

    /// The published `EfficientNet` nearest to it, if it was scaled from b0 and one is near.
    #[must_use]
    pub fn nearest(&self) -> Option<&'static Member> {
        let published = self.base == Arch::EfficientNetB0;
        Member::nearest(self.scale, self.edge).filter(|_| published)
    }

    /// The nearest published member in words, or why there is none; nothing for a base of which none are published.
    #[must_use]
    pub fn published(&self) -> Option<String> {
        if self.base != Arch::EfficientNetB0 {
            return None;
        }
        if let Some(member) = self.nearest() {
            return Some(format!(
                "{} (d = {}, w = {}, images of {} x {3} pixels)",
                member.arch,
                short(member.depth),
                short(member.width),
                member.edge
            ));
        }
        let [first, .., last] = &PUBLISHED;
        let Compound { depth, width, .. } = self.scale;
        let beyond = |a: &Member| depth >= a.depth && width >= a.width && self.edge >= a.edge;
        let below = |a: &Member| depth <= a.depth && width <= a.width && self.edge <= a.edge;
        Some(if beyond(last) {
            format!("none, {} is the largest", last.arch)
        } else if below(first) {
            format!("none, {} is the smallest", first.arch)
        } else {
            "none within a fifth of depth, width and edge".to_owned()
        })
    }
}

/// A factor in at most three digits behind the point.
#[must_use]
pub fn short(factor: f64) -> String {
    let text = format!("{factor:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A network scaled by these factors. Its images are `edge` pixels high and wide, or so many times the base's as
/// `scale.resolution` says, to the nearest pixel.
///
/// # Errors
/// [`Error::Setting`] for a factor or an edge out of range, and for a base whose family does not scale.
pub fn scaled(base: Arch, scale: Compound, edge: Option<usize>) -> Result<Scaled> {
    let Some(graph) = base.row().scaled else {
        let families = FAMILIES.map(|(family, _)| family).join(", ");
        let reason = format!("{base} does not scale; members of these families do: {families}");
        return Err(Error::setting("architecture", reason));
    };
    check("depth", scale.depth, FACTOR)?;
    check("width", scale.width, FACTOR)?;
    check("resolution", scale.resolution, FACTOR)?;
    let usual = base.row().size as f64;
    let pixels = edge.unwrap_or((usual * scale.resolution).round() as usize);
    if !(EDGE.0..=EDGE.1).contains(&pixels) {
        let reason = format!("{pixels} pixels are outside {} to {}", EDGE.0, EDGE.1);
        let which = edge.map_or("resolution", |_| "input size");
        return Err(Error::setting(which, reason));
    }
    let resolution = edge.map_or(scale.resolution, |edge| edge as f64 / usual);
    Ok(Scaled {
        base,
        scale: Compound {
            resolution,
            ..scale
        },
        edge: pixels,
        graph: graph(scale.width, scale.depth),
    })
}

/// The factors of a phi, by the paper's growth.
///
/// # Errors
/// [`Error::Setting`] for a phi out of range.
pub fn of_phi(phi: f64) -> Result<Compound> {
    check("phi", phi, PHI)?;
    Ok(Compound::of(phi))
}

fn check(name: &str, value: f64, (low, high): (f64, f64)) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let reason = format!("{} is outside {low} to {high}", short(value));
    Err(Error::setting(name, reason))
}

/// What phi does to a base.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// What is scaled.
    pub base: Arch,
    /// By how much for one step of phi.
    pub growth: Growth,
    /// `alpha * beta^2 * gamma^2`.
    pub step: f64,
    /// The networks.
    pub points: Vec<Point>,
}

/// The network of a phi.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Which phi.
    pub phi: f64,
    /// By how much the base was scaled.
    #[serde(flatten)]
    pub scale: Compound,
    /// Edge of the images, in pixels.
    pub edge: usize,
    /// What it costs.
    #[serde(flatten)]
    pub cost: Cost,
}

impl Point {
    /// A network that stands at this phi.
    ///
    /// # Errors
    /// As [`Scaled::cost`].
    pub fn new(phi: f64, network: &Scaled) -> Result<Self> {
        Ok(Self {
            phi,
            scale: network.scale,
            edge: network.edge,
            cost: network.cost()?,
        })
    }
}

/// The networks of these phis. Those that would be too large or too small are left out.
///
/// # Errors
/// [`Error::Setting`] for an alpha, beta, gamma or phi out of range, and for a base whose family does not scale.
pub fn curve(base: Arch, growth: Growth, phis: &[f64]) -> Result<Curve> {
    check_growth(growth)?;
    scaled(base, Compound::ONE, None)?;
    let mut points = Vec::with_capacity(phis.len());
    for &phi in phis {
        check("phi", phi, PHI)?;
        points.extend(at(base, growth, phi));
    }
    Ok(Curve {
        base,
        growth,
        step: growth.step(),
        points,
    })
}

/// The network of a phi.
///
/// # Errors
/// As [`curve`], and for one that would be too large or too small.
pub fn at(base: Arch, growth: Growth, phi: f64) -> Result<Point> {
    check_growth(growth)?;
    check("phi", phi, PHI)?;
    Point::new(phi, &scaled(base, growth.of(phi), None)?)
}

fn check_growth(growth: Growth) -> Result<()> {
    check("alpha", growth.alpha, GROWTH)?;
    check("beta", growth.beta, GROWTH)?;
    check("gamma", growth.gamma, GROWTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(width: f64, depth: f64, resolution: f64) -> Compound {
        Compound {
            depth,
            width,
            resolution,
        }
    }

    #[test]
    fn the_published_members_are_b0_scaled() {
        for member in &PUBLISHED {
            let scale = by(member.width, member.depth, 1.0);
            let ours = scaled(Arch::EfficientNetB0, scale, Some(member.edge)).unwrap();
            let theirs = Cost::of(&member.arch.graph(), "", member.edge);
            assert_eq!(ours.cost(), theirs, "{}", member.arch);
            assert_eq!(ours.nearest(), Some(member));
        }
    }

    #[test]
    fn a_phi_is_near_the_member_that_it_was_rounded_to() {
        let nearest = |phi: f64| {
            let network = scaled(Arch::EfficientNetB0, of_phi(phi).unwrap(), None).unwrap();
            network.nearest().map(|member| member.arch.name())
        };
        assert_eq!(nearest(0.0), Some("efficientnet_b0"));
        assert_eq!(nearest(0.5), Some("efficientnet_b1"));
        assert_eq!(nearest(1.0), Some("efficientnet_b2"));
        assert_eq!(nearest(2.0), Some("efficientnet_b3"));
        assert_eq!(nearest(4.0), Some("efficientnet_b4"));
        assert_eq!(nearest(7.0), Some("efficientnet_b7"));
        assert_eq!(nearest(10.0), None);
        let resnet = scaled(Arch::ResNet50, Compound::ONE, None).unwrap();
        assert_eq!(resnet.nearest(), None);
    }

    #[test]
    fn where_no_member_is_near_it_is_said() {
        let said = |base, scale| scaled(base, scale, None).unwrap().published();
        let of = |phi| said(Arch::EfficientNetB0, of_phi(phi).unwrap()).unwrap();
        assert_eq!(
            of(0.0),
            "efficientnet_b0 (d = 1, w = 1, images of 224 x 224 pixels)"
        );
        assert_eq!(of(8.0), "none, efficientnet_b7 is the largest");
        assert_eq!(of(-2.0), "none, efficientnet_b0 is the smallest");
        let wide = by(2.0, 1.0, 1.0);
        assert!(
            said(Arch::EfficientNetB0, wide)
                .unwrap()
                .starts_with("none within")
        );
        assert_eq!(said(Arch::ResNet50, Compound::ONE), None);
    }

    #[test]
    fn scaled_networks_cost_what_the_paper_prints() {
        // Table 3, in billions. It prints 16.2 for ResNet-50 four times as deep and 14.7 for twice as wide, which
        // seem exchanged: the first block of a stage costs more and is not repeated, so depth costs less than width.
        let rows = [
            (Arch::ResNet50, by(2.0, 1.0, 1.0), 16.2),
            (Arch::ResNet50, by(1.0, 4.0, 1.0), 14.7),
            (Arch::ResNet50, by(1.0, 1.0, 2.0), 16.4),
            (Arch::MobileNetV2, by(1.0, 4.0, 1.0), 1.2),
            (Arch::MobileNetV2, by(2.0, 1.0, 1.0), 1.1),
            (Arch::MobileNetV2, by(1.0, 1.0, 2.0), 1.2),
        ];
        for (base, scale, printed) in rows {
            let cost = scaled(base, scale, None).unwrap().cost().unwrap();
            let computed = cost.multiply_adds as f64 / 1e9;
            assert!(
                (computed / printed - 1.0).abs() < 0.035,
                "{base} {scale:?}: {computed}"
            );
        }
    }

    #[test]
    fn every_member_of_a_family_that_scales_does() {
        for &arch in Arch::ALL {
            let same = scaled(arch, Compound::ONE, None);
            if arch.row().scaled.is_none() {
                assert!(same.unwrap_err().to_string().contains("does not scale"));
                continue;
            }
            assert_eq!(same.unwrap().graph, arch.graph(), "{arch}");
            for scale in [by(0.1, 0.1, 0.2), by(1.37, 1.9, 1.1), by(3.0, 2.0, 1.7)] {
                let network = scaled(arch, scale, None).unwrap();
                assert!(network.cost().is_ok(), "{arch} {scale:?}");
            }
        }
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let error = |scale, edge| {
            let network = scaled(Arch::ResNet18, scale, edge);
            network.unwrap_err().to_string()
        };
        assert_eq!(
            error(by(11.0, 1.0, 1.0), None),
            "width: 11 is outside 0.1 to 10"
        );
        assert_eq!(
            error(by(1.0, 0.05, 1.0), None),
            "depth: 0.05 is outside 0.1 to 10"
        );
        assert!(error(by(1.0, f64::NAN, 1.0), None).starts_with("depth: NaN"));
        assert!(error(by(1.0, 1.0, 6.0), None).starts_with("resolution: 1344 pixels"));
        assert!(error(by(1.0, 1.0, 1.0), Some(31)).starts_with("input size: 31 pixels"));
        assert!(
            of_phi(10.5)
                .unwrap_err()
                .to_string()
                .starts_with("phi: 10.5")
        );
    }

    #[test]
    fn what_is_in_range_is_counted_in_32_bits() {
        let fits = |sizes: &[usize]| {
            let product: u128 = sizes.iter().map(|size| *size as u128).product();
            product <= u128::from(u32::MAX)
        };
        let widest = by(FACTOR.1, 1.0, 1.0);
        for &arch in Arch::ALL.iter().filter(|arch| arch.row().scaled.is_some()) {
            let network = scaled(arch, widest, Some(EDGE.1)).unwrap();
            for (name, shape) in network.graph.tensors() {
                assert!(fits(&shape), "{arch} {name}: {shape:?}");
            }
            for shape in network.graph.shapes([EDGE.1; 2]).unwrap() {
                assert!(fits(&shape), "{arch}: {shape:?}");
            }
        }
    }

    #[test]
    fn what_is_huge_is_refused_before_it_is_built() {
        for huge in [16.0, 1e6, 1e300, f64::INFINITY] {
            for scale in [by(huge, 1.0, 1.0), by(1.0, huge, 1.0), by(1.0, 1.0, huge)] {
                assert!(scaled(Arch::ResNet50, scale, None).is_err(), "{scale:?}");
            }
        }
        let steep = Growth {
            alpha: 2.0,
            beta: 2.0,
            gamma: 2.0,
        };
        for phi in [3.0, 7.0, 10.0] {
            assert!(at(Arch::ResNet50, steep, phi).is_err(), "{phi}");
        }
        assert!(at(Arch::ResNet50, steep, 1e9).is_err());
    }

    #[test]
    fn a_curve_has_a_point_for_each_phi_that_fits() {
        let curve = |growth| super::curve(Arch::EfficientNetB0, growth, &[0.0, 1.0, 2.0, 10.0]);
        let paper = curve(Growth::PAPER).unwrap();
        assert!((paper.step - 1.92).abs() < 1e-3, "{}", paper.step);
        assert_eq!(paper.points.len(), 4);
        assert_eq!(paper.points[0].cost.parameters, 5_288_548);
        assert_eq!(paper.points[1].edge, 258);
        let steep = Growth {
            gamma: 2.0,
            ..Growth::PAPER
        };
        assert_eq!(curve(steep).unwrap().points.len(), 3);
        let wrong = Growth {
            beta: 0.9,
            ..Growth::PAPER
        };
        assert!(
            curve(wrong)
                .unwrap_err()
                .to_string()
                .starts_with("beta: 0.9")
        );
    }
}

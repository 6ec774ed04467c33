//! Compound scaling as the page shows it: what can be scaled and set, and the points of the charts.

use crate::network::Arch;
use crate::network::families::scaling::{Compound, Growth};
use crate::network::scaled::{self, GROWTH, PUBLISHED, Point};

/// What is scaled, as the paper calls it.
pub const BASES: [(&str, Arch); 3] = [
    ("EfficientNet-B0", Arch::EfficientNetB0),
    ("ResNet-50", Arch::ResNet50),
    ("MobileNetV2", Arch::MobileNetV2),
];

/// What the published members are called in a chart.
const NAMES: [&str; PUBLISHED.len()] = ["B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7"];

/// The largest phi.
pub const LAST: usize = 7;

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Factor {
    Phi,
    Alpha,
    Beta,
    Gamma,
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
            Self::Alpha => Growth::PAPER.alpha,
            Self::Beta => Growth::PAPER.beta,
            Self::Gamma => Growth::PAPER.gamma,
        }
    }

    /// Smallest and largest.
    #[must_use]
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::Phi => (0.0, LAST as f64),
            _ => GROWTH,
        }
    }
}

/// What a base becomes for phi from 0 on, two points a step; what would be too large is left out.
#[must_use]
pub fn curve(base: Arch, growth: Growth) -> Vec<Point> {
    let phis: Vec<f64> = (0..=2 * LAST).map(|half| half as f64 / 2.0).collect();
    scaled::curve(base, growth, &phis).map_or_else(|_| Vec::new(), |curve| curve.points)
}

/// So many times as many multiply-adds as the base has the network of phi 1.
#[must_use]
pub fn first_step(curve: &[Point]) -> Option<f64> {
    let of = |phi| curve.iter().find(|point| point.phi == phi);
    let [base, one] = [of(0.0)?, of(1.0)?].map(|point| point.cost.multiply_adds as f64);
    Some(one / base)
}

/// The published members of its family, B0 to B7, each at the phi that gives the edge of its images by the paper's gamma:
/// of the three factors the edge is rounded least.
#[must_use]
pub fn published(base: Arch) -> Vec<(&'static str, Point)> {
    let members = NAMES.into_iter().zip(&PUBLISHED);
    let members = members.filter(|_| base == Arch::EfficientNetB0);
    let member = |(name, member): (&'static str, &scaled::Member)| {
        let scale = Compound {
            depth: member.depth,
            width: member.width,
            resolution: 1.0,
        };
        let edge = member.edge as f64 / base.row().size as f64;
        let phi = edge.ln() / Growth::PAPER.gamma.ln();
        let network = scaled::scaled(base, scale, Some(member.edge)).ok()?;
        Some((name, Point::new(phi, &network).ok()?))
    };
    members.filter_map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_begins_with_the_base() {
        for (_, base) in BASES {
            let curve = curve(base, Growth::PAPER);
            assert_eq!(curve.len(), 2 * LAST + 1, "{base}");
            assert_eq!((curve[0].phi, curve[0].edge), (0.0, 224), "{base}");
            let mut pairs = curve.windows(2);
            assert!(pairs.all(|w| w[0].cost.multiply_adds <= w[1].cost.multiply_adds));
        }
        // torchvision's efficientnet_b0.
        let b0 = curve(BASES[0].1, Growth::PAPER)[0];
        assert_eq!(b0.cost.parameters, 5_288_548);
    }

    #[test]
    fn published_members_are_those_of_the_table() {
        let members = published(Arch::EfficientNetB0);
        let names: Vec<_> = members.iter().map(|m| m.0).collect();
        assert_eq!(names, NAMES);
        assert_eq!(members[0].1.phi, 0.0);
        assert_eq!(members[7].1.edge, 600);
        // torchvision's efficientnet_b7.
        assert_eq!(members[7].1.cost.parameters, 66_347_960);
        // The paper's table 2: 0.39 and 37 billion FLOPs, by which it means multiply-adds.
        assert!((members[0].1.cost.multiply_adds as f64 / 0.39e9 - 1.0).abs() < 0.05);
        assert!((members[7].1.cost.multiply_adds as f64 / 37e9 - 1.0).abs() < 0.05);
        assert!(published(Arch::ResNet50).is_empty());
    }

    #[test]
    fn published_members_lie_near_the_line() {
        let line = |phi| scaled::at(Arch::EfficientNetB0, Growth::PAPER, phi).unwrap();
        for (name, member) in published(Arch::EfficientNetB0) {
            // ln(600 / 224) / ln(1.15) = 7.05
            assert!(member.phi < LAST as f64 + 0.1, "{name} {}", member.phi);
            let [theirs, ours] = [member, line(member.phi)].map(|p| p.cost.multiply_adds as f64);
            assert!(
                (0.5..1.1).contains(&(theirs / ours)),
                "{name} {}",
                theirs / ours
            );
        }
    }

    /// As a newcomer read them off the page's counts; the formula gives 1.92.
    #[test]
    fn what_is_computed_grows_faster_than_the_formula() {
        let step = |base| first_step(&curve(base, Growth::PAPER)).unwrap();
        let steps = BASES.map(|(_, base)| (step(base) * 100.0).round() / 100.0);
        assert_eq!(steps, [2.57, 2.26, 2.55]);
        assert_eq!(first_step(&[]), None);
    }

    #[test]
    fn what_is_too_large_is_left_out() {
        let steep = Growth {
            beta: 2.0,
            ..Growth::PAPER
        };
        assert!(!steep.doubles());
        // Ten times as wide is the most: 2^3 is, 2^3.5 is not.
        assert_eq!(curve(Arch::EfficientNetB0, steep).len(), 7);
    }
}

//! Compound scaling: how many channels and blocks a wider and deeper network has (Tan and Le 2019, arXiv:1905.11946).

use serde::{Deserialize, Serialize};

/// How much deeper, wider and finer a network is than its base.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Compound {
    /// Blocks, over those of the base.
    pub depth: f64,
    /// Channels, over those of the base.
    pub width: f64,
    /// Edge of the image, over that of the base.
    pub resolution: f64,
}

impl Compound {
    /// The base itself.
    pub const ONE: Self = Self {
        depth: 1.0,
        width: 1.0,
        resolution: 1.0,
    };

    /// The scales for `phi`, which need not be whole, by the paper's growth.
    #[must_use]
    pub fn of(phi: f64) -> Self {
        Growth::PAPER.of(phi)
    }
}

/// How depth, width and resolution grow for one step of phi.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Growth of the depth.
    pub alpha: f64,
    /// Growth of the width.
    pub beta: f64,
    /// Growth of the image's edge.
    pub gamma: f64,
}

impl Growth {
    /// What the paper found for b0 by searching a grid.
    pub const PAPER: Self = Self {
        alpha: 1.2,
        beta: 1.1,
        gamma: 1.15,
    };

    /// `alpha^phi`, `beta^phi`, `gamma^phi`.
    #[must_use]
    pub fn of(self, phi: f64) -> Compound {
        Compound {
            depth: self.alpha.powf(phi),
            width: self.beta.powf(phi),
            resolution: self.gamma.powf(phi),
        }
    }

    /// `alpha * beta^2 * gamma^2`: by how much one step of phi multiplies the multiply-adds, about. The paper's is
    /// about 2 (equation 3).
    #[must_use]
    pub fn step(self) -> f64 {
        self.alpha * self.beta.powi(2) * self.gamma.powi(2)
    }

    /// Whether that is near 2; the paper's own factors give 1.92.
    #[must_use]
    pub fn doubles(self) -> bool {
        (self.step() - 2.0).abs() <= 0.1
    }
}

impl Default for Growth {
    fn default() -> Self {
        Self::PAPER
    }
}

/// `channels * width` to the nearest multiple of 8, but never less than nine tenths of it.
#[must_use]
pub fn widened(channels: usize, width: f64) -> usize {
    let exact = channels as f64 * width;
    let near = ((exact + 4.0) as usize / 8 * 8).max(8);
    if (near as f64) < 0.9 * exact {
        near + 8
    } else {
        near
    }
}

/// `blocks * depth`, rounded up.
#[must_use]
pub fn deepened(blocks: usize, depth: f64) -> usize {
    (blocks as f64 * depth).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_phi_doubles_the_cost() {
        let cost = |c: Compound| c.depth * c.width.powi(2) * c.resolution.powi(2);
        let step = Growth::PAPER.step();
        assert!(Growth::PAPER.doubles());
        assert!((cost(Compound::of(3.0)) - step.powi(3)).abs() < 1e-9);
    }

    #[test]
    fn channels_are_torchvisions() {
        // _make_divisible of torchvision/models/_utils.py.
        let of = |width| [32, 16, 24, 40, 80, 112, 192, 320].map(|c| widened(c, width));
        assert_eq!(of(1.0), [32, 16, 24, 40, 80, 112, 192, 320]);
        assert_eq!(of(1.4), [48, 24, 32, 56, 112, 160, 272, 448]);
        assert_eq!(of(2.0), [64, 32, 48, 80, 160, 224, 384, 640]);
    }
}

//! Compound scaling: how many channels and blocks a wider and deeper network has (Tan and Le 2019, arXiv:1905.11946).

/// How much deeper, wider and finer a network is for `phi`: `alpha^phi`, `beta^phi`, `gamma^phi`, by the paper's
/// `alpha = 1.2`, `beta = 1.1`, `gamma = 1.15`, for which `alpha * beta^2 * gamma^2` is about 2: each step of phi
/// doubles the multiply-adds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compound {
    /// Blocks, over those of the base.
    pub depth: f64,
    /// Channels, over those of the base.
    pub width: f64,
    /// Edge of the image, over that of the base.
    pub resolution: f64,
}

impl Compound {
    /// Growth of the depth for one step.
    pub const ALPHA: f64 = 1.2;
    /// Growth of the width for one step.
    pub const BETA: f64 = 1.1;
    /// Growth of the image's edge for one step.
    pub const GAMMA: f64 = 1.15;

    /// The scales for `phi`, which need not be whole.
    #[must_use]
    pub fn of(phi: f64) -> Self {
        Self {
            depth: Self::ALPHA.powf(phi),
            width: Self::BETA.powf(phi),
            resolution: Self::GAMMA.powf(phi),
        }
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
        assert!((cost(Compound::of(1.0)) - 2.0).abs() < 0.1);
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

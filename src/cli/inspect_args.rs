//! The flags of `retune inspect`.

use clap::Args;

use super::args::{head, no_such_arch};
use crate::config::HeadKind;
use crate::error::{Error, Result};
use crate::network::Arch;
use crate::network::families::scaling::Compound;
use crate::network::scaled::{self, FAMILIES, Scaled, scaled};

/// A layer table, or what is known of several networks.
#[derive(Args)]
pub struct InspectArgs {
    /// Network, by torchvision's or timm's name, or a family that scales: resnet, efficientnet, efficientnet_lite,
    /// mobilenet; without one all networks are listed.
    #[arg(value_name = "NAME")]
    pub arch: Option<String>,
    /// Show what He et al. 2015 (ResNet) and Tan and Le 2019 (EfficientNet) print beside what is computed.
    #[arg(long, conflicts_with_all = ["arch", "phi", "width", "depth", "resolution", "input"])]
    pub table: bool,
    /// Scale depth, width and resolution together: 1.2, 1.1 and 1.15 to the power of this.
    #[arg(
        long,
        requires = "arch",
        allow_negative_numbers = true,
        conflicts_with_all = ["width", "depth", "resolution"]
    )]
    pub phi: Option<f64>,
    /// So many times as many channels.
    #[arg(long, requires = "arch", allow_negative_numbers = true)]
    pub width: Option<f64>,
    /// So many times as many blocks, rounded up.
    #[arg(long, requires = "arch", allow_negative_numbers = true)]
    pub depth: Option<f64>,
    /// Images so many times as high and wide.
    #[arg(
        long,
        requires = "arch",
        allow_negative_numbers = true,
        conflicts_with = "input"
    )]
    pub resolution: Option<f64>,
    /// Edge of the input, in pixels; else that of the images that the network is usually measured on.
    #[arg(long, requires = "arch", value_name = "PIXELS")]
    pub input: Option<usize>,
    /// Head on it.
    #[arg(long, requires = "arch", default_value = "linear", value_parser = head)]
    pub head: HeadKind,
    /// Given of the head; 1000 is ImageNet's.
    #[arg(long, requires = "arch", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub classes: u32,
    /// Print JSON, one object a line.
    #[arg(long)]
    pub json: bool,
}

impl InspectArgs {
    /// The network of a name, and what it was scaled to if that was asked for.
    pub fn network(&self, name: &str) -> Result<(Arch, Option<Scaled>)> {
        let arch = scaled::named(name).ok_or_else(|| {
            let mut names: Vec<&str> = Arch::ALL.iter().map(|arch| arch.name()).collect();
            names.extend(FAMILIES.map(|(family, _)| family));
            no_such_arch(name, &names)
        })?;
        let flags = [
            ("--phi", self.phi),
            ("--width", self.width),
            ("--depth", self.depth),
            ("--resolution", self.resolution),
        ];
        let mut given = flags.iter().filter(|(_, value)| value.is_some());
        let Some((flag, _)) = given.next() else {
            return Ok((arch, None));
        };
        if arch.row().scaled.is_none() {
            let families = FAMILIES.map(|(family, _)| family).join(", ");
            let reason = format!("{arch} does not scale; members of these families do: {families}");
            return Err(Error::setting(*flag, reason));
        }
        let scale = match self.phi {
            Some(phi) => scaled::of_phi(phi)?,
            None => Compound {
                depth: self.depth.unwrap_or(1.0),
                width: self.width.unwrap_or(1.0),
                resolution: self.resolution.unwrap_or(1.0),
            },
        };
        Ok((arch, Some(scaled(arch, scale, self.input)?)))
    }
}

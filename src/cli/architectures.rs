//! `retune inspect` without a name: all networks.

use serde::Serialize;

use super::out::line;
use crate::error::Result;
use crate::network::Arch;
use crate::network::inspect::Cost;
use crate::network::scaled::FAMILIES;

/// A network of the list.
#[derive(Serialize)]
struct Listed {
    arch: Arch,
    family: &'static str,
    /// Edge of the images that it is usually measured on.
    edge: usize,
    #[serde(flatten)]
    cost: Cost,
    /// Whether it can be scaled.
    scales: bool,
    /// Repository of weights that can be downloaded.
    weights: Option<&'static str>,
    /// Their top-1 accuracy in percent, as published.
    top1: Option<f64>,
}

/// Prints the list.
pub fn print(json: bool) -> Result<()> {
    if !json {
        line(format_args!(
            "{:22} {:18} {:>6} {:>12} {:>16}  {:7} {}",
            "network", "family", "pixels", "parameters", "multiply-adds", "scales", "weights"
        ));
    }
    for &arch in Arch::ALL {
        let row = arch.row();
        let listed = Listed {
            arch,
            family: row.family,
            edge: row.size,
            cost: Cost::of(&arch.graph(), row.name, row.size)?,
            scales: row.scaled.is_some(),
            weights: row.weights.map(|weights| weights.repository),
            top1: row.weights.map(|weights| weights.top1),
        };
        if json {
            line(serde_json::json!(listed));
            continue;
        }
        let weights = listed.weights.map_or_else(
            || "none".to_owned(),
            |weights| format!("{weights}, {:.1} %", listed.top1.unwrap_or_default()),
        );
        line(format_args!(
            "{:22} {:18} {:>6} {:>12} {:>16}  {:7} {}",
            row.name,
            listed.family,
            listed.edge,
            listed.cost.parameters,
            listed.cost.multiply_adds,
            if listed.scales { "yes" } else { "no" },
            weights
        ));
    }
    if !json {
        let families = FAMILIES.map(|(family, base)| format!("{family} is {base}"));
        line(format_args!(
            "with a linear head for 1000 classes; for scaling, {}",
            families.join(", ")
        ));
    }
    Ok(())
}

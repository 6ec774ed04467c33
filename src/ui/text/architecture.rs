//! Architectures in words.

use super::{count, counted};
use crate::network::families::{Weights, scaling::Growth};
use crate::ui::anatomy::Sums;

/// `[64, 56, 56]` as `64 × 56 × 56`, channels first.
#[must_use]
pub fn shape(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    sizes.join("\u{a0}×\u{a0}")
}

/// A large number in three digits, B for a billion as in the papers: `25.6 M`, `4.09 B`.
#[must_use]
pub fn large(n: f64) -> String {
    let units = [
        (1e12, "\u{a0}T"),
        (1e9, "\u{a0}B"),
        (1e6, "\u{a0}M"),
        (1e3, "\u{a0}k"),
    ];
    // What would be rounded up to a thousand is one of the next unit.
    let (unit, name) = (units.into_iter().find(|unit| n >= 0.9995 * unit.0)).unwrap_or((1.0, ""));
    let n = n / unit;
    let digits = match n {
        _ if unit == 1.0 => 0,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{n:.digits$}{name}")
}

/// How many layers there are. Names of networks count those with a product, the head's too and none in a shortcut.
#[must_use]
pub fn layers(sums: &Sums) -> String {
    let products = counted(
        sums.products,
        "convolution or linear layer",
        "convolutions and linear layers",
    );
    let shortcuts = match sums.shortcuts {
        0 => String::new(),
        n => format!(" ({n} of them in shortcuts)"),
    };
    format!(
        "{products}{shortcuts}, the head not counted; with norms and pools {}",
        count(sums.layers as u64)
    )
}

/// Weights to download.
#[must_use]
pub fn weights(weights: Option<&Weights>) -> String {
    weights.map_or_else(
        || "none to download".to_owned(),
        |w| {
            format!(
                "{}, {}, top-1 {:.1}\u{a0}%",
                w.repository, w.licence, w.top1
            )
        },
    )
}

/// What the paper's constraint comes to, and the growth that is computed for the first step of phi, if it is.
#[must_use]
pub fn constraint(growth: Growth, first: Option<f64>) -> String {
    let product = growth.step();
    let mut said = if growth.doubles() {
        format!(
            "Close enough to 2: by the formula one step of phi makes {product:.2} times as many multiply-adds."
        )
    } else {
        format!(
            "Off: by the formula one step of phi makes {product:.2} times as many multiply-adds, not twice as many. \
             What is seen is then no longer the paper's compound scaling."
        )
    };
    if let Some(first) = first.filter(|first| (first / product - 1.0).abs() > 0.02) {
        said += &format!(
            " Computed, the step from phi 0 to 1 makes {first:.2} times as many: numbers of layers and edges of planes \
             are rounded up, channels to multiples of 8."
        );
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_say_what_is_counted() {
        let sums = Sums {
            layers: 108,
            products: 53,
            shortcuts: 4,
            ..Sums::default()
        };
        assert_eq!(
            layers(&sums),
            "53 convolutions and linear layers (4 of them in shortcuts), the head not counted; with norms and pools 108"
        );
        assert!(!layers(&Sums::default()).contains("shortcuts"));
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(shape(&[64, 56, 56]), "64\u{a0}×\u{a0}56\u{a0}×\u{a0}56");
        for (n, text) in [
            (0.0, "0"),
            (950.0, "950"),
            (5_288_548.0, "5.29\u{a0}M"),
            (25_557_032.0, "25.6\u{a0}M"),
            (999_700_000.0, "1.00\u{a0}B"),
            (388_000_000.0, "388\u{a0}M"),
            (37.3e9, "37.3\u{a0}B"),
        ] {
            assert_eq!(large(n), text);
        }
    }

    #[test]
    fn a_constraint_that_is_off_is_said() {
        let said = constraint(Growth::PAPER, Some(2.57));
        assert!(said.starts_with("Close") && said.contains("1.92 times"));
        assert!(said.contains("Computed") && said.contains("2.57 times"));
        assert!(!constraint(Growth::PAPER, Some(1.93)).contains("Computed"));
        let flat = Growth {
            gamma: 1.0,
            ..Growth::PAPER
        };
        let said = constraint(flat, None);
        assert!(said.starts_with("Off") && said.contains("1.45 times"));
    }
}

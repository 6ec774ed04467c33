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

/// A large number in three digits: `25.6 M`, `4.09 G`.
#[must_use]
pub fn large(n: f64) -> String {
    let units = [
        (1e12, "\u{a0}T"),
        (1e9, "\u{a0}G"),
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

/// What the paper's constraint comes to, in a sentence.
#[must_use]
pub fn constraint(growth: Growth) -> String {
    let product = growth.step();
    if growth.doubles() {
        "Close enough to 2: one step of phi about doubles the multiply-adds.".to_owned()
    } else {
        format!(
            "Off: one step of phi makes about {product:.2} times as many multiply-adds, not twice as many. \
             What is seen is then no longer the paper's compound scaling."
        )
    }
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
            (999_700_000.0, "1.00\u{a0}G"),
            (388_000_000.0, "388\u{a0}M"),
            (37.3e9, "37.3\u{a0}G"),
        ] {
            assert_eq!(large(n), text);
        }
    }

    #[test]
    fn a_constraint_that_is_off_is_said() {
        assert!(constraint(Growth::PAPER).starts_with("Close"));
        let flat = Growth {
            gamma: 1.0,
            ..Growth::PAPER
        };
        assert!(constraint(flat).contains("1.45 times"));
    }
}

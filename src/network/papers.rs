//! What two papers print of their networks, beside what is computed from the networks here, and why they differ where
//! they do.

pub mod efficientnet;
pub mod figure;
pub mod resnet;

use serde::Serialize;

use self::figure::Figure;
use super::Arch;
use super::inspect::Cost;

/// A paper's table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Who printed it where.
    pub source: &'static str,
    /// What the networks are built of, stage by stage, where the paper prints that.
    pub stages: Vec<resnet::Stage>,
    /// The networks.
    pub rows: Vec<Row>,
}

impl Table {
    /// Whether a top-1 accuracy is printed of any network.
    #[must_use]
    pub fn prints_top1(&self) -> bool {
        self.rows.iter().any(|row| row.top1.is_some())
    }

    /// Whether parameters and multiply-adds are printed of any network.
    #[must_use]
    pub fn prints(&self) -> [bool; 2] {
        let any = |of: fn(&Row) -> bool| self.rows.iter().any(of);
        [
            any(|row| row.parameters.is_some()),
            any(|row| row.multiply_adds.is_some()),
        ]
    }
}

/// A network of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// As the paper calls it.
    pub name: &'static str,
    /// The network here, if there is one; of other rows there is only what is printed.
    pub arch: Option<Arch>,
    /// Edge of the image that the multiply-adds are for, in pixels.
    pub edge: Option<usize>,
    /// What the network here costs, with a head for 1000 classes.
    pub computed: Option<Cost>,
    /// Printed top-1 accuracy on ImageNet's validation images, in percent.
    pub top1: Option<f64>,
    /// Weights and biases.
    pub parameters: Option<Compared>,
    /// Multiply-adds, which both papers call FLOPs.
    pub multiply_adds: Option<Compared>,
    /// What else is to be known.
    pub note: Option<String>,
}

/// A printed number and the computed one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// As printed.
    pub printed: Figure,
    /// As computed, if the network is here.
    pub computed: Option<u64>,
    /// Whether they agree within the rounding of the print.
    pub agree: Option<bool>,
    /// Why not, if they do not.
    pub why: Option<Why>,
}

/// Why a printed number is another than the computed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// The reason; or that none is known, and what is.
    pub text: String,
    /// What is computed for the network, or by the rule, that the reason names. None where the reason is not one that
    /// can be computed.
    pub instead: Option<u64>,
    /// Whether this is known to be the reason; else it is a guess, or none is known.
    pub explained: bool,
}

impl Why {
    /// A reason that is checked by a number.
    #[must_use]
    pub fn computed(text: &str, instead: u64) -> Self {
        Self {
            text: text.to_owned(),
            instead: Some(instead),
            explained: true,
        }
    }

    /// A guess with the number that it gives.
    #[must_use]
    pub fn guessed(text: &str, instead: u64) -> Self {
        Self {
            explained: false,
            ..Self::computed(text, instead)
        }
    }

    /// A reason of another kind.
    #[must_use]
    pub fn said(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            instead: None,
            explained: true,
        }
    }

    /// No reason is known; what is known instead.
    #[must_use]
    pub fn unknown(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            instead: None,
            explained: false,
        }
    }
}

/// A printed and a computed number as they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// As printed, if it is.
    pub printed: Option<&'static str>,
    /// As computed, in the units of the print, if the network is here.
    pub computed: Option<String>,
    /// Whether they differ by more than the rounding of the print.
    pub differs: bool,
}

impl Pair {
    fn new(compared: Option<&Compared>, computed: Option<u64>) -> Self {
        let printed = compared.map(|compared| &compared.printed);
        let other = Figure::new("1.0M");
        Self {
            printed: printed.map(|printed| printed.text),
            computed: computed.map(|count| printed.unwrap_or(&other).like(count)),
            differs: compared.is_some_and(|compared| compared.agree == Some(false)),
        }
    }
}

impl Compared {
    /// A printed number beside a computed one; `why` is kept where they differ.
    #[must_use]
    pub fn new(printed: &'static str, computed: Option<u64>, why: Option<Why>) -> Self {
        let printed = Figure::new(printed);
        let agree = computed.map(|computed| printed.agrees(computed));
        Self {
            printed,
            computed,
            agree,
            why: why.filter(|_| agree == Some(false)),
        }
    }

    /// The reason with its number, in the units of the print.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let why = self.why.as_ref()?;
        Some(match why.instead {
            Some(value) => format!("{}: {}", why.text, self.printed.like(value)),
            None => why.text.clone(),
        })
    }
}

impl Row {
    /// Its parameters and its multiply-adds.
    #[must_use]
    pub fn pairs(&self) -> [Pair; 2] {
        let cost = self.computed;
        [
            Pair::new(self.parameters.as_ref(), cost.map(|cost| cost.parameters)),
            Pair::new(
                self.multiply_adds.as_ref(),
                cost.map(|cost| cost.multiply_adds),
            ),
        ]
    }

    /// All there is to say: the reasons, and the note.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let of = |what: &str, compared: &Option<Compared>| {
            let reason = compared.as_ref()?.reason()?;
            Some(format!("{what}: {reason}"))
        };
        let reasons = [
            of("parameters", &self.parameters),
            of("multiply-adds", &self.multiply_adds),
        ];
        let all = reasons.into_iter().flatten();
        all.chain(self.note.clone()).collect()
    }
}

/// Both tables, the older first.
#[must_use]
pub fn tables() -> [Table; 2] {
    [resnet::table(), efficientnet::table()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_differs_by_more_than_the_rounding_has_a_reason() {
        let mut compared = 0;
        for table in tables() {
            for row in table.rows {
                for (what, pair) in [
                    ("parameters", &row.parameters),
                    ("multiply-adds", &row.multiply_adds),
                ] {
                    let Some(pair) = pair else { continue };
                    let Some(computed) = pair.computed else {
                        assert!(row.arch.is_none() && row.note.is_some(), "{}", row.name);
                        continue;
                    };
                    compared += 1;
                    let said = format!("{} {what}: {} {computed}", row.name, pair.printed.text);
                    assert_eq!(pair.agree, Some(pair.why.is_none()), "{said}");
                    // Nothing is off by so much that another network would be meant, but what is known not to fit.
                    let off = (computed as f64 / pair.printed.value as f64 - 1.0).abs();
                    let known = matches!(row.name, "Inception-v4" | "SENet");
                    assert!(off < 0.13 || known, "{said}");
                }
            }
        }
        assert_eq!(compared, 5 + 2 * 20);
    }

    #[test]
    fn what_a_paper_does_not_print_has_no_column() {
        let [resnet, efficientnet] = tables();
        assert_eq!(
            (resnet.prints_top1(), resnet.prints()),
            (false, [false, true])
        );
        assert_eq!(
            (efficientnet.prints_top1(), efficientnet.prints()),
            (true, [true; 2])
        );
    }

    #[test]
    fn a_reason_with_a_number_gives_the_printed_one() {
        for table in tables() {
            for row in table.rows {
                for pair in [row.parameters, row.multiply_adds].into_iter().flatten() {
                    let Some(Why { text, instead, .. }) = &pair.why else {
                        continue;
                    };
                    let Some(instead) = *instead else { continue };
                    let printed = &pair.printed;
                    let cut = text.contains("cut off") && printed.is_cut_of(instead);
                    assert!(printed.agrees(instead) || cut, "{} {text}", row.name);
                }
            }
        }
    }
}

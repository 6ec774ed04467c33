//! What is chosen and opened under "Architectures".

use super::scaling::{BASES, Factor};
use super::scene::Key;
use crate::network::Arch;
use crate::network::families::scaling::Growth;

/// What is chosen and opened.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explorer {
    /// Whether it is shown at all.
    pub open: bool,
    /// The architecture; without one that of the model in use.
    pub arch: Option<Arch>,
    /// The edge as typed; without it the usual one.
    pub size: Option<String>,
    /// Stages of the table that are open.
    pub stages: Vec<usize>,
    /// Boxes of the drawing that are open.
    pub boxes: Vec<Key>,
    /// What is scaled; without it the first of those that can be.
    pub base: Option<Arch>,
    /// By how much, as typed: phi, alpha, beta, gamma.
    pub typed: [Option<String>; 4],
}

/// What changes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Explore {
    /// It is shown, or no longer.
    Open,
    /// An architecture was chosen.
    Arch(Arch),
    /// An edge was typed.
    Size(String),
    /// A stage of the table was opened or closed.
    Stage(usize),
    /// A box of the drawing was.
    Box(Key),
    /// All boxes are to be closed.
    Close,
    /// Another base was chosen.
    Base(Arch),
    /// A factor was typed.
    Typed(Factor, String),
    /// The paper's factors are to be in use again.
    AsPublished,
}

impl Explorer {
    /// Applies a change.
    pub fn apply(&mut self, change: Explore) {
        match change {
            Explore::Open => self.open = !self.open,
            Explore::Arch(arch) => {
                self.arch = Some(arch);
                self.size = None;
                self.stages.clear();
                self.boxes.clear();
            }
            Explore::Size(size) => self.size = Some(size),
            Explore::Stage(stage) => toggle(&mut self.stages, stage),
            Explore::Box(key) => toggle(&mut self.boxes, key),
            Explore::Close => self.boxes.clear(),
            Explore::Base(base) => self.base = Some(base),
            Explore::Typed(factor, text) => self.typed[factor as usize] = Some(text),
            Explore::AsPublished => {
                for factor in [Factor::Alpha, Factor::Beta, Factor::Gamma] {
                    self.typed[factor as usize] = None;
                }
            }
        }
    }

    /// What is scaled.
    #[must_use]
    pub fn base(&self) -> Arch {
        self.base.unwrap_or(BASES[0].1)
    }

    /// The edge of the image in pixels.
    ///
    /// # Errors
    /// What is wrong with what was typed.
    pub fn edge(&self, arch: Arch) -> Result<usize, String> {
        let Some(text) = &self.size else {
            return Ok(arch.row().size);
        };
        match text.trim().parse() {
            Ok(size @ 1..=4096) => Ok(size),
            _ => Err("A whole number from 1 to 4096.".to_owned()),
        }
    }

    /// A factor as it is shown in its input.
    #[must_use]
    pub fn shown(&self, factor: Factor) -> String {
        let typed = self.typed[factor as usize].clone();
        typed.unwrap_or_else(|| factor.usual().to_string())
    }

    /// A factor as a number.
    ///
    /// # Errors
    /// What is wrong with what was typed.
    pub fn factor(&self, factor: Factor) -> Result<f64, String> {
        let (low, high) = factor.range();
        match self.shown(factor).trim().replace(',', ".").parse::<f64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number),
            _ => Err(format!("A number from {low} to {high}.")),
        }
    }

    /// Phi and how fast all grow with it, if they are numbers.
    #[must_use]
    pub fn growth(&self) -> Option<(f64, Growth)> {
        let of = |factor| self.factor(factor).ok();
        let growth = Growth {
            alpha: of(Factor::Alpha)?,
            beta: of(Factor::Beta)?,
            gamma: of(Factor::Gamma)?,
        };
        Some((of(Factor::Phi)?, growth))
    }
}

fn toggle<T: PartialEq>(open: &mut Vec<T>, value: T) {
    match open.iter().position(|other| *other == value) {
        Some(at) => drop(open.swap_remove(at)),
        None => open.push(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_architecture_begins_folded_at_its_usual_size() {
        let mut explorer = Explorer::default();
        explorer.apply(Explore::Size("64".to_owned()));
        explorer.apply(Explore::Stage(1));
        explorer.apply(Explore::Box((0, 4)));
        assert_eq!(explorer.edge(Arch::ResNet18), Ok(64));
        explorer.apply(Explore::Arch(Arch::EfficientNetB7));
        assert_eq!(explorer.edge(Arch::EfficientNetB7), Ok(600));
        assert!(explorer.stages.is_empty() && explorer.boxes.is_empty());
    }

    #[test]
    fn what_is_opened_twice_is_closed() {
        let mut explorer = Explorer::default();
        explorer.apply(Explore::Stage(1));
        explorer.apply(Explore::Stage(2));
        explorer.apply(Explore::Stage(1));
        assert_eq!(explorer.stages, [2]);
    }

    #[test]
    fn what_is_typed_is_checked() {
        let mut explorer = Explorer::default();
        for size in ["", "0", "five", "5000"] {
            explorer.apply(Explore::Size(size.to_owned()));
            assert!(explorer.edge(Arch::ResNet18).is_err(), "{size}");
        }
        assert_eq!(explorer.growth().map(|g| g.0), Some(1.0));
        explorer.apply(Explore::Typed(Factor::Phi, "2,5".to_owned()));
        assert_eq!(explorer.factor(Factor::Phi), Ok(2.5));
        explorer.apply(Explore::Typed(Factor::Alpha, "3".to_owned()));
        assert!(explorer.growth().is_none());
        explorer.apply(Explore::AsPublished);
        assert_eq!(explorer.growth().map(|g| g.0), Some(2.5));
    }
}

//! A node of a file as it is asked about.

use super::constant::{Const, MOST_AXES};
use crate::onnx::proto::{Attribute, NodeProto, attribute};

/// Why a node is not translated.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not known, or not with these settings, which are said; there may be nothing to say.
    Unknown(String),
    /// The file is no good.
    Broken(String),
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Broken(reason)
    }
}

/// Not known for this reason.
pub(super) fn unknown<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Unknown(reason.into()))
}

/// Largest number that a setting of a window may be: what is beyond it is no classifier's, and sums of a few stay far
/// below what a number holds.
const MOST: i64 = 1 << 13;

/// A node, with its settings by name.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub node: &'a NodeProto,
    /// The constants among its inputs.
    pub constants: &'a [Option<Const>],
}

impl<'a> View<'a> {
    /// What it computes.
    pub fn op(&self) -> &'a str {
        self.node.op_type.as_deref().unwrap_or("")
    }

    /// A setting.
    pub fn get(&self, name: &str) -> Option<&'a Attribute> {
        let all = self.node.attribute.iter();
        let mut named = all.filter(|a| a.name.as_deref() == Some(name));
        named.next()
    }

    /// A setting that is a whole number.
    pub fn int(&self, name: &str, otherwise: i64) -> i64 {
        // What is left out of a message is 0.
        self.get(name).map_or(otherwise, |a| a.i.unwrap_or(0))
    }

    /// A setting that is a number, as the shortest decimal that it may have come from.
    pub fn float(&self, name: &str, otherwise: f64) -> f64 {
        let found = self.get(name).map(|a| a.f.unwrap_or(0.0));
        found.map_or(otherwise, |f| f.to_string().parse().unwrap_or(f64::from(f)))
    }

    /// A setting that is a word.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let bytes = self.get(name)?.s.as_deref()?;
        std::str::from_utf8(bytes).ok()
    }

    /// A setting that is several whole numbers.
    pub fn ints(&self, name: &str) -> Option<&'a [i64]> {
        Some(&self.get(name)?.ints)
    }

    /// Two sizes that are not large: of a kernel, a stride.
    pub fn pair(&self, name: &str, least: i64, otherwise: [usize; 2]) -> Result<[usize; 2], Fault> {
        match self.ints(name) {
            None | Some([]) => Ok(otherwise),
            Some(&[a, b]) if [a, b].iter().all(|n| (least..=MOST).contains(n)) => {
                Ok([a as usize, b as usize])
            }
            Some(other) => unknown(format!("{name} {}", listed(other))),
        }
    }

    /// What is added round an image: above, left, below, right; none if its sizes are to follow from the image.
    pub fn pads(&self) -> Result<Option<[usize; 4]>, Fault> {
        match self.text("auto_pad") {
            None | Some("NOTSET" | "") => {}
            Some("VALID") => return Ok(Some([0; 4])),
            Some("SAME_UPPER") => return Ok(None),
            Some(other) => return unknown(format!("auto_pad {other:.20}")),
        }
        match self.ints("pads") {
            None | Some([]) => Ok(Some([0; 4])),
            Some(&[a, b, c, d]) if [a, b, c, d].iter().all(|n| (0..=MOST).contains(n)) => {
                Ok(Some([a, b, c, d].map(|n| n as usize)))
            }
            Some(other) => unknown(format!("pads {}", listed(other))),
        }
    }

    /// The input of that number, if it is a constant.
    pub fn constant(&self, at: usize) -> Option<&'a Const> {
        self.constants.get(at)?.as_ref()
    }

    /// Whether the input of that number is given.
    pub fn has(&self, at: usize) -> bool {
        self.node.input.get(at).is_some_and(|name| !name.is_empty())
    }

    /// Axes, which newer files have as an input and older ones as a setting; counted from the front. None if they are
    /// left out.
    pub fn axes(&self, at: usize, rank: usize) -> Result<Option<Vec<usize>>, Fault> {
        self.axes_of(at, |_| rank)
    }

    /// Axes that are put in where there are `rank`, counted from the front.
    pub fn new_axes(&self, rank: usize) -> Result<Vec<usize>, Fault> {
        let axes = self.axes_of(1, |new| rank + new)?.unwrap_or_default();
        if rank + axes.len() > MOST_AXES {
            return unknown("to many axes");
        }
        Ok(axes)
    }

    fn axes_of(
        &self,
        at: usize,
        rank: impl Fn(usize) -> usize,
    ) -> Result<Option<Vec<usize>>, Fault> {
        let given = if self.has(at) {
            let Some(values) = self.constant(at).and_then(Const::as_ints) else {
                return unknown("axes that are computed");
            };
            values
        } else {
            match self.get("axes") {
                Some(setting) if setting.kind == Some(attribute::INT) => setting.i.as_slice(),
                Some(setting) => &setting.ints,
                None => return Ok(None),
            }
        };
        let all: Option<Vec<usize>> = (given.iter())
            .map(|axis| counted(*axis, rank(given.len())))
            .collect();
        match all {
            Some(all) => Ok(Some(all)),
            None => unknown(format!("axes {}", listed(given))),
        }
    }
}

/// An axis counted from the front.
pub(super) fn counted(axis: i64, rank: usize) -> Option<usize> {
    let from_back = if axis < 0 { rank as i64 } else { 0 };
    let axis = axis.checked_add(from_back)?;
    usize::try_from(axis).ok().filter(|axis| *axis < rank)
}

/// A few numbers of however many.
pub(super) fn listed(values: &[i64]) -> String {
    let shown: Vec<String> = values.iter().take(8).map(ToString::to_string).collect();
    let more = if values.len() > 8 { ", ..." } else { "" };
    format!("[{}{more}]", shown.join(", "))
}

//! A number as a paper prints it: a few digits and a unit.

use serde::Serialize;

/// A printed number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// As printed: `5.3M`, `0.39B`.
    pub text: &'static str,
    /// What that is.
    pub value: u64,
    /// Value of the last digit.
    #[serde(skip)]
    place: u64,
}

/// What a letter behind a number stands for.
const fn unit(letter: Option<char>) -> u64 {
    match letter {
        Some('B') => 1_000_000_000,
        Some('M') => 1_000_000,
        _ => 1,
    }
}

impl Figure {
    /// Reads a number such as `5.3M`: millions, or billions with a B.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        let unit = unit(text.chars().last());
        let digits = text.trim_end_matches(['M', 'B']);
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let read = |text: &str| text.parse::<u64>().unwrap_or(0);
        let place = unit / 10_u64.pow(part.len() as u32);
        Self {
            text,
            value: read(whole) * unit + read(part) * place,
            place,
        }
    }

    /// Whether a count is printed so: off by no more than half of the last digit.
    #[must_use]
    pub const fn agrees(&self, count: u64) -> bool {
        count.abs_diff(self.value) * 2 <= self.place
    }

    /// Whether a count is printed so when what comes behind the last digit is cut off.
    #[must_use]
    pub const fn is_cut_of(&self, count: u64) -> bool {
        count >= self.value && count - self.value < self.place
    }

    /// A count in the same unit, with one digit more than is printed, but at least three.
    #[must_use]
    pub fn like(&self, count: u64) -> String {
        let unit = unit(self.text.chars().last());
        let value = count as f64 / unit as f64;
        let printed = (unit / self.place).ilog10() as usize;
        let whole = (value.max(1.0).log10() as usize) + 1;
        let decimals = (printed + 1).max(3_usize.saturating_sub(whole));
        let letter = self.text.trim_start_matches(|c: char| !c.is_alphabetic());
        format!("{value:.decimals$}{letter}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_number_and_what_it_was_rounded_to() {
        let of = |text| Figure::new(text);
        assert_eq!(of("5.3M").value, 5_300_000);
        assert_eq!(of("0.39B").value, 390_000_000);
        assert_eq!(of("37B").value, 37_000_000_000);
        assert!(of("5.3M").agrees(5_288_548) && !of("5.3M").agrees(5_360_000));
        assert!(of("26M").agrees(25_557_032));
        assert!(of("3.8B").is_cut_of(3_858_026_368) && !of("3.8B").agrees(3_858_026_368));
        assert_eq!(of("0.39B").like(385_874_016), "0.386B");
        assert_eq!(of("37B").like(37_745_604_000), "37.7B");
        assert_eq!(of("5.3M").like(5_288_548), "5.29M");
        assert_eq!(of("1.0B").like(994_000_000), "0.99B");
    }
}

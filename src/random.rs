//! The project's one source of chance, so that a seed means the same thing on every platform.
//!
//! `SplitMix64` (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"): a counter
//! and a mixing function. Splits, shuffles, first weights, dropout masks and the demo set draw from it;
//! a device's own generator would give other numbers on each backend.

use crate::fnv;

/// A stream of numbers that follows from its seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of that seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream for a purpose: same seed and purpose, same stream; other purpose, unrelated stream.
    #[must_use]
    pub fn for_purpose(seed: u64, purpose: &str) -> Self {
        // A hash of the purpose, so that streams do not overlap by accident.
        let hash = fnv::add(fnv::START, purpose.bytes());
        Self::new(Self::new(seed ^ hash).bits())
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`, 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal with mean 0 and variance 1 (Box and Muller 1958), by library functions that give the same bits
    /// on every platform.
    #[cfg(feature = "data")]
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v)
    }

    /// Uniform in `0..n`; 0 for an empty range. The bias of the multiplication is below `n / 2^64`.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Fisher-Yates: every order equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published reference implementation's first outputs for seed 0.
    #[test]
    fn matches_the_reference_stream() {
        let mut random = Random::new(0);
        assert_eq!(random.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.bits(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn shuffling_keeps_every_item_and_moves_some() {
        let mut items: Vec<usize> = (0..100).collect();
        Random::for_purpose(7, "test").shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn uniform_stays_in_range_and_fills_it() {
        let mut random = Random::new(3);
        let mean = (0..10_000).map(|_| random.uniform()).sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert!((0..1000).all(|_| random.below(6) < 6));
        assert_eq!(random.below(0), 0);
    }
}

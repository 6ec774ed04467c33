//! Features of a data set's images under one backbone: `[N,C]`, computed once.

use std::collections::HashMap;

/// Features by sample. Unreadable samples are remembered too, so that nothing is read twice in vain.
#[derive(Debug, Clone, Default)]
pub struct FeatureCache {
    width: usize,
    rows: Vec<f32>,
    places: HashMap<usize, Result<usize, String>>,
}

impl FeatureCache {
    /// An empty cache for features of that width, C.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            width,
            ..Self::default()
        }
    }

    /// Makes room for so many samples at once, so that a large cache is not copied while it grows; false if
    /// there is not that much memory.
    #[must_use]
    pub fn reserve(&mut self, samples: usize) -> bool {
        let values = samples.saturating_mul(self.width);
        self.rows.try_reserve_exact(values).is_ok()
    }

    /// C.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Bytes that the features take.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        (self.rows.len() * size_of::<f32>()) as u64
    }

    /// Whether this sample was dealt with, readable or not.
    #[must_use]
    pub fn knows(&self, sample: usize) -> bool {
        self.places.contains_key(&sample)
    }

    /// Adds the features `[samples.len(), C]` of these samples.
    pub fn insert(&mut self, samples: &[usize], features: &[f32]) {
        let first = self.rows.len() / self.width.max(1);
        self.rows.extend_from_slice(features);
        let places = samples.iter().enumerate();
        self.places
            .extend(places.map(|(i, sample)| (*sample, Ok(first + i))));
    }

    /// Notes that a sample has no features, and why.
    pub fn insert_unreadable(&mut self, sample: usize, reason: String) {
        self.places.insert(sample, Err(reason));
    }

    /// Why a sample has no features, if it was found to have none.
    #[must_use]
    pub fn unreadable(&self, sample: usize) -> Option<&str> {
        self.places.get(&sample)?.as_ref().err().map(String::as_str)
    }

    /// The features `[C]` of a sample; none if it is unreadable or unknown.
    #[must_use]
    pub fn get(&self, sample: usize) -> Option<&[f32]> {
        let row = *self.places.get(&sample)?.as_ref().ok()?;
        self.rows.chunks_exact(self.width).nth(row)
    }
}

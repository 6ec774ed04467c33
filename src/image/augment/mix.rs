//! Which images of a batch are mixed, and how.

use super::draw::beta;
use super::{Area, tensor};
use crate::config::Augment;
use crate::error::Result;
use crate::random::Random;

/// How a batch of normalised images and targets is mixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// The share of its own that each target keeps.
    pub lambda: f64,
    /// S, the edge of the images that the area was drawn for, in pixels.
    pub size: usize,
    /// What each image gets from its partner; none for all of it, blended.
    pub area: Option<Area>,
    /// Each image's partner, a permutation of `0..N`.
    pub partner: Vec<usize>,
}

impl Mix {
    /// What is done with the batch `[N,3,S,S]` of that step; none if both ways are off, or there are not two
    /// images. Lambda is drawn from `Beta(alpha, alpha)`.
    #[must_use]
    pub fn draw(
        augment: &Augment,
        seed: u64,
        epoch: usize,
        step: usize,
        n: usize,
        size: usize,
    ) -> Option<Self> {
        let mut random = Random::for_purpose(seed, &format!("mix {epoch} {step}"));
        // Always tossed, so that a second way does not change the first one's numbers.
        let coin = random.uniform() < 0.5;
        let (mixup, cutmix) = (augment.mixup > 0.0, augment.cutmix > 0.0);
        let (alpha, pasting) = match (mixup, cutmix) {
            (false, false) => return None,
            (true, false) => (augment.mixup, false),
            (false, true) => (augment.cutmix, true),
            (true, true) if coin => (augment.mixup, false),
            (true, true) => (augment.cutmix, true),
        };
        if n < 2 || size == 0 {
            return None;
        }
        let lambda = beta(&mut random, alpha);
        let area = pasting.then(|| cutmix_area(&mut random, lambda, size));
        let mut partner: Vec<usize> = (0..n).collect();
        random.shuffle(&mut partner);
        Some(Self {
            lambda: area.map_or(lambda, |area| {
                1.0 - (area.width * area.height) as f64 / (size * size) as f64
            }),
            size,
            area,
            partner,
        })
    }

    /// Mixes `pixels` `[N,3,S,S]` and `targets` `[N,K]`.
    ///
    /// # Errors
    /// [`crate::error::Error::Shape`] if the shapes are not those it was drawn for.
    pub fn apply(&self, pixels: &mut [f32], targets: &mut [f32]) -> Result<()> {
        match self.area {
            None => tensor::mixup(pixels, targets, self.lambda, &self.partner),
            Some(area) => tensor::cutmix(pixels, targets, self.size, area, &self.partner),
        }
    }
}

/// torchvision's `v2.CutMix.make_params`: a square of `1 - lambda` of the area about any pixel, cut at the edges.
fn cutmix_area(random: &mut Random, lambda: f64, size: usize) -> Area {
    let (x, y) = (random.below(size), random.below(size));
    let half = (0.5 * (1.0 - lambda).max(0.0).sqrt() * size as f64) as usize;
    let span = |at: usize| {
        let first = at.saturating_sub(half);
        (first, (at + half).min(size) - first)
    };
    let ((x, width), (y, height)) = (span(x), span(y));
    Area {
        x,
        y,
        width,
        height,
    }
}

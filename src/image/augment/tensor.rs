//! Transforms of normalised pixels, of one image or of a whole batch with its targets.

use super::Area;
use crate::error::{Error, Result};

/// Sets the part of a normalised image `[3,S,S]` to 0, the mean colour: torchvision's `erase` with value 0.
/// What of the area lies outside is ignored.
///
/// # Errors
/// [`Error::Shape`] if the tensor is not `[3,S,S]`.
pub fn erase(tensor: &mut [f32], size: usize, area: Area) -> Result<()> {
    if size == 0 || size.saturating_mul(size).saturating_mul(3) != tensor.len() {
        let reason = format!("{} values for [3,{size},{size}]", tensor.len());
        return Err(Error::shape("erasing", reason));
    }
    for plane in tensor.chunks_exact_mut(size * size) {
        for_rows(size, area, |span| plane[span].fill(0.0));
    }
    Ok(())
}

/// Every image, and its target, becomes `lambda` of itself and `1 - lambda` of its partner (Zhang and others
/// 2018, arXiv:1710.09412); torchvision's `v2.MixUp`, whose partner is always the image before.
///
/// `pixels` `[N,3,S,S]`, `targets` `[N,K]`, `partner` a permutation of `0..N`.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, or the partners are no permutation.
pub fn mixup(
    pixels: &mut [f32],
    targets: &mut [f32],
    lambda: f64,
    partner: &[usize],
) -> Result<()> {
    check("mixup", pixels, targets, partner)?;
    combine(pixels, partner, |own, other| blend(own, other, lambda));
    combine(targets, partner, |own, other| blend(own, other, lambda));
    Ok(())
}

/// Every image gets the part of its partner at the same place, its target the share of that area (Yun and
/// others 2019, arXiv:1905.04899); torchvision's `v2.CutMix`. What of the area lies outside is ignored.
///
/// `pixels` `[N,3,S,S]`, `targets` `[N,K]`, `partner` a permutation of `0..N`.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, or the partners are no permutation.
pub fn cutmix(
    pixels: &mut [f32],
    targets: &mut [f32],
    size: usize,
    area: Area,
    partner: &[usize],
) -> Result<()> {
    check("cutmix", pixels, targets, partner)?;
    let plane = size.saturating_mul(size);
    if pixels.len() != plane.saturating_mul(3).saturating_mul(partner.len()) {
        let reason = format!(
            "{} values for [{},3,{size},{size}]",
            pixels.len(),
            partner.len()
        );
        return Err(Error::shape("cutmix", reason));
    }
    let mut pasted = 0;
    for_rows(size, area, |span| pasted += span.len());
    if pasted == 0 {
        return Ok(());
    }
    combine(pixels, partner, |own, other| {
        for (own, other) in own.chunks_exact_mut(plane).zip(other.chunks_exact(plane)) {
            for_rows(size, area, |span| {
                own[span.clone()].copy_from_slice(&other[span]);
            });
        }
    });
    let lambda = 1.0 - pasted as f64 / plane as f64;
    combine(targets, partner, |own, other| blend(own, other, lambda));
    Ok(())
}

/// Calls with the places, in a plane `[S,S]`, of each row of the area that lies within it.
fn for_rows(size: usize, area: Area, mut call: impl FnMut(std::ops::Range<usize>)) {
    let end = |first: usize, n: usize| first.saturating_add(n).min(size);
    let (right, bottom) = (end(area.x, area.width), end(area.y, area.height));
    if area.x < right {
        for y in area.y..bottom {
            call(y * size + area.x..y * size + right);
        }
    }
}

/// Both products and the sum rounded to 32 bits, as torchvision's `mul_` and `add_` do.
fn blend(own: &mut [f32], other: &[f32], lambda: f64) {
    let (keep, take) = (lambda as f32, (1.0 - lambda) as f32);
    for (own, other) in own.iter_mut().zip(other) {
        *own = *other * take + *own * keep;
    }
}

/// Changes each of the rows `[N,...]` by what its partner was before. It walks along the cycles of the
/// permutation, so that one row is kept aside and not the batch.
fn combine(values: &mut [f32], partner: &[usize], change: impl Fn(&mut [f32], &[f32])) {
    let length = values.len() / partner.len().max(1);
    let mut done = vec![false; partner.len()];
    for start in 0..partner.len() {
        if done[start] {
            continue;
        }
        let first = values[start * length..][..length].to_vec();
        let mut at = start;
        loop {
            done[at] = true;
            let next = partner[at];
            if next == start {
                change(&mut values[at * length..][..length], &first);
                break;
            }
            let (own, other) = two_rows(values, length, at, next);
            change(own, other);
            at = next;
        }
    }
}

/// Row `a` to write and row `b` to read; `a != b`.
fn two_rows(values: &mut [f32], length: usize, a: usize, b: usize) -> (&mut [f32], &[f32]) {
    let (before, from) = values.split_at_mut(length * a.max(b));
    let (low, high) = (
        &mut before[length * a.min(b)..][..length],
        &mut from[..length],
    );
    if a < b { (low, high) } else { (high, low) }
}

fn check(what: &str, pixels: &[f32], targets: &[f32], partner: &[usize]) -> Result<()> {
    let n = partner.len();
    if n == 0 || !pixels.len().is_multiple_of(n) || !targets.len().is_multiple_of(n) {
        let (pixels, targets) = (pixels.len(), targets.len());
        let reason = format!("{pixels} pixels and {targets} targets for {n} images");
        return Err(Error::shape(what, reason));
    }
    let mut seen = vec![false; n];
    for &p in partner {
        match seen.get_mut(p) {
            Some(seen) if !*seen => *seen = true,
            _ => {
                return Err(Error::shape(
                    what,
                    format!("image {p} is not one partner of {n}"),
                ));
            }
        }
    }
    Ok(())
}

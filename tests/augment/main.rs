//! The changes made to training images: equal to torchvision's, Pillow's and scikit-image's, and drawn from a
//! seed with torchvision's distributions. The fixtures are described in `fixtures/augment/make.py`.
#![cfg(feature = "data")]

mod degenerate;
mod draws;
mod statistics;
mod transforms;

use std::path::PathBuf;

use retune::config::{Augment, Crop, Jitter, Preprocess, Rotation};
use retune::image::augment::{
    Area, adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation, grayscale,
};
use retune::image::{Rgb, decode};
use serde_json::Value;

fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/augment")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn open(name: &str) -> Rgb {
    decode(name, &file(&format!("{name}.png"))).unwrap_or_else(|e| panic!("{e}"))
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&file(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn floats(value: &Value) -> Vec<f32> {
    let values = value.as_array().expect("an array");
    values
        .iter()
        .map(|x| x.as_f64().expect("a number") as f32)
        .collect()
}

fn area(value: &Value) -> Area {
    let at = |i: usize| value[i].as_u64().expect("a whole number") as usize;
    Area {
        x: at(0),
        y: at(1),
        width: at(2),
        height: at(3),
    }
}

/// Fails with the number of differences beyond `tolerance`, the largest, its place and both values; or if
/// more than `share` of the values differ at all.
#[track_caller]
fn assert_close(name: &str, got: &Rgb, expected: &Rgb, tolerance: u8, share: f64) {
    assert_eq!(
        (got.width, got.height, got.pixels.len()),
        (expected.width, expected.height, expected.pixels.len()),
        "{name}: size"
    );
    let pairs = got.pixels.iter().zip(&expected.pixels);
    let differences: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
    let beyond = differences.iter().filter(|d| **d > tolerance).count();
    let any = differences.iter().filter(|d| **d > 0).count() as f64 / differences.len() as f64;
    let worst = differences.iter().enumerate().max_by_key(|d| d.1);
    if let Some((i, worst)) = worst.filter(|d| *d.1 > tolerance || any > share) {
        let (x, y, channel) = (i / 3 % got.width, i / 3 / got.width, i % 3);
        panic!(
            "{name}: {beyond} of {} values differ by more than {tolerance} ({:.2} % at all, at most {:.2} % may), \
             the most by {worst} at ({x}, {y}) channel {channel}: {} instead of {}",
            got.pixels.len(),
            100.0 * any,
            100.0 * share,
            got.pixels[i],
            expected.pixels[i]
        );
    }
    println!(
        "{name}: largest error {}, {:.3} % differ",
        differences.iter().max().unwrap_or(&0),
        100.0 * any
    );
}

#[track_caller]
fn assert_same(name: &str, got: &Rgb, expected: &str) {
    assert_close(name, got, &open(expected), 0, 0.0);
}

/// The same for tensors, to the bit.
#[track_caller]
fn assert_tensor(name: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{name}: length");
    let wrong = |i: &usize| got[*i].to_bits() != expected[*i].to_bits();
    let differing: Vec<usize> = (0..got.len()).filter(wrong).collect();
    let off = |i: &usize| (got[*i] - expected[*i]).abs();
    if let Some(i) = differing
        .iter()
        .copied()
        .max_by(|a, b| off(a).total_cmp(&off(b)))
    {
        panic!(
            "{name}: {} of {} values differ, the most by {:e} at {i}: {} instead of {}",
            differing.len(),
            got.len(),
            off(&i),
            got[i],
            expected[i]
        );
    }
}

/// A transform of colours by name, as the fixtures call them.
fn adjust(kind: &str, image: &Rgb, factor: f64) -> Rgb {
    match kind {
        "brightness" => adjust_brightness(image, factor),
        "contrast" => adjust_contrast(image, factor),
        "saturation" => adjust_saturation(image, factor),
        "hue" => adjust_hue(image, factor),
        "grayscale" => grayscale(image),
        other => panic!("no transform is called {other}"),
    }
}

/// Every transform on.
fn everything() -> Augment {
    Augment {
        crop: Some(Crop::resized(0.3)),
        horizontal_flip: 0.5,
        vertical_flip: 0.5,
        rotation: Some(Rotation::default()),
        translation: 0.1,
        jitter: Some(Jitter::default()),
        grayscale: 0.2,
        noise: 0.01,
        erasing: 0.9,
        mixup: 0.4,
        cutmix: 1.0,
        ..Augment::default()
    }
}

fn settings(size: usize) -> Preprocess {
    Preprocess {
        size,
        ..Preprocess::default()
    }
}

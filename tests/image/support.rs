//! What the tests of images share.
#![allow(dead_code)] // Each takes what it needs.

use std::path::PathBuf;

use retune::error::Error;
use retune::image::{Rgb, decode};

pub fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/image")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn open(name: &str) -> Rgb {
    decode(name, &file(name)).unwrap_or_else(|e| panic!("{e}"))
}

/// Fails with the number of differences beyond `tolerance`, the largest, its place and both values.
#[track_caller]
pub fn assert_close(name: &str, got: &Rgb, expected: &Rgb, tolerance: u8) {
    assert_eq!(
        (got.width, got.height),
        (expected.width, expected.height),
        "{name}: size"
    );
    assert_eq!(got.pixels.len(), expected.pixels.len(), "{name}: bytes");
    let differences = got
        .pixels
        .iter()
        .zip(&expected.pixels)
        .map(|(a, b)| a.abs_diff(*b));
    let beyond = differences.clone().filter(|d| *d > tolerance).count();
    if let Some((i, worst)) = differences
        .enumerate()
        .max_by_key(|d| d.1)
        .filter(|d| d.1 > tolerance)
    {
        let (x, y, channel) = (i / 3 % got.width, i / 3 / got.width, i % 3);
        panic!(
            "{name}: {beyond} of {} values differ by more than {tolerance}, the most by {worst} at \
             ({x}, {y}) channel {channel}: {} instead of {}",
            got.pixels.len(),
            got.pixels[i],
            expected.pixels[i]
        );
    }
}

#[track_caller]
pub fn assert_refused(bytes: &[u8], reason: &str) {
    match decode("photo.jpg", bytes) {
        Err(Error::Decode { file, reason: got }) => {
            assert_eq!(file, "photo.jpg");
            assert!(
                got.contains(reason),
                "the reason is \"{got}\", without \"{reason}\""
            );
        }
        Err(other) => panic!("{other:?}"),
        Ok(image) => panic!(
            "not refused for \"{reason}\" but {} x {} pixels",
            image.width, image.height
        ),
    }
}

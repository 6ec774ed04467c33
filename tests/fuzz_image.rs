//! Ten thousand damaged files: each gives an image or an error, soon and in little memory, and nothing panics.
#![cfg(feature = "data")]

mod limits;
#[path = "image/support.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use limits::{Cost, MOST_BYTES};
use retune::image::decode;
use support::file;

const FILES: usize = 10_000;
/// A WebP of one colour takes no bytes for its pixels, so that nothing but the decoder's own limit holds.
const MOST_BYTES_WEBP: usize = 512 << 20;

const SEEDS: &[&str] = &[
    "jpeg-420.jpg",
    "jpeg-crosswise.jpg",
    "jpeg-scans-each.jpg",
    "jpeg-restart.jpg",
    "jpeg-ycck.jpg",
    "jpeg-height-behind.jpg",
    "jpeg-progressive-420.jpg",
    "jpeg-progressive-restart.jpg",
    "jpeg-progressive-gray.jpg",
    "orientation-6.jpg",
    "palette.png",
    "interlaced.png",
    "transparent.png",
    "animated.png",
    "orientation-6.png",
    "tiff-raw.tif",
    "tiff-lzw.tif",
    "tiff-deflate.tif",
    "tiff-packbits.tif",
    "tiff-palette.tif",
    "tiff-planar.tif",
    "tiff-tiles.tif",
    "tiff-gray16.tif",
    "tiff-gray4.tif",
    "tiff-big.tif",
    "tiff-bits-inverted.tif",
    "tiff-alpha.tif",
    "tiff-fax.tif",
    "format.webp",
    "alpha.webp",
    "format.gif",
    "transparent.gif",
    "format.bmp",
];

/// Numbers as good as random, by Marsaglia's xorshift with shifts 13, 7, 17.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n.max(1)
    }
}

/// One to four damages: bytes, numbers at their limits, parts cut off, out, in, or put elsewhere.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let n = bytes.len();
        if n == 0 {
            return;
        }
        // Half of them in the headers, where they do most.
        let at = if dice.below(2) == 0 {
            dice.below(n.min(200))
        } else {
            dice.below(n)
        };
        let length = 1 + dice.below(32).min(n - at - 1);
        match dice.below(8) {
            0 | 1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes[at] = dice.below(256) as u8,
            3 => {
                let limit = [0_u8, 1, 0x7f, 0x80, 0xff][dice.below(5)];
                let end = (at + [1, 2, 4][dice.below(3)]).min(n);
                bytes[at..end].fill(limit);
            }
            4 => bytes.truncate(at),
            5 => drop(bytes.drain(at..at + length)),
            6 => {
                let part = bytes[at..at + length].to_vec();
                let to = dice.below(n);
                bytes.splice(to..to, part);
            }
            _ => {
                let part = bytes[at..at + length].to_vec();
                let to = dice.below(n - length + 1);
                bytes[to..to + length].copy_from_slice(&part);
            }
        }
    }
}

#[test]
fn damaged_files_are_errors_at_worst() {
    let seeds: Vec<(&str, Vec<u8>)> = SEEDS.iter().map(|&name| (name, file(name))).collect();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut opened, mut worst) = (0, [Cost::default(); 2]);
    for i in 0..FILES {
        let (name, seed) = &seeds[i % seeds.len()];
        let mut bytes = seed.clone();
        damage(&mut bytes, &mut dice);
        let webp = name.ends_with("webp");
        let limit = if webp { MOST_BYTES_WEBP } else { MOST_BYTES };
        let what = || format!("file {i}, from {name}");
        let got = worst[usize::from(webp)].of(limit, &what, || {
            catch_unwind(AssertUnwindSafe(|| decode(name, &bytes)))
        });
        let got = got.unwrap_or_else(|_| panic!("file {i}, from {name}, made it panic"));
        if let Ok(image) = got {
            opened += 1;
            assert_eq!(
                image.pixels.len(),
                image.width * image.height * 3,
                "file {i}, from {name}"
            );
        }
    }
    println!(
        "{FILES} damaged files, {opened} of them opened; worst: {:?}, of WebP {:?}",
        worst[0], worst[1]
    );
    // If all were refused at the door, this would try nothing.
    assert!(opened > FILES / 10, "{opened}");
}

//! TIFF of every kind: Pillow's pixels, and a refusal where they cannot be known.
#![cfg(feature = "data")]

#[path = "image/support.rs"]
mod support;

use std::collections::HashMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use retune::image::{Rgb, Transparency, decode, decode_with};
use support::{assert_close, assert_refused, file, open};

fn dropped(name: &str) -> Rgb {
    decode_with(name, &file(name), Transparency::Dropped).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn tiff_of_every_kind_has_its_pixels() {
    for (kind, expected, tolerance) in [
        ("raw", "corner-expected", 0),
        ("lzw", "corner-expected", 0),
        ("lzw-predictor", "corner-expected", 0),
        ("deflate", "corner-expected", 0),
        ("packbits", "corner-expected", 0),
        ("big", "corner-expected", 0),
        ("strips", "corner-expected", 0),
        ("orientation-6", "corner-expected", 0),
        ("planar", "corner-expected", 0),
        ("tiles", "corner-expected", 0),
        ("rgb16", "corner-expected", 0),
        ("gray", "corner-gray-expected", 0),
        ("gray16", "corner-gray-expected", 0),
        ("gray4", "gray4-expected", 0),
        ("palette", "tiff-palette-expected", 0),
        ("cmyk", "tiff-cmyk-expected", 1),
        ("bits", "bits-expected", 0),
        ("bits-inverted", "bits-expected", 0),
    ] {
        let expected = open(&format!("{expected}.png"));
        assert_close(
            kind,
            &open(&format!("tiff-{kind}.tif")),
            &expected,
            tolerance,
        );
    }
    assert_close(
        "alpha",
        &dropped("tiff-alpha.tif"),
        &open("corner-expected.png"),
        0,
    );
    for (kind, reason) in [
        ("fax", "fax"),
        ("jpeg", "JPEG"),
        ("float", "floating point"),
    ] {
        assert_refused(&file(&format!("tiff-{kind}.tif")), reason);
    }
    // The pixels stand before the directory in some, behind it in others. Either half is not enough.
    for kind in ["raw", "lzw", "tiles", "palette"] {
        let whole = file(&format!("tiff-{kind}.tif"));
        for n in (8..whole.len() - 4).step_by(37) {
            assert!(decode(kind, &whole[..n]).is_err(), "{kind}: {n} bytes pass");
        }
    }
}

/// A TIFF in the making: tags with their values, which are SHORTs if they fit, else LONGs.
#[derive(Clone)]
struct Tiff {
    big: bool,
    tags: Vec<(u16, Vec<u32>)>,
    parts: Vec<Vec<u8>>,
}

impl Tiff {
    /// Of one strip.
    fn new(
        (width, height): (u32, u32),
        bits: u32,
        photometric: u32,
        samples: u32,
        data: &[u8],
    ) -> Self {
        let tags = vec![
            (256, vec![width]),
            (257, vec![height]),
            (258, vec![bits; samples as usize]),
            (259, vec![1]),
            (262, vec![photometric]),
            (277, vec![samples]),
        ];
        let parts = vec![data.to_vec()];
        Self {
            big: false,
            tags,
            parts,
        }
    }

    fn with(mut self, tag: u16, values: &[u32]) -> Self {
        self.tags.retain(|t| t.0 != tag);
        self.tags.push((tag, values.to_vec()));
        self
    }

    fn deflated(mut self) -> Self {
        for part in &mut self.parts {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(part).expect("in memory");
            *part = encoder.finish().expect("in memory");
        }
        self.with(259, &[8])
    }

    fn tiles(self, width: u32, height: u32, parts: Vec<Vec<u8>>) -> Self {
        Self {
            parts,
            ..self.with(322, &[width]).with(323, &[height])
        }
    }

    /// Little-endian. The parts stand behind the header.
    fn bytes(&self) -> Vec<u8> {
        let head = if self.big { 16 } else { 8 };
        let mut body: Vec<u8> = Vec::new();
        let mut offsets = Vec::new();
        for part in &self.parts {
            offsets.push(head + body.len() as u32);
            body.extend(part);
        }
        let tiled = self.tags.iter().any(|t| t.0 == 322);
        let mut tags = self.tags.clone();
        let mut add = |tag, values| {
            if tags.iter().all(|t| t.0 != tag) {
                tags.push((tag, values));
            }
        };
        add(if tiled { 324 } else { 273 }, offsets);
        add(
            if tiled { 325 } else { 279 },
            self.parts.iter().map(|p| p.len() as u32).collect(),
        );
        tags.sort();
        // An empty list takes the tag out.
        tags.retain(|t| !t.1.is_empty());
        let mut entries = Vec::new();
        let room = if self.big { 8 } else { 4 };
        let number = |n: usize| (n as u64).to_le_bytes()[..room].to_vec();
        for (tag, values) in &tags {
            let short = values.iter().all(|&v| v <= 0xffff);
            let mut packed: Vec<u8> = values
                .iter()
                .flat_map(|v| v.to_le_bytes()[..if short { 2 } else { 4 }].to_vec())
                .collect();
            if packed.len() > room {
                let at = number(head as usize + body.len());
                body.extend(&packed);
                packed = at;
            }
            packed.resize(room, 0);
            entries.extend(tag.to_le_bytes());
            entries.extend([if short { 3 } else { 4 }, 0]);
            entries.extend(number(values.len()));
            entries.extend(packed);
        }
        let directory = number(head as usize + body.len());
        let start: &[u8] = if self.big {
            b"II+\0\x08\0\0\0"
        } else {
            b"II*\0"
        };
        let count = (tags.len() as u64).to_le_bytes();
        let count = &count[..if self.big { 8 } else { 2 }];
        [start, &directory, &body, count, &entries, &[0; 8]].concat()
    }

    #[track_caller]
    fn assert(&self, what: &str, pixels: &[u8]) {
        let got = decode(what, &self.bytes()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(got.pixels, pixels, "{what}");
    }

    #[track_caller]
    fn assert_refused(&self, reason: &str) {
        assert_refused(&self.bytes(), reason);
    }
}

/// Differences along rows, of samples of 8 bits.
fn differences(data: &[u8], width: usize, samples: usize) -> Vec<u8> {
    let mut out = data.to_vec();
    for row in out.chunks_mut(width * samples) {
        for i in (samples..row.len()).rev() {
            row[i] = row[i].wrapping_sub(row[i - samples]);
        }
    }
    out
}

/// LZW as TIFF has it: codes from 9 to 12 bits, growing one early, all cleared when they are used up.
fn lzw(data: &[u8]) -> Vec<u8> {
    let (mut out, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    let mut emit = |code: usize, size: u32| {
        held = held << size | code as u32;
        bits += size;
        while bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
        }
        held &= (1 << bits) - 1;
    };
    let mut codes: HashMap<(usize, u8), usize> = HashMap::new();
    let mut size = 9;
    emit(256, size);
    let mut last: Option<usize> = None;
    for &byte in data {
        let Some(prefix) = last else {
            last = Some(byte.into());
            continue;
        };
        if let Some(&code) = codes.get(&(prefix, byte)) {
            last = Some(code);
            continue;
        }
        emit(prefix, size);
        let next = 258 + codes.len();
        codes.insert((prefix, byte), next);
        if next + 1 == 1 << size {
            size += 1;
        }
        if next == 4093 {
            emit(256, 12);
            codes.clear();
            size = 9;
        }
        last = Some(byte.into());
    }
    emit(last.unwrap_or(0), size);
    // The decoder has one more string now.
    if 258 + codes.len() + 1 == 1 << size {
        size += 1;
    }
    emit(257, size);
    emit(0, 7);
    out
}

const RGB: [u8; 12] = [10, 200, 30, 90, 50, 60, 70, 80, 190, 100, 110, 120];

fn gray(values: &[u8]) -> Vec<u8> {
    values.iter().flat_map(|&v| [v; 3]).collect()
}

/// As the canvas lays over white.
fn over(colours: &[u8], alpha: &[u8]) -> Vec<u8> {
    colours
        .iter()
        .zip(alpha.iter().flat_map(|&a| [a; 3]))
        .map(|(&v, a)| {
            ((u32::from(v) * u32::from(a) + 255 * (255 - u32::from(a)) + 127) / 255) as u8
        })
        .collect()
}

/// Pixels of RGB with samples behind each.
fn with_more<const N: usize>(colours: &[u8], more: &[[u8; N]]) -> Vec<u8> {
    let pixels = colours.as_chunks::<3>().0.iter().zip(more);
    pixels.flat_map(|(p, m)| [&p[..], m].concat()).collect()
}

#[test]
fn a_predictor_counts_all_samples_and_only_where_it_is_used() {
    let data = with_more(&RGB, &[[7], [250], [3], [99]]);
    Tiff::new((2, 2), 8, 2, 4, &differences(&data, 2, 4))
        .with(317, &[2])
        .with(338, &[0])
        .deflated()
        .assert("with another sample", &RGB);
    let plain = Tiff::new((2, 2), 8, 2, 3, &RGB).with(317, &[2]);
    plain.assert("not packed", &RGB);
    let mut packed = plain.with(259, &[32773]);
    packed.parts = vec![[&[11][..], &RGB].concat()];
    packed.assert("PackBits", &RGB);
    // In 16 bits, with a carry from the lower half.
    Tiff::new((2, 1), 16, 1, 1, &[0xff, 0x10, 0x02, 0x01])
        .with(317, &[2])
        .deflated()
        .assert("16 bits", &gray(&[0x10, 0x12]));
    Tiff::new((8, 1), 1, 1, 1, &[0x5a])
        .with(317, &[2])
        .deflated()
        .assert_refused("predictor 2 of 1 bits");
}

#[test]
fn a_big_tiff_is_turned_too() {
    for (orientation, order) in [(1, [0, 1, 2, 3]), (3, [3, 2, 1, 0]), (6, [2, 0, 3, 1])] {
        let pixels: Vec<u8> = order
            .iter()
            .flat_map(|&i| RGB[3 * i..3 * i + 3].to_vec())
            .collect();
        let mut tiff = Tiff::new((2, 2), 8, 2, 3, &RGB).with(274, &[orientation]);
        tiff.assert("classic", &pixels);
        tiff.big = true;
        tiff.assert("big", &pixels);
    }
}

#[test]
fn bits_in_the_other_order_are_put_right() {
    let bits = Tiff::new((8, 1), 1, 1, 1, &[0b1100_0001]).with(266, &[2]);
    bits.assert("1 bit", &gray(&[255, 0, 0, 0, 0, 0, 255, 255]));
    Tiff::new((2, 1), 8, 1, 1, &[0x01, 0xc0])
        .with(266, &[2])
        .assert("8 bits", &gray(&[0x80, 0x03]));
}

#[test]
fn a_palette_of_8_bits_is_told_from_one_of_16() {
    let map = [0, 10, 20, 30, 1, 11, 21, 31, 2, 12, 22, 255];
    let pixels = [0, 1, 2, 30, 31, 255, 10, 11, 12];
    let tiff = Tiff::new((3, 1), 2, 3, 1, &[0b0011_0100]);
    tiff.clone().with(320, &map).assert("8 bits", &pixels);
    let wide = map.map(|v| v * 257);
    tiff.clone().with(320, &wide).assert("16 bits", &pixels);
    tiff.clone()
        .with(320, &map[..9])
        .assert_refused("palette is missing or too short");
    tiff.assert_refused("palette is missing or too short");
}

#[test]
fn samples_that_nobody_explains_are_refused_and_alpha_is_found() {
    for extra in [&[][..], &[0], &[0, 0]] {
        Tiff::new((2, 2), 8, 1, 3, &RGB)
            .with(338, extra)
            .assert_refused("3 samples a pixel, of which it does not say");
    }
    Tiff::new((2, 2), 8, 2, 1, &RGB).assert_refused("1 samples a pixel where 3 are needed");
    let alpha = [0, 255, 128, 40];
    let more = alpha.map(|a| [77, a]);
    Tiff::new((2, 2), 8, 2, 5, &with_more(&RGB, &more))
        .with(338, &[0, 2])
        .assert("alpha second", &over(&RGB, &alpha));
    Tiff::new((2, 2), 8, 2, 5, &with_more(&RGB, &more))
        .with(338, &[0, 0])
        .assert("no alpha", &RGB);
    // Cyan, magenta, yellow, black, alpha.
    let inks = [255, 0, 0, 0, 255, 0, 255, 0, 0, 51];
    let tiff = Tiff::new((2, 1), 8, 5, 5, &inks);
    let colours = over(&[0, 255, 255, 255, 0, 255], &[255, 51]);
    tiff.clone().with(338, &[2]).assert("CMYKA", &colours);
    tiff.clone()
        .with(338, &[0])
        .assert("a fifth ink", &[0, 255, 255, 255, 0, 255]);
    tiff.clone().with(338, &[1]).assert_refused("multiplied");
    tiff.with(338, &[2])
        .with(332, &[2])
        .assert_refused("inks other than");
    // 0 is white, with another sample and with alpha.
    let tiff = Tiff::new((2, 1), 8, 0, 2, &[255, 51, 55, 51]);
    tiff.clone()
        .with(338, &[0])
        .assert("inverted", &gray(&[0, 200]));
    tiff.with(338, &[2])
        .assert("alpha", &over(&gray(&[0, 200]), &[51, 51]));
}

#[test]
fn tags_that_are_left_out_or_undefined_are_no_obstacle() {
    let tiff = Tiff::new((2, 2), 8, 2, 3, &RGB);
    tiff.clone()
        .with(339, &[4, 4, 4])
        .assert("undefined format", &RGB);
    tiff.clone()
        .with(339, &[3, 3, 3])
        .assert_refused("floating point");
    for counts in [&[][..], &[0], &[5], &[5000]] {
        tiff.clone()
            .with(279, counts)
            .assert(&format!("{counts:?} bytes"), &RGB);
    }
    tiff.clone()
        .deflated()
        .with(279, &[])
        .assert("no length of what is packed", &RGB);
    tiff.clone().with(262, &[]).assert("three samples", &RGB);
    tiff.clone().with(278, &[0]).assert("no rows", &RGB);
    Tiff::new((2, 1), 8, 1, 1, &[1, 2])
        .with(262, &[])
        .assert_refused("whether 0 is black or white");
    // The first pixels say what a camera's raw file says in its header.
    for start in [&b"CR"[..], b"CR\x02\x01"] {
        let mut pixels = RGB;
        pixels[..start.len()].copy_from_slice(start);
        Tiff::new((2, 2), 8, 2, 3, &pixels).assert("CR", &pixels);
    }
}

#[test]
fn lzw_in_tiles_that_reach_beyond_the_picture_is_whole() {
    let (width, height) = (150_usize, 70_usize);
    // Noise and runs, so that codes reach 12 bits and strings are long.
    let mut dice = 9_u32;
    let mut value = |x: usize, y: usize| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if y < 40 {
            (dice >> 24) as u8
        } else {
            (x / 40) as u8
        }
    };
    let pixels: Vec<u8> = (0..width * height)
        .map(|i| value(i % width, i / width))
        .collect();
    for (w, h) in [(16, 16), (64, 64), (160, 16), (16, 160), (256, 256)] {
        let mut parts = Vec::new();
        for y in (0..height).step_by(h) {
            for x in (0..width).step_by(w) {
                let tile: Vec<u8> = (0..w * h)
                    .map(|i| {
                        let (x, y) = (x + i % w, y + i / w);
                        pixels
                            .get(y * width + x)
                            .copied()
                            .filter(|_| x < width)
                            .unwrap_or(0)
                    })
                    .collect();
                parts.push(lzw(&tile));
            }
        }
        let size = (width as u32, height as u32);
        Tiff::new(size, 8, 1, 1, &[])
            .with(259, &[5])
            .tiles(w as u32, h as u32, parts)
            .assert(&format!("{w} x {h}"), &gray(&pixels));
    }
    let mut old = Tiff::new((2, 1), 8, 1, 1, &[]).with(259, &[5]);
    old.parts = vec![vec![0, 1, 2, 3]];
    old.assert_refused("LZW of before 1988");
}

#[test]
fn tiles_far_larger_than_the_picture_are_refused() {
    let tile = vec![0; 99];
    Tiff::new((1, 80_000), 8, 2, 3, &[])
        .tiles(16_384, 4096, vec![tile.clone(); 20])
        .assert_refused("far larger than its picture");
    Tiff::new((10, 10), 8, 2, 3, &[])
        .tiles(u32::MAX, u32::MAX, vec![tile])
        .assert_refused("far larger than its picture");
}

#[test]
fn deflated_data_are_checked_to_their_end() {
    let pixels: Vec<u8> = (0..64 * 48).map(|i: u32| (i * i / 5 % 253) as u8).collect();
    let whole = Tiff::new((64, 48), 8, 1, 1, &pixels).deflated();
    whole.assert("whole", &gray(&pixels));
    let packed = whole.parts[0].clone();
    // The first bytes are of the code table, whose damage is seen at once.
    for at in (60..packed.len()).step_by(41) {
        let mut flipped = whole.clone();
        flipped.parts[0][at] ^= 0x10;
        let shown = decode("a bit", &flipped.bytes());
        assert!(shown.is_err(), "byte {at} of {}", packed.len());
    }
    // A checksum that is not there proves nothing, and all rows are.
    let mut without = whole.clone();
    without.parts[0].truncate(packed.len() - 4);
    without.assert("without a checksum", &gray(&pixels));
}

#[test]
fn a_strip_at_the_header_is_none() {
    let died = Tiff::new((2, 2), 8, 1, 1, &[1, 2, 3, 4]);
    died.with(273, &[0])
        .with(279, &[0])
        .assert_refused("damaged TIFF");
}

#[test]
fn a_big_tiff_is_no_raw_photo() {
    // 50706, which marks raw photos, among its pixels where a classic file would have its tags.
    let mut tiff = Tiff::new((12, 4), 8, 1, 1, &[0x12, 0xc6].repeat(24));
    tiff.big = true;
    tiff.assert("big", &gray(&[0x12, 0xc6].repeat(24)));
}

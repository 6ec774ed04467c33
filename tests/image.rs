//! The way from a file to the model's input: equal to Pillow's, and a plain word for whatever is no image.
//! The fixtures are described in `fixtures/image/make.py`.
#![cfg(feature = "data")]

#[path = "image/support.rs"]
mod support;

use retune::config::Preprocess;
use retune::error::Error;
use retune::image::{Rgb, decode, encode_png, load, resize, to_tensor};
use support::{assert_close, assert_refused, file, open};

#[test]
fn resizing_is_pillow_s_to_one_of_255() {
    for (source, targets) in [
        (
            "resize-wide-97x41",
            &["wide-to-32x32", "wide-to-150x150", "wide-to-97x20"][..],
        ),
        ("resize-tall-33x120", &["tall-to-50x50", "tall-to-16x240"]),
        ("resize-dot-1x1", &["dot-to-7x5"]),
    ] {
        let source = open(&format!("{source}.png"));
        for target in targets {
            let expected = open(&format!("resize-{target}.png"));
            let got = resize(&source, expected.width, expected.height).expect(target);
            assert_close(target, &got, &expected, 1);
        }
    }
}

#[test]
fn resizing_to_the_same_size_changes_nothing() {
    let source = open("resize-wide-97x41.png");
    assert_eq!(resize(&source, 97, 41).expect("same size"), source);
}

#[test]
fn an_impossible_size_is_an_error() {
    let source = open("upright.png");
    assert!(matches!(resize(&source, 0, 10), Err(Error::Shape { .. })));
    let lying = Rgb {
        width: 100,
        ..source
    };
    assert!(matches!(resize(&lying, 10, 10), Err(Error::Shape { .. })));
    assert!(matches!(encode_png(&lying), Err(Error::Shape { .. })));
}

#[test]
fn every_format_gives_the_picture() {
    // What the two JPEG decoders round differently, measured: at most 2.
    for (name, expected, tolerance) in [
        ("format.jpg", "format-expected.png", 4),
        ("format-progressive.jpg", "format-expected.png", 4),
        ("format.webp", "format-expected.png", 0),
        ("format.bmp", "format-expected.png", 0),
        ("format.gif", "palette-expected.png", 0),
        ("palette.png", "palette-expected.png", 0),
        ("sixteen.png", "format-expected.png", 1),
        ("gray.jpg", "gray-expected.png", 2),
        ("cmyk.jpg", "cmyk-expected.png", 4),
    ] {
        assert_close(name, &open(name), &open(expected), tolerance);
    }
}

#[test]
fn all_eight_orientations_come_out_upright() {
    let upright = open("upright.png");
    for tag in 1..=8 {
        let name = format!("orientation-{tag}.jpg");
        assert_close(&name, &open(&name), &upright, 4);
    }
}

#[test]
fn png_written_here_is_read_here() {
    let image = open("resize-tall-33x120.png");
    let bytes = encode_png(&image).expect("a PNG");
    assert_eq!(decode("own.png", &bytes).expect("readable"), image);
}

#[test]
fn the_tensor_is_planar_and_normalised() {
    let image = Rgb {
        width: 2,
        height: 1,
        pixels: vec![0, 51, 255, 102, 0, 204],
    };
    let settings = Preprocess {
        size: 2,
        mean: [0.5, 0.25, 0.0],
        std: [0.5, 0.25, 2.0],
        ..Preprocess::default()
    };
    let expected = [-1.0, -0.2, -0.2, -1.0, 0.5, 0.4];
    for (got, expected) in to_tensor(&image, &settings).into_iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6, "{got} instead of {expected}");
    }
}

#[test]
fn loading_is_decoding_resizing_and_normalising() {
    let settings = Preprocess {
        size: 32,
        ..Preprocess::default()
    };
    let tensor = load("wide.png", &file("resize-wide-97x41.png"), &settings).expect("an image");
    let expected = to_tensor(&open("resize-wide-to-32x32.png"), &settings);
    assert_eq!(tensor.len(), 3 * 32 * 32);
    assert_eq!(tensor.len(), expected.len());
    // One of 255 at the smallest deviation, 0.224.
    let tolerance = 1.0 / 255.0 / 0.224 + 1e-6;
    let worst = tensor
        .iter()
        .zip(&expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(worst <= tolerance, "{worst}");
    assert!(load("none.png", b"", &settings).is_err());
}

#[test]
fn what_is_no_image_is_named() {
    assert_refused(b"", "empty (0 bytes)");
    assert_refused(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC");
    assert_refused(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC");
    assert_refused(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "AVIF");
    assert_refused(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video");
    assert_refused(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG");
    assert_refused(
        b"\xef\xbb\xbf\n<?xml version='1.0'?><!-- x --><SVG/>",
        "SVG",
    );
    assert_refused(b"<?xml version='1.0'?><feed/>", "XML");
    assert_refused(b"<!DOCTYPE html><title>404</title>", "web page");
    assert_refused(b"II*\0\x08\0\0\0", "TIFF");
    assert_refused(b"MM\0*\0\0\0\x08", "TIFF");
    assert_refused(b"%PDF-1.7", "PDF");
    assert_refused(b"PK\x03\x04\x14\0", "zip");
    assert_refused(b"just some words", "not an image");
    assert_refused(&[0xff], "not an image");
}

/// Nothing half-gray may pass for a photo. Of the GIF the first frame counts, which is its first half.
#[test]
fn a_truncated_file_is_refused_in_every_format() {
    for (name, percents) in [
        ("format.jpg", [10, 50, 90]),
        ("format-progressive.jpg", [10, 50, 90]),
        ("format.webp", [10, 50, 90]),
        ("format.bmp", [10, 50, 90]),
        ("format.gif", [5, 15, 40]),
        ("palette.png", [10, 50, 90]),
    ] {
        let whole = file(name);
        for percent in percents {
            let got = decode(name, &whole[..whole.len() * percent / 100]);
            assert!(
                matches!(got, Err(Error::Decode { .. })),
                "{name}: {percent} % of it pass"
            );
        }
    }
    let jpeg = file("format.jpg");
    // The rest of an interrupted download is often zeros.
    let mut zeros = jpeg.clone();
    zeros[jpeg.len() / 2..].fill(0);
    assert_refused(&zeros, "cut short");
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    for name in [
        "format.jpg",
        "format.webp",
        "format.bmp",
        "format.gif",
        "palette.png",
        "sixteen.png",
        "cmyk.jpg",
    ] {
        let whole = file(name);
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x5a;
            // Whether a flipped bit shows is the format's affair; that the answer is one of two is ours.
            if let Ok(image) = decode(name, &damaged) {
                assert_eq!(
                    image.pixels.len(),
                    image.width * image.height * 3,
                    "{name} at {at}"
                );
            }
        }
    }
}

/// Headers that promise 50 000 x 50 000 pixels and hold none: the answer comes from the header.
#[test]
fn too_many_pixels_are_refused_before_decoding() {
    let mut bmp = file("format.bmp");
    bmp[18..22].copy_from_slice(&50_000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&50_000_u32.to_le_bytes());
    assert_refused(&bmp, "2500 megapixels");

    let mut gif = file("format.gif");
    gif[6..10].copy_from_slice(&[0x50, 0xc3, 0x50, 0xc3]);
    assert_refused(&gif, "2500 megapixels");

    // The frame header FF C0: length, precision, height, width.
    let mut jpeg = file("format.jpg");
    let frame = jpeg
        .windows(2)
        .position(|w| w == [0xff, 0xc0])
        .expect("a baseline frame");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xc3, 0x50, 0xc3, 0x50]);
    assert_refused(&jpeg, "2500 megapixels");

    let mut png = file("palette.png");
    png[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    let crc = crc32fast::hash(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_refused(&png, "2500 megapixels");

    // A lossless WebP: after the first byte, 14 bits of width and 14 of height, less one each.
    let mut webp = file("format.webp");
    assert_eq!(&webp[12..16], b"VP8L");
    let size = (10_000 - 1) | (8000 - 1) << 14;
    webp[21..24].copy_from_slice(&u32::to_le_bytes(size)[..3]);
    webp[24] = webp[24] & 0xf0 | (size >> 24) as u8;
    assert_refused(&webp, "a WebP of 80 megapixels; at most 64");
}

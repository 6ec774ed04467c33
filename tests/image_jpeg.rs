//! JPEG of every kind: libjpeg-turbo's pixels to the bit, what browsers forgive, and a refusal for the rest.
#![cfg(feature = "data")]

#[path = "image/support.rs"]
mod support;

use retune::image::decode;
use support::{assert_close, assert_refused, file, open};

/// The fixtures that Pillow, hence libjpeg-turbo, decoded.
const KINDS: &[&str] = &[
    "444",
    "420",
    "422",
    "440",
    "411",
    "410",
    "third-wide",
    "third-high",
    "all-doubled",
    "uneven",
    "crosswise",
    "fine-chroma",
    "gray-doubled",
    "scans-each",
    "scans-each-422",
    "scans-each-4x4",
    "scans-luma-chroma",
    "scans-chroma-luma",
    "restart",
    "restart-scans",
    "height-behind",
    "rgb-adobe",
    "rgb-ids",
    "ids-0-1-2",
    "cmyk-adobe",
    "cmyk-unmarked",
    "ycck",
    "baseline",
    "progressive-420",
    "progressive-422",
    "progressive-restart",
    "progressive-gray",
];

fn jpeg(kind: &str) -> Vec<u8> {
    file(&format!("jpeg-{kind}.jpg"))
}

#[test]
fn every_kind_has_libjpeg_turbo_s_pixels() {
    for kind in KINDS {
        let expected = open(&format!("jpeg-{kind}.png"));
        assert_close(kind, &open(&format!("jpeg-{kind}.jpg")), &expected, 0);
    }
}

/// Where the first segment with a marker begins.
fn marker(bytes: &[u8], marker: u8) -> usize {
    bytes
        .windows(2)
        .position(|w| w == [0xff, marker])
        .unwrap_or_else(|| panic!("no marker {marker:x}"))
}

#[test]
fn what_does_not_touch_the_pixels_is_forgiven() {
    let whole = jpeg("420");
    let expected = open("jpeg-420.png");
    let (body, end) = whole.split_at(whole.len() - 2);
    let (start, rest) = whole.split_at(2);
    let noise: Vec<u8> = (1..240).collect();
    for (what, bytes) in [
        ("no end marker", body.to_vec()),
        ("zeros for an end marker", [body, &[0; 64]].concat()),
        (
            "a camera's trailer for an end marker",
            [body, b"SEFH\x01\0\0\0SEFT"].concat(),
        ),
        ("noise before the end marker", [body, &noise, end].concat()),
        (
            "zeros before the end marker",
            [body, &[0; 2226], end].concat(),
        ),
        ("noise behind", [&whole[..], &noise].concat()),
        ("zeros behind", [&whole[..], &[0; 4096]].concat()),
        ("another image behind", [&whole[..], &jpeg("444")].concat()),
        ("zeros between segments", [start, &[0; 3], rest].concat()),
        ("fill bytes", [start, &[0xff; 5], rest].concat()),
        ("a blank line before", [b"\r\n", &whole[..]].concat()),
        ("a comment", [start, b"\xff\xfe\0\x04hi", rest].concat()),
        (
            "broken EXIF",
            [start, b"\xff\xe1\0\x10Exif\0\0II*\0\xff\xff\xff\xff", rest].concat(),
        ),
        (
            "empty EXIF",
            [start, b"\xff\xe1\0\x08Exif\0\0", rest].concat(),
        ),
        (
            "a broken profile",
            [start, b"\xff\xe2\0\x12ICC_PROFILE\0\x01\x02xx", rest].concat(),
        ),
        ("a table of number 9", {
            [start, b"\xff\xdb\0\x43\x09", &[1; 64], rest].concat()
        }),
    ] {
        match decode(what, &bytes) {
            Ok(got) => assert_close(what, &got, &expected, 0),
            Err(e) => panic!("{e}"),
        }
    }
    // Every scan came: a progressive file and one of several scans need no end marker either.
    for kind in ["progressive-420", "scans-each"] {
        let whole = jpeg(kind);
        let got = decode(kind, &whole[..whole.len() - 2]).expect(kind);
        assert_close(kind, &got, &open(&format!("jpeg-{kind}.png")), 0);
    }
}

/// The scan headers of a file: where each begins, and where its data do.
fn scans(bytes: &[u8]) -> Vec<(usize, usize)> {
    (0..bytes.len() - 3)
        .filter(|&at| bytes[at..at + 2] == [0xff, 0xda])
        .map(|at| (at, at + 2 + usize::from(bytes[at + 3])))
        .collect()
}

/// libjpeg shows such files as they are. Pillow's pixels of this one are those of the same coefficients in one scan.
#[test]
fn a_script_that_leaves_out_the_finest_is_shown_and_a_coarse_one_is_not() {
    // Gray: the first coefficient, 1 to 5, 6 to 63, then their last bits.
    let whole = jpeg("progressive-gray");
    let headers = scans(&whole);
    let band = |&(at, _): &(usize, usize)| [whole[at + 7], whole[at + 8], whole[at + 9]];
    let bands: Vec<[u8; 3]> = headers.iter().map(band).collect();
    assert_eq!(bands.last().expect("scans")[0], 1, "{bands:?}");
    // Without any but the first: refused, as it needs smoothing.
    let cut = [&whole[..headers[1].0], b"\xff\xd9"].concat();
    assert_refused(&cut, "cut short");
    // The first coefficient and all bits of 1 to 20, all zeros: one code for each block ends its band.
    let mut bytes = whole[..headers[0].1].to_vec();
    let at = headers[0].0;
    // All bits at once, and no difference anywhere: a table of one code of one bit.
    bytes[at + 9] = 0;
    let table = |class: u8| [&b"\xff\xc4\0\x14"[..], &[class, 1], &[0; 15], &[0]].concat();
    let blocks = 35_usize.div_ceil(8) * 19_usize.div_ceil(8);
    let zeros = vec![0; blocks.div_ceil(8)];
    let tables = [table(0), table(0x10)].concat();
    bytes.splice(at..at, tables);
    bytes.extend(&zeros);
    for (first, last, shown) in [(1, 20, true), (1, 9, true), (1, 8, false), (2, 63, false)] {
        let band = [&b"\xff\xda\0\x08\x01\x01\0"[..], &[first, last, 0], &zeros].concat();
        let file = [&bytes, &band[..], b"\xff\xd9"].concat();
        if shown {
            let got = decode("band.jpg", &file).expect("shown");
            assert!(got.pixels.iter().all(|&v| v == 128));
            assert_refused(&file[..file.len() - 2], "cut short");
        } else {
            assert_refused(&file, "cut short");
        }
    }
}

#[test]
fn more_than_100_scans_are_refused() {
    let whole = jpeg("progressive-gray");
    let headers = scans(&whole);
    let mut bytes = whole[..headers[0].1].to_vec();
    let table = |class: u8| [&b"\xff\xc4\0\x14"[..], &[class, 1], &[0; 15], &[0]].concat();
    let zeros = [0; 2];
    bytes[headers[0].0 + 9] = 0;
    bytes.splice(headers[0].0..headers[0].0, [table(0), table(0x10)].concat());
    bytes.extend(zeros);
    // Each coefficient alone, at first its second bit and above, then the first.
    for bits in [1, 0x10] {
        for k in 1..64 {
            bytes.extend(b"\xff\xda\0\x08\x01\x01\0");
            bytes.extend([k, k, bits, 0, 0]);
        }
    }
    bytes.extend(b"\xff\xd9");
    assert_refused(&bytes, "more than 100 scans");
}

/// Frames of motion JPEG leave out the tables that T.81 gives as examples, which Pillow writes.
#[test]
fn the_standard_huffman_tables_are_known() {
    let mut bytes = jpeg("baseline");
    for _ in 0..4 {
        let at = marker(&bytes, 0xc4);
        let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        bytes.drain(at..at + 2 + length);
    }
    let got = decode("motion.jpg", &bytes).expect("decoded");
    assert_close("motion", &got, &open("jpeg-baseline.png"), 0);
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    for kind in [
        "420",
        "scans-each",
        "restart",
        "progressive-420",
        "gray-doubled",
    ] {
        let whole = jpeg(kind);
        let data = whole.len() - 2;
        for n in 2..data {
            assert!(
                decode(kind, &whole[..n]).is_err(),
                "{kind}: {n} of {data} bytes pass"
            );
            let with_end = [&whole[..n], b"\xff\xd9"].concat();
            assert!(
                decode(kind, &with_end).is_err(),
                "{kind}: {n} bytes and an end pass"
            );
            // The rest of an interrupted download is often zeros.
            let mut zeros = whole.clone();
            zeros[n..].fill(0);
            assert!(
                decode(kind, &zeros).is_err(),
                "{kind}: zeros from {n} of {data} on pass"
            );
        }
        assert_refused(&whole[..data * 3 / 4], "cut short");
    }
}

#[test]
fn what_is_not_decoded_is_named() {
    let whole = jpeg("420");
    let frame = marker(&whole, 0xc0);
    for (sof, reason) in [
        (0xc3, "lossless"),
        (0xc5, "hierarchical"),
        (0xc9, "arithmetic"),
        (0xca, "arithmetic"),
        (0xf7, "JPEG-LS"),
    ] {
        let mut bytes = whole.clone();
        bytes[frame + 1] = sof;
        assert_refused(&bytes, reason);
    }
    // Length, precision, height, width, number of components; then id, sampling, table of each.
    for (at, value, reason) in [
        (4, 12, "12-bit"),
        (9, 2, "neither 1, 3 nor 4"),
        (14, 0x31, "fraction"),
        (11, 0x50, "damaged JPEG"),
        (12, 3, "damaged JPEG"),
        (8, 0, "damaged JPEG"),
    ] {
        let mut bytes = whole.clone();
        bytes[frame + at] = value;
        if value == 0x31 {
            bytes[frame + 11] = 0x22;
        }
        assert_refused(&bytes, reason);
    }
    // No two restart markers may change places.
    let mut bytes = jpeg("restart");
    let first = marker(&bytes, 0xd0);
    bytes[first + 1] = 0xd1;
    assert_refused(&bytes, "damaged JPEG");
    assert_refused(b"\xff\xd8\xff\xd9", "damaged JPEG");
}

/// EXIF in front of the pixels of `orientation-6.jpg`, whose own is taken out.
fn held(exif: &[u8]) -> Vec<u8> {
    let mut bytes = file("orientation-6.jpg");
    let at = marker(&bytes, 0xe1);
    let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    let mut segment = vec![0xff, 0xe1];
    segment.extend((exif.len() as u16 + 8).to_be_bytes());
    segment.extend(b"Exif\0\0");
    segment.extend(exif);
    bytes.splice(at..at + 2 + length, segment);
    bytes
}

#[test]
fn orientation_is_read_in_every_type_and_nonsense_is_none() {
    let upright = open("upright.png");
    let tiff = |kind: u8, value: [u8; 4]| {
        let head = b"II*\0\x08\0\0\0\x01\0\x12\x01";
        [&head[..], &[kind, 0, 1, 0, 0, 0], &value, &[0; 4]].concat()
    };
    for kind in [1, 3, 4] {
        let got = decode("held.jpg", &held(&tiff(kind, [6, 0, 0, 0]))).expect("decoded");
        assert_close(&format!("type {kind}"), &got, &upright, 4);
    }
    let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let got = decode("held.jpg", &held(big)).expect("decoded");
    assert_close("big-endian", &got, &upright, 4);
    let mut behind_xmp = held(&tiff(3, [6, 0, 0, 0]));
    behind_xmp.splice(2..2, *b"\xff\xe1\0\x1fhttp://ns.adobe.com/xap/1.0/\0");
    let got = decode("held.jpg", &behind_xmp).expect("decoded");
    assert_close("behind XMP", &got, &upright, 4);
    for value in [[0; 4], [9, 0, 0, 0], [0xff; 4]] {
        let got = decode("held.jpg", &held(&tiff(3, value))).expect("decoded");
        assert_eq!(
            (got.width, got.height),
            (upright.height, upright.width),
            "{value:?}"
        );
    }
}

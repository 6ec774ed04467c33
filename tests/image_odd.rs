//! BMP, GIF and WebP whose headers are odd: shown as other programs show them, or refused where those disagree.
#![cfg(feature = "data")]

#[path = "image/support.rs"]
mod support;

use retune::image::{Rgb, Transparency, decode, decode_with};
use support::{assert_close, assert_refused, file, open};

#[track_caller]
fn shown(what: &str, bytes: &[u8]) -> Rgb {
    decode(what, bytes).unwrap_or_else(|e| panic!("{what}: {e}"))
}

/// A BMP of 40 bytes of header. The palette is blue, green, red and nothing each.
fn bmp(
    (width, height): (i32, i32),
    bits: u16,
    packing: u32,
    palette: &[u8],
    rows: &[u8],
) -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    let pixels = 54 + palette.len() as u32;
    bytes.extend((pixels + rows.len() as u32).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(pixels.to_le_bytes());
    bytes.extend(40_u32.to_le_bytes());
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend([1, 0]);
    bytes.extend(bits.to_le_bytes());
    bytes.extend(packing.to_le_bytes());
    bytes.extend([0; 12]);
    bytes.extend((palette.len() as u32 / 4).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(palette);
    bytes.extend(rows);
    bytes
}

const PALETTE: [u8; 12] = [9, 8, 7, 0, 30, 20, 10, 0, 60, 50, 40, 0];
const COLOURS: [[u8; 3]; 3] = [[7, 8, 9], [10, 20, 30], [40, 50, 60]];

/// Pixels of the palette, from the top.
fn colours(numbers: &[usize]) -> Vec<u8> {
    numbers.iter().flat_map(|&n| COLOURS[n]).collect()
}

#[test]
fn the_place_of_a_bmp_s_pixels_is_found_or_refused() {
    let rgb = bmp((1, -2), 24, 0, &[], &[3, 2, 1, 0, 6, 5, 4, 0]);
    let numbers = bmp((2, -1), 8, 0, &PALETTE, &[2, 1, 0, 0]);
    for (bytes, pixels) in [(rgb, vec![1, 2, 3, 4, 5, 6]), (numbers, colours(&[2, 1]))] {
        let indexed = bytes[28] == 8;
        assert_eq!(shown("as it is", &bytes).pixels, pixels);
        for (at, found) in [(0, true), (54, true), (53, false), (14, false), (1, false)] {
            let mut odd = bytes.clone();
            odd[10] = at;
            if found {
                assert_eq!(shown(&format!("{at}, {indexed}"), &odd).pixels, pixels);
            } else {
                assert_refused(&odd, "its pixels lie in its header");
            }
        }
        let mut odd = bytes.clone();
        odd[26] = 0;
        assert_eq!(shown("no plane", &odd).pixels, pixels);
        odd = bytes.clone();
        odd.pop();
        assert_eq!(shown("no filling", &odd).pixels, pixels);
        odd.truncate(bytes.len() - 3);
        assert_refused(&odd, "cut short");
        // The header of OS/2.
        for (header, more) in [(16_u8, -24_i32), (64, 24)] {
            let size = usize::from(header);
            let mut fields = bytes[14..54].to_vec();
            fields.resize(size.max(40), 0);
            fields.truncate(size);
            fields[0] = header;
            // Without a number of colours, there are all of them.
            let palette = if indexed { 1024 } else { 0 };
            let used = if header == 64 { bytes[46] } else { 0 };
            let mut odd = [&bytes[..14], &fields, &bytes[54..]].concat();
            if indexed && used == 0 {
                let behind = 14 + size + PALETTE.len();
                odd.splice(behind..behind, vec![0; palette - PALETTE.len()]);
                odd[10..14].copy_from_slice(&((14 + size + palette) as u32).to_le_bytes());
            } else {
                odd[10] = (i32::from(bytes[10]) + more) as u8;
            }
            assert_eq!(shown(&format!("OS/2, {header}"), &odd).pixels, pixels);
        }
    }
    let many = [&PALETTE[..], &[0; 1188]].concat();
    let odd = bmp((2, -1), 8, 0, &many, &[2, 1, 0, 0]);
    assert_eq!(shown("300 colours", &odd).pixels, colours(&[2, 1]));
}

#[test]
fn runs_that_leave_pixels_out_are_refused() {
    // From the bottom.
    let picture = colours(&[2, 2, 1, 0, 1, 2]);
    let whole: [&[u8]; 4] = [
        &[0, 3, 0, 1, 2, 0, 0, 0, 2, 2, 1, 1, 0, 0, 0, 1],
        &[0, 3, 0, 1, 2, 0, 0, 0, 2, 2, 1, 1, 0, 1],
        &[0, 3, 0, 1, 2, 0, 0, 0, 2, 2, 1, 1, 0, 0],
        &[0, 2, 0, 0, 1, 0, 1, 1, 1, 2, 0, 0, 2, 2, 1, 1, 0, 1],
    ];
    for (i, rows) in whole.iter().enumerate() {
        let bytes = bmp((3, 2), 8, 1, &PALETTE, rows);
        assert_eq!(shown(&format!("runs {i}"), &bytes).pixels, picture);
    }
    let gaps: [&[u8]; 5] = [
        &[0, 2, 1, 0, 2, 1, 0, 0, 3, 1, 0, 1],
        &[1, 1, 0, 2, 0, 1, 2, 1, 0, 1],
        &[1, 1, 0, 0, 3, 1, 0, 1],
        &[3, 1, 0, 0, 1, 1, 0, 1],
        &[3, 1, 0, 1],
    ];
    for rows in gaps {
        assert_refused(&bmp((3, 2), 8, 1, &PALETTE, rows), "leaves pixels out");
    }
    assert_refused(&bmp((3, 2), 8, 1, &PALETTE, &[3, 1, 0, 0]), "cut short");
    let nibbles = bmp((3, 1), 4, 2, &PALETTE, &[0, 3, 0x01, 0x20, 0, 1]);
    assert_eq!(shown("4 bits", &nibbles).pixels, colours(&[0, 1, 2]));
    assert_refused(
        &bmp((3, 1), 4, 2, &PALETTE, &[2, 0x01, 0, 1]),
        "leaves pixels out",
    );
}

#[test]
fn a_gif_s_first_frame_is_shown_whole() {
    let whole = file("format.gif");
    let expected = open("palette-expected.png");
    for (width, height) in [(0, 0), (1, 1), (40, 10), (10, 30)] {
        let mut bytes = whole.clone();
        bytes[6..10].copy_from_slice(&[width, 0, height, 0]);
        assert_close("screen", &shown("a.gif", &bytes), &expected, 0);
    }
    // A frame that does not begin in the corner reaches farther.
    let frame = whole
        .windows(10)
        .position(|w| w == [0x2c, 0, 0, 0, 0, 40, 0, 30, 0, w[9]])
        .expect("a frame");
    let mut bytes = whole.clone();
    bytes[frame + 1] = 5;
    bytes[frame + 3] = 7;
    let got = shown("a.gif", &bytes);
    assert_eq!((got.width, got.height), (45, 37));
    assert_eq!(got.pixels[..3], [255; 3]);
    let corner = (7 * 45 + 5) * 3;
    assert_eq!(got.pixels[corner..corner + 3], expected.pixels[..3]);
    for n in [5, 12, 20, frame, frame + 8, frame + 200] {
        assert_refused(
            &whole[..n.min(whole.len() / 3)],
            if n < 6 { "" } else { "cut short" },
        );
    }
    let empty = [&whole[..frame], b";"].concat();
    assert_refused(&empty, "without a picture");
}

/// What the first frame of an animation leaves free is transparent.
#[test]
fn a_webp_s_first_frame_lies_on_nothing() {
    let still = file("format.webp");
    let chunk = |kind: &[u8], body: &[u8]| {
        let mut bytes = [kind, &(body.len() as u32).to_le_bytes(), body].concat();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    };
    let three = |n: u32| n.to_le_bytes()[..3].to_vec();
    let alpha = |flag: u8| {
        let frame = [
            three(2),
            three(3),
            three(39),
            three(29),
            three(100),
            // Not blended, in which the decoder loses up to 1 of 255.
            vec![2],
            still[12..].to_vec(),
        ]
        .concat();
        let canvas = [vec![2 | flag, 0, 0, 0], three(49), three(39)].concat();
        let body = [
            b"WEBP".to_vec(),
            chunk(b"VP8X", &canvas),
            chunk(b"ANIM", &[1, 2, 3, 255, 0, 0]),
            chunk(b"ANMF", &frame),
        ]
        .concat();
        chunk(b"RIFF", &body)
    };
    let scene = open("format-expected.png");
    for flag in [0, 0x10] {
        for (transparency, free) in [(Transparency::White, 255), (Transparency::Dropped, 0)] {
            let got =
                decode_with("a.webp", &alpha(flag), transparency).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!((got.width, got.height), (50, 40));
            for (i, pixel) in got.pixels.as_chunks::<3>().0.iter().enumerate() {
                let (x, y) = ((i % 50).wrapping_sub(4), (i / 50).wrapping_sub(6));
                let expected = if x < 40 && y < 30 {
                    let at = (y * 40 + x) * 3;
                    &scene.pixels[at..at + 3]
                } else {
                    &[free; 3]
                };
                assert_eq!(pixel, expected, "{flag}, pixel {i}");
            }
        }
    }
}

/// A BMP of a pixel in 32 bits, with a header of 40 bytes and masks behind it for packing 6, or one of 124 bytes.
fn bmp_with_alpha(packing: u32, pixels: [u8; 8]) -> Vec<u8> {
    let header: u32 = if packing == 6 { 40 } else { 124 };
    let masks = [0xff_0000_u32, 0xff00, 0xff, 0xff00_0000]
        .map(u32::to_le_bytes)
        .concat();
    let mut bytes = b"BM".to_vec();
    let at = 14 + header.max(56);
    bytes.extend((at + 8).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(at.to_le_bytes());
    bytes.extend(header.to_le_bytes());
    bytes.extend(2_i32.to_le_bytes());
    bytes.extend(1_i32.to_le_bytes());
    bytes.extend([1, 0, 32, 0]);
    bytes.extend(packing.to_le_bytes());
    bytes.extend([0; 20]);
    bytes.extend(masks);
    bytes.resize(at as usize, 0);
    bytes.extend(pixels);
    bytes
}

#[test]
fn an_alpha_channel_that_nobody_filled_is_none() {
    // Chromium shows both so: all of alpha at 0 is as if there were none.
    let unfilled = [10, 20, 30, 0, 40, 50, 60, 0];
    for packing in [3, 6] {
        let image = shown("alpha of 0", &bmp_with_alpha(packing, unfilled));
        assert_eq!(image.pixels, [30, 20, 10, 60, 50, 40], "packing {packing}");
    }
    let filled = [10, 20, 30, 0, 40, 50, 60, 255];
    let image = shown("some alpha", &bmp_with_alpha(3, filled));
    assert_eq!(image.pixels, [255, 255, 255, 60, 50, 40]);
}

#[test]
fn comments_between_the_samples_of_a_plain_pnm_are_passed_over() {
    let gray = shown(
        "P2",
        b"P2\n# made by hand\n2 2\n255\n1 2 # first row\n3 4\n",
    );
    assert_eq!(gray.pixels, [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    // In the others # is a sample.
    assert_eq!(
        shown("P5", b"P5 2 1 255\n#\n").pixels,
        [35, 35, 35, 10, 10, 10]
    );
}

#[test]
fn a_png_of_which_no_checksum_is_right_is_refused() {
    let pixels: Vec<u8> = (0..60 * 40 * 3).map(|i| (i * i / 7 % 251) as u8).collect();
    let image = Rgb {
        width: 60,
        height: 40,
        pixels,
    };
    let whole = retune::image::encode_png(&image).expect("a PNG");
    assert_eq!(shown("whole", &whole).pixels, image.pixels);
    for cut in (60..whole.len() - 13).step_by(97) {
        // What an interrupted download leaves.
        let mut zeros = whole.clone();
        zeros[cut..].fill(0);
        assert!(
            decode("zero tail", &zeros).is_err(),
            "{cut} of {}",
            whole.len()
        );
        let mut flipped = whole.clone();
        flipped[cut] ^= 0x10;
        assert!(
            decode("a bit", &flipped).is_err(),
            "{cut} of {}",
            whole.len()
        );
    }
    // One wrong checksum of the two is forgiven: the other proves the pixels.
    let data = whole.windows(4).position(|w| w == b"IDAT").expect("data");
    let length = u32::from_be_bytes(whole[data - 4..data].try_into().expect("four")) as usize;
    let mut crc = whole.clone();
    crc[data + 4 + length] ^= 1;
    assert_eq!(
        shown("wrong checksum of the chunk", &crc).pixels,
        image.pixels
    );
}

/// The rest of an interrupted download is often zeros, which the decoder takes for codes.
#[test]
fn a_webp_whose_image_data_end_in_zeros_is_cut_short() {
    let data = [vec![7; 200], vec![0; 100]].concat();
    let mut webp = b"RIFF\0\0\0\0WEBPVP8 ".to_vec();
    webp.extend((data.len() as u32).to_le_bytes());
    webp.extend(data);
    assert_refused(&webp, "cut short");
    let padded = [file("format.webp"), vec![0; 5000]].concat();
    let whole = shown("format.webp", &file("format.webp"));
    assert_eq!(shown("zeros behind it", &padded).pixels, whole.pixels);
}

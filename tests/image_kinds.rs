//! Images of every format and with every oddity that is read; and names for the files that are none.
#![cfg(feature = "data")]

#[path = "image/support.rs"]
mod support;

use retune::image::{Kind, MAX_PIXELS, MAX_PIXELS_KEPT, Rgb, Transparency, decode, decode_with};
use support::{assert_close, assert_refused, file, open};

fn dropped(name: &str) -> Rgb {
    decode_with(name, &file(name), Transparency::Dropped).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn pnm_of_every_kind_has_its_pixels() {
    let rgb = [10, 20, 30, 40, 50, 60];
    let gray = [7, 7, 7, 200, 200, 200];
    let bits = [0, 0, 0, 255, 255, 255];
    for (bytes, expected) in [
        (&b"P6\n2 1\n255\n\x0a\x14\x1e\x28\x32\x3c"[..], rgb),
        (b"P6 # by hand\n2 1 255\n\x0a\x14\x1e\x28\x32\x3c", rgb),
        (b"P3\n2 1\n255\n10 20 30\n40 50 60\n", rgb),
        (b"P5\n2 1\n255\n\x07\xc8", gray),
        (b"P2\n2 1\n255\n7 200\n", gray),
        (b"P5\n2 1\n65535\n\x07\x07\xc8\xc8", gray),
        (b"P1\n2 1\n1 0\n", bits),
        (b"P4\n2 1\n\x80", bits),
    ] {
        let what = String::from_utf8_lossy(&bytes[..2]).into_owned();
        let image = decode(&what, bytes).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((image.width, image.height), (2, 1), "{what}");
        assert_eq!(image.pixels, expected, "{what}");
    }
    assert_refused(b"P6\n2 1\n255\n\x0a\x14\x1e\x28", "cut short");
    assert_refused(b"P2\n2 1\n100\n7 # of 100\n200\n", "a sample of 200");
}

type Chunk = (Vec<u8>, Vec<u8>, u32);

fn chunks(png: &[u8]) -> Vec<Chunk> {
    let mut rest = &png[8..];
    let mut chunks = Vec::new();
    while let Some((&length, _)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(length) as usize;
        let (kind, body) = (rest[4..8].to_vec(), rest[8..8 + length].to_vec());
        let crc = crc32fast::hash(&rest[4..8 + length]);
        chunks.push((kind, body, crc));
        rest = &rest[12 + length..];
    }
    chunks
}

fn chunk(kind: &[u8], body: &[u8]) -> Chunk {
    let crc = crc32fast::hash(&[kind, body].concat());
    (kind.to_vec(), body.to_vec(), crc)
}

fn png(chunks: &[Chunk]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body, crc) in chunks {
        bytes.extend((body.len() as u32).to_be_bytes());
        bytes.extend([&kind[..], body].concat());
        bytes.extend(crc.to_be_bytes());
    }
    bytes
}

#[test]
fn what_does_not_touch_a_png_s_pixels_is_forgiven() {
    let expected = open("format-expected.png");
    for name in ["interlaced.png", "animated.png"] {
        assert_close(name, &open(name), &expected, 0);
    }
    let whole = file("format-expected.png");
    let parts = chunks(&whole);
    let data = parts.iter().position(|c| c.0 == b"IDAT").expect("data");
    let end = parts.len() - 1;
    let with = |change: &dyn Fn(&mut Vec<Chunk>)| {
        let mut parts = parts.clone();
        change(&mut parts);
        png(&parts)
    };
    let bad_sum = |parts: &mut Vec<Chunk>| {
        let body = &mut parts[data].1;
        let last = body.len() - 1;
        body[last] ^= 1;
        parts[data] = chunk(b"IDAT", &parts[data].1);
    };
    for (what, bytes) in [
        ("no end chunk", with(&|p| p.truncate(end))),
        (
            "a wrong CRC of text",
            with(&|p| {
                p.insert(1, (b"tEXt".to_vec(), b"Comment\0hi".to_vec(), 1));
            }),
        ),
        (
            "a broken profile",
            with(&|p| p.insert(1, chunk(b"iCCP", b"x\0\0garbage"))),
        ),
        ("a wrong CRC of the data", with(&|p| p[data].2 ^= 1)),
        ("a wrong checksum in the data", with(&bad_sum)),
        ("zeros behind", [&whole[..], &[0; 999]].concat()),
    ] {
        match decode(what, &bytes) {
            Ok(got) => assert_close(what, &got, &expected, 0),
            Err(e) => panic!("{e}"),
        }
    }
    // With both sums wrong, nothing vouches for the pixels.
    assert_refused(
        &with(&|p| {
            bad_sum(p);
            p[data].2 ^= 1;
        }),
        "damaged PNG",
    );
    let strange = with(&|p| p.insert(1, chunk(b"ABcD", b"")));
    let reason = decode("strange", &strange).unwrap_err().to_string();
    assert!(!reason.contains("ChunkType"), "{reason}");
    let half = parts[data].1.len() / 2;
    assert_refused(
        &with(&|p| {
            p[data] = chunk(b"IDAT", &parts[data].1[..half]);
            p.truncate(end);
        }),
        "cut short",
    );
    assert_refused(&whole[..whole.len() - 30], "cut short");
    assert_refused(
        &with(&|p| p.insert(0, chunk(b"CgBI", b"\x50\0\x20\x02"))),
        "CgBI",
    );
}

#[test]
fn png_and_webp_come_upright() {
    for name in ["orientation-6.png", "orientation-6.webp"] {
        assert_close(name, &open(name), &open("upright.png"), 0);
    }
    // As a JPEG has it.
    let mut parts = chunks(&file("orientation-6.png"));
    let exif = parts.iter_mut().find(|c| c.0 == b"eXIf").expect("EXIF");
    *exif = chunk(b"eXIf", &[b"Exif\0\0", &exif.1[..]].concat());
    let got = decode("a.png", &png(&parts)).expect("opened");
    assert_close("with a beginning", &got, &open("upright.png"), 0);
}

/// The `png` crate panics on some of these.
#[test]
fn a_palette_that_is_none_is_refused_or_left_out() {
    let parts = chunks(&file("palette.png"));
    let at = parts.iter().position(|c| c.0 == b"PLTE").expect("PLTE");
    let colours = parts[at].1.clone();
    let with = |palette: &[u8], transparency: Option<&[u8]>| {
        let mut parts = parts.clone();
        parts[at] = chunk(b"PLTE", palette);
        if let Some(body) = transparency {
            parts.insert(at + 1, chunk(b"tRNS", body));
        }
        png(&parts)
    };
    for n in [0, 1, 2, 4, 5, 47, 767, 769, 771, 3000] {
        assert_refused(&with(&vec![9; n], None), "its palette");
        assert_refused(&with(&vec![9; n], Some(&[7; 5])), "its palette");
    }
    let expected = open("palette-expected.png");
    // More colours than the depth has numbers for, and more transparency than colours: neither shows.
    for bytes in [
        with(&[&colours[..], &[9; 300]].concat(), None),
        with(&colours, Some(&[0; 256])),
        with(&colours, Some(&[])),
    ] {
        let got = decode("a.png", &bytes).expect("opened");
        assert_close("palette", &got, &expected, 0);
    }
    // A number beyond the palette is black.
    let got = decode("a.png", &with(&colours[..3], None)).expect("opened");
    let (pixels, first) = (
        got.pixels.as_chunks::<3>().0,
        [colours[0], colours[1], colours[2]],
    );
    assert!(pixels.iter().all(|&p| p == [0; 3] || p == first));
    let mut parts = chunks(&file("format-expected.png"));
    for n in [0, 7, 771, 3000] {
        parts.insert(1, chunk(b"PLTE", &vec![9; n]));
        let got = decode("a.png", &png(&parts)).expect("opened");
        assert_close("no palette needed", &got, &open("format-expected.png"), 0);
        parts.remove(1);
    }
}

#[test]
fn extreme_sides_are_refused() {
    for (width, height) in [
        (100_001_u32, 1_u32),
        (1, 100_001),
        (51_000_000, 1),
        (1, 50_000_000),
    ] {
        let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
        header.extend([1, 0, 0, 0, 0]);
        let bytes = png(&[
            chunk(b"IHDR", &header),
            chunk(b"IDAT", &[]),
            chunk(b"IEND", &[]),
        ]);
        assert_refused(&bytes, "at most 100000 along a side");
    }
}

/// Over white, each channel is its share of alpha and the rest white.
#[test]
fn transparency_is_laid_over_white_or_dropped_as_asked() {
    let scene = open("format-expected.png");
    let over: Vec<u8> = (scene.pixels.chunks(3).enumerate())
        .flat_map(|(i, pixel)| {
            let alpha = (i % 40 * 6) as f64 / 255.0;
            [0, 1, 2].map(|c| (f64::from(pixel[c]) * alpha + 255.0 * (1.0 - alpha)).round() as u8)
        })
        .collect();
    let white = Rgb {
        pixels: over,
        ..scene.clone()
    };
    for name in ["alpha.png", "alpha.webp"] {
        assert_close(name, &open(name), &white, 0);
        assert_close(name, &dropped(name), &scene, 0);
    }
    for name in ["transparent.png", "transparent.gif"] {
        assert_close(name, &open(name), &open("transparent-expected.png"), 0);
    }
}

/// A gray JPEG of one level: in the tables of the fixtures all its codes are zeros, 12 bits a block.
fn flat_jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = file("jpeg-gray-doubled.jpg");
    let at = |bytes: &[u8], marker| bytes.windows(2).position(|w| w == [0xff, marker]);
    let frame = at(&bytes, 0xc0).expect("a frame");
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    let scan = at(&bytes, 0xda).expect("a scan");
    bytes.truncate(scan + 10);
    let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8);
    bytes.resize(bytes.len() + (blocks * 12).div_ceil(8), 0);
    bytes.extend([0xff, 0xd9]);
    bytes
}

#[test]
fn photos_beyond_the_kept_size_come_out_at_half() {
    let (width, height) = (10_401_u16, 5001_u16);
    assert!(u64::from(width) * u64::from(height) > MAX_PIXELS_KEPT);
    let image = decode("large.jpg", &flat_jpeg(width, height)).expect("decoded");
    assert_eq!((image.width, image.height), (5201, 2501));
    assert_eq!(image.pixels.len(), 5201 * 2501 * 3);
    assert!(image.pixels.iter().all(|&v| v == 128));
    let image = decode("kept.jpg", &flat_jpeg(1024, 768)).expect("decoded");
    assert_eq!((image.width, image.height), (1024, 768));
    const { assert!(15_000 * 15_000 > MAX_PIXELS) };
    assert_refused(&flat_jpeg(15_000, 15_000), "225 megapixels");
}

#[test]
fn files_are_told_by_content() {
    for (kind, starts) in [
        (Kind::Heic, &[
            &b"\0\0\0\x24ftypheic\0\0\0\0mif1"[..],
            b"\0\0\0\x18ftypmif1",
            b"\0\0\0\x14ftypheif\0\0\0\0heif",
            b"\0\0\0\x14ftypjpeg\0\0\0\0mif1",
            b"\0\0\0\x14ftypavci\0\0\0\0mif1",
            b"\0\0\0\x14ftypABCD\0\0\0\0miaf",
            // Brands beyond the box are none.
            b"\0\0\0\x14ftypmif1\0\0\0\0mif1\0\0\0\x20avif",
        ][..]),
        (Kind::Avif, &[
            b"\0\0\0\x1cftypavif",
            b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf",
            b"\0\0\0\x18ftypmsf1\0\0\0\0avismsf1",
            b"\0\0\0\x18ftypmiaf\0\0\0\0MA1Bavif",
        ]),
        (Kind::OtherImage, &[
            b"\x0a\x05\x01\x08\0\0\0\0",
            b"\x01\xda\0\x01\0\x03",
            b"\xd7\xcd\xc6\x9a\0\0",
            b"\x01\0\0\0\x6c\0\0\0____________________________\0\0\0\0 EMF\0",
            b"AT&TFORM\0\0\0\x10DJVU",
            b"\0\0\x02\0____TRUEVISION-XFILE.\0",
            b"#?RGBE\nFORMAT",
            b"#define a_width 16\n#define a_height 16\n",
        ]),
        (Kind::Jxl, &[b"\xff\x0a\x01", b"\0\0\0\x0cJXL \r\n"]),
        (Kind::Jpeg2000, &[b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"]),
        (Kind::Raw, &[
            b"\0\0\0\x18ftypcrx \0\0\0\x01",
            b"II*\0\x10\0\0\0CR\x02\0",
            b"FUJIFILMCCD-RAW 0201",
            b"\0MRM\0\0\x01\0",
            b"IIIIRawT",
            // A DNG's version; a preview with the photo below.
            b"II*\0\x08\0\0\0\x01\0\x12\xc6\x01\0\x04\0\0\0\x01\x04\0\0",
            b"MM\0*\0\0\0\x08\0\x02\0\xfe\0\x04\0\0\0\x01\0\0\0\x01\x01\x4a\0\x04\0\0\0\x01\0\0\0\0",
        ]),
        (Kind::Tiff, &[b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0"]),
        (Kind::Photoshop, &[b"8BPS\0\x01"]),
        (Kind::Ico, &[b"\0\0\x01\0\x02\0\x10\x10"]),
        (Kind::Svg, &[b"<svg xmlns=", b"<!-- <html> --><svg>", b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC 'x'>", b"\xef\xbb\xbf\n<?xml version='1.0'?><!-- x --><SVG/>"]),
        (Kind::Html, &[b"<!DOCTYPE html><title>404</title>", b"\n<html>", b"<HEAD></HEAD>",
            b"<!-- saved from --><html>", b"<!-- cut", b"<!-- a --> <!-- b -->\n<H1>404</H1>", b"<h1>404 Not Found</h1>",
            b"<div class=x>", b"<br />\n<b>Warning</b>: ", b"<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'><html>",
            b"\xff\xfe<\0h\0t\0m\0l\0>\0", b"<p>no image of <svg>"]),
        (Kind::Xml, &[b"<?xml version='1.0'?><feed/>", b"<?xml version='1.0'?><!-- <html> --><a/>", b"<feed/>",
            b"<?xml version='1.0'?><!-- cut", b"<?xml vers"]),
        (Kind::Json, &[b"{\"error\": \"not found\"}", b"[{\"a\":1}]", b"[\n  {\"a\":1}]"]),
        (Kind::Csv, &[b"name,label\na.jpg,1\n", b"a\tb\n1\t2\n"]),
        (Kind::Text, &[b"just some words", b"BMW and other cars", b"BMW 320d\nred", b"P6 is a road", b"#!?"]),
        (Kind::Video, &[b"\0\0\0\x18ftypmp42\0\0\0\0isom", b"\0\0\0\x18ftypqt  \0\0\0\0qt  ",
            b"\0\0\0\x18ftypABCD\0\0\0\0isommp42", b"RIFF\0\0\0\0AVI LIST"]),
        (Kind::Audio, &[b"ID3\x03", b"RIFF\0\0\0\0WAVEfmt "]),
        (Kind::Pdf, &[b"%PDF-1.7", b"\n%PDF-1.7"]),
        (Kind::Zip, &[b"PK\x03\x04\x14\0"]),
        (Kind::Rar, &[b"Rar!\x1a\x07\x01\0"]),
        (Kind::SevenZip, &[b"7z\xbc\xaf\x27\x1c"]),
        (Kind::Gzip, &[b"\x1f\x8b\x08"]),
        (Kind::Hdf5, &[b"\x89HDF\r\n\x1a\n"]),
        (Kind::Weights, &[b"\x80\x02}q\0", b"\x60\0\0\0\0\0\0\0{\"a\":"]),
        (Kind::Arrays, &[b"\x93NUMPY\x01\0"]),
        (Kind::LfsPointer, &[b"version https://git-lfs.github.com/spec/v1\noid sha256:"]),
        (Kind::AppleDouble, &[b"\0\x05\x16\x07\0\x02\0\0Mac OS X"]),
        (Kind::Zeros, &[&[0; 512]]),
        (Kind::Empty, &[b""]),
        (Kind::Program, &[b"MZ\x78\0\x01\0"]),
        (Kind::Unknown, &[b"\0\0\0\x14ftypABCD\0\0\0\0EFGH", b"\xff", b"\x01\x02\x03\x04\x05", b"\x8a\xb3\x10"]),
    ] {
        for bytes in starts {
            let start = String::from_utf8_lossy(bytes).into_owned();
            let expected = if start.starts_with("P6") { Kind::Pnm } else { kind };
            assert_eq!(Kind::of_bytes(bytes), expected, "{start:?}");
            let refused = decode("photo.jpg", bytes).expect_err(&start).reason();
            assert_eq!(kind.refusal().is_none_or(|r| r == refused), expected == kind, "{refused}");
        }
    }
    for name in [
        "format.jpg",
        "format.webp",
        "format.bmp",
        "format.gif",
        "palette.png",
        "tiff-raw.tif",
    ] {
        let kind = Kind::of_bytes(&file(name));
        assert!(kind.is_decoded() && kind.refusal().is_none(), "{name}");
        assert_eq!(kind, Kind::of_name(name), "{name}");
    }
    assert!(Kind::Avif.by_browser() && !Kind::Avif.is_decoded() && !Kind::Svg.by_browser());
    // A Targa need not say that it is one.
    let targa = [
        0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 9, 0, 24, 0, 1, 2, 3,
    ];
    let said = |name| decode(name, &targa).expect_err("refused").reason();
    assert_eq!(Some(&*said("a.tga")), Kind::OtherImage.refusal());
    assert_eq!(Some(&*said("a.jpg")), Kind::Unknown.refusal());
}

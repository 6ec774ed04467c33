//! Kinds by first bytes.

use super::{Kind, text};

/// What files of a kind begin with.
const MAGIC: &[(&[u8], Kind)] = &[
    (b"\x89PNG\r\n\x1a\n", Kind::Png),
    (b"GIF87a", Kind::Gif),
    (b"GIF89a", Kind::Gif),
    (b"\xff\x0a", Kind::Jxl),
    (b"\0\0\0\x0cJXL ", Kind::Jxl),
    (b"\0\0\0\x0cjP  ", Kind::Jpeg2000),
    (b"\xff\x4f\xff\x51", Kind::Jpeg2000),
    (b"8BPS", Kind::Photoshop),
    (b"gimp xcf", Kind::Gimp),
    (b"%!PS", Kind::PostScript),
    (b"\xc5\xd0\xd3\xc6", Kind::PostScript),
    (b"%PDF", Kind::Pdf),
    (b"IIRO", Kind::Raw),
    (b"IIRS", Kind::Raw),
    (b"MMOR", Kind::Raw),
    (b"IIU\0", Kind::Raw),
    (b"FUJIFILMCCD-RAW", Kind::Raw),
    (b"FOVb", Kind::Raw),
    (b"\0MRM", Kind::Raw),
    (b"IIIIRaw", Kind::Raw),
    (b"MMMMRaw", Kind::Raw),
    (b"II\x1a\0\0\0HEAPCCDR", Kind::Raw),
    (b"qoif", Kind::OtherImage),
    (b"DDS ", Kind::OtherImage),
    (b"v/1\x01", Kind::OtherImage),
    (b"#?RADIANCE", Kind::OtherImage),
    (b"SIMPLE  =", Kind::OtherImage),
    (b"II\xbc\x01", Kind::OtherImage),
    (b"icns", Kind::OtherImage),
    (b"#?RGBE", Kind::OtherImage),
    (b"\x8aMNG\r\n\x1a\n", Kind::OtherImage),
    (b"PF\n", Kind::OtherImage),
    (b"Pf\n", Kind::OtherImage),
    (b"BPG\xfb", Kind::OtherImage),
    (b"ZISRAWFILE", Kind::OtherImage),
    (b"AT&TFORM", Kind::OtherImage),
    (b"\xd7\xcd\xc6\x9a", Kind::OtherImage),
    (b"\x01\xda\0\x01", Kind::OtherImage),
    (b"\x01\xda\0\x02", Kind::OtherImage),
    (b"\x01\xda\x01\x01", Kind::OtherImage),
    (b"\x01\xda\x01\x02", Kind::OtherImage),
    (b"\x1a\x45\xdf\xa3", Kind::Video),
    (b"FLV\x01", Kind::Video),
    (b"\0\0\x01\xba", Kind::Video),
    (b"\0\0\x01\xb3", Kind::Video),
    (b"ID3", Kind::Audio),
    (b"fLaC", Kind::Audio),
    (b"OggS", Kind::Audio),
    (b"\xff\xfb", Kind::Audio),
    (b"\xff\xf3", Kind::Audio),
    (b"Rar!\x1a\x07", Kind::Rar),
    (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
    (b"\x1f\x8b", Kind::Gzip),
    (b"BZh", Kind::Bzip2),
    (b"\xfd7zXZ\0", Kind::Xz),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (b"\x89HDF\r\n\x1a\n", Kind::Hdf5),
    (b"\x93NUMPY", Kind::Arrays),
    (b"MATLAB 5.0", Kind::Arrays),
    (b"PAR1", Kind::Arrays),
    (b"GGUF", Kind::Weights),
    (b"SQLite format 3\0", Kind::Database),
    (b"version https://git-lfs", Kind::LfsPointer),
    (b"\0\x05\x16\x07", Kind::AppleDouble),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Office),
    (b"\x7fELF", Kind::Program),
    (b"MZ\x90\0", Kind::Program),
    (b"#!/", Kind::Program),
];

pub(super) fn of_bytes(bytes: &[u8]) -> Kind {
    if bytes.is_empty() {
        return Kind::Empty;
    }
    if let Some(&(_, kind)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return kind;
    }
    // Some servers send blank lines before a photo.
    let behind_blanks = bytes.trim_ascii_start();
    if behind_blanks.starts_with(b"\xff\xd8") {
        return Kind::Jpeg;
    }
    if behind_blanks.starts_with(b"%PDF") {
        return Kind::Pdf;
    }
    let at = |range: std::ops::Range<usize>| bytes.get(range).unwrap_or_default();
    if bytes.starts_with(b"RIFF") {
        match at(8..12) {
            b"WEBP" => return Kind::WebP,
            b"WAVE" => return Kind::Audio,
            b"AVI " => return Kind::Video,
            b"ACON" => return Kind::Ico,
            _ => {}
        }
    }
    if [&b"II*\0"[..], b"MM\0*", b"II+\0", b"MM\0+"]
        .iter()
        .any(|magic| bytes.starts_with(magic))
    {
        return if is_raw(bytes) { Kind::Raw } else { Kind::Tiff };
    }
    // The size of the header behind the file header. Two letters alone are a word.
    if bytes.starts_with(b"BM")
        && (bytes.len() < 18 && bytes[2..].contains(&0)
            || matches!(
                at(14..18),
                [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]
            ))
    {
        return Kind::Bmp;
    }
    if let &[b'P', b'1'..=b'7', space, ..] = bytes
        && (space.is_ascii_whitespace() || space == b'#')
    {
        return Kind::Pnm;
    }
    if at(4..8) == b"ftyp" {
        return of_brands(bytes);
    }
    if [&b"moov"[..], b"mdat", b"wide", b"free"].contains(&at(4..8)) {
        return Kind::Video;
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return of_zip(&bytes[..bytes.len().min(1024)]);
    }
    if at(257..262) == b"ustar" {
        return Kind::Tar;
    }
    if at(128..132) == b"DICM" || at(344..347) == b"n+1" {
        return Kind::Medical;
    }
    if let &[0, 0, 1 | 2, 0, n, 0, ..] = bytes
        && n > 0
    {
        return Kind::Ico;
    }
    // PCX: its version, whether it is packed, bits.
    if let &[0x0a, 0 | 2..=5, 0 | 1, 1 | 2 | 4 | 8, ..] = bytes {
        return Kind::OtherImage;
    }
    // EMF, and Targa, which says what it is at its end.
    if at(40..44) == b" EMF" || bytes.ends_with(b"TRUEVISION-XFILE.\0") {
        return Kind::OtherImage;
    }
    if bytes.starts_with(b"MZ") && bytes.get(3) == Some(&0) {
        return Kind::Program;
    }
    // A pickle says its protocol; safetensors begin with a length and JSON.
    if matches!(
        bytes,
        [0x80, 2..=5, b'}' | b']' | b'c' | b'(' | 0x8a | 0x95, ..]
    ) || matches!(bytes, [_, _, _, _, 0, 0, 0, 0, b'{', b'"', ..])
    {
        return Kind::Weights;
    }
    if bytes.len() > 3 && bytes.iter().all(|&b| b == 0) {
        return Kind::Zeros;
    }
    text::of_text(bytes)
}

/// ISO base media: a length, "ftyp", the brand, its version, and brands that it is compatible with. Pictures and
/// videos have brands in common, so that none but a video's own makes a video.
/// <https://mp4ra.org/registered-types/brands>
fn of_brands(bytes: &[u8]) -> Kind {
    let (words, _) = bytes[8..].as_chunks::<4>();
    let length = bytes.first_chunk().map_or(0, |&n| u32::from_be_bytes(n));
    let most = (length as usize / 4).saturating_sub(2);
    let (brand, others) = words[..words.len().min(most.max(1))]
        .split_first()
        .unwrap_or((b"    ", &[]));
    let others = others.get(1..).unwrap_or_default();
    let avif = |b: &[u8; 4]| matches!(b, b"avif" | b"avis");
    let heif = |b: &[u8; 4]| {
        matches!(
            b,
            b"mif1" | b"mif2" | b"msf1" | b"miaf" | b"heif" | b"avci" | b"avcs"
        ) || (b.starts_with(b"he") && matches!(b[2], b'i' | b'v'))
    };
    let video = |b: &[u8; 4]| {
        [
            &b"iso"[..],
            b"mp4",
            b"mp7",
            b"avc1",
            b"qt",
            b"M4V",
            b"3g",
            b"dash",
            b"MSNV",
            b"F4V",
            b"f4v",
            b"XAVC",
            b"mmp4",
        ]
        .iter()
        .any(|v| b.starts_with(v))
    };
    match brand {
        b"crx " => Kind::Raw,
        b"jp2 " | b"jpx " | b"jpm " => Kind::Jpeg2000,
        b"jxl " => Kind::Jxl,
        b"M4A " | b"M4B " | b"F4A " | b"F4B " => Kind::Audio,
        b if avif(b) => Kind::Avif,
        b if b.starts_with(b"hei") || b.starts_with(b"hev") => Kind::Heic,
        b if video(b) && !others.iter().any(avif) => Kind::Video,
        _ if others.iter().any(avif) => Kind::Avif,
        b if heif(b) || others.iter().any(heif) => Kind::Heic,
        _ if others.iter().any(video) => Kind::Video,
        _ => Kind::Unknown,
    }
}

/// By the first names in a zip.
fn of_zip(head: &[u8]) -> Kind {
    let says = |word: &[u8]| head.windows(word.len()).any(|w| w == word);
    if says(b"/data.pkl") || says(b"/.format_version") {
        Kind::Weights
    } else if says(b"[Content_Types].xml") || says(b"application/vnd.oasis.opendocument") {
        Kind::Office
    } else if head.get(30..).is_some_and(|name| {
        let name = &name[..name.len().min(80)];
        name.windows(4).any(|w| w == b".npy")
    }) {
        Kind::Arrays
    } else {
        Kind::Zip
    }
}

/// Whether a TIFF is a camera's raw photo: a DNG says its version; in those of others the first directory is a
/// preview, and the photo lies in directories below.
fn is_raw(bytes: &[u8]) -> bool {
    // CR2, with its version. Two letters may be the first pixels.
    if bytes.get(8..12) == Some(b"CR\x02\0") {
        return true;
    }
    // BigTIFF has other offsets, and no camera writes it.
    if bytes[2..4].contains(&b'+') {
        return false;
    }
    let little = bytes[0] == b'I';
    let short = |at: usize| {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(if little {
            u16::from_le_bytes(two)
        } else {
            u16::from_be_bytes(two)
        })
    };
    let four = *bytes
        .get(4..)
        .and_then(<[u8]>::first_chunk)
        .unwrap_or(&[0; 4]);
    let directory = if little {
        u32::from_le_bytes(four)
    } else {
        u32::from_be_bytes(four)
    } as usize;
    let (mut preview, mut below, mut version) = (false, false, false);
    for i in 0..usize::from(short(directory).unwrap_or(0)) {
        let entry = directory + 2 + 12 * i;
        match short(entry) {
            // NewSubfileType: 1 is a smaller copy of another image.
            Some(254) => {
                let value = [short(entry + 8), short(entry + 10)];
                preview = value.contains(&Some(1));
            }
            Some(330) => below = true,
            Some(50706) => version = true,
            Some(_) => {}
            None => break,
        }
    }
    version || preview && below
}

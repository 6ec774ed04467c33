//! What a file is that was given as an archive, told by its first bytes: names are changed by browsers, mirrors
//! and users.

use super::tar;
use super::unpack::Wrap;

/// Bytes that are looked at: a block of a tar and some text.
pub(super) const HEAD: usize = 1024;

/// What is to be done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    Tar,
    /// A packed stream, of a tar if all is well.
    Packed(Wrap),
    /// Something known that is not opened, with what it is.
    Refused(String),
    /// Nothing known; it may be a zip behind a program that unpacks it.
    Unknown,
}

/// Whether a name is one that archives have; only then a file inside an archive is looked at as one.
pub(super) fn is_archive_name(path: &str) -> bool {
    const ENDINGS: [&str; 17] = [
        ".zip",
        ".tar",
        ".tgz",
        ".tar.gz",
        ".tbz",
        ".tbz2",
        ".tar.bz2",
        ".txz",
        ".tar.xz",
        ".tzst",
        ".tar.zst",
        ".rar",
        ".7z",
        ".tar.lzma",
        ".tar.lz4",
        ".tar.z",
        ".cbz",
    ];
    let name = path.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// A path without the ending of an archive.
pub(super) fn stem(path: &str) -> &str {
    let cut = |path, endings: &[&str]| -> &str {
        let path: &str = path;
        let lower = path.to_ascii_lowercase();
        let ending = endings.iter().find(|ending| lower.ends_with(**ending));
        ending.map_or(path, |ending| &path[..path.len() - ending.len()])
    };
    let outer = cut(
        path,
        &[
            ".zip", ".tgz", ".tbz2", ".tbz", ".txz", ".tzst", ".gz", ".bz2", ".xz", ".zst", ".cbz",
        ],
    );
    cut(outer, &[".tar"])
}

/// Whether a name is that of one part of a split archive.
pub(super) fn is_part_name(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let digits = ending.strip_prefix(['z', 'Z', 'r', 'R']).unwrap_or(ending);
    ending.len() >= 3
        && (2..=4).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// What stands in the way of reading one part of a split archive.
pub(super) const SPLIT: &str = "is one part of a split archive; unpack all its parts together (7-Zip does) and open the folder";

/// Tells by the first [`HEAD`] bytes, or all if there are fewer.
pub(super) fn kind(head: &[u8]) -> Kind {
    const UNPACK: &str = "which is not opened; unpack it and open the folder";
    let archive = |name: &str| Kind::Refused(format!("is a {name} archive, {UNPACK}"));
    let refused = |what: &str| Kind::Refused(what.to_owned());
    let starts = |magic: &[u8]| head.starts_with(magic);
    if head.is_empty() {
        return refused("is not a zip archive: it is empty (0 bytes)");
    }
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") || starts(b"PK\x07\x08") || starts(b"PK00PK")
    {
        return Kind::Zip;
    }
    if starts(b"\x1f\x8b") {
        return Kind::Packed(Wrap::Gzip);
    }
    if starts(b"BZh") && matches!(head.get(3), Some(b'1'..=b'9')) {
        return Kind::Packed(Wrap::Bzip2);
    }
    if starts(b"\xfd7zXZ\0") {
        return Kind::Packed(Wrap::Xz);
    }
    if starts(b"\x28\xb5\x2f\xfd") || (head.len() > 3 && head[1..4] == *b"\x2a\x4d\x18") {
        return Kind::Packed(Wrap::Zstandard);
    }
    if head.get(..tar::BLOCK).is_some_and(tar::is_header) {
        return Kind::Tar;
    }
    if starts(b"Rar!\x1a\x07") || starts(b"RE~^") {
        return archive("RAR");
    }
    if starts(b"7z\xbc\xaf\x27\x1c") {
        return archive("7z");
    }
    for (magic, name) in [
        (&b"MSCF\0\0\0\0"[..], "CAB"),
        (b"\x04\x22\x4d\x18", "LZ4"),
        (b"LZIP", "lzip"),
        (b"\x5d\0\0", "LZMA"),
        (b"\x1f\x9d", "compress (.Z)"),
        (b"!<arch>\n", "ar"),
        (b"xar!", "XAR"),
        (b"070701", "cpio"),
        (b"070707", "cpio"),
        (b"StuffIt", "StuffIt"),
        (b"SIT!", "StuffIt"),
        (b"hsqs", "SquashFS"),
    ] {
        if starts(magic) {
            return archive(name);
        }
    }
    if head.get(2..5) == Some(b"-lh") {
        return archive("LHA");
    }
    if starts(b"\x60\xea") {
        return archive("ARJ");
    }
    if starts(b"version https://git-lfs") {
        return refused(
            "is a Git LFS pointer, not the archive: the download took a note about the file for the file; fetch it with `git lfs pull`",
        );
    }
    for (magic, name) in [
        (&b"%PDF-"[..], "a PDF"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"PAR1", "a Parquet file"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"koly", "a disk image"),
    ] {
        if starts(magic) {
            return Kind::Refused(format!("is not a zip archive but {name}, {UNPACK}"));
        }
    }
    if crate::image::kind::Kind::of_bytes(head).is_decoded() {
        return refused("is not a zip archive but an image; open the folder that it lies in");
    }
    if head.len() >= 16 && head.iter().all(|&byte| byte == 0) {
        return refused(
            "is not a zip archive: it begins with zeros only (an interrupted download)",
        );
    }
    text(head).map_or(Kind::Unknown, refused)
}

/// What a text is that came in place of an archive.
fn text(head: &[u8]) -> Option<&'static str> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let start = head.trim_ascii_start();
    let lower = start.to_ascii_lowercase();
    let has = |needle: &[u8]| lower.windows(needle.len()).any(|part| part == needle);
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") || has(b"<html") {
        return Some(
            "is a web page, not an archive: the download needed a login or a confirmation; download it again from the page itself",
        );
    }
    if lower.starts_with(b"<?xml") || lower.starts_with(b"<error") {
        return Some("is an error message of a server, not an archive; download it again");
    }
    let is_json = lower.starts_with(b"{") || lower.starts_with(b"[");
    if is_json && head.iter().all(|&b| b >= b' ' || b.is_ascii_whitespace()) {
        return Some(
            "is a text (JSON), not an archive: most likely a server's error message; download it again",
        );
    }
    None
}

/// Whether a reason is said of the archive ("is cut short") and not of its files ("all 12 files ...").
pub(super) fn is_said_of_it(reason: &str) -> bool {
    let verb = reason.split(' ').next().unwrap_or_default();
    ["is", "has", "holds", "lies", "would", "unpacks", "does"].contains(&verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_archives_and_of_parts() {
        assert!(is_archive_name("a/Train.ZIP") && is_archive_name("x.tar.gz"));
        assert!(!is_archive_name("labels.csv.gz") && !is_archive_name("zip"));
        assert_eq!(stem("a/train.zip"), "a/train");
        assert_eq!(stem("a/set.v2.TAR.gz"), "a/set.v2");
        assert_eq!(stem("a/set.tgz"), "a/set");
        assert!(is_part_name("set.zip.001") && is_part_name("set.z01") && is_part_name("set.r00"));
        assert!(!is_part_name("set.zip") && !is_part_name("set.7z") && !is_part_name("1"));
    }
}

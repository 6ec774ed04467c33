//! Every way of packing, and a plain word for what cannot be opened.

use retune::data::Source;

use super::{
    Extra, RawZip, STORED, assert_not_opened, files, fixture, gzip, open, open_as, paths, refused,
};

#[test]
fn every_way_of_packing_gives_the_same_files() {
    let right: Vec<(String, Vec<u8>)> = ["cat/1", "cat/2", "dog/1", "dog/2"]
        .map(|name| format!("set/{name}.jpg"))
        .map(|path| (path.clone(), format!("{path} ").repeat(20_000).into_bytes()))
        .into();
    for name in [
        "deflate64.zip",
        "bzip2.zip",
        "lzma.zip",
        "lzma-python.zip",
        "xz.zip",
        "zstd.zip",
        "set.tar.gz",
        "set.tar.bz2",
        "set.tar.xz",
        "set.tar.zst",
    ] {
        // The ending says nothing.
        let mut source = open_as("a.bin", fixture(name)).expect(name);
        let found = files(&mut source);
        assert!(found == right, "{name}: {:?}", paths(&source));
        assert!(
            source.refused().is_empty(),
            "{name}: {:?}",
            refused(&source)
        );
    }
}

#[test]
fn what_is_packed_or_locked_otherwise_is_told_once() {
    assert_not_opened(
        "p.zip",
        fixture("ppmd.zip"),
        &["all 4 files", "PPMd", "ordinary zip"],
    );
    assert_not_opened("s.7z", fixture("set.7z"), &["is a 7z archive", "unpack it"]);
    assert_not_opened("a.zip", fixture("aes.zip"), &["all 4 files", "password"]);
    let mut zip = RawZip::default();
    for i in 0..9 {
        let flags = u16::from(i < 5);
        zip.with(
            format!("a/{i}.jpg").as_bytes(),
            b"x",
            Extra { flags, ..STORED },
        );
    }
    let source = open(zip.bytes());
    assert_eq!(source.len(), 4);
    let told = refused(&source);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("set.zip: 5 of 9 files are protected by a password"));

    // Bytes that are not what the method says: of all of them, so it is told once and when it is opened.
    for (method, name) in [
        (8, "Deflate"),
        (9, "Deflate64"),
        (12, "bzip2"),
        (14, "LZMA"),
        (93, "Zstandard"),
        (95, "XZ"),
    ] {
        let mut zip = RawZip::default();
        for i in 0..12 {
            let name = format!("a/{i}.jpg");
            let data = [b"\xff\xd8\xff\xe0 no such stream", name.as_bytes()].concat();
            zip.with(name.as_bytes(), &data, Extra { method, ..STORED });
        }
        let words = ["all 12 files are damaged", name];
        assert_not_opened("set.zip", zip.bytes(), &words);
    }
}

#[test]
fn what_is_no_archive_is_called_what_it_is() {
    let mut zip = RawZip::default();
    zip.add(b"a/1.jpg", b"one").add(b"b/2.jpg", b"two");
    let whole = zip.bytes();
    assert_eq!(paths(&open(whole.clone())), ["a/1.jpg", "b/2.jpg"]);
    let cases: [(&str, Vec<u8>, &str); 18] = [
        ("e.zip", Vec::new(), "empty"),
        (
            "c.zip",
            whole[..whole.len() - 30].to_vec(),
            "its end is missing (an interrupted download)",
        ),
        ("s.zip", zip.end(3), "one part of a split archive"),
        (
            "s.z01",
            [b"PK\x07\x08", &whole[..60]].concat(),
            "one part of a split archive",
        ),
        (
            "s.zip.001",
            whole[..60].to_vec(),
            "one part of a split archive",
        ),
        (
            "s.zip.002",
            b"whatever comes amid it".to_vec(),
            "one part of a split archive",
        ),
        (
            "r.zip",
            b"Rar!\x1a\x07\x01\0....".to_vec(),
            "is a RAR archive",
        ),
        ("r.rar", b"Rar!\x1a\x07\0....".to_vec(), "is a RAR archive"),
        (
            "7.zip",
            b"7z\xbc\xaf\x27\x1c\0\x04....".to_vec(),
            "is a 7z archive",
        ),
        (
            "w.zip",
            b"\n<!DOCTYPE html><html><title>Sign in".to_vec(),
            "is a web page",
        ),
        (
            "x.zip",
            b"<?xml version='1.0'?><Error><Code>AccessDenied".to_vec(),
            "error message",
        ),
        ("j.zip", b"{\"error\": \"Forbidden\"}".to_vec(), "JSON"),
        (
            "l.zip",
            b"version https://git-lfs.github.com/spec/v1\noid".to_vec(),
            "Git LFS",
        ),
        ("z.zip", vec![0; 4000], "zeros"),
        ("i.zip", b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec(), "an image"),
        (
            "o.zip",
            b"something else entirely".to_vec(),
            "not a zip archive",
        ),
        (
            "m.exe",
            b"MZ\x90\0 no zip behind it".to_vec(),
            "is a program",
        ),
        ("g.gz", gzip(&[b'x'; 2000]), "no tar"),
    ];
    for (name, bytes, words) in cases {
        assert_not_opened(name, bytes, &[words]);
    }
    let mut split = RawZip::default();
    split.with(b"a/1.jpg", b"one", Extra { disk: 1, ..STORED });
    assert_not_opened("s.zip", split.bytes(), &["one part of a split archive"]);
}

#[test]
fn a_zip_is_found_amid_other_bytes() {
    let mut zip = RawZip::default();
    zip.add(b"a/1.jpg", b"one").add(b"b/2.jpg", b"two");
    let whole = zip.bytes();
    let program = [b"MZ a program that unpacks".repeat(50), whole.clone()].concat();
    let padded = [&whole[..], &[0; 70_000]].concat();
    for bytes in [program, padded] {
        let mut source = open(bytes);
        let right = [("a/1.jpg", b"one"), ("b/2.jpg", b"two")];
        assert_eq!(
            files(&mut source),
            right.map(|(p, b)| (p.to_owned(), b.to_vec()))
        );
    }
    // A zip that lost its end is not taken for the one that lies in it.
    let mut outer = RawZip::default();
    outer.add(b"1.jpg", b"one").add(b"in.zip", &whole);
    let cut = &outer.bytes[..];
    assert_not_opened("c.zip", cut.to_vec(), &["its end is missing"]);
}

#[test]
fn paths_begin_in_the_archive() {
    let mut zip = RawZip::default();
    for name in [
        &b"/home/me/1.jpg"[..],
        b"C:\\Users\\me\\2.jpg",
        b"../../set/3.jpg",
        b"./set/./4.jpg",
        b"\\\\server\\share\\5.jpg",
    ] {
        zip.add(name, name);
    }
    zip.add(b"a/../../out.jpg", b"x");
    let source = open(zip.bytes());
    let right = [
        "Users/me/2.jpg",
        "home/me/1.jpg",
        "server/share/5.jpg",
        "set/3.jpg",
        "set/4.jpg",
    ];
    assert_eq!(paths(&source), right);
    let told = refused(&source);
    assert!(
        told.len() == 1 && told[0].contains("out.jpg") && told[0].contains(".."),
        "{told:?}"
    );
}

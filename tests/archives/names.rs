//! Names as they were written, twice or from before Unicode; archives in archives.

use retune::data::Source;

use super::{
    Extra, RawZip, STORED, assert_not_opened, files, gzip, open, paths, refused, tar, tar_entry,
};

#[test]
fn a_name_that_comes_twice() {
    let mut zip = RawZip::default();
    zip.add(b"a/", b"").add(b"a/", b"").add(b"b/", b"");
    zip.add(b"a/1.jpg", b"one").add(b"a/2.jpg", b"two");
    // The same again, and another under the same name.
    zip.add(b"a/1.jpg", b"one").add(b"a/2.jpg", b"TWO");
    let mut source = open(zip.bytes());
    let right = [("a/1.jpg", b"one"), ("a/2.jpg", b"TWO")];
    assert_eq!(
        files(&mut source),
        right.map(|(p, b)| (p.to_owned(), b.to_vec()))
    );
    let told = refused(&source);
    assert!(told.len() == 1, "{told:?}");
    assert!(
        told[0].starts_with("a/2.jpg: has the same name as a later entry"),
        "{told:?}"
    );
    assert_eq!(source.empty_folders(), ["b"]);
}

#[test]
fn names_are_read_as_they_were_written() {
    // Shift-JIS; the second bytes of the second and the third name are backslashes.
    let mut zip = RawZip::default();
    for name in [
        &b"set/\x94\x4c/1.jpg"[..],
        b"set/\x95\x5c/1.jpg",
        b"set\\\x83\x5c\x81\x5b\x83\x58\\1.jpg",
    ] {
        zip.add(name, name);
    }
    let right = [
        "set/\u{30bd}\u{30fc}\u{30b9}/1.jpg",
        "set/\u{732b}/1.jpg",
        "set/\u{8868}/1.jpg",
    ];
    assert_eq!(paths(&open(zip.bytes())), right);

    // Info-ZIP's extra field, and the flag for UTF-8. A field for another name does not count.
    let field = |of: &[u8], name: &str| {
        let len = u16::try_from(5 + name.len()).expect("short").to_le_bytes();
        let crc = crc32fast::hash(of).to_le_bytes();
        [b"\x75\x70", &len[..], b"\x01", &crc, name.as_bytes()].concat()
    };
    let mut zip = RawZip::default();
    let known = [
        field(b"set/__/1.jpg", "set/\u{732b}/1.jpg"),
        field(b"set/__/1.jpg", "set/\u{72ac}/1.jpg"),
    ];
    let extra = |i: usize| Extra {
        field: &known[i],
        ..STORED
    };
    zip.with(b"set/__/1.jpg", b"1", extra(0));
    zip.with(b"set/==/1.jpg", b"2", extra(1));
    let flags = 1 << 11;
    zip.with(
        "set/\u{9ce5}/1.jpg".as_bytes(),
        b"3",
        Extra { flags, ..STORED },
    );
    let right = ["set/==/1.jpg", "set/\u{732b}/1.jpg", "set/\u{9ce5}/1.jpg"];
    assert_eq!(paths(&open(zip.bytes())), right);

    // No text in any way: told apart all the same.
    let mut zip = RawZip::default();
    zip.add(b"\xff\xfe\x01/1.jpg", b"1")
        .add(b"\xff\xfd\x01/1.jpg", b"2");
    let source = open(zip.bytes());
    assert_eq!(source.len(), 2);
    assert_ne!(source.path(0), source.path(1));
}

#[test]
fn archives_inside_an_archive_are_opened() {
    let mut inner = RawZip::default();
    inner.add(b"cat.0.jpg", b"cat").add(b"dog.0.jpg", b"dog");
    let tgz = gzip(&tar(&[tar_entry(b"x/1.jpg", b'0', b"", b"one")]));
    let mut middle = RawZip::default();
    middle.add(b"deep.zip", &inner.bytes());
    let mut last = RawZip::default();
    last.add(b"middle.zip", &middle.bytes());
    let mut outer = RawZip::default();
    outer
        .add(b"data/train.zip", &inner.bytes())
        .add(b"test1.zip", &RawZip::default().bytes())
        .add(b"more.tar.gz", &tgz)
        .add(b"middle.ZIP", &middle.bytes())
        .add(b"last.zip", &last.bytes())
        .add(b"broken.zip", b"PK\x03\x04 cut")
        .add(b"x.rar", b"Rar!\x1a\x07\x01\0")
        .add(b"labels.csv", b"id,label\n");
    let mut source = open(outer.bytes());
    let found = files(&mut source);
    let found: Vec<_> = found.iter().map(|(p, b)| (p.as_str(), &b[..])).collect();
    let right: [(&str, &[u8]); 6] = [
        ("data/train/cat.0.jpg", b"cat"),
        ("data/train/dog.0.jpg", b"dog"),
        ("labels.csv", b"id,label\n"),
        ("middle/deep/cat.0.jpg", b"cat"),
        ("middle/deep/dog.0.jpg", b"dog"),
        ("more/x/1.jpg", b"one"),
    ];
    assert_eq!(found, right);
    let told = refused(&source);
    let is_told = |file: &str, word: &str| {
        let mut all = told.iter();
        assert!(
            all.any(|t| t.starts_with(file) && t.contains(word)),
            "{file}: {told:?}"
        );
    };
    is_told("broken.zip", "end is missing");
    is_told("x.rar", "RAR");
    is_told("last/middle/deep.zip", "inside an archive");
    is_told("test1.zip", "holds no files");
    assert_eq!(told.len(), 4, "{told:?}");

    let mut only = RawZip::default();
    only.add(b"x.rar", b"Rar!\x1a\x07\x01\0");
    assert_not_opened("o.zip", only.bytes(), &["x.rar", "RAR archive"]);
}

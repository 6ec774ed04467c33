//! Archives as people have them: every way of packing, names from before Unicode, archives in archives, and a plain
//! word for what cannot be opened.

use std::io::Write;

use retune::data::{ArchiveSource, Source, archive};
use retune::error::Error;
use retune::platform::files::InputFile;

/// A zip written by hand: any bytes as a name, any flags, methods and extra fields.
#[derive(Default)]
struct RawZip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

/// What an entry has besides its name and its bytes.
#[derive(Clone, Copy)]
struct Extra<'a> {
    flags: u16,
    method: u16,
    field: &'a [u8],
    disk: u16,
}

const STORED: Extra = Extra {
    flags: 0,
    method: 0,
    field: &[],
    disk: 0,
};

impl RawZip {
    fn add(&mut self, name: &[u8], data: &[u8]) -> &mut Self {
        self.with(name, data, STORED)
    }

    fn with(&mut self, name: &[u8], data: &[u8], extra: Extra) -> &mut Self {
        let at = u32::try_from(self.bytes.len()).expect("small");
        let len = u32::try_from(data.len()).expect("small").to_le_bytes();
        let mut head = Vec::new();
        for n in [20, extra.flags, extra.method, 0, 0x5821] {
            head.extend_from_slice(&n.to_le_bytes());
        }
        head.extend_from_slice(&crc32fast::hash(data).to_le_bytes());
        head.extend_from_slice(&len);
        head.extend_from_slice(&len);
        for n in [name.len(), extra.field.len()] {
            head.extend_from_slice(&u16::try_from(n).expect("short").to_le_bytes());
        }
        self.bytes.extend_from_slice(b"PK\x03\x04");
        self.bytes.extend_from_slice(&head);
        for part in [name, extra.field, data] {
            self.bytes.extend_from_slice(part);
        }
        self.directory.extend_from_slice(b"PK\x01\x02\x14\0");
        self.directory.extend_from_slice(&head);
        self.directory.extend_from_slice(&[0; 2]);
        self.directory.extend_from_slice(&extra.disk.to_le_bytes());
        self.directory.extend_from_slice(&[0; 6]);
        self.directory.extend_from_slice(&at.to_le_bytes());
        self.directory.extend_from_slice(name);
        self.directory.extend_from_slice(extra.field);
        self.entries += 1;
        self
    }

    fn end(&self, disk: u16) -> Vec<u8> {
        let mut bytes = [&self.bytes[..], &self.directory, b"PK\x05\x06"].concat();
        for n in [disk, disk, self.entries, self.entries] {
            bytes.extend_from_slice(&n.to_le_bytes());
        }
        for part in [&self.directory, &self.bytes] {
            let len = u32::try_from(part.len()).expect("small");
            bytes.extend_from_slice(&len.to_le_bytes());
        }
        bytes.extend_from_slice(&[0; 2]);
        bytes
    }

    fn bytes(&self) -> Vec<u8> {
        self.end(0)
    }
}

/// One header of a tar and its content, padded.
fn tar_entry(name: &[u8], kind: u8, link: &[u8], data: &[u8]) -> Vec<u8> {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    let mut bytes = seal(block).to_vec();
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// Writes the checksum into a header.
fn seal(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

fn open_as(name: &str, bytes: Vec<u8>) -> Result<ArchiveSource, Error> {
    ArchiveSource::open(&InputFile::memory(name, bytes))
}

fn open(bytes: Vec<u8>) -> ArchiveSource {
    open_as("set.zip", bytes).expect("an archive")
}

/// All files: path and content.
fn files(source: &mut ArchiveSource) -> Vec<(String, Vec<u8>)> {
    let count = source.len();
    let read = |i| {
        let bytes = source.read(i).expect("readable");
        let head = source.head(i, 5).expect("readable");
        assert_eq!(
            head,
            bytes[..bytes.len().min(5)],
            "the head is the beginning"
        );
        (source.path(i).to_owned(), bytes)
    };
    let mut files: Vec<_> = (0..count).map(read).collect();
    files.sort();
    files
}

fn paths(source: &ArchiveSource) -> Vec<&str> {
    let mut paths: Vec<_> = (0..source.len()).map(|i| source.path(i)).collect();
    paths.sort_unstable();
    paths
}

/// What was refused, as "file: reason".
fn refused(source: &ArchiveSource) -> Vec<String> {
    let told = source.refused().iter();
    told.map(|s| format!("{}: {}", s.file, s.reason)).collect()
}

/// Asserts that a file is not opened and what is said about it.
fn assert_not_opened(name: &str, bytes: Vec<u8>, words: &[&str]) {
    match open_as(name, bytes) {
        Err(Error::Dataset(text)) => {
            for word in [&name].into_iter().chain(words) {
                assert!(text.contains(word), "{word:?} is not in {text:?}");
            }
        }
        other => panic!("{name} is not refused for {words:?}: {other:?}"),
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/archives");
    std::fs::read(format!("{folder}/{name}")).expect(name)
}

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

#[test]
fn tars_are_read_in_place_and_unpacked() {
    let long = format!("set/{}/1.jpg", "a".repeat(200));
    let pax = |records: &[(&str, &str)]| {
        let record = |(key, value): &(&str, &str)| {
            // The length counts its own digits.
            let rest = key.len() + value.len() + 3;
            let len = (1..4)
                .map(|d| rest + d)
                .find(|n| n.to_string().len() + rest == *n);
            format!("{} {key}={value}\n", len.expect("a length"))
        };
        records.iter().map(record).collect::<String>().into_bytes()
    };
    let notes = b"neither an image nor a table ".repeat(3000);
    let entries = [
        tar_entry(b"set/", b'5', b"", b""),
        tar_entry(b"set/cat/1.jpg", b'0', b"", b"one"),
        tar_entry(b"././@LongLink", b'L', b"", format!("{long}\0").as_bytes()),
        tar_entry(b"set/aaaa", b'0', b"", b"long"),
        tar_entry(
            b"PaxHeaders/2",
            b'x',
            b"",
            &pax(&[("mtime", "1"), ("path", "set/\u{732b}/2.jpg")]),
        ),
        tar_entry(b"set/__/2.jpg", b'0', b"", b"two"),
        tar_entry(b"set/dog/3.jpg", b'1', b"set/cat/1.jpg", b""),
        tar_entry(b"set/dog/4.jpg", b'2', b"3.jpg", b""),
        tar_entry(b"set/pipe.jpg", b'6', b"", b""),
        tar_entry(b"set/empty/", b'5', b"", b""),
        tar_entry(b"set/notes.bin", b'0', b"", &notes),
        tar_entry(b"set/picture", b'0', b"", b"\xff\xd8\xff\xe0\0\x10JFIF"),
        tar_entry(b"set/last.jpg", b'0', b"", &[7; 1500]),
    ];
    let plain = tar(&entries);
    let mut right: Vec<(String, Vec<u8>)> = vec![
        (long, b"long".to_vec()),
        ("set/cat/1.jpg".into(), b"one".to_vec()),
        ("set/dog/3.jpg".into(), b"one".to_vec()),
        ("set/last.jpg".into(), vec![7; 1500]),
        ("set/notes.bin".into(), notes.clone()),
        ("set/picture".into(), b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec()),
        ("set/\u{732b}/2.jpg".into(), b"two".to_vec()),
    ];
    right.sort();
    let mut source = open_as("set.tar", plain.clone()).expect("a tar");
    assert!(files(&mut source) == right, "{:?}", paths(&source));
    let told = refused(&source);
    assert!(
        told.len() == 2
            && told
                .iter()
                .any(|t| t.starts_with("set/dog/4.jpg: is a link")),
        "{told:?}"
    );
    assert_eq!(source.empty_folders(), ["set/empty"]);

    // Of a packed one only images and tables are kept; a name without an ending is told by its content.
    let mut source = open_as("set.zip", gzip(&plain)).expect("a tar");
    assert_eq!(source.len(), right.len() - 1);
    let told = source.refused().iter().find(|s| s.file == "set/notes.bin");
    assert!(
        told.is_some_and(|s| !s.failed && s.reason.contains("neither")),
        "{:?}",
        refused(&source)
    );
    for (path, bytes) in right.iter().filter(|f| f.0 != "set/notes.bin") {
        let i = (0..source.len())
            .find(|&i| source.path(i) == path)
            .expect(path);
        assert_eq!(&source.read(i).expect(path), bytes);
        assert!(source.fingerprint(i).is_some());
    }

    // Cut short: what came is used, and it is told. The cut lies in the content of the last file.
    let cut = plain[..plain.len() - 2000].to_vec();
    for (bytes, name, came) in [(gzip(&cut), "c.tgz", 5), (cut, "c.tar", 6)] {
        let source = open_as(name, bytes).expect("a tar");
        assert_eq!(source.len(), came);
        let told = refused(&source);
        assert!(
            told.iter()
                .any(|t| t.starts_with(name) && t.contains("cut short")),
            "{told:?}"
        );
    }
    let mut damaged = plain;
    // The checksum of the third entry.
    damaged[3 * 512 + 150] ^= 1;
    let source = open_as("d.tar", damaged).expect("a tar");
    assert_eq!(paths(&source), ["set/cat/1.jpg"]);
    assert!(refused(&source)[0].contains("is damaged"));
}

#[test]
fn hidden_folders_with_images_are_told() {
    let mut zip = RawZip::default();
    for name in [
        "9mm/1.jpg",
        ".22/1.jpg",
        ".22/2.jpg",
        ".git/1.jpg",
        "__MACOSX/1.jpg",
        "9mm/._1.jpg",
        ".22/notes",
    ] {
        zip.add(format!("ammo/{name}").as_bytes(), name.as_bytes());
    }
    let source = open(zip.bytes());
    assert_eq!(paths(&source), ["ammo/9mm/1.jpg"]);
    let told = refused(&source);
    assert!(told.len() == 1, "{told:?}");
    assert!(
        told[0].starts_with("ammo/.22: is a hidden folder with 2 images"),
        "{told:?}"
    );
    // Whoever packs a hidden folder means it.
    let mut zip = RawZip::default();
    zip.add(b".set/a/1.jpg", b"1").add(b".set/b/1.jpg", b"2");
    assert_eq!(paths(&open(zip.bytes())), ["set/a/1.jpg", "set/b/1.jpg"]);
}

#[test]
fn more_than_65535_entries_without_the_64_bit_records() {
    let mut zip = RawZip::default();
    let count = 66_000_u32;
    for i in 0..count {
        zip.entries = 0;
        zip.add(format!("{}/{i}.jpg", i % 2).as_bytes(), &i.to_le_bytes());
    }
    // As archivers write it that count in 16 bits.
    zip.entries = u16::try_from(count & 0xffff).expect("16 bits");
    let mut source = open(zip.bytes());
    assert_eq!(source.len(), 66_000);
    assert!(source.refused().is_empty());
    assert_eq!(
        source.read(65_999).expect("readable"),
        65_999_u32.to_le_bytes()
    );
    // Fewer than stated are told.
    zip.entries += 1;
    let source = open(zip.bytes());
    assert!(refused(&source)[0].contains("directory is damaged"));
}

#[test]
fn more_entries_than_are_opened_are_refused() {
    let mut zip = RawZip::default();
    zip.add(b"a/1.jpg", b"one");
    let count = u64::try_from(archive::MAX_ENTRIES).expect("64 bits") + 1;
    let (start, len) = (zip.bytes.len() as u64, zip.directory.len() as u64);
    let mut bytes = [&zip.bytes[..], &zip.directory].concat();
    // The 64-bit record, what leads to it, and the short one that says nothing.
    bytes.extend_from_slice(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
    for n in [count, count, len, start] {
        bytes.extend_from_slice(&n.to_le_bytes());
    }
    bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    bytes.extend_from_slice(&(start + len).to_le_bytes());
    bytes.extend_from_slice(b"\x01\0\0\0PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&[0xff; 12]);
    bytes.extend_from_slice(&[0; 2]);
    assert_not_opened("m.zip", bytes, &["holds 1000001 files; at most 1000000"]);
}

#[test]
fn an_archive_inside_that_is_too_large_is_told_and_the_rest_is_used() {
    let mut zip = RawZip::default();
    // Large enough that the claim is no bomb's.
    zip.add(b"a/1.jpg", b"one")
        .add(b"big.zip", &vec![0; 6 << 20]);
    let mut bytes = zip.bytes();
    // The directory's unpacked size of the second entry: 1 GiB and a byte.
    let at = zip.bytes.len() + 46 + 7 + 24;
    bytes[at..at + 4].copy_from_slice(&0x4000_0001_u32.to_le_bytes());
    let source = open(bytes);
    assert_eq!(paths(&source), ["a/1.jpg"]);
    assert!(
        refused(&source)[0].contains("1 GiB"),
        "{:?}",
        refused(&source)
    );
}

#[test]
fn one_entry_point_for_all() {
    let source = archive::open(&InputFile::memory(
        "t",
        tar(&[tar_entry(b"1.jpg", b'0', b"", b"one")]),
    ));
    assert_eq!(source.expect("a tar").len(), 1);
}

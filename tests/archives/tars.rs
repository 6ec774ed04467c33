//! Tars, hidden folders, and more entries than a zip of old or a program of today can take.

use retune::data::Source;
use retune::data::archive;
use retune::platform::files::InputFile;

use super::{
    RawZip, assert_not_opened, files, gzip, open, open_as, paths, refused, tar, tar_entry,
};

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

//! From files to samples: the same data set from a folder and a zip, and a plain word for whatever is
//! wrong with either. Contents are a few bytes each, since indexing never decodes.
#![cfg(feature = "data")]

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use retune::classes::INTEL;
use retune::config::DemoConfig;
use retune::data::demo::draw;
use retune::data::{ArchiveSource, Dataset, DemoSource, FolderSource, Indexer, Source, Subset};
use retune::error::Error;
use retune::image::decode;
use retune::platform::files::InputFile;
use retune::protocol::Labels;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

mod sets;

use sets::index;

type Files<'a> = Vec<(&'a str, &'a [u8])>;

fn folder(files: &[(&str, &[u8])]) -> Dataset {
    sets::folder(files)
}

fn zip_bytes(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        zip.start_file(*path, SimpleFileOptions::default())
            .expect(path);
        zip.write_all(bytes).expect(path);
    }
    zip.finish().expect("a zip").into_inner()
}

fn open_zip(bytes: Vec<u8>) -> Result<ArchiveSource, Error> {
    ArchiveSource::open(&InputFile::memory("set.zip", bytes))
}

/// Overwrites bytes of an entry's header in the archive's directory (`PK 1 2`, its name at 46) or before
/// its content (`PK 3 4`, its name at 30).
fn patch(zip: &mut [u8], central: bool, name: &str, offset: usize, value: &[u8]) {
    let (magic, name_at) = if central {
        (b"PK\x01\x02", 46)
    } else {
        (b"PK\x03\x04", 30)
    };
    let is_header = |&at: &usize| {
        zip[at..].starts_with(magic) && zip[at + name_at..].starts_with(name.as_bytes())
    };
    let at = (0..zip.len() - name_at).find(is_header).expect(name);
    zip[at + offset..at + offset + value.len()].copy_from_slice(value);
}

#[track_caller]
fn assert_skipped(data: &Dataset, file: &str, reason: &str) {
    let Some(row) = data.skipped.iter().find(|s| s.file == file) else {
        panic!("{file} is not among {:?}", data.skipped);
    };
    assert!(
        row.reason.contains(reason),
        "{file}: \"{}\", without \"{reason}\"",
        row.reason
    );
    assert!(
        data.samples.iter().all(|s| s.path != file),
        "{file} is used all the same"
    );
}

#[track_caller]
fn assert_problem(data: &Dataset, words: &str) {
    let problem = data
        .problem
        .as_deref()
        .unwrap_or_else(|| panic!("no problem, instead of \"{words}\""));
    assert!(
        problem.contains(words),
        "\"{problem}\", without \"{words}\""
    );
}

/// Kaggle's layout with two classes, a duplicate, and what a data set collects on its way.
fn kaggle() -> Files<'static> {
    vec![
        ("seg_pred/seg_pred/7.jpg", b"p1"),
        ("seg_train/seg_train/sea/10.jpg", b"s10"),
        ("seg_train/seg_train/sea/2.jpg", b"s2"),
        ("seg_train/seg_train/sea/3.jpg", b"s10"),
        ("seg_train/seg_train/forest/5.png", b"f5"),
        ("seg_train/seg_train/forest/6.JPG", b"f6"),
        ("seg_test/seg_test/sea/1.jpg", b"t1"),
        ("seg_test/seg_test/forest/1.jpg", b"t2"),
        ("seg_train/.DS_Store", b"x"),
        ("__MACOSX/seg_train/sea/._2.jpg", b"x"),
        ("seg_train/seg_train/sea/notes.txt", b"hello"),
        ("seg_train/seg_train/sea/empty.jpg", b""),
    ]
}

#[test]
fn a_zip_a_folder_and_a_wrapped_folder_are_the_same_data_set() {
    let files = kaggle();
    let wrapped: Vec<(String, &[u8])> = files
        .iter()
        .map(|(p, b)| (format!("my pictures/old/{p}"), *b))
        .collect();
    let wrapped: Files = wrapped.iter().map(|(p, b)| (p.as_str(), *b)).collect();
    let backslashes: Vec<(String, &[u8])> = files
        .iter()
        .map(|(p, b)| (p.replace('/', "\\"), *b))
        .collect();
    let backslashes: Files = backslashes.iter().map(|(p, b)| (p.as_str(), *b)).collect();
    for mut data in [
        folder(&files),
        folder(&wrapped),
        index(open_zip(zip_bytes(&files)).expect("a zip")),
        index(open_zip(zip_bytes(&wrapped)).expect("a zip")),
        index(open_zip(zip_bytes(&backslashes)).expect("a zip")),
    ] {
        assert_eq!(data.classes, ["forest", "sea"]);
        let names: Vec<_> = data
            .samples
            .iter()
            .map(|s| s.path.rsplit('/').next().unwrap_or_default())
            .collect();
        assert_eq!(
            names,
            [
                "5.png", "6.JPG", "10.jpg", "2.jpg", "3.jpg", "1.jpg", "1.jpg", "7.jpg"
            ]
        );
        let contents: Vec<Vec<u8>> = (0..8).map(|i| data.read(i).expect("readable")).collect();
        let expected: [&[u8]; 8] = [b"f5", b"f6", b"s10", b"s2", b"s10", b"t2", b"t1", b"p1"];
        assert_eq!(contents, expected);
        assert_eq!(data.duplicates, [[2, 4]]);
        assert_eq!(data.problem, None);
        assert_eq!(data.skipped.len(), 2, "{:?}", data.skipped);
        assert!(
            data.skipped
                .iter()
                .any(|s| s.file.ends_with("notes.txt") && s.reason.contains("not an image"))
        );
        assert!(
            data.skipped
                .iter()
                .any(|s| s.file.ends_with("empty.jpg") && s.reason.contains("0 bytes"))
        );
        let summary = data.summary();
        let counts: Vec<_> = summary
            .classes
            .iter()
            .map(|c| (c.name.as_str(), c.train, c.test))
            .collect();
        assert_eq!(counts, [("forest", 2, 1), ("sea", 3, 1)]);
        assert_eq!((summary.unlabelled, summary.thumbnails), (1, None));
        assert_eq!(summary.duplicates[0].len(), 2);
        assert!(data.read(8).is_err());
    }
}

/// The same class in two places: the names decide, or another wrapping folder would be another order.
#[test]
fn the_order_follows_names_and_not_wrapping_folders() {
    let files = [
        ("z/cat/1.jpg", b"1"),
        ("a/cat/2.jpg", b"2"),
        ("b/ant/3.jpg", b"3"),
    ];
    let handle = |(path, bytes): (&str, &[u8; 1])| {
        (path.to_owned(), InputFile::memory(path, bytes.to_vec()))
    };
    let source = FolderSource::new(files.map(handle).to_vec());
    let labels = Labels::Folders {
        level: Some(2),
        merge_similar: None,
        parts: Vec::new(),
    };
    let data = Indexer::new("set", Box::new(source))
        .labels(labels)
        .finish()
        .expect("a data set");
    let paths: Vec<_> = data.samples.iter().map(|s| s.path.as_str()).collect();
    assert_eq!(paths, ["b/ant/3.jpg", "z/cat/1.jpg", "a/cat/2.jpg"]);
}

#[test]
fn what_is_no_zip_is_refused() {
    let refused = |bytes: Vec<u8>, words: &str| match open_zip(bytes) {
        Err(Error::Dataset(text)) => {
            assert!(text.contains("set.zip") && text.contains(words), "{text}")
        }
        other => panic!("not refused for \"{words}\": {other:?}"),
    };
    refused(Vec::new(), "not a zip");
    refused(b"\xff\xd8\xff\xe0 a photo".to_vec(), "not a zip");
    let whole = zip_bytes(&kaggle());
    refused(whole[..whole.len() / 2].to_vec(), "not a zip");

    // Entries that share their compressed bytes: together they claim more than the archive holds.
    let mut overlap = zip_bytes(&[("sea/1.jpg", b"a"), ("sea/2.jpg", b"b")]);
    patch(&mut overlap, true, "sea/1.jpg", 20, &200_u32.to_le_bytes());
    patch(&mut overlap, true, "sea/2.jpg", 20, &200_u32.to_le_bytes());
    refused(overlap, "overlap");

    // Seventeen times almost 4 GiB, by their own word.
    let names: Vec<String> = (10..27).map(|i| format!("sea/{i}.jpg")).collect();
    let files: Files = names.iter().map(|n| (n.as_str(), &b"a"[..])).collect();
    let mut total = zip_bytes(&files);
    for name in &names {
        patch(&mut total, true, name, 24, &0xffff_fffe_u32.to_le_bytes());
    }
    refused(total, "would unpack to 67 GB");
}

#[test]
fn entries_that_must_not_be_used_are_skipped_with_the_reason() {
    let blank = vec![0; 3 << 20];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default();
    let files: [(&str, &[u8]); 9] = [
        ("a/1.jpg", b"one"),
        ("b/1.jpg", b"two"),
        ("a/../../up.jpg", b"x"),
        ("a\\1.jpg", b"x"),
        ("a/inner.zip", b"PK\x03\x04"),
        ("a/secret.jpg", b"x"),
        ("a/bomb.bmp", &blank),
        ("a/huge.jpg", b"x"),
        ("a/photo.HEIC", b"\0\0\0\x18ftypheic"),
    ];
    for (path, bytes) in files {
        zip.start_file(path, plain).expect(path);
        zip.write_all(bytes).expect(path);
    }
    zip.add_symlink("a/link.jpg", "/etc/passwd", plain)
        .expect("a link");
    zip.add_directory("c", plain).expect("a folder");
    let mut bytes = zip.finish().expect("a zip").into_inner();
    // Bit 0 of the flags: encrypted.
    patch(&mut bytes, true, "a/secret.jpg", 8, &1_u16.to_le_bytes());
    patch(
        &mut bytes,
        true,
        "a/huge.jpg",
        24,
        &(65_u32 << 20).to_le_bytes(),
    );

    let data = index(open_zip(bytes).expect("a zip"));
    assert_skipped(&data, "a/../../up.jpg", "..");
    assert!(
        data.skipped
            .iter()
            .any(|s| s.file == "a/1.jpg" && s.reason.contains("same name"))
    );
    assert_skipped(&data, "a/inner.zip", "archive inside");
    assert_skipped(&data, "a/secret.jpg", "password");
    assert_skipped(&data, "a/bomb.bmp", "200 times");
    assert_skipped(&data, "a/huge.jpg", "64 MiB");
    assert_skipped(&data, "a/photo.HEIC", "HEIC");
    assert_skipped(&data, "a/link.jpg", "link");
    let used: Vec<_> = data.samples.iter().map(|s| s.path.as_str()).collect();
    assert_eq!(used, ["a/1.jpg", "b/1.jpg"]);
    // The empty folder beside the two is a class that lacks images.
    assert_eq!(data.classes, ["a", "b", "c"]);
    assert_problem(&data, "c");
}

#[test]
fn an_archive_that_lies_about_its_contents_is_caught_while_reading() {
    let noise: Vec<u8> = (0..5000_u32).map(|i| ((i * i) >> 3) as u8).collect();
    let honest = zip_bytes(&[("a/1.jpg", &noise), ("b/1.jpg", &noise)]);
    let read = |bytes: Vec<u8>| open_zip(bytes).expect("a zip").read(0);
    assert_eq!(read(honest.clone()).expect("honest"), noise);

    let mut small = honest.clone();
    patch(&mut small, true, "a/1.jpg", 24, &100_u32.to_le_bytes());
    let mut large = honest.clone();
    patch(&mut large, true, "a/1.jpg", 24, &9000_u32.to_le_bytes());
    let mut wrong_sum = honest.clone();
    patch(&mut wrong_sum, true, "a/1.jpg", 16, &7_u32.to_le_bytes());
    let mut broken = honest;
    // Behind the header and the name: the compressed bytes.
    patch(&mut broken, false, "a/1.jpg", 60, &[0xff; 8]);
    for (what, bytes) in [
        ("small", small),
        ("large", large),
        ("sum", wrong_sum),
        ("broken", broken),
    ] {
        match read(bytes) {
            Err(Error::Storage(text)) => assert!(
                text.contains("a/1.jpg") && text.contains("set.zip"),
                "{text}"
            ),
            other => panic!("{what}: {:?}", other.map(|b| b.len())),
        }
    }
}

#[test]
fn a_set_that_cannot_be_trained_on_says_what_is_missing() {
    assert_problem(
        &folder(&[("pets/cat/1.jpg", b"1"), ("pets/cat/2.jpg", b"2")]),
        "one class only, \u{201c}cat\u{201d}",
    );
    assert_problem(
        &folder(&[("a/1.jpg", b"1"), ("a/2.jpg", b"2"), ("b/3.jpg", b"")]),
        "in: b.",
    );
    let fewer = folder(&[("a/1.jpg", b"1"), ("b/3.jpg", b""), ("c/3.jpg", b"")]);
    assert_problem(
        &fewer,
        "There is 1 image to train on for 3 classes; without any: b, c",
    );
    assert_problem(
        &folder(&[("a/1.jpg", b"1"), ("b/1.jpg", b"2")]),
        "one image only",
    );
    assert_problem(
        &folder(&[
            ("pred/1.jpg", b"1"),
            ("test/a/1.jpg", b"2"),
            ("test/b/1.jpg", b"3"),
        ]),
        "None of the 3 images is for training",
    );
    assert_problem(
        &folder(&[("1.jpg", b"1"), ("2.jpg", b"2")]),
        "2 images lie in no class folder, and neither a table nor the file names say what they show",
    );
    assert_problem(
        &folder(&[("a/1.txt", b"1")]),
        "There is 1 file, .txt: it is a text, not an image.",
    );
    let none = Indexer::new("set", Box::new(FolderSource::default())).finish();
    assert!(matches!(none, Err(Error::Dataset(text)) if text.contains("no files")));
}

#[test]
fn indexing_goes_on_in_slices_and_past_unreadable_files() {
    struct Slow(FolderSource);
    impl Source for Slow {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn path(&self, i: usize) -> &str {
            self.0.path(i)
        }
        fn size(&self, i: usize) -> u64 {
            self.0.size(i)
        }
        fn fingerprint(&self, _: usize) -> Option<u64> {
            None
        }
        fn read(&mut self, i: usize) -> retune::error::Result<Vec<u8>> {
            std::thread::sleep(std::time::Duration::from_millis(4));
            if i == 13 {
                return Err(Error::Storage("gone".into()));
            }
            self.0.read(i)
        }
    }
    let file = |i| {
        (
            format!("{}/{i:02}.jpg", ["a", "b"][usize::from(i) % 2]),
            InputFile::memory("x", vec![i; 9]),
        )
    };
    let mut indexer = Indexer::new(
        "set",
        Box::new(Slow(FolderSource::new((0..40_u8).map(file).collect()))),
    );
    assert_eq!((indexer.done(), indexer.total()), (0, 40));
    let mut slices = 1;
    while !indexer.step() {
        assert!(indexer.done() < indexer.total());
        slices += 1;
    }
    assert_eq!(indexer.done(), 40);
    assert!(slices > 5, "{slices} slices");
    let data = indexer.finish().expect("a data set");
    assert_skipped(&data, "b/13.jpg", "gone");
    assert_eq!(data.samples.len(), 39);
}

#[test]
fn the_demo_set_has_six_classes_and_no_scene_twice() {
    let config = DemoConfig {
        per_class: 6,
        size: 32,
        seed: 1,
    };
    let mut data = index(DemoSource::new(config));
    assert_eq!(data.classes, INTEL);
    assert_eq!((data.problem.as_deref(), data.duplicates.len()), (None, 0));
    assert_eq!(data.subset(Subset::Train).count(), 36);
    assert_eq!(data.subset(Subset::Test).count(), 12);
    assert_eq!(data.samples[0].path, "seg_train/buildings/0001.png");
    let mut seen = BTreeSet::new();
    for i in 0..data.samples.len() {
        let image = decode("scene", &data.read(i).expect("drawn")).expect("a PNG");
        assert_eq!((image.width, image.height), (32, 32));
        assert!(
            seen.insert(image.pixels),
            "{} was there before",
            data.samples[i].path
        );
    }
}

/// Fixed numbers: a scene drawn in a tab is the scene drawn natively.
#[test]
fn a_seed_draws_the_same_bytes_everywhere() {
    let drawn: [u32; 6] =
        std::array::from_fn(|class| crc32fast::hash(&draw(class, 3, 64, 1).pixels));
    assert_eq!(drawn, SCENES_OF_SEED_1);
    assert_ne!(draw(0, 3, 64, 2), draw(0, 3, 64, 1));
}

const SCENES_OF_SEED_1: [u32; 6] = [
    151183788, 2098985733, 3591352814, 3440989226, 1163580757, 2482924004,
];

#[test]
fn a_reader_seeks_and_ends_where_the_file_ends() {
    let file = InputFile::memory("x", (0..100).collect());
    let mut reader = file.reader().expect("a reader");
    let mut bytes = [0; 4];
    reader.seek(SeekFrom::End(-6)).expect("a place");
    reader.read_exact(&mut bytes).expect("bytes");
    assert_eq!(bytes, [94, 95, 96, 97]);
    assert!(reader.read_exact(&mut bytes).is_err());
    assert!(reader.seek(SeekFrom::Current(-1000)).is_err());
}

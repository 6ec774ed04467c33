//! From files to samples: the same data set from a folder and a zip, and a plain word for whatever is
//! wrong with either. Contents are a few bytes each, since indexing never decodes.
#![cfg(feature = "data")]

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use retune::classes::INTEL;
use retune::config::DemoConfig;
use retune::data::archive::MAX_ENTRIES;
use retune::data::demo::draw;
use retune::data::{Dataset, DemoSource, FolderSource, Indexer, Source, Subset, ZipSource, split};
use retune::error::Error;
use retune::image::decode;
use retune::platform::files::InputFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

type Files<'a> = Vec<(&'a str, &'a [u8])>;

fn index(source: impl Source + 'static) -> Dataset {
    Indexer::new("set", Box::new(source))
        .finish()
        .expect("a data set")
}

fn folder(files: &[(&str, &[u8])]) -> Dataset {
    let handle =
        |&(path, bytes): &(&str, &[u8])| (path.to_owned(), InputFile::memory(path, bytes.to_vec()));
    index(FolderSource::new(files.iter().map(handle).collect()))
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

fn open_zip(bytes: Vec<u8>) -> Result<ZipSource, Error> {
    ZipSource::open(&InputFile::memory("set.zip", bytes))
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
    let data = folder(&[
        ("z/cat/1.jpg", b"1"),
        ("a/cat/2.jpg", b"2"),
        ("b/ant/3.jpg", b"3"),
    ]);
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

    // An archive with one name twice, made of one with two names.
    let mut twice = zip_bytes(&[("sea/1.jpg", b"a"), ("sea/2.jpg", b"b")]);
    patch(&mut twice, true, "sea/2.jpg", 46, b"sea/1.jpg");
    refused(twice, "same name");

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

    let mut many = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for i in 0..=MAX_ENTRIES {
        many.start_file(format!("{i}.jpg"), stored)
            .expect("an entry");
    }
    refused(
        many.finish().expect("a zip").into_inner(),
        "holds 200001 files",
    );
}

#[test]
fn entries_that_must_not_be_used_are_skipped_with_the_reason() {
    let blank = vec![0; 3 << 20];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default();
    let files: [(&str, &[u8]); 11] = [
        ("a/1.jpg", b"one"),
        ("b/1.jpg", b"two"),
        ("a/../../up.jpg", b"x"),
        ("/abs.jpg", b"x"),
        ("C:\\win.jpg", b"x"),
        ("a\\1.jpg", b"x"),
        ("a/inner.zip", b"PK\x03\x04"),
        ("a/secret.jpg", b"x"),
        ("a/bomb.bmp", &blank),
        ("a/huge.jpg", b"x"),
        ("a/photo.HEIC", b"x"),
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
    assert_skipped(&data, "/abs.jpg", "absolute");
    assert_skipped(&data, "C:/win.jpg", "absolute");
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
        "1 images to train on for 3 classes; without any: b, c",
    );
    assert_problem(
        &folder(&[("a/1.jpg", b"1"), ("b/1.jpg", b"2")]),
        "one image only",
    );
    assert_problem(
        &folder(&[("test/a/1.jpg", b"1"), ("test/b/1.jpg", b"2")]),
        "None of the 2 images is for training",
    );
    assert_problem(
        &folder(&[("1.jpg", b"1"), ("2.jpg", b"2")]),
        "no images here",
    );
    assert_problem(&folder(&[("a/1.txt", b"1")]), "no images here");
    let none = Indexer::new("set", Box::new(FolderSource::default())).finish();
    assert!(matches!(none, Err(Error::Dataset(text)) if text.contains("no files")));
}

/// Two classes of 30 and 11, with a group of three duplicates and one across the classes.
fn uneven() -> Vec<(String, Vec<u8>)> {
    let file = |class: &str, i: usize| {
        (
            format!("{class}/{i:02}.jpg"),
            format!("{class} {i}").into_bytes(),
        )
    };
    let mut files: Vec<_> = (0..30)
        .map(|i| file("a", i))
        .chain((0..11).map(|i| file("b", i)))
        .collect();
    files[4].1 = files[3].1.clone();
    files[9].1 = files[3].1.clone();
    files[33].1 = files[20].1.clone();
    files
}

fn uneven_set() -> Dataset {
    let files = uneven();
    folder(
        &files
            .iter()
            .map(|(p, b)| (p.as_str(), b.as_slice()))
            .collect::<Vec<_>>(),
    )
}

#[test]
fn the_split_is_stratified_and_keeps_duplicates_together() {
    let data = uneven_set();
    assert_eq!(data.duplicates, [vec![3, 4, 9], vec![20, 33]]);
    let mut seen = BTreeSet::new();
    for seed in 0..50 {
        let halves = split(&data, 0.2, seed);
        let all: BTreeSet<usize> = halves
            .train
            .iter()
            .chain(&halves.validation)
            .copied()
            .collect();
        assert_eq!(all.len(), 41);
        assert_eq!(halves.train.len() + halves.validation.len(), 41);
        let held = |class| {
            halves
                .validation
                .iter()
                .filter(|&&i| data.samples[i].class == Some(class))
                .count()
        };
        // 0.2 x 30 = 6 and 0.2 x 11 = 2.2; a unit that would go beyond is passed over.
        assert!(
            (5..=6).contains(&held(0)) && (2..=3).contains(&held(1)),
            "{} and {}",
            held(0),
            held(1)
        );
        for group in &data.duplicates {
            let inside = group
                .iter()
                .filter(|i| halves.validation.contains(i))
                .count();
            assert!(
                inside == 0 || inside == group.len(),
                "seed {seed} parts {group:?}"
            );
        }
        assert_eq!(split(&data, 0.2, seed), halves);
        seen.insert(halves.validation);
    }
    assert!(
        seen.len() > 45,
        "seeds give {} different splits",
        seen.len()
    );
}

/// Fixed numbers: the same in a tab, natively, and next year.
#[test]
fn the_split_of_a_seed_never_changes() {
    assert_eq!(split(&uneven_set(), 0.2, 7).validation, SPLIT_OF_SEED_7);
}

const SPLIT_OF_SEED_7: [usize; 8] = [3, 4, 6, 9, 22, 26, 30, 37];

#[test]
fn small_classes_give_one_image_and_keep_one() {
    let data = folder(&[
        ("a/1.jpg", b"1"),
        ("a/2.jpg", b"2"),
        ("b/1.jpg", b"3"),
        ("c/1.jpg", b"4"),
        ("c/2.jpg", b"4"),
    ]);
    assert_eq!(data.problem, None);
    for seed in 0..10 {
        let halves = split(&data, 0.5, seed);
        // b has one image, c two that are the same.
        assert_eq!(halves.validation.len(), 1);
        assert!(halves.validation[0] < 2);
    }
}

#[test]
fn a_validation_folder_is_the_validation_set() {
    let data = folder(&[
        ("train/a/1.jpg", b"1"),
        ("train/b/1.jpg", b"2"),
        ("valid/a/1.jpg", b"3"),
        ("test/b/1.jpg", b"4"),
    ]);
    assert_eq!(data.problem, None);
    let halves = split(&data, 0.2, 7);
    assert_eq!(halves.train, data.subset(Subset::Train).collect::<Vec<_>>());
    assert_eq!(
        halves.validation,
        data.subset(Subset::Validation).collect::<Vec<_>>()
    );
    assert_eq!((halves.train.len(), halves.validation.len()), (2, 1));
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

#[cfg(unix)]
mod disk {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use retune::data::{FolderSource, ZipSource, split};
    use retune::error::Error;
    use retune::image::load;
    use retune::platform::files::{InputFile, list_folder};

    use super::index;

    /// A folder of its own, gone when the test is over.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("retune-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            // What cannot be removed now is the system's to clean up.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_folder_is_listed_sorted_once_and_without_what_is_hidden() {
        let scratch = Scratch::new("list");
        let root = scratch.0.join("set");
        for path in ["b/2.jpg", "a/1.jpg", ".git/x", "a/.hidden"] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, b"bytes").expect("a file");
        }
        symlink(&root, root.join("a/loop")).expect("a link");
        symlink("nowhere", root.join("a/dangling.jpg")).expect("a link");
        symlink(root.join("a/1.jpg"), root.join("b/3.jpg")).expect("a link");
        let files = list_folder(&root).expect("listed");
        let paths: Vec<_> = files.iter().map(|f| f.0.as_str()).collect();
        assert_eq!(paths, ["set/a/1.jpg", "set/b/2.jpg", "set/b/3.jpg"]);
        assert_eq!((files[0].1.name(), files[0].1.len()), ("1.jpg", 5));
        assert_eq!(files[2].1.read().expect("readable"), b"bytes");
    }

    #[test]
    fn a_file_that_is_gone_is_an_error_and_not_zeros() {
        let scratch = Scratch::new("gone");
        let path = scratch.0.join("1.jpg");
        fs::write(&path, b"bytes").expect("a file");
        let file = InputFile::open(&path).expect("there");
        fs::remove_file(&path).expect("removed");
        assert!(matches!(file.read(), Err(Error::Storage(text)) if text.contains("1.jpg")));
        assert!(file.reader().is_err());
        assert!(matches!(InputFile::open(&path), Err(Error::Storage(_))));
        assert!(
            matches!(InputFile::open(&scratch.0), Err(Error::Storage(text)) if text.contains("folder"))
        );
        assert!(list_folder(scratch.0.join("none")).is_err());
    }

    /// Prints how long it takes; the numbers are in the report of the change.
    #[test]
    #[ignore = "needs ../shared"]
    fn intel_image_is_indexed_and_decoded() {
        let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/intel");
        let begin = std::time::Instant::now();
        let files = list_folder(shared).expect("listed");
        println!("listing {} files: {:?}", files.len(), begin.elapsed());
        let begin = std::time::Instant::now();
        let mut data = index(FolderSource::new(files));
        println!("indexing: {:?}", begin.elapsed());
        let extra: usize = data.duplicates.iter().map(|g| g.len() - 1).sum();
        println!(
            "{} groups of duplicates, {extra} copies",
            data.duplicates.len()
        );
        println!("{:?}", data.summary().classes);
        assert_eq!(
            (data.classes.len(), data.skipped.len(), &data.problem),
            (6, 0, &None)
        );
        let halves = split(&data, 0.2, 7);
        println!(
            "{} to train on, {} held out",
            halves.train.len(),
            halves.validation.len()
        );
        let begin = std::time::Instant::now();
        let settings = retune::config::Preprocess::default();
        for &i in halves.validation.iter().take(1000) {
            let bytes = data.read(i).expect("readable");
            let tensor = load(&data.samples[i].path, &bytes, &settings).expect("an image");
            assert_eq!(tensor.len(), 3 * 150 * 150);
        }
        println!(
            "1000 images read, decoded, normalised: {:?}",
            begin.elapsed()
        );
        if let Ok(zip) = std::env::var("RETUNE_ZIP") {
            let begin = std::time::Instant::now();
            let file = InputFile::open(zip).expect("there");
            let mut zipped = index(ZipSource::open(&file).expect("a zip"));
            println!("the zip, indexed: {:?}", begin.elapsed());
            assert_eq!(zipped.duplicates, data.duplicates);
            assert_eq!(split(&zipped, 0.2, 7), halves);
            let begin = std::time::Instant::now();
            for i in (0..zipped.samples.len()).step_by(10) {
                assert_eq!(
                    zipped.read(i).expect("readable"),
                    data.read(i).expect("readable")
                );
            }
            println!(
                "{} read from both: {:?}",
                zipped.samples.len() / 10,
                begin.elapsed()
            );
        }
    }
}

//! Folders that are parts of the data set, though their names, what lies in them or what lies beside them hide it:
//! taken for classes or for all there is, they would have test images trained on.

use super::folders_traps::{asks, chosen};
use super::sets::{Files, all, assert_notes, counts, folder, reads, tree};
use super::{choose, level};
use retune::protocol::{Labels, Part};

fn parts(parts: &[(&str, Part)]) -> Labels {
    let owned = |(name, part): &(&str, Part)| ((*name).to_owned(), *part);
    Labels::Folders {
        level: None,
        merge_similar: None,
        parts: parts.iter().map(owned).collect(),
    }
}

/// Folders of two classes by the names of their files, 3 of each.
fn named(folders: &[&str]) -> Files {
    let mut files = Files::new();
    for folder in folders {
        for i in 0..6 {
            let path = format!("set/{folder}/{}_{i}.jpg", ["cat", "dog"][i % 2]);
            files.push((path.clone(), path.into_bytes()));
        }
    }
    files
}

/// The same with names that say nothing.
fn unnamed(folders: &[&str]) -> Files {
    let spec: Vec<String> = folders.iter().map(|f| format!("6 set/{f}")).collect();
    tree(&spec.join(", "))
}

const UNEQUAL: [&[&str]; 12] = [
    &["train_resized", "test"],
    &["a. Training Set", "b. Testing Set"],
    &["DRIVE_train", "CHASE_test"],
    &["train_DRIVE", "CHASE_test"],
    &["train_224", "test_224_new"],
    &["train images", "test pictures old"],
    &["Train - Kopie", "Test"],
    &["train", "test_hard"],
    &["cropped train", "uncropped test"],
    &["xtrain", "xtest"],
    &["trn", "tst"],
    &["train", "unseen"],
];

#[test]
fn flat_parts_of_unequal_names_are_no_classes() {
    for folders in UNEQUAL {
        reads(&named(folders), "cat 3+3, dog 3+3");
        let data = folder(&unnamed(folders));
        let problem = data.problem.expect("a question");
        let words = "hat their images show";
        let words_too = "what they show";
        assert!(
            problem.contains(words) || problem.contains(words_too),
            "{problem}"
        );
    }
    reads(
        &named(&["train", "test_hard", "test_easy"]),
        "cat 3+6, dog 3+6",
    );
    reads(&named(&["train", "train_aug", "test"]), "cat 6+3, dog 6+3");
}

#[test]
fn flat_parts_of_unequal_names_get_their_labels_from_a_table() {
    for folders in UNEQUAL {
        let [train, test] = folders else { continue };
        for (column, name) in [("label", "labels.csv"), ("cultivar", "x.csv")] {
            let mut rows = format!("file,{column}\n");
            for i in 0..12 {
                let of = [train, test][i / 6];
                rows.push_str(&format!(
                    "{of}/{:03}.jpg,{}\n",
                    i % 6,
                    ["cat", "dog"][i % 2]
                ));
            }
            let files = all(unnamed(folders), &[(&format!("set/{name}"), &rows)]);
            reads(&files, "cat 3+3, dog 3+3");
        }
        let rows: Vec<String> = (0..6)
            .map(|i| format!("{train}/{i:03}.jpg,{}\n", ["a", "b"][i % 2]))
            .collect();
        let rows = format!("file,kind\n{}", rows.concat());
        let files = all(unnamed(folders), &[("set/train.csv", &rows)]);
        reads(&files, "a 3, b 3; 6 unlabelled");
    }
}

#[test]
fn parts_by_a_word_alone_are_classes_only_if_the_user_says_so() {
    let files = unnamed(&["train_resized", "test"]);
    let words = "The folders are called test, train_resized, which says that they are parts";
    asks(&files, words, &["--class-level 1"]);
    let chosen = choose(&files, level(1));
    assert_eq!(counts(&chosen), "test 6, train_resized 6");
    let with = all(files, &[("set/labels.xlsx", "PK")]);
    asks(
        &with,
        "The labels are probably in set/labels.xlsx",
        &["--class-level 1"],
    );
}

#[test]
fn classes_that_say_parts_are_asked_about_also_where_they_differ() {
    for spec in [
        "5 train_cat, 5 train_dog, 3 test",
        "5 train_cat, 5 train_dog, 3 test_cats, 3 test_dogs",
    ] {
        asks(
            &tree(spec),
            "say a part and a class at once",
            &["--class-level 1"],
        );
    }
    // Things.
    reads(
        &tree("2 steam train, 3 test tube"),
        "steam train 2, test tube 3",
    );
    reads(
        &tree("2 steam train, 2 freight train, 3 test tube"),
        "freight train 2, steam train 2, test tube 3",
    );
    reads(
        &tree("4 train/train, 4 train/test vehicle, 2 test/train, 2 test/test vehicle"),
        "test vehicle 4+2, train 4+2",
    );
}

#[test]
fn parts_are_seen_through_doubled_folders() {
    let doubled = tree(
        "6 rps/rps/rock, 6 rps/rps/paper, 2 rps-test-set/rps-test-set/rock, 2 rps-test-set/rps-test-set/paper",
    );
    let words = "\u{201c}rps\u{201d} has the same classes";
    let data = asks(&doubled, words, &["--part rps=train"]);
    assert_eq!(chosen(&doubled, &data, 0), "paper 6+2, rock 6+2");
    let test = choose(&doubled, parts(&[("rps-test-set", Part::Test)]));
    assert_eq!(test.problem, None);
    assert_eq!(counts(&test), "paper 6+2, rock 6+2");
    let flowers = tree(
        "6 flowers/flowers/a, 6 flowers/flowers/b, 2 flowers_test/flowers_test/a, 2 flowers_test/flowers_test/b",
    );
    asks(
        &flowers,
        "\u{201c}flowers\u{201d} has",
        &["--part flowers=train"],
    );
    reads(
        &tree("6 trn/trn/cat, 6 trn/trn/dog, 2 tst/tst/cat, 2 tst/tst/dog"),
        "cat 6+2, dog 6+2",
    );
    // Kaggle's New Plant Diseases.
    let plants = "4 P(Augmented)/P(Augmented)/train/a, 4 P(Augmented)/P(Augmented)/train/b, \
                  2 P(Augmented)/P(Augmented)/valid/a, 2 P(Augmented)/P(Augmented)/valid/b, 3 test/test";
    reads(&tree(plants), "a 4/2, b 4/2; 3 unlabelled");
}

#[test]
fn a_flat_folder_beside_the_one_with_the_classes_may_be_left_out() {
    let parts = "6 mydata/train/cat, 6 mydata/train/dog, 3 mydata/test/cat, 3 mydata/test/dog";
    let left = "cat 6+3, dog 6+3";
    let classes = "4 simpsons_dataset/abe, 4 simpsons_dataset/lisa";
    for (spec, flags, expected) in [
        (
            format!("{parts}, 1 results"),
            "--class-level 2 --part results=unlabelled",
            format!("{left}; 1 unlabelled"),
        ),
        (
            format!("{parts}, 9 results/plots/png, 1 docs"),
            "--class-level 2 --part results=unlabelled --part docs=unlabelled",
            format!("{left}; 10 unlabelled"),
        ),
        (
            format!("{classes}, 5 kaggle_simpson_testset/kaggle_simpson_testset"),
            "--class-level 2 --part kaggle_simpson_testset=test",
            "abe 4, lisa 4; 5 unlabelled".into(),
        ),
        (
            format!("{classes}, 5 testing_data/final_phase_data"),
            "--class-level 2 --part testing_data=test --part final_phase_data=test",
            "abe 4, lisa 4; 5 unlabelled".into(),
        ),
    ] {
        let files = tree(&spec);
        let data = folder(&files);
        assert!(data.problem.is_some(), "{spec}");
        assert_eq!(data.readings[0].reading.flags, flags, "{spec}");
        assert_eq!(chosen(&files, &data, 0), expected, "{spec}");
    }
    // It may be a class; the answer comes last.
    let small = tree("6 data/cat, 6 data/dog, 2 docs");
    let data = asks(
        &small,
        "\u{201c}docs\u{201d} is left out; classes cat, dog",
        &[
            "--class-level 1",
            "--class-level 2",
            "--class-level 2 --part docs=unlabelled",
        ],
    );
    assert_eq!(chosen(&small, &data, 2), "cat 6, dog 6; 2 unlabelled");
    for spec in [
        "6 animals/cat, 6 animals/dog, 6 car",
        "6 cat, 6 dog, 6 set/cat, 6 set/dog",
    ] {
        asks(
            &tree(spec),
            "two ways",
            &["--class-level 1", "--class-level 2"],
        );
    }
}

/// The start of a HEIC photo.
const HEIC: &str = "\0\0\0\x18ftypheic\0\0\0\0mif1heic";

#[test]
fn a_test_part_beside_what_is_not_read_is_not_trained_on() {
    for (path, content, reason) in [
        (
            "set/train.zip",
            "PK",
            "set/train.zip is an archive inside the data set; unpack it first.",
        ),
        ("set/train.tar.gz", "x", "set/train.tar.gz is an archive"),
        ("set/train.rar", "Rar!", "set/train.rar is an archive"),
        ("set/images.zip", "PK", "set/images.zip is an archive"),
        (
            "set/train/cat/0.heic",
            HEIC,
            "The folder \u{201c}train\u{201d} has no image that can be read: set/train/cat/0.heic is a HEIC photo",
        ),
        (
            "set/train/cat/0.dcm",
            "\0\0\0\0DICM",
            "set/train/cat/0.dcm is a DICOM",
        ),
        (
            "set/raw/cat/0.cr2",
            "II*\0\x10\0\0\0CR\x02\0",
            "set/raw/cat/0.cr2 is a camera's raw photo",
        ),
        (
            "set/train/.DS_Store",
            "x",
            "The folder \u{201c}train\u{201d} holds no file, or hidden ones alone.",
        ),
        (
            "set/train/.gitkeep",
            "",
            "The folder \u{201c}train\u{201d} holds no file, or hidden ones alone.",
        ),
        (
            "set/train/readme.txt",
            "soon",
            "set/train/readme.txt is a text",
        ),
    ] {
        for part in ["test", "val", "Test Set"] {
            let files = all(
                tree(&format!("3 set/{part}/cat, 3 set/{part}/dog")),
                &[(path, content)],
            );
            let problem = folder(&files)
                .problem
                .unwrap_or_else(|| panic!("{path} {part}"));
            assert!(
                problem.starts_with(reason) || problem.starts_with("The folder"),
                "{problem}"
            );
            assert!(problem.contains(reason), "{problem}");
            assert!(
                problem.contains("None of the 6 images is for training"),
                "{problem}"
            );
            assert!(
                problem.contains("=train, or rename it to train"),
                "{problem}"
            );
            let asked = choose(&files, parts(&[(part, Part::Train)]));
            assert_eq!(asked.problem, None);
            assert_eq!(counts(&asked), "cat 3, dog 3", "{path}");
        }
        let flat = all(tree("6 set/test"), &[(path, content)]);
        let problem = folder(&flat).problem.expect("a problem");
        assert!(problem.contains(reason), "{problem}");
    }
    let mut empty = super::sets::source(&tree("3 set/test/cat, 3 set/test/dog"));
    empty = empty.with_empty_folders(vec!["set/train".into()]);
    let problem = super::sets::index(empty).problem.expect("a problem");
    assert!(
        problem
            .starts_with("The folder \u{201c}train\u{201d} holds no file, or hidden ones alone."),
        "{problem}"
    );
}

#[test]
fn a_data_set_in_a_folder_called_test_stays_one() {
    for (path, content) in [
        ("set/test/cat/notes.txt", "x"),
        ("set/README.txt", "x"),
        ("set/labels/cat.txt", "0 0 0 1 1"),
        ("set/test.zip", "PK"),
        ("set/test_images/.DS_Store", "x"),
        ("set/test/more.zip", "PK"),
        ("set/docs/paper.pdf", "%PDF-1.4"),
    ] {
        let files = all(tree("3 set/test/cat, 3 set/test/dog"), &[(path, content)]);
        reads(&files, "cat 3, dog 3");
    }
    reads(&tree("3 val/cat, 3 val/dog"), "cat 3, dog 3");
}

#[test]
fn a_class_folder_without_an_image_is_told() {
    let classes = || tree("4 set/cat, 4 set/dog");
    for (path, content, words) in [
        ("set/bird/0.heic", HEIC, "set/bird/0.heic is a HEIC photo"),
        (
            "set/bird/jpg/0.heic",
            HEIC,
            "set/bird/jpg/0.heic is a HEIC photo",
        ),
        ("set/bird/all.zip", "PK", "set/bird/all.zip is an archive"),
        (
            "set/bird/Thumbs.db",
            "x",
            "\u{201c}bird\u{201d} holds no file",
        ),
        (
            "set/bird/.gitkeep",
            "",
            "\u{201c}bird\u{201d} holds no file",
        ),
    ] {
        let data = folder(&all(classes(), &[(path, content)]));
        let problem = data.problem.clone().unwrap_or_default();
        assert!(
            problem.contains("No images to train on in: bird"),
            "{path} \"{problem}\""
        );
        assert_notes(&data, words);
    }
    for (path, content, words) in [
        ("set/bird/clip.mp4", "x", "set/bird/clip.mp4 is a video"),
        ("set/bird/readme.txt", "x", "set/bird/readme.txt is a text"),
        ("set/docs/a.md", "x", "set/docs/a.md is a text"),
    ] {
        let data = reads(&all(classes(), &[(path, content)]), "cat 4, dog 4");
        assert_notes(&data, words);
        assert_notes(&data, "It is taken for no class.");
    }
    for path in [
        "set/.hidden/a.txt",
        "set/__MACOSX/._a",
        "set/masks/a.xml",
        "set/test/a.txt",
        "set/a.txt",
        "set/cat/a.heic",
    ] {
        let data = reads(&all(classes(), &[(path, HEIC)]), "cat 4, dog 4");
        assert_eq!(data.notes, [""; 0], "{path}");
    }
    // Lists that are used.
    let rows = |range: std::ops::Range<usize>| -> String {
        range
            .map(|i| format!("cat/{i:03}.jpg\ndog/{i:03}.jpg\n"))
            .collect()
    };
    let lists = [
        ("set/split/train.txt", &*rows(0..3)),
        ("set/split/test.txt", &*rows(3..4)),
    ];
    let data = reads(&all(classes(), &lists), "cat 3+1, dog 3+1");
    let is_told = |note: &String| note.contains("taken for no class");
    assert!(!data.notes.iter().any(is_told), "{:?}", data.notes);
    // The class is there to train on; only its test images are not opened.
    let divided = tree("4 train/cat, 4 train/dog, 2 test/cat, 2 test/dog");
    reads(
        &all(divided, &[("test/bird/0.heic", HEIC)]),
        "cat 4+2, dog 4+2",
    );
}

/// A table of two classes for the images of a folder, without its name.
fn table_of(images: usize) -> String {
    let row = |i| format!("{i:03}.jpg,{}\n", ["cat", "dog"][i % 2]);
    format!("file,label\n{}", (0..images).map(row).collect::<String>())
}

#[test]
fn the_user_s_word_for_a_part_beats_the_name_of_a_table() {
    for (images, name) in [
        ("set/test", "set/test.csv"),
        ("set/val_256", "set/places_val.csv"),
        ("set/val_256", "places_val.txt"),
        ("set/validation/all", "val.csv"),
    ] {
        let table = match name.ends_with("txt") {
            true => table_of(8).replace("file,label\n", "").replace(',', " "),
            false => table_of(8),
        };
        let files = all(tree(&format!("8 {images}")), &[(name, &table)]);
        let problem = folder(&files).problem.expect("a problem");
        assert!(
            problem.contains("None of the 8 images is for training"),
            "{problem}"
        );
        let part = images.split('/').nth(1).expect("a part");
        let labels = parts(&[(part, Part::Train)]);
        let data = choose(&files, labels.clone());
        assert_eq!(data.problem, None, "{images} {name}");
        assert_eq!(counts(&data), "cat 4, dog 4", "{images} {name}");
        assert_eq!(data.labels, labels);
    }
    // What the user does not speak of stays as it is called.
    let files = all(
        tree("8 test, 4 val"),
        &[("labels.csv", &{
            let row = |i: usize| {
                let (folder, number) = if i < 8 { ("test", i) } else { ("val", i - 8) };
                format!("{folder}/{number:03}.jpg,{}\n", ["cat", "dog"][i % 2])
            };
            format!("file,label\n{}", (0..12).map(row).collect::<String>())
        })],
    );
    let data = choose(&files, parts(&[("test", Part::Train)]));
    assert_eq!(counts(&data), "cat 4/2, dog 4/2", "{:?}", data.problem);
    // A list within the folder that was named.
    let mut names = String::new();
    for i in 2..4 {
        names.push_str(&format!("cat/{i:03}.jpg\ndog/{i:03}.jpg\n"));
    }
    let files = all(tree("4 set/cat, 4 set/dog"), &[("test.txt", &names)]);
    reads(&files, "cat 2+2, dog 2+2");
    let data = choose(&files, parts(&[("set", Part::Train)]));
    assert_eq!(counts(&data), "cat 4, dog 4", "{:?}", data.problem);
}

#[test]
fn a_table_that_is_chosen_is_trained_on_whatever_it_is_called() {
    for name in ["val.csv", "test_labels.csv", "eval/labels_test.csv"] {
        let files = all(tree("8 images"), &[(name, &table_of(8))]);
        let data = folder(&files);
        let problem = data.problem.expect("a problem");
        let way_out = format!("(--labels {name}, or its answer in the page)");
        assert!(problem.contains(&way_out), "{problem}");
        let data = choose(&files, super::table(name, None));
        assert_eq!(data.problem, None, "{name}");
        assert_eq!(counts(&data), "cat 4, dog 4", "{name}");
        assert_notes(&data, "is called as for validation or test");
        assert_eq!(counts(&choose(&files, data.labels)), "cat 4, dog 4");
    }
    // Another one of those that were chosen is for training.
    let rows = |range: std::ops::Range<usize>| -> String {
        let row = |i: usize| format!("{i:03}.jpg,{}\n", ["cat", "dog"][i % 2]);
        format!("file,label\n{}", range.map(row).collect::<String>())
    };
    for name in ["train.csv", "labels.csv"] {
        let files = all(
            tree("8 images"),
            &[(name, &rows(0..6)), ("test.csv", &rows(6..8))],
        );
        let data = choose(&files, super::table(&format!("{name};test.csv"), None));
        assert_eq!(counts(&data), "cat 3+1, dog 3+1", "{name}");
    }
}

#[test]
fn images_for_training_get_their_labels_from_a_table_beside_folders_for_testing() {
    for (train, test) in [(12, 3), (6, 2), (40, 9)] {
        let images = format!("{train} set/train, {test} set/test/cat, {test} set/test/dog");
        for table in [
            table_of(train),
            table_of(train).replace("file,label", "file,sort"),
            table_of(train).replace(".jpg", ""),
        ] {
            let files = all(tree(&images), &[("set/train.csv", &table)]);
            let half = train / 2;
            let data = reads(&files, &format!("cat {half}+{test}, dog {half}+{test}"));
            let said =
                format!("{train} images in no class folder have their labels from train.csv.");
            assert_notes(&data, &said);
            assert!(
                data.notes
                    .iter()
                    .all(|note| !note.contains("not trained on"))
            );
        }
    }
    // A class that the test folders lack.
    let table = format!("{}006.jpg,eel\n007.jpg,eel\n", table_of(6));
    let images = tree("8 train, 2 test/cat, 2 test/dog");
    let data = reads(
        &all(images.clone(), &[("train.csv", &table)]),
        "cat 3+2, dog 3+2, eel 2",
    );
    assert_notes(
        &data,
        "8 images in no class folder have their labels from train.csv.",
    );
    // Labels of another kind.
    let table = table_of(8).replace("cat", "0").replace("dog", "1");
    let data = folder(&all(images, &[("train.csv", &table)]));
    assert!(data.problem.is_some(), "{}", counts(&data));
}

#[test]
fn a_flat_folder_called_like_a_part_beside_classes_is_asked_about() {
    let files = tree("6 cat, 6 dog, 5 test_images");
    let data = asks(
        &files,
        "\u{201c}test_images\u{201d} is for test; classes cat, dog",
        &["--part test_images=test", "--class-level 1"],
    );
    assert_eq!(chosen(&files, &data, 0), "cat 6, dog 6; 5 unlabelled");
    assert_eq!(chosen(&files, &data, 1), "cat 6, dog 6, test_images 5");
}

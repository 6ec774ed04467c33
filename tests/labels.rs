//! Where the labels of a data set come from: folders of any depth, parts of any name, tables, file names; and
//! a question wherever two readings are left.
#![cfg(feature = "data")]

use retune::data::{Dataset, Indexer};
use retune::error::Error;
use retune::protocol::{Columns, Labels, LeakKind, Part};

mod sets;

use sets::{counts, folder, source, tree, with};

fn open(files: &[(String, Vec<u8>)], labels: Labels) -> Result<Dataset, Error> {
    Indexer::new("set", Box::new(source(files)))
        .labels(labels)
        .finish()
}

#[track_caller]
fn assert_reads(spec: &str, expected: &str) -> Dataset {
    let data = folder(&tree(spec));
    assert_eq!(data.problem, None, "{spec}");
    assert_eq!(counts(&data), expected, "{spec}");
    data
}

/// The flags of the readings that are asked about, after the question.
#[track_caller]
fn assert_asks(spec: &str, words: &str, flags: &[&str]) -> Dataset {
    let data = folder(&tree(spec));
    let problem = data.problem.clone().unwrap_or_default();
    assert!(
        problem.contains(words),
        "{spec}: \"{problem}\", without \"{words}\""
    );
    assert_eq!(data.labels, Labels::Auto, "{spec}");
    let given: Vec<_> = data
        .readings
        .iter()
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert_eq!(given, flags, "{spec}");
    data
}

fn level(level: usize) -> Labels {
    Labels::Folders {
        level: Some(level),
        merge_similar: None,
        parts: Vec::new(),
    }
}

fn table(file: &str, label: Option<&str>) -> Labels {
    Labels::Table {
        file: file.into(),
        columns: Columns {
            label: label.map(Into::into),
            ..Columns::default()
        },
    }
}

fn pattern(pattern: &str) -> Labels {
    Labels::FileNames {
        pattern: pattern.into(),
    }
}

#[test]
fn kinds_of_images_below_the_classes_are_no_classes() {
    for (spec, expected) in [
        (
            "2 set/COVID/images, 2 set/COVID/masks, 3 set/Normal/images, 3 set/Normal/masks",
            "COVID 2, Normal 3",
        ),
        (
            "2 cat/raw, 1 cat/augmented, 2 dog/raw, 2 dog/augmented",
            "cat 3, dog 4",
        ),
        (
            "2 train/n1/images, 2 train/n2/images, 3 val/images",
            "n1 2, n2 2; 3 unlabelled",
        ),
        (
            "2 benign/SOB/40X, 2 benign/SOB/100X, 3 malignant/SOB/40X",
            "benign 4, malignant 3",
        ),
        (
            "2 images/cat, 2 images/dog, 2 masks/cat, 2 masks/dog",
            "cat 2, dog 2",
        ),
        ("1 jpg/cat, 2 jpg/dog", "cat 1, dog 2"),
        (
            "2 images/train/cat, 3 images/train/dog, 1 images/test/cat, 1 images/test/dog",
            "cat 2+1, dog 3+1",
        ),
        // Face masks are things.
        ("2 mask, 3 no_mask", "mask 2, no_mask 3"),
        ("2 with_mask, 3 without_mask", "with_mask 2, without_mask 3"),
        // One name below every class is none.
        ("2 rose/old, 3 tulip/old", "rose 2, tulip 3"),
    ] {
        assert_reads(spec, expected);
    }
    let data = folder(&tree(
        "2 COVID/images, 4 COVID/masks, 2 Normal/images, 1 Normal/masks",
    ));
    assert!(
        data.notes[0].starts_with("5 images in folders called masks are left out"),
        "{:?}",
        data.notes
    );
    let listed: Vec<_> = data
        .skipped
        .iter()
        .map(|s| (s.file.as_str(), s.failed))
        .collect();
    assert_eq!(listed, [("COVID/masks", false), ("Normal/masks", false)]);
    let data = folder(&tree("2 cat/raw, 1 cat/augmented, 2 dog/raw"));
    assert!(
        data.notes[0].contains("augmented, raw are taken for kinds of images"),
        "{:?}",
        data.notes
    );
    // Masks beside photos and nothing else: no class, never two.
    let data = folder(&tree("5 set/images, 5 set/masks"));
    assert_eq!(counts(&data), "; 5 unlabelled");
    assert!(
        data.problem
            .is_some_and(|p| p.contains("in no class folder"))
    );
}

#[test]
fn two_readings_of_the_levels_are_a_question() {
    let data = assert_asks(
        "2 pets/cat, 3 pets/dog, 2 birds/owl, 2 birds/tit",
        "two ways: the class is the folder at level 1 (2 classes: birds, pets), or the class is the folder at level 2 (4 classes: cat, dog, owl, tit)",
        &["--class-level 1", "--class-level 2"],
    );
    let readings: Vec<_> = data
        .readings
        .iter()
        .map(|r| (r.reading.count, r.examples.len()))
        .collect();
    assert_eq!(readings, [(2, 2), (4, 4)]);
    let first = &data.readings[0].reading;
    assert_eq!(
        (first.classes[1].name.as_str(), first.classes[1].train),
        ("pets", 5)
    );
    let file = data.readings[1].examples[2];
    let mut data = data;
    assert_eq!(
        data.read_file(file).expect("readable"),
        b"birds/owl/000.jpg"
    );

    let files = tree("2 pets/cat, 3 pets/dog, 2 birds/owl, 2 birds/tit");
    let outer = open(&files, level(1)).expect("a set");
    assert_eq!(
        (counts(&outer).as_str(), outer.problem),
        ("birds 4, pets 5", None)
    );
    let inner = open(&files, level(2)).expect("a set");
    assert_eq!(counts(&inner), "cat 2, dog 3, owl 2, tit 2");
    assert_eq!(inner.labels, level(2));
    // What was chosen can be changed.
    let offered: Vec<_> = inner.readings.iter().map(|r| &r.reading.labels).collect();
    assert_eq!(offered, [&level(1), &level(2)]);
    let deeper = open(&files, level(9))
        .expect_err("no such level")
        .to_string();
    assert!(deeper.contains("level 9"), "{deeper}");
    let nowhere = Labels::Folders {
        level: None,
        merge_similar: None,
        parts: vec![("fish".into(), Part::Test)],
    };
    let nowhere = open(&files, nowhere)
        .expect_err("no such folder")
        .to_string();
    assert!(nowhere.contains("fish"), "{nowhere}");

    // The same names under every parent: merged on demand only, and said.
    assert_asks(
        "2 p1/0, 2 p1/1, 2 p2/0, 2 p2/1, 2 p3/0, 2 p3/1, 1 p4/0, 1 p4/1, 1 p5/0",
        "two ways",
        &["--class-level 1", "--class-level 2"],
    );
    let merged = open(&tree("2 z/cat, 2 a/cat, 2 a/dog"), level(2)).expect("a set");
    assert_eq!(counts(&merged), "cat 4, dog 2");
    assert!(
        merged
            .notes
            .iter()
            .any(|n| n.contains("are one class: cat")),
        "{:?}",
        merged.notes
    );

    // Parts and classes in one name, with the same classes in each part.
    for spec in [
        "2 train_a, 2 train_b, 1 test_a, 1 test_b",
        "2 cat_train, 2 dog_train, 1 cat_test, 1 dog_test",
    ] {
        assert_asks(spec, "a part and a class at once", &["--class-level 1"]);
    }
    // Images beside folders: `more` may be a class or a heap.
    assert_asks(
        "2 cat, 1 cat/more, 2 dog",
        "two ways",
        &["--class-level 1", "--class-level 2"],
    );
}

#[test]
fn a_sibling_with_the_same_classes_may_be_a_part() {
    let spec = "3 setA/cat, 3 setA/dog, 1 setB/cat, 1 setB/dog";
    let data = assert_asks(
        spec,
        "\u{201c}setB\u{201d} is a part of the data set",
        &["--class-level 1", "--class-level 2", "--part setB=test"],
    );
    let labels = data.readings[2].reading.labels.clone();
    let with = open(&tree(spec), labels).expect("a set");
    assert_eq!(
        (counts(&with).as_str(), with.problem),
        ("cat 3+1, dog 3+1", None)
    );
    let only_part = Labels::Folders {
        level: None,
        merge_similar: None,
        parts: vec![("setb".into(), Part::Validation)],
    };
    let with = open(&tree(spec), only_part).expect("a set");
    assert_eq!(
        (counts(&with).as_str(), with.problem),
        ("cat 3/1, dog 3/1", None)
    );

    let data = assert_asks(
        "3 train/cat, 3 train/dog, 1 extra/cat, 1 extra/dog",
        "The folder \u{201c}extra\u{201d} has the same classes",
        &[
            "--part extra=test",
            "--part extra=validation",
            "--part extra=train",
        ],
    );
    assert_eq!(data.readings[2].reading.classes[0].train, 4);
}

#[test]
fn parts_are_known_by_a_word_of_their_names() {
    for names in [
        "training_set val_set test_set",
        "Train Val Test",
        "TRAIN VALID TEST",
        "train_images val_images test_images",
        "01_train 02_validation 03_test",
        "trainset valset testset",
        "images_train images_val images_test",
        "train dev test",
        "train eval holdout",
        "Training Validierung Testdaten",
        "entrenamiento validación prueba",
        "训练集 验证集 测试集",
        "train_1 val_1 test1",
        "birds-train birds-val birds-test",
    ] {
        let [a, b, c] = names.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{names}");
        };
        for wrap in ["", "archive/", "test/", "my train/deep/"] {
            let spec = format!(
                "4 {wrap}{a}/cat, 3 {wrap}{a}/dog, 2 {wrap}{b}/cat, 1 {wrap}{b}/dog, 1 {wrap}{c}/cat, 2 {wrap}{c}/dog"
            );
            assert_reads(&spec, "cat 4/2+1, dog 3/1+2");
        }
    }
    // Doubled, without classes, inside the classes.
    assert_reads(
        "2 a/training_set/training_set/cat, 2 a/training_set/training_set/dog, 1 a/test_set/test_set/cat, 1 a/test_set/test_set/dog",
        "cat 2+1, dog 2+1",
    );
    assert_reads(
        "2 imgs/train/c0, 2 imgs/train/c1, 3 imgs/test",
        "c0 2, c1 2; 3 unlabelled",
    );
    assert_reads(
        "3 cat/train, 1 cat/test, 2 dog/train, 1 dog/test",
        "cat 3+1, dog 2+1",
    );
    assert_reads(
        "2 train/a/cat, 2 train/a/dog, 1 test/b/cat, 1 test/b/dog",
        "cat 2+1, dog 2+1",
    );
    // Only the test images have a part: the others are for training.
    assert_reads("2 cat, 2 dog, 1 test/cat, 1 test/dog", "cat 2+1, dog 2+1");
}

#[test]
fn a_part_s_word_may_be_a_class() {
    assert_reads(
        "2 train/car, 3 train/train, 1 test/car, 1 test/train",
        "car 2+1, train 3+1",
    );
    assert_reads(
        "2 train/car, 3 train/train, 1 test/train",
        "car 2, train 3+1",
    );
    assert_reads("2 train, 3 car", "car 3, train 2");
    assert_reads("2 set/train, 3 set/car, 3 set/bus", "bus 3, car 3, train 2");
    assert_reads("2 test strips, 3 vial", "test strips 2, vial 3");
    assert_reads(
        "2 validation stamp, 3 postmark",
        "postmark 3, validation stamp 2",
    );
    assert_reads(
        "2 street, 3 trains, 2 contest",
        "contest 2, street 2, trains 3",
    );
    assert_reads("2 steam train, 3 test tube", "steam train 2, test tube 3");
    // The data set's own folder is no part.
    for own in ["test", "validation", "seg_train", "pred"] {
        assert_reads(&format!("2 {own}/cat, 3 {own}/dog"), "cat 2, dog 3");
    }
    let data = assert_reads("2 cat, 2 dog, 2 test", "cat 2, dog 2, test 2");
    assert!(
        data.notes[0].contains("\u{201c}test\u{201d} is taken for a class"),
        "{:?}",
        data.notes
    );
}

#[test]
fn images_that_no_part_or_class_holds_are_told() {
    let data = folder(&tree(
        "2 train/cat, 2 train/dog, 1 test/cat, 3 samples, 1 train",
    ));
    assert_eq!(counts(&data), "cat 2+1, dog 2; 1 unlabelled");
    assert!(
        data.notes
            .iter()
            .any(|n| n.contains("3 images lie outside")),
        "{:?}",
        data.notes
    );
    assert!(
        data.notes
            .iter()
            .any(|n| n.contains("1 image lies for training in no class folder")),
        "{:?}",
        data.notes
    );
    assert_eq!(data.skipped.len(), 3);
    assert!(data.skipped.iter().all(|s| !s.failed));
    let mut files = tree("2 pets/cat, 2 pets/dog");
    files.push(("pets/cover.jpg".into(), b"cover".to_vec()));
    let data = folder(&files);
    assert_eq!(counts(&data), "cat 2, dog 2");
    assert_eq!(
        (data.skipped[0].reason.as_str(), data.skipped[0].failed),
        ("lies in no class folder", false)
    );
}

#[test]
fn names_of_classes_are_compared_in_nfc_and_near_ones_asked_about() {
    assert_reads(
        "2 train/caf\u{e9}, 2 train/the, 1 test/cafe\u{301}, 1 test/the ",
        "caf\u{e9} 2+1, the 2+1",
    );
    let spec = "2 train/Cat, 2 train/Dog, 1 test/cat, 1 test/dog";
    let data = assert_asks(
        spec,
        "\u{201c}Cat\u{201d} and \u{201c}cat\u{201d}",
        &["--merge-similar yes", "--merge-similar no"],
    );
    let merged = open(&tree(spec), data.readings[0].reading.labels.clone()).expect("a set");
    assert_eq!(
        (counts(&merged).as_str(), merged.problem),
        ("Cat 2+1, Dog 2+1", None)
    );
    let apart = open(&tree(spec), data.readings[1].reading.labels.clone()).expect("a set");
    assert_eq!(counts(&apart), "Cat 2, Dog 2");
    assert!(
        apart
            .notes
            .iter()
            .any(|n| n.contains("cat, dog. 2 images are left out")),
        "{:?}",
        apart.notes
    );
    assert_asks(
        "2 golden_retriever, 2 Golden Retriever, 2 pug",
        "golden_retriever",
        &["--merge-similar yes", "--merge-similar no"],
    );
}

#[test]
fn classes_of_the_test_images_alone_do_not_block_the_training() {
    let data = assert_reads(
        "2 train/cat, 2 train/dog, 1 test/cat, 2 test/eel, 1 val/dog, 1 val/emu",
        "cat 2+1, dog 2/1",
    );
    assert!(
        data.notes.iter().any(|n| n == "2 classes have images for validation or test alone, so no model learns them: eel, emu. 3 images are left out of what is measured."),
        "{:?}",
        data.notes
    );
    let left: Vec<_> = data
        .skipped
        .iter()
        .map(|s| (s.file.as_str(), s.failed))
        .collect();
    assert_eq!(
        left,
        [
            ("test/eel/000.jpg", false),
            ("test/eel/001.jpg", false),
            ("val/emu/000.jpg", false)
        ]
    );
    assert!(
        data.skipped[0]
            .reason
            .contains("\u{201c}eel\u{201d}, which has no image to train on")
    );
    // One class alone is left to train on: that is the problem.
    let data = folder(&tree("2 train/cat, 1 test/cat, 1 test/dog"));
    assert!(data.problem.is_some(), "{:?}", data.notes);
    // A damaged image is one to train on: what is missing is told.
    let mut files = tree("2 train/cat, 2 train/dog, 1 test/eel");
    files.push(("train/eel/0.jpg".into(), Vec::new()));
    let problem = folder(&files).problem.expect("a problem");
    assert!(
        problem.contains("No images to train on in: eel"),
        "{problem}"
    );
}

#[test]
fn a_name_of_two_classes_is_told() {
    let data = assert_reads("2 cat, 2 dog, 2 cat dog", "cat 2, cat dog 2, dog 2");
    assert!(
        data.notes.iter().any(|n| n.contains("\u{201c}cat dog\u{201d} (\u{201c}cat\u{201d} and \u{201c}dog\u{201d}) may hold images of both")),
        "{:?}",
        data.notes
    );
}

#[test]
fn readings_that_cannot_be_trained_on_are_not_offered() {
    assert_asks(
        "2 Cat, 2 cat",
        "fewer than two classes with images to train on is not offered",
        &["--merge-similar no"],
    );
    let files = with(
        tree("2 pets/cat, 2 pets/dog, 2 birds/owl, 2 birds/tit"),
        "train.txt",
        "pets/cat/000.jpg\npets/cat/001.jpg\npets/dog/000.jpg\npets/dog/001.jpg\n",
    );
    let data = folder(&files);
    let flags: Vec<_> = data
        .readings
        .iter()
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert_eq!(flags, ["--class-level 2"]);
    assert!(data.problem.is_some_and(|p| p.ends_with("is not offered.")));
}

#[test]
fn hidden_folders_are_read_if_named_and_listed_if_not() {
    assert_reads("2 .dataset/cat, 2 .dataset/dog", "cat 2, dog 2");
    let data = folder(&tree("2 ammo/.22, 3 ammo/.45, 2 ammo/9mm, 1 ammo/.git"));
    assert_eq!(counts(&data), "9mm 2");
    let problem = data.problem.expect("a problem");
    assert!(
        problem.contains("one class only") && problem.contains("5 images in the folders .22, .45"),
        "{problem}"
    );
    let listed: Vec<_> = data.skipped.iter().map(|s| s.file.as_str()).collect();
    assert_eq!(listed, ["ammo/.22", "ammo/.45"]);
}

/// Six images in `folder`, without labels.
fn flat(folder: &str) -> Vec<(String, Vec<u8>)> {
    tree(&format!("6 {folder}"))
}

#[test]
fn a_table_gives_the_labels() {
    let rows = |form: &dyn Fn(usize, &str) -> String| -> String {
        (0..6)
            .map(|i| form(i, ["cat", "dog", "cat"][i % 3]))
            .collect()
    };
    let tables = [
        ("labels.csv", format!("image,label\n{}", rows(&|i, l| format!("{i:03}.jpg,{l}\n")))),
        ("labels.csv", format!("id,breed\n{}", rows(&|i, l| format!("{i:03},{l}\n")))),
        ("labels.csv", rows(&|i, l| format!("images/{i:03}.jpg;{l}\r\n"))),
        ("a.tsv", format!("\u{feff}path\tclass\n{}", rows(&|i, l| format!("C:\\x\\images\\{i:03}.JPG\t{l}\n")))),
        ("m.csv", format!("photographer,file,what\n{}", rows(&|i, l| format!("p{i},{i:03}.png,{l}\n")))),
        ("m.csv", format!("file,age,dx,sex\n{}", rows(&|i, l| format!("{i:03}.jpg,{},{l},m\n", 40 + i)))),
        ("m.csv", format!("file,class id,labels\n{}", rows(&|i, l| format!("{i:03}.jpg,{},{l}\n", l.len() + usize::from(l == "cat"))))),
        ("m.csv", format!("image,cat,dog\n{}", rows(&|i, l| format!("{i:03},{}.0,{}.0\n", u8::from(l == "cat"), u8::from(l == "dog"))))),
        ("l.json", format!("{{{}\"x.jpg\":\"cat\"}}", rows(&|i, l| format!("\"{i:03}.jpg\":\"{l}\",")))),
        ("l.jsonl", rows(&|i, l| format!("{{\"file_name\":\"{i:03}.jpg\",\"label\":\"{l}\"}}\n"))),
        ("l.json", "{\"cat\":[\"000.jpg\",\"002.jpg\",\"003.jpg\",\"005.jpg\"],\"dog\":[\"001.jpg\",\"004.jpg\"]}".into()),
    ];
    for (name, text) in tables {
        for place in ["set/", "set/images/", ""] {
            let files = with(flat("set/images"), &format!("{place}{name}"), &text);
            let data = folder(&files);
            assert_eq!(
                (counts(&data).as_str(), &data.problem),
                ("cat 4, dog 2", &None),
                "{text}"
            );
            let summary = data.table.clone().expect("a table");
            assert_eq!(
                (summary.file, summary.matched),
                (format!("{place}{name}"), 6),
                "{text}"
            );
            assert!(
                data.skipped.is_empty(),
                "the table that was read is listed: {:?}",
                data.skipped
            );
            // The reading in use, asked for by name, is the same.
            let again = open(&files, data.labels.clone()).expect("a set");
            assert_eq!(again.samples, data.samples, "{text}");
            assert!(matches!(data.labels, Labels::Table { .. }));
        }
    }
}

#[test]
fn numbers_as_labels_stay_text_and_integers_that_measure_are_no_labels() {
    let rows: String = (0..6)
        .map(|i| format!("{i:03}.jpg,{},{}.5\n", i % 2, i))
        .collect();
    let data = folder(&with(
        flat("x"),
        "train.csv",
        &format!("image,has_cactus,score\n{rows}"),
    ));
    assert_eq!(counts(&data), "0 3, 1 3");
}

#[test]
fn a_table_s_parts_count() {
    let rows: String = (0..6)
        .map(|i| {
            format!(
                "{i:03}.jpg,{},{}\n",
                ["cat", "dog"][i % 2],
                ["train", "train", "train", "train", "valid", "test"][i]
            )
        })
        .collect();
    let data = folder(&with(
        flat("x"),
        "labels.csv",
        &format!("file,label,split\n{rows}"),
    ));
    assert_eq!(counts(&data), "cat 2/1, dog 2+1");
    assert_eq!(
        data.table.and_then(|t| t.used.part).as_deref(),
        Some("split")
    );
    let rows: String = (0..6)
        .map(|i| format!("{i:03}.jpg,{},{}\n", ["cat", "dog"][i % 2], u8::from(i < 4)))
        .collect();
    let data = folder(&with(
        flat("x"),
        "labels.csv",
        &format!("file,label,is_train\n{rows}"),
    ));
    assert_eq!(counts(&data), "cat 2+1, dog 2+1");
    // Several tables, a part each; the sample of what to submit gives no label.
    let mut files = tree("4 s/train, 2 s/test");
    let rows = |n: usize| {
        (0..n)
            .map(|i| format!("{i:03}.jpg,{}\n", ["cat", "dog"][i % 2]))
            .collect::<String>()
    };
    files = with(files, "s/train.csv", &format!("id,label\n{}", rows(4)));
    files = with(
        files,
        "s/sample_submission.csv",
        "id,label\n000.jpg,cat\n001.jpg,cat\n",
    );
    let data = folder(&files);
    assert_eq!(
        (counts(&data).as_str(), &data.problem),
        ("cat 2, dog 2; 2 unlabelled", &None)
    );
    files = with(files, "s/test.csv", &format!("id,label\n{}", rows(2)));
    let data = folder(&files);
    assert_eq!(
        (counts(&data).as_str(), &data.problem),
        ("cat 2+1, dog 2+1", &None)
    );
    let again = open(&files, data.labels.clone()).expect("a set");
    assert_eq!(again.samples, data.samples);
}

#[test]
fn rows_without_images_and_images_without_rows_are_counted() {
    let text =
        "file,label\n000.jpg,cat\n001.jpg,cat\n002.jpg,dog\n003.jpg,dog\n900.jpg,dog\nx.jpg,cat\n";
    let data = folder(&with(flat("x"), "labels.csv", text));
    assert_eq!(counts(&data), "cat 2, dog 2; 2 unlabelled");
    let notes = data.notes.join(" ");
    assert!(
        notes.contains("2 of 6 rows of labels.csv name a file that is not here: 900.jpg, x.jpg."),
        "{notes}"
    );
    assert!(
        notes.contains("2 images have no label in labels.csv"),
        "{notes}"
    );
    // Names that lie in two folders.
    let mut files = tree("3 a, 3 b");
    files = with(
        files,
        "labels.csv",
        "file,label\na/000.jpg,cat\na/001.jpg,dog\nb/000.jpg,dog\nb/001.jpg,cat\n002.jpg,cat\n",
    );
    let data = open(&files, table("labels.csv", None)).expect("a set");
    assert_eq!(counts(&data), "cat 2, dog 2; 2 unlabelled");
    assert!(data.notes.iter().any(|n| n.contains("1 of 5 rows of labels.csv name a file of which there are several")), "{:?}", data.notes);
    // One image with two labels.
    let text = format!(
        "file,label\n{}000.jpg,dog\n",
        (0..40)
            .map(|i| format!("{i:03}.jpg,{}\n", ["cat", "dog"][i % 2]))
            .collect::<String>()
    );
    let data = folder(&with(tree("40 x"), "labels.csv", &text));
    assert_eq!(counts(&data), "cat 19, dog 20");
    assert!(
        data.skipped[0].failed && data.skipped[0].reason.contains("two labels in labels.csv"),
        "{:?}",
        data.skipped
    );
}

#[test]
fn several_labels_an_image_are_refused_with_the_reason() {
    let refused = |text: &str, name: &str, words: &str| {
        let data = folder(&with(flat("x"), name, text));
        let problem = data.problem.expect("a problem");
        assert!(
            problem.contains("several labels") && problem.contains(words),
            "{problem}"
        );
        let error = open(&with(flat("x"), name, text), table(name, None)).expect_err("refused");
        assert!(error.to_string().contains(words), "{error}");
    };
    refused(
        "file,labels\n000.jpg,cat|dog\n001.jpg,cat\n002.jpg,dog\n003.jpg,cat\n",
        "l.csv",
        "cat|dog",
    );
    refused(
        "file,tags\n000.jpg,a b\n001.jpg,a\n002.jpg,b\n003.jpg,a b c\n004.jpg,c\n005.jpg,b c\n",
        "l.csv",
        "tags",
    );
    refused(
        "file,cat,dog\n000.jpg,1,1\n001.jpg,0,1\n002.jpg,1,0\n",
        "l.csv",
        "cat, dog",
    );
    refused(
        "{\"000.jpg\":[\"cat\",\"dog\"],\"001.jpg\":[\"cat\"],\"002.jpg\":[\"dog\"]}",
        "l.json",
        "1 image several labels",
    );
    refused(
        "file,label\n000.jpg,cat\n000.jpg,dog\n001.jpg,cat\n001.jpg,dog\n",
        "l.csv",
        "2 images several labels",
    );
    let data = folder(&with(
        flat("x"),
        "coco.json",
        "{\"images\":[{\"id\":1}],\"annotations\":[{\"id\":1}]}",
    ));
    assert!(data.problem.is_some_and(|p| p.contains("COCO")));
    // Names of two words are one label.
    let text = "file,breed\n000.jpg,american bulldog\n001.jpg,boxer\n002.jpg,american bulldog\n003.jpg,boxer\n";
    assert_eq!(
        counts(&folder(&with(flat("x"), "l.csv", text))),
        "american bulldog 2, boxer 2; 2 unlabelled"
    );
}

#[test]
fn two_columns_that_may_be_the_label_are_a_question() {
    let rows: String = (0..6)
        .map(|i| {
            format!(
                "{i:03}.jpg,{},{}\n",
                ["cat", "dog"][i % 2],
                ["big", "big", "small"][i % 3]
            )
        })
        .collect();
    let files = with(flat("x"), "m.csv", &format!("file,animal,size\n{rows}"));
    let data = folder(&files);
    assert!(
        data.problem
            .as_deref()
            .is_some_and(|p| p.contains("Several columns of m.csv may be the label: animal, size"))
    );
    let flags: Vec<_> = data
        .readings
        .iter()
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert_eq!(
        flags,
        [
            "--labels m.csv --label-column animal",
            "--labels m.csv --label-column size"
        ]
    );
    assert_eq!(data.labels, Labels::Auto);
    let chosen = open(&files, data.readings[1].reading.labels.clone()).expect("a set");
    assert_eq!(
        (counts(&chosen).as_str(), chosen.problem),
        ("big 4, small 2", None)
    );
}

#[test]
fn a_table_that_is_asked_for_and_not_there_is_an_error_that_names_it() {
    let files = with(flat("x"), "m.csv", "file,label\n000.jpg,cat\n001.jpg,dog\n");
    for (labels, words) in [
        (
            table("other.csv", None),
            "other.csv: there is no such table",
        ),
        (
            table("m.csv", Some("breed")),
            "has no column \u{201c}breed\u{201d}; it has file, label",
        ),
        (pattern("{label}_*.jpg"), "no file name follows the pattern"),
        (pattern("*.jpg"), "has no {label}"),
    ] {
        let error = open(&files, labels).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_table_beside_class_folders_is_heard_if_it_says_something_else() {
    let files = tree("3 cat, 3 dog");
    let rows = |labels: [&str; 2]| -> String {
        files
            .iter()
            .enumerate()
            .map(|(i, (path, _))| {
                format!(
                    "{path},{}\n",
                    labels[if labels[0] == "felis" { i / 3 } else { i % 2 }]
                )
            })
            .collect()
    };
    let same = folder(&with(
        files.clone(),
        "m.csv",
        &format!("file,label\n{}", rows(["felis", "canis"])),
    ));
    assert_eq!(
        (counts(&same).as_str(), same.problem),
        ("cat 3, dog 3", None)
    );
    assert_eq!(same.skipped.len(), 1);
    let other = folder(&with(
        files.clone(),
        "m.csv",
        &format!("file,label\n{}", rows(["old", "new"])),
    ));
    assert!(other.problem.is_some_and(|p| {
        p.contains("The folders give the classes cat, dog, and a table gives others")
    }));
    let flags: Vec<_> = other
        .readings
        .iter()
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert_eq!(
        flags,
        ["--class-level 1", "--labels m.csv --label-column label"]
    );
    // A column of no label's name is none of our business.
    let other = folder(&with(
        files.clone(),
        "m.csv",
        &format!("file,photographer\n{}", rows(["ann", "bob"])),
    ));
    assert_eq!(other.problem, None);
    // Parts of a pile too large for one folder are no classes.
    let mut files = tree("3 HAM_images_part_1");
    files.extend(tree("6 HAM_images_part_2").split_off(3));
    let files = with(
        files,
        "meta.csv",
        "image_id,dx\n000,nv\n001,mel\n002,nv\n003,mel\n004,nv\n005,nv\n",
    );
    assert_eq!(counts(&folder(&files)), "mel 2, nv 4");
}

#[test]
fn file_names_give_the_labels_where_all_follow_a_pattern() {
    let files = |names: &str| -> Vec<(String, Vec<u8>)> {
        names
            .split(", ")
            .map(|n| (n.to_owned(), n.as_bytes().to_vec()))
            .collect()
    };
    let data = folder(&files(
        "train/cat.0.jpg, train/cat.1.jpg, train/dog.0.jpg, train/dog.1.jpg, test1/1.jpg, test1/2.jpg",
    ));
    assert_eq!(
        (counts(&data).as_str(), &data.problem),
        ("cat 2, dog 2; 2 unlabelled", &None)
    );
    assert_eq!(data.labels, pattern("{label}.*.jpg"));
    assert!(
        data.notes[0].contains("by the pattern {label}.*.jpg: 2 classes, cat, dog"),
        "{:?}",
        data.notes
    );
    assert_eq!(
        data.readings[0].reading.flags,
        "--label-pattern '{label}.*.jpg'"
    );
    let data = folder(&files(
        "a/Abyssinian_1.jpg, a/Abyssinian_2.jpg, a/american_bulldog_1.jpg, a/american_bulldog_2.jpg",
    ));
    assert_eq!(counts(&data), "Abyssinian 2, american_bulldog 2");
    // A camera's numbers are no labels, and class folders count more than names.
    let data = folder(&files("a/IMG_1.jpg, a/IMG_2.jpg, a/IMG_3.jpg, a/IMG_4.jpg"));
    assert!(data.problem.is_some_and(|p| p.contains("one class only")));
    let data = folder(&files("x/a_1.jpg, x/a_2.jpg, y/b_1.jpg, y/a_2.jpg"));
    assert_eq!(data.classes, ["x", "y"]);
    // Asked for: what does not follow is listed.
    let data = open(
        &files("a/cat_1.jpg, a/cat_2.jpg, a/dog_1.jpg, a/notes.jpg"),
        pattern("{label}_*.jpg"),
    )
    .expect("a set");
    assert_eq!(counts(&data), "cat 2, dog 1");
    assert!(
        data.skipped[0].failed
            && data.skipped[0].file == "a/notes.jpg"
            && data.skipped[0].reason.contains("pattern")
    );
}

#[test]
fn parts_without_labels_are_never_classes() {
    let data = folder(&tree("4 train, 3 test"));
    assert!(data.classes.is_empty());
    let problem = data.problem.expect("a problem");
    assert!(
        problem.starts_with("The 7 images lie in no class folder"),
        "{problem}"
    );
}

#[test]
fn identical_images_that_spoil_a_figure_are_told() {
    let file = |path: &str, bytes: &str| (path.to_owned(), bytes.as_bytes().to_vec());
    let data = folder(&[
        file("train/a/1.jpg", "x1"),
        file("train/a/2.jpg", "x2"),
        file("train/b/1.jpg", "y1"),
        file("train/b/2.jpg", "x2"),
        file("val/a/1.jpg", "z1"),
        file("val/b/1.jpg", "y1"),
        file("test/a/9.jpg", "x1"),
        file("test/b/9.jpg", "z1"),
        file("pred/1.jpg", "x1"),
    ]);
    let leaks: Vec<_> = data
        .leaks
        .iter()
        .map(|l| {
            (
                l.kind,
                l.files.iter().map(String::as_str).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        leaks,
        [
            (
                LeakKind::BetweenParts,
                vec!["train/a/1.jpg", "test/a/9.jpg"]
            ),
            (LeakKind::TwoLabels, vec!["train/a/2.jpg", "train/b/2.jpg"]),
            (LeakKind::BetweenParts, vec!["train/b/1.jpg", "val/b/1.jpg"]),
            (LeakKind::TwoLabels, vec!["val/a/1.jpg", "test/b/9.jpg"]),
        ]
    );
    let notes = data.notes.join(" ");
    for words in [
        "1 image of the test set is also",
        "1 image of the validation set is also",
        "2 images are there several times under different labels",
    ] {
        assert!(notes.contains(words), "{notes}");
    }
    assert_eq!(data.summary().leaks.len(), 4);
}

#[test]
fn what_is_left_out_is_called_what_it_is() {
    let file = |path: &str, bytes: &[u8]| (path.to_owned(), bytes.to_vec());
    let data = folder(&[
        file("a/1.heic", b"\0\0\0\x18ftypheic1"),
        file("a/2.HEIC", b"\0\0\0\x18ftypheic2"),
        file("b/3.heif", b"\0\0\0\x18ftypheic3"),
    ]);
    let problem = data.problem.expect("a problem");
    assert!(
        problem.starts_with("There are 3 files, all HEIC: each is a HEIC"),
        "{problem}"
    );
    assert!(data.skipped.iter().all(|s| s.failed));
    let data = folder(&[
        file("a/1.heic", b"\0\0\0\x18ftypheic1"),
        file("notes.txt", b"x"),
        file("b.mp4", b"x"),
    ]);
    let problem = data.problem.expect("a problem");
    assert!(
        problem.starts_with("None of the 3 files can be used: 1 .mp4 (is a video"),
        "{problem}"
    );
    assert_eq!(data.skipped.iter().filter(|s| s.failed).count(), 1);
    // Files without an ending and with a wrong one are images by content.
    let jpeg = b"\xff\xd8\xff\xe0 ";
    let data = folder(&[
        file("a/1", jpeg),
        file("a/2.image", jpeg),
        file("b/3.jpg!d", jpeg),
        file("b/4.heic", jpeg),
        file("b/5.dat", b"no image"),
        file("b/6.jpg", b""),
    ]);
    assert_eq!(counts(&data), "a 2, b 2");
    let skipped: Vec<_> = data
        .skipped
        .iter()
        .map(|s| (s.file.as_str(), s.failed))
        .collect();
    assert_eq!(skipped, [("b/5.dat", false), ("b/6.jpg", true)]);
    let data = assert_reads("3 a, 1 b", "a 3, b 1");
    assert!(
        data.notes[0].contains("\u{201c}b\u{201d} has a single image"),
        "{:?}",
        data.notes
    );
}

//! Folders as labels: of any depth, with parts of any name, and a question wherever two readings are left.

use retune::protocol::{Labels, Part};

use super::sets::{counts, folder, tree, with};
use super::{assert_asks, assert_reads, level, open};

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

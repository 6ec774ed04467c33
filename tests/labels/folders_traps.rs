//! Folders that are easily taken for classes: wrapping folders with a few loose images, ground truth, copies, dates,
//! folders that nobody named; and classes that are easily taken for masks or parts.

use super::sets::{Files, all, assert_notes, counts, folder, reads, tree};
use retune::data::{Dataset, Indexer};

/// The files with images under paths beside them.
fn and(spec: &str, paths: &[&str]) -> Files {
    let images: Vec<(&str, &str)> = paths.iter().map(|path| (*path, *path)).collect();
    all(tree(spec), &images)
}

/// What is asked, in words and flags.
#[track_caller]
pub fn asks(files: &Files, words: &str, flags: &[&str]) -> Dataset {
    let data = folder(files);
    let question = data.problem.clone().unwrap_or_default();
    assert!(question.contains(words), "\"{question}\" {:?}", data.notes);
    let found: Vec<&str> = (data.readings.iter())
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert_eq!(found, flags, "{question}");
    data
}

/// The number of images of each class and part in one of the readings.
pub fn chosen(files: &Files, data: &Dataset, reading: usize) -> String {
    let labels = data.readings[reading].reading.labels.clone();
    let indexer = Indexer::new("set", Box::new(super::sets::source(files))).labels(labels);
    counts(&indexer.finish().expect("a set"))
}

#[test]
fn loose_images_beside_class_folders_are_in_none() {
    for (files, loose) in [
        (
            and(
                "5 set/Animals/cat, 5 set/Animals/dog",
                &["set/readme.png", "set/Animals/preview1.png"],
            ),
            2,
        ),
        (
            and(
                "5 a/Dataset/Dataset/cat, 5 a/Dataset/Dataset/dog",
                &["a/logo.png", "a/Dataset/sample.png"],
            ),
            2,
        ),
        (
            and("5 s/data/cat, 5 s/data/dog, 2 s/data", &["s/logo.png"]),
            3,
        ),
    ] {
        let data = reads(&files, "cat 5, dog 5");
        let out = data
            .skipped
            .iter()
            .filter(|s| s.reason == "lies in no class folder");
        assert_eq!(out.count(), loose, "{:?}", data.skipped);
    }
    let many = and("5 s/data/cat, 5 s/data/dog, 7 s/data", &["s/logo.png"]);
    assert_notes(
        &reads(&many, "cat 5, dog 5"),
        "8 images lie beside the class folders, in no class",
    );
    // One of several folders above classes.
    let files = and(
        "5 pets/cat, 5 pets/dog, 5 birds/owl, 5 birds/tit",
        &["pets/preview.png"],
    );
    let data = asks(&files, "two ways", &["--class-level 1", "--class-level 2"]);
    assert_eq!(chosen(&files, &data, 0), "birds 10, pets 11");
    assert_eq!(chosen(&files, &data, 1), "cat 5, dog 5, owl 5, tit 5");
    // A class with a folder of more in it has its images in both readings.
    let files = tree("6 cat, 2 cat/more, 6 dog");
    let data = asks(&files, "two ways", &["--class-level 1", "--class-level 2"]);
    assert_eq!(chosen(&files, &data, 0), "cat 8, dog 6");
    assert_eq!(chosen(&files, &data, 1), "cat 6, dog 6, more 2");
}

#[test]
fn ground_truth_is_no_class() {
    for truth in ["CASIA 2 Groundtruth", "ground_truth", "gt", "GroundTruth"] {
        let data = reads(&tree(&format!("6 c/Au, 6 c/Tp, 6 c/{truth}")), "Au 6, Tp 6");
        assert_notes(
            &data,
            &format!("6 images in folders called {truth} are left out"),
        );
    }
    reads(
        &tree("6 lung, 6 photos, 6 lung annotations"),
        "lung 6, photos 6",
    );
    // Cars.
    reads(&tree("6 Audi A4, 6 Ford GT"), "Audi A4 6, Ford GT 6");
}

#[test]
fn copies_of_class_folders_are_asked_about() {
    for [base, copy] in [
        ["cat", "cat - Copy"],
        ["cat", "cat - Copy (2)"],
        ["dog", "Copy of dog"],
        ["cat", "cat (1)"],
        ["cat", "cat_(2)"],
        ["cat", "cat - Kopie"],
        ["cat", "Copia de cat"],
        ["cat", "Copie de cat"],
        ["cat", "cat_aug"],
        ["cat", "aug_cat"],
        ["cat", "cat_flipped"],
        ["cat", "cat rotated 90"],
    ] {
        let files = tree(&format!("5 cat, 5 dog, 4 {copy}"));
        let data = asks(
            &files,
            &format!("\u{201c}{base}\u{201d} and \u{201c}{copy}\u{201d} are names"),
            &["--merge-similar yes", "--merge-similar no"],
        );
        let other = if base == "cat" { "dog" } else { "cat" };
        let mut merged = [format!("{base} 9"), format!("{other} 5")];
        merged.sort();
        assert_eq!(chosen(&files, &data, 0), merged.join(", "));
    }
    // Numbers of their own, and nothing that they are copies of.
    reads(
        &tree("5 class (1), 5 class (2)"),
        "class (1) 5, class (2) 5",
    );
    reads(&tree("5 cat 1, 5 cat 2, 5 cat"), "cat 5, cat 1 5, cat 2 5");
    reads(
        &tree("5 August, 5 copy, 5 photocopy"),
        "August 5, copy 5, photocopy 5",
    );
}

#[test]
fn folders_that_nobody_named_are_told() {
    for names in [
        ["cat", "New folder"],
        ["New folder", "New folder (2)"],
        ["Neuer Ordner", "Neuer Ordner (2)"],
        ["Nouveau dossier", "cat"],
        ["Nueva carpeta", "cat"],
        ["untitled folder", "untitled folder 2"],
    ] {
        let data = folder(&tree(&format!("5 {}, 5 {}", names[0], names[1])));
        assert_eq!(data.problem, None, "{names:?}");
        assert_notes(&data, "that nobody named");
    }
}

#[test]
fn a_part_beside_classes_within_a_part_is_told() {
    let data = reads(
        &tree("5 train/cat, 5 train/dog, 3 train/Unlabeled, 2 valid/cat, 2 valid/dog"),
        "Unlabeled 3, cat 5/2, dog 5/2",
    );
    assert_notes(
        &data,
        "The folder \u{201c}Unlabeled\u{201d} is taken for a class",
    );
}

#[test]
fn folders_of_dates_are_told() {
    for names in [
        "2021-01 2021-02 2021-03 2021-04",
        "03.05.2021 04.05.2021 05.05.2021 06.05.2021",
        "3-5-2021 4-5-2021 5-5-2021 13-5-2021",
        "May_2021 June_2021 July_2021 Aug_2021",
        "20210503 20210504 20210505 20210506",
    ] {
        let spec: Vec<String> = names.split(' ').map(|name| format!("3 {name}")).collect();
        let data = folder(&tree(&spec.join(", ")));
        assert_eq!(data.problem, None, "{names}");
        assert_notes(&data, "sessions or dates");
    }
    // Coins.
    let years = reads(
        &tree("3 1999, 3 2000, 3 2001, 3 2002"),
        "1999 3, 2000 3, 2001 3, 2002 3",
    );
    assert_eq!(years.notes, [""; 0]);
}

#[test]
fn files_that_probably_have_the_labels_are_named() {
    let problem = |files: &Files| folder(files).problem.expect("a problem");
    for (spec, path, expected) in [
        (
            "8 jpg",
            "imagelabels.mat",
            "The labels are probably in imagelabels.mat (MATLAB), which is not read",
        ),
        ("8 images", "labels.npy", "in labels.npy (NumPy)"),
        ("8 cat", "y_train.npz", "in y_train.npz (NumPy)"),
        ("8 img", "train.h5", "in train.h5 (HDF5)"),
        ("8 images", "data.parquet", "in data.parquet (Parquet)"),
        (
            "8 images",
            "train.tfrecord",
            "in train.tfrecord (TensorFlow's",
        ),
        ("8 images", "labels.txt", "in labels.txt (text)"),
    ] {
        let text = problem(&all(
            tree(spec),
            &[(path, "0\n1\n0\n"), ("README.txt", "hi")],
        ));
        assert!(text.contains(expected), "{text}");
    }
    let both = problem(&all(
        tree("8 jpg"),
        &[
            ("setid.mat", "x"),
            ("imagelabels.mat", "x"),
            ("README.txt", "hi"),
        ],
    ));
    assert!(both.contains("probably in imagelabels.mat"), "{both}");
    assert!(
        both.starts_with("The 8 images lie in no class folder"),
        "{both}"
    );
    let mut voc = tree("20 JPEGImages");
    let mut yolo = tree("10 train/images, 10 valid/images");
    for i in 0..20 {
        let xml = "<annotation><object><name>cat</name></object></annotation>";
        voc.push((format!("Annotations/{i:03}.xml"), xml.into()));
        let part = ["train", "valid"][i / 10];
        let boxes = "0 0.5 0.5 0.2 0.2\n".into();
        yolo.push((format!("{part}/labels/{:03}.txt", i % 10), boxes));
    }
    let voc = problem(&voc);
    assert!(
        voc.contains("in 20 files .xml, such as Annotations/000.xml (XML, such as that of Pascal VOC), which are not read"),
        "{voc}"
    );
    assert!(!voc.contains("one class only"), "{voc}");
    let yolo = problem(&yolo);
    assert!(
        yolo.contains(
            "in 20 files .txt, such as train/labels/000.txt (text, such as that of YOLO)"
        ),
        "{yolo}"
    );
    // So few that they are looked into for lists.
    let few = problem(&all(
        tree("2 train/images, 2 valid/images"),
        &[
            ("train/labels/000.txt", "0 0.5 0.5 0.2 0.2\n"),
            ("train/labels/001.txt", "1 0.5 0.5 0.2 0.2\n"),
            ("valid/labels/000.txt", "0 0.5 0.5 0.2 0.2\n"),
            ("valid/labels/001.txt", "1 0.5 0.5 0.2 0.2\n"),
            ("data.yaml", "nc: 2\n"),
        ],
    ));
    assert!(few.contains("in 4 files .txt"), "{few}");
    // Nothing to name.
    let readme = problem(&all(tree("8 cat"), &[("README.txt", "hi")]));
    assert!(!readme.contains("probably"), "{readme}");
}

#[test]
fn a_class_called_mask_is_asked_about() {
    for [spec, all, without] in [
        [
            "5 Mask, 5 Helmet, 5 Image",
            "Helmet 5, Image 5, Mask 5",
            "Helmet 5, Image 5; 5 unlabelled",
        ],
        [
            "5 box, 5 label, 5 photo",
            "box 5, label 5, photo 5",
            "box 5, photo 5; 5 unlabelled",
        ],
        [
            "5 train/gloves, 5 train/mask, 5 train/photo, 2 test/gloves, 2 test/mask, 2 test/photo",
            "gloves 5+2, mask 5+2, photo 5+2",
            "gloves 5+2, photo 5+2; 7 unlabelled",
        ],
    ] {
        let files = tree(spec);
        let data = folder(&files);
        let question = data.problem.clone().expect(spec);
        assert!(question.contains("or masks or annotations"), "{question}");
        assert_eq!(chosen(&files, &data, 0), all);
        assert_eq!(chosen(&files, &data, 1), without);
    }
    let data = reads(
        &tree("5 test, 5 mask, 5 syringe"),
        "mask 5, syringe 5, test 5",
    );
    assert_notes(&data, "\u{201c}mask\u{201d} is taken for a class");
    // Masks of photos, and of nothing else.
    reads(
        &tree("5 cat/image, 5 cat/mask, 5 dog/image, 5 dog/mask"),
        "cat 5, dog 5",
    );
    reads(&tree("5 mask, 5 face"), "face 5, mask 5");
    let files = tree("5 cat/image, 5 cat/mask, 5 cat/edges, 5 dog/image, 5 dog/mask, 5 dog/edges");
    let data = asks(
        &files,
        "three ways",
        &["--class-level 1", "--class-level 2", "--part dog=test"],
    );
    assert_eq!(chosen(&files, &data, 0), "cat 10, dog 10");
}

#[test]
fn what_was_made_of_photos_is_asked_about() {
    asks(
        &tree("5 original, 5 segmented"),
        "names kinds of images rather than classes",
        &["--class-level 1"],
    );
    reads(
        &tree("5 cat/original, 5 cat/segmented, 5 dog/original"),
        "cat 5, dog 5",
    );
}

#[test]
fn parts_without_one_for_training_are_named() {
    let data = folder(&tree("6 DEV/cat, 6 DEV/dog, 3 TEST/cat, 3 TEST/dog"));
    let problem = data.problem.expect("a problem");
    for words in [
        "None of the 18 images is for training",
        "\u{201c}DEV\u{201d} is taken for validation, \u{201c}TEST\u{201d} is taken for test",
        "--part DEV=train",
    ] {
        assert!(problem.contains(words), "{problem}");
    }
}

#[test]
fn doubled_class_folders_are_not_asked_about() {
    reads(
        &tree("5 archive/cat/cat, 5 archive/dog/dog"),
        "cat 5, dog 5",
    );
    reads(
        &tree("5 archive/Cat/cat, 5 archive/Dog/dog"),
        "Cat 5, Dog 5",
    );
    reads(&tree("5 cat/cat, 5 dog, 5 eel/eel"), "cat 5, dog 5, eel 5");
    assert!(
        folder(&tree("5 cat/cat, 5 cat/dog, 5 dog/dog"))
            .problem
            .is_some()
    );
}

#[test]
fn a_level_that_is_not_there_is_refused() {
    let files = tree(
        "4 places/tokyo/sea, 4 places/tokyo/street, 4 places/berlin/sea, 4 places/berlin/street",
    );
    let asked = |level: usize| {
        let labels = retune::protocol::Labels::Folders {
            level: Some(level),
            merge_similar: None,
            parts: Vec::new(),
        };
        let indexer = retune::data::Indexer::new("set", Box::new(super::sets::source(&files)));
        indexer.labels(labels).finish()
    };
    assert!(asked(2).is_ok());
    let error = asked(3).expect_err("two levels").to_string();
    assert!(error.contains("2 deep at most"), "{error}");
}

#[test]
fn masks_are_told_by_the_beginnings_of_their_names_too() {
    let files = and(
        "3 a, 3 b",
        &[
            "a/mask_000.png",
            "a/001Mask.png",
            "b/gt_002.png",
            "b/img_7.jpg",
            "b/mask_7.jpg",
        ],
    );
    let data = reads(&files, "a 3, b 4");
    assert_notes(
        &data,
        "4 images are left out: by their names each is a mask",
    );
}

#[test]
fn numbers_below_zero_are_no_other_spelling() {
    for (spec, classes) in [
        ("5 -1, 5 0, 5 1", "-1 5, 0 5, 1 5"),
        ("5 -10, 5 10, 5 -2.5, 5 2.5", "-10 5, -2.5 5, 10 5, 2.5 5"),
    ] {
        reads(&tree(spec), classes);
    }
}

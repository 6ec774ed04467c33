//! Tables, lists and names that are easily taken for something else than they are: the parts of retrieval sets,
//! lists of bad images, made-up labels, folders of patients, dates in the names of files.

use super::sets::{Files, all, assert_notes, counts, folder, reads, rows, source, tree};

/// A list of images of two classes' folders.
fn of_both(range: std::ops::Range<usize>) -> String {
    rows(range, |i| format!("cat/{i:03}.jpg\ndog/{i:03}.jpg\n"))
}

#[test]
fn retrieval_sets_are_tested_by_query_and_gallery() {
    let lists = all(
        tree("6 cat, 6 dog"),
        &[
            ("train.txt", &of_both(0..4)),
            ("query.txt", &of_both(4..5)),
            ("gallery.txt", &of_both(5..6)),
        ],
    );
    reads(&lists, "cat 4+2, dog 4+2");
    // DeepFashion has the part in the third column.
    let deep = format!(
        "image_name item_id evaluation_status\n{}",
        rows(0..12, |i| format!(
            "{}/{:03}.jpg id_{:08} {}\n",
            ["cat", "dog"][i % 2],
            i / 2,
            i % 2,
            ["train", "query", "gallery"][i / 4]
        ))
    );
    let deep = all(tree("6 cat, 6 dog"), &[("list_eval_partition.txt", &deep)]);
    reads(&deep, "cat 2+4, dog 2+4");
    let counted = all(
        deep.iter()
            .filter(|f| !f.0.ends_with("txt"))
            .cloned()
            .collect(),
        &[(
            "list_eval_partition.txt",
            &format!(
                "12\n{}",
                String::from_utf8(deep[12].1.clone()).expect("text")
            ),
        )],
    );
    reads(&counted, "cat 2+4, dog 2+4");
    reads(
        &tree(
            "4 bounding_box_train/a, 4 bounding_box_train/b, 2 bounding_box_test/a, 2 bounding_box_test/b, 1 query/a, 1 query/b",
        ),
        "a 4+3, b 4+3",
    );
    reads(
        &tree("4 train/a, 4 train/b, 2 gallery/a, 2 gallery/b, 1 query/a, 1 query/b"),
        "a 4+3, b 4+3",
    );
    // A class may be called so.
    reads(&tree("4 gallery, 4 museum"), "gallery 4, museum 4");
}

#[test]
fn parts_in_other_languages() {
    for (train, test) in [
        ("entrenamiento", "prueba"),
        ("apprentissage", "essai"),
        ("addestramento", "verifica"),
        ("treinamento", "teste"),
        ("обучение", "проверка"),
        ("训练", "测试"),
        ("訓練", "テスト"),
        ("학습", "시험"),
        ("eğitim", "sınama"),
        ("uczenie", "testowanie"),
        ("trénovací", "testovací"),
        ("навчання", "перевірка"),
    ] {
        let lists = all(
            tree("6 cat, 6 dog"),
            &[
                (&format!("{train}.txt"), &of_both(0..4)),
                (&format!("{test}.txt"), &of_both(4..6)),
            ],
        );
        reads(&lists, "cat 4+2, dog 4+2");
    }
}

#[test]
fn lists_without_a_word_for_a_part_are_told() {
    let lists = all(
        tree("6 cat, 6 dog"),
        &[
            ("primus.txt", &of_both(0..4)),
            ("secundus.txt", &of_both(4..6)),
        ],
    );
    let data = reads(&lists, "cat 6, dog 6");
    assert_notes(
        &data,
        "no name says which one is for testing: primus.txt (8 images), secundus.txt (4 images)",
    );
    let known = all(
        tree("6 cat, 6 dog"),
        &[
            ("train.txt", &of_both(0..4)),
            ("secundus.txt", &of_both(4..6)),
        ],
    );
    let data = reads(&known, "cat 4, dog 4");
    assert_notes(&data, "secundus.txt (4 images)");
    let one = all(tree("6 cat, 6 dog"), &[("secundus.txt", &of_both(4..6))]);
    let data = reads(&one, "cat 6, dog 6");
    assert_notes(
        &data,
        "Of 12 images a list names some, and no name says what for: secundus.txt (4 images)",
    );
    let folds = all(
        tree("6 cat, 6 dog"),
        &[
            ("fold1.txt", &of_both(0..2)),
            ("fold2.txt", &of_both(2..4)),
            ("fold3.txt", &of_both(4..6)),
        ],
    );
    let data = reads(&folds, "cat 6, dog 6");
    assert_notes(
        &data,
        "fold1.txt (4 images), fold2.txt (4 images), fold3.txt (4 images)",
    );
    // A list of all images, of the images of one class, and a text that is no list.
    let plain = all(
        tree("6 cat, 6 dog"),
        &[
            ("images.txt", &of_both(0..6)),
            ("cat.txt", &rows(0..6, |i| format!("cat/{i:03}.jpg\n"))),
            ("notes.txt", "Taken in May.\n"),
        ],
    );
    let data = reads(&plain, "cat 6, dog 6");
    assert_eq!(data.notes, [""; 0]);
}

#[test]
fn lists_of_bad_images_and_samples_are_no_training_lists() {
    for name in [
        "bad_images.txt",
        "train_bad.csv",
        "duplicates.csv",
        "removed_train.txt",
        "outliers.txt",
    ] {
        let data = reads(
            &all(tree("6 cat, 6 dog"), &[(name, &of_both(0..1))]),
            "cat 6, dog 6",
        );
        assert_notes(
            &data,
            &format!("{name} names 2 images that by its name are to be left out"),
        );
    }
    let labels = |range| {
        format!(
            "file,label\n{}",
            rows(range, |i| format!("{i:03}.jpg,{}\n", ["cat", "dog"][i % 2]))
        )
    };
    let bad = "file,label\n000.jpg,dog\n001.jpg,cat\n";
    let data = reads(
        &all(
            tree("12 images"),
            &[("train.csv", &labels(0..12)), ("train_bad.csv", bad)],
        ),
        "cat 6, dog 6",
    );
    assert_notes(&data, "train_bad.csv names 2 images");
    for name in [
        "train_small.txt",
        "few_train.csv",
        "train_100.txt",
        "train_subset.txt",
        "debug_train.txt",
    ] {
        let data = reads(
            &all(tree("6 cat, 6 dog"), &[(name, &of_both(0..1))]),
            "cat 6, dog 6",
        );
        assert_notes(
            &data,
            &format!("{name} names 2 images and is by its name a sample"),
        );
        let data = reads(
            &all(
                tree("6 cat, 6 dog"),
                &[
                    (name, &of_both(0..1)),
                    ("train.txt", &of_both(0..4)),
                    ("test.txt", &of_both(4..6)),
                ],
            ),
            "cat 4+2, dog 4+2",
        );
        assert_notes(&data, "the images to train on are those of train.txt");
    }
}

#[test]
fn one_label_for_all_test_images_labels_none() {
    let images = tree("12 train, 20 test");
    let train = format!(
        "file,label\n{}",
        rows(0..12, |i| format!(
            "train/{i:03}.jpg,{}\n",
            ["cat", "dog"][i % 2]
        ))
    );
    for (name, label) in [
        ("sampleSubmission.csv", "cat"),
        ("sample_sub.csv", "cat"),
        ("dummy_submission.csv", "0"),
        ("baseline.csv", "cat"),
        ("solution_format.csv", "cat"),
        ("upload.csv", "cat"),
        ("format.csv", "cat"),
        ("x.csv", "0"),
        ("x.csv", "0.5"),
        ("test.csv", "unknown"),
    ] {
        let test = format!(
            "file,label\n{}",
            rows(0..20, |i| format!("test/{i:03}.jpg,{label}\n"))
        );
        reads(
            &all(images.clone(), &[("train.csv", &train), (name, &test)]),
            "cat 6, dog 6; 20 unlabelled",
        );
        let data = reads(
            &all(tree("6 train/cat, 6 train/dog, 20 test"), &[(name, &test)]),
            "cat 6, dog 6; 20 unlabelled",
        );
        if name == "format.csv" {
            assert_notes(&data, "gives all its images one label");
        }
    }
}

#[test]
fn folds_in_the_names_of_lists() {
    for [one, two] in [
        [
            "fold1_train.txt fold1_test.txt",
            "fold2_train.txt fold2_test.txt",
        ],
        [
            "split1/train.txt split1/test.txt",
            "split2/train.txt split2/test.txt",
        ],
        [
            "train_fold_0.csv test_fold_0.csv",
            "train_fold_1.csv test_fold_1.csv",
        ],
    ] {
        let mut files = tree("6 cat, 6 dog");
        let head = |name: &str| if name.ends_with("csv") { "file\n" } else { "" };
        for (names, train, test) in [(one, 0..4, 4..6), (two, 2..6, 0..2)] {
            let (a, b) = names.split_once(' ').expect("two");
            files = all(
                files,
                &[
                    (a, &(head(a).to_owned() + &of_both(train))),
                    (b, &(head(b).to_owned() + &of_both(test))),
                ],
            );
        }
        let data = reads(&files, "cat 4+2, dog 4+2");
        assert_notes(&data, "There are 2 numbered divisions");
        let sibling = two
            .split(' ')
            .next()
            .and_then(|p| p.rsplit('/').next())
            .expect("a name");
        assert_notes(&data, sibling);
    }
}

#[test]
fn characters_that_show_nothing_make_no_other_class_or_file() {
    let labels = rows(0..8, |i| {
        let [name, file] = [
            ["cat", "dog", "ca\u{200b}t", "\u{feff}dog\u{200e}"][i % 4],
            ["", "\u{200f}"][i / 4],
        ];
        format!("{file}{i:03}.jpg,{name}\n")
    });
    let files = all(
        tree("8 images"),
        &[("labels.csv", &format!("file,la\u{ad}bel\n{labels}"))],
    );
    reads(&files, "cat 4, dog 4");
    reads(
        &tree("4 train/cat, 4 train/dog, 2 test/ca\u{ad}t, 2 test/dog\u{200b}"),
        "cat 4+2, dog 4+2",
    );
}

/// What is asked, and the number of images of each class and part in the reading whose flags are these.
#[track_caller]
fn offers(spec: &str, flags: &str, expected: &str) {
    let files = tree(spec);
    let data = folder(&files);
    let question = data.problem.as_deref().unwrap_or("nothing is asked");
    let found: Vec<&str> = (data.readings.iter())
        .map(|r| r.reading.flags.as_str())
        .collect();
    let wanted = (data.readings.iter()).find(|r| r.reading.flags == flags);
    let wanted = wanted.unwrap_or_else(|| panic!("{question}: {found:?}"));
    let chosen = retune::data::Indexer::new("set", Box::new(source(&files)))
        .labels(wanted.reading.labels.clone())
        .finish()
        .expect("a set");
    assert_eq!(
        counts(&chosen),
        expected,
        "{:?} {:?}",
        chosen.problem,
        chosen.notes
    );
}

#[test]
fn parts_that_only_some_classes_have_are_offered() {
    offers(
        "4 cat, 2 cat/test, 4 dog",
        "--part test=test",
        "cat 4+2, dog 4",
    );
    let data = reads(&tree("4 cat/train, 2 cat/test, 4 dog"), "cat 4+2, dog 4");
    assert_notes(&data, "the images of the others are for training: dog");
    offers(
        "4 data_256/a/abbey, 4 data_256/a/alley, 4 data_256/b/bar, 6 val_256",
        "--class-level 3 --part val_256=validation",
        "abbey 4, alley 4, bar 4; 6 unlabelled",
    );
}

#[test]
fn folders_of_patients_are_told_and_asked_about() {
    let patients = tree("3 p0, 3 p1, 3 p2, 3 p3");
    let data = reads(&patients, "p0 3, p1 3, p2 3, p3 3");
    assert_notes(
        &data,
        "named like patients, persons, sessions or dates: p0, p1, p2, p3",
    );
    let by_file = format!(
        "file,finding\n{}",
        rows(0..4, |i| format!(
            "p{i}/000.jpg,{}\n",
            ["ill", "well"][i % 2]
        ))
    );
    let data = folder(&all(patients.clone(), &[("labels.csv", &by_file)]));
    assert_eq!(data.readings.len(), 2, "{:?}", data.problem);
    let by_patient = "patient,sex,diagnosis\np0,f,ill\np1,f,well\np2,m,ill\np3,m,well\n";
    let data = folder(&all(patients, &[("patients.csv", by_patient)]));
    let question = data.problem.expect("a question");
    assert!(
        question.contains(
            "\u{201c}patient\u{201d} of patients.csv names them, with \u{201c}diagnosis\u{201d}"
        ),
        "{question}"
    );
    assert_eq!(data.readings.len(), 1);
}

#[test]
fn why_a_table_gives_no_labels_is_told() {
    let labels = |range| {
        format!(
            "id,label\n{}",
            rows(range, |i| format!("{i},{}\n", ["cat", "dog"][i % 2]))
        )
    };
    let reason = |files: &Files| folder(files).problem.expect("a problem");
    // Each number is there in both parts.
    let both = reason(&all(
        tree("8 train, 8 test"),
        &[("labels.csv", &labels(0..8))],
    ));
    assert!(
        both.contains("names in 8 of 8 rows files of which there are several"),
        "{both}"
    );
    let none = reason(&all(tree("8 train"), &[("train.csv", &labels(20..40))]));
    assert!(none.contains("its first row is \u{201c}20\u{201d}, \u{201c}cat\u{201d}, an image is called \u{201c}000.jpg\u{201d}"), "{none}");
    let damaged = "[\n{\"file\": \"cat/000.jpg\", \"label\": 1},\n]";
    let data = reads(
        &all(tree("4 cat, 4 dog"), &[("labels.json", damaged)]),
        "cat 4, dog 4",
    );
    assert_notes(
        &data,
        "labels.json is damaged JSON (trailing comma at line 3 column 1); it is not used",
    );
}

/// What names the folders, or labels their images in one of several columns, may have the classes.
#[test]
fn tables_that_know_the_folders_of_patients_are_a_question() {
    let mut several = "path,sex,finding\n".to_owned();
    for i in 0..8 {
        let (sex, finding) = (["f", "m"][i % 2], ["ill", "well"][i / 2 % 2]);
        several.push_str(&format!("p{}/{:03}.jpg,{sex},{finding}\n", i / 2, i % 2));
    }
    let data = folder(&all(
        tree("2 p0, 2 p1, 2 p2, 2 p3"),
        &[("train.csv", &several)],
    ));
    let flags: Vec<&str> = (data.readings.iter())
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert!(flags.len() > 1, "{flags:?} {:?}", data.problem);
    assert!(
        flags.contains(&"--labels train.csv --label-column finding"),
        "{flags:?}"
    );
    // No rule knows that these are people; the table says that it has labels.
    let people = "subject,diagnosis\nanna,healthy\nbert,sick\ncarl,healthy\ndora,sick\n";
    let data = folder(&all(
        tree("3 anna, 3 bert, 3 carl, 3 dora"),
        &[("labels.csv", people)],
    ));
    let question = data.problem.expect("a question");
    assert!(
        question.contains("\u{201c}subject\u{201d} of labels.csv names them"),
        "{question}"
    );
    // The names of the classes in a table of images name the folders too.
    let mut images = "file,class,label\n".to_owned();
    for (number, name) in ["anna", "bert", "carl", "dora"].iter().enumerate() {
        for i in 0..3 {
            images.push_str(&format!("{name}/{i:03}.jpg,{name},{number}\n"));
        }
    }
    reads(
        &all(
            tree("3 anna, 3 bert, 3 carl, 3 dora"),
            &[("train.csv", &images)],
        ),
        "anna 3, bert 3, carl 3, dora 3",
    );
    // A table that tells more of the classes is no reason to ask.
    let facts = "species,colour\nanna,red\nbert,blue\ncarl,red\ndora,blue\n";
    reads(
        &all(
            tree("3 anna, 3 bert, 3 carl, 3 dora"),
            &[("facts.csv", facts)],
        ),
        "anna 3, bert 3, carl 3, dora 3",
    );
}

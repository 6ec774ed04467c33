//! Tables as data sets are published with: for the test images, for the parts, several, of numbers.

use retune::data::{Indexer, Subset};
use retune::protocol::{Columns, Labels};

use super::sets::{all, assert_notes, counts, folder, rows, source, tree};
use super::{choose, reads};

#[test]
fn a_table_labels_the_test_images_beside_class_folders() {
    // GTSRB.
    let test = |labels: [&str; 4]| {
        let rows: String = labels
            .iter()
            .enumerate()
            .map(|(i, label)| format!("30,30,{label},Test/{i:03}.jpg\n"))
            .collect();
        format!("Width,Height,ClassId,Path\n{rows}")
    };
    let train: String = ["0", "0", "0", "1", "1", "1"]
        .iter()
        .enumerate()
        .map(|(i, label)| format!("30,30,{label},Train/{label}/{:03}.jpg\n", i % 3))
        .collect();
    let gtsrb = all(
        tree("3 Train/0, 3 Train/1, 4 Test"),
        &[
            ("Train.csv", &format!("Width,Height,ClassId,Path\n{train}")),
            ("Test.csv", &test(["0", "1", "1", "1"])),
        ],
    );
    let data = reads(&gtsrb, "0 3+1, 1 3+3");
    assert_notes(
        &data,
        "4 images in no class folder have their labels from Test.csv",
    );
    // Folders of another spelling.
    let padded = all(
        tree("3 Train/00000, 3 Train/00001, 4 Test"),
        &[("Test.csv", &test(["0", "1", "1", "1"]))],
    );
    reads(&padded, "00000 3+1, 00001 3+3");
    // Numbers that only the table of the training images explains.
    let named = all(
        tree("3 Train/stop, 3 Train/yield, 4 Test"),
        &[
            (
                "Train.csv",
                &format!(
                    "Width,Height,ClassId,Path\n{}",
                    train
                        .replace("Train/0", "Train/stop")
                        .replace("Train/1", "Train/yield")
                ),
            ),
            ("Test.csv", &test(["0", "1", "1", "7"])),
        ],
    );
    let data = reads(&named, "stop 3+1, yield 3+2; 1 unlabelled");
    assert_notes(
        &data,
        "1 image in no class folder stays without a class, since a table gives labels that no class folder has: 7.",
    );
    // Numbers that begin at another one than the folders do: nothing is guessed.
    let shifted = all(
        tree("3 Train/1, 3 Train/2, 4 Test"),
        &[("Test.csv", &test(["0", "1", "1", "0"]))],
    );
    let data = reads(&shifted, "1 3, 2 3; 4 unlabelled");
    assert_notes(&data, "4 images in no class folder stay without a class");
    // Two tables that differ.
    let differ = all(
        tree("3 Train/0, 3 Train/1, 4 Test"),
        &[
            ("Test.csv", &test(["0", "1", "1", "1"])),
            ("Test_new.csv", &test(["0", "1", "1", "0"])),
        ],
    );
    let data = reads(&differ, "0 3+1, 1 3+2; 1 unlabelled");
    assert_notes(
        &data,
        "1 image in no class folder stays without a class, since Test.csv, Test_new.csv give different ones",
    );
    // Tiny ImageNet's list has no header; all its labels are the folders' names.
    let tiny = all(
        tree("3 train/n01/images, 3 train/n02/images, 4 val/images"),
        &[(
            "val/val_annotations.txt",
            "000.jpg\tn01\t0\t32\n001.jpg\tn02\t1\t44\n002.jpg\tn01\t2\t40\n003.jpg\tn02\t3\t41\n",
        )],
    );
    reads(&tiny, "n01 3/2, n02 3/2");
}

#[test]
fn numbers_that_divide_the_images_are_told_and_not_guessed() {
    let table = |column: &str, values: [&str; 6]| {
        let rows: String = values
            .iter()
            .enumerate()
            .map(|(i, v)| format!("{i:03}.jpg,{},{v}\n", ["cat", "dog"][i % 2]))
            .collect();
        all(
            tree("6 x"),
            &[("l.csv", &format!("file,label,{column}\n{rows}"))],
        )
    };
    let flags = ["1", "1", "1", "1", "0", "0"];
    reads(&table("is_train", flags), "cat 2+1, dog 2+1");
    reads(&table("train_test_split", flags), "cat 2+1, dog 2+1");
    reads(
        &table("is_test", ["0", "0", "0", "0", "1", "1"]),
        "cat 2+1, dog 2+1",
    );
    reads(
        &table(
            "is_valid",
            ["False", "False", "False", "False", "True", "True"],
        ),
        "cat 2/1, dog 2/1",
    );
    for column in ["set", "split", "Subset"] {
        let data = reads(&table(column, flags), "cat 3, dog 3");
        assert_notes(
            &data,
            &format!(
                "The column \u{201c}{column}\u{201d} of l.csv divides the images by numbers (0, 1)"
            ),
        );
    }
    let data = reads(
        &table("fold", ["0", "1", "2", "3", "4", "0"]),
        "cat 3, dog 3",
    );
    assert_notes(&data, "numbers the folds of a cross-validation");
    // Three flags.
    let rows: String = ["1,0,0", "1,0,0", "0,1,0", "0,0,1", "1,0,0", "1,0,0"]
        .iter()
        .enumerate()
        .map(|(i, v)| format!("{i:03}.jpg,{},{v}\n", ["cat", "dog"][i % 2]))
        .collect();
    let three = all(
        tree("6 x"),
        &[(
            "l.csv",
            &format!("file,label,is_train,is_val,is_test\n{rows}"),
        )],
    );
    reads(&three, "cat 2/1, dog 2+1");
    // CelebA's list of numbers is neither a label nor a list of validation images.
    let celeb = all(
        tree("3 a, 3 b"),
        &[(
            "list_eval_partition.txt",
            "a/000.jpg 0\na/001.jpg 0\na/002.jpg 1\nb/000.jpg 0\nb/001.jpg 2\nb/002.jpg 2\n",
        )],
    );
    let data = reads(&celeb, "a 3, b 3");
    assert_notes(
        &data,
        "of list_eval_partition.txt divides the images by numbers",
    );
}

#[test]
fn each_table_has_columns_of_its_own() {
    let files = all(
        tree("4 s/train, 2 s/test"),
        &[
            (
                "s/train.csv",
                "id,label\n000.jpg,cat\n001.jpg,cat\n002.jpg,dog\n003.jpg,dog\n",
            ),
            (
                "s/test.csv",
                "file,target,age\n000.jpg,cat,7\n001.jpg,dog,8\n",
            ),
        ],
    );
    let data = reads(&files, "cat 2+1, dog 2+1");
    assert_eq!(
        data.readings[0].reading.flags,
        "--labels 's/train.csv;s/test.csv'"
    );
    // A column that the user names is that of the tables which have it, and one that none has is an error.
    let asked = |label: &str| {
        Indexer::new("set", Box::new(source(&files)))
            .labels(Labels::Table {
                file: "train.csv;test.csv".into(),
                columns: Columns {
                    label: Some(label.into()),
                    ..Columns::default()
                },
            })
            .finish()
    };
    assert_eq!(counts(&asked("label").expect("a set")), "cat 2+1, dog 2+1");
    let error = asked("breed").expect_err("no such column").to_string();
    assert!(error.contains("\u{201c}breed\u{201d}"), "{error}");
}

#[test]
fn tables_of_other_labels_are_a_question() {
    // FGVC: every image has a family and a maker; the lists of its parts do not overlap.
    let list = |labels: [&str; 2], from: usize, to: usize| {
        rows(from..to, |i| format!("{i:03} {}\n", labels[i % 2]))
    };
    let [families, makers] = [["A320", "Boeing 707"], ["Airbus", "Boeing"]];
    let files = all(
        tree("8 data/images"),
        &[
            ("data/images_family_train.txt", &list(families, 0, 6)),
            ("data/images_family_test.txt", &list(families, 6, 8)),
            ("data/images_manufacturer_train.txt", &list(makers, 0, 6)),
            ("data/images_manufacturer_test.txt", &list(makers, 6, 8)),
        ],
    );
    let data = folder(&files);
    let problem = data.problem.as_deref().unwrap_or_default();
    assert!(
        problem.starts_with("Tables give different labels"),
        "{problem}"
    );
    assert_eq!(data.readings.len(), 2);
    let mut found: Vec<String> = (data.readings.iter())
        .map(|reading| counts(&choose(&files, reading.reading.labels.clone())))
        .collect();
    found.sort();
    assert_eq!(
        found,
        ["A320 3+1, Boeing 707 3+1", "Airbus 3+1, Boeing 3+1"]
    );
    // Two columns that may be the label, in both tables.
    let table = |from: usize, to: usize| {
        let rows = rows(from..to, |i| {
            format!(
                "{i:03}.jpg,{},{}\n",
                ["cat", "dog"][i % 2],
                ["big", "small"][i / 2 % 2]
            )
        });
        format!("file,animal,size\n{rows}")
    };
    let files = all(
        tree("12 x"),
        &[("train.csv", &table(0, 8)), ("test.csv", &table(8, 12))],
    );
    let data = folder(&files);
    assert_eq!(data.readings.len(), 2, "{:?}", data.problem);
    let chosen = choose(&files, data.readings[1].reading.labels.clone());
    assert_eq!(counts(&chosen), "big 4+2, small 4+2");
    // A table a class.
    let files = all(
        tree("6 x"),
        &[
            (
                "cats.csv",
                "file,label\n000.jpg,cat\n001.jpg,cat\n002.jpg,cat\n",
            ),
            (
                "dogs.csv",
                "file,label\n003.jpg,dog\n004.jpg,dog\n005.jpg,dog\n",
            ),
        ],
    );
    reads(&files, "cat 3, dog 3");
}

#[test]
fn labels_that_stand_in_for_unknown_ones_are_told() {
    let files = all(
        tree("4 train, 5 test"),
        &[
            (
                "train.txt",
                "train/000.jpg 0\ntrain/001.jpg 1\ntrain/002.jpg 0\ntrain/003.jpg 1\n",
            ),
            ("test.txt", &rows(0..5, |i| format!("test/{i:03}.jpg 0\n"))),
        ],
    );
    let data = reads(&files, "0 2, 1 2; 5 unlabelled");
    assert_notes(
        &data,
        "test.txt gives all its images one label, as one that stands in",
    );
}

#[test]
fn images_without_classes_can_be_classified_whatever_a_list_says() {
    let files = all(tree("4 x"), &[("train.txt", "x/000.jpg\nx/001.jpg\n")]);
    let data = folder(&files);
    assert_eq!(data.loose_images().len(), 4, "{:?}", data.problem);
    // A list of any name that the user asks for.
    let files = all(
        tree("4 x"),
        &[("mine.txt", "000 cat\n001 cat\n002 dog\n003 dog\n")],
    );
    let labels = Labels::Table {
        file: "mine.txt".into(),
        columns: Columns::default(),
    };
    assert_eq!(counts(&choose(&files, labels)), "cat 2, dog 2");
}

#[test]
fn lists_of_a_kind_that_is_not_read_are_named() {
    let files = all(
        tree("3 a, 3 b"),
        &[("train_list.mat", "x"), ("test_list.mat", "x")],
    );
    let data = reads(&files, "a 3, b 3");
    assert_notes(
        &data,
        "test_list.mat may say which images are for testing; files of this kind are not read",
    );
}

#[test]
fn the_column_of_parts_that_the_user_names_counts() {
    let rows: String = (0..6)
        .map(|i| {
            format!(
                "{i:03}.jpg,{},{},{},{}\n",
                ["cat", "dog"][i % 2],
                ["test", "train"][usize::from(i < 4)],
                ["test", "train"][usize::from(i > 1)],
                i % 2
            )
        })
        .collect();
    let files = all(
        tree("6 x"),
        &[("l.csv", &format!("file,label,split,split2,set\n{rows}"))],
    );
    let by = |part: &str| {
        Indexer::new("set", Box::new(source(&files)))
            .labels(Labels::Table {
                file: "l.csv".into(),
                columns: Columns {
                    part: Some(part.into()),
                    ..Columns::default()
                },
            })
            .finish()
    };
    for part in ["split", "split2"] {
        let data = by(part).expect("a set");
        assert_eq!(counts(&data), "cat 2+1, dog 2+1");
        let first = data
            .samples
            .iter()
            .any(|s| s.path == "x/000.jpg" && s.subset == Subset::Test);
        assert_eq!(first, part == "split2");
    }
    let error = by("set").expect_err("numbers").to_string();
    assert!(error.contains("has no word for training"), "{error}");
}

#[test]
fn a_table_names_the_files_beside_it() {
    // Roboflow's table in each part, columns of 0 and 1 under names with a blank.
    let table = |n: usize| {
        format!(
            "filename, cat, dog\n{}",
            rows(0..n, |i| format!("{i:03}.jpg, {}, {}\n", 1 - i % 2, i % 2))
        )
    };
    let files = all(
        tree("6 train, 2 valid, 2 test"),
        &[
            ("train/_classes.csv", &table(6)),
            ("valid/_classes.csv", &table(2)),
            ("test/_classes.csv", &table(2)),
        ],
    );
    reads(&files, "cat 3/1+1, dog 3/1+1");
}

#[test]
fn a_list_that_leaves_nothing_to_train_on_is_named() {
    let files = all(
        tree("2 a, 2 b"),
        &[(
            "evaluation.txt",
            "a/000.jpg\na/001.jpg\nb/000.jpg\nb/001.jpg\n",
        )],
    );
    let problem = folder(&files).problem.expect("a problem");
    assert!(
        problem.contains("None of the 4 images is for training")
            && problem.contains("evaluation.txt"),
        "{problem}"
    );
}

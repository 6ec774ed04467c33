//! Labels and parts that come beside the images as data sets are published: official lists in plain text, a table for
//! the test images, tables joined by a number, exports of Label Studio.
#![cfg(feature = "data")]

use retune::data::{Dataset, Indexer, Subset};
use retune::protocol::{Columns, Labels};

mod sets;

use sets::{Files, all, assert_notes, counts, folder, rows, source, tree};

fn choose(files: &Files, labels: Labels) -> Dataset {
    Indexer::new("set", Box::new(source(files)))
        .labels(labels)
        .finish()
        .expect("a set")
}

/// What is read, with no problem; and the same when it is asked for by name.
#[track_caller]
fn reads(files: &Files, expected: &str) -> Dataset {
    let data = sets::reads(files, expected);
    let again = choose(files, data.labels.clone());
    assert_eq!(again.samples, data.samples, "{:?}", data.labels);
    data
}

#[test]
fn lists_of_the_parts_divide_class_folders() {
    // Food-101: names without endings below `meta`.
    let food = all(
        tree("4 food/images/pie, 4 food/images/soup"),
        &[
            (
                "food/meta/train.txt",
                "pie/000\npie/001\npie/002\nsoup/000\nsoup/001\n",
            ),
            ("food/meta/test.txt", "pie/003\nsoup/002\nsoup/003\n"),
            ("food/meta/classes.txt", "pie\nsoup\n"),
            ("food/README.txt", "Food\n"),
        ],
    );
    let data = reads(&food, "pie 3+1, soup 2+2");
    assert_notes(
        &data,
        "The parts of the images are those of test.txt, train.txt: 5 for training, 3 for test.",
    );
    let listed: Vec<_> = data.skipped.iter().map(|s| s.file.as_str()).collect();
    assert_eq!(listed, ["food/meta/classes.txt", "food/README.txt"]);
    // MIT-67 and the like: images that no list names are left out.
    let mit = all(
        tree("4 Images/bar, 4 Images/gym"),
        &[
            ("TrainImages.txt", "bar/000.jpg\nbar/001.jpg\ngym/000.jpg\n"),
            ("TestImages.txt", "bar/002.jpg\ngym/001.jpg"),
        ],
    );
    let data = reads(&mit, "bar 2+1, gym 1+1");
    assert_notes(
        &data,
        "3 images are in none of these lists and are left out",
    );
    // Only the test images are listed: the others are for training.
    let test = all(
        tree("4 a, 4 b"),
        &[("test_list.txt", "a/003.jpg\nb/003.jpg\n")],
    );
    reads(&test, "a 3+1, b 3+1");
    // ImageNet: a label number behind each path, which says nothing new.
    let net = all(
        tree("3 data/n01, 3 data/n02"),
        &[
            (
                "train.txt",
                "n01/000.jpg 0\nn01/001.jpg 0\nn02/000.jpg 1\nn02/001.jpg 1\n",
            ),
            ("val.txt", "n01/002.jpg 0\nn02/002.jpg 1\n"),
        ],
    );
    reads(&net, "n01 2/1, n02 2/1");
    // A table with such a column is such a list.
    let table = all(
        tree("3 a, 3 b"),
        &[(
            "split.csv",
            "file,split\na/000.jpg,train\na/001.jpg,train\na/002.jpg,test\nb/000.jpg,train\nb/001.jpg,valid\nb/002.jpg,test\n",
        )],
    );
    reads(&table, "a 2+1, b 1/1+1");
}

#[test]
fn numbered_divisions_are_the_first_one() {
    // DTD has ten divisions of the same images.
    let dtd = all(
        tree("3 images/banded, 3 images/dotted"),
        &[
            ("labels/train1.txt", "banded/000.jpg\ndotted/000.jpg\n"),
            ("labels/val1.txt", "banded/001.jpg\ndotted/001.jpg\n"),
            ("labels/test1.txt", "banded/002.jpg\ndotted/002.jpg\n"),
            ("labels/train10.txt", "banded/002.jpg\ndotted/002.jpg\n"),
            ("labels/val10.txt", "banded/000.jpg\ndotted/000.jpg\n"),
            ("labels/test10.txt", "banded/001.jpg\ndotted/001.jpg\n"),
        ],
    );
    let data = reads(&dtd, "banded 1/1+1, dotted 1/1+1");
    assert_notes(&data, "There are 2 numbered divisions");
    assert_notes(&data, "that of number 1 is used");
    assert_eq!(data.samples[0].path, "images/banded/000.jpg");
}

#[test]
fn what_anything_calls_a_test_image_is_not_trained_on() {
    // Two lists name the same image.
    let both = all(
        tree("3 a, 3 b"),
        &[
            ("train.txt", "a/000.jpg\na/001.jpg\nb/000.jpg\nb/001.jpg\n"),
            ("test.txt", "a/001.jpg\na/002.jpg\nb/002.jpg\n"),
        ],
    );
    let data = reads(&both, "a 1+2, b 2+1");
    assert_notes(&data, "1 image is in the lists of two parts");
    // `trainval` has the images of `train` and `val`, which is as it should be.
    let voc = all(
        tree("3 a, 3 b"),
        &[
            ("train.txt", "a/000.jpg\nb/000.jpg\n"),
            ("val.txt", "a/001.jpg\nb/001.jpg\n"),
            (
                "trainval.txt",
                "a/000.jpg\nb/000.jpg\na/001.jpg\nb/001.jpg\n",
            ),
            ("test.txt", "a/002.jpg\nb/002.jpg\n"),
        ],
    );
    let data = reads(&voc, "a 1/1+1, b 1/1+1");
    assert!(
        !data.notes.iter().any(|n| n.contains("two parts")),
        "{:?}",
        data.notes
    );
    // Folders say one part, a list another.
    let against = all(
        tree("3 train/a, 3 train/b, 1 test/a, 1 test/b"),
        &[("test.txt", "train/a/002.jpg\ntest/a/000.jpg\n")],
    );
    let data = reads(&against, "a 2+2, b 3+1");
    assert_notes(
        &data,
        "1 image is in a folder for one part and by test.txt for a stricter one",
    );
}

#[test]
fn a_list_of_other_images_is_no_list_of_parts() {
    let other = all(
        tree("3 a, 3 b"),
        &[
            ("test.txt", "a/000.jpg\nc/000.jpg\nc/001.jpg\n"),
            ("train_test_split.txt", "x\ny\n"),
        ],
    );
    let data = reads(&other, "a 3, b 3");
    assert_notes(
        &data,
        "test.txt names an image that is here in under half of its lines",
    );
    assert_notes(&data, "all images are for training and validation");
    // A name in a class folder is not the one of the same name in another.
    let folders = all(tree("3 a, 1 b"), &[("test.txt", "b/001.jpg\nb/002.jpg\n")]);
    let data = reads(&folders, "a 3, b 1");
    assert_notes(&data, "test.txt");
}

/// CUB-200 in small: eight images in two classes.
fn cub(images: &str) -> Files {
    let class = |i: usize| ["001.Albatross", "002.Auklet"][i / 4];
    all(
        tree(images),
        &[
            (
                "CUB/images.txt",
                &rows(0..8, |i| {
                    format!("{} {}/{:03}.jpg\n", i + 1, class(i), i % 4)
                }),
            ),
            (
                "CUB/image_class_labels.txt",
                &rows(0..8, |i| format!("{} {}\n", i + 1, i / 4 + 1)),
            ),
            (
                "CUB/train_test_split.txt",
                &rows(0..8, |i| format!("{} {}\n", i + 1, u8::from(i % 4 < 3))),
            ),
            ("CUB/classes.txt", "1 001.Albatross\n2 002.Auklet\n"),
            (
                "CUB/bounding_boxes.txt",
                &rows(0..8, |i| format!("{} 60.0 27.0 325.0 304.0\n", i + 1)),
            ),
        ],
    )
}

#[test]
fn lists_that_are_numbered_are_joined() {
    let data = reads(
        &cub("4 CUB/images/001.Albatross, 4 CUB/images/002.Auklet"),
        "001.Albatross 3+1, 002.Auklet 3+1",
    );
    assert_notes(
        &data,
        "The parts of the images are those of images.txt: 6 for training, 2 for test.",
    );
    // Without class folders the labels come from there too, by the names of the classes.
    let flat: Files = cub("1 x")
        .into_iter()
        .skip(1)
        .map(|(path, text)| {
            let text = String::from_utf8(text).expect("text");
            let text = text
                .replace("001.Albatross/", "a")
                .replace("002.Auklet/", "b");
            (path, text.into_bytes())
        })
        .chain(["a", "b"].iter().flat_map(|c| {
            (0..4).map(move |i| {
                (
                    format!("CUB/images/{c}{i:03}.jpg"),
                    format!("{c}{i}").into_bytes(),
                )
            })
        }))
        .collect();
    let data = reads(&flat, "001.Albatross 3+1, 002.Auklet 3+1");
    assert_notes(&data, "are called as in classes.txt");
    // The same as tables.
    let csv = all(
        tree("6 pics"),
        &[
            (
                "images.csv",
                &format!(
                    "id,path\n{}",
                    rows(0..6, |i| format!("{},{i:03}.jpg\n", i + 101))
                ),
            ),
            (
                "classes.csv",
                &format!(
                    "id,label\n{}",
                    rows(0..6, |i| format!("{},{}\n", i + 101, ["cat", "dog"][i % 2]))
                ),
            ),
        ],
    );
    reads(&csv, "cat 3, dog 3");
}

#[test]
fn lists_with_labels_label_images_without_class_folders() {
    let net = all(
        tree("4 images/train, 2 images/val"),
        &[
            (
                "train.txt",
                "train/000.jpg 0\ntrain/001.jpg 0\ntrain/002.jpg 1\ntrain/003.jpg 1\n",
            ),
            ("val.txt", "val/000.jpg 0\nval/001.jpg 1\n"),
            ("classes.txt", "tench\ngoldfish\n"),
        ],
    );
    reads(&net, "goldfish 2/1, tench 2/1");
    // FGVC: names of classes with blanks.
    let fgvc = all(
        tree("6 data/images"),
        &[
            (
                "data/images_variant_train.txt",
                "000 Boeing 707\n001 A320\n002 Boeing 707\n003 A320\n",
            ),
            ("data/images_variant_test.txt", "004 Boeing 707\n005 A320\n"),
        ],
    );
    reads(&fgvc, "A320 2+1, Boeing 707 2+1");
    // Oxford's pets: labels in the names, parts in lists with other figures.
    let mut pets: Files = Vec::new();
    for name in [
        "pug_1", "pug_2", "pug_3", "Birman_1", "Birman_2", "Birman_3",
    ] {
        pets.push((format!("images/{name}.jpg"), name.as_bytes().to_vec()));
    }
    let pets = all(
        pets,
        &[
            (
                "annotations/trainval.txt",
                "pug_1 1 2 1\npug_2 1 2 1\nBirman_1 2 1 1\nBirman_2 2 1 1\n",
            ),
            ("annotations/test.txt", "pug_3 1 2 1\nBirman_3 2 1 1\n"),
        ],
    );
    reads(&pets, "Birman 2+1, pug 2+1");
}

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

#[test]
fn label_studio_s_exports_give_labels() {
    let task = |i: usize, choices: &str| {
        format!(
            r#"{{"id": {i}, "data": {{"image": "/data/upload/1/3f2a91b{i}-{i:03}.jpg"}}, "annotations": [{{"id": {i}, "result": [{{"from_name": "what", "to_name": "image", "type": "choices", "value": {{"choices": [{choices}]}}}}]}}]}}"#
        )
    };
    let export = |choices: &dyn Fn(usize) -> &'static str| {
        let tasks: Vec<String> = (0..6).map(|i| task(i, choices(i))).collect();
        format!("[{}]", tasks.join(","))
    };
    let one = export(&|i| ["\"cat\"", "\"dog\""][i % 2]);
    reads(
        &all(tree("6 x"), &[("project-1.json", &one)]),
        "cat 3, dog 3",
    );
    let short = format!(
        "[{}]",
        (0..6)
            .map(|i| format!(
                r#"{{"image": "/data/local-files/?d=x%2F{i:03}.jpg", "id": {i}, "choice": "{}", "annotator": 1, "lead_time": {i}.5}}"#,
                ["cat", "dog"][i % 2]
            ))
            .collect::<Vec<_>>()
            .join(",")
    );
    reads(
        &all(tree("6 x"), &[("project-1.json", &short)]),
        "cat 3, dog 3",
    );
    let csv = format!(
        "image,id,choice,annotator\n{}",
        rows(0..6, |i| format!(
            "/data/upload/1/3f2a91b{i}-{i:03}.jpg,{i},{},1\n",
            ["cat", "dog"][i % 2]
        ))
    );
    reads(
        &all(tree("6 x"), &[("project-1.csv", &csv)]),
        "cat 3, dog 3",
    );
    // Several choices an image.
    for (name, text) in [
        (
            "p.json",
            export(&|i| ["\"cat\", \"dog\"", "\"dog\"", "\"cat\""][i % 3]),
        ),
        (
            "p.csv",
            format!(
                "image,choice\n{}",
                rows(0..6, |i| format!(
                    "{i:03}.jpg,{}\n",
                    ["\"{\"\"choices\"\":[\"\"cat\"\",\"\"dog\"\"]}\"", "cat"][i % 2]
                ))
            ),
        ),
    ] {
        let data = folder(&all(tree("6 x"), &[(name, &text)]));
        assert!(
            data.problem
                .as_deref()
                .is_some_and(|p| p.contains("several labels")),
            "{:?}",
            data.problem
        );
    }
}

#[test]
fn numbers_name_numbered_images() {
    let table = format!(
        "image_id,label\n{}",
        rows(0..6, |i| format!("{i},{}\n", ["cat", "dog"][i % 2]))
    );
    let named = |name: &dyn Fn(usize) -> String| -> Files {
        let files = (0..6)
            .map(|i| (format!("x/{}", name(i)), vec![i as u8]))
            .collect();
        all(files, &[("l.csv", &table)])
    };
    reads(&named(&|i| format!("{i}.jpg")), "cat 3, dog 3");
    let data = reads(&named(&|i| format!("{i:05}.jpg")), "cat 3, dog 3");
    assert_notes(
        &data,
        "The numbers in the column \u{201c}image_id\u{201d} of l.csv are taken for those in the names of the images",
    );
    reads(&named(&|i| format!("img_{i}.png")), "cat 3, dog 3");
    // One of the numbers is the very name of an image.
    let files: Files = (1..=10)
        .map(|i| (format!("x/{i:02}.jpg"), vec![i as u8]))
        .collect();
    let table = format!(
        "id,label\n{}",
        rows(1..11, |i| format!("{i},{}\n", ["cat", "dog"][i % 2]))
    );
    reads(&all(files, &[("l.csv", &table)]), "cat 5, dog 5");
    // Two images of one number: the row is not used, and that is told.
    let mut twice = named(&|i| format!("img_{i}.png"));
    twice.push(("x/pic_3.png".into(), b"x".to_vec()));
    let data = reads(&twice, "cat 3, dog 2; 2 unlabelled");
    assert_notes(
        &data,
        "1 of 6 rows of l.csv name a file of which there are several",
    );
    // Images that are not numbered are not named by numbers.
    let data = folder(&named(&|i| {
        format!("photo {}.jpg", ["a", "b", "c", "d", "e", "f"][i])
    }));
    assert!(data.problem.is_some());
}

#[test]
fn masks_make_no_name_ambiguous() {
    let mut pets = Vec::new();
    for name in ["Abyssinian", "beagle"] {
        for i in 0..4 {
            for path in [
                format!("images/{name}_{i}.jpg"),
                format!("annotations/trimaps/{name}_{i}.png"),
            ] {
                pets.push((path.clone(), path.into_bytes()));
            }
        }
    }
    let list = |range: std::ops::Range<usize>| -> String {
        let row = |i: usize| format!("Abyssinian_{i} 1 1 1\nbeagle_{i} 2 2 1\n");
        range.map(row).collect()
    };
    let pets = all(
        pets,
        &[
            ("annotations/trainval.txt", &list(0..3)),
            ("annotations/test.txt", &list(3..4)),
        ],
    );
    reads(&pets, "Abyssinian 3+1, beagle 3+1");
    let table = all(
        tree("8 images, 8 masks"),
        &[(
            "l.csv",
            &format!(
                "id,label\n{}",
                rows(0..8, |i| format!("{i:03},{}\n", ["cat", "dog"][i % 2]))
            ),
        )],
    );
    reads(&table, "cat 4, dog 4");
}

#[test]
fn a_list_calls_images_of_the_training_folder_test_images() {
    let mut files = Vec::new();
    for (part, n) in [("train", 6), ("test", 2)] {
        for class in ["cat", "dog"] {
            for i in 0..n {
                let path = format!("{part}/{class}/{part}{class}{i}.jpg");
                files.push((path.clone(), path.into_bytes()));
            }
        }
    }
    let base = all(files, &[("holdout.txt", "traincat5.jpg\ntraindog5.jpg\n")]);
    let data = reads(&base, "cat 5+3, dog 5+3");
    assert_notes(&data, "for a stricter one, which holds");
    // Where the user calls a folder test images, the lists hold in the others, and the question counts so.
    let mut files = Vec::new();
    for domain in ["clipart", "real"] {
        for class in ["cat", "dog"] {
            for i in 0..4 {
                let path = format!("{domain}/{class}/{domain}{i}.jpg");
                files.push((path.clone(), path.into_bytes()));
            }
        }
    }
    let list = |domain: &str, range: std::ops::Range<usize>| -> String {
        let row = |i| format!("{domain}/cat/{domain}{i}.jpg 0\n{domain}/dog/{domain}{i}.jpg 1\n");
        range.map(row).collect()
    };
    let net = all(
        files,
        &[
            ("clipart_train.txt", &list("clipart", 0..3)),
            ("clipart_test.txt", &list("clipart", 3..4)),
            ("real_train.txt", &list("real", 0..2)),
            ("real_test.txt", &list("real", 3..4)),
        ],
    );
    let data = folder(&net);
    assert!(data.problem.is_some());
    assert!(data.readings.len() > 2);
    for candidate in &data.readings {
        let chosen = choose(&net, candidate.reading.labels.clone());
        for class in &candidate.reading.classes {
            let of = |test: bool| {
                let is = |s: &&retune::data::Sample| {
                    s.class.is_some_and(|c| chosen.classes[c] == class.name)
                        && (s.subset == Subset::Test) == test
                };
                chosen.samples.iter().filter(is).count()
            };
            assert_eq!(
                (of(false), of(true)),
                (class.train, class.test),
                "{}",
                candidate.reading.flags
            );
        }
        let trained =
            |s: &&retune::data::Sample| s.subset == Subset::Train && s.path.ends_with("3.jpg");
        assert_eq!(chosen.samples.iter().filter(trained).count(), 0);
    }
}

/// Twelve images with a table of labels and one column more.
fn with_column(header: &str, cell: impl Fn(usize) -> &'static str) -> Files {
    let row = |i| format!("{i:03}.jpg,{},{}\n", ["cat", "dog"][i % 2], cell(i));
    let table = format!("filename,label,{header}\n{}", rows(0..12, row));
    all(tree("12 images"), &[("labels.csv", &table)])
}

#[test]
fn columns_of_parts_with_other_words() {
    let third = |words: [&'static str; 3]| {
        move |i: usize| words[usize::from(i >= 8) + usize::from(i >= 10)]
    };
    for (header, words) in [
        ("Usage", ["Training", "PublicTest", "PrivateTest"]),
        ("split", ["TRAIN_A", "TEST_B", "TEST_B"]),
        ("split", ["s1-train", "s1-test", "s1-test"]),
        ("split", ["train", "query", "gallery"]),
        (
            "cohort",
            ["training cohort", "external test cohort", "test"],
        ),
    ] {
        reads(&with_column(header, third(words)), "cat 4+2, dog 4+2");
    }
    // What stands for no part is left out, and said.
    for (header, words, expected) in [
        ("split", ["train", "test", "excluded"], "cat 4+1, dog 4+1"),
        ("group", ["train", "test", "external"], "cat 4+1, dog 4+1"),
        ("split", ["train", "restval", "test"], "cat 4+1, dog 4+1"),
    ] {
        let data = reads(&with_column(header, third(words)), expected);
        assert_notes(&data, "that stand for no part");
    }
    for words in [["learn", "exam", "exam"], ["T", "V", "V"]] {
        let data = reads(&with_column("split", third(words)), "cat 6, dog 6");
        assert_notes(&data, "images for testing may be among those to train on");
    }
    // A class may be called so.
    let data = reads(
        &all(
            tree("8 images"),
            &[(
                "l.csv",
                &format!(
                    "file,mode\n{}",
                    rows(0..8, |i| format!(
                        "{i:03}.jpg,{}\n",
                        ["train", "bus", "car", "bike"][i % 4]
                    ))
                ),
            )],
        ),
        "bike 2, bus 2, car 2, train 2",
    );
    assert_eq!(data.classes.len(), 4);
}

#[test]
fn flags_called_by_a_part() {
    let flag = |yes: &'static str, no: &'static str, test: bool| {
        move |i: usize| if (i >= 8) == test { yes } else { no }
    };
    for header in [
        "train",
        "istrain",
        "is_training_image",
        "isTraining",
        "train_set",
    ] {
        for (yes, no) in [("1", "0"), ("True", "False"), ("yes", "no"), ("T", "F")] {
            let files = with_column(header, flag(yes, no, false));
            reads(&files, "cat 4+2, dog 4+2");
        }
    }
    for header in ["test", "is_test_set", "in_test", "holdout", "testset"] {
        let files = with_column(header, flag("1", "0", true));
        let data = reads(&files, "cat 4+2, dog 4+2");
        assert_eq!(
            data.table.and_then(|t| t.used.part).as_deref(),
            Some(header)
        );
        let asked = Labels::Table {
            file: "labels.csv".into(),
            columns: Columns {
                part: Some(header.into()),
                ..Columns::default()
            },
        };
        assert_eq!(counts(&choose(&files, asked)), "cat 4+2, dog 4+2");
    }
    for header in ["validation", "is_valid"] {
        reads(
            &with_column(header, flag("True", "False", true)),
            "cat 4/2, dog 4/2",
        );
    }
    for header in ["train_or_test", "train_test"] {
        let data = reads(&with_column(header, flag("1", "0", false)), "cat 6, dog 6");
        assert_notes(&data, "nothing says which one is for testing");
    }
}

#[test]
fn one_hot_tables_of_words() {
    for (yes, no) in [("True", "False"), ("yes", "no"), ("1", "0")] {
        for [a, b, c] in [
            ["cat", "dog", "train"],
            ["label_cat", "label_dog", "label_emu"],
        ] {
            let row = |i: usize| {
                let mark = |k| if i % 3 == k { yes } else { no };
                format!("{i:03}.jpg,{},{},{}\n", mark(0), mark(1), mark(2))
            };
            let table = format!("file,{a},{b},{c}\n{}", rows(0..12, row));
            let files = all(tree("12 images"), &[("l.csv", &table)]);
            reads(&files, &format!("{a} 4, {b} 4, {c} 4"));
        }
    }
}

#[test]
fn masks_by_their_names_are_left_out() {
    let mut files = Vec::new();
    for class in ["benign", "malignant"] {
        for i in 0..4 {
            for end in ["", "_mask", "_mask_1"] {
                let path = format!("{class}/{class} ({i}){end}.png");
                files.push((path.clone(), path.into_bytes()));
            }
        }
    }
    let data = reads(&files, "benign 4, malignant 4");
    assert_notes(
        &data,
        "16 images are left out: by their names each is a mask",
    );
    for spec in [
        "4 benign, 4 malignant, 4 benign_GT, 4 malignant_GT",
        "4 benign, 4 malignant, 4 benign_masks",
        "4 benign, 4 malignant, 4 benign_mask, 4 malignant_mask",
    ] {
        let data = reads(&tree(spec), "benign 4, malignant 4");
        assert_notes(&data, "hold masks or annotations");
    }
    reads(&tree("4 face, 4 face_mask"), "face 4, face_mask 4");
}

#[test]
fn lists_with_glued_names_and_in_json() {
    let six = || tree("6 images/cat, 6 images/dog");
    let lines = |range: std::ops::Range<usize>| -> Vec<String> {
        let row = |i| ["cat", "dog"].map(|class| format!("{class}/{i:03}.jpg"));
        range.flat_map(row).collect()
    };
    for name in [
        "testlist",
        "testlist01",
        "testids",
        "testindex",
        "test_samples",
        "testfilenames",
    ] {
        let files = all(six(), &[(&format!("{name}.txt"), &lines(4..6).join("\n"))]);
        reads(&files, "cat 4+2, dog 4+2");
    }
    let object = |form: &dyn Fn(&String) -> String| {
        let part = |range| lines(range).iter().map(form).collect::<Vec<_>>().join(", ");
        format!(
            "{{\"train\": [{}], \"val\": [{}], \"test\": [{}]}}",
            part(0..3),
            part(3..4),
            part(4..6)
        )
    };
    let class = |path: &String| path[..3].to_owned();
    for text in [
        object(&|path| format!("\"images/{path}\"")),
        object(&|path| {
            format!(
                "[\"{path}\", {}, \"{}\"]",
                u8::from(class(path) == "dog"),
                class(path)
            )
        }),
        object(&|path| format!("{{\"image\": \"{path}\", \"label\": \"{}\"}}", class(path))),
    ] {
        for name in ["split_zhou_X.json", "splits.json", "x.json"] {
            reads(&all(six(), &[(name, &text)]), "cat 3/1+2, dog 3/1+2");
        }
    }
    // The same where no folder says the class.
    let row = |i: usize| {
        format!(
            "{{\"image\": \"{i:03}.jpg\", \"label\": \"{}\"}}",
            ["cat", "dog"][i % 2]
        )
    };
    let part = |range: std::ops::Range<usize>| range.map(row).collect::<Vec<_>>().join(", ");
    let text = format!(
        "{{\"train\": [{}], \"test\": [{}]}}",
        part(0..8),
        part(8..12)
    );
    reads(
        &all(tree("12 images"), &[("labels.json", &text)]),
        "cat 4+2, dog 4+2",
    );
    let part = |range: std::ops::Range<usize>| {
        let of = |k| {
            let names = range.clone().filter(|i| i % 2 == k);
            names
                .map(|i| format!("\"{i:03}.jpg\""))
                .collect::<Vec<_>>()
                .join(", ")
        };
        format!("{{\"cat\": [{}], \"dog\": [{}]}}", of(0), of(1))
    };
    let text = format!("{{\"train\": {}, \"test\": {}}}", part(0..8), part(8..12));
    reads(
        &all(tree("12 images"), &[("labels.json", &text)]),
        "cat 4+2, dog 4+2",
    );
}

#[test]
fn split_files_that_are_not_read_are_told() {
    for (name, text) in [
        ("split.yml", "train: []"),
        ("split.yaml", "train:\n  - images/cat/000.jpg\n"),
        ("test.md", "images/cat/000.jpg\n"),
        ("test", "images/cat/000.jpg\n"),
        ("test.txt.gz", "\u{1f}"),
        ("testlist.dat", "images/cat/000.jpg\n"),
        ("split.xml", "<a/>"),
        ("split.json", "{\"folds\": [[[1]]]}"),
        ("splits.csv", "a,b\n1,2\n"),
    ] {
        let data = reads(
            &all(tree("4 images/cat, 4 images/dog"), &[(name, text)]),
            "cat 4, dog 4",
        );
        assert_notes(&data, "may say which images are for testing");
    }
}

#[test]
fn classes_and_files_that_are_called_like_parts() {
    for spec in [
        "4 cat, 4 dog, 2 cat_test, 2 dog_test",
        "4 cat-training, 4 dog-training, 2 cat-validation, 2 dog-validation, 4 background",
    ] {
        let problem = folder(&tree(spec)).problem.expect(spec);
        assert!(
            problem.contains("say a part and a class at once"),
            "{problem}"
        );
    }
    reads(
        &tree("4 tube, 4 test tube, 4 steam train"),
        "steam train 4, test tube 4, tube 4",
    );
    let mut files = Vec::new();
    for class in ["cat", "dog"] {
        for name in ["train_0", "train_1", "train_2", "test_0", "test_1"] {
            let path = format!("{class}/{name}.jpg");
            files.push((path.clone(), path.into_bytes()));
        }
    }
    let data = reads(&files, "cat 5, dog 5");
    assert_notes(&data, "The names of 4 files say that they are for testing");
}

fn labelled(rows_of: std::ops::Range<usize>) -> String {
    let row = |i| format!("{i:03}.jpg,{}\n", ["cat", "dog"][i % 2]);
    format!("image,label\n{}", rows(rows_of, row))
}

#[test]
fn the_folder_of_a_table_says_its_part() {
    let (train, test) = (labelled(0..8), labelled(8..12));
    let files = all(
        tree("12 images"),
        &[("train/labels.csv", &train), ("test/labels.csv", &test)],
    );
    reads(&files, "cat 4+2, dog 4+2");
    // A data set in a folder of that name is no part.
    let files = all(
        tree("12 test/images"),
        &[("test/labels.csv", &labelled(0..12))],
    );
    reads(&files, "cat 6, dog 6");
}

#[test]
fn made_up_missing_and_contradicting_labels() {
    let train = labelled(0..8);
    let constant = format!(
        "image,label\n{}",
        rows(8..12, |i| format!("{i:03}.jpg,cat\n"))
    );
    for name in ["SampleSub.csv", "baseline.csv", "solution_template.csv"] {
        let files = all(
            tree("12 images"),
            &[("train.csv", &train), (name, &constant)],
        );
        let data = folder(&files);
        assert_eq!(
            counts(&data),
            "cat 4, dog 4; 4 unlabelled",
            "{:#?}",
            data.notes
        );
    }
    for word in ["NA", "nan", "null", "None", "N/A", "?", "-"] {
        let missing = format!("{train}{}", rows(8..12, |i| format!("{i:03}.jpg,{word}\n")));
        let data = folder(&all(tree("12 images"), &[("labels.csv", &missing)]));
        assert_eq!(counts(&data), "cat 4, dog 4; 4 unlabelled", "{word}");
        assert_notes(
            &data,
            "4 of 12 rows of labels.csv have a word for a missing value",
        );
    }
    let twice = format!("{}000.jpg,dog\n001.jpg,cat\n", labelled(0..12));
    let data = folder(&all(tree("12 images"), &[("labels.csv", &twice)]));
    assert_eq!(counts(&data), "cat 5, dog 5", "{:?}", data.problem);
    assert_notes(
        &data,
        "Rows of labels.csv contradict each other about the label of 2 images",
    );
}

#[test]
fn a_class_of_contradicting_rows_alone_is_none() {
    let twice = format!("{}000.jpg,Cat\n", labelled(0..12));
    let data = folder(&all(tree("12 images"), &[("labels.csv", &twice)]));
    assert_eq!(counts(&data), "cat 5, dog 6", "{:?}", data.problem);
}

#[test]
fn json_of_python_and_damaged_lines() {
    let line = |i: usize| {
        let score = if i == 7 { "NaN" } else { "5.0" };
        format!(
            "{{\"image\": \"{i:03}.jpg\", \"label\": \"{}\", \"score\": {score}}}",
            ["NaN \\\"cat", "dog"][i % 2]
        )
    };
    let lines: Vec<String> = (0..12).map(line).collect();
    for (name, text) in [
        ("l.jsonl", lines.join("\n")),
        ("l.json", format!("[{}]", lines.join(","))),
    ] {
        reads(
            &all(tree("12 images"), &[(name, &text)]),
            "NaN \"cat 6, dog 6",
        );
    }
    let mut damaged = lines;
    damaged[5] = "{\"image\": ".into();
    let data = folder(&all(tree("12 images"), &[("l.jsonl", &damaged.join("\n"))]));
    let problem = data.problem.expect("a problem");
    assert!(problem.contains("in line 6"), "{problem}");
}

#[test]
fn a_stray_among_labelled_names() {
    let mut files = Vec::new();
    for class in ["cat", "dog"] {
        files.extend((0..10).map(|i| format!("{class}_{i}.jpg")));
    }
    files.push("Thumbnail.jpg".into());
    let files: Files = files
        .into_iter()
        .map(|f: String| (f.clone(), f.into_bytes()))
        .collect();
    let data = folder(&files);
    assert_eq!(
        counts(&data),
        "cat 10, dog 10; 1 unlabelled",
        "{:?}",
        data.problem
    );
    assert_notes(&data, "Thumbnail.jpg");
}

#[test]
fn coco_with_one_category_an_image() {
    let coco = |more: &str| {
        let image = |i| format!("{{\"id\": {}, \"file_name\": \"{i:03}.jpg\"}}", i + 100);
        let box_of = |i| {
            format!(
                "{{\"image_id\": {}, \"category_id\": {}}}",
                i + 100,
                i % 2 + 1
            )
        };
        let images: Vec<String> = (0..8).map(image).collect();
        let boxes: Vec<String> = (0..8).chain(0..3).map(box_of).collect();
        format!(
            "{{\"images\": [{}], \"annotations\": [{}{more}], \"categories\": [{{\"id\": 1, \"name\": \"cat\"}}, {{\"id\": 2, \"name\": \"dog\"}}]}}",
            images.join(","),
            boxes.join(",")
        )
    };
    reads(
        &all(tree("8 images"), &[("a.json", &coco(""))]),
        "cat 4, dog 4",
    );
    let two = coco(",{\"image_id\": 100, \"category_id\": 2}");
    let data = folder(&all(tree("8 images"), &[("a.json", &two)]));
    assert!(data.problem.is_some_and(|problem| problem.contains("COCO")));
}

#[test]
fn a_table_that_is_not_used_beside_class_folders_is_told() {
    let row = |i| {
        format!(
            "{}/{:03}.jpg,{}\n",
            ["cat", "dog"][i / 6],
            i % 6,
            ["old", "new"][i % 2]
        )
    };
    let table = format!("file,state\n{}", rows(0..12, row));
    let data = reads(
        &all(tree("6 cat, 6 dog"), &[("meta.csv", &table)]),
        "cat 6, dog 6",
    );
    assert_notes(
        &data,
        "\u{201c}state\u{201d} of meta.csv divides the images in another way",
    );
}

#[test]
fn several_names_on_a_line_of_a_list() {
    let names = ["cat/004.jpg", "cat/005.jpg", "dog/004.jpg", "dog/005.jpg"];
    for text in [
        names.join(", "),
        format!("{names:?}"),
        format!("{}\n{}", names[..2].join(","), names[2..].join(",")),
    ] {
        reads(
            &all(tree("6 cat, 6 dog"), &[("test.txt", &text)]),
            "cat 4+2, dog 4+2",
        );
    }
}

#[test]
fn parts_beside_folders_that_say_a_part_and_more() {
    let fruits = tree(
        "4 Training/Apple, 4 Training/Pear, 2 Test/Apple, 2 Test/Pear, 3 test-multiple_fruits, 2 papers",
    );
    let data = reads(&fruits, "Apple 4+2, Pear 4+2");
    assert_notes(
        &data,
        "outside the folders for training, validation and test",
    );
}

#[test]
fn parts_in_nested_json_and_in_columns() {
    let list = |class: &str, range: std::ops::Range<usize>| -> String {
        let names: Vec<String> = range.map(|i| format!("\"{class}/{i:03}.jpg\"")).collect();
        names.join(", ")
    };
    let both = |range: std::ops::Range<usize>| {
        format!("{}, {}", list("cat", range.clone()), list("dog", range))
    };
    let (train, test) = (both(0..4), both(4..6));
    let of = |class: &str| {
        format!(
            "\"{class}\": {{\"train\": [{}], \"test\": [{}]}}",
            list(class, 0..4),
            list(class, 4..6)
        )
    };
    let columns: String = (0..4)
        .map(|i| {
            let test = if i < 2 {
                format!("cat/{:03}.jpg", i + 4)
            } else {
                format!("dog/{:03}.jpg", i + 2)
            };
            format!("cat/{i:03}.jpg,{test}\ndog/{i:03}.jpg,\n")
        })
        .collect();
    for (name, text) in [
        (
            "split.json",
            format!("{{\"splits\": {{\"train\": [{train}], \"test\": [{test}]}}}}"),
        ),
        ("split.json", format!("{{{}, {}}}", of("cat"), of("dog"))),
        ("split.csv", format!("train,test\n{columns}")),
    ] {
        reads(
            &all(tree("6 cat, 6 dog"), &[(name, &text)]),
            "cat 4+2, dog 4+2",
        );
    }
    let row = |i: usize| {
        format!(
            "{{\"image\": \"{i:03}.jpg\", \"meta\": {{\"split\": \"{}\"}}, \"label\": \"{}\"}}",
            if i < 8 { "train" } else { "test" },
            ["cat", "dog"][i % 2]
        )
    };
    let text = (0..12).map(row).collect::<Vec<_>>().join("\n");
    reads(
        &all(tree("12 images"), &[("l.jsonl", &text)]),
        "cat 4+2, dog 4+2",
    );
}

//! Tables that are joined with the images by more than a name: exports, numbers, columns of parts.

use retune::data::Subset;
use retune::protocol::{Columns, Labels};

use super::sets::{Files, all, assert_notes, counts, folder, rows, tree};
use super::{choose, reads};

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

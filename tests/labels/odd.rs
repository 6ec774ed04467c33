//! Tables and lists that are damaged, glued, nested or contradict each other.

use super::reads;
use super::sets::{Files, all, assert_notes, counts, folder, rows, tree};

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

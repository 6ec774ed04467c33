//! Tables of labels beside images without class folders, and what they are worth beside such folders.

use retune::protocol::Labels;

use super::sets::{counts, folder, tree, with};
use super::{open, pattern, table};

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

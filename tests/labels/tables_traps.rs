//! Tables whose columns are easily taken for labels and are none, tables that are refused beside names with a pattern,
//! and names of files that say what a file is.

use super::sets::{Files, all, assert_notes, counts, folder, reads, rows, source, tree};
use retune::data::{Dataset, Indexer};
use retune::protocol::Labels;

/// Twelve images in one folder and a table with this header, `row` giving what stands behind the name.
fn table(header: &str, row: impl Fn(usize) -> String) -> Files {
    let rows = rows(0..12, |i| format!("{i:03}.jpg,{}\n", row(i)));
    all(
        tree("12 images"),
        &[("labels.csv", &format!("file,{header}\n{rows}"))],
    )
}

/// What stands behind the name of an image in a row.
type Row = fn(usize) -> String;

fn problem(files: &Files) -> String {
    folder(files).problem.expect("a problem")
}

#[test]
fn figures_and_coordinates_are_no_labels() {
    let cases: [(&str, Row); 6] = [
        ("x,y", |i: usize| format!("{},{}", 5 * (i % 4), 7 * (i % 3))),
        ("x,y,w,h", |i| format!("1,{},20,{}", i % 3, 10 + i % 2)),
        ("age", |i| (20 + i % 5).to_string()),
        ("count", |i| (i % 3).to_string()),
        ("width,height", |i| format!("{},{}", 640 + i % 2, 480)),
        ("license", |i| ["CC-BY", "CC0"][i % 2].to_owned()),
    ];
    for (header, row) in cases {
        let said = problem(&table(header, row));
        assert!(
            said.contains("has no column with labels"),
            "{header}: {said}"
        );
    }
    // Beside them the class is found.
    reads(
        &table("x,y,w,h,class", |i| {
            format!("1,{},2,3,{}", i % 3, ["cat", "dog"][i % 2])
        }),
        "cat 6, dog 6",
    );
    let y = table("y", |i| (i % 2).to_string());
    reads(&y, "0 6, 1 6");
}

#[test]
fn test_images_get_their_labels_from_a_table_with_coordinates() {
    let test = rows(0..4, |i| format!("30,{},{},{i:03}.jpg\n", 5 + i % 2, i % 2));
    let files = all(
        tree("6 Train/0, 6 Train/1, 4 Test"),
        &[(
            "Test.csv",
            &format!(
                "Width,Roi.Y1,ClassId,Path\n{}",
                test.replace(",00", ",Test/00")
            ),
        )],
    );
    reads(&files, "0 6+2, 1 6+2");
}

#[test]
fn a_guessed_column_is_told_and_so_are_others_that_may_be_meant() {
    let data = reads(
        &table("mood,price", |i| {
            format!("{},{i}.5", ["glad", "sad"][i % 2])
        }),
        "glad 6, sad 6",
    );
    assert_notes(
        &data,
        "\u{201c}mood\u{201d} of labels.csv, whose name does not say that it has labels",
    );
    let data = reads(
        &table("species,family", |i| {
            format!(
                "{},{}",
                ["cat", "lion", "dog", "fox"][i % 4],
                ["felid", "canid"][i % 4 / 2]
            )
        }),
        "cat 3, dog 3, fox 3, lion 3",
    );
    assert_notes(&data, "it also has \u{201c}family\u{201d}");
    let data = reads(
        &table("label", |i| ["cat", "dog"][i % 2].to_owned()),
        "cat 6, dog 6",
    );
    assert!(
        data.notes
            .iter()
            .all(|note| !note.contains("name does not say")),
        "{:?}",
        data.notes
    );
}

#[test]
fn folder_and_file_in_two_columns_name_an_image() {
    let rows = rows(0..12, |i| {
        format!(
            "site{},{:03}.jpg,{}\n",
            ["A", "B"][i % 2],
            i / 2,
            ["cat", "dog"][i / 2 % 2]
        )
    });
    let files = all(
        tree("6 siteA, 6 siteB"),
        &[("labels.csv", &format!("folder,file,label\n{rows}"))],
    );
    let data = folder(&files);
    let said = data.problem.expect("a question: folders or the table");
    assert!(said.contains("label"), "{said}");
    let chosen = Labels::Table {
        file: "labels.csv".into(),
        columns: Default::default(),
    };
    let data = Indexer::new("set", Box::new(source(&files)))
        .labels(chosen)
        .finish();
    assert_eq!(counts(&data.expect("a data set")), "cat 6, dog 6");
}

#[test]
fn lists_of_numbers_are_several_labels() {
    let said = problem(&table("Target", |i| {
        ["16 0", "7 1 2 0", "5"][i % 3].to_owned()
    }));
    assert!(said.contains("several labels"), "{said}");
}

#[test]
fn comments_of_a_list_are_no_rows() {
    let names = |i: usize| format!("{}_{}", ["Abyssinian", "beagle"][i % 2], i / 2 + 1);
    let images: Files = (0..12)
        .map(|i| (format!("images/{}.jpg", names(i)), vec![i as u8]))
        .collect();
    let list = format!(
        "#Image CLASS-ID SPECIES BREED ID\n#ID: 1:37 Class ids\n{}",
        rows(0..12, |i| format!(
            "{} {} {} 1\n",
            names(i),
            i % 2 + 1,
            i % 2 + 1
        ))
    );
    reads(
        &all(images, &[("annotations/list.txt", &list)]),
        "Abyssinian 6, beagle 6",
    );
}

/// Twelve images of two cameras.
fn of_cameras() -> Files {
    let name = |i: usize| format!("shots/{}_{i:04}.jpg", ["canon", "nikon"][i % 2]);
    (0..12).map(|i| (name(i), vec![i as u8])).collect()
}

#[test]
fn a_refused_table_beside_names_with_a_pattern_is_a_question() {
    let marks = rows(0..12, |i| {
        format!(
            "{},{},{},{}\n",
            of_cameras()[i].0,
            i % 2,
            (i + 1) % 2,
            i / 2 % 2
        )
    });
    let said = problem(&all(
        of_cameras(),
        &[("labels.csv", &format!("file,sea,forest,night\n{marks}"))],
    ));
    assert!(
        said.contains("several labels") && said.contains("choose the names"),
        "{said}"
    );
    // One of other images is told, and so is one that cannot be opened.
    let others = rows(0..12, |i| {
        format!("other{i}.jpg,{}\n", ["cat", "dog"][i % 2])
    });
    let data = reads(
        &all(
            of_cameras(),
            &[("labels.csv", &format!("file,label\n{others}"))],
        ),
        "canon 6, nikon 6",
    );
    assert_notes(
        &data,
        "labels.csv has no column that names the images that are here",
    );
    let data = reads(
        &all(of_cameras(), &[("labels.xlsx", "PK")]),
        "canon 6, nikon 6",
    );
    assert_notes(
        &data,
        "labels.xlsx may have the labels and cannot be read: save it as CSV.",
    );
}

#[test]
fn near_equal_names_of_a_table_are_made_one() {
    let files = table("label", |i| {
        ["forest", "FOREST", "forest ", "sea"][i % 4].to_owned()
    });
    let merged = |merge: bool| {
        let indexer = Indexer::new("set", Box::new(source(&files)));
        let data: Dataset = indexer
            .labels(Labels::Similar { merge })
            .finish()
            .expect("a data set");
        counts(&data)
    };
    assert!(merged(true).contains("sea 3"), "{}", merged(true));
    assert_eq!(merged(true).matches(", ").count(), 1, "{}", merged(true));
    assert!(merged(false).matches(", ").count() > 1, "{}", merged(false));
}

#[test]
fn class_folders_may_repeat_their_part() {
    let data = reads(
        &tree("4 train/train_cats, 4 train/train_dogs, 2 test/test_cats, 2 test/test_dogs"),
        "cats 4+2, dogs 4+2",
    );
    assert_notes(&data, "repeat the part that they lie in");
    // As the reading in use is opened again.
    let again = Indexer::new(
        "set",
        Box::new(source(&tree(
            "4 train/train_cats, 4 train/train_dogs, 2 test/test_cats, 2 test/test_dogs",
        ))),
    );
    let again = again
        .labels(data.labels.clone())
        .finish()
        .expect("a data set");
    assert_eq!(counts(&again), "cats 4+2, dogs 4+2");
    // One of another part stays a question.
    let files =
        tree("4 train/train_cats, 4 train/test_cats, 4 train/train_dogs, 2 train/test_dogs");
    assert!(folder(&files).problem.is_some());
}

#[test]
fn a_table_that_is_used_or_in_question_is_not_among_the_files_left_out() {
    let labels = |of: fn(usize) -> &'static str| {
        format!(
            "file,label\n{}",
            rows(0..12, |i| format!("{i:03}.jpg,{}\n", of(i)))
        )
    };
    let left = |texts: &[(&str, &str)]| {
        let data = folder(&all(tree("12 images"), texts));
        let files = data.skipped.iter().map(|skipped| skipped.file.clone());
        files.collect::<Vec<_>>()
    };
    let animals = labels(|i| ["cat", "dog"][i % 2]);
    let places = labels(|i| ["sea", "wood"][i / 2 % 2]);
    // Not `labels.csv`, of which `more-labels.csv` is no other spelling.
    let used = [
        ("labels.csv", animals.as_str()),
        ("more-labels.csv", "a,b\n1,2\n"),
    ];
    assert_eq!(left(&used), ["more-labels.csv"]);
    let asked = [
        ("labels.csv", animals.as_str()),
        ("other.csv", &places),
        ("notes.txt", "-"),
    ];
    assert_eq!(left(&asked), ["notes.txt"]);
}

#[test]
fn tags_that_contain_each_other_are_several_labels() {
    let labelled = |column: &str, cells: [&str; 4]| {
        let table = format!(
            "image,{column}\n{}",
            rows(0..12, |i| format!("{i:03},{}\n", cells[i % 4]))
        );
        folder(&all(tree("12 img"), &[("train.csv", &table)]))
    };
    for (column, cells) in [
        (
            "tags",
            [
                "clear primary",
                "clear primary water",
                "haze primary",
                "cloudy",
            ],
        ),
        ("labels", ["scab", "scab spot", "scab spot complex", "rust"]),
    ] {
        let problem = labelled(column, cells).problem.expect("a problem");
        assert!(problem.contains("several labels"), "{problem}");
    }
    let dogs = [
        "golden retriever",
        "labrador retriever",
        "golden eagle",
        "cat",
    ];
    assert_eq!(labelled("labels", dogs).problem, None);
}

#[test]
fn a_table_that_is_read_with_another_is_named() {
    let labels = |part: &str, images| {
        let row = |i| format!("{part}/{i:03},{}\n", ["cat", "dog"][i % 2]);
        format!("image,label\n{}", rows(0..images, row))
    };
    let (train, test) = (labels("train", 8), labels("test", 4));
    let files = all(
        tree("8 train, 4 test"),
        &[("train.csv", &train), ("sample.csv", &test)],
    );
    let data = reads(&files, "cat 4+2, dog 4+2");
    assert_notes(
        &data,
        "sample.csv is read together with train.csv: it labels 4 images.",
    );
}

//! Tables in the forms in which people and programs write them: without a header, below a title, with blanks before the
//! quotes, with a column twice.

use super::sets::{Files, all, assert_notes, counts, folder, reads, rows, tree};

const CLASSES: [&str; 2] = ["cat", "dog"];

/// Images in one folder.
fn images(names: &[String]) -> Files {
    let image = |name: &String| (format!("img/{name}.jpg"), name.clone().into_bytes());
    names.iter().map(image).collect()
}

fn numbered(form: impl Fn(usize) -> String) -> Vec<String> {
    (0..12).map(form).collect()
}

/// Rows `name,label` with cat and dog in turn.
fn labels(names: &[String]) -> String {
    rows(0..names.len(), |i| {
        format!("{},{}\n", names[i], CLASSES[i % 2])
    })
}

#[test]
fn a_table_without_a_header_loses_no_image() {
    let hash = |i: usize| format!("{:032x}", u128::MAX / (i as u128 * 7 + 3));
    let words = ["anna", "bert", "carl", "dora", "emil", "fred"];
    for names in [
        numbered(|i| format!("ISIC_{i:07}")),
        numbered(hash),
        words.map(str::to_owned).to_vec(),
    ] {
        let half = names.len() / 2;
        let data = reads(
            &all(images(&names), &[("labels.csv", &labels(&names))]),
            &format!("cat {half}, dog {half}"),
        );
        assert_eq!(data.table.expect("a table").rows, names.len());
    }
    // All of one class first.
    let names = numbered(|i| format!("ISIC_{i:07}"));
    let sorted = rows(0..12, |i| format!("{},{}\n", names[i], CLASSES[i / 6]));
    reads(&all(images(&names), &[("gt.csv", &sorted)]), "cat 6, dog 6");
}

#[test]
fn a_first_row_of_an_image_that_is_not_here_is_no_header() {
    let names: Vec<String> = (0..13).map(|i| format!("x{i:03}")).collect();
    let data = reads(
        &all(images(&names[1..]), &[("gt.csv", &labels(&names))]),
        "cat 6, dog 6",
    );
    assert_notes(
        &data,
        "1 of 13 rows of gt.csv name a file that is not here: x000.",
    );
}

#[test]
fn two_tables_without_headers_are_read_together() {
    let name = |i: usize| format!("x{i:03}");
    let place = |i: usize| match i {
        0..12 => format!("train/{}.jpg", name(i)),
        _ => format!("test/{}.jpg", name(i)),
    };
    let files: Files = (0..18).map(|i| (place(i), vec![i as u8])).collect();
    let row = |i: usize| format!("{},{}\n", name(i), CLASSES[i % 2]);
    let tables = [rows(0..12, row), rows(12..18, row)];
    reads(
        &all(
            files,
            &[("train.csv", &tables[0]), ("test.csv", &tables[1])],
        ),
        "cat 6+3, dog 6+3",
    );
}

/// Twelve images with a table of this text.
fn table(text: &str) -> Files {
    all(tree("12 images"), &[("labels.csv", text)])
}

#[test]
fn titles_comments_and_blanks_before_quotes_are_passed_over() {
    let plain = rows(0..12, |i| format!("{i:03}.jpg,{}\n", CLASSES[i % 2]));
    for above in ["# created by a tool, 1.2\n", "My labels\n", "My labels\n\n"] {
        let text = format!("{above}image,label\n{plain}");
        let data = reads(&table(&text), "cat 6, dog 6");
        assert_eq!(data.table.expect("a table").columns, ["image", "label"]);
    }
    let quoted = rows(0..12, |i| {
        format!("\"{i:03}.jpg\", \"{}\"\n", CLASSES[i % 2])
    });
    reads(
        &table(&format!("\"image\", \"label\"\n{quoted}")),
        "cat 6, dog 6",
    );
}

#[test]
fn a_column_of_labels_that_is_there_twice_is_a_question() {
    let row = |i: usize| format!("{i:03}.jpg,{},{}\n", CLASSES[i % 2], ["x", "y", "z"][i % 3]);
    let data = folder(&table(&format!("image,label,label\n{}", rows(0..12, row))));
    let said = data.problem.expect("a question");
    assert!(
        said.contains("may be the label: label, label (2)"),
        "{said}"
    );
    let flags: Vec<&str> = data
        .readings
        .iter()
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert_eq!(
        flags,
        [
            "--labels labels.csv --label-column label",
            "--labels labels.csv --label-column 'label (2)'"
        ]
    );
    // Twice the same is one.
    let row = |i: usize| format!("{i:03}.jpg,{0},{0}\n", CLASSES[i % 2]);
    let data = folder(&table(&format!("image,label,label\n{}", rows(0..12, row))));
    assert_eq!(counts(&data), "cat 6, dog 6");
}

#[test]
fn a_list_of_one_label_is_a_label() {
    let row = |i: usize| format!("{i:03}.jpg,\"['{}']\"\n", CLASSES[i % 2]);
    reads(
        &table(&format!("image,labels\n{}", rows(0..12, row))),
        "cat 6, dog 6",
    );
    // Beside a one-hot table of the same.
    let row = |i: usize| {
        let of = i % 2;
        format!("{i:03}.jpg,{},{},\"['{}']\"\n", 1 - of, of, CLASSES[of])
    };
    reads(
        &table(&format!("image,cat,dog,labels\n{}", rows(0..12, row))),
        "cat 6, dog 6",
    );
    // Two are several labels.
    let row = |i: usize| format!("{i:03}.jpg,\"{}\"\n", ["['cat']", "['cat', 'dog']"][i % 2]);
    let said = folder(&table(&format!("image,labels\n{}", rows(0..12, row)))).problem;
    assert!(said.expect("refused").contains("several labels"));
}

#[test]
fn words_behind_the_images_of_a_list_are_columns_or_a_name() {
    let list = |line: &dyn Fn(usize) -> String| {
        let text = rows(0..12, |i| format!("{i:03}.jpg {}\n", line(i)));
        folder(&all(tree("12 images"), &[("list.txt", &text)]))
    };
    let animal = |i: usize| CLASSES[i % 2];
    // Either column may be the label, or both together.
    let data = list(&|i| format!("{} {}", animal(i), ["sunny", "rainy", "foggy"][i % 3]));
    let said = data.problem.expect("a question");
    let columns =
        "Several columns of list.txt may be the label: column 2, column 3, column 2 with column 3";
    assert!(said.contains(columns), "{said}");
    let chosen = super::choose(
        &all(
            tree("12 images"),
            &[(
                "list.txt",
                &rows(0..12, |i| {
                    format!(
                        "{i:03}.jpg {} {}\n",
                        animal(i),
                        ["sunny", "rainy", "foggy"][i % 3]
                    )
                }),
            )],
        ),
        data.readings[0].reading.labels.clone(),
    );
    assert_eq!(counts(&chosen), "cat 6, dog 6");
    // The number of a class is no part of its name.
    assert_eq!(
        counts(&list(&|i| format!("{} {}", animal(i), i % 2))),
        "cat 6, dog 6"
    );
    // Figures behind some: MIAS.
    let data = list(&|i| match i % 2 {
        0 => format!("{} NORM", ["G", "F", "D"][i % 3]),
        _ => format!(
            "{} CIRC B {} {} 197",
            ["G", "F", "D"][i % 3],
            500 + i,
            400 - i
        ),
    });
    assert!(
        data.problem
            .expect("a question")
            .contains("may be the label: column 2, column 3")
    );
    // A name is one.
    let breeds = [
        "golden retriever",
        "border collie",
        "siamese cat",
        "persian cat",
    ];
    let data = list(&|i| breeds[i % 4].to_owned());
    assert_eq!(
        counts(&data),
        "border collie 3, golden retriever 3, persian cat 3, siamese cat 3"
    );
}

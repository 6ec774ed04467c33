//! Tables, lists and names that are easily taken for something else than they are: the parts of retrieval sets, lists
//! of bad images, made-up labels, folders of patients, dates in the names of files.
#![cfg(feature = "data")]

use retune::data::Dataset;

mod sets;

use sets::{counts, folder, tree, with};

type Files = Vec<(String, Vec<u8>)>;

fn all(files: Files, texts: &[(&str, &str)]) -> Files {
    texts
        .iter()
        .fold(files, |files, (path, text)| with(files, path, text))
}

#[track_caller]
fn assert_notes(data: &Dataset, words: &str) {
    assert!(
        data.notes.iter().any(|note| note.contains(words)),
        "no note has \"{words}\": {:#?}",
        data.notes
    );
}

/// What is read, with no problem.
#[track_caller]
fn reads(files: &Files, expected: &str) -> Dataset {
    let data = folder(files);
    assert_eq!(data.problem, None, "{:#?}", data.notes);
    assert_eq!(counts(&data), expected, "{:#?}", data.notes);
    data
}

/// Lines of a table or a list: `form` of each number.
fn rows(numbers: std::ops::Range<usize>, form: impl Fn(usize) -> String) -> String {
    numbers.map(form).collect()
}

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
            i / 4,
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

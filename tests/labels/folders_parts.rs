//! Folders that are parts of the data set, though their names, what lies in them or what lies beside them hide it:
//! taken for classes or for all there is, they would have test images trained on.

use super::sets::{Files, all, counts, folder, reads, tree};
use super::{choose, level};
use retune::data::Dataset;

/// What is asked, in words and flags.
#[track_caller]
fn asks(files: &Files, words: &str, flags: &[&str]) -> Dataset {
    let data = folder(files);
    let question = data.problem.clone().unwrap_or_default();
    assert!(question.contains(words), "\"{question}\" {:?}", data.notes);
    let found: Vec<&str> = (data.readings.iter())
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert_eq!(found, flags, "{question}");
    data
}

/// Folders of two classes by the names of their files, 3 of each.
fn named(folders: &[&str]) -> Files {
    let mut files = Files::new();
    for folder in folders {
        for i in 0..6 {
            let path = format!("set/{folder}/{}_{i}.jpg", ["cat", "dog"][i % 2]);
            files.push((path.clone(), path.into_bytes()));
        }
    }
    files
}

/// The same with names that say nothing.
fn unnamed(folders: &[&str]) -> Files {
    let spec: Vec<String> = folders.iter().map(|f| format!("6 set/{f}")).collect();
    tree(&spec.join(", "))
}

const UNEQUAL: [&[&str]; 12] = [
    &["train_resized", "test"],
    &["a. Training Set", "b. Testing Set"],
    &["DRIVE_train", "CHASE_test"],
    &["train_DRIVE", "CHASE_test"],
    &["train_224", "test_224_new"],
    &["train images", "test pictures old"],
    &["Train - Kopie", "Test"],
    &["train", "test_hard"],
    &["cropped train", "uncropped test"],
    &["xtrain", "xtest"],
    &["trn", "tst"],
    &["train", "unseen"],
];

#[test]
fn flat_parts_of_unequal_names_are_no_classes() {
    for folders in UNEQUAL {
        reads(&named(folders), "cat 3+3, dog 3+3");
        let data = folder(&unnamed(folders));
        let problem = data.problem.expect("a question");
        let words = "hat their images show";
        let words_too = "what they show";
        assert!(
            problem.contains(words) || problem.contains(words_too),
            "{problem}"
        );
    }
    reads(
        &named(&["train", "test_hard", "test_easy"]),
        "cat 3+6, dog 3+6",
    );
    reads(&named(&["train", "train_aug", "test"]), "cat 6+3, dog 6+3");
}

#[test]
fn flat_parts_of_unequal_names_get_their_labels_from_a_table() {
    for folders in UNEQUAL {
        let [train, test] = folders else { continue };
        for (column, name) in [("label", "labels.csv"), ("cultivar", "x.csv")] {
            let mut rows = format!("file,{column}\n");
            for i in 0..12 {
                let of = [train, test][i / 6];
                rows.push_str(&format!(
                    "{of}/{:03}.jpg,{}\n",
                    i % 6,
                    ["cat", "dog"][i % 2]
                ));
            }
            let files = all(unnamed(folders), &[(&format!("set/{name}"), &rows)]);
            reads(&files, "cat 3+3, dog 3+3");
        }
        let rows: Vec<String> = (0..6)
            .map(|i| format!("{train}/{i:03}.jpg,{}\n", ["a", "b"][i % 2]))
            .collect();
        let rows = format!("file,kind\n{}", rows.concat());
        let files = all(unnamed(folders), &[("set/train.csv", &rows)]);
        reads(&files, "a 3, b 3; 6 unlabelled");
    }
}

#[test]
fn parts_by_a_word_alone_are_classes_only_if_the_user_says_so() {
    let files = unnamed(&["train_resized", "test"]);
    let words = "The folders are called test, train_resized, which says that they are parts";
    asks(&files, words, &["--class-level 1"]);
    let chosen = choose(&files, level(1));
    assert_eq!(counts(&chosen), "test 6, train_resized 6");
    let with = all(files, &[("set/labels.xlsx", "PK")]);
    asks(
        &with,
        "The labels are probably in set/labels.xlsx",
        &["--class-level 1"],
    );
}

#[test]
fn classes_that_say_parts_are_asked_about_also_where_they_differ() {
    for spec in [
        "5 train_cat, 5 train_dog, 3 test",
        "5 train_cat, 5 train_dog, 3 test_cats, 3 test_dogs",
    ] {
        asks(
            &tree(spec),
            "say a part and a class at once",
            &["--class-level 1"],
        );
    }
    // Things.
    reads(
        &tree("2 steam train, 3 test tube"),
        "steam train 2, test tube 3",
    );
    reads(
        &tree("2 steam train, 2 freight train, 3 test tube"),
        "freight train 2, steam train 2, test tube 3",
    );
    reads(
        &tree("4 train/train, 4 train/test vehicle, 2 test/train, 2 test/test vehicle"),
        "test vehicle 4+2, train 4+2",
    );
}

//! Labels in the names of files; images without labels, twice or with two labels.

use retune::protocol::LeakKind;

use super::sets::{counts, folder, tree};
use super::{assert_reads, open, pattern};

#[test]
fn file_names_give_the_labels_where_all_follow_a_pattern() {
    let files = |names: &str| -> Vec<(String, Vec<u8>)> {
        names
            .split(", ")
            .map(|n| (n.to_owned(), n.as_bytes().to_vec()))
            .collect()
    };
    let data = folder(&files(
        "train/cat.0.jpg, train/cat.1.jpg, train/dog.0.jpg, train/dog.1.jpg, test1/1.jpg, test1/2.jpg",
    ));
    assert_eq!(
        (counts(&data).as_str(), &data.problem),
        ("cat 2, dog 2; 2 unlabelled", &None)
    );
    assert_eq!(data.labels, pattern("{label}.*.jpg"));
    assert!(
        data.notes[0].contains("by the pattern {label}.*.jpg: 2 classes, cat, dog"),
        "{:?}",
        data.notes
    );
    assert_eq!(
        data.readings[0].reading.flags,
        "--label-pattern '{label}.*.jpg'"
    );
    let data = folder(&files(
        "a/Abyssinian_1.jpg, a/Abyssinian_2.jpg, a/american_bulldog_1.jpg, a/american_bulldog_2.jpg",
    ));
    assert_eq!(counts(&data), "Abyssinian 2, american_bulldog 2");
    // A camera's numbers are no labels, and class folders count more than names.
    let data = folder(&files("a/IMG_1.jpg, a/IMG_2.jpg, a/IMG_3.jpg, a/IMG_4.jpg"));
    assert!(data.problem.is_some_and(|p| p.contains("one class only")));
    let data = folder(&files("x/a_1.jpg, x/a_2.jpg, y/b_1.jpg, y/a_2.jpg"));
    assert_eq!(data.classes, ["x", "y"]);
    // Asked for: what does not follow is listed.
    let data = open(
        &files("a/cat_1.jpg, a/cat_2.jpg, a/dog_1.jpg, a/notes.jpg"),
        pattern("{label}_*.jpg"),
    )
    .expect("a set");
    assert_eq!(counts(&data), "cat 2, dog 1");
    assert!(
        data.skipped[0].failed
            && data.skipped[0].file == "a/notes.jpg"
            && data.skipped[0].reason.contains("pattern")
    );
}

#[test]
fn parts_without_labels_are_never_classes() {
    let data = folder(&tree("4 train, 3 test"));
    assert!(data.classes.is_empty());
    let problem = data.problem.expect("a problem");
    assert!(
        problem.starts_with("The 7 images lie in no class folder"),
        "{problem}"
    );
}

#[test]
fn identical_images_that_spoil_a_figure_are_told() {
    let file = |path: &str, bytes: &str| (path.to_owned(), bytes.as_bytes().to_vec());
    let data = folder(&[
        file("train/a/1.jpg", "x1"),
        file("train/a/2.jpg", "x2"),
        file("train/b/1.jpg", "y1"),
        file("train/b/2.jpg", "x2"),
        file("val/a/1.jpg", "z1"),
        file("val/b/1.jpg", "y1"),
        file("test/a/9.jpg", "x1"),
        file("test/b/9.jpg", "z1"),
        file("pred/1.jpg", "x1"),
    ]);
    let leaks: Vec<_> = data
        .leaks
        .iter()
        .map(|l| {
            (
                l.kind,
                l.files.iter().map(String::as_str).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        leaks,
        [
            (
                LeakKind::BetweenParts,
                vec!["train/a/1.jpg", "test/a/9.jpg"]
            ),
            (LeakKind::TwoLabels, vec!["train/a/2.jpg", "train/b/2.jpg"]),
            (LeakKind::BetweenParts, vec!["train/b/1.jpg", "val/b/1.jpg"]),
            (LeakKind::TwoLabels, vec!["val/a/1.jpg", "test/b/9.jpg"]),
        ]
    );
    let notes = data.notes.join(" ");
    for words in [
        "1 image of the test set is also",
        "1 image of the validation set is also",
        "2 images are there several times under different labels",
    ] {
        assert!(notes.contains(words), "{notes}");
    }
    assert_eq!(data.summary().leaks.len(), 4);
}

#[test]
fn what_is_left_out_is_called_what_it_is() {
    let file = |path: &str, bytes: &[u8]| (path.to_owned(), bytes.to_vec());
    let data = folder(&[
        file("a/1.heic", b"\0\0\0\x18ftypheic1"),
        file("a/2.HEIC", b"\0\0\0\x18ftypheic2"),
        file("b/3.heif", b"\0\0\0\x18ftypheic3"),
    ]);
    let problem = data.problem.expect("a problem");
    assert!(
        problem.starts_with("There are 3 files, all HEIC: each is a HEIC"),
        "{problem}"
    );
    assert!(data.skipped.iter().all(|s| s.failed));
    let data = folder(&[
        file("a/1.heic", b"\0\0\0\x18ftypheic1"),
        file("notes.txt", b"x"),
        file("b.mp4", b"x"),
    ]);
    let problem = data.problem.expect("a problem");
    assert!(
        problem.starts_with("None of the 3 files can be used: 1 .mp4 (is a video"),
        "{problem}"
    );
    assert_eq!(data.skipped.iter().filter(|s| s.failed).count(), 1);
    // Files without an ending and with a wrong one are images by content.
    let jpeg = b"\xff\xd8\xff\xe0 ";
    let data = folder(&[
        file("a/1", jpeg),
        file("a/2.image", jpeg),
        file("b/3.jpg!d", jpeg),
        file("b/4.heic", jpeg),
        file("b/5.dat", b"no image"),
        file("b/6.jpg", b""),
    ]);
    assert_eq!(counts(&data), "a 2, b 2");
    let skipped: Vec<_> = data
        .skipped
        .iter()
        .map(|s| (s.file.as_str(), s.failed))
        .collect();
    assert_eq!(skipped, [("b/5.dat", false), ("b/6.jpg", true)]);
    let data = assert_reads("3 a, 1 b", "a 3, b 1");
    assert!(
        data.notes[0].contains("\u{201c}b\u{201d} has a single image"),
        "{:?}",
        data.notes
    );
}

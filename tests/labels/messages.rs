//! What is said where no labels are found: the files that may have them, and the way out.

use std::io::{Cursor, Write};

use retune::data::ArchiveSource;
use retune::platform::files::InputFile;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::sets::{Files, all, folder, index, tree};

fn problem(files: &Files) -> String {
    folder(files).problem.expect("a problem")
}

fn named(names: impl Iterator<Item = String>) -> Files {
    names
        .map(|name| (format!("img/{name}"), name.into_bytes()))
        .collect()
}

#[test]
fn names_that_may_say_the_classes_are_told_with_their_pattern() {
    let hash = |i: usize| 0x1a2b + i * 0x2f1f;
    let animal = |i: usize| ["cat", "dog"][i % 2];
    for (form, pattern) in [
        (
            (&|i| format!("{}-{:x}.jpg", animal(i), hash(i))) as &dyn Fn(usize) -> String,
            "{label}-*.jpg",
        ),
        (&|i| format!("{}_{i:04}.jpg", i % 3), "{label}_#.jpg"),
        (
            &|i| format!("IMG_{i:04}_{}.jpg", animal(i)),
            "IMG_#_{label}.jpg",
        ),
    ] {
        let said = problem(&named((0..12).map(form)));
        let flag = format!("say so on the command line: --label-pattern '{pattern}'");
        assert!(said.contains(&flag), "{said}");
        assert!(said.contains("in the page a table"), "{said}");
    }
    // Nothing comes again.
    let said = problem(&named((0..12).map(|i| format!("{:x}-{i}.jpg", hash(i)))));
    assert!(!said.contains("--label-pattern"), "{said}");
}

#[test]
fn files_that_may_have_the_labels_are_named() {
    for (file, words) in [
        (
            "output.manifest",
            "a manifest of SageMaker: save it as JSON lines, .jsonl, or as CSV",
        ),
        ("labels.csv.gz", "a packed table: unpack it first"),
        ("labels.csv.zip", "a packed table: unpack it first"),
        ("labels.yaml", "YAML"),
        ("labels.numbers", "a spreadsheet"),
    ] {
        let said = problem(&all(tree("12 images"), &[(file, "x")]));
        let sentence = format!("The labels are probably in {file} ({words}), which is not read.");
        assert!(said.contains(&sentence), "{said}");
    }
    // Settings are none.
    let said = problem(&all(tree("12 images"), &[("docker-compose.yaml", "x")]));
    assert!(!said.contains("probably"), "{said}");
}

#[test]
fn an_archive_that_cannot_be_read_is_why_there_are_no_images() {
    let rar = b"Rar!\x1a\x07\x01\0 and more";
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (file, bytes) in [
        ("images.rar", &rar[..]),
        ("labels.csv", b"image,label\na.jpg,cat\n"),
    ] {
        zip.start_file(file, SimpleFileOptions::default())
            .expect(file);
        zip.write_all(bytes).expect(file);
    }
    let bytes = zip.finish().expect("a zip").into_inner();
    let source = ArchiveSource::open(&InputFile::memory("set.zip", bytes)).expect("a zip");
    let said = index(source).problem.expect("a problem");
    assert!(
        said.starts_with("The images are probably in ") && said.contains("images.rar"),
        "{said}"
    );
    // The same in a folder.
    let files: Files = vec![("images.rar".into(), rar.to_vec())];
    let said = problem(&all(files, &[("labels.csv", "image,label\na.jpg,cat\n")]));
    assert_eq!(
        said,
        "The images are probably in images.rar: it is an archive inside the data set; unpack it first."
    );
}

#[test]
fn parts_in_names_are_not_offered_as_classes() {
    let name = |i: usize| {
        format!(
            "{}_{}_{i}.jpg",
            ["train", "test"][i / 8],
            ["cat", "dog"][i % 2]
        )
    };
    let said = problem(&named((0..12).map(name)));
    assert!(said.contains("(cat, dog)"), "{said}");
}

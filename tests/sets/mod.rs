//! Data sets of files in memory, for tests.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::collections::BTreeMap;

use retune::data::{Dataset, FolderSource, Indexer, Source, Subset};
use retune::platform::files::InputFile;

/// A source's data set.
pub fn index(source: impl Source + 'static) -> Dataset {
    Indexer::new("set", Box::new(source))
        .finish()
        .expect("a data set")
}

/// Files under paths.
pub fn source<P: AsRef<str>, B: AsRef<[u8]>>(files: &[(P, B)]) -> FolderSource {
    let handle = |(path, bytes): &(P, B)| {
        let path = path.as_ref();
        (
            path.to_owned(),
            InputFile::memory(path, bytes.as_ref().to_vec()),
        )
    };
    FolderSource::new(files.iter().map(handle).collect())
}

/// The data set of files under paths.
pub fn folder<P: AsRef<str>, B: AsRef<[u8]>>(files: &[(P, B)]) -> Dataset {
    index(source(files))
}

/// Files of one folder each, with contents of their own: "3 train/cat" is three files in `train/cat`.
pub fn tree(spec: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for part in spec.split(", ") {
        let (count, folder) = part.split_once(' ').expect("a count");
        let count = count.parse::<usize>().expect("a number");
        for i in 0..count {
            let path = format!("{folder}/{i:03}.jpg");
            let bytes = path.clone().into_bytes();
            files.push((path, bytes));
        }
    }
    files
}

/// "cat 3/2+1, dog 1": training, validation and test images of each class, those above 0.
pub fn counts(data: &Dataset) -> String {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for class in &data.classes {
        counts.insert(class, [0; 3]);
    }
    for sample in &data.samples {
        let Some(class) = sample.class else { continue };
        let count = counts.entry(&data.classes[class]).or_default();
        count[sample.subset as usize] += 1;
    }
    let text = |(class, [train, validation, test]): (&&str, &[usize; 3])| {
        let mut text = format!("{class} {train}");
        if *validation > 0 {
            text += &format!("/{validation}");
        }
        if *test > 0 {
            text += &format!("+{test}");
        }
        text
    };
    let classes: Vec<String> = counts.iter().map(text).collect();
    let unlabelled = data.subset(Subset::Unlabelled).count();
    if unlabelled > 0 {
        return format!("{}; {unlabelled} unlabelled", classes.join(", "));
    }
    classes.join(", ")
}

/// The files with a text beside them.
pub fn with(mut files: Vec<(String, Vec<u8>)>, path: &str, text: &str) -> Vec<(String, Vec<u8>)> {
    files.push((path.into(), text.as_bytes().to_vec()));
    files
}

/// Files under paths.
pub type Files = Vec<(String, Vec<u8>)>;

/// The files with texts beside them.
pub fn all(files: Files, texts: &[(&str, &str)]) -> Files {
    texts
        .iter()
        .fold(files, |files, (path, text)| with(files, path, text))
}

/// Lines of a table or a list: `form` of each number.
pub fn rows(numbers: std::ops::Range<usize>, form: impl Fn(usize) -> String) -> String {
    numbers.map(form).collect()
}

#[track_caller]
pub fn assert_notes(data: &Dataset, words: &str) {
    assert!(
        data.notes.iter().any(|note| note.contains(words)),
        "no note has \"{words}\": {:#?}",
        data.notes
    );
}

/// What is read, with no problem.
#[track_caller]
pub fn reads(files: &Files, expected: &str) -> Dataset {
    let data = folder(files);
    assert_eq!(data.problem, None, "{:#?}", data.notes);
    assert_eq!(counts(&data), expected, "{:#?}", data.notes);
    data
}

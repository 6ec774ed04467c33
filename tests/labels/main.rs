//! Where the labels of a data set come from: folders of any depth, parts of any name, tables, official lists, file
//! names, exports; and a question wherever two readings are left.

mod folders;
mod folders_parts;
mod folders_traps;
mod joined;
mod lists;
mod messages;
mod names;
mod odd;
mod published;
#[path = "../sets/mod.rs"]
mod sets;
mod tables;
mod tables_forms;
mod tables_kinds;
mod tables_traps;
mod traps;

use retune::data::{Dataset, Indexer};
use retune::error::Error;
use retune::protocol::{Columns, Labels};

use sets::{Files, counts, folder, source, tree};

fn open(files: &[(String, Vec<u8>)], labels: Labels) -> Result<Dataset, Error> {
    Indexer::new("set", Box::new(source(files)))
        .labels(labels)
        .finish()
}

#[track_caller]
fn assert_reads(spec: &str, expected: &str) -> Dataset {
    let data = folder(&tree(spec));
    assert_eq!(data.problem, None, "{spec}");
    assert_eq!(counts(&data), expected, "{spec}");
    data
}

/// The flags of the readings that are asked about, after the question.
#[track_caller]
fn assert_asks(spec: &str, words: &str, flags: &[&str]) -> Dataset {
    let data = folder(&tree(spec));
    let problem = data.problem.clone().unwrap_or_default();
    assert!(
        problem.contains(words),
        "{spec}: \"{problem}\", without \"{words}\""
    );
    assert_eq!(data.labels, Labels::Auto, "{spec}");
    let given: Vec<_> = data
        .readings
        .iter()
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert_eq!(given, flags, "{spec}");
    data
}

fn level(level: usize) -> Labels {
    Labels::Folders {
        level: Some(level),
        merge_similar: None,
        parts: Vec::new(),
    }
}

fn table(file: &str, label: Option<&str>) -> Labels {
    Labels::Table {
        file: file.into(),
        columns: Columns {
            label: label.map(Into::into),
            ..Columns::default()
        },
    }
}

fn pattern(pattern: &str) -> Labels {
    Labels::FileNames {
        pattern: pattern.into(),
    }
}

fn choose(files: &Files, labels: Labels) -> Dataset {
    Indexer::new("set", Box::new(source(files)))
        .labels(labels)
        .finish()
        .expect("a set")
}

/// What is read, with no problem; and the same when it is asked for by name.
#[track_caller]
fn reads(files: &Files, expected: &str) -> Dataset {
    let data = sets::reads(files, expected);
    let again = choose(files, data.labels.clone());
    assert_eq!(again.samples, data.samples, "{:?}", data.labels);
    data
}

//! Folders on a disk.
#![cfg(all(feature = "data", unix))]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use retune::data::{FolderSource, ZipSource, split};
use retune::error::Error;
use retune::image::load;
use retune::platform::files::{InputFile, list_folder};

mod sets;

use sets::index;

/// A folder of its own, gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("retune-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is the system's to clean up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_folder_is_listed_sorted_once_and_without_what_is_hidden() {
    let scratch = Scratch::new("list");
    let root = scratch.0.join("set");
    for path in ["b/2.jpg", "a/1.jpg", ".git/x", "a/.hidden"] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, b"bytes").expect("a file");
    }
    symlink(&root, root.join("a/loop")).expect("a link");
    symlink("nowhere", root.join("a/dangling.jpg")).expect("a link");
    symlink(root.join("a/1.jpg"), root.join("b/3.jpg")).expect("a link");
    let (files, refused) = list_folder(&root).expect("listed");
    let paths: Vec<_> = files.iter().map(|f| f.0.as_str()).collect();
    assert_eq!(paths, ["set/a/1.jpg", "set/b/2.jpg", "set/b/3.jpg"]);
    let refused: Vec<_> = refused.iter().map(|s| s.file.as_str()).collect();
    assert_eq!(refused, ["set/a/dangling.jpg", "set/a/loop"]);
    assert_eq!((files[0].1.name(), files[0].1.len()), ("1.jpg", 5));
    assert_eq!(files[2].1.read().expect("readable"), b"bytes");
}

#[test]
fn a_file_that_is_gone_is_an_error_and_not_zeros() {
    let scratch = Scratch::new("gone");
    let path = scratch.0.join("1.jpg");
    fs::write(&path, b"bytes").expect("a file");
    let file = InputFile::open(&path).expect("there");
    fs::remove_file(&path).expect("removed");
    assert!(matches!(file.read(), Err(Error::Storage(text)) if text.contains("1.jpg")));
    assert!(file.reader().is_err());
    assert!(matches!(InputFile::open(&path), Err(Error::Storage(_))));
    assert!(
        matches!(InputFile::open(&scratch.0), Err(Error::Storage(text)) if text.contains("folder"))
    );
    assert!(list_folder(scratch.0.join("none")).is_err());
}

/// Prints how long it takes; the numbers are in the report of the change.
#[test]
#[ignore = "needs ../shared"]
fn intel_image_is_indexed_and_decoded() {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/intel");
    let begin = std::time::Instant::now();
    let (files, _) = list_folder(shared).expect("listed");
    println!("listing {} files: {:?}", files.len(), begin.elapsed());
    let begin = std::time::Instant::now();
    let mut data = index(FolderSource::new(files));
    println!("indexing: {:?}", begin.elapsed());
    let extra: usize = data.duplicates.iter().map(|g| g.len() - 1).sum();
    println!(
        "{} groups of duplicates, {extra} copies",
        data.duplicates.len()
    );
    println!("{:?}", data.summary().classes);
    assert_eq!(
        (data.classes.len(), data.skipped.len(), &data.problem),
        (6, 0, &None)
    );
    let halves = split(&data, 0.2, 7);
    println!(
        "{} to train on, {} held out",
        halves.train.len(),
        halves.validation.len()
    );
    let begin = std::time::Instant::now();
    let settings = retune::config::Preprocess::default();
    for &i in halves.validation.iter().take(1000) {
        let bytes = data.read(i).expect("readable");
        let tensor = load(&data.samples[i].path, &bytes, &settings).expect("an image");
        assert_eq!(tensor.len(), 3 * 150 * 150);
    }
    println!(
        "1000 images read, decoded, normalised: {:?}",
        begin.elapsed()
    );
    if let Ok(zip) = std::env::var("RETUNE_ZIP") {
        let begin = std::time::Instant::now();
        let file = InputFile::open(zip).expect("there");
        let mut zipped = index(ZipSource::open(&file).expect("a zip"));
        println!("the zip, indexed: {:?}", begin.elapsed());
        assert_eq!(zipped.duplicates, data.duplicates);
        assert_eq!(split(&zipped, 0.2, 7), halves);
        let begin = std::time::Instant::now();
        for i in (0..zipped.samples.len()).step_by(10) {
            assert_eq!(
                zipped.read(i).expect("readable"),
                data.read(i).expect("readable")
            );
        }
        println!(
            "{} read from both: {:?}",
            zipped.samples.len() / 10,
            begin.elapsed()
        );
    }
}

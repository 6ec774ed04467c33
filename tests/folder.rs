//! Folders on a disk.
#![cfg(all(feature = "data", unix))]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use retune::data::{ArchiveSource, FolderSource, Source, split};
use retune::error::Error;
use retune::image::load;
use retune::platform::files::{InputFile, Listing, list_folder};

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
fn a_folder_of_hidden_files_alone_is_empty() {
    let scratch = Scratch::new("litter");
    let root = scratch.0.join("set");
    for (folder, file) in [
        ("train", ".gitkeep"),
        ("val", "Thumbs.db"),
        ("test", "0.jpg"),
        ("docs", ".notes/0.jpg"),
    ] {
        let path = root.join(folder).join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "x").expect("a file");
    }
    fs::create_dir_all(root.join("more")).expect("a folder");
    let mut empty = list_folder(&root).expect("a listing").empty_folders;
    empty.sort();
    assert_eq!(empty, ["set/more", "set/train", "set/val"]);
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
    let Listing { files, refused, .. } = list_folder(&root).expect("listed");
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

#[test]
fn what_cannot_be_used_is_listed_and_the_rest_is_used() {
    let scratch = Scratch::new("odd");
    let root = scratch.0.join(".set");
    let write = |path: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, b"bytes").expect("a file");
    };
    for path in [
        "cat/1.jpg",
        "dog/1.jpg",
        ".22/1.jpg",
        ".22/more/2.jpg",
        ".git/1.jpg",
        ".cache/1.jpg",
        ".idle/notes",
    ] {
        write(path);
    }
    write("cat/.2.jpg.icloud");
    symlink("nowhere.jpg", root.join("cat/gone.jpg")).expect("a link");
    symlink("self.jpg", root.join("cat/self.jpg")).expect("a link");
    symlink("..", root.join("dog/loop")).expect("a link");
    // In the order of names the link comes first; the folder keeps its own name.
    symlink("dog", root.join("a-link")).expect("a link");
    let made = std::process::Command::new("mkfifo")
        .arg(root.join("cat/pipe.jpg"))
        .status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    // Two names that are one when what is no UTF-8 is replaced.
    for name in [&b"\xff.jpg"[..], b"\xfe.jpg"] {
        fs::write(root.join("cat").join(OsStr::from_bytes(name)), b"bytes").expect("a file");
    }
    let Listing { files, refused, .. } = list_folder(&root).expect("listed");
    let paths: Vec<_> = files.iter().map(|f| f.0.as_str()).collect();
    let right = [
        "set/cat/1.jpg",
        "set/cat/\\xfe.jpg",
        "set/cat/\\xff.jpg",
        "set/dog/1.jpg",
    ];
    assert_eq!(paths, right);
    let told: Vec<_> = refused
        .iter()
        .map(|s| format!("{}: {}", s.file, s.reason))
        .collect();
    for (file, word) in [
        ("set/.22", "2 images"),
        ("set/a-link", "listed already"),
        ("set/cat/.2.jpg.icloud", "iCloud"),
        ("set/cat/gone.jpg", "not there"),
        ("set/cat/pipe.jpg", "pipe"),
        ("set/cat/self.jpg", "cannot be read"),
        ("set/dog/loop", "listed already"),
    ] {
        let found = told
            .iter()
            .any(|t| t.starts_with(&format!("{file}: ")) && t.contains(word));
        assert!(found, "{file}: {told:?}");
    }
    assert_eq!(told.len(), 7, "{told:?}");
    let mut source = FolderSource::with_refused(files, refused);
    assert_eq!(source.refused().len(), 7);
    assert_eq!(source.head(1, 3).expect("readable"), b"byt");
    assert_eq!(source.read(1).expect("readable"), b"bytes");
}

#[test]
fn a_path_that_is_too_long_is_listed() {
    let scratch = Scratch::new("long");
    fs::create_dir_all(scratch.0.join("cat")).expect("a folder");
    fs::write(scratch.0.join("cat/1.jpg"), b"bytes").expect("a file");
    // Step by step, as no call takes the whole path: 20 names of 250 letters are more than 4096.
    let steps = "n=$(printf 'a%.0s' $(seq 250)); for i in $(seq 20); do mkdir $n; cd $n; done; echo > 2.jpg";
    let made = std::process::Command::new("bash")
        .args(["-c", steps])
        .current_dir(&scratch.0)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "a deep folder");
    let Listing { files, refused, .. } = list_folder(&scratch.0).expect("listed");
    assert!(
        files.len() == 1 && files[0].0.ends_with("cat/1.jpg"),
        "{files:?}"
    );
    assert!(
        refused.len() == 1 && refused[0].reason.contains("too long"),
        "{refused:?}"
    );
}

#[test]
fn what_may_not_be_read_is_listed() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("denied");
    for path in ["cat/1.jpg", "private/1.jpg", "cat/2.jpg"] {
        let path = scratch.0.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, b"bytes").expect("a file");
    }
    let lock = |path: &str, mode| {
        let path = scratch.0.join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its owner");
    };
    lock("cat/2.jpg", 0);
    lock("private", 0);
    let denied = fs::read(scratch.0.join("cat/2.jpg")).is_err();
    let Listing { files, refused, .. } = list_folder(&scratch.0).expect("listed");
    lock("private", 0o755);
    // An administrator may read everything.
    let (used, told) = if denied { (1, 2) } else { (3, 0) };
    assert_eq!((files.len(), refused.len()), (used, told), "{refused:?}");
}

/// Prints how long it takes. `RETUNE_INTEL` is a folder with Intel Image in it, `RETUNE_ZIP` a zip of the same.
#[test]
#[ignore = "needs Intel Image in RETUNE_INTEL"]
fn intel_image_is_indexed_and_decoded() {
    let intel = std::env::var("RETUNE_INTEL").expect("RETUNE_INTEL, a folder with Intel Image");
    let begin = std::time::Instant::now();
    let Listing { files, .. } = list_folder(intel).expect("listed");
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
        let mut zipped = index(ArchiveSource::open(&file).expect("a zip"));
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

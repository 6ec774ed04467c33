//! The real program, in a folder of its own with images to run it on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use retune::data::demo;
use retune::image::encode_png;

/// A folder of its own for each test, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("retune-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program with these arguments. Nothing of the user's cache is read or written, and nothing is downloaded.
pub fn program(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
    command
        .args(arguments)
        .env("RETUNE_CACHE", folder.join("cache"))
        .env("RETUNE_HUB", "http://127.0.0.1:9");
    command
}

/// What it wrote.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Draws a scene into a file.
pub fn draw(path: &Path, class: usize, index: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, encode_png(&demo::draw(class, index, 96, 5)).unwrap()).unwrap();
}

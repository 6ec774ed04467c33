//! What the service worker keeps for use without a network: the list of files and their hashes at its head.
//!
//! The list is in the script itself, so that a browser, which compares that script byte by byte, takes any change of
//! any file for a new version.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::plain_simd;

/// The script, as www/ has it and as dist/ gets it.
const SCRIPT: &str = "service-worker.js";

/// The files of the model that is in use from the start. Those of other models are fetched when they are wanted, and the
/// engine keeps them.
const MODEL: [&str; 2] = [
    "models/resnet18-scenes.safetensors",
    "models/resnet18-scenes.seen",
];

/// Puts the list at the head of the script in `dist`, whose `files` are not compressed yet.
///
/// # Errors
/// If a file of the model in use from the start is missing, or the folder cannot be read or written.
pub fn write(dist: &Path, files: &[PathBuf]) -> Result<()> {
    let list = list(dist, files)?;
    let script = dist.join(SCRIPT);
    let source = fs::read_to_string(&script);
    let source = source.with_context(|| format!("cannot read {}", script.display()))?;
    fs::write(&script, head(&list)? + &source)
        .with_context(|| format!("cannot write {}", script.display()))
}

/// Path below `dist`, with slashes, to SHA-256.
fn list(dist: &Path, files: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let mut list = BTreeMap::new();
    for file in files {
        let path = file.strip_prefix(dist)?.iter();
        let name = path
            .map(|part| part.to_string_lossy())
            .collect::<Vec<_>>()
            .join("/");
        if is_kept(&name) {
            let bytes = fs::read(file).with_context(|| format!("cannot read {name}"))?;
            list.insert(name, sha256(&bytes));
        }
    }
    for name in MODEL {
        ensure!(
            list.contains_key(name),
            "{name} is not in {}",
            dist.display()
        );
    }
    Ok(list)
}

fn is_kept(name: &str) -> bool {
    let model = name.starts_with("models/");
    name != SCRIPT && !name.ends_with(".br") && (!model || MODEL.contains(&name))
}

/// The constants that the script begins with.
fn head(list: &BTreeMap<String, String>) -> Result<String> {
    let files = serde_json::to_string_pretty(list)?;
    let version = &sha256(files.as_bytes())[..16];
    let test = plain_simd::test();
    Ok(format!(
        "const VERSION = \"{version}\";\nconst FILES = {files};\n{test}"
    ))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::root;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = format!("retune-precache-{name}-{}", std::process::id());
            let folder = Self(std::env::temp_dir().join(folder));
            fs::create_dir_all(folder.0.join("models")).unwrap();
            for (name, text) in files {
                fs::write(folder.0.join(name), text).unwrap();
            }
            folder
        }

        /// The head that the script gets, for those files and the rest.
        fn head(&self, files: &[&str]) -> Result<String> {
            fs::write(self.0.join(SCRIPT), "// the rest\n")?;
            let files: Vec<_> = files.iter().map(|name| self.0.join(name)).collect();
            write(&self.0, &files)?;
            let script = fs::read_to_string(self.0.join(SCRIPT))?;
            let head = script.strip_suffix("// the rest\n");
            head.map(str::to_owned).context("the script itself is gone")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const FILES: [(&str, &str); 6] = [
        ("index.html", "abc"),
        ("index.html.br", "packed"),
        (MODEL[0], "weights"),
        (MODEL[1], "hashes"),
        ("models/other.safetensors", "large"),
        ("models/card.md", "words"),
    ];

    #[test]
    fn what_the_page_needs_is_listed_with_its_hash_and_nothing_else() {
        let folder = Folder::new("list", &FILES);
        let mut names = FILES.map(|(name, _)| name).to_vec();
        names.push(SCRIPT);
        let head = folder.head(&names).unwrap();
        let (version, files) = head.split_once(";\nconst FILES = ").unwrap();
        assert_eq!(
            version.trim_matches('"').len(),
            "const VERSION = \"".len() + 16
        );
        let (files, test) = files.split_once(";\n").unwrap();
        assert_eq!(test, plain_simd::test());
        let files: BTreeMap<String, String> = serde_json::from_str(files).unwrap();
        let listed: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(listed, ["index.html", MODEL[0], MODEL[1]]);
        // From FIPS 180-2, appendix B.1.
        assert_eq!(
            files["index.html"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn the_version_follows_every_file() {
        let folder = Folder::new("version", &FILES);
        let names = FILES.map(|(name, _)| name);
        let first = folder.head(&names).unwrap();
        assert_eq!(folder.head(&names).unwrap(), first);
        fs::write(folder.0.join(MODEL[1]), "other hashes").unwrap();
        let version = |head: &str| head.lines().next().map(str::to_owned);
        assert_ne!(version(&folder.head(&names).unwrap()), version(&first));
    }

    #[test]
    fn a_page_without_its_first_model_is_not_built() {
        let folder = Folder::new("model", &FILES);
        let error = folder.head(&["index.html", MODEL[0]]).unwrap_err();
        assert!(error.to_string().contains(MODEL[1]), "{error}");
        for name in MODEL {
            assert!(root().join("www").join(name).exists(), "{name}");
        }
    }

    #[test]
    fn the_script_uses_what_is_written_above_it() {
        let script = fs::read_to_string(root().join("www").join(SCRIPT)).unwrap();
        for constant in ["VERSION", "FILES", plain_simd::HAS_RELAXED_SIMD] {
            assert!(script.contains(constant), "{constant}");
            assert!(
                !script.contains(&format!("const {constant} ")),
                "{constant}"
            );
        }
    }
}

//! What a path says by itself: the name of its file, the folder it lies in, and whether it is litter or no
//! image at all. What folders mean is in [`super::folders`].

/// The name of a file without its folders.
#[must_use]
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder that a path lies in.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a path is something that a system or a program put there (`.DS_Store`, `__MACOSX/...`,
/// `Thumbs.db`, `.git/...`), which nobody wants to read about. A hidden folder of another name is not: it may
/// be a class (`.22`).
#[must_use]
pub fn is_junk(path: &str) -> bool {
    const FOLDERS: [&str; 18] = [
        "__macosx",
        ".git",
        ".svn",
        ".hg",
        ".github",
        ".vscode",
        ".idea",
        ".cache",
        ".trash",
        ".trashes",
        ".ipynb_checkpoints",
        ".thumbnails",
        ".spotlight-v100",
        ".fseventsd",
        ".venv",
        ".tox",
        ".appledouble",
        "@eadir",
    ];
    let litter = |part: &str| {
        if !part.starts_with(['.', '_', '@']) {
            return false;
        }
        let part = part.to_ascii_lowercase();
        FOLDERS.contains(&&*part) || part.starts_with(".trash")
    };
    let name = file_name(path);
    name.starts_with('.')
        || ["thumbs.db", "ehthumbs.db", "desktop.ini"].contains(&&*name.to_ascii_lowercase())
        || path.split('/').any(litter)
}

/// The outermost hidden folder that a path lies in, below a folder that all paths have in common.
#[must_use]
pub fn hidden_folder<'a>(path: &'a str, common: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(common).unwrap_or(path);
    let mut at = path.len() - rest.len();
    for part in parent(rest).split('/') {
        let end = at + part.len();
        if part.starts_with('.') && part != "." && part != ".." {
            return path.get(..end);
        }
        at = end + 1;
    }
    None
}

/// Why a file is no image, judged by the ending of its name alone; none if it may be one, which its content
/// then tells.
#[must_use]
pub fn not_an_image(path: &str) -> Option<&'static str> {
    let ending = file_name(path)
        .rsplit_once('.')
        .map(|(_, e)| e.to_ascii_lowercase())?;
    match ending.as_str() {
        "zip" | "tar" | "gz" | "tgz" | "bz2" | "xz" | "zst" | "7z" | "rar" => {
            Some("is an archive inside the data set; unpack it first")
        }
        "csv" | "tsv" | "json" | "jsonl" | "ndjson" | "xls" | "xlsx" | "ods" | "parquet"
        | "arrow" => Some("is a table, not an image"),
        "txt" | "md" | "rst" | "rtf" | "log" | "xml" | "html" | "htm" | "yaml" | "yml" | "toml"
        | "ini" | "cfg" | "conf" | "names" | "py" | "ipynb" | "js" | "css" | "sh" | "bat" | "c"
        | "cpp" | "h" | "java" | "m" | "r" | "tex" | "bib" | "doc" | "docx" | "ppt" | "pptx"
        | "odt" | "sql" => Some("is a text, not an image"),
        "mp4" | "mov" | "avi" | "mkv" | "webm" | "wmv" | "flv" | "m4v" | "mpg" | "mpeg" | "3gp" => {
            Some("is a video, not an image")
        }
        "mp3" | "wav" | "ogg" | "flac" | "m4a" | "aac" => Some("is a sound, not an image"),
        "npy" | "npz" | "mat" | "h5" | "hdf5" | "pkl" | "pickle" | "pt" | "pth" | "safetensors"
        | "onnx" | "tfrecord" | "tfrecords" | "bin" | "idx" | "lmdb" | "db" | "sqlite" | "mdb"
        | "ckpt" | "pb" => Some("is a file of numbers or weights, not an image"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn litter_is_not_worth_a_word() {
        for path in [
            "a/.DS_Store",
            "__MACOSX/a/1.jpg",
            "a/Thumbs.db",
            ".git/x.png",
            "Desktop.ini",
            "a/.ipynb_checkpoints/1.jpg",
            "a/._1.jpg",
            ".Trash-1000/files/1.jpg",
        ] {
            assert!(is_junk(path), "{path}");
        }
        for path in ["a/b.c/1.jpg", "./a/1.jpg", "ammo/.22/1.jpg", ".set/a/1.jpg"] {
            assert!(!is_junk(path), "{path}");
        }
    }

    #[test]
    fn a_hidden_folder_is_found_below_the_common_one() {
        assert_eq!(hidden_folder("ammo/.22/1.jpg", "ammo/"), Some("ammo/.22"));
        assert_eq!(hidden_folder(".set/a/1.jpg", ".set/"), None);
        assert_eq!(hidden_folder(".set/a/1.jpg", ""), Some(".set"));
        assert_eq!(hidden_folder("a/./.b/c/1.jpg", ""), Some("a/./.b"));
        assert_eq!(hidden_folder("a/b/.1.jpg", ""), None);
    }
}

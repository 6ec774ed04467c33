//! What a path says by itself: the name of its file, the folder it lies in, and whether it is no image at all. What
//! folders mean is in `folders`, what a dot hides in [`super::hidden`].

/// The name of a file without its folders.
#[must_use]
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The name of a file without its ending.
#[must_use]
pub fn stem(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The folder that a path lies in.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What a file is that is no image by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// It holds other files, which may be images.
    Archive,
    /// Rows and columns, as text.
    Table,
    /// Rows and columns in a form that is not read.
    Spreadsheet,
    /// Text, a document or a program.
    Text,
    /// A video.
    Video,
    /// A sound.
    Sound,
    /// Arrays, weights or a data base.
    Numbers,
}

impl Other {
    /// Why it is left out.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Archive => "is an archive inside the data set; unpack it first",
            Self::Table => "is a table, not an image",
            Self::Spreadsheet => "is a table of a kind that is not read; save it as CSV",
            Self::Text => "is a text, not an image",
            Self::Video => "is a video, not an image",
            Self::Sound => "is a sound, not an image",
            Self::Numbers => "is a file of numbers or weights, not an image",
        }
    }
}

/// What a file is by the ending of its name alone; none if it may be an image, which its content then tells.
#[must_use]
pub fn not_an_image(path: &str) -> Option<Other> {
    let ending = file_name(path)
        .rsplit_once('.')
        .map(|(_, e)| e.to_ascii_lowercase())?;
    match ending.as_str() {
        "zip" | "tar" | "gz" | "tgz" | "bz2" | "xz" | "zst" | "7z" | "rar" => Some(Other::Archive),
        "csv" | "tsv" | "json" | "jsonl" | "ndjson" => Some(Other::Table),
        "xls" | "xlsx" | "ods" | "parquet" | "arrow" => Some(Other::Spreadsheet),
        "txt" | "lst" | "list" | "split" | "md" | "rst" | "rtf" | "log" | "xml" | "html"
        | "htm" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "names" | "py" | "ipynb"
        | "js" | "css" | "sh" | "bat" | "c" | "cpp" | "h" | "java" | "m" | "r" | "tex" | "bib"
        | "doc" | "docx" | "ppt" | "pptx" | "odt" | "sql" => Some(Other::Text),
        "mp4" | "mov" | "avi" | "mkv" | "webm" | "wmv" | "flv" | "m4v" | "mpg" | "mpeg" | "3gp" => {
            Some(Other::Video)
        }
        "mp3" | "wav" | "ogg" | "flac" | "m4a" | "aac" => Some(Other::Sound),
        "npy" | "npz" | "mat" | "h5" | "hdf5" | "pkl" | "pickle" | "pt" | "pth" | "safetensors"
        | "onnx" | "tfrecord" | "tfrecords" | "bin" | "idx" | "lmdb" | "db" | "sqlite" | "mdb"
        | "ckpt" | "pb" => Some(Other::Numbers),
        _ => None,
    }
}

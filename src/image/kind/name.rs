//! Kinds by the endings of names.

use super::Kind;

pub(super) fn of_name(path: &str) -> Kind {
    let mut name = path.rsplit(['/', '\\']).next().unwrap_or(path).trim();
    // A Mac's second half carries the name of the first.
    if name.starts_with("._") {
        return Kind::AppleDouble;
    }
    // Each round takes an ending off that says nothing about the kind.
    for _ in 0..4 {
        let Some((rest, ending)) = name.rsplit_once('.') else {
            return Kind::Unknown;
        };
        let ending = ending.trim().to_ascii_lowercase();
        let kind = of_ending(&ending);
        if kind != Kind::Unknown {
            return kind;
        }
        // What programs and downloads append: `jpg_large`, `jpeg~`, `jpg!d`, `jpg (1)`, `jpg@100w`.
        let end = ending
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(ending.len());
        let kind = of_ending(&ending[..end]);
        if kind != Kind::Unknown && end > 0 {
            return kind;
        }
        let says_nothing = [
            "bak", "orig", "original", "old", "tmp", "temp", "copy", "download",
        ]
        .contains(&&*ending)
            || ending.bytes().all(|b| b.is_ascii_digit());
        if !says_nothing {
            return Kind::Unknown;
        }
        name = rest;
    }
    Kind::Unknown
}

fn of_ending(ending: &str) -> Kind {
    match ending {
        "jpg" | "jpeg" | "jpe" | "jfif" | "jfi" | "jif" | "pjpeg" | "pjpg" | "pjp" | "mpo" => {
            Kind::Jpeg
        }
        "png" | "apng" => Kind::Png,
        "webp" => Kind::WebP,
        "gif" => Kind::Gif,
        "bmp" | "dib" | "rle" => Kind::Bmp,
        "tif" | "tiff" | "btf" | "tf8" => Kind::Tiff,
        "pnm" | "ppm" | "pgm" | "pbm" | "pam" => Kind::Pnm,
        "heic" | "heif" | "hif" | "heics" | "heifs" => Kind::Heic,
        "avif" | "avifs" => Kind::Avif,
        "jxl" => Kind::Jxl,
        "jp2" | "j2k" | "jpf" | "jpx" | "j2c" | "jpc" | "jpm" => Kind::Jpeg2000,
        "ico" | "cur" => Kind::Ico,
        "cr2" | "cr3" | "crw" | "nef" | "nrw" | "arw" | "srf" | "sr2" | "dng" | "orf" | "rw2"
        | "raf" | "pef" | "srw" | "x3f" | "raw" | "rwl" | "3fr" | "iiq" | "erf" | "kdc" | "dcr"
        | "mrw" | "mos" | "fff" | "gpr" => Kind::Raw,
        "psd" | "psb" => Kind::Photoshop,
        "xcf" => Kind::Gimp,
        "svg" | "svgz" => Kind::Svg,
        "eps" | "ps" | "ai" | "epsf" => Kind::PostScript,
        "dcm" | "dicom" | "nii" => Kind::Medical,
        "tga" | "exr" | "hdr" | "dds" | "pcx" | "qoi" | "fits" | "fit" | "jxr" | "wdp" | "hdp"
        | "kra" | "sgi" | "rgb" | "ktx" | "ktx2" | "flif" | "pfm" | "icns" | "xbm" | "xpm"
        | "svs" | "ndpi" | "czi" | "lif" | "nd2" | "emf" | "wmf" | "djvu" => Kind::OtherImage,
        "mp4" | "mov" | "avi" | "mkv" | "webm" | "m4v" | "mpg" | "mpeg" | "wmv" | "flv" | "3gp"
        | "mts" | "m2ts" | "ogv" | "lrv" => Kind::Video,
        "mp3" | "wav" | "flac" | "ogg" | "oga" | "opus" | "m4a" | "aac" | "wma" | "aiff"
        | "mid" => Kind::Audio,
        "pdf" => Kind::Pdf,
        "html" | "htm" | "xhtml" | "mht" | "mhtml" => Kind::Html,
        "xml" | "xmp" | "aae" | "plist" | "gpx" | "kml" => Kind::Xml,
        "json" | "jsonl" | "ndjson" | "geojson" | "ipynb" => Kind::Json,
        "csv" | "tsv" | "tab" => Kind::Csv,
        "txt" | "md" | "rst" | "log" | "ini" | "cfg" | "conf" | "yaml" | "yml" | "toml" | "nfo"
        | "readme" | "license" | "tex" | "bib" | "rtf" | "names" | "data" | "url" | "lnk"
        | "srt" | "pts" | "md5" | "sha256" => Kind::Text,
        "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx" | "odt" | "ods" | "odp" | "pages"
        | "numbers" | "key" => Kind::Office,
        "zip" | "cbz" => Kind::Zip,
        "rar" | "cbr" => Kind::Rar,
        "7z" => Kind::SevenZip,
        "gz" | "tgz" => Kind::Gzip,
        "tar" => Kind::Tar,
        "bz2" | "tbz" | "tbz2" => Kind::Bzip2,
        "xz" | "txz" => Kind::Xz,
        "zst" => Kind::Zstd,
        "h5" | "hdf5" | "hdf" | "he5" => Kind::Hdf5,
        "pt" | "pth" | "ckpt" | "pkl" | "pickle" | "safetensors" | "onnx" | "tflite" | "pb"
        | "bin" | "joblib" | "keras" | "gguf" | "mlmodel" => Kind::Weights,
        "npy" | "npz" | "mat" | "parquet" | "arrow" | "feather" | "tfrecord" | "tfrecords"
        | "lmdb" | "mdb" => Kind::Arrays,
        "db" | "sqlite" | "sqlite3" => Kind::Database,
        "py" | "pyc" | "m" | "r" | "js" | "ts" | "c" | "h" | "cpp" | "rs" | "java" | "sh"
        | "bat" | "ps1" | "php" | "css" | "exe" | "dll" | "so" | "apk" | "jar" | "msi" | "dmg"
        | "iso" => Kind::Program,
        "crdownload" | "part" | "partial" | "!ut" | "opdownload" | "aria2" => Kind::Unfinished,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endings_that_people_have() {
        for name in [
            "a.jpg",
            "a.JPG",
            "a.JpEg",
            "a.jpe",
            "a.jfif",
            "a.pjpeg",
            "a.jpg_large",
            "a.jpeg~",
            "a.jpg.1",
            "a.jpg ",
            "a.jpg!d",
            "a.jpg (1)",
            "a.jpg@100w",
            "a.jpg-large",
            "a.jpg?w=20",
            "a.jpg.bak",
            "a.jpg.orig.2",
            "x.png/a.jpg",
            "x\\y.png\\a.jpg",
            "a.b.c.jpg",
            "a.jpg:large",
            "a.jpg copy",
        ] {
            assert_eq!(of_name(name), Kind::Jpeg, "{name}");
        }
        for name in [
            "",
            "a",
            "a.",
            ".",
            "a.image",
            "a.1",
            "2021.05.06",
            "x.jpg/a",
            "a.jp",
            "a.jpgx",
            "a.~",
            "a.1.2.3.4.5.6",
            "...",
            "a.größe",
            "日本語.写真",
        ] {
            assert_eq!(of_name(name), Kind::Unknown, "{name}");
        }
        for (name, kind) in [
            ("a.HEIC", Kind::Heic),
            ("a.CR2", Kind::Raw),
            ("a.tar.gz", Kind::Gzip),
            ("a.jpg.zip", Kind::Zip),
            ("a.jpg.crdownload", Kind::Unfinished),
            ("._a.jpg", Kind::AppleDouble),
            ("x/._a.jpg", Kind::AppleDouble),
            ("a.7z", Kind::SevenZip),
            ("a.ppm", Kind::Pnm),
            ("a.tif", Kind::Tiff),
            ("labels.csv", Kind::Csv),
        ] {
            assert_eq!(of_name(name), kind, "{name}");
        }
    }
}

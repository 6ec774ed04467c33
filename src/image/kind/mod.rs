//! What a file is, told by its first bytes or, before it is read, by its name: so that what cannot be opened
//! is called what it is, with what to do about it.

mod name;
mod sniff;
mod text;

/// A kind of file that people have beside their photos, or in place of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// JPEG, MPO.
    Jpeg,
    /// PNG, APNG.
    Png,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
    /// BMP.
    Bmp,
    /// TIFF or `BigTIFF`.
    Tiff,
    /// PBM, PGM, PPM, PAM.
    Pnm,
    /// HEIC or HEIF.
    Heic,
    /// AVIF.
    Avif,
    /// JPEG XL.
    Jxl,
    /// JPEG 2000.
    Jpeg2000,
    /// A windows icon or cursor.
    Ico,
    /// A camera's own format: CR2, CR3, NEF, ARW, DNG and the like.
    Raw,
    /// Photoshop.
    Photoshop,
    /// GIMP.
    Gimp,
    /// SVG.
    Svg,
    /// PostScript, EPS, Illustrator.
    PostScript,
    /// DICOM or `NIfTI`.
    Medical,
    /// Other images: Targa, `OpenEXR`, DDS, QOI, FITS and the like.
    OtherImage,
    /// MP4, MOV, AVI, Matroska and the like.
    Video,
    /// MP3, WAV, FLAC and the like.
    Audio,
    /// PDF.
    Pdf,
    /// An HTML page.
    Html,
    /// XML, also as a sidecar of photos.
    Xml,
    /// JSON.
    Json,
    /// Comma- or tab-separated values.
    Csv,
    /// Other text.
    Text,
    /// Word, Excel, PowerPoint, OpenDocument.
    Office,
    /// A zip archive.
    Zip,
    /// A RAR archive.
    Rar,
    /// A 7z archive.
    SevenZip,
    /// Compressed with gzip; often a `.tar.gz`.
    Gzip,
    /// A tar archive.
    Tar,
    /// Compressed with bzip2.
    Bzip2,
    /// Compressed with xz.
    Xz,
    /// Compressed with Zstandard.
    Zstd,
    /// HDF5.
    Hdf5,
    /// Weights of a model: a pickle of Python, PyTorch, safetensors, ONNX.
    Weights,
    /// Arrays of `NumPy`, MATLAB, Parquet, TFRecord.
    Arrays,
    /// A database.
    Database,
    /// What Git keeps in place of a large file.
    LfsPointer,
    /// The second half of a Mac's file, `._NAME`.
    AppleDouble,
    /// A program, a library or a script.
    Program,
    /// A download that is not finished.
    Unfinished,
    /// Nothing but zeros.
    Zeros,
    /// 0 bytes.
    Empty,
    /// Anything else.
    Unknown,
}

/// What is said of bytes that are none of the kinds.
pub const NOT_AN_IMAGE: &str =
    "is not an image (JPEG, PNG, WebP, GIF, BMP, TIFF and PNM are opened)";

impl Kind {
    /// By the first bytes of a file; all of them, or as many as there are at hand (1 kB is enough, and
    /// [`Self::Zeros`] is what they are all).
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        sniff::of_bytes(bytes)
    }

    /// By the ending of a name, any case, also one that a program or a download added something to
    /// (`.jpg_large`, `.jpeg~`, `.jpg.1`, `.jpg!d`). [`Self::Unknown`] without a known one: then the bytes
    /// must tell.
    #[must_use]
    pub fn of_name(path: &str) -> Self {
        name::of_name(path)
    }

    /// Whether [`super::decode()`] opens it.
    #[must_use]
    pub const fn is_decoded(self) -> bool {
        matches!(
            self,
            Self::Jpeg | Self::Png | Self::WebP | Self::Gif | Self::Bmp | Self::Tiff | Self::Pnm
        )
    }

    /// Whether some browsers open it though [`super::decode()`] does not: worth a try with `createImageBitmap`, as
    /// [`super::transcode`] does.
    #[must_use]
    pub const fn by_browser(self) -> bool {
        matches!(self, Self::Avif | Self::Heic | Self::Jxl | Self::Ico)
    }

    /// Whether it is a picture made of pixels, opened or not: among photos such a file was meant to be used.
    #[must_use]
    pub const fn is_picture(self) -> bool {
        self.is_decoded()
            || self.by_browser()
            || matches!(
                self,
                Self::Jpeg2000
                    | Self::Raw
                    | Self::Photoshop
                    | Self::Gimp
                    | Self::Medical
                    | Self::OtherImage
            )
    }

    /// Its name in a list: "JPEG", "Photoshop".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Pnm => "PNM",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
            Self::Jxl => "JPEG XL",
            Self::Jpeg2000 => "JPEG 2000",
            Self::Ico => "icon",
            Self::Raw => "raw photo",
            Self::Photoshop => "Photoshop",
            Self::Gimp => "GIMP",
            Self::Svg => "SVG",
            Self::PostScript => "PostScript",
            Self::Medical => "DICOM or NIfTI",
            Self::OtherImage => "other image",
            Self::Video => "video",
            Self::Audio => "sound",
            Self::Pdf => "PDF",
            Self::Html => "web page",
            Self::Xml => "XML",
            Self::Json => "JSON",
            Self::Csv => "CSV",
            Self::Text => "text",
            Self::Office => "office document",
            Self::Zip => "zip",
            Self::Rar => "RAR",
            Self::SevenZip => "7z",
            Self::Gzip => "gzip",
            Self::Tar => "tar",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "Zstandard",
            Self::Hdf5 => "HDF5",
            Self::Weights => "weights",
            Self::Arrays => "arrays",
            Self::Database => "database",
            Self::LfsPointer => "Git LFS pointer",
            Self::AppleDouble => "AppleDouble",
            Self::Program => "program",
            Self::Unfinished => "unfinished download",
            Self::Zeros => "zeros",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }

    /// Why [`super::decode()`] does not open it and what to do; none if it does.
    #[must_use]
    pub const fn refusal(self) -> Option<&'static str> {
        Some(match self {
            Self::Jpeg
            | Self::Png
            | Self::WebP
            | Self::Gif
            | Self::Bmp
            | Self::Tiff
            | Self::Pnm => {
                return None;
            }
            Self::Heic => "is a HEIC photo, which is not opened here; export it as JPEG",
            Self::Avif => "is an AVIF image; save it as JPEG or PNG",
            Self::Jxl => "is a JPEG XL image; save it as JPEG or PNG",
            Self::Jpeg2000 => "is a JPEG 2000 image; save it as JPEG or PNG",
            Self::Ico => "is an icon; save it as PNG",
            Self::Raw => "is a camera's raw photo; develop it and export it as JPEG",
            Self::Photoshop => "is a Photoshop document; export it as JPEG or PNG",
            Self::Gimp => "is a GIMP document; export it as JPEG or PNG",
            Self::Svg => "is an SVG drawing, not a photo; save it as PNG",
            Self::PostScript => "is a PostScript or Illustrator drawing; export it as PNG",
            Self::Medical => "is a DICOM or NIfTI medical image; export its slices as PNG",
            Self::OtherImage => "is an image of a kind that is not opened; save it as JPEG or PNG",
            Self::Video => "is a video, not an image; save frames of it as JPEG",
            Self::Audio => "is a sound recording, not an image",
            Self::Pdf => "is a PDF, not an image; export its pages as JPEG or PNG",
            Self::Html => "is a web page, not an image (often a download that failed)",
            Self::Xml => "is an XML file, not an image",
            Self::Json => "is a JSON file, not an image",
            Self::Csv => "is a table of text, not an image",
            Self::Text => "is a text file, not an image",
            Self::Office => "is an office document, not an image; save its pictures as JPEG or PNG",
            Self::Zip => "is a zip archive, not an image; unpack it first",
            Self::Rar => "is a RAR archive, not an image; unpack it first",
            Self::SevenZip => "is a 7z archive, not an image; unpack it first",
            Self::Gzip => "is compressed with gzip, not an image; unpack it first",
            Self::Tar => "is a tar archive, not an image; unpack it first",
            Self::Bzip2 => "is compressed with bzip2, not an image; unpack it first",
            Self::Xz => "is compressed with xz, not an image; unpack it first",
            Self::Zstd => "is compressed with Zstandard, not an image; unpack it first",
            Self::Hdf5 => "is an HDF5 file, not an image",
            Self::Weights => "holds the weights of a model, not an image",
            Self::Arrays => "holds arrays of numbers; save each image in it as a PNG",
            Self::Database => "is a database, not an image",
            Self::LfsPointer => {
                "is a Git LFS pointer, not the image it stands for; fetch that with `git lfs pull`"
            }
            Self::AppleDouble => "is a Mac's record about another file, not an image",
            Self::Program => "is a program or a script, not an image",
            Self::Unfinished => "is an unfinished download; download it again",
            Self::Zeros => "holds nothing but zeros (a copy or download that failed)",
            Self::Empty => "is empty (0 bytes)",
            Self::Unknown => NOT_AN_IMAGE,
        })
    }
}

//! Brotli beside every text and wasm file, so that a static host (and `serve`) can send the small one
//! without compressing anything itself.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;

/// Quality of a release: the smallest there is.
pub const BEST: i32 = 11;
/// Quality while developing: a hundredth of the time for a sixth more bytes.
pub const QUICK: i32 = 5;

/// What is worth compressing; images and weights are not.
const EXTENSIONS: [&str; 7] = ["wasm", "js", "html", "css", "svg", "json", "webmanifest"];

/// Bytes of one file, as it is and compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// The file's name.
    pub name: String,
    /// Bytes on disk.
    pub raw: u64,
    /// Bytes of its `.br`.
    pub brotli: u64,
}

/// Writes `FILE.br` beside each of these that is worth it, one thread a file.
///
/// # Errors
/// If a file cannot be read or written.
pub fn compress_all(files: &[PathBuf], quality: i32) -> Result<Vec<Size>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = files
            .iter()
            .filter(|f| {
                f.extension()
                    .is_some_and(|e| EXTENSIONS.iter().any(|x| e == *x))
            })
            .map(|file| scope.spawn(move || compress(file, quality)))
            .collect();
        threads
            .into_iter()
            .map(|t| t.join().expect("the compressor does not panic"))
            .collect()
    })
}

fn compress(file: &Path, quality: i32) -> Result<Size> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let params = BrotliEncoderParams {
        quality,
        lgwin: 24, // the largest window every browser accepts
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut packed = Vec::with_capacity(bytes.len() / 4);
    brotli::BrotliCompress(&mut bytes.as_slice(), &mut packed, &params)?;
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let target = file.with_file_name(format!("{name}.br"));
    fs::write(&target, &packed).with_context(|| format!("cannot write {}", target.display()))?;
    Ok(Size {
        name,
        raw: bytes.len() as u64,
        brotli: packed.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_whole_and_images_are_left_alone() {
        let dir = std::env::temp_dir().join(format!("retune-compress-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let text = "the same line again\n".repeat(500);
        fs::write(dir.join("a.js"), &text).unwrap();
        fs::write(dir.join("b.png"), b"not touched").unwrap();
        let sizes = compress_all(&[dir.join("a.js"), dir.join("b.png")], BEST).unwrap();
        let packed = fs::read(dir.join("a.js.br")).unwrap();
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut back).unwrap();
        let untouched = !dir.join("b.png.br").exists();
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(back, text.as_bytes());
        assert!(untouched);
        assert_eq!(sizes.len(), 1);
        assert!(sizes[0].brotli < sizes[0].raw / 10, "{sizes:?}");
    }
}

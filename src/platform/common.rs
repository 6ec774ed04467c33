//! What the two sides of a platform difference share: the types they exchange and the rules for names.

use std::ops::ControlFlow;

use crate::error::{Error, Result};

/// Told the bytes done and the bytes in all (0 where that is not known); `Break` ends the transfer with
/// [`Error::Cancelled`].
pub type Progress<'a> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'a;

/// Most bytes that a download may have. The largest backbone's weights take 508 MB.
pub const MAX_DOWNLOAD: u64 = 1 << 30;

/// An encoding of text from before Unicode, by the WHATWG Encoding Standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Japan (Windows code page 932).
    ShiftJis,
    /// Mainland China (936), with GB 18030's four bytes.
    Gbk,
    /// Taiwan and Hong Kong (950).
    Big5,
    /// Korea (949).
    EucKr,
    /// Russia, MS-DOS.
    Ibm866,
    /// Russia, Windows.
    Windows1251,
    /// Western Europe, Windows.
    Windows1252,
}

impl Encoding {
    /// What the standard calls it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ShiftJis => "shift_jis",
            Self::Gbk => "gbk",
            Self::Big5 => "big5",
            Self::EucKr => "euc-kr",
            Self::Ibm866 => "ibm866",
            Self::Windows1251 => "windows-1251",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// A file from the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The `X-Linked-Etag` header, as it came, from any answer on the way that could be seen.
    pub linked_etag: Option<String>,
}

/// Where kept files lie.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StorageLocation {
    /// Where this program, or this page, keeps all of its own.
    #[default]
    Own,
    /// In a folder that the user named; natively only.
    Folder(String),
}

/// A file that is served beside the page and compiled into native programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Path relative to the page's folder.
    pub path: &'static str,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: &'static str,
}

/// The error of a download beyond [`MAX_DOWNLOAD`].
pub(super) fn too_large(url: &str) -> Error {
    Error::Storage(format!("{url}: more than {} MB", MAX_DOWNLOAD >> 20))
}

/// Refuses names that could leave the store's folder or mean something to a file system.
pub(super) fn check_key(key: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if key.is_empty() || key.len() > 128 || key.starts_with('.') || !key.chars().all(plain) {
        return Err(Error::Storage(format!(
            "{key:?} is no name for a kept file"
        )));
    }
    Ok(())
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes as text: what is no UTF-8 is spelt out (`\xff`), so that different names stay different.
pub(crate) fn escape(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

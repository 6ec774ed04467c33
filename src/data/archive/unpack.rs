//! The ways in which archives pack bytes, each a stream with bounded memory.

use std::io::{self, BufRead, BufReader, Error, Read};

use bzip2::read::{BzDecoder, MultiBzDecoder};
use deflate64::Deflate64Decoder;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::{LzmaReader, XzReader};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Most memory of an XZ decoder, in KiB: `xz -9` needs 65 MiB.
const XZ_KIB: u32 = 100 << 10;
/// Most bytes a Zstandard frame may refer back: `zstd -19` needs 8 MiB, `--ultra -22` 128 MiB.
const ZSTD_WINDOW: u64 = 128 << 20;
/// Smallest window that an LZMA decoder is given.
const LZMA_WINDOW: u64 = 4096;

/// How an entry of a zip is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Method {
    Stored,
    Deflate,
    Deflate64,
    Bzip2,
    Lzma,
    Zstandard,
    Xz,
}

impl Method {
    /// By its number in a zip (APPNOTE.TXT, section 4.4.5).
    pub const fn of(number: u16) -> Option<Self> {
        Some(match number {
            0 => Self::Stored,
            8 => Self::Deflate,
            9 => Self::Deflate64,
            12 => Self::Bzip2,
            14 => Self::Lzma,
            // 20 was its number for a while.
            20 | 93 => Self::Zstandard,
            95 => Self::Xz,
            _ => return None,
        })
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored bytes",
            Self::Deflate => "Deflate",
            Self::Deflate64 => "Deflate64",
            Self::Bzip2 => "bzip2",
            Self::Lzma => "LZMA",
            Self::Zstandard => "Zstandard",
            Self::Xz => "XZ",
        }
    }

    /// The unpacked bytes of an entry that states to have `size` of them.
    pub fn stream<'a>(
        self,
        mut packed: impl Read + 'a,
        size: u64,
    ) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Stored => Box::new(packed),
            Self::Deflate => Box::new(DeflateDecoder::new(packed)),
            Self::Deflate64 => Box::new(Deflate64Decoder::new(packed)),
            Self::Bzip2 => Box::new(BzDecoder::new(packed)),
            Self::Lzma => {
                // Version of the packer (2 bytes), bytes of the properties (2), properties.
                let mut head = [0; 9];
                packed.read_exact(&mut head)?;
                let [_, _, 5, 0, properties, window @ ..] = head else {
                    return Err(Error::other("has no LZMA header"));
                };
                // Nothing refers back further than the entry is long.
                let window = u64::from(u32::from_le_bytes(window)).min(size.max(LZMA_WINDOW));
                let window = u32::try_from(window).unwrap_or(u32::MAX);
                Box::new(LzmaReader::new_with_props(
                    packed, size, properties, window, None,
                )?)
            }
            Self::Zstandard => Box::new(Zstd::new(packed)),
            Self::Xz => Box::new(XzReader::new_mem_limit(packed, true, XZ_KIB)),
        })
    }
}

/// What a method that is not read is called.
pub(super) fn method_name(number: u16) -> String {
    match number {
        1 => "Shrink".into(),
        2..=5 => "Reduce".into(),
        6 => "Implode".into(),
        10 => "IBM TERSE".into(),
        96 => "WinZip's JPEG packer".into(),
        97 => "WavPack".into(),
        98 => "PPMd".into(),
        other => method_of(other),
    }
}

fn method_of(number: u16) -> String {
    format!("method {number}")
}

/// How a whole tar is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrap {
    Gzip,
    Bzip2,
    Xz,
    Zstandard,
}

impl Wrap {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstandard => "Zstandard",
        }
    }

    /// The unpacked bytes.
    pub fn stream<'a>(self, packed: impl Read + 'a) -> Box<dyn Read + 'a> {
        match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(BufReader::new(packed))),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(BufReader::new(packed))),
            Self::Xz => Box::new(XzReader::new_mem_limit(
                BufReader::new(packed),
                true,
                XZ_KIB,
            )),
            Self::Zstandard => Box::new(Zstd::new(packed)),
        }
    }
}

/// Zstandard's frames, one behind the other; those that may be skipped are.
struct Zstd<R> {
    packed: BufReader<R>,
    decoder: FrameDecoder,
    /// Whether a frame was begun that is not at its end.
    open: bool,
}

impl<R: Read> Zstd<R> {
    fn new(packed: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW);
        Self {
            packed: BufReader::new(packed),
            decoder,
            open: false,
        }
    }

    /// Begins the next frame; false at the end of the bytes.
    fn begin(&mut self) -> io::Result<bool> {
        use FrameDecoderError::ReadFrameHeaderError as Header;
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.packed) {
                Ok(()) => {
                    self.open = true;
                    return Ok(true);
                }
                Err(Header(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.packed).take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        while self.open || self.begin()? {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(out);
            }
            if self.decoder.is_finished() {
                let stated = self.decoder.get_checksum_from_data();
                if stated.is_some() && stated != self.decoder.get_calculated_checksum() {
                    return Err(Error::other("the checksum differs"));
                }
                self.open = false;
                continue;
            }
            self.decoder
                .decode_blocks(&mut self.packed, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(Error::other)?;
        }
        Ok(0)
    }
}

//! A JPEG decoder that gives libjpeg-turbo's pixels: its integer inverse cosine transform, its smooth upsampling
//! of chroma, its colour conversion, all to the bit, as Pillow, browsers and torchvision show a photo.
//!
//! It is our own because the libraries for Rust are not right on every kind: zune-jpeg 0.5.15 loses the
//! chroma of files of several scans and of chroma finer than luma, and is up to 4 of 255 off on plain 4:2:0;
//! jpeg-decoder 0.3.2 is up to 3 off, leaves the colours of CMYK to its caller and needs an end marker.
//!
//! Sequential and progressive files of 8 bits, 1, 3 or 4 components and any integer ratio of sampling are
//! decoded, in one pass and a few rows of memory where one scan holds everything. What is not (12 bits,
//! arithmetic coding, lossless) is refused by name; a file that ends before its last row is refused too,
//! while one whose rows are all there needs no end marker.
//!
//! ITU-T T.81 <https://www.w3.org/Graphics/JPEG/itu-t81.pdf>

mod bits;
mod colour;
mod frame;
mod header;
mod huffman;
mod idct;
mod planes;
mod scan;

use frame::{Coding, Frame};
use header::Scan;
use planes::Planes;

/// Why a JPEG is not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The data end before the last row, or before the last scan that the picture needs.
    CutShort,
    /// The pixels of a scan end before their last row, though more of the file follows.
    RowsMissing,
    /// The data contradict themselves; how.
    Damaged(&'static str),
    /// A kind that is not decoded; a sentence fragment.
    Kind(&'static str),
    /// The coefficients of a file of several scans would take more than [`MAX_COEFFICIENT_BYTES`].
    TooLarge,
}

type Result<T> = std::result::Result<T, Fault>;

/// Most bytes for the coefficients of a file of several scans, which must all be kept until the last one. It
/// is enough for 108 megapixels of 4:2:0.
pub const MAX_COEFFICIENT_BYTES: usize = 384 << 20;

/// Most scans of a file. Programs write about 10; a file of many hundred is made to keep a program busy, because
/// each goes over the whole picture.
const MAX_SCANS: usize = 100;

/// A JPEG whose headers, up to its first scan, are read.
#[derive(Debug)]
pub struct Jpeg<'a> {
    bytes: &'a [u8],
    headers: header::Headers<'a>,
    frame: Frame,
    /// Where the segments go on: behind the header of `scan`.
    at: usize,
    scan: Scan,
}

impl<'a> Jpeg<'a> {
    /// Reads the headers. `bytes` begin with the start marker.
    ///
    /// # Errors
    /// [`Fault`], of any kind.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let mut headers = header::Headers::default();
        let mut at = 0;
        let Some(scan) = headers.until_scan(bytes, &mut at)? else {
            return Err(if headers.frame.is_some() {
                Fault::CutShort
            } else {
                Fault::Damaged("it holds no image")
            });
        };
        let mut frame = headers
            .frame
            .clone()
            .ok_or(Fault::Damaged("a scan before its frame"))?;
        if frame.height == 0 {
            frame.set_height(header::height_behind_scan(bytes, at)?)?;
        }
        Ok(Self {
            bytes,
            headers,
            frame,
            at,
            scan,
        })
    }

    /// Width and height in pixels, as stored.
    #[must_use]
    pub const fn size(&self) -> (u32, u32) {
        (self.frame.width as u32, self.frame.height as u32)
    }

    /// The EXIF data, a TIFF.
    #[must_use]
    pub const fn exif(&self) -> Option<&'a [u8]> {
        self.headers.exif
    }

    /// Refuses a file that is too short for the size it claims, before memory is taken for that: no block takes
    /// less than a bit.
    ///
    /// # Errors
    /// [`Fault::CutShort`].
    pub fn check_length(&self) -> Result<()> {
        if self.blocks() / 8 > self.bytes.len() {
            return Err(Fault::CutShort);
        }
        Ok(())
    }

    fn blocks(&self) -> usize {
        let components = &self.frame.components;
        components.iter().map(|c| c.stride * c.lines).sum()
    }

    /// Decodes; `row` gets the rows from the top, `[W,3]` each, red, green and blue.
    ///
    /// # Errors
    /// [`Fault`], of any kind, after some rows or none.
    pub fn rows(mut self, row: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.check_length()?;
        let colours = self.headers.colours(&self.frame)?;
        let whole = self.scan.components.len() == self.frame.components.len();
        if self.frame.coding == Coding::Sequential && whole {
            self.headers.latch(&mut self.frame, &self.scan)?;
            let mut planes = Planes::new(&self.frame, colours)?;
            let end = scan::stream(&self, &mut planes, row)?;
            return scan::check_end(self.bytes, end);
        }
        let bytes = self.blocks().saturating_mul(128);
        if bytes > MAX_COEFFICIENT_BYTES {
            return Err(Fault::TooLarge);
        }
        let mut coefficients: Vec<Vec<i16>> = self
            .frame
            .components
            .iter()
            .map(|c| vec![0; c.stride * c.lines * 64])
            .collect();
        for scans in 1.. {
            if scans > MAX_SCANS {
                return Err(Fault::Kind(
                    "is a JPEG of more than 100 scans, which no camera writes; save it anew",
                ));
            }
            self.headers.latch(&mut self.frame, &self.scan)?;
            let end = scan::store(&mut self, &mut coefficients)?;
            if self.frame.components.iter().all(|c| c.is_complete()) {
                scan::check_end(self.bytes, end)?;
                break;
            }
            self.at = end.at;
            let Some(scan) = self.headers.until_scan(self.bytes, &mut self.at)? else {
                // Some files leave out what is finest, and say that they end.
                if !self.headers.ended {
                    return Err(Fault::CutShort);
                }
                if self.frame.components.iter().all(|c| c.is_shown()) {
                    break;
                }
                return Err(Fault::Kind(
                    "is a progressive JPEG without its finer scans: cut short, or saved so; save it anew",
                ));
            };
            self.scan = scan;
        }
        let mut planes = Planes::new(&self.frame, colours)?;
        planes.of_coefficients(&coefficients, row);
        Ok(())
    }
}

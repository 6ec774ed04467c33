//! The bytes of a strip or tile: unpacked as they are read, so that a strip of the whole picture takes no memory.

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind, Read};

use flate2::read::ZlibDecoder;

/// How strips and tiles are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    None,
    Lzw,
    Deflate,
    PackBits,
}

impl Packing {
    /// By the number of the tag.
    pub const fn of(compression: u64) -> Option<Self> {
        Some(match compression {
            1 => Self::None,
            5 => Self::Lzw,
            8 | 32946 => Self::Deflate,
            32773 => Self::PackBits,
            _ => return None,
        })
    }

    /// Most bytes that one can stand for: 4096 for 12 bits, 258 for about two, 128 for two bytes.
    pub const fn ratio(self) -> u64 {
        match self {
            Self::None => 1,
            Self::Lzw => 2731,
            Self::Deflate => 1032,
            Self::PackBits => 64,
        }
    }

    pub fn reader<'a>(self, data: Cow<'a, [u8]>) -> Box<dyn Read + 'a> {
        match self {
            Self::None => Box::new(Cursor::new(data)),
            Self::Lzw => Box::new(Lzw::new(data)),
            Self::Deflate => Box::new(ZlibDecoder::new(Cursor::new(data))),
            Self::PackBits => Box::new(PackBits {
                data,
                at: 0,
                left: 0,
                repeated: None,
            }),
        }
    }
}

/// Runs and literals. TIFF 6.0, section 9.
struct PackBits<'a> {
    data: Cow<'a, [u8]>,
    at: usize,
    left: usize,
    repeated: Option<u8>,
}

impl Read for PackBits<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.left == 0 {
            let Some(&head) = self.data.get(self.at) else {
                return Ok(0);
            };
            self.at += 1;
            match head as i8 {
                -128 => {}
                n @ 0.. => {
                    self.left = n as usize + 1;
                    self.repeated = None;
                }
                n => {
                    let Some(&value) = self.data.get(self.at) else {
                        return Ok(0);
                    };
                    self.at += 1;
                    self.left = 1 + usize::from(n.unsigned_abs());
                    self.repeated = Some(value);
                }
            }
        }
        let mut n = out.len().min(self.left);
        if let Some(value) = self.repeated {
            out[..n].fill(value);
        } else {
            let rest = &self.data[self.at..];
            n = n.min(rest.len());
            out[..n].copy_from_slice(&rest[..n]);
            self.at += n;
        }
        self.left -= n;
        Ok(n)
    }
}

const CLEAR: usize = 256;
const END: usize = 257;

/// Codes of 9 to 12 bits, the highest first. The length grows one code early. TIFF 6.0, section 13.
///
/// It is our own because the `tiff` crate's reader fails on tiles that reach beyond the picture.
struct Lzw<'a> {
    data: Cow<'a, [u8]>,
    at: usize,
    bits: u32,
    held: u32,
    /// Of each string: that without its last byte, the byte, and the length.
    prefix: Vec<u16>,
    byte: Vec<u8>,
    length: Vec<u16>,
    size: u32,
    last: Option<usize>,
    /// The string that is being put out, and how much of it was.
    string: Vec<u8>,
    done: usize,
    ended: bool,
}

impl<'a> Lzw<'a> {
    fn new(data: Cow<'a, [u8]>) -> Self {
        let mut this = Self {
            data,
            at: 0,
            bits: 0,
            held: 0,
            prefix: vec![0; 258],
            byte: (0..258).map(|i| i as u8).collect(),
            length: vec![1; 258],
            size: 9,
            last: None,
            string: Vec::new(),
            done: 0,
            ended: false,
        };
        this.clear();
        this
    }

    fn clear(&mut self) {
        self.prefix.truncate(258);
        self.byte.truncate(258);
        self.length.truncate(258);
        self.size = 9;
        self.last = None;
    }

    fn code(&mut self) -> Option<usize> {
        while self.held < self.size {
            self.bits = self.bits << 8 | u32::from(*self.data.get(self.at)?);
            self.at += 1;
            self.held += 8;
        }
        self.held -= self.size;
        Some((self.bits >> self.held) as usize & ((1 << self.size) - 1))
    }

    /// Fills `string` with what a code stands for.
    fn expand(&mut self, mut code: usize) {
        let n = usize::from(self.length[code]);
        self.string.resize(n, 0);
        for slot in self.string.iter_mut().rev() {
            *slot = self.byte[code];
            code = self.prefix[code].into();
        }
    }

    /// The next string. False at the end.
    fn next(&mut self) -> std::io::Result<bool> {
        loop {
            let code = match self.code() {
                None | Some(END) => return Ok(false),
                Some(CLEAR) => {
                    self.clear();
                    continue;
                }
                Some(code) => code,
            };
            let known = self.byte.len();
            match self.last {
                Some(last) if code <= known && known < 4096 => {
                    // A code that is only now made is the last string and its own first byte.
                    self.expand(if code == known { last } else { code });
                    let first = self.string[0];
                    if code == known {
                        self.string.push(first);
                    }
                    self.prefix.push(last as u16);
                    self.byte.push(first);
                    self.length.push(self.length[last] + 1);
                    if known + 2 >= 1 << self.size && self.size < 12 {
                        self.size += 1;
                    }
                }
                _ if code < known => self.expand(code),
                _ => return Err(ErrorKind::InvalidData.into()),
            }
            self.last = Some(code);
            self.done = 0;
            return Ok(true);
        }
    }
}

impl Read for Lzw<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let mut n = 0;
        while n < out.len() {
            if self.done == self.string.len() {
                self.ended = self.ended || !self.next()?;
                if self.ended {
                    break;
                }
            }
            let rest = &self.string[self.done..];
            let m = rest.len().min(out.len() - n);
            out[n..n + m].copy_from_slice(&rest[..m]);
            self.done += m;
            n += m;
        }
        Ok(n)
    }
}

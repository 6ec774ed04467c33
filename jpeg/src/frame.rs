//! The frame: size, components, sampling. ITU-T T.81, B.2.2 and A.1.1.

use crate::{Fault, Result};

/// How coefficients are coded, with Huffman codes either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Each component whole, in one scan.
    Sequential,
    /// By bands of coefficients and by bits, over many scans.
    Progressive,
}

/// One component: luma, chroma, a colour.
#[derive(Debug, Clone)]
pub struct Component {
    pub id: u8,
    /// Samples of it along a side, relative to the other components.
    pub h: usize,
    pub v: usize,
    /// Size in samples.
    pub width: usize,
    pub height: usize,
    /// Blocks in a row and rows of blocks, filled up to whole units of all components.
    pub stride: usize,
    pub lines: usize,
    /// The number of its quantization table.
    pub table: u8,
    /// The quantization table that held when its first scan began, row by row.
    pub quantization: Option<[u16; 64]>,
    /// The lowest bit that came for each coefficient, in zigzag order; none yet: -1.
    pub bits: [i8; 64],
}

impl Component {
    /// Whether every bit of every coefficient came.
    pub fn is_complete(&self) -> bool {
        self.bits.iter().all(|&b| b == 0)
    }

    /// Whether every bit of the first ten coefficients came. While one of them lacks a bit, libjpeg smooths the
    /// blocks, which is not done here; what lacks of the others, it takes for zeros.
    pub fn is_shown(&self) -> bool {
        self.bits[..10].iter().all(|&b| b == 0)
    }
}

/// The frame header.
#[derive(Debug, Clone)]
pub struct Frame {
    pub coding: Coding,
    pub width: usize,
    pub height: usize,
    pub components: Vec<Component>,
    /// The largest sampling factors of all components.
    pub h: usize,
    pub v: usize,
    /// Units of all components' blocks along a row, and rows of them.
    pub units: usize,
    pub unit_rows: usize,
}

impl Frame {
    /// From the body of a frame's segment.
    pub fn parse(coding: Coding, body: &[u8]) -> Result<Self> {
        let &[precision, h0, h1, w0, w1, n, ref rest @ ..] = body else {
            return Err(Fault::Damaged("a short frame header"));
        };
        if precision == 12 {
            return Err(Fault::Kind(
                "is a 12-bit JPEG, which hardly any program shows; save it as an 8-bit one or as PNG",
            ));
        }
        if precision != 8 {
            return Err(Fault::Damaged("an impossible number of bits"));
        }
        if ![1, 3, 4].contains(&n) {
            return Err(Fault::Kind(
                "is a JPEG of neither 1, 3 nor 4 components; save it as PNG",
            ));
        }
        let mut components = Vec::with_capacity(n.into());
        for c in rest.chunks_exact(3).take(n.into()) {
            let (h, v) = (usize::from(c[1] >> 4), usize::from(c[1] & 15));
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
                return Err(Fault::Damaged("an impossible sampling factor"));
            }
            components.push(Component {
                id: c[0],
                // A single component is the measure of itself.
                h: if n == 1 { 1 } else { h },
                v: if n == 1 { 1 } else { v },
                width: 0,
                height: 0,
                stride: 0,
                lines: 0,
                table: c[2],
                quantization: None,
                bits: [-1; 64],
            });
        }
        if components.len() != usize::from(n) {
            return Err(Fault::Damaged("a short frame header"));
        }
        let mut frame = Self {
            coding,
            width: u16::from_be_bytes([w0, w1]).into(),
            height: 0,
            h: components.iter().map(|c| c.h).max().unwrap_or(1),
            v: components.iter().map(|c| c.v).max().unwrap_or(1),
            components,
            units: 0,
            unit_rows: 0,
        };
        let (h, v) = (frame.h, frame.v);
        if frame.components.iter().any(|c| h % c.h + v % c.v != 0) {
            return Err(Fault::Kind(
                "is a JPEG whose colours are sampled at a fraction, such as 2 to 3; save it as PNG",
            ));
        }
        frame.set_height(u16::from_be_bytes([h0, h1]).into())?;
        Ok(frame)
    }

    /// Also what follows from it.
    pub fn set_height(&mut self, height: usize) -> Result<()> {
        if self.width == 0 {
            return Err(Fault::Damaged("a width of 0"));
        }
        self.height = height;
        self.units = self.width.div_ceil(8 * self.h);
        self.unit_rows = height.div_ceil(8 * self.v);
        for c in &mut self.components {
            c.width = (self.width * c.h).div_ceil(self.h);
            c.height = (height * c.v).div_ceil(self.v);
            c.stride = self.units * c.h;
            c.lines = self.unit_rows * c.v;
        }
        Ok(())
    }
}

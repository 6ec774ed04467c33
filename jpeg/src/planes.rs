//! Samples of the components, a few rows at a time, and their way to full size. Chroma at half the size along
//! a side is smoothed as libjpeg does ("fancy upsampling"); at any other whole fraction it is repeated.

use crate::colour::Colours;
use crate::frame::Frame;
use crate::{Fault, Result, idct};

/// How a component gets to the size of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upsampling {
    /// It has that size.
    None,
    /// A triangle filter to twice the width.
    Width,
    /// To twice the height.
    Height,
    /// To twice both.
    Both,
    /// Repeats samples.
    Repeat,
}

#[derive(Debug)]
struct Plane {
    width: usize,
    height: usize,
    stride: usize,
    /// Rows of 8 samples that one row of units has.
    lines: usize,
    /// Pixels along a side for one sample.
    h: usize,
    v: usize,
    upsampling: Upsampling,
    quantization: [u16; 64],
    /// The rows held, and the number of the first of them.
    samples: Vec<u8>,
    first: usize,
}

/// All components' samples around the rows that are next to be put out.
#[derive(Debug)]
pub struct Planes {
    planes: Vec<Plane>,
    colours: Colours,
    width: usize,
    height: usize,
    /// Pixels in the height of a row of units, and of all components' samples.
    unit: usize,
    v: usize,
    unit_rows: usize,
    /// Rows put out.
    done: usize,
    /// Rows of units that came.
    came: usize,
    lines: Vec<Vec<u8>>,
    sums: Vec<u16>,
    pixels: Vec<u8>,
}

impl Planes {
    /// No rows yet.
    pub fn new(frame: &Frame, colours: Colours) -> Result<Self> {
        let mut planes = Vec::with_capacity(frame.components.len());
        for c in &frame.components {
            let (h, v) = (frame.h / c.h, frame.v / c.v);
            planes.push(Plane {
                width: c.width,
                height: c.height,
                stride: c.stride * 8,
                lines: c.v,
                h,
                v,
                upsampling: match (h, v) {
                    (1, 1) => Upsampling::None,
                    (2, 1) if c.width > 2 => Upsampling::Width,
                    (1, 2) => Upsampling::Height,
                    (2, 2) if c.width > 2 => Upsampling::Both,
                    _ => Upsampling::Repeat,
                },
                quantization: c
                    .quantization
                    .ok_or(Fault::Damaged("a quantization table is missing"))?,
                samples: Vec::new(),
                first: 0,
            });
        }
        Ok(Self {
            lines: vec![vec![0; frame.width + 2]; planes.len()],
            planes,
            colours,
            width: frame.width,
            height: frame.height,
            unit: 8 * frame.v,
            v: frame.v,
            unit_rows: frame.unit_rows,
            done: 0,
            came: 0,
            sums: Vec::new(),
            pixels: vec![0; frame.width * 3],
        })
    }

    /// Makes room for a row of units, whose blocks [`Self::block`] then fills.
    pub fn begin_row(&mut self) {
        for plane in &mut self.planes {
            // The rows from the one above the next on are still needed.
            let keep = (self.done / plane.v).saturating_sub(1);
            let drop = keep.saturating_sub(plane.first) * plane.stride;
            let drop = drop.min(plane.samples.len());
            plane.samples.drain(..drop);
            plane.first += drop / plane.stride;
            let length = plane.samples.len() + plane.lines * 8 * plane.stride;
            plane.samples.resize(length, 0);
        }
    }

    /// Block `x` of row `y` of a component's blocks in the row of units begun.
    #[inline]
    pub fn block(&mut self, component: usize, x: usize, y: usize, coefficients: &[i16; 64]) {
        let plane = &mut self.planes[component];
        let begin = plane.samples.len() - (plane.lines - y) * 8 * plane.stride + x * 8;
        idct::block(
            coefficients,
            &plane.quantization,
            &mut plane.samples[begin..],
            plane.stride,
        );
    }

    /// Puts out the rows that the row of units completes.
    pub fn end_row(&mut self, row: &mut dyn FnMut(&[u8])) {
        self.came += 1;
        // Smoothing looks at the samples below. So the last of them wait.
        let until = if self.came == self.unit_rows {
            self.height
        } else {
            (self.came * self.unit - self.v).min(self.height)
        };
        for y in self.done..until {
            for (plane, line) in self.planes.iter().zip(&mut self.lines) {
                plane.upsample(y, self.width, line, &mut self.sums);
            }
            let mut rows: [&[u8]; 4] = [&[]; 4];
            for (slot, (plane, line)) in rows.iter_mut().zip(self.planes.iter().zip(&self.lines)) {
                *slot = if plane.upsampling == Upsampling::None {
                    plane.row(y)
                } else {
                    line
                };
            }
            self.colours
                .row(&rows[..self.planes.len()], &mut self.pixels);
            row(&self.pixels);
        }
        self.done = until;
    }

    /// Puts out the whole picture from the coefficients of all components.
    pub fn of_coefficients(&mut self, coefficients: &[Vec<i16>], row: &mut dyn FnMut(&[u8])) {
        for unit_row in 0..self.unit_rows {
            self.begin_row();
            for (i, coefficients) in coefficients.iter().enumerate() {
                let (lines, stride) = (self.planes[i].lines, self.planes[i].stride / 8);
                let (blocks, _) = coefficients.as_chunks::<64>();
                let blocks = blocks.iter().skip(unit_row * lines * stride);
                for (n, block) in blocks.take(lines * stride).enumerate() {
                    self.block(i, n % stride, n / stride, block);
                }
            }
            self.end_row(row);
        }
    }
}

impl Plane {
    /// A row of samples; beyond the first and the last, those again.
    fn row(&self, y: usize) -> &[u8] {
        let y = y.min(self.height - 1) - self.first;
        &self.samples[y * self.stride..][..self.width]
    }

    /// Row `y` of the picture.
    fn upsample(&self, y: usize, width: usize, out: &mut [u8], sums: &mut Vec<u16>) {
        let near = self.row(y / self.v);
        match self.upsampling {
            Upsampling::None => {}
            Upsampling::Width => {
                let last = self.width - 1;
                let at = |i: usize| u16::from(near[i]);
                let out = &mut out[..2 * self.width];
                out[0] = near[0];
                out[1] = ((3 * at(0) + at(1) + 2) >> 2) as u8;
                let (pairs, _) = out.as_chunks_mut::<2>();
                for (pair, w) in pairs[1..last].iter_mut().zip(near.windows(3)) {
                    let [left, here, right] = [w[0], w[1], w[2]].map(u16::from);
                    *pair = [
                        ((3 * here + left + 1) >> 2) as u8,
                        ((3 * here + right + 2) >> 2) as u8,
                    ];
                }
                pairs[last] = [((3 * at(last) + at(last - 1) + 1) >> 2) as u8, near[last]];
            }
            Upsampling::Height => {
                let bias = 1 + (y % 2) as u16;
                for (out, (&near, &far)) in out.iter_mut().zip(near.iter().zip(self.neighbour(y))) {
                    *out = ((3 * u16::from(near) + u16::from(far) + bias) >> 2) as u8;
                }
            }
            Upsampling::Both => {
                sums.clear();
                let columns = near.iter().zip(self.neighbour(y));
                sums.extend(columns.map(|(&near, &far)| 3 * u16::from(near) + u16::from(far)));
                let last = self.width - 1;
                let (pairs, _) = out[..2 * self.width].as_chunks_mut::<2>();
                pairs[0] = [
                    ((4 * sums[0] + 8) >> 4) as u8,
                    ((3 * sums[0] + sums[1] + 7) >> 4) as u8,
                ];
                for (pair, w) in pairs[1..last].iter_mut().zip(sums.windows(3)) {
                    *pair = [
                        ((3 * w[1] + w[0] + 8) >> 4) as u8,
                        ((3 * w[1] + w[2] + 7) >> 4) as u8,
                    ];
                }
                pairs[last] = [
                    ((3 * sums[last] + sums[last - 1] + 8) >> 4) as u8,
                    ((4 * sums[last] + 7) >> 4) as u8,
                ];
            }
            Upsampling::Repeat => {
                for (out, &sample) in out[..width].chunks_mut(self.h).zip(near) {
                    out.fill(sample);
                }
            }
        }
    }

    /// The row above or below that of samples in which row `y` of twice as many lies, whichever is nearer.
    fn neighbour(&self, y: usize) -> &[u8] {
        let here = y / 2;
        self.row(if y.is_multiple_of(2) {
            here.saturating_sub(1)
        } else {
            here + 1
        })
    }
}

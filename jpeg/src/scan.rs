//! Entropy-coded data: one scan, unit by unit. ITU-T T.81, annexes F.2 and G.2.

use crate::bits::Bits;
use crate::frame::Coding;
use crate::header::{Scan, ZIGZAG, next_marker};
use crate::huffman::Huffman;
use crate::planes::Planes;
use crate::{Fault, Jpeg, Result};

/// Where a scan ended.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// Where to look for the next marker.
    pub at: usize,
    /// About where its last bit lies.
    taken: usize,
}

/// The rest of an interrupted download is often zeros, and zeros are codes. Refuses a picture of which the
/// last bytes are zeros up to the end of the file.
pub fn check_end(bytes: &[u8], end: End) -> Result<()> {
    let zeros = bytes.iter().rev().take_while(|&&b| b == 0).count();
    if bytes.len() - zeros < end.taken {
        return Err(Fault::CutShort);
    }
    Ok(())
}

/// What a component carries from block to block, and its tables.
struct Coder<'a> {
    dc: Option<&'a Huffman>,
    ac: Option<&'a Huffman>,
    /// The last block's first coefficient.
    previous: i32,
}

fn coders<'a>(jpeg: &'a Jpeg, scan: &Scan) -> Result<Vec<Coder<'a>>> {
    // A progressive scan of bits needs no table for the first coefficient.
    let needs_dc = scan.first == 0 && scan.high == 0;
    scan.components
        .iter()
        .map(|part| {
            Ok(Coder {
                dc: needs_dc.then(|| jpeg.headers.dc(part.dc)).transpose()?,
                ac: (scan.last > 0)
                    .then(|| jpeg.headers.ac(part.ac))
                    .transpose()?,
                previous: 0,
            })
        })
        .collect()
}

/// Counts units and passes restart markers.
struct Units<'a> {
    data: &'a [u8],
    interval: usize,
    count: usize,
    next: u8,
}

impl<'a> Units<'a> {
    const fn new(jpeg: &Jpeg<'a>) -> Self {
        Self {
            data: jpeg.bytes,
            interval: jpeg.headers.restart,
            count: 0,
            next: 0,
        }
    }

    /// Call before each unit. True if coding starts anew.
    #[inline]
    fn restarts(&mut self, bits: &mut Bits<'a>) -> Result<bool> {
        let restarts =
            self.interval != 0 && self.count != 0 && self.count.is_multiple_of(self.interval);
        self.count += 1;
        if restarts {
            let mut at = bits.at;
            match next_marker(self.data, &mut at) {
                Some(marker) if marker == 0xd0 + self.next => {}
                None | Some(0xd9) => return Err(Fault::CutShort),
                Some(_) => return Err(Fault::Damaged("a restart marker is missing")),
            }
            self.next = (self.next + 1) % 8;
            *bits = Bits::new(self.data, at);
        }
        Ok(restarts)
    }
}

/// Refuses a unit whose bits were not all there.
fn whole(bits: &Bits, data: &[u8]) -> Result<()> {
    match (bits.is_short(), bits.at < data.len()) {
        (false, _) => Ok(()),
        (true, true) => Err(Fault::RowsMissing),
        (true, false) => Err(Fault::CutShort),
    }
}

/// Decodes a sequential scan that holds all components, a row of units after the other.
pub fn stream(jpeg: &Jpeg, planes: &mut Planes, row: &mut dyn FnMut(&[u8])) -> Result<End> {
    let (frame, scan) = (&jpeg.frame, &jpeg.scan);
    let mut coders = coders(jpeg, scan)?;
    let mut bits = Bits::new(jpeg.bytes, jpeg.at);
    let mut units = Units::new(jpeg);
    let mut block = [0; 64];
    for _ in 0..frame.unit_rows {
        planes.begin_row();
        for unit in 0..frame.units {
            if units.restarts(&mut bits)? {
                coders.iter_mut().for_each(|c| c.previous = 0);
            }
            for (coder, part) in coders.iter_mut().zip(&scan.components) {
                let component = &frame.components[part.component];
                for y in 0..component.v {
                    for x in 0..component.h {
                        block.fill(0);
                        sequential(&mut bits, coder, &mut block)?;
                        planes.block(part.component, unit * component.h + x, y, &block);
                    }
                }
            }
            whole(&bits, jpeg.bytes)?;
        }
        planes.end_row(row);
    }
    Ok(End {
        at: bits.at,
        taken: bits.taken(),
    })
}

/// Decodes a scan into the coefficients of all blocks, and notes in the frame what came.
pub fn store(jpeg: &mut Jpeg, coefficients: &mut [Vec<i16>]) -> Result<End> {
    let (frame, scan) = (&jpeg.frame, &jpeg.scan);
    let progressive = frame.coding == Coding::Progressive;
    for part in &scan.components {
        let came = &frame.components[part.component].bits;
        for &bit in &came[scan.first..=scan.last] {
            let follows = if scan.high == 0 {
                bit == -1
            } else {
                bit == scan.high as i8
            };
            if !follows {
                return Err(Fault::Damaged("its scans do not follow one another"));
            }
        }
    }
    let mut coders = coders(jpeg, scan)?;
    let mut bits = Bits::new(jpeg.bytes, jpeg.at);
    let mut units = Units::new(jpeg);
    // Blocks that a code said to have nothing more in this band.
    let mut empty = 0_u32;
    let decode = |bits: &mut Bits, coder: &mut Coder, block: &mut [i16; 64], empty: &mut u32| match (
        progressive,
        scan.first,
        scan.high,
    ) {
        (false, ..) => sequential(bits, coder, block),
        (true, 0, 0) => {
            first_coefficient(bits, coder)?;
            block[0] = (coder.previous << scan.low) as i16;
            Ok(())
        }
        (true, 0, _) => {
            if bits.bit() {
                block[0] |= 1 << scan.low;
            }
            Ok(())
        }
        (true, _, 0) => band(bits, coder, block, scan, empty),
        (true, ..) => refined_band(bits, coder, block, scan, empty),
    };
    if let ([part], [coder]) = (&scan.components[..], &mut coders[..]) {
        // The blocks of a component alone, without those that fill up its units.
        let component = &frame.components[part.component];
        let (blocks, _) = coefficients[part.component].as_chunks_mut::<64>();
        let (across, down) = (component.width.div_ceil(8), component.height.div_ceil(8));
        for row in blocks.chunks_mut(component.stride).take(down) {
            for block in row.iter_mut().take(across) {
                if units.restarts(&mut bits)? {
                    coder.previous = 0;
                    empty = 0;
                }
                decode(&mut bits, coder, block, &mut empty)?;
                whole(&bits, jpeg.bytes)?;
            }
        }
    } else {
        for unit in 0..frame.unit_rows * frame.units {
            if units.restarts(&mut bits)? {
                coders.iter_mut().for_each(|c| c.previous = 0);
            }
            let (row, column) = (unit / frame.units, unit % frame.units);
            for (coder, part) in coders.iter_mut().zip(&scan.components) {
                let component = &frame.components[part.component];
                let (blocks, _) = coefficients[part.component].as_chunks_mut::<64>();
                for y in 0..component.v {
                    let begin = (row * component.v + y) * component.stride + column * component.h;
                    for block in &mut blocks[begin..begin + component.h] {
                        decode(&mut bits, coder, block, &mut empty)?;
                    }
                }
            }
            whole(&bits, jpeg.bytes)?;
        }
    }
    let end = End {
        at: bits.at,
        taken: bits.taken(),
    };
    let scan = &jpeg.scan;
    for part in &scan.components {
        let came = &mut jpeg.frame.components[part.component].bits;
        came[scan.first..=scan.last].fill(scan.low as i8);
    }
    Ok(end)
}

const NO_TABLE: Fault = Fault::Damaged("a Huffman table is missing");
const TOO_MANY: Fault = Fault::Damaged("more than 64 coefficients in a block");

/// The difference to the first coefficient of the last block.
#[inline]
fn first_coefficient(bits: &mut Bits, coder: &mut Coder) -> Result<()> {
    bits.fill();
    let size = coder.dc.ok_or(NO_TABLE)?.decode(bits)?;
    if size > 15 {
        return Err(Fault::Damaged("an impossible difference of levels"));
    }
    let difference = bits.signed(size.into());
    coder.previous = coder.previous.wrapping_add(difference);
    Ok(())
}

/// A whole block. T.81, F.2.2.
#[inline]
fn sequential(bits: &mut Bits, coder: &mut Coder, block: &mut [i16; 64]) -> Result<()> {
    first_coefficient(bits, coder)?;
    block[0] = coder.previous as i16;
    let table = coder.ac.ok_or(NO_TABLE)?;
    let mut k = 1;
    while k < 64 {
        bits.fill();
        let code = table.decode(bits)?;
        let (run, size) = (usize::from(code >> 4), u32::from(code & 15));
        if size == 0 {
            if run != 15 {
                return Ok(());
            }
            k += 16;
            continue;
        }
        k += run;
        let at = ZIGZAG.get(k).ok_or(TOO_MANY)?;
        block[usize::from(*at)] = bits.signed(size) as i16;
        k += 1;
    }
    Ok(())
}

/// A band of coefficients for the first time. T.81, G.1.2.2.
fn band(
    bits: &mut Bits,
    coder: &Coder,
    block: &mut [i16; 64],
    scan: &Scan,
    empty: &mut u32,
) -> Result<()> {
    if *empty > 0 {
        *empty -= 1;
        return Ok(());
    }
    let table = coder.ac.ok_or(NO_TABLE)?;
    let mut k = scan.first;
    while k <= scan.last {
        bits.fill();
        let code = table.decode(bits)?;
        let (run, size) = (usize::from(code >> 4), u32::from(code & 15));
        if size == 0 {
            if run != 15 {
                *empty = (1 << run) - 1 + bits.take(run as u32);
                return Ok(());
            }
            k += 16;
            continue;
        }
        k += run;
        if k > scan.last {
            return Err(TOO_MANY);
        }
        block[usize::from(ZIGZAG[k])] = (bits.signed(size) << scan.low) as i16;
        k += 1;
    }
    Ok(())
}

/// One bit more of a band. T.81, G.1.2.3.
fn refined_band(
    bits: &mut Bits,
    coder: &Coder,
    block: &mut [i16; 64],
    scan: &Scan,
    empty: &mut u32,
) -> Result<()> {
    let bit = 1_i16 << scan.low;
    let refine = |bits: &mut Bits, c: &mut i16| {
        if bits.bit() && *c & bit == 0 {
            *c = c.wrapping_add(if *c >= 0 { bit } else { -bit });
        }
    };
    let table = coder.ac.ok_or(NO_TABLE)?;
    let mut k = scan.first;
    if *empty == 0 {
        while k <= scan.last {
            bits.fill();
            let code = table.decode(bits)?;
            let (mut run, size) = (code >> 4, code & 15);
            let mut new = 0;
            match size {
                0 if run != 15 => {
                    *empty = (1 << run) + bits.take(run.into());
                    break;
                }
                0 => {}
                1 => new = if bits.bit() { bit } else { -bit },
                _ => return Err(Fault::Damaged("a new coefficient of more than a bit")),
            }
            // Over as many zeros as the code says, and over all others, which get their next bit.
            while k <= scan.last {
                let c = &mut block[usize::from(ZIGZAG[k])];
                if *c != 0 {
                    refine(bits, c);
                } else if run == 0 {
                    break;
                } else {
                    run -= 1;
                }
                k += 1;
            }
            if new != 0 {
                if k > scan.last {
                    return Err(TOO_MANY);
                }
                block[usize::from(ZIGZAG[k])] = new;
            }
            k += 1;
        }
    }
    if *empty > 0 {
        for &at in ZIGZAG.get(k..=scan.last).unwrap_or_default() {
            let c = &mut block[usize::from(at)];
            if *c != 0 {
                refine(bits, c);
            }
        }
        *empty -= 1;
    }
    Ok(())
}

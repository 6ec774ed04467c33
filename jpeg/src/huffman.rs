//! Huffman tables. ITU-T T.81, annexes C and F.2.2.3.

use crate::bits::Bits;
use crate::{Fault, Result};

/// Codes up to this length are looked up at once.
const FAST: u32 = 9;

/// A table for decoding.
#[derive(Debug)]
pub struct Huffman {
    /// By the next [`FAST`] bits: the code's length times 256 plus its value; 0 for a longer code.
    fast: [u16; 1 << FAST],
    /// The first code beyond those of a length, as the top of 16 bits; by length.
    beyond: [u32; 18],
    /// What to add to a code of a length to get the index of its value; by length.
    offset: [i32; 17],
    values: Vec<u8>,
}

impl Huffman {
    /// From the number of codes of each length from 1 to 16, and their values in order.
    pub fn new(counts: &[u8], values: &[u8]) -> Result<Self> {
        const BAD: Fault = Fault::Damaged("an impossible Huffman table");
        let mut table = Self {
            fast: [0; 1 << FAST],
            beyond: [0; 18],
            offset: [0; 17],
            values: values.to_vec(),
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, &count) in (1_u32..=16).zip(counts) {
            table.offset[length as usize] = index as i32 - code as i32;
            for _ in 0..count {
                let value = *values.get(index).ok_or(BAD)?;
                if code >> length != 0 {
                    return Err(BAD);
                }
                if length <= FAST {
                    let first = (code << (FAST - length)) as usize;
                    table.fast[first..first + (1 << (FAST - length))]
                        .fill((length as u16) << 8 | u16::from(value));
                }
                code += 1;
                index += 1;
            }
            if code > 1 << length {
                return Err(BAD);
            }
            table.beyond[length as usize] = code << (16 - length);
            code <<= 1;
        }
        table.beyond[17] = u32::MAX;
        Ok(table)
    }

    /// The value of the next code. At least 16 bits must be at hand.
    #[inline]
    pub fn decode(&self, bits: &mut Bits) -> Result<u8> {
        let ahead = bits.peek(16);
        let hit = self.fast[(ahead >> (16 - FAST)) as usize];
        if hit != 0 {
            bits.skip(u32::from(hit >> 8));
            return Ok(hit as u8);
        }
        let mut length = FAST + 1;
        while ahead >= self.beyond[length as usize] {
            length += 1;
        }
        if length > 16 {
            return Err(Fault::Damaged("a code that is in no table"));
        }
        bits.skip(length);
        let index = (ahead >> (16 - length)) as i32 + self.offset[length as usize];
        self.values
            .get(index as usize)
            .copied()
            .ok_or(Fault::Damaged("a code that is in no table"))
    }
}

/// T.81's tables K.3 to K.6: for luma or chroma, the first or the other coefficients.
pub fn standard(ac: bool, chroma: bool) -> Result<Huffman> {
    const DC: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    match (ac, chroma) {
        (false, false) => Huffman::new(&[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], &DC),
        (false, true) => Huffman::new(&[0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], &DC),
        (true, false) => Huffman::new(
            &[0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
            &values(LUMA),
        ),
        (true, true) => Huffman::new(
            &[0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
            &values(CHROMA),
        ),
    }
}

/// The values of the shorter codes of K.5 and K.6. The others follow by value.
const LUMA: &[u8] = &[
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
    0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
    0x24, 0x33, 0x62, 0x72, 0x82,
];
const CHROMA: &[u8] = &[
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
    0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0,
    0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1,
];

/// All 162 values: those with short codes, then the rest in ascending order.
fn values(short: &[u8]) -> Vec<u8> {
    let mut values = short.to_vec();
    let rest = (0..=0xff_u8).filter(|v| {
        let (run, size) = (v >> 4, v & 15);
        ((1..=10).contains(&size) || (size == 0 && (run == 0 || run == 15))) && !short.contains(v)
    });
    values.extend(rest);
    values
}

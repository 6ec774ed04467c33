//! The inverse cosine transform, as libjpeg's "islow" rounds it: after Loeffler, Ligtenberg and Moschytz
//! (1989), with 13 bits of fraction, columns first.

use std::num::Wrapping;

const FRACTION: usize = 13;
/// Bits of fraction that are kept between columns and rows.
const KEPT: usize = 2;

type Number = Wrapping<i32>;

/// Turns eight columns of coefficients into samples, side by side.
#[inline(always)]
fn pass<const SHIFT: usize>(v: &mut [[Number; 8]; 8]) {
    let round = Wrapping(1 << (SHIFT - 1));
    #[expect(
        clippy::needless_range_loop,
        reason = "each turn takes one number of all eight rows"
    )]
    for i in 0..8 {
        // Even part.
        let z1 = (v[2][i] + v[6][i]) * Wrapping(4433);
        let t2 = z1 - v[6][i] * Wrapping(15137);
        let t3 = z1 + v[2][i] * Wrapping(6270);
        let t0 = ((v[0][i] + v[4][i]) << FRACTION) + round;
        let t1 = ((v[0][i] - v[4][i]) << FRACTION) + round;
        let (e0, e3, e1, e2) = (t0 + t3, t0 - t3, t1 + t2, t1 - t2);
        // Odd part.
        let (t0, t1, t2, t3) = (v[7][i], v[5][i], v[3][i], v[1][i]);
        let z5 = (t0 + t2 + t1 + t3) * Wrapping(9633);
        let z1 = (t0 + t3) * Wrapping(-7373);
        let z2 = (t1 + t2) * Wrapping(-20995);
        let z3 = (t0 + t2) * Wrapping(-16069) + z5;
        let z4 = (t1 + t3) * Wrapping(-3196) + z5;
        let o3 = t0 * Wrapping(2446) + z1 + z3;
        let o2 = t1 * Wrapping(16819) + z2 + z4;
        let o1 = t2 * Wrapping(25172) + z2 + z3;
        let o0 = t3 * Wrapping(12299) + z1 + z4;
        v[0][i] = (e0 + o0) >> SHIFT;
        v[7][i] = (e0 - o0) >> SHIFT;
        v[1][i] = (e1 + o1) >> SHIFT;
        v[6][i] = (e1 - o1) >> SHIFT;
        v[2][i] = (e2 + o2) >> SHIFT;
        v[5][i] = (e2 - o2) >> SHIFT;
        v[3][i] = (e3 + o3) >> SHIFT;
        v[4][i] = (e3 - o3) >> SHIFT;
    }
}

/// The 8 x 8 samples of a block, written into rows that are `stride` apart. `out` begins at the first.
pub fn block(coefficients: &[i16; 64], quantization: &[u16; 64], out: &mut [u8], stride: usize) {
    let clamp = |v: i32| (v + 128).clamp(0, 255) as u8;
    if coefficients[1..].iter().all(|&c| c == 0) {
        let level = i32::from(coefficients[0]) * i32::from(quantization[0]);
        // What both passes make of it.
        let sample =
            clamp((level.wrapping_mul(1 << KEPT).wrapping_add(1 << (KEPT + 2))) >> (KEPT + 3));
        for row in out.chunks_mut(stride).take(8) {
            row[..8].fill(sample);
        }
        return;
    }
    let mut v = [[Wrapping(0); 8]; 8];
    for (row, (c, q)) in v.iter_mut().zip(
        coefficients
            .as_chunks::<8>()
            .0
            .iter()
            .zip(quantization.as_chunks::<8>().0),
    ) {
        for (v, (&c, &q)) in row.iter_mut().zip(c.iter().zip(q)) {
            *v = Wrapping(i32::from(c) * i32::from(q));
        }
    }
    pass::<{ FRACTION - KEPT }>(&mut v);
    let mut turned = [[Wrapping(0); 8]; 8];
    for (i, row) in v.iter().enumerate() {
        for (j, &v) in row.iter().enumerate() {
            turned[j][i] = v;
        }
    }
    pass::<{ FRACTION + KEPT + 3 }>(&mut turned);
    for (i, row) in out.chunks_mut(stride).take(8).enumerate() {
        for (sample, v) in row[..8].iter_mut().zip(&turned) {
            *sample = clamp(v[i].0);
        }
    }
}

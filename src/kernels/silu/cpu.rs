//! `SiLU` and its gradient in one pass over memory, with an exponential that the compiler turns into vectors: burn calls the
//! C library's for each value, which took half the time of an `EfficientNet`.

use crate::kernels::simd::lanes::{Lanes, SimdLoop, SimdTask, on_best};
use crate::kernels::simd::{for_chunks, written};

/// Values that a thread takes at a time: in and out they fit the first-level cache.
const CHUNK: usize = 4096;

/// `1 / (1 + exp(-x))`.
///
/// The exponential is `2^n exp(r)` with `|r|` at most half of `ln 2`; for `exp(r)` stands Taylor's polynomial of degree 6, whose
/// first neglected term is at most `2^-23`. Written out, as the page is optimised for size and a loop would stay one.
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    // Added, it leaves a number's nearest integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    // ln 2 in two parts, so that n times the first is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // Beyond these 2^n is no normal number.
    let z = (-x).clamp(-87.0, 88.0);
    let shifted = z * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = z - n * LN_2[0] - n * LN_2[1];
    let p = (r * (1.0 / 720.0) + 1.0 / 120.0) * r + 1.0 / 24.0;
    let p = ((p * r + 1.0 / 6.0) * r + 0.5) * r + 1.0;
    let p = p * r + 1.0;
    let bits = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    let power = f32::from_bits(bits.wrapping_add(127) << 23);
    1.0 / (1.0 + p * power)
}

struct Forward<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
}

impl SimdLoop for Forward<'_> {
    #[inline(always)]
    fn run(self) {
        for (y, x) in self.y.iter_mut().zip(self.x) {
            *y = x * sigmoid(*x);
        }
    }
}

struct Backward<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl SimdLoop for Backward<'_> {
    #[inline(always)]
    fn run(self) {
        for ((dx, x), dy) in self.dx.iter_mut().zip(self.x).zip(self.dy) {
            let s = sigmoid(*x);
            *dx = dy * (s + x * s * (1.0 - s));
        }
    }
}

/// All values, in either direction.
struct Task<'a> {
    x: &'a [f32],
    dy: Option<&'a [f32]>,
    out: &'a mut [f32],
}

impl SimdTask for Task<'_> {
    type Output = ();

    fn run<L: Lanes>(self, lanes: L) {
        let Self { x, dy, out } = self;
        for_chunks(out, CHUNK, |index, out| {
            let range = index * CHUNK..index * CHUNK + out.len();
            let x = &x[range.clone()];
            // SAFETY: `on_best` found the instruction set.
            unsafe {
                match dy {
                    None => lanes.compiled(Forward { x, y: out }),
                    Some(dy) => lanes.compiled(Backward {
                        x,
                        dy: &dy[range],
                        dx: out,
                    }),
                }
            }
        });
    }
}

/// `SiLU` of every value.
#[must_use]
pub fn forward(x: &[f32]) -> Vec<f32> {
    written(x.len(), |out| on_best(Task { x, dy: None, out }))
}

/// The gradient of x, from that of the result.
///
/// # Panics
/// If `dy` is not as long as `x`.
#[must_use]
pub fn backward(x: &[f32], dy: &[f32]) -> Vec<f32> {
    assert_eq!(x.len(), dy.len());
    let dy = Some(dy);
    written(x.len(), |out| on_best(Task { x, dy, out }))
}

//! Long sums: in `f32` over a few hundred values at a time, in `f64` over these.

/// Values summed up in `f32`.
const RUN: usize = 512;
/// Sums side by side, which the compiler keeps in vectors.
const SIDE: usize = 32;

/// The sum of `f(a, b)` over two equally long lists, `K` sums at once.
pub fn sums<const K: usize>(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> [f32; K]) -> [f64; K] {
    let mut total = [0.0; K];
    for (a, b) in a.chunks(RUN).zip(b.chunks(RUN)) {
        let mut side = [[0.0_f32; SIDE]; K];
        let (a, b) = (a.chunks_exact(SIDE), b.chunks_exact(SIDE));
        let mut rest = [0.0_f32; K];
        for (a, b) in a.remainder().iter().zip(b.remainder()) {
            let values = f(*a, *b);
            for k in 0..K {
                rest[k] += values[k];
            }
        }
        for (a, b) in a.zip(b) {
            for i in 0..SIDE {
                let values = f(a[i], b[i]);
                for k in 0..K {
                    side[k][i] += values[k];
                }
            }
        }
        for k in 0..K {
            total[k] += f64::from(rest[k]);
            total[k] += side[k].iter().map(|v| f64::from(*v)).sum::<f64>();
        }
    }
    total
}

/// The sum of some values.
#[must_use]
pub fn sum(values: &[f32]) -> f64 {
    sums(values, values, |a, _| [a])[0]
}

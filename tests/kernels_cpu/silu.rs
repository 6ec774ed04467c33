//! `SiLU`.

use retune::kernels::reference::compare::Tolerance;
use retune::kernels::silu::silu;
use retune::kernels::simd::lanes::{Width, at_most};
use retune::random::Random;

use super::{assert_close, noise, numbers, tensor, wide};

/// An exponential within a few units in the last place, then a division and a product.
const TOLERANCE: Tolerance = Tolerance {
    relative: 1e-6,
    absolute: 1e-30,
};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Lengths that fill vectors and threads' parts, and those that do not; numbers small, usual and large.
#[test]
fn silu_and_its_gradient_are_their_formulas() {
    let mut random = Random::new(11);
    for (dims, scale) in [
        ([1, 1, 1, 1], 3.0),
        ([2, 3, 5, 7], 8.0),
        ([1, 5, 31, 37], 1e-3),
        ([3, 8, 32, 33], 80.0),
    ] {
        let n = dims.iter().product();
        let x: Vec<f32> = noise(&mut random, n).iter().map(|v| v * scale).collect();
        let dy = noise(&mut random, n);
        let y: Vec<f64> = wide(&x).iter().map(|x| x * sigmoid(*x)).collect();
        let slopes = wide(&x).into_iter().zip(wide(&dy));
        let dx: Vec<f64> = slopes
            .map(|(x, dy)| dy * sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))))
            .collect();
        let run = |width: Width| {
            at_most(width, || {
                let x = tensor(&x, dims).require_grad();
                let y = silu(x.clone());
                let gradients = (y.clone() * tensor(&dy, dims)).sum().backward();
                let dx = x.grad(&gradients).expect("a gradient");
                [numbers(y.inner()), numbers(dx)]
            })
        };
        for width in [Width::Four, Width::Eight, Width::Sixteen] {
            let what = format!("{dims:?} times {scale}, {width:?}");
            let [ours, gradient] = run(width);
            assert_close(&format!("y of {what}"), &ours, &y, TOLERANCE);
            // Where the slope is near zero, what is left of two equal terms is rounded.
            let slope = Tolerance {
                relative: 1e-6,
                absolute: 3e-7,
            };
            assert_close(&format!("dx of {what}"), &gradient, &dx, slope);
        }
    }
}

#[test]
fn what_is_no_number_stays_none_and_the_ends_are_the_limits() {
    let x = [f32::NAN, f32::INFINITY, 200.0, -200.0, 0.0, -0.0];
    let y = numbers(silu(tensor(&x, [1, 1, 1, 6])).inner());
    assert!(y[0].is_nan());
    assert_eq!(y[1..3], [f32::INFINITY, 200.0]);
    assert!(y[3].abs() < 1e-35, "{y:?}");
    assert_eq!(y[4..], [0.0, 0.0]);
}

//! Max pooling.

use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use retune::kernels::pool::autodiff::{Window, max_pool};
use retune::random::Random;

use super::{noise, numbers, tensor};

/// `[N,C,H,W]`, kernel, stride, padding. No sums of several terms are rounded apart from those of overlapping
/// windows, which both add in the same order.
#[test]
fn max_pooling_and_its_gradient_are_burns() {
    let shapes = [
        ([2, 3, 16, 16], 3, 2, 1),
        ([1, 5, 7, 9], 3, 2, 1),
        ([3, 9, 8, 6], 2, 2, 0),
        ([2, 1, 5, 5], 3, 1, 1),
        ([2, 2, 1, 1], 3, 2, 1),
    ];
    for (dims, kernel, stride, padding) in shapes {
        let mut random = Random::new(5);
        // Few different values, as after a ReLU: the first of several equals has to win.
        let x = noise(&mut random, dims.iter().product());
        let x: Vec<f32> = x.iter().map(|v| (v * 3.0).round().max(0.0)).collect();
        let run = |ours: bool| {
            let x = tensor(&x, dims).require_grad();
            let y = if ours {
                max_pool(
                    x.clone(),
                    Window {
                        kernel,
                        stride,
                        padding,
                    },
                )
            } else {
                let options = MaxPoolOptions::new([kernel; 2]);
                max_pool2d(
                    x.clone(),
                    options.with_stride([stride; 2]).with_padding([padding; 2]),
                )
            };
            let mut random = Random::new(6);
            let sizes = y.dims();
            let dy = noise(&mut random, sizes.iter().product());
            let gradients = (y.clone() * tensor(&dy, sizes)).sum().backward();
            [
                numbers(y.inner()),
                numbers(x.grad(&gradients).expect("a gradient")),
            ]
        };
        assert_eq!(
            run(true),
            run(false),
            "{dims:?} {kernel} {stride} {padding}"
        );
    }
}

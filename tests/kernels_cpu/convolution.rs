//! The convolution and its gradients.

use burn::tensor::module::conv2d as burn_conv2d;
use burn::tensor::ops::ConvOptions;
use retune::kernels::conv::conv2d;
use retune::kernels::conv::cpu::{gather, pixels, transforms, weight_gradient};
use retune::kernels::conv::reference as twin;
use retune::kernels::conv::winograd::Tile;
use retune::kernels::reference::compare::Tolerance;
use retune::kernels::shape::{ConvShape, Geometry};
use retune::kernels::simd::lanes::{Width, at_most};
use retune::random::Random;

use super::{assert_close, noise, numbers, tensor, wide};

const WIDTHS: [Width; 3] = [Width::Four, Width::Eight, Width::Sixteen];

/// `[N,C,H,W]`, `[O,C/G,KH,KW]`, stride, padding, dilation, groups.
const SHAPES: [([usize; 4], [usize; 4], [usize; 4]); 23] = [
    ([5, 16, 8, 8], [64, 16, 3, 3], [1, 1, 1, 1]),
    ([1, 20, 9, 7], [70, 20, 3, 3], [1, 1, 1, 1]),
    ([5, 8, 12, 12], [24, 8, 3, 3], [2, 1, 1, 1]),
    ([1, 8, 11, 13], [24, 8, 3, 3], [2, 1, 1, 1]),
    ([5, 3, 20, 20], [64, 3, 7, 7], [2, 3, 1, 1]),
    ([1, 3, 15, 18], [10, 3, 7, 7], [2, 3, 1, 1]),
    ([5, 24, 6, 6], [130, 24, 1, 1], [1, 0, 1, 1]),
    ([5, 24, 7, 6], [40, 24, 1, 1], [2, 0, 1, 1]),
    ([3, 16, 9, 9], [32, 4, 3, 3], [1, 1, 1, 4]),
    ([3, 8, 10, 9], [8, 1, 3, 3], [2, 1, 1, 8]),
    ([2, 6, 13, 11], [12, 6, 3, 3], [1, 2, 2, 1]),
    ([2, 6, 13, 11], [12, 6, 3, 3], [2, 2, 2, 1]),
    // Stride beyond the kernel, a kernel as large as the image, one place only, and many small planes.
    ([2, 4, 10, 10], [6, 4, 2, 2], [3, 0, 1, 1]),
    ([2, 4, 5, 3], [6, 4, 5, 3], [1, 0, 1, 1]),
    ([40, 12, 2, 2], [9, 12, 3, 3], [1, 1, 1, 1]),
    // Winograd: tiles that end with the image and beyond it, few and many of them, several blocks.
    ([4, 32, 8, 12], [80, 32, 3, 3], [1, 1, 1, 1]),
    ([9, 16, 14, 15], [48, 16, 3, 3], [1, 1, 1, 1]),
    ([1, 16, 26, 21], [16, 16, 3, 3], [1, 1, 1, 1]),
    ([67, 16, 8, 7], [32, 16, 3, 3], [1, 1, 1, 1]),
    // One image with fewer pixels than outputs, of which some fill no tile.
    ([1, 16, 10, 9], [130, 16, 3, 3], [2, 1, 1, 1]),
    ([1, 24, 5, 5], [67, 24, 1, 1], [1, 0, 1, 1]),
    ([1, 8, 4, 3], [42, 4, 3, 3], [1, 1, 1, 2]),
    ([1, 6, 7, 7], [64, 6, 3, 3], [1, 2, 2, 1]),
];

fn sizes(
    (x, weight, [stride, padding, dilation, groups]): ([usize; 4], [usize; 4], [usize; 4]),
) -> ConvShape {
    let geometry = Geometry {
        stride,
        padding,
        dilation,
        groups,
    };
    ConvShape::of(x, weight, geometry).expect("an output")
}

/// x, w, bias and dy.
fn operands(conv: &ConvShape) -> [Vec<f32>; 4] {
    let shape = conv.reference();
    let mut random = Random::new(7);
    let lengths = [
        shape.input_len(),
        shape.weight_len(),
        shape.out_channels,
        shape.output_len(),
    ];
    lengths.map(|n| noise(&mut random, n))
}

/// Terms of the sums of y, dx, dw, db.
fn terms(conv: &ConvShape) -> [usize; 4] {
    let area = conv.kernel[0] * conv.kernel[1];
    let pixels = conv.images * conv.out_pixels();
    [conv.depth() + 1, conv.m * area, pixels, pixels]
}

/// What is allowed for them: factors are within -1..1, so terms are. Winograd's transforms multiply by up
/// to 8 and back, and what they round grows with it: as for the same on a GPU.
fn tolerances(conv: &ConvShape) -> [Tolerance; 4] {
    let factor = if transforms::can_apply(conv) {
        Tile::Four.error_factor()
    } else {
        1.0
    };
    let mut all = terms(conv).map(|n| {
        let plain = Tolerance::sum_of(n);
        Tolerance {
            absolute: plain.absolute * factor,
            relative: plain.relative * factor,
        }
    });
    all[3] = Tolerance::sum_of(terms(conv)[3]);
    all
}

/// y, dx, dw, db of our kernels.
fn ours(conv: &ConvShape, [x, w, bias, dy]: &[Vec<f32>; 4]) -> [Vec<f32>; 4] {
    let [_, outputs, height, width] = conv.out_dims();
    [
        gather::forward(conv, x, w, bias),
        gather::input_gradient(conv, w, dy),
        weight_gradient::weight_gradient(conv, x, dy),
        weight_gradient::bias_gradient(outputs, height * width, dy),
    ]
}

#[test]
fn an_image_alone_gives_the_same_bits_as_among_others() {
    let mut alone = 0;
    for shape in SHAPES {
        let conv = sizes(shape);
        let few = ConvShape { images: 1, ..conv };
        let many = ConvShape { images: 3, ..conv };
        // Winograd's way depends on the number of images, and its sums are others.
        if transforms::can_apply(&few) || transforms::can_apply(&many) {
            continue;
        }
        alone += usize::from(pixels::can_apply(&few));
        let [x, w, bias, _] = operands(&many);
        let both = |width| {
            at_most(width, || {
                let x_alone = &x[..x.len() / 3];
                let one = gather::forward(&few, x_alone, &w, &bias);
                (one, gather::forward(&many, &x, &w, &bias))
            })
        };
        for width in WIDTHS {
            let (one, all) = both(width);
            assert_eq!(one, all[..one.len()], "{conv:?} {width:?}");
        }
    }
    assert!(alone >= 5, "{alone} with the pixels packed");
}

#[test]
fn a_convolution_is_its_twin_with_every_width_of_vectors() {
    for shape in SHAPES {
        let conv = sizes(shape);
        let operands = operands(&conv);
        let [x, w, bias, dy] = &operands;
        let reference = conv.reference();
        let epilogue = twin::Epilogue {
            bias: Some(bias.as_slice()),
            ..twin::Epilogue::NONE
        };
        let expected = [
            twin::conv2d(&reference, x, w, epilogue),
            twin::conv2d_input_gradient(&reference, w, dy),
            twin::conv2d_weight_gradient(&reference, x, dy),
            twin::conv2d_bias_gradient(&reference, dy),
        ];
        for width in WIDTHS {
            let actual = at_most(width, || ours(&conv, &operands));
            let names = ["y", "dx", "dw", "db"];
            for (i, name) in names.into_iter().enumerate() {
                let tolerance = tolerances(&conv)[i];
                assert_close(
                    &format!("{name} {width:?} {shape:?}"),
                    &actual[i],
                    &expected[i],
                    tolerance,
                );
            }
        }
    }
}

#[test]
fn a_convolutions_gradients_through_the_graph_are_burns() {
    for shape in SHAPES {
        let conv = sizes(shape);
        let [x, w, bias, dy] = operands(&conv);
        let run = |ours: bool| {
            let x = tensor(&x, conv.in_dims()).require_grad();
            let w = tensor(&w, shape.1).require_grad();
            let bias = tensor(&bias, [bias.len()]).require_grad();
            let g = conv.geometry;
            let options =
                ConvOptions::new([g.stride; 2], [g.padding; 2], [g.dilation; 2], g.groups);
            let y = if ours {
                conv2d(x.clone(), w.clone(), bias.clone(), g)
            } else {
                burn_conv2d(x.clone(), w.clone(), Some(bias.clone()), options)
            };
            let gradients = (y.clone() * tensor(&dy, conv.out_dims())).sum().backward();
            let missing = "a gradient";
            [
                numbers(y.inner()),
                numbers(x.grad(&gradients).expect(missing)),
                numbers(w.grad(&gradients).expect(missing)),
                numbers(bias.grad(&gradients).expect(missing)),
            ]
        };
        let (actual, expected) = (run(true), run(false));
        for (i, name) in ["y", "dx", "dw", "db"].into_iter().enumerate() {
            // Both round.
            let one = tolerances(&conv)[i];
            assert_close(
                &format!("{name} {shape:?}"),
                &actual[i],
                &wide(&expected[i]),
                one + one,
            );
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits_on_every_run() {
    let bits = |values: &[Vec<f32>; 4]| {
        values
            .clone()
            .map(|v| v.into_iter().map(f32::to_bits).collect::<Vec<_>>())
    };
    for shape in SHAPES {
        let conv = sizes(shape);
        let operands = operands(&conv);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("threads");
            pool.install(|| bits(&ours(&conv, &operands)))
        };
        let first = run(1);
        for threads in [1, 2, 2, 3, 8] {
            assert!(first == run(threads), "{threads} threads, {shape:?}");
        }
    }
}

//! Promise: on the CPU, convolution and batch norm of our own give what the twins and burn's ops give, in
//! both directions, with the vectors of every machine, and the same bits on every run.

use burn::backend::Flex;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d as burn_conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};
use retune::kernels::autodiff::conv2d;
use retune::kernels::conv::winograd::Tile;
use retune::kernels::cpu::lanes::{Width, at_most};
use retune::kernels::cpu::{conv, norm, weight, winograd};
use retune::kernels::max_pool::{Window, max_pool};
use retune::kernels::norm::{Saved, batch_norm_train_act, composed_backward, composed_forward};
use retune::kernels::reference::compare::{Tolerance, compare};
use retune::kernels::reference::conv as twin;
use retune::kernels::reference::norm::batch_norm;
use retune::kernels::shape::{Conv, Geometry};
use retune::random::Random;

const WIDTHS: [Width; 3] = [Width::Four, Width::Eight, Width::Sixteen];
const EPSILON: f64 = 1e-5;

/// Uniform in -1..1.
fn noise(random: &mut Random, n: usize) -> Vec<f32> {
    (0..n)
        .map(|_| (2.0 * random.uniform() - 1.0) as f32)
        .collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

#[track_caller]
fn assert_close(what: &str, actual: &[f32], expected: &[f64], tolerance: Tolerance) {
    if let Err(mismatch) = compare(actual, expected, tolerance) {
        panic!("{what}: {mismatch}");
    }
}

/// `[N,C,H,W]`, `[O,C/G,KH,KW]`, stride, padding, dilation, groups.
const SHAPES: [([usize; 4], [usize; 4], [usize; 4]); 19] = [
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
];

fn sizes(
    (x, weight, [stride, padding, dilation, groups]): ([usize; 4], [usize; 4], [usize; 4]),
) -> Conv {
    let geometry = Geometry {
        stride,
        padding,
        dilation,
        groups,
    };
    Conv::of(x, weight, geometry).expect("an output")
}

/// x, w, bias and dy.
fn operands(conv: &Conv) -> [Vec<f32>; 4] {
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
fn terms(conv: &Conv) -> [usize; 4] {
    let area = conv.kernel[0] * conv.kernel[1];
    let pixels = conv.images * conv.out_pixels();
    [conv.depth() + 1, conv.m * area, pixels, pixels]
}

/// What is allowed for them: factors are within -1..1, so terms are. Winograd's transforms multiply by up
/// to 8 and back, and what they round grows with it: as for the same on a GPU.
fn tolerances(conv: &Conv) -> [Tolerance; 4] {
    let factor = if winograd::can_apply(conv) {
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
fn ours(conv: &Conv, [x, w, bias, dy]: &[Vec<f32>; 4]) -> [Vec<f32>; 4] {
    let [_, outputs, height, width] = conv.out_dims();
    [
        conv::forward(conv, x, w, bias),
        conv::input_gradient(conv, w, dy),
        weight::weight_gradient(conv, x, dy),
        weight::bias_gradient(outputs, height * width, dy),
    ]
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

fn tensor<const D: usize>(values: &[f32], dims: [usize; D]) -> Tensor<D> {
    let device = Device::flex().autodiff();
    Tensor::from_data(TensorData::new(values.to_vec(), dims), &device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("f32")
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

/// Each value takes some ten roundings of 2^-24 of numbers up to 4, among them the mean's and the deviation's,
/// that is 2.4e-6 in all; granted four times.
const NORM: Tolerance = Tolerance {
    absolute: 1e-5,
    relative: 1e-5,
};

/// `[N,C,H,W]`: less than a vector, more than one run of sums, a single pixel.
const BATCHES: [[usize; 4]; 4] = [[3, 4, 3, 2], [2, 3, 25, 27], [5, 2, 16, 16], [6, 5, 1, 1]];

struct Norm {
    dims: [usize; 4],
    x: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    residual: Option<Vec<f32>>,
    relu: bool,
    dy: Vec<f32>,
}

impl Norm {
    fn all() -> impl Iterator<Item = Self> {
        BATCHES.into_iter().flat_map(|dims| {
            [(false, false), (true, false), (true, true), (false, true)].map(|(relu, residual)| {
                let mut random = Random::new(11);
                let n = dims.iter().product();
                // A mean of 2 and a deviation of 0.6.
                let x = noise(&mut random, n).into_iter().map(|v| v + 2.0).collect();
                Self {
                    dims,
                    x,
                    gamma: noise(&mut random, dims[1]),
                    beta: noise(&mut random, dims[1]),
                    residual: residual.then(|| noise(&mut random, n)),
                    relu,
                    dy: noise(&mut random, n),
                }
            })
        })
    }

    fn batch(&self) -> norm::Batch {
        let [images, channels, height, width] = self.dims;
        norm::Batch {
            images,
            channels,
            area: height * width,
        }
    }

    fn name(&self, what: &str) -> String {
        format!(
            "{what} {:?}, relu {}, residual {}",
            self.dims,
            self.relu,
            self.residual.is_some()
        )
    }

    /// The twin on other inputs: x, gamma, beta, residual.
    fn twin(&self, [x, gamma, beta, residual]: &[Vec<f64>; 4]) -> [Vec<f64>; 3] {
        let batch = self.batch();
        let residual = self.residual.as_ref().map(|_| residual.as_slice());
        let dims = [batch.images, batch.channels, batch.area];
        batch_norm(dims, x, [gamma, beta], residual, self.relu, EPSILON)
    }

    fn inputs(&self) -> [Vec<f64>; 4] {
        let residual = self.residual.clone().unwrap_or_default();
        [
            wide(&self.x),
            wide(&self.gamma),
            wide(&self.beta),
            wide(&residual),
        ]
    }

    /// Values of a channel.
    fn count(&self) -> usize {
        self.dims[0] * self.dims[2] * self.dims[3]
    }

    /// y and the gradients of x, gamma, beta and residual through the graph, where `norm` makes y.
    fn through(
        &self,
        norm: impl FnOnce([Tensor<1>; 2], [Option<Tensor<4>>; 2]) -> Tensor<4>,
    ) -> Vec<Vec<f32>> {
        let x = tensor(&self.x, self.dims).require_grad();
        let [gamma, beta] = [&self.gamma, &self.beta].map(|v| tensor(v, [v.len()]).require_grad());
        let residual = self
            .residual
            .as_ref()
            .map(|v| tensor(v, self.dims).require_grad());
        let y = norm(
            [gamma.clone(), beta.clone()],
            [Some(x.clone()), residual.clone()],
        );
        let gradients = (y.clone() * tensor(&self.dy, self.dims)).sum().backward();
        let missing = "a gradient";
        let mut all = vec![
            numbers(y.inner()),
            numbers(x.grad(&gradients).expect(missing)),
            numbers(gamma.grad(&gradients).expect(missing)),
            numbers(beta.grad(&gradients).expect(missing)),
        ];
        all.extend(residual.map(|r| numbers(r.grad(&gradients).expect(missing))));
        all
    }

    fn ours(&self) -> Vec<Vec<f32>> {
        self.through(|[gamma, beta], [x, residual]| {
            let x = x.expect("x");
            let (y, mean, variance) =
                batch_norm_train_act(x, gamma, beta, residual, self.relu, EPSILON);
            let [_, means, variances] = self.twin(&self.inputs());
            assert_close(&self.name("mean"), &numbers(mean), &means, NORM);
            assert_close(&self.name("variance"), &numbers(variance), &variances, NORM);
            y
        })
    }

    /// The same of burn's ops, which burn differentiates.
    fn burns(&self) -> Vec<Vec<f32>> {
        self.through(|[gamma, beta], [x, residual]| {
            let x = x.expect("x");
            let mean = |x: Tensor<4>| x.mean_dim(0).mean_dim(2).mean_dim(3);
            let centred = x.clone() - mean(x);
            let deviation = (mean(centred.clone().square()) + EPSILON).sqrt();
            let wide = |v: Tensor<1>| v.reshape([1, -1, 1, 1]);
            let mut y = centred / deviation * wide(gamma) + wide(beta);
            if let Some(residual) = residual {
                y = y + residual;
            }
            if self.relu { relu(y) } else { y }
        })
    }

    /// What is allowed for each: a sum over a channel, of terms up to 2, for gamma and beta.
    fn tolerances(&self) -> [Tolerance; 5] {
        let sum = NORM + Tolerance::sum_of(self.count()).scaled(2.0);
        [NORM, NORM, sum, sum, NORM]
    }
}

const NAMES: [&str; 5] = ["y", "dx", "dgamma", "dbeta", "dresidual"];

#[test]
fn batch_norm_is_its_twin_and_its_gradients_are_slopes() {
    // Both round to 1e-16 / H = 1e-11 of the sum, and the method's own error is of the order of H^2.
    const H: f64 = 1e-5;
    for norm in Norm::all() {
        let ours = norm.ours();
        let inputs = norm.inputs();
        assert_close(&norm.name("y"), &ours[0], &norm.twin(&inputs)[0], NORM);
        let loss = |inputs: &[Vec<f64>; 4]| -> f64 {
            let y = &norm.twin(inputs)[0];
            y.iter()
                .zip(&norm.dy)
                .map(|(y, dy)| y * f64::from(*dy))
                .sum()
        };
        for (i, gradient) in ours[1..].iter().enumerate() {
            for at in (0..gradient.len()).step_by(gradient.len() / 20 + 1) {
                let step = |h: f64| {
                    let mut moved = inputs.clone();
                    moved[i][at] += h;
                    loss(&moved)
                };
                let slope = (step(H) - step(-H)) / (2.0 * H);
                let what = norm.name(&format!("{} [{at}]", NAMES[i + 1]));
                assert_close(&what, &[gradient[at]], &[slope], norm.tolerances()[i + 1]);
            }
        }
    }
}

#[test]
fn batch_norm_through_the_graph_is_burns() {
    for norm in Norm::all() {
        let (ours, burns) = (norm.ours(), norm.burns());
        for (i, (ours, burns)) in ours.iter().zip(&burns).enumerate() {
            let one = norm.tolerances()[i];
            assert_close(&norm.name(NAMES[i]), ours, &wide(burns), one + one);
        }
    }
}

/// What a GPU runs, on the CPU.
#[test]
fn batch_norm_composed_of_burns_ops_is_the_fused_one() {
    for norm in Norm::all() {
        let ours = norm.ours();
        let device = Default::default();
        let flat = |values: &[f32], dims: &[usize]| {
            Flex::float_from_data(TensorData::new(values.to_vec(), dims.to_vec()), &device)
        };
        let [x, dy] = [&norm.x, &norm.dy].map(|v| flat(v, &norm.dims));
        let [gamma, beta] = [&norm.gamma, &norm.beta].map(|v| flat(v, &norm.dims[1..2]));
        let residual = norm.residual.as_ref().map(|v| flat(v, &norm.dims));
        let forward =
            composed_forward::<Flex>(x.clone(), gamma.clone(), beta, residual, norm.relu, EPSILON);
        let (y, mean, variance) = forward;
        let saved = Saved {
            x,
            gamma,
            mean,
            variance,
            y: norm.relu.then(|| y.clone()),
            eps: EPSILON,
        };
        let (dx, dgamma, dbeta, dresidual) = composed_backward::<Flex>(saved, dy);
        let composed = [y, dx, dgamma, dbeta, dresidual];
        for (i, (ours, composed)) in ours.iter().zip(composed).enumerate() {
            let composed: Vec<f32> = composed.into_data().try_into_vec().expect("f32");
            let one = norm.tolerances()[i];
            assert_close(&norm.name(NAMES[i]), &composed, &wide(ours), one + one);
        }
    }
}

/// Squares of values far from zero would take all digits from the variance.
#[test]
fn a_mean_far_from_zero_leaves_the_variance() {
    let mut random = Random::new(3);
    let x: Vec<f32> = noise(&mut random, 4096)
        .iter()
        .map(|v| 1000.0 + v)
        .collect();
    let batch = norm::Batch {
        images: 2,
        channels: 1,
        area: 2048,
    };
    let normed = norm::forward(batch, &x, [&[1.0], &[0.0]], None, false, EPSILON);
    let [y, mean, variance] = batch_norm([2, 1, 2048], &x, [&[1.0], &[0.0]], None, false, EPSILON);
    assert_close("variance", &normed.variance, &variance, NORM);
    // The mean is rounded to 2^-15, which the deviation of 0.58 makes twice as much in y.
    let rounded = Tolerance {
        absolute: 1e-4,
        relative: 0.0,
    };
    assert_close("mean", &normed.mean, &mean, rounded);
    assert_close("y", &normed.y, &y, rounded);
}

#[test]
fn batch_norm_gives_the_same_bits_on_any_number_of_threads() {
    for norm in Norm::all() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("threads");
            let all = pool.install(|| norm.ours());
            all.into_iter()
                .flatten()
                .map(f32::to_bits)
                .collect::<Vec<_>>()
        };
        let first = run(1);
        for threads in [1, 2, 2, 3] {
            assert!(first == run(threads), "{}", norm.name("bits"));
        }
    }
}

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

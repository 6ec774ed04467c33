//! Promise: the CPU twins of the kernels are right by themselves: gradients are those of the function they
//! belong to, and preprocessing gives the bits that the CPU's own path gives.

use retune::config::Preprocess;
use retune::image::{Rgb, resize, to_tensor};
use retune::kernels::conv::reference::{
    Epilogue, Shape, conv2d, conv2d_bias_gradient, conv2d_input_gradient, conv2d_weight_gradient,
    relu_gradient,
};
use retune::kernels::pool::reference::{global_avg_pool, max_pool};
use retune::kernels::preprocess::reference::{pack, preprocess_horizontal, preprocess_vertical};
use retune::kernels::shape::PoolShape;
use retune::kernels::taps::{Taps, levels};
use retune::random::Random;

/// Uniform in -1..1.
fn noise(random: &mut Random, n: usize) -> Vec<f64> {
    (0..n).map(|_| 2.0 * random.uniform() - 1.0).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Compares each value of `gradient` with `(f(at + h) - f(at - h)) / 2h` along its axis. Both round to about
/// 1e-16 / h = 1e-11, and the method's own error is h^2 = 1e-10 times the third derivative.
#[track_caller]
fn assert_gradient(what: &str, at: &[f64], gradient: &[f64], f: impl Fn(&[f64]) -> f64) {
    const H: f64 = 1e-5;
    assert_eq!(gradient.len(), at.len(), "{what}: values of the gradient");
    for i in 0..at.len() {
        let step = |h: f64| {
            let mut moved = at.to_vec();
            moved[i] += h;
            f(&moved)
        };
        let slope = (step(H) - step(-H)) / (2.0 * H);
        let error = (slope - gradient[i]).abs();
        assert!(
            error <= 1e-7,
            "{what}: {} at [{i}] where the slope is {slope}",
            gradient[i]
        );
    }
}

/// Every way that convolutions of the family differ in, and some more, small.
fn conv_shapes() -> Vec<Shape> {
    let plain = Shape {
        batch: 2,
        in_channels: 3,
        out_channels: 4,
        groups: 1,
        size: [5, 4],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
    };
    vec![
        plain,
        Shape {
            kernel: [1, 1],
            padding: [0, 0],
            stride: [2, 2],
            ..plain
        },
        Shape {
            size: [7, 9],
            kernel: [7, 7],
            padding: [3, 3],
            stride: [2, 2],
            ..plain
        },
        Shape {
            in_channels: 4,
            out_channels: 6,
            groups: 2,
            ..plain
        },
        Shape {
            kernel: [2, 3],
            stride: [2, 1],
            padding: [0, 2],
            dilation: [2, 3],
            size: [6, 7],
            ..plain
        },
    ]
}

#[test]
fn convolution_gradients_are_its_slopes() {
    let mut random = Random::new(1);
    for shape in conv_shapes() {
        let x = noise(&mut random, shape.input_len());
        let w = noise(&mut random, shape.weight_len());
        let b = noise(&mut random, shape.out_channels);
        let residual = noise(&mut random, shape.output_len());
        let dy = noise(&mut random, shape.output_len());
        for relu in [false, true] {
            let forward = |x: &[f64], w: &[f64], b: &[f64], residual: &[f64]| {
                let (bias, residual) = (Some(b), Some(residual));
                conv2d(
                    &shape,
                    x,
                    w,
                    Epilogue {
                        bias,
                        residual,
                        relu,
                    },
                )
            };
            let before = if relu {
                relu_gradient(&forward(&x, &w, &b, &residual), &dy)
            } else {
                dy.clone()
            };
            let input = conv2d_input_gradient(&shape, &w, &before);
            assert_gradient("dx", &x, &input, |x| {
                dot(&forward(x, &w, &b, &residual), &dy)
            });
            let weight = conv2d_weight_gradient(&shape, &x, &before);
            assert_gradient("dw", &w, &weight, |w| {
                dot(&forward(&x, w, &b, &residual), &dy)
            });
            let bias = conv2d_bias_gradient(&shape, &before);
            assert_gradient("db", &b, &bias, |b| {
                dot(&forward(&x, &w, b, &residual), &dy)
            });
            assert_gradient("dresidual", &residual, &before, |r| {
                dot(&forward(&x, &w, &b, r), &dy)
            });
        }
    }
}

/// Worked out by hand: 1 to 9 in rows of three, under weights that tell the places apart. The slopes above
/// would agree with a forward pass that is wrong in the same way.
#[test]
fn convolution_by_hand() {
    let shape = Shape {
        batch: 1,
        in_channels: 1,
        out_channels: 1,
        groups: 1,
        size: [3, 3],
        kernel: [2, 2],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
    };
    let x: Vec<f32> = (1..=9_u8).map(f32::from).collect();
    let square = [1000.0, 100.0, 10.0, 1.0];
    let plain = |shape: Shape, x: &[f32], w: &[f32]| conv2d(&shape, x, w, Epilogue::NONE);
    assert_eq!(plain(shape, &x, &square), [1245.0, 2356.0, 4578.0, 5689.0]);
    let padded = Shape {
        stride: [2, 2],
        padding: [1, 1],
        ..shape
    };
    assert_eq!(plain(padded, &x, &square), [1.0, 23.0, 407.0, 5689.0]);
    let dilated = Shape {
        dilation: [2, 1],
        ..shape
    };
    assert_eq!(plain(dilated, &x, &square), [1278.0, 2389.0]);
    let rows = Shape {
        kernel: [1, 2],
        stride: [1, 2],
        padding: [0, 1],
        ..shape
    };
    assert_eq!(
        plain(rows, &x, &[10.0, 1.0]),
        [1.0, 23.0, 4.0, 56.0, 7.0, 89.0]
    );

    // 1x1, so that only channels are mixed: two images, two channels; then every channel for itself.
    let pointwise = Shape {
        batch: 2,
        in_channels: 2,
        size: [1, 1],
        kernel: [1, 1],
        ..shape
    };
    assert_eq!(
        plain(pointwise, &[1.0, 2.0, 3.0, 4.0], &[10.0, 1.0]),
        [12.0, 34.0]
    );
    let grouped = Shape {
        out_channels: 2,
        groups: 2,
        ..pointwise
    };
    let x = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(plain(grouped, &x, &[10.0, 7.0]), [10.0, 14.0, 30.0, 28.0]);

    let with = |relu| Epilogue {
        bias: Some(&[1.0_f32, -20.0][..]),
        residual: Some(&[0.5, 2.0, -0.5, 3.0]),
        relu,
    };
    let y = conv2d(&grouped, &x, &[10.0, 7.0], with(false));
    assert_eq!(y, [11.5, -4.0, 30.5, 11.0]);
    let y = conv2d(&grouped, &x, &[10.0, 7.0], with(true));
    assert_eq!(y, [11.5, 0.0, 30.5, 11.0]);
}

#[test]
fn max_pool_by_hand() {
    // All negative: padding that counted as 0 would win.
    let shape = PoolShape {
        planes: 2,
        size: [3, 4],
        kernel: [3, 3],
        stride: [2, 2],
        padding: [1, 1],
    };
    let x: Vec<f32> = (0..24_u8).map(|i| -1.0 - f32::from(i * 7 % 24)).collect();
    // -1 -8 -15 -22 | -13 -20 -3 -10
    // -5 -12 -19 -2 | -17 -24 -7 -14
    // -9 -16 -23 -6 | -21 -4 -11 -18
    let y = max_pool(&shape, &x);
    assert_eq!(y, [-1.0, -2.0, -5.0, -2.0, -13.0, -3.0, -4.0, -4.0]);

    let shape = PoolShape {
        planes: 1,
        size: [2, 3],
        kernel: [1, 2],
        stride: [1, 1],
        padding: [0, 0],
    };
    assert_eq!(
        max_pool(&shape, &[1.0, 3.0, 2.0, 6.0, 4.0, 5.0]),
        [3.0, 3.0, 6.0, 5.0]
    );
    let nothing_inside = PoolShape {
        size: [1, 1],
        kernel: [1, 1],
        padding: [1, 0],
        ..shape
    };
    let lowest = f64::from(f32::MIN);
    assert_eq!(max_pool(&nothing_inside, &[5.0]), [lowest, 5.0, lowest]);
}

#[test]
fn mean_by_hand() {
    assert_eq!(
        global_avg_pool(2, &[1.0, 2.0, 6.0, -1.0, 0.0, 4.0]),
        [3.0, 1.0]
    );
}

fn photo(random: &mut Random, width: usize, height: usize, kind: usize) -> Rgb {
    // Noise; only the extremes; all the same, where weights that do not sum to 1 would show.
    let level = random.below(256) as u8;
    let byte = |random: &mut Random| match kind {
        0 => random.below(256) as u8,
        1 => 255 * random.below(2) as u8,
        _ => level,
    };
    let pixels = (0..width * height * 3).map(|_| byte(random)).collect();
    Rgb {
        width,
        height,
        pixels,
    }
}

#[test]
fn preprocessing_gives_the_bits_of_the_other_path() {
    let settings = Preprocess::default();
    let plain = Preprocess {
        mean: [0.0; 3],
        std: [1.0 / 255.0; 3],
        ..settings
    };
    let mut random = Random::new(3);
    let sides = [
        // From width x height to width x height: down, up, one of each, one axis untouched, none touched.
        (31, 17, 8, 8),
        (224, 224, 224, 224),
        (301, 200, 224, 224),
        (64, 48, 97, 131),
        (640, 31, 33, 224),
        (57, 300, 57, 224),
        (300, 57, 224, 57),
        (1, 1, 224, 224),
        (1, 1, 1, 1),
        (1, 97, 5, 3),
        (97, 1, 3, 5),
        (2, 3, 1, 1),
        (999, 1001, 1, 1),
        (4000, 3, 7, 2),
        (3, 4000, 2, 7),
        (1023, 767, 224, 224),
        (225, 223, 224, 224),
    ];
    let random_sides = |random: &mut Random| {
        let mut side = |most| 1 + random.below(most);
        (side(150), side(150), side(80), side(80))
    };
    let more: Vec<_> = (0..60).map(|_| random_sides(&mut random)).collect();
    for (i, (width, height, to_width, to_height)) in sides.into_iter().chain(more).enumerate() {
        let what = format!("{width} x {height} to {to_width} x {to_height}");
        let photo = photo(&mut random, width, height, i % 3);
        let resized = resize(&photo, to_width, to_height).unwrap_or_else(|e| panic!("{what}: {e}"));

        let between = preprocess_vertical(
            &pack(&photo.pixels),
            width,
            &Taps::bilinear(height, to_height),
        );
        let across = Taps::bilinear(width, to_width);
        let of_bytes = preprocess_horizontal(&between, to_height, &across, &levels(&plain));
        let bytes = to_tensor(&resized, &plain);
        if let Some(at) = (0..bytes.len()).find(|i| bytes[*i] != of_bytes[*i]) {
            panic!(
                "{what}: {} instead of {} at [{at}]",
                of_bytes[at], bytes[at]
            );
        }
        let of_bits = preprocess_horizontal(&between, to_height, &across, &levels(&settings));
        let bits = |tensor: &[f32]| tensor.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(
            bits(&of_bits),
            bits(&to_tensor(&resized, &settings)),
            "{what}"
        );
    }
}

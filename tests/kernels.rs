//! Every kernel in every variant against its CPU twin, on a GPU: natively on whatever Vulkan offers, which
//! `cargo xtask test` makes a software one.
//!
//! Inputs are random with outliers; outputs come from memory that held NaN before; each runs twice and must
//! give the same bits, which a race would not. Tolerances follow from the length of the sum.

mod gpu;

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use gpu::{download, open, poison, upload};
use retune::kernels::autotune::{Tuned, tune};
use retune::kernels::conv::conv2d as our_conv2d;
use retune::kernels::conv::gradient::{Gradient, Wanted};
use retune::kernels::conv::matmul::{Epilogue, MatMul};
use retune::kernels::conv::reference as twin;
use retune::kernels::conv::select;
use retune::kernels::conv::weights::Weights;
use retune::kernels::conv::winograd::Tile;
use retune::kernels::conv::{Algorithm, Conv2d};
use retune::kernels::gpu::launch::{Buffer, Gpu, Layout};
use retune::kernels::gpu::state::LONGEST;
use retune::kernels::reference::compare::{Tolerance, compare};
use retune::kernels::self_test::{in_use, self_test, self_test_gradients};
use retune::kernels::shape::{ConvShape, Geometry};
use retune::platform::device_state::{Adapter, DeviceState};

fn random(seed: u64, n: usize) -> Vec<f32> {
    gpu::random(seed, "kernels", n)
}

/// A convolution by name for messages.
fn conv(
    x: [usize; 4],
    weight: [usize; 4],
    stride: usize,
    padding: usize,
    groups: usize,
) -> ConvShape {
    let geometry = Geometry {
        stride,
        padding,
        dilation: 1,
        groups,
    };
    ConvShape::of(x, weight, geometry).expect("sizes that fit")
}

fn dilated(mut conv: ConvShape, dilation: usize) -> ConvShape {
    conv.geometry.dilation = dilation;
    conv
}

fn weight_dims(conv: &ConvShape) -> [usize; 4] {
    let [height, width] = conv.kernel;
    [conv.m * conv.geometry.groups, conv.channels, height, width]
}

/// Of a sum of `n` products of values that reach 8.
fn tolerance(n: usize, factor: f64) -> Tolerance {
    Tolerance::sum_of(n).scaled(16.0 * factor)
}

struct Case {
    conv: ConvShape,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    residual: Vec<f32>,
}

impl Case {
    fn new(conv: ConvShape) -> Self {
        let out = conv.out_dims();
        Self {
            conv,
            x: random(1, conv.in_dims().iter().product()),
            w: random(2, weight_dims(&conv).iter().product()),
            bias: random(3, out[1]),
            residual: random(4, out.iter().product()),
        }
    }

    /// Every variant that applies, with a whole epilogue and with none. Returns how many there were.
    fn check(&self, device: &Device) -> usize {
        let conv = &self.conv;
        let plain = upload(device, &self.w, weight_dims(conv));
        let gpu = plain.gpu();
        let weights = Weights::new(plain, conv.geometry.groups);
        let bias = upload(device, &self.bias, [self.bias.len()]);
        let laid_out = |values: &[f32], dims: [usize; 4], layout| {
            let images = upload(device, values, dims).into_primitive();
            Buffer::in_layout(images, layout).expect("f32 on a GPU")
        };
        let expected = |whole: bool| {
            let epilogue = twin::Epilogue {
                bias: whole.then_some(self.bias.as_slice()),
                residual: whole.then_some(self.residual.as_slice()),
                relu: whole,
            };
            twin::conv2d(&conv.reference(), &self.x, &self.w, epilogue)
        };
        let (whole, bare) = (expected(true), expected(false));
        let mut variants = 0;
        for algorithm in Algorithm::all() {
            if !algorithm.can_apply(conv, &weights, gpu.max_binding()) {
                continue;
            }
            variants += 1;
            let tolerance = tolerance(conv.depth(), algorithm.error_factor());
            let layout = algorithm.layout();
            let x = laid_out(&self.x, conv.in_dims(), layout);
            let residual = laid_out(&self.residual, conv.out_dims(), layout);
            let full = Epilogue {
                bias: Some(&bias),
                residual: Some(&residual),
                relu: true,
            };
            for (epilogue, expected) in [(full, &whole), (Epilogue::default(), &bare)] {
                poison(device, conv.out_dims().iter().product());
                let run = || {
                    let y = algorithm.run(&gpu, conv, &x, &weights, epilogue);
                    let y = Buffer::of_primitive(y.into_images(layout)).expect("f32 on a GPU");
                    download::<4>(y)
                };
                let first = run();
                if let Err(mismatch) = compare(&first, expected, tolerance) {
                    panic!("{} on {conv:?}: {mismatch}", algorithm.name());
                }
                let again = run();
                let same = first
                    .iter()
                    .zip(&again)
                    .all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{} on {conv:?}: two runs differ", algorithm.name());
            }
        }
        variants
    }

    /// Both gradients, in every way that applies. Returns how many there were.
    fn check_gradients(&self, device: &Device) -> usize {
        let conv = &self.conv;
        let plain = upload(device, &self.w, weight_dims(conv));
        let gpu = plain.gpu();
        let weights = Weights::new(plain, conv.geometry.groups);
        let laid_out = |values: &[f32], dims: [usize; 4], layout| {
            let images = upload(device, values, dims).into_primitive();
            Buffer::in_layout(images, layout).expect("f32 on a GPU")
        };
        let shape = conv.reference();
        let of_input = twin::conv2d_input_gradient(&shape, &self.w, &self.residual);
        let of_weight = twin::conv2d_weight_gradient(&shape, &self.x, &self.residual);
        let mut ways = 0;
        for gradient in Gradient::all() {
            if !gradient.can_apply(conv, &weights, gpu.max_binding()) {
                continue;
            }
            ways += 1;
            let layout = gradient.layout();
            let x = laid_out(&self.x, conv.in_dims(), layout);
            let dy = laid_out(&self.residual, conv.out_dims(), layout);
            let factor = gradient.error_factor();
            let (expected, terms) = match gradient.wanted() {
                Wanted::Input => (&of_input, conv.m * conv.kernel[0] * conv.kernel[1]),
                Wanted::Weight => (&of_weight, conv.images * conv.out_pixels()),
            };
            poison(device, expected.len());
            let run = || {
                let result = gradient.run(&gpu, conv, &x, &weights, &dy);
                let result = match gradient.wanted() {
                    Wanted::Input => Buffer::of_primitive(result.into_images(layout)),
                    Wanted::Weight => Some(result),
                };
                download::<4>(result.expect("f32 on a GPU"))
            };
            let first = run();
            if let Err(mismatch) = compare(&first, expected, tolerance(terms, factor)) {
                panic!("{} on {conv:?}: {mismatch}", gradient.name());
            }
            let same = first
                .iter()
                .zip(&run())
                .all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{} on {conv:?}: two runs differ", gradient.name());
        }
        ways
    }
}

fn check(cases: &[ConvShape]) {
    let device = open();
    for &conv in cases {
        let variants = Case::new(conv).check(&device);
        assert!(variants > 0, "no kernel for {conv:?}");
    }
}

/// Tiles are 4, 16, 32 and 64 wide: one less, equal, one more; odd and not square; channels likewise.
#[test]
#[ignore = "needs a Vulkan driver"]
fn conv_at_the_edges_of_tiles() {
    let mut cases = Vec::new();
    for [channels, m] in [
        [1, 1],
        [3, 15],
        [4, 16],
        [5, 17],
        [7, 31],
        [16, 33],
        [2, 63],
        [2, 64],
        [3, 65],
    ] {
        for [height, width] in [[1, 1], [3, 5], [4, 4], [5, 7], [8, 8], [9, 3]] {
            cases.push(conv(
                [1, channels, height, width],
                [m, channels, 3, 3],
                1,
                1,
                1,
            ));
            cases.push(conv(
                [1, channels, height, width],
                [m, channels, 1, 1],
                1,
                0,
                1,
            ));
        }
    }
    check(&cases);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn conv_of_odd_geometry() {
    let mut cases = Vec::new();
    for images in [1, 3] {
        for stride in [1, 2, 3] {
            for padding in [0, 1, 2] {
                cases.push(conv([images, 5, 11, 8], [6, 5, 3, 3], stride, padding, 1));
                cases.push(conv([images, 5, 11, 8], [6, 5, 1, 1], stride, padding, 1));
                cases.push(conv([images, 3, 13, 9], [4, 3, 5, 2], stride, padding, 1));
                cases.push(conv([images, 6, 7, 10], [9, 2, 3, 3], stride, padding, 3));
                cases.push(conv([images, 6, 7, 10], [6, 1, 3, 3], stride, padding, 6));
                cases.push(conv([images, 6, 7, 10], [12, 1, 3, 3], stride, padding, 6));
            }
        }
        cases.push(dilated(conv([images, 4, 12, 9], [5, 4, 3, 3], 1, 2, 1), 2));
        cases.push(dilated(conv([images, 4, 12, 9], [4, 2, 3, 3], 2, 3, 2), 3));
    }
    check(&cases);
}

/// Layers of ResNet-18, ResNet-50 and ResNeXt-50 at small images, whole channels.
#[test]
#[ignore = "needs a Vulkan driver"]
fn conv_of_real_layers() {
    check(&[
        conv([1, 3, 64, 50], [64, 3, 7, 7], 2, 3, 1),
        conv([3, 64, 14, 13], [64, 64, 3, 3], 1, 1, 1),
        conv([1, 64, 14, 14], [128, 64, 3, 3], 2, 1, 1),
        conv([1, 64, 14, 14], [128, 64, 1, 1], 2, 0, 1),
        conv([16, 128, 5, 5], [128, 128, 3, 3], 1, 1, 1),
        conv([1, 256, 10, 10], [256, 256, 3, 3], 1, 1, 1),
        conv([1, 512, 5, 5], [512, 512, 3, 3], 1, 1, 1),
        conv([1, 256, 14, 14], [64, 256, 1, 1], 1, 0, 1),
        conv([1, 512, 7, 7], [2048, 512, 1, 1], 1, 0, 1),
        conv([1, 128, 14, 14], [128, 4, 3, 3], 1, 1, 32),
        conv([1, 512, 7, 7], [512, 16, 3, 3], 2, 1, 32),
    ]);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn gradients() {
    let device = open();
    for conv in [
        conv([2, 3, 9, 7], [5, 3, 3, 3], 1, 1, 1),
        conv([2, 3, 9, 7], [5, 3, 3, 3], 2, 1, 1),
        conv([3, 6, 8, 8], [17, 6, 1, 1], 1, 0, 1),
        conv([1, 6, 8, 9], [17, 6, 1, 1], 2, 0, 1),
        conv([2, 8, 7, 6], [12, 4, 3, 3], 2, 1, 2),
        conv([1, 3, 21, 18], [8, 3, 7, 7], 2, 3, 1),
        dilated(conv([1, 4, 12, 9], [5, 4, 3, 3], 1, 2, 1), 2),
        conv([2, 128, 5, 5], [128, 128, 3, 3], 1, 1, 1),
        // So many pixels that the weight gradient sums them in parts, the last of which is not full.
        conv([3, 8, 21, 19], [68, 8, 3, 3], 1, 1, 1),
        conv([3, 12, 43, 37], [20, 12, 3, 3], 2, 1, 1),
        conv([3, 4, 21, 19], [132, 4, 1, 1], 1, 0, 1),
    ] {
        let ways = Case::new(conv).check_gradients(&device);
        assert!(ways > 1, "no kernels for {conv:?}");
    }
}

/// Products too long for one launch are several, which together are the same bits.
#[test]
#[ignore = "needs a Vulkan driver"]
fn a_product_in_several_launches_is_the_same() {
    let device = open();
    for conv in [
        conv([3, 12, 43, 37], [132, 12, 3, 3], 1, 1, 1),
        conv([3, 3, 43, 37], [64, 3, 7, 7], 2, 3, 1),
        conv([2, 64, 21, 19], [128, 32, 1, 1], 1, 0, 2),
    ] {
        let case = Case::new(conv);
        let plain = upload(&device, &case.w, weight_dims(&conv));
        let gpu = plain.gpu();
        let weights = Weights::new(plain, conv.geometry.groups);
        let laid_out = |values: &[f32], dims: [usize; 4]| {
            let images = upload(&device, values, dims).into_primitive();
            Buffer::in_layout(images, Layout::ChannelsLast).expect("f32 on a GPU")
        };
        let x = laid_out(&case.x, conv.in_dims());
        let dy = laid_out(&case.residual, conv.out_dims());
        let run = |longest: f64| {
            gpu.set_longest(longest);
            let mut results = Vec::new();
            for algorithm in Algorithm::all() {
                let applies = algorithm.can_apply(&conv, &weights, gpu.max_binding());
                if algorithm.layout() == Layout::ChannelsLast && applies {
                    poison(&device, conv.out_dims().iter().product());
                    let y = algorithm.run(&gpu, &conv, &x, &weights, Epilogue::default());
                    results.push((algorithm.name(), download::<4>(y)));
                }
            }
            for gradient in Gradient::all() {
                let applies = gradient.can_apply(&conv, &weights, gpu.max_binding());
                if gradient.layout() == Layout::ChannelsLast && applies {
                    poison(&device, weight_dims(&conv).iter().product());
                    let result = gradient.run(&gpu, &conv, &x, &weights, &dy);
                    results.push((gradient.name(), download::<4>(result)));
                }
            }
            results
        };
        let (whole, parts) = (run(LONGEST), run(1.0));
        gpu.set_longest(LONGEST);
        assert!(whole.len() > 8, "few kernels for {conv:?}");
        for ((name, whole), (_, parts)) in whole.iter().zip(&parts) {
            let same = whole
                .iter()
                .zip(parts)
                .all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{name} in parts on {conv:?}");
        }
    }
}

/// The differentiable convolution against burn's own gradients on the CPU, which `gradients` does not see:
/// what reaches the graph's leaves, the bias among them.
#[test]
#[ignore = "needs a Vulkan driver"]
fn the_graphs_gradients_are_burns() {
    let gpu = open().autodiff();
    let cpu = Device::flex().autodiff();
    for conv in [
        conv([2, 5, 9, 7], [6, 5, 3, 3], 1, 1, 1),
        conv([3, 8, 8, 8], [12, 8, 3, 3], 2, 1, 1),
        conv([2, 8, 7, 6], [16, 8, 1, 1], 2, 0, 1),
        conv([2, 8, 7, 6], [12, 4, 3, 3], 1, 1, 2),
    ] {
        let case = Case::new(conv);
        let run = |device: &Device, ours: bool| {
            let leaf = |values: &[f32], dims: [usize; 4]| {
                let data = TensorData::new(values.to_vec(), dims);
                Tensor::<4>::from_data(data, device).require_grad()
            };
            let x = leaf(&case.x, conv.in_dims());
            let w = leaf(&case.w, weight_dims(&conv));
            let data = TensorData::new(case.bias.clone(), [case.bias.len()]);
            let b = Tensor::<1>::from_data(data, device).require_grad();
            let dy = TensorData::new(case.residual.clone(), conv.out_dims());
            let dy = Tensor::<4>::from_data(dy, device);
            let y = if ours {
                our_conv2d(x.clone(), w.clone(), b.clone(), conv.geometry)
            } else {
                let Geometry {
                    stride,
                    padding,
                    groups,
                    ..
                } = conv.geometry;
                let options = ConvOptions::new([stride; 2], [padding; 2], [1, 1], groups);
                conv2d(x.clone(), w.clone(), Some(b.clone()), options)
            };
            let grads = (y * dy).sum().backward();
            let values = |data: TensorData| data.try_to_vec::<f32>().expect("f32");
            [
                values(x.grad(&grads).expect("of x").into_data()),
                values(w.grad(&grads).expect("of w").into_data()),
                values(b.grad(&grads).expect("of b").into_data()),
            ]
        };
        let expected = run(&cpu, false);
        for (device, name) in [(&gpu, "GPU"), (&cpu, "CPU")] {
            for (actual, expected) in run(device, true).iter().zip(&expected) {
                let expected: Vec<f64> = expected.iter().map(|&v| f64::from(v)).collect();
                let terms = conv.images * conv.out_pixels() + conv.m * 9;
                // Both sides round.
                if let Err(mismatch) = compare(actual, &expected, tolerance(terms, 2.0)) {
                    panic!("{name}, {conv:?}: {mismatch}");
                }
            }
        }
    }
}

/// A network's kernels pass the self-test, and one that is taken out of use is replaced.
#[test]
#[ignore = "needs a Vulkan driver"]
fn the_self_test_passes_and_a_broken_kernel_is_replaced() {
    let device = open();
    let zeros = |dims: [usize; 4]| Tensor::<4>::zeros(dims, &device);
    let geometry = Geometry {
        stride: 1,
        padding: 1,
        dilation: 1,
        groups: 1,
    };
    let layer = Conv2d::new(
        zeros([64, 64, 3, 3]),
        Tensor::zeros([64], &device),
        geometry,
    );
    let sizes = ConvShape::of([1, 64, 20, 20], [64, 64, 3, 3], geometry).expect("sizes that fit");
    let layers = [(&layer, sizes)];
    let mut steps = 0;
    let failures = pollster::block_on(self_test(&device, &layers, |_, _| steps += 1));
    assert_eq!(failures.expect("a working GPU"), []);
    assert!(steps > 0, "nothing was tested");

    let gpu = Gpu::of(&device).expect("a GPU");
    let first = in_use(&layers)[0];
    select::set_broken(&gpu, first, true);
    let second = in_use(&layers)[0];
    select::set_broken(&gpu, first, false);
    assert_ne!(first, second);
}

/// The same of the kernels that a training runs backward. Where those fail burn's ops take their place, which give the
/// same gradients.
#[test]
#[ignore = "needs a Vulkan driver"]
fn the_self_test_of_gradients_passes_and_a_broken_kernel_is_replaced() {
    let device = open();
    let sizes = conv([2, 8, 9, 7], [12, 8, 3, 3], 1, 1, 1);
    let case = Case::new(sizes);
    let leaf = |values: &[f32], dims: [usize; 4]| {
        let data = TensorData::new(values.to_vec(), dims);
        Tensor::<4>::from_data(data, &device.clone().autodiff()).require_grad()
    };
    let gradients = || {
        let (x, w) = (
            leaf(&case.x, sizes.in_dims()),
            leaf(&case.w, weight_dims(&sizes)),
        );
        let bias = Tensor::zeros([12], &device.clone().autodiff());
        let y = our_conv2d(x.clone(), w.clone(), bias, sizes.geometry);
        let grads = (y.clone() * y).sum().backward();
        let values = |of: Option<Tensor<4>>| of.expect("a gradient").into_data();
        [x.grad(&grads), w.grad(&grads)].map(|of| values(of).try_to_vec::<f32>().expect("f32"))
    };
    for adapter in [Adapter::Hardware, Adapter::Software] {
        DeviceState::of(&device).set_adapter(adapter);
        let weight = Tensor::<4>::zeros(weight_dims(&sizes), &device);
        let layer = Conv2d::new(weight, Tensor::zeros([12], &device), sizes.geometry);
        let layers = [(&layer, sizes)];
        let failures = pollster::block_on(self_test_gradients(&device, &layers));
        assert_eq!(failures.expect("a working GPU"), []);

        let (weights, bias) = layer.on_gpu().expect("on the GPU");
        let gpu = bias.gpu();
        let ours = gradients();
        let mut broken = Vec::new();
        for wanted in Wanted::BOTH {
            while let Some(gradient) = select::gradient(&gpu, &sizes, weights, wanted) {
                select::set_gradient_broken(&gpu, gradient, true);
                broken.push(gradient);
            }
        }
        assert!(broken.len() >= 2, "{broken:?}");
        for (ours, burns) in ours.iter().zip(gradients()) {
            let burns: Vec<f64> = burns.into_iter().map(f64::from).collect();
            // Of values that are sums themselves.
            if let Err(mismatch) = compare(ours, &burns, tolerance(126, 64.0)) {
                panic!("{adapter:?}: {mismatch}");
            }
        }
        for gradient in broken {
            select::set_gradient_broken(&gpu, gradient, false);
        }
    }
}

/// Tuning chooses something for every layer, and what it chose can be kept and read back.
#[test]
#[ignore = "needs a Vulkan driver"]
fn tuning_is_kept() {
    let device = open();
    let geometry = Geometry {
        stride: 2,
        padding: 1,
        dilation: 1,
        groups: 1,
    };
    let weight = Tensor::<4>::ones([24, 16, 3, 3], &device);
    let layer = Conv2d::new(weight, Tensor::zeros([24], &device), geometry);
    let sizes = ConvShape::of([1, 16, 13, 11], [24, 16, 3, 3], geometry).expect("sizes that fit");
    let layers = [(&layer, sizes)];
    let tuned =
        pollster::block_on(tune(&device, &layers, 30.0, Tuned::default())).expect("a working GPU");
    let gpu = Gpu::of(&device).expect("a GPU");
    assert!(select::tuned(&gpu, &sizes).is_some());
    let again = Tuned::from_json(&tuned.to_json());
    assert_eq!(again, tuned);
    assert!(
        again.apply(&layers),
        "a layer is missing in {}",
        tuned.to_json()
    );
    assert!(!Tuned::from_json("{\"x\": \"nonsense\"}").apply(&layers));
}

/// The error of Winograd's algorithm on the layers of ResNet-18, as a share of what the definition may
/// err; printed for shaders/README.md.
#[test]
#[ignore = "needs a Vulkan driver"]
fn winograd_error_is_bounded() {
    let device = open();
    for (channels, size) in [(64, 14), (128, 10), (256, 8), (512, 7)] {
        let conv = conv([1, channels, size, size], [64, channels, 3, 3], 1, 1, 1);
        let case = Case::new(conv);
        let expected = twin::conv2d(&conv.reference(), &case.x, &case.w, twin::Epilogue::NONE);
        let absolutes: Vec<f32> = case.x.iter().map(|x| x.abs()).collect();
        let weights: Vec<f32> = case.w.iter().map(|w| w.abs()).collect();
        let scale = twin::conv2d(
            &conv.reference(),
            &absolutes,
            &weights,
            twin::Epilogue::NONE,
        );
        let plain = upload(&device, &case.w, weight_dims(&conv));
        let gpu = plain.gpu();
        let weights = Weights::new(plain, 1);
        let x = upload(&device, &case.x, conv.in_dims());
        for (algorithm, most) in [
            (Algorithm::Columns(MatMul::Registers), 1e-6),
            (Algorithm::Winograd(Tile::Two, MatMul::Registers), 1e-6),
            (Algorithm::Winograd(Tile::Four, MatMul::Registers), 1e-5),
        ] {
            let y = download::<4>(algorithm.run(&gpu, &conv, &x, &weights, Epilogue::default()));
            let error = y
                .iter()
                .zip(&expected)
                .zip(&scale)
                .map(|((&y, &expected), &scale)| (f64::from(y) - expected).abs() / scale)
                .fold(0.0, f64::max);
            println!("{} channels, {}: {error:.2e}", channels, algorithm.name());
            assert!(
                error < most,
                "{} of {channels}: {error:e}",
                algorithm.name()
            );
        }
    }
}

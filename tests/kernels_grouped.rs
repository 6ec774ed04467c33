//! Convolutions in narrow groups and depthwise ones with channels last: the kernels and their gradients against
//! their CPU twins, on a GPU; natively on whatever Vulkan offers, which `cargo xtask test` makes a software one.
//!
//! Inputs are random with outliers; outputs come from memory that held NaN before; each runs twice and must
//! give the same bits.

mod gpu;

use burn::tensor::{Device, Tensor, TensorData};
use gpu::{download, open, poison, upload};
use retune::kernels::conv::conv2d;
use retune::kernels::conv::direct::Direct;
use retune::kernels::conv::grouped::Groups;
use retune::kernels::conv::matmul::Epilogue;
use retune::kernels::conv::reference as twin;
use retune::kernels::conv::select;
use retune::kernels::conv::weights::Weights;
use retune::kernels::conv::{Algorithm, grouped, grouped_weights};
use retune::kernels::gpu::launch::{Buffer, Gpu, Layout};
use retune::kernels::reference::compare::{Tolerance, compare};
use retune::kernels::shape::{ConvShape, Geometry};
use retune::platform::device_state::{Adapter, DeviceState};

fn random(seed: u64, n: usize) -> Vec<f32> {
    gpu::random(seed, "grouped", n)
}

/// `[N,H,W]`, groups with channels in and out, `[KH,KW]`, `[stride, padding, dilation]`.
fn conv(
    [images, height, width]: [usize; 3],
    [groups, channels, m]: [usize; 3],
    kernel: [usize; 2],
    [stride, padding, dilation]: [usize; 3],
) -> ConvShape {
    let geometry = Geometry {
        stride,
        padding,
        dilation,
        groups,
    };
    let x = [images, groups * channels, height, width];
    let w = [groups * m, channels, kernel[0], kernel[1]];
    ConvShape::of(x, w, geometry).expect("sizes that fit")
}

fn weight_dims(conv: &ConvShape) -> [usize; 4] {
    let [height, width] = conv.kernel;
    [conv.m * conv.geometry.groups, conv.channels, height, width]
}

/// Of a sum of `n` products of values that reach 8.
fn tolerance(n: usize) -> Tolerance {
    Tolerance::sum_of(n).scaled(16.0)
}

/// Sizes at and beside the fours of pixels, every kind of step, groups of one and of more fours of channels.
fn cases() -> Vec<ConvShape> {
    let groups = [
        [4, 1, 1],
        [36, 1, 1],
        [40, 1, 1],
        [2, 4, 4],
        [3, 8, 4],
        [5, 4, 12],
        [2, 16, 20],
    ];
    let mut cases = Vec::new();
    for groups in groups {
        cases.extend([
            conv([1, 1, 1], groups, [1, 1], [1, 0, 1]),
            conv([3, 5, 7], groups, [3, 3], [1, 1, 1]),
            conv([1, 6, 8], groups, [3, 3], [1, 1, 1]),
            conv([2, 9, 4], groups, [3, 3], [2, 1, 1]),
            conv([3, 8, 11], groups, [3, 3], [2, 1, 1]),
            conv([1, 11, 9], groups, [5, 5], [1, 2, 1]),
            conv([2, 12, 13], groups, [5, 5], [2, 2, 1]),
            conv([1, 9, 10], groups, [7, 7], [1, 3, 1]),
            conv([1, 7, 9], groups, [1, 1], [2, 0, 1]),
            conv([1, 7, 5], groups, [1, 1], [1, 2, 1]),
            conv([2, 7, 13], groups, [2, 5], [1, 1, 1]),
            conv([1, 10, 7], groups, [5, 2], [3, 2, 1]),
            conv([1, 12, 9], groups, [3, 3], [1, 2, 2]),
            conv([3, 11, 12], groups, [3, 3], [2, 2, 2]),
            conv([1, 13, 12], groups, [3, 3], [3, 1, 2]),
            conv([1, 13, 14], groups, [3, 2], [4, 1, 2]),
            conv([1, 9, 17], groups, [3, 3], [1, 0, 1]),
        ]);
    }
    cases
}

struct Case {
    gpu: Gpu,
    weights: Weights,
    w: Vec<f32>,
    x: Vec<f32>,
    dy: Vec<f32>,
}

impl Case {
    fn new(device: &Device, conv: ConvShape) -> Self {
        let w = random(2, weight_dims(&conv).iter().product());
        let plain = upload(device, &w, weight_dims(&conv));
        Self {
            gpu: plain.gpu(),
            weights: Weights::new(plain, conv.geometry.groups),
            w,
            x: random(1, conv.in_dims().iter().product()),
            dy: random(4, conv.out_dims().iter().product()),
        }
    }
}

fn with_channels_last(device: &Device, values: &[f32], dims: [usize; 4]) -> Buffer {
    let images = upload(device, values, dims).into_primitive();
    Buffer::in_layout(images, Layout::ChannelsLast).expect("f32 on a GPU")
}

/// Runs it twice on memory full of NaN, compares the bits of the two and the first with the twin.
fn check(
    device: &Device,
    what: &str,
    (expected, tolerance): (&[f64], Tolerance),
    run: impl Fn() -> Vec<f32>,
) {
    poison(device, expected.len());
    let first = run();
    if let Err(mismatch) = compare(&first, expected, tolerance) {
        panic!("{what}: {mismatch}");
    }
    let again = run();
    let same = (first.iter().zip(&again)).all(|(a, b)| a.to_bits() == b.to_bits());
    assert!(same, "{what}: two runs differ");
}

fn images(buffer: Buffer) -> Vec<f32> {
    let images = buffer.into_images(Layout::ChannelsLast);
    download::<4>(Buffer::of_primitive(images).expect("f32 on a GPU"))
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn the_convolution_is_its_twin() {
    let device = open();
    for conv in cases() {
        let case = Case::new(&device, conv);
        let algorithm = Algorithm::Grouped(Groups::of(&conv).expect("groups for a kernel"));
        assert!(algorithm.can_apply(&conv, &case.weights, case.gpu.max_binding()));
        let bias = random(3, conv.out_dims()[1]);
        let epilogue = twin::Epilogue {
            bias: Some(bias.as_slice()),
            residual: Some(case.dy.as_slice()),
            relu: true,
        };
        let bias = upload(&device, &bias, [bias.len()]);
        let x = with_channels_last(&device, &case.x, conv.in_dims());
        let residual = with_channels_last(&device, &case.dy, conv.out_dims());
        let whole = Epilogue {
            bias: Some(&bias),
            residual: Some(&residual),
            relu: true,
        };
        for (epilogue, expected) in [
            (whole, epilogue),
            (Epilogue::default(), twin::Epilogue::NONE),
        ] {
            let expected = twin::conv2d(&conv.reference(), &case.x, &case.w, expected);
            let what = format!("{} on {conv:?}", algorithm.name());
            check(&device, &what, (&expected, tolerance(conv.depth())), || {
                images(algorithm.run(&case.gpu, &conv, &x, &case.weights, epilogue))
            });
        }
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn the_input_gradient_is_its_twin() {
    let device = open();
    for conv in cases() {
        let case = Case::new(&device, conv);
        let max = case.gpu.max_binding();
        assert!(
            grouped::can_apply_gradient(&conv, &case.weights, max),
            "{conv:?}"
        );
        let dy = with_channels_last(&device, &case.dy, conv.out_dims());
        let expected = twin::conv2d_input_gradient(&conv.reference(), &case.w, &case.dy);
        let terms = conv.m * conv.kernel[0] * conv.kernel[1];
        let what = format!("input gradient of {conv:?}");
        check(&device, &what, (&expected, tolerance(terms)), || {
            images(grouped::input_gradient(
                &case.gpu,
                &conv,
                &case.weights,
                &dy,
            ))
        });
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn the_weight_gradient_is_its_twin() {
    let device = open();
    let mut cases = cases();
    // Several parts of several rows.
    cases.extend([
        conv([8, 65, 9], [64, 4, 4], [3, 3], [1, 1, 1]),
        conv([6, 300, 7], [480, 1, 1], [5, 5], [1, 2, 1]),
        conv([6, 301, 5], [480, 1, 1], [3, 9], [2, 4, 1]),
    ]);
    for conv in cases {
        let case = Case::new(&device, conv);
        let max = case.gpu.max_binding();
        assert!(grouped_weights::can_apply(&conv, max), "{conv:?}");
        let x = with_channels_last(&device, &case.x, conv.in_dims());
        let dy = with_channels_last(&device, &case.dy, conv.out_dims());
        let expected = twin::conv2d_weight_gradient(&conv.reference(), &case.x, &case.dy);
        let terms = conv.images * conv.out_pixels();
        let what = format!("weight gradient of {conv:?}");
        check(&device, &what, (&expected, tolerance(terms)), || {
            download::<4>(grouped_weights::weight_gradient(&case.gpu, &conv, &x, &dy))
        });
    }
}

/// What reaches the leaves of burn's graph on hardware, where images stay with channels last.
#[test]
#[ignore = "needs a Vulkan driver"]
fn the_graphs_gradients_are_the_twins() {
    let device = open();
    DeviceState::of(&device).set_adapter(Adapter::Hardware);
    let device = device.autodiff();
    for conv in [
        conv([3, 9, 7], [3, 4, 8], [3, 3], [1, 1, 1]),
        conv([2, 8, 11], [2, 8, 4], [3, 3], [2, 1, 1]),
        conv([3, 9, 7], [12, 1, 1], [5, 5], [1, 2, 1]),
        conv([2, 8, 11], [40, 1, 1], [3, 3], [2, 1, 1]),
    ] {
        let leaf = |values: &[f32], dims: [usize; 4]| {
            let data = TensorData::new(values.to_vec(), dims);
            Tensor::<4>::from_data(data, &device).require_grad()
        };
        let w = random(2, weight_dims(&conv).iter().product());
        let x = random(1, conv.in_dims().iter().product());
        let dy = random(4, conv.out_dims().iter().product());
        let leaves = (leaf(&x, conv.in_dims()), leaf(&w, weight_dims(&conv)));
        let bias = Tensor::<1>::zeros([conv.out_dims()[1]], &device);
        let y = conv2d(leaves.0.clone(), leaves.1.clone(), bias, conv.geometry);
        let sum = (y.clone() * leaf(&dy, conv.out_dims())).sum();
        let grads = sum.backward();
        let values = |data: TensorData| data.try_to_vec::<f32>().expect("f32");
        let shape = conv.reference();
        let terms = conv.images * conv.out_pixels() + conv.m * conv.depth();
        for (what, actual, expected) in [
            (
                "y",
                values(y.into_data()),
                twin::conv2d(&shape, &x, &w, twin::Epilogue::NONE),
            ),
            (
                "dx",
                values(leaves.0.grad(&grads).expect("of x").into_data()),
                twin::conv2d_input_gradient(&shape, &w, &dy),
            ),
            (
                "dw",
                values(leaves.1.grad(&grads).expect("of w").into_data()),
                twin::conv2d_weight_gradient(&shape, &x, &dy),
            ),
        ] {
            if let Err(mismatch) = compare(&actual, &expected, tolerance(terms)) {
                panic!("{what} of {conv:?}: {mismatch}");
            }
        }
    }
}

/// On hardware they come first where they apply, and nowhere else.
#[test]
#[ignore = "needs a Vulkan driver"]
fn hardware_takes_them_first() {
    let device = open();
    let algorithm = |groups, adapter| {
        DeviceState::of(&device).set_adapter(adapter);
        let conv = conv([1, 9, 8], groups, [3, 3], [1, 1, 1]);
        let weights = Tensor::<4>::ones(weight_dims(&conv), &device);
        let weights = Buffer::of(&weights).expect("on the GPU");
        let gpu = weights.gpu();
        select::choose(&gpu, &conv, &Weights::new(weights, conv.geometry.groups))
    };
    for (groups, first) in [
        ([8, 4, 4], Algorithm::Grouped(Groups::Fours)),
        ([8, 1, 1], Algorithm::Grouped(Groups::Depthwise)),
        ([8, 2, 4], Algorithm::Direct(Direct::General)),
    ] {
        let chosen = algorithm(groups, Adapter::Hardware);
        assert_eq!(chosen, Some(first), "{groups:?}");
    }
    for (groups, first) in [([8, 4, 4], Direct::General), ([8, 1, 1], Direct::Depthwise)] {
        let chosen = algorithm(groups, Adapter::Software);
        assert_eq!(chosen, Some(Algorithm::Direct(first)), "{groups:?}");
    }
}

//! The kernels that read weights of 16 bits, against CPU twins that get the weights so rounded: what is
//! left to compare is sums of `f32`, so the tolerance is that of the other kernels.
//!
//! Winograd's kernels round the transformed weights, not the weights. They get weights whose transforms
//! 16 bits hold exactly; what the rounding costs otherwise is measured apart.

use burn::tensor::{Device, Tensor, TensorData};
use half::f16;
use retune::config::DeviceChoice;
use retune::kernels::check::self_test;
use retune::kernels::choice;
use retune::kernels::conv::matmul::{Epilogue, MatMul};
use retune::kernels::conv::weights::{Packing, Storage, Weights};
use retune::kernels::conv::winograd::Tile;
use retune::kernels::conv::{Algorithm, gradient};
use retune::kernels::launch::{Buffer, Gpu};
use retune::kernels::ops::Conv2d;
use retune::kernels::reference::compare::{Tolerance, compare};
use retune::kernels::reference::conv as twin;
use retune::kernels::shape::{Conv, Geometry};
use retune::kernels::tune::{Tuned, tune};
use retune::platform::adapter::{self, Adapter};
use retune::platform::device;
use retune::random::Random;

/// The device, unless its shaders have no 16-bit numbers: then a message.
fn open() -> Option<(Device, Gpu)> {
    let opened = pollster::block_on(device::open(DeviceChoice::Gpu));
    let device = opened.expect("a Vulkan driver").device;
    let gpu = Gpu::of(&device).expect("a GPU");
    if gpu.has_half() {
        return Some((device, gpu));
    }
    println!("skipped: this adapter's shaders have no 16-bit numbers");
    None
}

/// Values of [-1,1).
fn random(seed: u64, n: usize) -> Vec<f32> {
    let mut random = Random::for_purpose(seed, "half");
    (0..n)
        .map(|_| (2.0 * random.uniform() - 1.0) as f32)
        .collect()
}

fn upload<const D: usize>(device: &Device, values: &[f32], dims: [usize; D]) -> Buffer {
    let data = TensorData::new(values.to_vec(), dims);
    Buffer::of(&Tensor::<D>::from_data(data, device)).expect("on the GPU")
}

fn download(buffer: Buffer) -> Vec<f32> {
    let data = buffer.into_tensor::<4>().into_data();
    data.try_to_vec().expect("f32")
}

/// Fills the pool's free pages of this size with NaN, so that what a kernel leaves out shows.
fn poison(device: &Device, gpu: &Gpu, n: usize) {
    let nan = vec![f32::NAN; n];
    let poisoned: Vec<_> = (0..3).map(|_| upload(device, &nan, [n])).collect();
    pollster::block_on(gpu.client().sync()).expect("a working GPU");
    drop(poisoned);
}

fn conv(x: [usize; 4], weight: [usize; 4], stride: usize, padding: usize, groups: usize) -> Conv {
    let geometry = Geometry {
        stride,
        padding,
        dilation: 1,
        groups,
    };
    Conv::of(x, weight, geometry).expect("sizes that fit")
}

fn weight_dims(conv: &Conv) -> [usize; 4] {
    let [height, width] = conv.kernel;
    [conv.m * conv.geometry.groups, conv.channels, height, width]
}

fn rounded(w: &[f32]) -> Vec<f32> {
    w.iter().map(|&w| f16::from_f32(w).to_f32()).collect()
}

/// Every half variant that applies, with a whole epilogue and with none. The kernels get `w`, the twin gets
/// `seen`. Returns how many there were.
fn check(device: &Device, gpu: &Gpu, conv: &Conv, winograd: bool) -> usize {
    let dims = weight_dims(conv);
    let w = random(2, dims.iter().product());
    let (w, seen): (Vec<f32>, Vec<f32>) = if winograd {
        let exact: Vec<f32> = w.iter().map(|&w| twin::exact_in_half(w)).collect();
        (exact.clone(), exact)
    } else {
        let seen = rounded(&w);
        (w, seen)
    };
    let [x, bias, residual] = [
        random(1, conv.in_dims().iter().product()),
        random(3, dims[0]),
        random(4, conv.out_dims().iter().product()),
    ];
    let epilogue = twin::Epilogue {
        bias: Some(bias.as_slice()),
        residual: Some(residual.as_slice()),
        relu: true,
    };
    let whole = twin::conv2d(&conv.reference(), &x, &seen, epilogue);
    let bare = twin::conv2d(&conv.reference(), &x, &seen, twin::Epilogue::NONE);

    let weights = Weights::new(upload(device, &w, dims), conv.geometry.groups);
    let x = upload(device, &x, conv.in_dims());
    let bias = upload(device, &bias, [bias.len()]);
    let residual = upload(device, &residual, conv.out_dims());
    let full = Epilogue {
        bias: Some(&bias),
        residual: Some(&residual),
        relu: true,
    };
    let mut variants = 0;
    for algorithm in Algorithm::all() {
        let factor = match algorithm {
            Algorithm::Winograd(tile, _) => Some(tile.error_factor()),
            _ => None,
        };
        if !algorithm.is_half()
            || factor.is_some() != winograd
            || !algorithm.can_apply(conv, &weights, gpu.max_binding())
        {
            continue;
        }
        variants += 1;
        // Weights reach 27/16 at most.
        let tolerance = Tolerance::sum_of(conv.depth() + 2).scaled(2.0 * factor.unwrap_or(1.0));
        for (epilogue, expected) in [(full, &whole), (Epilogue::default(), &bare)] {
            poison(device, gpu, expected.len());
            let run = || download(algorithm.run(gpu, conv, &x, &weights, epilogue));
            let first = run();
            if let Err(mismatch) = compare(&first, expected, tolerance) {
                panic!("{} on {conv:?}: {mismatch}", algorithm.name());
            }
            let bits = |y: &[f32]| y.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&first), bits(&run()), "{}", algorithm.name());
        }
    }
    variants
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn half_weights_are_all_that_differs() {
    let Some((device, gpu)) = open() else {
        return;
    };
    let mut cases = Vec::new();
    for [channels, m] in [[1, 1], [4, 16], [7, 31], [2, 33], [3, 64], [17, 65]] {
        for [height, width] in [[1, 1], [3, 5], [8, 8], [9, 11]] {
            for images in [1, 3] {
                let x = [images, channels, height, width];
                cases.push(conv(x, [m, channels, 3, 3], 1, 1, 1));
                cases.push(conv(x, [m, channels, 1, 1], 2, 0, 1));
            }
        }
    }
    cases.extend([
        conv([16, 5, 11, 8], [6, 5, 3, 3], 2, 2, 1),
        conv([1, 6, 7, 10], [9, 2, 3, 3], 1, 0, 3),
        conv([2, 3, 21, 18], [8, 3, 7, 7], 2, 3, 1),
        conv([1, 64, 14, 13], [64, 64, 3, 3], 1, 1, 1),
        conv([1, 512, 5, 5], [512, 512, 3, 3], 1, 1, 1),
        conv([1, 512, 7, 7], [256, 512, 1, 1], 1, 0, 1),
    ]);
    for conv in &cases {
        assert!(
            check(&device, &gpu, conv, false) > 0,
            "no kernel for {conv:?}"
        );
        let three = conv.kernel == [3, 3] && conv.geometry.stride == 1 && conv.geometry.groups == 1;
        let variants = check(&device, &gpu, conv, true);
        assert_eq!(variants > 0, three, "{conv:?}");
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn half_weights_in_the_input_gradient() {
    let Some((device, gpu)) = open() else {
        return;
    };
    for conv in [
        conv([2, 3, 9, 7], [5, 3, 3, 3], 2, 1, 1),
        conv([2, 8, 7, 6], [12, 4, 3, 3], 1, 1, 2),
        conv([1, 128, 5, 5], [65, 128, 1, 1], 1, 0, 1),
    ] {
        let dims = weight_dims(&conv);
        let w = random(2, dims.iter().product());
        let dy = random(3, conv.out_dims().iter().product());
        let expected = twin::conv2d_input_gradient(&conv.reference(), &rounded(&w), &dy);
        let weights = Weights::new(upload(&device, &w, dims), conv.geometry.groups);
        let dy = upload(&device, &dy, conv.out_dims());
        for variant in [MatMul::Shared64Half, MatMul::Shared32Half] {
            assert!(gradient::can_apply(
                &conv,
                &weights,
                variant,
                gpu.max_binding()
            ));
            poison(&device, &gpu, expected.len());
            let dx = download(gradient::input(&gpu, &conv, variant, &weights, &dy));
            let terms = conv.m * conv.kernel[0] * conv.kernel[1];
            if let Err(mismatch) = compare(&dx, &expected, Tolerance::sum_of(terms)) {
                panic!("{} on {conv:?}: {mismatch}", variant.name());
            }
        }
    }
}

/// A layout of 16 bits takes half the memory.
#[test]
#[ignore = "needs a Vulkan driver"]
fn half_weights_take_half_the_memory() {
    let Some((device, _)) = open() else {
        return;
    };
    let weights = Weights::new(upload(&device, &random(5, 65 * 3 * 9), [65, 3, 3, 3]), 1);
    for packing in [
        Packing::Matrix,
        Packing::Transposed,
        Packing::Winograd(Tile::Four),
    ] {
        let bytes = |storage| weights.bytes(packing.stored(storage));
        assert_eq!(
            2 * bytes(Storage::Half),
            bytes(Storage::Full),
            "{packing:?}"
        );
    }
}

/// Forbidden until allowed, then tested like any other kernel.
#[test]
#[ignore = "needs a Vulkan driver"]
fn half_weights_have_to_be_allowed() {
    let Some((device, gpu)) = open() else {
        return;
    };
    let before = adapter::get();
    adapter::set(Adapter::Hardware);
    let conv = conv([1, 32, 9, 10], [40, 32, 3, 3], 1, 1, 1);
    let weight = Tensor::<4>::ones(weight_dims(&conv), &device);
    let layer = Conv2d::new(weight, Tensor::zeros([40], &device), conv.geometry);
    let layers = [(&layer, conv)];
    let (weights, _) = layer.on_gpu().expect("on the GPU");
    let names = |tuned: &Tuned| tuned.to_json().contains("half");

    assert!(!choice::half(), "allowed from the start");
    let tuned =
        pollster::block_on(tune(&device, &layers, 60.0, Tuned::default())).expect("a working GPU");
    assert!(!names(&tuned), "{}", tuned.to_json());

    for algorithm in Algorithm::all().into_iter().filter(|a| a.is_half()) {
        assert_eq!(Algorithm::from_name(&algorithm.name()), Some(algorithm));
        let key = tuned.to_json();
        let key = key.split('"').nth(1).expect("a layer");
        let kept = Tuned::from_json(&format!("{{\"{key}\": \"{}\"}}", algorithm.name()));
        choice::set_half(false);
        assert!(!kept.apply(&layers), "{} was not allowed", algorithm.name());
        choice::set_tuned(conv, algorithm);
        assert_ne!(choice::choose(&gpu, &conv, weights), Some(algorithm));

        choice::set_half(true);
        assert!(kept.apply(&layers));
        assert_eq!(choice::choose(&gpu, &conv, weights), Some(algorithm));
        let failures = pollster::block_on(self_test(&device, &layers, |_, _| ()));
        assert_eq!(failures.expect("a working GPU"), [], "{}", algorithm.name());
        choice::set_half(false);
    }
    adapter::set(before);
}

/// What rounding costs: the largest error as a share of the sum of the absolute products, on weights as
/// large as those of a trained network.
#[test]
#[ignore = "needs a Vulkan driver"]
fn half_error_is_bounded() {
    let Some((device, gpu)) = open() else {
        return;
    };
    for scale in [1.0, 0.02, 0.001] {
        for channels in [64, 256] {
            let conv = conv([1, channels, 10, 10], [64, channels, 3, 3], 1, 1, 1);
            let dims = weight_dims(&conv);
            let x = random(1, conv.in_dims().iter().product());
            let w: Vec<f32> = random(2, dims.iter().product());
            let w: Vec<f32> = w.into_iter().map(|w| scale * w).collect();
            let absolute = |v: &[f32]| v.iter().map(|v| v.abs()).collect::<Vec<_>>();
            let twin =
                |x: &[f32], w: &[f32]| twin::conv2d(&conv.reference(), x, w, twin::Epilogue::NONE);
            let (expected, sizes) = (twin(&x, &w), twin(&absolute(&x), &absolute(&w)));
            let weights = Weights::new(upload(&device, &w, dims), 1);
            let x = upload(&device, &x, conv.in_dims());
            for (algorithm, most) in [
                (Algorithm::Columns(MatMul::Shared64Half), 5e-4),
                (Algorithm::Winograd(Tile::Two, MatMul::Shared64Half), 5e-4),
                (Algorithm::Winograd(Tile::Four, MatMul::Shared64Half), 5e-3),
            ] {
                let y = download(algorithm.run(&gpu, &conv, &x, &weights, Epilogue::default()));
                let errors = y.iter().zip(&expected).zip(&sizes);
                let error = errors
                    .map(|((&y, &expected), &size)| (f64::from(y) - expected).abs() / size)
                    .fold(0.0, f64::max);
                let name = algorithm.name();
                println!("weights to {scale}, {channels} channels, {name}: {error:.1e}");
                assert!(error < most, "{name} of {channels}: {error:e}");
            }
        }
    }
}

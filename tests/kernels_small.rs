//! The kernels round the convolutions against their CPU twins, on a GPU: natively on whatever Vulkan
//! offers, which `cargo xtask test` makes a software one.
//!
//! Inputs are random with outliers; outputs come from memory that held NaN before; each runs twice and must
//! give the same bits.

mod gpu;

use burn::tensor::Device;
use gpu::{download, open, poison, upload};
use retune::config::{BundledModel, Preprocess};
use retune::image::{self, Rgb};
use retune::infer::softmax;
use retune::infer::{Classifier, Given};
use retune::kernels::gpu::launch::{Buffer, Gpu};
use retune::kernels::pool;
use retune::kernels::pool::reference as pool_twin;
use retune::kernels::preprocess::Photos;
use retune::kernels::reference::compare::{Tolerance, compare};
use retune::kernels::shape::PoolShape;
use retune::model::input::Batch;
use retune::platform::device_state::{Adapter, DeviceState};
use retune::random::Random;
use retune::weights::{self, Bundled};

fn random(seed: u64, n: usize) -> Vec<f32> {
    gpu::random(seed, "small kernels", n)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Compares what `run` gives, twice and into poisoned memory, with what the twin gives.
#[track_caller]
fn check<const D: usize>(
    what: &str,
    device: &Device,
    expected: &[f64],
    tolerance: Tolerance,
    run: impl Fn() -> Buffer,
) {
    poison(device, expected.len());
    let first = download::<D>(run());
    if let Err(mismatch) = compare(&first, expected, tolerance) {
        panic!("{what}: {mismatch}");
    }
    let again = download::<D>(run());
    assert_eq!(bits(&first), bits(&again), "{what}: two runs differ");
}

fn check_max_pool(
    device: &Device,
    dims: [usize; 4],
    [kernel, stride, padding]: [usize; 3],
    x: &[f32],
) {
    let what = format!("{dims:?}, window {kernel}, stride {stride}, padding {padding}");
    let shape = PoolShape {
        planes: dims[0] * dims[1],
        size: [dims[2], dims[3]],
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
    };
    let expected = pool_twin::max_pool(&shape, x);
    let x = upload(device, x, dims);
    let run = || pool::gpu::max_pool(&x, kernel, stride, padding).expect("applies");
    check::<4>(&what, device, &expected, Tolerance::EXACT, run);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn max_pool() {
    let device = open();
    let windows = [
        [1, 1, 0],
        [2, 2, 0],
        [3, 2, 1],
        [3, 1, 1],
        [2, 3, 1],
        [5, 3, 2],
    ];
    for images in [1, 3, 16] {
        for [height, width] in [[1, 1], [1, 7], [5, 3], [9, 11], [14, 14]] {
            for window in windows {
                if window[0] <= height.min(width) + 2 * window[2] {
                    let dims = [images, 5, height, width];
                    // All negative: padding that counted as 0 would win.
                    let x = random(1, dims.iter().product());
                    let x: Vec<f32> = x.into_iter().map(|x| x - 9.0).collect();
                    check_max_pool(&device, dims, window, &x);
                }
            }
        }
    }
    // More workgroups than fit one dimension of a dispatch.
    let dims = [1, 1, 2100, 2100];
    check_max_pool(&device, dims, [1, 1, 0], &random(2, 2100 * 2100));
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn global_avg_pool() {
    let device = open();
    for images in [1, 3, 16] {
        for channels in [1, 63, 512] {
            for [height, width] in [[1, 1], [1, 2], [7, 7], [5, 13]] {
                let dims = [images, channels, height, width];
                let x = random(3, dims.iter().product());
                let expected = pool_twin::global_avg_pool(images * channels, &x);
                let area = height * width;
                let tolerance = Tolerance::sum_of(area).scaled(8.0 / area as f64);
                let x = upload(&device, &x, dims);
                let run = || pool::gpu::global_avg_pool(&x).expect("applies");
                check::<2>(&format!("{dims:?}"), &device, &expected, tolerance, run);
            }
        }
    }
}

fn photo(seed: u64, width: usize, height: usize) -> Rgb {
    let mut random = Random::for_purpose(seed, "photo");
    // Noise, or only the extremes, where rounding and clamping show.
    let extremes = random.below(2) == 0;
    let byte = |random: &mut Random| match extremes {
        false => random.below(256) as u8,
        true => 255 * random.below(2) as u8,
    };
    let pixels = (0..width * height * 3).map(|_| byte(&mut random)).collect();
    Rgb {
        width,
        height,
        pixels,
    }
}

/// Width and height: down, up, one of each, one axis untouched, both untouched, single pixels.
const PHOTOS: [[usize; 2]; 16] = [
    [31, 17],
    [224, 224],
    [301, 200],
    [64, 48],
    [640, 31],
    [224, 300],
    [300, 224],
    [1, 1],
    [1, 97],
    [97, 1],
    [2, 3],
    [999, 1001],
    [4000, 3],
    [3, 4000],
    [1023, 767],
    [225, 223],
];

fn of_size(size: usize) -> Preprocess {
    Preprocess {
        size,
        ..Preprocess::default()
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn preprocessing_gives_the_bits_of_the_cpu() {
    let device = open();
    for size in [1, 33, 224] {
        let settings = of_size(size);
        let photos: Vec<Rgb> = (0..)
            .zip(PHOTOS)
            .map(|(i, [w, h])| photo(i, w, h))
            .collect();
        for batch in [&photos[..1], &photos[1..4], &photos[..]] {
            let expected: Vec<f32> = batch
                .iter()
                .flat_map(|photo| {
                    let small = image::resize(photo, size, size).expect("a photo");
                    image::to_tensor(&small, &settings)
                })
                .collect();
            let run = || {
                poison(&device, expected.len());
                let mut on_gpu = Photos::new(&device, &settings).expect("a GPU");
                for photo in batch {
                    assert!(on_gpu.push(photo), "{} x {}", photo.width, photo.height);
                }
                download::<4>(on_gpu.finish().expect("photos"))
            };
            for time in ["first", "second"] {
                let actual = run();
                assert_eq!(actual.len(), expected.len());
                let plane = 3 * size * size;
                let differs = |i: &usize| actual[*i].to_bits() != expected[*i].to_bits();
                if let Some(at) = (0..actual.len()).find(differs) {
                    let Rgb { width, height, .. } = batch[at / plane];
                    panic!(
                        "{width} x {height} to {size}, {time} run: {} instead of {} at [{}]",
                        actual[at],
                        expected[at],
                        at % plane
                    );
                }
            }
        }
    }
    let settings = of_size(8);
    let mut photos = Photos::new(&device, &settings).expect("a GPU");
    let torn = Rgb {
        width: 4,
        height: 4,
        pixels: vec![0; 47],
    };
    assert!(!photos.push(&torn), "a row is missing");
    assert!(photos.finish().is_none(), "nothing was added");
}

/// The path from a file on: where the adapter is hardware the photo is resized there, and neither the
/// batch nor the probabilities differ by a bit.
#[test]
#[ignore = "needs a Vulkan driver"]
fn files_are_resized_on_hardware_and_nothing_changes() {
    let device = open();
    let state = DeviceState::of(&device);
    let handle = Gpu::of(&device).expect("a GPU");
    let settings = of_size(64);
    let files: Vec<Vec<u8>> = (0..)
        .zip(&PHOTOS[..5])
        .map(|(i, [w, h])| image::encode_png(&photo(i, *w, *h)).expect("a PNG"))
        .collect();
    let on_cpu: Vec<Vec<f32>> = files
        .iter()
        .map(|bytes| image::load("photo", bytes, &settings).expect("a PNG"))
        .collect();

    for (kind, on_gpu) in [(Adapter::Hardware, true), (Adapter::Software, false)] {
        state.set_adapter(kind);
        let mut batch = Batch::new(&device, &settings);
        assert_eq!(batch.is_on_gpu(), on_gpu, "{kind:?}");
        for bytes in &files {
            let whole = ("photo".to_string(), Ok(bytes.clone()));
            let torn = ("torn".to_string(), Ok(bytes[..9].to_vec()));
            let pushed = batch
                .push(vec![whole, torn])
                .expect("a GPU that takes them");
            assert!(pushed[0].is_ok() && pushed[1].is_err(), "{pushed:?}");
        }
        let images = batch.finish().expect("images");
        assert_eq!(images.dims(), [files.len(), 3, 64, 64]);
        let images: Vec<f32> = images.into_data().try_to_vec().expect("f32");
        assert_eq!(bits(&images), bits(&on_cpu.concat()), "{kind:?}");
    }

    state.set_adapter(Adapter::Hardware);
    assert!(!Batch::new(&Device::flex(), &settings).is_on_gpu());
    handle.set_enabled(false);
    assert!(!Batch::new(&device, &settings).is_on_gpu());
    handle.set_enabled(true);

    let mut progress = |_, _| std::ops::ControlFlow::Continue(());
    let bytes = pollster::block_on(Bundled::of(BundledModel::Scenes).load(&mut progress))
        .expect("the bundled model");
    let checkpoint = weights::read("bundled", &bytes).expect("a checkpoint");
    let loaded = Classifier::load(checkpoint, None, Given::default(), &device);
    let mut classifier = loaded.expect("a model").classifier;
    classifier.preprocess = settings;
    for (bytes, pixels) in files.iter().zip(on_cpu) {
        let ours = pollster::block_on(classifier.classify("photo", bytes)).expect("a PNG");
        let logits = classifier.logits(pixels, 64).into_data();
        let expected = softmax(&logits.try_to_vec::<f32>().expect("f32"));
        assert!(ours.iter().all(|p| p.is_finite()), "{ours:?}");
        assert_eq!(bits(&ours), bits(&expected));
    }
}

//! Promise: every network computes what torchvision's or timm's does, from the same weights.
//!
//! The oracle is `tests/fixtures/reference/MODEL.json`, written by `make_reference.py` beside it: weights
//! come from a formula, so no checkpoint is needed. Logits and features must lie within 1e-4 of the
//! largest logit on the CPU (f32 sums of a few thousand terms in another order) and 1e-3 on a GPU.
//!
//! WebGPU natively (one at a time: a process opens its GPU once):
//! `cargo test --release --test reference -- --ignored --test-threads 1`

mod formula;

use std::collections::HashMap;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use formula::{fill, uniform};
use retune::config::{Arch, DeviceChoice, HeadKind};
use retune::kernels::gpu::launch::Gpu;
use retune::model::backbone::Backbone;
use retune::model::head::{Head, HeadSpec, to_host};
use retune::model::inspect::inspect;
use retune::platform::device;
use retune::weights::names;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    input: Vec<usize>,
    parameters: u64,
    multiply_adds: u64,
    state_dict: HashMap<String, Vec<usize>>,
    stages: HashMap<String, Stage>,
    features: Vec<f32>,
    logits: Vec<f32>,
}

#[derive(Deserialize)]
struct Stage {
    shape: Vec<usize>,
    mean: f64,
    std: f64,
    first: Vec<f32>,
}

fn reference(arch: Arch) -> Reference {
    let path = format!(
        "{}/tests/fixtures/reference/{}.json",
        env!("CARGO_MANIFEST_DIR"),
        arch.name()
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Fails with count, largest error, its place and both values; NaN never passes.
fn assert_close(what: &str, got: &[f32], want: &[f32], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    let errors = got
        .iter()
        .zip(want)
        .map(|(g, w)| (f64::from(*g) - f64::from(*w)).abs());
    let wrong = errors
        .clone()
        .filter(|e| e.is_nan() || *e > tolerance)
        .count();
    let (at, worst) = errors
        .enumerate()
        .fold((0, 0.0), |best: (usize, f64), (i, e)| {
            if e.is_nan() || e > best.1 {
                (i, e)
            } else {
                best
            }
        });
    println!("{what}: largest error {worst:.2e} at {at}, tolerance {tolerance:.2e}");
    assert!(
        wrong == 0,
        "{what}: {wrong} of {} differ by more than {tolerance:e}; at {at} by {worst:e}: {} against {}",
        got.len(),
        got[at],
        want[at]
    );
}

fn largest(values: &[f32]) -> f64 {
    values
        .iter()
        .fold(0.0, |top, v| f64::from(v.abs()).max(top))
}

async fn check(arch: Arch, device: &Device, relative: f64) {
    let want = reference(arch);

    // Names and shapes of the checkpoint, norms' counters aside.
    let graph = arch.graph();
    let spec = HeadSpec::of(HeadKind::Linear, graph.features(), 1000);
    let of_head = |name: &str| names::of_head(&graph.head, name);
    let mut names = graph.tensors();
    let head = spec.tensors().into_iter();
    names.extend(head.map(|(name, shape)| (of_head(&name), shape)));
    let expected: HashMap<_, _> = want
        .state_dict
        .into_iter()
        .filter(|(name, _)| !name.ends_with("num_batches_tracked"))
        .collect();
    assert_eq!(names.iter().cloned().collect::<HashMap<_, _>>(), expected);

    let size = want.input[2];
    let table = inspect(arch, &graph, &spec, size).unwrap();
    assert_eq!(table.parameters, want.parameters);
    assert_eq!(table.multiply_adds, want.multiply_adds);

    let take = |name: &str, shape: &[usize]| Ok(fill(name, shape));
    let backbone = Backbone::load(arch, device, take).unwrap();
    let head = Head::load(spec, device, |name, shape| take(&of_head(name), shape)).unwrap();
    let image = uniform("input", 3 * size * size)
        .map(|u| (4.0 * u - 2.0) as f32)
        .collect();
    let mut stages: Vec<(String, Tensor<4>)> = Vec::new();
    let start = Instant::now();
    let features = backbone.forward_observed(backbone.batch(image, size), |name, output| {
        stages.push((name.to_string(), output.clone()));
    });
    let logits = to_host(head.forward(features.clone())).await.unwrap();
    println!("{} at {size}: {:.0?}", arch.name(), start.elapsed());
    assert_eq!(stages.len(), want.stages.len());
    for (name, output) in stages {
        let stage = &want.stages[&name];
        assert_eq!(output.dims().to_vec(), stage.shape, "{name}");
        let got = to_host(output).await.unwrap();
        let scale = stage.mean.abs() + 3.0 * stage.std;
        assert_close(
            &name,
            &got[..stage.first.len()],
            &stage.first,
            relative * scale,
        );
        let mean = got.iter().map(|v| f64::from(*v)).sum::<f64>() / got.len() as f64;
        assert!(
            (mean - stage.mean).abs() <= relative * scale,
            "{name}: mean {mean}"
        );
    }
    let tolerance = relative * largest(&want.logits);
    let features = to_host(features).await.unwrap();
    assert_close(
        "features",
        &features,
        &want.features,
        relative * largest(&want.features),
    );
    assert_close("logits", &logits, &want.logits, tolerance);
}

fn cpu(arch: Arch) {
    pollster::block_on(check(arch, &Device::flex(), 1e-4));
}

fn gpu(archs: &[Arch]) {
    let run = async {
        let opened = device::open(DeviceChoice::Gpu).await.unwrap();
        println!("on {}", opened.name);
        let most = Gpu::of(&opened.device).unwrap().max_binding();
        for &arch in archs {
            let tensors = arch.graph().tensors().into_iter();
            let largest = tensors.map(|(_, shape)| 4 * shape.iter().product::<usize>() as u64);
            if largest.max() <= Some(most) {
                check(arch, &opened.device, 1e-3).await;
                continue;
            }
            let take = |_: &str, shape: &[usize]| Ok(vec![1.0; shape.iter().product()]);
            let refused = Backbone::load(arch, &opened.device, take).unwrap_err();
            assert!(
                refused.to_string().contains("run it on the CPU"),
                "{refused}"
            );
        }
    };
    pollster::block_on(run);
}

/// `cargo xtask test` runs this one, on the software Vulkan driver that it installs.
#[test]
#[ignore = "needs a Vulkan driver"]
fn webgpu() {
    gpu(&[Arch::ResNet18]);
}

/// One of every other family, and of every kind of block.
#[test]
#[ignore = "needs a Vulkan driver; large"]
fn webgpu_large() {
    gpu(&[
        Arch::LeNet5,
        Arch::AlexNet,
        Arch::ZfNet,
        Arch::Plain18,
        Arch::MobileNetV2,
        Arch::EfficientNetB0,
        Arch::EfficientNetLite0,
        Arch::GoogLeNet,
        Arch::ResNet50,
        Arch::ResNext50,
        Arch::Densenet121,
        Arch::InceptionV3,
        Arch::InceptionV4,
        Arch::InceptionResNetV2,
        Arch::Xception,
        Arch::Vgg16Bn,
        Arch::SeNet154,
        Arch::NasNetALarge,
        Arch::PNasNet5Large,
    ]);
}

macro_rules! references {
    ($($(#[$attribute:meta])* $name:ident: $run:ident($arch:ident),)*) => {
        $(#[test] $(#[$attribute])* fn $name() { $run(Arch::$arch); })*
    };
}

references! {
    resnet18: cpu(ResNet18),
    resnet34: cpu(ResNet34),
    resnet50: cpu(ResNet50),
    resnext50_32x4d: cpu(ResNext50),
    resnet101: cpu(ResNet101),
    resnet152: cpu(ResNet152),
    wide_resnet50_2: cpu(WideResNet50),
    wide_resnet101_2: cpu(WideResNet101),
    resnext101_32x8d: cpu(ResNext101),
    resnext101_64x4d: cpu(ResNext101x64),
    resnet_2223: cpu(ResNet2223),
    plain18: cpu(Plain18),
    plain34: cpu(Plain34),
    densenet121: cpu(Densenet121),
    densenet169: cpu(Densenet169),
    densenet161: cpu(Densenet161),
    densenet201: cpu(Densenet201),
    densenet264: cpu(Densenet264),
    efficientnet_b0: cpu(EfficientNetB0),
    efficientnet_b1: cpu(EfficientNetB1),
    efficientnet_b2: cpu(EfficientNetB2),
    efficientnet_b3: cpu(EfficientNetB3),
    efficientnet_b4: cpu(EfficientNetB4),
    efficientnet_b5: cpu(EfficientNetB5),
    efficientnet_b6: cpu(EfficientNetB6),
    efficientnet_b7: cpu(EfficientNetB7),
    efficientnet_lite0: cpu(EfficientNetLite0),
    efficientnet_lite1: cpu(EfficientNetLite1),
    efficientnet_lite2: cpu(EfficientNetLite2),
    efficientnet_lite3: cpu(EfficientNetLite3),
    efficientnet_lite4: cpu(EfficientNetLite4),
    mobilenet_v2: cpu(MobileNetV2),
    googlenet: cpu(GoogLeNet),
    inception_v3: cpu(InceptionV3),
    inception_v4: cpu(InceptionV4),
    inception_resnet_v2: cpu(InceptionResNetV2),
    xception: cpu(Xception),
    legacy_senet154: cpu(SeNet154),
    nasnetalarge: cpu(NasNetALarge),
    pnasnet5large: cpu(PNasNet5Large),
    lenet5: cpu(LeNet5),
    alexnet: cpu(AlexNet),
    zfnet: cpu(ZfNet),
    vgg16: cpu(Vgg16),
    vgg16_bn: cpu(Vgg16Bn),
    vgg19: cpu(Vgg19),
    vgg19_bn: cpu(Vgg19Bn),
}

/// The comparison itself can fail: one wrong value among many, and NaN.
#[test]
#[should_panic(expected = "1 of 3 differ")]
fn a_wrong_value_is_seen() {
    assert_close("values", &[1.0, 2.0, 3.01], &[1.0, 2.0, 3.0], 1e-4);
}

#[test]
#[should_panic(expected = "1 of 2 differ")]
fn nan_is_seen() {
    assert_close("values", &[f32::NAN, 2.0], &[1.0, 2.0], 1e-4);
}

#[test]
fn a_variance_below_zero_is_refused_by_name() {
    let take = |name: &str, shape: &[usize]| {
        let mut values = fill(name, shape);
        if name == "layer2.0.bn1.running_var" {
            values[3] = -2.0;
        }
        Ok(values)
    };
    let error = Backbone::load(Arch::ResNet18, &Device::flex(), take).unwrap_err();
    assert!(
        error.to_string().contains("layer2.0.bn1.running_var"),
        "{error}"
    );
}

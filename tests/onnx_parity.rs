//! Promise: what is exported as ONNX computes in onnxruntime what the model computes here.
//!
//! A network of every family, its weights by formula, is written to `target/onnx-parity` with the probabilities of a few
//! images and their pixels; `tests/fixtures/onnx/check.py parity` compares. `cargo xtask test` does both for the smaller ones; for
//! the others, `cargo test --release --test onnx_parity -- --ignored --exact large` and the script.

mod formula;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use formula::fill;
use retune::Classifier;
use retune::config::{Arch, HeadKind, Preprocess, Scope};
use retune::data::demo;
use retune::image::{self, decode_for, encode_png};
use retune::model::backbone::Backbone;
use retune::model::head::{Head, HeadSpec, to_host};
use retune::onnx::{Input, Model, Options, export};
use retune::weights::{SaveAs, names};
use serde_json::json;

/// A network of every family, the smallest where they share their code.
const SMALLER: [&str; 13] = [
    "lenet5",
    "alexnet",
    "zfnet",
    "googlenet",
    "inception_v3",
    "xception",
    "resnet18",
    "resnext50_32x4d",
    "plain18",
    "densenet121",
    "mobilenet_v2",
    "efficientnet_b0",
    "efficientnet_lite0",
];

/// Those of a hundred layers and more, or of a hundred million weights: two thirds of the bytes.
const LARGE: [&str; 5] = [
    "vgg16_bn",
    "inception_v4",
    "inception_resnet_v2",
    "legacy_senet154",
    "nasnetalarge",
];

/// Outputs of the head.
const CLASSES: usize = 6;

/// How far the logits of the first image are apart: the best class is likely, and the others count.
const SPREAD: f32 = 4.0;

/// Names and bytes of image files: one of the network's own size, one smaller, one larger.
fn images(size: usize) -> Vec<(String, Vec<u8>)> {
    let drawn = |size: usize| encode_png(&demo::draw(1, 3, size, 5)).unwrap();
    vec![
        ("exact.png".to_owned(), drawn(size)),
        (
            "smaller.jpg".to_owned(),
            include_bytes!("fixtures/image/format.jpg").to_vec(),
        ),
        ("larger.png".to_owned(), drawn(2 * size + 77)),
    ]
}

/// A classifier whose answers differ: its head's weights follow from the features of the first image.
async fn classifier(arch: Arch, device: &Device) -> Classifier {
    let backbone = Backbone::load(arch, device, |name, shape| Ok(fill(name, shape))).unwrap();
    let spec = HeadSpec::of(HeadKind::Linear, backbone.features(), CLASSES);
    let head = |by: f32| {
        let called = arch.graph().head;
        Head::load(spec.clone(), device, |name, shape| {
            let values = fill(&names::of_head(&called, name), shape);
            Ok(values.into_iter().map(|v| v * by).collect())
        })
        .unwrap()
    };
    let mut classifier = Classifier {
        backbone,
        head: head(1.0),
        head_kind: HeadKind::Linear,
        classes: (0..CLASSES).map(|n| format!("class {n}")).collect(),
        preprocess: Preprocess::of(arch),
        tuned: Scope::Head,
        untrained: false,
        seen: None,
    };
    let (name, bytes) = &images(classifier.preprocess.size)[0];
    let pixels = image::load(name, bytes, &classifier.preprocess).unwrap();
    let logits = classifier.logits(pixels, classifier.preprocess.size);
    let mut logits = to_host(logits).await.unwrap();
    logits.sort_by(f32::total_cmp);
    let spread = logits[CLASSES - 1] - logits[0];
    assert!(spread > 0.0, "{}: logits {logits:?}", arch.name());
    classifier.head = head(SPREAD / spread);
    classifier
}

#[test]
#[ignore = "writes 1 GB for tests/fixtures/onnx/check.py"]
fn smaller() {
    written(&SMALLER);
}

#[test]
#[ignore = "writes 1.7 GB for tests/fixtures/onnx/check.py"]
fn large() {
    written(&LARGE);
}

/// Nothing else stays in the folder: the script takes all that is there.
fn written(networks: &[&str]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/onnx-parity");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    for name in networks {
        pollster::block_on(write(&folder, Arch::from_name(name).unwrap()));
    }
}

async fn write(folder: &Path, arch: Arch) {
    let device = Device::flex();
    let classifier = classifier(arch, &device).await;
    let mut expected = Vec::new();
    for (file, bytes) in images(classifier.preprocess.size) {
        let image = decode_for(&file, &bytes, &classifier.preprocess).unwrap();
        let pixels = format!("{}-{file}.rgb", arch.name());
        std::fs::write(folder.join(&pixels), &image.pixels).unwrap();
        expected.push(json!({
            "pixels": pixels,
            "shape": [image.height, image.width, 3],
            "resized": image.width != classifier.preprocess.size,
            "probabilities": classifier.classify(&file, &bytes).await.unwrap(),
        }));
    }
    let graph = classifier.backbone.graph();
    let mut tensors: HashMap<_, _> = (graph.tensors().into_iter())
        .map(|(name, shape)| (name.clone(), fill(&name, &shape)))
        .collect();
    let head = classifier.head.state().await.unwrap();
    tensors.extend(head.into_iter().map(|(name, _, values)| (name, values)));
    let model = Model {
        graph,
        head: classifier.head.spec(),
        preprocess: &classifier.preprocess,
        classes: &classifier.classes,
        metadata: &classifier.metadata("by formula"),
    };
    let options = Options {
        input: Input::Image,
        dtype: SaveAs::F32,
    };
    let file = export(&model, options, |name| tensors.get(name).map(Vec::as_slice)).unwrap();
    std::fs::write(folder.join(format!("{}.onnx", arch.name())), file).unwrap();
    let expected = serde_json::to_vec(&expected).unwrap();
    std::fs::write(folder.join(format!("{}.json", arch.name())), expected).unwrap();
}

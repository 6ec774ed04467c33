//! Promise: a model goes to ONNX and back as the same network; what cannot be read is refused by name, and no bytes do
//! harm.
//!
//! What onnxruntime computes from the files is checked by `tests/fixtures/onnx/check.py`, which takes what
//! `cargo test --test onnx --no-default-features --features data -- --ignored written` leaves in `target/onnx`.

#![cfg(feature = "data")]

mod formula;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use formula::fill;
use retune::config::{HeadKind, Normalization, Preprocess};
use retune::image::{Rgb, resize};
use retune::network::head::HeadSpec;
use retune::network::{Arch, Graph};
use retune::onnx::{Imported, Input, Model, Options, export, import};
use retune::random::Random;
use retune::weights::SaveAs;

/// The tensors of a network and its head, filled by the formula. The head's have the names of the last layer.
fn filled(graph: &Graph, head: &HeadSpec) -> HashMap<String, Vec<f32>> {
    let of_head = |name: &str| {
        let name = name.strip_prefix("fc").unwrap();
        match name.split('.').count() {
            2 => format!("{}{name}", graph.head.alone),
            _ => format!("{}{name}", graph.head.sequence),
        }
    };
    let mut tensors: HashMap<_, _> = (graph.tensors().into_iter())
        .map(|(name, shape)| (name.clone(), fill(&name, &shape)))
        .collect();
    for (name, shape) in head.tensors() {
        let values = fill(&of_head(&name), &shape);
        tensors.insert(name, values);
    }
    tensors
}

fn preprocess(size: usize) -> Preprocess {
    let (mean, std) = Normalization::Imagenet.mean_std();
    Preprocess {
        size,
        mean,
        std,
        ..Preprocess::default()
    }
}

fn written(arch: Arch, kind: HeadKind, size: usize, options: Options) -> Vec<u8> {
    let graph = arch.graph();
    let head = HeadSpec::of(kind, graph.features(), 1000);
    let tensors = filled(&graph, &head);
    let classes: Vec<String> = (0..1000).map(|n| format!("class {n}")).collect();
    let metadata = BTreeMap::from([("arch".to_owned(), arch.name().to_owned())]);
    let model = Model {
        graph: &graph,
        head: &head,
        preprocess: &preprocess(size),
        classes: &classes,
        metadata: &metadata,
    };
    export(&model, options, |name| tensors.get(name).map(Vec::as_slice)).unwrap()
}

const TENSOR: Options = Options {
    input: Input::Tensor,
    dtype: SaveAs::F32,
};

/// For onnxruntime: networks as files, and what a few images are resized to.
#[test]
#[ignore = "writes files for tests/fixtures/onnx/check.py"]
fn written_files() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/onnx");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    for name in ["resnet18", "densenet121", "efficientnet_b0"] {
        let arch = Arch::from_name(name).unwrap();
        let of = |options| written(arch, HeadKind::Linear, 224, options);
        write(&format!("{name}.onnx"), &of(TENSOR));
        let half = Options {
            dtype: SaveAs::F16,
            ..TENSOR
        };
        write(&format!("{name}.f16.onnx"), &of(half));
        let image = Options {
            input: Input::Image,
            ..TENSOR
        };
        write(&format!("{name}.image.onnx"), &of(image));
    }
    let mut random = Random::new(7);
    for (width, height) in [
        (517, 301),
        (33, 97),
        (640, 480),
        (500, 224),
        (60, 41),
        (1, 300),
    ] {
        let pixels: Vec<u8> = (0..width * height * 3)
            .map(|_| random.below(256) as u8)
            .collect();
        let name = format!("{width}x{height}");
        write(&format!("{name}.rgb"), &pixels);
        let image = Rgb {
            width,
            height,
            pixels,
        };
        write(
            &format!("{name}.224"),
            &resize(&image, 224, 224).unwrap().pixels,
        );
    }
}

fn again(imported: &Imported, options: Options) -> Vec<u8> {
    let classes = imported.checkpoint.classes.clone();
    let outputs = imported.head.tensors().pop().unwrap().1[0];
    let classes = classes.unwrap_or_else(|| (0..outputs).map(|n| format!("class {n}")).collect());
    let model = Model {
        graph: &imported.graph,
        head: &imported.head,
        preprocess: &preprocess(imported.size),
        classes: &classes,
        metadata: &imported.checkpoint.metadata,
    };
    let tensors = &imported.checkpoint.tensors;
    export(&model, options, |name| {
        tensors.get(name).map(|t| t.data.as_slice())
    })
    .unwrap()
}

/// For onnxruntime: files of other programs, in the folder ONNX, as they are written again.
#[test]
#[ignore = "takes the .onnx files of the folder that the variable ONNX names"]
fn imported_files() {
    let folder = PathBuf::from(std::env::var("ONNX").expect("a folder"));
    std::fs::create_dir_all(folder.join("again")).unwrap();
    let mut paths: Vec<PathBuf> = (std::fs::read_dir(&folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "onnx"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let start = std::time::Instant::now();
        match import(name, &bytes) {
            Ok(imported) => {
                println!(
                    "{name}: {} nodes, {:?}, {} stages {:?}, {:?}, {} pixels, {:?} {:?} in {:.1?}",
                    imported.graph.nodes.len(),
                    imported.graph.head,
                    imported.graph.stage_count(),
                    imported.graph.taps,
                    imported.head.steps,
                    imported.size,
                    imported.mean_std,
                    imported.warnings,
                    start.elapsed()
                );
                let names = imported.graph.nodes.iter().map(|node| node.name.as_str());
                let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
                println!("    {}", names[..names.len().min(6)].join(" "));
                std::fs::write(folder.join("again").join(name), again(&imported, TENSOR)).unwrap();
            }
            Err(error) => println!("NOT {error}"),
        }
    }
}

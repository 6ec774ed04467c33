//! Promise: a model goes to ONNX and back as the same network; what cannot be read is refused by name, and no bytes do
//! harm.
//!
//! What onnxruntime computes from the files is checked by `tests/fixtures/onnx/check.py`, which takes what
//! `cargo test --test onnx --no-default-features --features data -- --ignored written` leaves in `target/onnx`.

#![cfg(feature = "data")]

mod formula;
mod small;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use formula::fill;
use prost::Message;
use retune::config::{HeadKind, Normalization, Preprocess};
use retune::image::{Rgb, resize};
use retune::network::graph::{Conv, NORM, Op, Padding};
use retune::network::head::HeadSpec;
use retune::network::{Arch, Graph};
use retune::onnx::proto::{self, Entry, NodeProto};
use retune::onnx::{Imported, Input, Model, Options, export, import, package, unpack};
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

/// The convolutions of a network, as they are once norms are part of them and paddings are written out.
fn convs(graph: &Graph, size: usize) -> Vec<Conv> {
    let shapes = graph.shapes([size; 2]).unwrap();
    let each = graph.nodes.iter().filter_map(|node| match &node.op {
        Op::Conv(conv) => {
            let [_, height, width] = shapes[node.inputs[0]];
            let reach = conv.reach();
            let around =
                |axis: usize, size| conv.padding.around(axis, size, reach[axis], conv.stride);
            let [[top, bottom], [left, right]] = [around(0, height), around(1, width)];
            let padding = match [top, left] == [bottom, right] {
                true => Padding::Each([top, left]),
                false => conv.padding,
            };
            Some(Conv {
                bias: false,
                padding,
                ..conv.clone()
            })
        }
        _ => None,
    });
    each.collect()
}

/// Goes through ONNX and back.
fn round_trip(graph: &Graph, head: &HeadSpec, size: usize, options: Options) {
    let tensors = filled(graph, head);
    let classes = ["cat", "dog", "owl"].map(str::to_owned);
    let metadata = BTreeMap::from([("arch".to_owned(), "some".to_owned())]);
    let model = Model {
        graph,
        head,
        preprocess: &preprocess(size),
        classes: &classes,
        metadata: &metadata,
    };
    let get = |name: &str| tensors.get(name).map(Vec::as_slice);
    let file = export(&model, options, get).unwrap();
    assert_eq!(
        export(&model, options, get).unwrap(),
        file,
        "another file for the same model"
    );
    let back = import("back", &file).unwrap();
    assert_eq!(back.head, *head);
    assert_eq!(back.graph.head, graph.head);
    assert_eq!(back.checkpoint.classes.as_deref(), Some(&classes[..]));
    assert_eq!(back.checkpoint.metadata["arch"], "some");
    assert_eq!((back.size, &back.checkpoint.warnings[..]), (size, &[][..]));
    let wanted = (preprocess(size).mean, preprocess(size).std);
    assert_eq!(
        back.mean_std,
        (options.input == Input::Image).then_some(wanted)
    );
    assert_eq!(back.checkpoint.metadata["mean"], "0.485,0.456,0.406");
    assert_eq!(convs(&back.graph, size), convs(graph, size));
    assert_eq!(back.graph.features(), graph.features());
    assert!((1..=4).contains(&back.graph.stage_count()));

    let near = |name: &str, want: &[f64]| {
        let got = &back.checkpoint.tensors[name].data;
        assert_eq!(got.len(), want.len(), "{name}");
        let precision = if options.dtype == SaveAs::F16 && name.ends_with(".weight") {
            1e-3
        } else {
            1e-6
        };
        for (got, want) in got.iter().zip(want) {
            let off = (f64::from(*got) - want).abs();
            assert!(
                off <= precision * want.abs().max(1e-3),
                "{name}: {got} for {want}"
            );
        }
    };
    let wide = |name: String| {
        tensors[&name]
            .iter()
            .map(|v| f64::from(*v))
            .collect::<Vec<_>>()
    };
    let uses = graph.uses();
    for (id, node) in graph.nodes.iter().enumerate() {
        let Op::Conv(conv) = &node.op else {
            continue;
        };
        let norm = graph.nodes.iter().find_map(|user| match &user.op {
            Op::Norm(norm) if user.inputs == [id] && uses[id] == 1 => Some((user, norm)),
            _ => None,
        });
        let mut weight = wide(format!("{}.weight", node.name));
        if let Some((user, norm)) = norm {
            let [gamma, beta, mean, var] = NORM.map(|part| wide(format!("{}.{part}", user.name)));
            let scale = |at: usize| gamma[at] / (var[at] + norm.epsilon).sqrt();
            let inner = weight.len() / conv.output;
            weight
                .iter_mut()
                .enumerate()
                .for_each(|(at, v)| *v *= scale(at / inner));
            let bias: Vec<f64> = (0..conv.output)
                .map(|at| beta[at] - mean[at] * scale(at))
                .collect();
            if !conv.bias {
                near(&format!("{}.bias", node.name), &bias);
            }
        }
        near(&format!("{}.weight", node.name), &weight);
    }
    for (name, _) in head.tensors() {
        near(&name, &wide(name.clone()));
    }
}

#[test]
fn a_model_goes_to_onnx_and_back() {
    let image = Options {
        input: Input::Image,
        ..TENSOR
    };
    let half = Options {
        dtype: SaveAs::F16,
        ..image
    };
    for (name, kind, options) in [
        ("resnet18", HeadKind::Linear, TENSOR),
        ("efficientnet_b0", HeadKind::MlpBn, image),
        ("densenet121", HeadKind::Mlp3, half),
    ] {
        let graph = Arch::from_name(name).unwrap().graph();
        round_trip(
            &graph,
            &HeadSpec::of(kind, graph.features(), 3),
            96,
            options,
        );
    }
    let graph = small::graph();
    for options in [TENSOR, image] {
        round_trip(&graph, &small::head(), small::SIZE, options);
    }
}

/// Bytes go in, whatever they are brought to.
#[test]
fn any_normalisation_comes_back() {
    let (graph, head, tensors) = (small::graph(), small::head(), small::tensors());
    for (mean, std) in [([0.0; 3], [1.0; 3]), ([2.0, 0.5, -1.0], [0.01, 0.5, 40.0])] {
        let model = Model {
            graph: &graph,
            head: &head,
            preprocess: &Preprocess {
                mean,
                std,
                ..preprocess(small::SIZE)
            },
            classes: &["a", "b", "c"].map(str::to_owned),
            metadata: &BTreeMap::new(),
        };
        let options = Options {
            input: Input::Image,
            ..TENSOR
        };
        let file = export(&model, options, |name| tensors.get(name).map(Vec::as_slice)).unwrap();
        let back = import("back", &file).unwrap();
        let (mean_back, std_back) = back.mean_std.unwrap();
        for (got, want) in mean_back.iter().zip(mean).chain(std_back.iter().zip(std)) {
            assert!((got - want).abs() <= 1e-5 * want.abs(), "{got} for {want}");
        }
        let plain = import("plain", &small::file(Input::Tensor)).unwrap();
        assert_eq!(back.graph, plain.graph);
    }
}

/// The zip that is handed out is taken back; other zips are not taken for one.
#[test]
fn a_zip_with_one_model_is_unpacked() {
    let model = small::file(Input::Image);
    let classes = ["a", "b", "c"].map(str::to_owned);
    let zip = package("small", &model, &classes).unwrap();
    let unpacked = unpack("some.zip", &zip).unwrap();
    assert_eq!(
        unpacked,
        Some(("some.zip/model.onnx".to_owned(), model.clone()))
    );
    assert_eq!(unpack("model.onnx", &model).unwrap(), None);
    assert_eq!(unpack("cut.zip", &zip[..zip.len() / 2]).unwrap(), None);
    let mut damaged = zip.clone();
    let at = model.len() / 2;
    damaged[at] ^= 1;
    let error = unpack("damaged.zip", &damaged).unwrap_err().to_string();
    assert!(
        error.starts_with("damaged.zip: model.onnx in it cannot be read"),
        "{error}"
    );
}

/// What is read is written as what was read.
#[test]
fn what_was_read_stays_the_same() {
    let back = import("small", &small::file(Input::Tensor)).unwrap();
    let twice = import("small", &again(&back, TENSOR)).unwrap();
    assert_eq!(twice.graph, back.graph);
    assert_eq!(twice.checkpoint.tensors, back.checkpoint.tensors);
}

/// The reason why the small network is not read once it is changed.
fn refused(change: impl Fn(&mut proto::GraphProto)) -> String {
    let mut model = proto::Model::decode(&small::file(Input::Tensor)[..]).unwrap();
    change(model.graph.as_mut().unwrap());
    let error = import("model.onnx", &model.encode_to_vec()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("model.onnx: "), "{text}");
    text
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let text = |text: &str| Some(text.to_owned());
    let external = refused(|graph| {
        let tensor = &mut graph.initializer[0];
        tensor.raw_data = None;
        tensor.data_location = Some(1);
        tensor.external_data = vec![Entry {
            key: text("location"),
            value: text("model.onnx.data"),
        }];
    });
    assert!(
        external.contains("conv1.weight has its values in model.onnx.data"),
        "{external}"
    );
    assert!(external.contains("save_as_external_data=False"));

    // All that is not known, in one message, also what lies behind it.
    let unknown = refused(|graph| {
        graph.node[1].op_type = text("Clop");
        graph.node[3].op_type = text("If");
        graph.node[4].op_type = text("Clop");
    });
    for part in ["Clop (node relu6_3, pad_6)", "If (node "] {
        assert!(unknown.contains(part), "{unknown}");
    }
    let foreign = refused(|graph| graph.node[0].domain = text("com.microsoft"));
    assert!(
        foreign.contains("Conv of com.microsoft (node conv1)"),
        "{foreign}"
    );

    let swapped = refused(|graph| graph.node.swap(1, 2));
    assert!(
        swapped.contains("takes relu6_3, which nothing before it gives"),
        "{swapped}"
    );
    let cyclic = refused(|graph| graph.node[0].input[0] = text("logits").unwrap());
    assert!(
        cyclic.contains("conv1 takes logits, which nothing before it gives"),
        "{cyclic}"
    );
    let twice = refused(|graph| graph.node[1].output[0] = text("conv1").unwrap());
    assert!(twice.contains("gives a name a second time"), "{twice}");
    let short = refused(|graph| graph.initializer[0].raw_data.as_mut().unwrap().truncate(8));
    assert!(
        short.contains("tensor conv1.weight has 2 values for the shape [8, 3, 3, 3]"),
        "{short}"
    );
    let nan = refused(|graph| {
        let raw = graph.initializer[0].raw_data.as_mut().unwrap();
        raw[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    assert!(
        nan.contains("tensor conv1.weight: element 0 is NaN"),
        "{nan}"
    );
    let planes = refused(|graph| graph.output[0].name = text("conv1"));
    assert!(planes.contains("a linear layer is expected"), "{planes}");

    for bytes in [&b""[..], b"PK\x03\x04", b"\x08\x08", &[0xff; 64]] {
        let error = import("no.onnx", bytes).unwrap_err().to_string();
        assert!(error.contains("is no ONNX file"), "{error}");
    }
}

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: Some(op.to_owned()),
        ..NodeProto::default()
    }
}

fn vector(name: &str, dims: &[i64], values: &[f32]) -> proto::TensorProto {
    proto::TensorProto {
        dims: dims.to_vec(),
        data_type: Some(proto::data_type::FLOAT),
        float_data: values.to_vec(),
        name: Some(name.to_owned()),
        ..proto::TensorProto::default()
    }
}

/// The small network with nodes and tensors put in before its first layer, which takes the last of them.
fn fronted(nodes: Vec<NodeProto>, tensors: Vec<proto::TensorProto>) -> Vec<u8> {
    let mut model = proto::Model::decode(&small::file(Input::Tensor)[..]).unwrap();
    let graph = model.graph.as_mut().unwrap();
    graph.node[0].input[0].clone_from(&nodes.last().unwrap().output[0]);
    graph.initializer.extend(tensors);
    graph.node.splice(0..0, nodes);
    model.encode_to_vec()
}

/// Images are normalised for samples to 1 or to 255, as Caffe's networks take them; brought from one normalisation to
/// another as GoogLeNet does; or by numbers that say nothing, and then refused.
#[test]
fn what_becomes_of_images_is_read_off_the_numbers() {
    let three = |name: &str, values: [f32; 3]| vector(name, &[3, 1, 1], &values);
    let means = [123.68, 116.779, 103.939];
    let caffe = fronted(
        vec![node("Sub", &["input", "mean"], "ready")],
        vec![three("mean", means)],
    );
    let (mean, std) = import("caffe", &caffe).unwrap().mean_std.unwrap();
    for at in 0..3 {
        assert!((mean[at] * 255.0 - means[at]).abs() < 1e-3, "{mean:?}");
        assert!((std[at] * 255.0 - 1.0).abs() < 1e-4, "{std:?}");
    }
    let nodes = || {
        let times = node("Mul", &["input", "times"], "scaled");
        vec![times, node("Add", &["scaled", "plus"], "ready")]
    };
    let googlenet = fronted(
        nodes(),
        vec![
            three("times", [0.458, 0.448, 0.45]),
            three("plus", [-0.03, -0.088, -0.188]),
        ],
    );
    let read = import("googlenet", &googlenet).unwrap();
    assert_eq!(read.mean_std, None);
    let Op::Norm(norm) = &read.graph.nodes[1].op else {
        panic!("{:?}", read.graph.nodes[1]);
    };
    let name = &read.graph.nodes[1].name;
    let values = |part: &str| &read.checkpoint.tensors[&format!("{name}.{part}")].data;
    let deviation = (f64::from(values("running_var")[0]) + norm.epsilon).sqrt();
    assert!((deviation - 1.0).abs() < 1e-7, "{deviation}");
    assert_eq!(values("weight")[..], [0.458, 0.448, 0.45]);
    let far = fronted(
        nodes(),
        vec![three("times", [-1.0; 3]), three("plus", [255.0; 3])],
    );
    let error = import("far.onnx", &far).unwrap_err().to_string();
    assert!(error.contains("neither 0 to 1 nor 0 to 255"), "{error}");
}

/// A layer gets a bias only where nothing else takes what it gives, under another name either.
#[test]
fn a_sum_is_a_bias_where_it_is_the_only_one_to_take_the_output() {
    let with = |also_taken: bool| {
        let mut model = proto::Model::decode(&small::file(Input::Tensor)[..]).unwrap();
        let graph = model.graph.as_mut().unwrap();
        let output = graph.node[0].output[0].clone();
        graph.node[0].input.truncate(2);
        graph.node[0].output[0] = "raw".to_owned();
        graph
            .initializer
            .push(vector("shift", &[8, 1, 1], &[0.5; 8]));
        let mut nodes = vec![node("Identity", &["raw"], "same")];
        if also_taken {
            nodes.push(node("Add", &["same", "shift"], "shifted"));
            nodes.push(node("Add", &["raw", "shifted"], &output));
        } else {
            nodes.push(node("Add", &["same", "shift"], &output));
        }
        graph.node.splice(1..1, nodes);
        let read = import("small", &model.encode_to_vec()).unwrap();
        let Op::Conv(conv) = &read.graph.nodes[1].op else {
            panic!("{:?}", read.graph.nodes[1]);
        };
        conv.bias
    };
    assert!(with(false));
    assert!(!with(true));
}

/// A softmax at the end falls away, a sigmoid with a warning; normalisation before the first layer is reported.
#[test]
fn what_stands_round_a_network_is_understood() {
    let mut model = proto::Model::decode(&small::file(Input::Tensor)[..]).unwrap();
    let graph = model.graph.as_mut().unwrap();
    graph
        .initializer
        .push(vector("mean", &[3, 1, 1], &[127.5, 127.5, 127.5]));
    graph.initializer.push(vector("by", &[], &[1.0 / 127.5]));
    graph.node[0].input[0] = "ready".to_owned();
    graph
        .node
        .insert(0, node("Mul", &["centred", "by"], "ready"));
    graph
        .node
        .insert(0, node("Sub", &["input", "mean"], "centred"));
    graph.node.push(node("Sigmoid", &["logits"], "each"));
    graph.output.truncate(1);
    graph.output[0].name = Some("each".to_owned());
    let read = import("model.onnx", &model.encode_to_vec()).unwrap();
    assert_eq!(read.mean_std, Some(([0.5; 3], [0.5; 3])));
    assert_eq!(read.checkpoint.metadata["mean"], "0.5,0.5,0.5");
    assert!(
        read.checkpoint.warnings[0].contains("sigmoid"),
        "{:?}",
        read.checkpoint.warnings
    );
    let plain = import("model.onnx", &small::file(Input::Tensor)).unwrap();
    assert_eq!(read.graph, plain.graph);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let (graph, head, mut tensors) = (small::graph(), small::head(), small::tensors());
    let classes = ["a", "b", "c"].map(str::to_owned);
    let metadata = BTreeMap::new();
    let refused = |tensors: &HashMap<String, Vec<f32>>, size: usize, classes: &[String]| {
        let model = Model {
            graph: &graph,
            head: &head,
            preprocess: &preprocess(size),
            classes,
            metadata: &metadata,
        };
        let result = export(&model, TENSOR, |name| tensors.get(name).map(Vec::as_slice));
        result.unwrap_err().to_string()
    };
    assert!(refused(&tensors, 2, &classes).contains("gives nothing"));
    assert!(refused(&tensors, small::SIZE, &classes[..2]).contains("2 names for 3 outputs"));
    tensors.get_mut("conv2.bias").unwrap()[3] = f32::INFINITY;
    assert!(refused(&tensors, small::SIZE, &classes).contains("conv2.bias: element 3 is inf"));
    tensors.remove("conv2.weight");
    assert!(refused(&tensors, small::SIZE, &classes).contains("conv2.weight: is missing"));
}

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
    // For torch: a network as a value, and its tensors.
    let tensors: BTreeMap<_, _> = small::tensors().into_iter().collect();
    let value =
        serde_json::json!({"graph": small::graph(), "size": small::SIZE, "tensors": tensors});
    write("small.json", value.to_string().as_bytes());
    write("small.onnx", &small::file(Input::Tensor));
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
                    imported.checkpoint.warnings,
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

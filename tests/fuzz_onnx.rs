//! ONNX files come from strangers: whatever the bytes, there is no panic, no long wait and no large allocation.
#![cfg(feature = "data")]

mod formula;
mod limits;
mod small;

use limits::{Cost, MOST_BYTES};
use prost::Message;
use retune::onnx::proto::{Model, NodeProto};
use retune::onnx::{Input, import};
use retune::random::Random;

/// Changed files of each kind.
const ROUNDS: usize = 2_000;

/// Changes, repeats, removes and cuts pieces.
fn spoil(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(5) {
        let at = random.below(bytes.len().max(1)).min(bytes.len());
        let end = (at + random.below(24)).min(bytes.len());
        match random.below(7) {
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].repeat(random.below(200));
                bytes.splice(at..at, piece);
            }
            4 => {
                bytes.splice(at..at, [0xff; 9]);
            }
            5 if random.below(8) == 0 => bytes.truncate(at),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}

fn pick<'a, T>(from: &'a mut [T], random: &mut Random) -> Option<&'a mut T> {
    let at = random.below(from.len().max(1));
    from.get_mut(at)
}

/// A number that may lie anywhere, most often near something.
fn number(random: &mut Random) -> i64 {
    const ODD: [i64; 8] = [0, -1, 1, 2, i64::MAX, i64::MIN, 1 << 31, 4096];
    match random.below(3) {
        0 => ODD[random.below(ODD.len())],
        1 => random.below(9) as i64 - 4,
        _ => random.below(1 << 20) as i64,
    }
}

/// Changes what the file says, so that it stays a message.
fn lie(model: &mut Model, random: &mut Random) {
    const OPS: [&str; 30] = [
        "Conv",
        "Relu",
        "Add",
        "Mul",
        "Sub",
        "Div",
        "Concat",
        "Reshape",
        "Flatten",
        "Gemm",
        "MatMul",
        "Transpose",
        "Slice",
        "Gather",
        "Shape",
        "Cast",
        "Unsqueeze",
        "Squeeze",
        "Pad",
        "Clip",
        "MaxPool",
        "AveragePool",
        "ReduceMean",
        "Identity",
        "Softmax",
        "Constant",
        "ConstantOfShape",
        "Resize",
        "BatchNormalization",
        "If",
    ];
    let Some(graph) = &mut model.graph else {
        return;
    };
    let names: Vec<String> = (graph.node.iter().flat_map(|node| node.output.clone()))
        .chain(
            graph
                .initializer
                .iter()
                .filter_map(|tensor| tensor.name.clone()),
        )
        .collect();
    for _ in 0..=random.below(4) {
        let kind = random.below(9);
        let name = names[random.below(names.len())].clone();
        let node = pick(&mut graph.node, random);
        match (kind, node) {
            (0, Some(node)) => node.op_type = Some(OPS[random.below(OPS.len())].to_owned()),
            (1, Some(node)) => {
                if let Some(attribute) = pick(&mut node.attribute, random) {
                    attribute.i = Some(number(random));
                    attribute.f = Some(number(random) as f32);
                    for n in &mut attribute.ints {
                        if random.below(2) == 0 {
                            *n = number(random);
                        }
                    }
                }
            }
            (2, Some(node)) => {
                if let Some(input) = pick(&mut node.input, random) {
                    *input = name;
                }
            }
            (3, Some(node)) => node.input.push(name),
            (4, Some(node)) => drop(node.input.pop()),
            (5, Some(node)) => {
                // A node more, of constants or of anything.
                let node = NodeProto {
                    input: vec![name, names[random.below(names.len())].clone()],
                    output: vec![format!("new {}", random.below(1 << 30))],
                    op_type: Some(OPS[random.below(OPS.len())].to_owned()),
                    attribute: node.attribute.clone(),
                    ..NodeProto::default()
                };
                graph.node.push(node);
            }
            (6, _) => {
                if let Some(tensor) = pick(&mut graph.initializer, random) {
                    if let Some(dim) = pick(&mut tensor.dims, random) {
                        *dim = number(random);
                    }
                    if random.below(3) == 0 {
                        tensor.dims.push(number(random));
                        tensor.data_type = Some(random.below(18) as i32);
                    }
                }
            }
            (7, _) => {
                if let Some(tensor) = pick(&mut graph.initializer, random)
                    && let Some(byte) = tensor.raw_data.as_mut().and_then(|raw| pick(raw, random))
                {
                    *byte = random.below(256) as u8;
                }
            }
            _ => {
                let (a, b) = (
                    random.below(graph.node.len()),
                    random.below(graph.node.len()),
                );
                graph.node.swap(a, b);
            }
        }
    }
}

/// One test, so that no other one's allocations are counted.
#[test]
fn changed_files_do_no_harm() {
    let mut cost = Cost::default();
    let mut random = Random::new(3);
    let mut read = [0; 2];
    for input in [Input::Tensor, Input::Image] {
        let file = small::file(input);
        let model = Model::decode(&file[..]).unwrap();
        assert!(import("small", &file).is_ok());
        for round in 0..ROUNDS {
            let mut bytes = file.clone();
            spoil(&mut bytes, &mut random);
            let what = || format!("round {round} of bytes");
            read[0] += usize::from(cost.of(MOST_BYTES, &what, || import("small", &bytes).is_ok()));
            let mut model = model.clone();
            lie(&mut model, &mut random);
            let bytes = model.encode_to_vec();
            let what = || format!("round {round} of lies");
            read[1] += usize::from(cost.of(MOST_BYTES, &what, || import("small", &bytes).is_ok()));
        }
    }
    println!(
        "{read:?} of {} are still read; at worst {cost:?}",
        2 * ROUNDS
    );
    // An empty message is two bytes.
    let empty = [
        &[0x3a][..],
        &[0x80, 0x80, 0x80, 0x04],
        &b"\x0a\0".repeat(1 << 22),
    ]
    .concat();
    let what = || "empty nodes".to_owned();
    let result = cost.of(MOST_BYTES, &what, || import("empty", &empty));
    assert!(result.unwrap_err().to_string().contains("parts"));
}

//! The end of an import: the last layer becomes the head, what is before it the backbone, cut into stages.

use super::network::Network;
use crate::config::HeadKind;
use crate::network::graph::{Activation, Graph, HeadName, Linear, Node, NodeId, Op, Padding};
use crate::network::head::{HeadSpec, Step};
use crate::network::shape::Shape;
use crate::onnx::HEAD_EPSILON;

/// Most stages.
const STAGES: usize = 4;

/// A head that was found at the end of a network.
pub(super) struct Head {
    pub spec: HeadSpec,
    /// The node of each of its steps that has tensors, with the step's number.
    pub nodes: Vec<(NodeId, usize)>,
    pub name: HeadName,
    /// The node that gives the features.
    pub features: NodeId,
    /// Whether a sigmoid stood behind it.
    pub sigmoid: bool,
}

/// Finds the head, which has so many linear layers, at the end of a network.
///
/// # Errors
/// The reason, if the network does not end so.
pub(super) fn head(network: &Network, last: NodeId, layers: usize) -> Result<Head, String> {
    let nodes = &network.nodes;
    let uses = |id: NodeId| {
        nodes
            .iter()
            .flat_map(|node| &node.inputs)
            .filter(|input| **input == id)
            .count()
    };
    let mut at = last;
    let sigmoid = nodes[at].op == Op::Activation(Activation::Sigmoid);
    if sigmoid {
        at = nodes[at].inputs[0];
    }
    // From the end to the beginning.
    let mut steps = Vec::new();
    let mut found = 0;
    let mut name = String::new();
    loop {
        let node = &nodes[at];
        let before = node.inputs.first().copied();
        let (step, has_tensors) = match (&node.op, before) {
            (Op::Linear(Linear { input, output, .. }), Some(_)) => (
                Step::Linear {
                    input: *input,
                    output: *output,
                },
                true,
            ),
            (Op::Conv(conv), Some(before))
                if conv.kernel == [1, 1]
                    && conv.groups == 1
                    && conv.padding == Padding::Each([0; 2])
                    && network.shapes[before][1..] == [1, 1] =>
            {
                (
                    Step::Linear {
                        input: conv.input,
                        output: conv.output,
                    },
                    true,
                )
            }
            (Op::Activation(Activation::Relu), Some(_)) if found > 0 => (Step::Relu, false),
            (Op::Norm(norm), Some(_)) if found > 0 && norm.epsilon == HEAD_EPSILON => {
                (Step::BatchNorm(norm.channels), true)
            }
            (Op::Dropout(p), Some(_)) if found > 0 => (Step::Dropout(*p), false),
            (op, _) => {
                let what = format!("{op:?}");
                let what = what
                    .split(['(', ' '])
                    .next()
                    .unwrap_or_default()
                    .to_lowercase();
                return Err(format!(
                    "ends in a layer of kind {what}, and a linear layer is expected"
                ));
            }
        };
        if found > 0 && uses(at) != 1 {
            return Err("has a head whose layers are used twice".into());
        }
        if matches!(step, Step::Linear { .. }) {
            found += 1;
            if found == 1 {
                name.clone_from(&node.name);
            }
        }
        steps.push((step, has_tensors.then_some(at)));
        at = before.unwrap_or(0);
        if found == layers {
            break;
        }
    }
    while let (Op::Dropout(_), Some(before)) = (&nodes[at].op, nodes[at].inputs.first()) {
        at = *before;
    }
    steps.reverse();
    let spec = HeadSpec {
        steps: steps.iter().map(|(step, _)| *step).collect(),
    };
    let (spec, places) = with_dropout(spec);
    let nodes = steps
        .iter()
        .zip(places)
        .filter_map(|((_, node), place)| Some(((*node)?, place)));
    let name = name.strip_prefix("body.").unwrap_or(&name).to_owned();
    let sequence = match name.rsplit_once('.') {
        Some((before, number)) if number.bytes().all(|b| b.is_ascii_digit()) => before.to_owned(),
        _ => name.clone(),
    };
    Ok(Head {
        nodes: nodes.collect(),
        spec,
        name: HeadName {
            alone: name,
            sequence,
        },
        features: at,
        sigmoid,
    })
}

/// The preset that these steps are without its dropout, which no file has; and the number that each step has then.
fn with_dropout(spec: HeadSpec) -> (HeadSpec, Vec<usize>) {
    let steps = &spec.steps;
    let width = |step: Option<&Step>| match step {
        Some(Step::Linear { input, output }) => Some((*input, *output)),
        _ => None,
    };
    if let (Some((features, _)), Some((_, classes))) = (width(steps.first()), width(steps.last())) {
        for kind in HeadKind::ALL {
            let preset = HeadSpec::of(kind, features, classes);
            let kept = preset
                .steps
                .iter()
                .enumerate()
                .filter(|(_, step)| !matches!(step, Step::Dropout(_)));
            let (places, kept): (Vec<usize>, Vec<Step>) = kept.unzip();
            if kept == *steps {
                return (preset, places);
            }
        }
    }
    let places = (0..steps.len()).collect();
    (spec, places)
}

/// The nodes that the features follow from, renumbered, in stages.
pub(super) fn backbone(
    nodes: Vec<Node>,
    shapes: &[Shape],
    features: NodeId,
    head: HeadName,
) -> Graph {
    let mut needed = vec![false; features + 1];
    needed[0] = true;
    needed[features] = true;
    for id in (0..=features).rev() {
        if needed[id] {
            nodes[id]
                .inputs
                .iter()
                .for_each(|input| needed[*input] = true);
        }
    }
    let mut numbers = vec![0; features + 1];
    let (mut kept, mut kept_shapes): (Vec<Node>, Vec<Shape>) = (Vec::new(), Vec::new());
    for (id, mut node) in nodes.into_iter().take(features + 1).enumerate() {
        if needed[id] {
            node.inputs
                .iter_mut()
                .for_each(|input| *input = numbers[*input]);
            numbers[id] = kept.len();
            kept.push(node);
            kept_shapes.push(shapes[id]);
        }
    }
    let begins = stages(&kept, &kept_shapes);
    let mut taps = Vec::new();
    let mut names = Vec::new();
    for (number, begin) in (1..).zip(&begins) {
        let end = begins.get(number).copied().unwrap_or(kept.len());
        kept[*begin..end]
            .iter_mut()
            .for_each(|node| node.stage = number);
        let name = format!("stage{number}");
        taps.push((name.clone(), end - 1));
        names.push(name);
    }
    Graph {
        nodes: kept,
        stages: names,
        head,
        taps,
    }
}

/// Where the last stages begin: where planes become smaller, or before it, where but one output goes on.
fn stages(nodes: &[Node], shapes: &[Shape]) -> Vec<NodeId> {
    // How many outputs are still to be taken behind each node.
    let mut last_use: Vec<NodeId> = (0..nodes.len()).collect();
    for (id, node) in nodes.iter().enumerate() {
        node.inputs.iter().for_each(|input| last_use[*input] = id);
    }
    let mut alive = vec![0isize; nodes.len() + 1];
    for (id, last) in last_use.iter().enumerate() {
        alive[id] += 1;
        alive[*last] -= 1;
    }
    let mut open = 0;
    let crossing: Vec<isize> = (alive.iter())
        .map(|change| {
            open += change;
            open
        })
        .collect();
    let mut begins: Vec<NodeId> = Vec::new();
    let mut smallest = usize::MAX;
    for (id, [_, height, width]) in shapes.iter().enumerate() {
        let area = height * width;
        if area > 1 && area < smallest {
            if smallest != usize::MAX {
                let least = begins.last().map_or(1, |begin| begin + 1);
                let cut = (least..=id).rev().find(|begin| crossing[begin - 1] == 1);
                begins.extend(cut);
            }
            smallest = area;
        }
    }
    begins.split_off(begins.len().saturating_sub(STAGES))
}

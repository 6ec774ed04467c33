//! Table 1 of He et al. 2015, "Deep Residual Learning for Image Recognition" (arXiv:1512.03385): the `ResNet`s for
//! ImageNet.
//!
//! The paper counts multiply-adds and calls them FLOPs. Its networks are V1: a bottleneck halves the edge in its first
//! 1x1 convolution. Those here are torchvision's V1.5, which halve it in the 3x3 one and cost more.

use serde::Serialize;

use super::{Compared, Row, Table, Why};
use crate::network::Arch;
use crate::network::families::resnet::ResNet;
use crate::network::graph::{Graph, Op};
use crate::network::inspect::Cost;

/// Edge of the paper's images.
const EDGE: usize = 224;

/// A row of the paper's table: a stage of each of the five networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// As the paper calls it.
    pub name: &'static str,
    /// Printed edge of its output, in pixels.
    pub printed_edge: usize,
    /// Edge of the output of our networks.
    pub edge: usize,
    /// What it is made of in each network, in the order of the rows.
    pub networks: Vec<Blocks>,
}

/// What a stage of a network is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocks {
    /// Printed blocks, one behind the other.
    pub printed_count: usize,
    /// Blocks of our network.
    pub count: usize,
    /// The printed layers of a block: kernel and channels of each.
    pub printed_layers: &'static str,
    /// Those of our network.
    pub layers: String,
}

/// Name, network, printed multiply-adds, printed blocks in conv2 to conv5.
const NETWORKS: [(&str, Arch, &str, [usize; 4]); 5] = [
    ("18-layer", Arch::ResNet18, "1.8B", [2, 2, 2, 2]),
    ("34-layer", Arch::ResNet34, "3.6B", [3, 4, 6, 3]),
    ("50-layer", Arch::ResNet50, "3.8B", [3, 4, 6, 3]),
    ("101-layer", Arch::ResNet101, "7.6B", [3, 4, 23, 3]),
    ("152-layer", Arch::ResNet152, "11.3B", [3, 8, 36, 3]),
];

/// Name of a stage, printed edge of its output, printed layers of a block in the two smaller and in the three larger
/// networks.
const STAGES: [(&str, usize, [&str; 2]); 6] = [
    ("conv1", 112, ["7x7, 64"; 2]),
    (
        "conv2_x",
        56,
        ["3x3, 64; 3x3, 64", "1x1, 64; 3x3, 64; 1x1, 256"],
    ),
    (
        "conv3_x",
        28,
        ["3x3, 128; 3x3, 128", "1x1, 128; 3x3, 128; 1x1, 512"],
    ),
    (
        "conv4_x",
        14,
        ["3x3, 256; 3x3, 256", "1x1, 256; 3x3, 256; 1x1, 1024"],
    ),
    (
        "conv5_x",
        7,
        ["3x3, 512; 3x3, 512", "1x1, 512; 3x3, 512; 1x1, 2048"],
    ),
    ("average pool", 1, [""; 2]),
];

/// The table.
#[must_use]
pub fn table() -> Table {
    let rows = NETWORKS.iter().map(|(name, arch, printed, blocks)| {
        let cost = |graph: &Graph| Cost::of(graph, name, EDGE).ok();
        let computed = cost(&arch.graph());
        // Up to 34 layers the shortcuts have no weights (option A): as many multiply-adds as without them.
        let (why, meant) = if matches!(arch, Arch::ResNet18 | Arch::ResNet34) {
            let why = "the paper's shortcuts have no weights here (its option A)";
            (why, ResNet::basic(*blocks).plain().graph())
        } else if *arch == Arch::ResNet50 {
            let why = "the paper's stride sits in the first 1x1 (V1), ours in the 3x3 (V1.5); and the paper's last \
                       digit is cut off, not rounded";
            (why, ResNet::bottleneck(*blocks, 1, 64).v1().graph())
        } else {
            let why = "the paper's stride sits in the first 1x1 (V1), ours in the 3x3 (V1.5)";
            (why, ResNet::bottleneck(*blocks, 1, 64).v1().graph())
        };
        let instead = cost(&meant);
        Row {
            name,
            arch: Some(*arch),
            edge: Some(EDGE),
            computed,
            top1: None,
            parameters: None,
            multiply_adds: Some(Compared::new(
                printed,
                computed.map(|cost| cost.multiply_adds),
                instead.map(|cost| Why::computed(why, cost.multiply_adds)),
            )),
            note: None,
        }
    });
    Table {
        source: "He et al. 2015, table 1 (arXiv:1512.03385)",
        stages: stages(),
        rows: rows.collect(),
    }
}

fn stages() -> Vec<Stage> {
    let graphs = NETWORKS.map(|(_, arch, _, blocks)| (arch.graph(), blocks));
    let stages = STAGES.into_iter().enumerate();
    stages
        .map(|(at, (name, printed_edge, printed_layers))| {
            let networks = graphs
                .iter()
                .zip(NETWORKS)
                .map(|((graph, printed), network)| {
                    let (count, layers) = blocks(graph, at);
                    let large = matches!(
                        network.1,
                        Arch::ResNet50 | Arch::ResNet101 | Arch::ResNet152
                    );
                    Blocks {
                        printed_count: match at {
                            0 => 1,
                            1..=4 => printed[at - 1],
                            _ => 0,
                        },
                        count,
                        printed_layers: printed_layers[usize::from(large)],
                        layers,
                    }
                });
            Stage {
                name,
                printed_edge,
                edge: edge(&graphs[0].0, at),
                networks: networks.collect(),
            }
        })
        .collect()
}

/// Edge of the output of a row of the table.
fn edge(graph: &Graph, at: usize) -> usize {
    let last = match at {
        0 => graph
            .nodes
            .iter()
            .position(|node| matches!(node.op, Op::Conv(_))),
        1..=4 => graph
            .nodes
            .iter()
            .rposition(|node| node.stage == at && node.name != "avgpool"),
        _ => graph.nodes.len().checked_sub(1),
    };
    let shapes = graph.shapes([EDGE; 2]).unwrap_or_default();
    last.and_then(|last| shapes.get(last))
        .map_or(0, |shape| shape[1])
}

/// How many blocks a row of the table has, and what each is made of: the convolutions of a stage but for those of the
/// shortcuts; stage 0 is the stem.
fn blocks(graph: &Graph, at: usize) -> (usize, String) {
    let mut names: Vec<&str> = Vec::new();
    let mut layers = Vec::new();
    let of_stage = graph.nodes.iter().filter(|node| node.stage == at);
    for node in of_stage.filter(|node| !node.name.contains("downsample")) {
        let Op::Conv(conv) = &node.op else { continue };
        let block = node.name.rsplit_once('.').map_or("", |(block, _)| block);
        if names.last() != Some(&block) {
            names.push(block);
        }
        if names.len() == 1 {
            let [rows, columns] = conv.kernel;
            layers.push(format!("{rows}x{columns}, {}", conv.output));
        }
    }
    (names.len(), layers.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::graph::Node;

    #[test]
    fn the_stages_are_the_printed_ones() {
        for stage in stages() {
            assert_eq!(stage.edge, stage.printed_edge, "{}", stage.name);
            for blocks in stage.networks {
                assert_eq!(blocks.count, blocks.printed_count, "{}", stage.name);
                assert_eq!(blocks.layers, blocks.printed_layers, "{}", stage.name);
            }
        }
    }

    #[test]
    fn v1_costs_what_caffe_counts_of_a_resnet_50() {
        // "Net total flops=3858026368 / total params=25556032", github.com/jolibrain/deepdetect/pull/261: the
        // parameters without the 1000 biases of the last layer, the multiply-adds with one for each of a norm's.
        let graph = ResNet::bottleneck([3, 4, 6, 3], 1, 64).v1().graph();
        let cost = Cost::of(&graph, "V1", EDGE).unwrap();
        let norms = graph
            .nodes
            .iter()
            .filter(|node| matches!(node.op, Op::Norm(_)));
        let norms: u64 = norms.map(Node::parameters).sum();
        assert_eq!(cost.multiply_adds + norms, 3_858_026_368);
        assert_eq!(cost.parameters, 25_556_032 + 1000);
    }
}

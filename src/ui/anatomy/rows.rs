//! The rows of the table of layers: each with what it takes, so that the table says all that the drawing shows.
//!
//! What has a name has a row, and so has what brings several outputs together. The rest (`ReLU`, dropout, zeros at the
//! edges) is said where its output is taken: it changes no size and would double the table.

use std::ops::Range;

use super::Anatomy;
use crate::network::graph::{Node, NodeId, Op};
use crate::network::inspect::{self, Layer, kind};

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its layer; of what has no name in a checkpoint the name is given here.
    pub layer: Layer,
    /// The rows that it takes, and what is done to them on the way.
    pub takes: String,
    /// Whether it has a name in a checkpoint.
    pub named: bool,
}

impl Anatomy {
    /// The rows of these nodes.
    #[must_use]
    pub fn rows(&self, nodes: Range<NodeId>) -> Vec<Row> {
        let names = self.names();
        let graph = &self.graph.nodes;
        let shown = nodes.filter(|id| !names[*id].is_empty());
        let row = |id: NodeId| {
            let node = &graph[id];
            let inputs = node.inputs.iter().map(|input| self.output(&names, *input));
            let takes = inputs.collect::<Vec<_>>().join(" and ");
            Row {
                layer: Layer {
                    parameters: node.parameters(),
                    multiply_adds: inspect::multiply_adds(&node.op, self.shapes[id]),
                    ..Layer::plain(&names[id], &kind(&node.op), self.shapes[id].to_vec())
                },
                takes,
                named: !node.name.is_empty(),
            }
        };
        shown.map(row).collect()
    }

    /// What each node is called in the table; nothing where it has no row. What brings outputs together, and the end of
    /// all, are numbered through.
    fn names(&self) -> Vec<String> {
        let nodes = &self.graph.nodes;
        let mut counts = [0; 3];
        let mut name = |id: NodeId, node: &Node| {
            let (at, word) = match node.op {
                _ if !node.name.is_empty() => return node.name.clone(),
                Op::Input(_) => return "image".to_owned(),
                Op::Add => (0, "sum"),
                Op::Concat => (1, "concatenation"),
                Op::Scale => (2, "scaling"),
                _ if id + 1 == nodes.len() => return "features".to_owned(),
                _ => return String::new(),
            };
            counts[at] += 1;
            format!("{word} {}", counts[at])
        };
        let nodes = nodes.iter().enumerate();
        nodes.map(|(id, node)| name(id, node)).collect()
    }

    /// The output of a node in words: `ReLU of sum 2`.
    fn output(&self, names: &[String], id: NodeId) -> String {
        let node = &self.graph.nodes[id];
        match (names[id].as_str(), &node.inputs[..]) {
            ("", [input]) => format!("{} of {}", kind(&node.op), self.output(names, *input)),
            (name, _) => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Arch;

    fn rows(arch: Arch, stage: usize) -> Vec<Row> {
        let anatomy = Anatomy::of(arch, arch.row().size).unwrap();
        anatomy.rows(anatomy.stages[stage].nodes.clone())
    }

    #[test]
    fn a_shortcut_can_be_read_in_the_table() {
        let rows = rows(Arch::ResNet18, 2);
        let of = |name: &str| rows.iter().find(|row| row.layer.name == name).unwrap();
        assert_eq!(of("layer2.0.conv1").takes, "ReLU of sum 2");
        assert_eq!(of("layer2.0.conv2").takes, "ReLU of layer2.0.bn1");
        let sum = of("sum 3");
        assert_eq!(sum.takes, "layer2.0.bn2 and layer2.0.downsample.1");
        assert_eq!((sum.layer.kind.as_str(), sum.named), ("sum", false));
        assert_eq!(sum.layer.output, [128, 28, 28]);
        assert_eq!(of("sum 4").takes, "layer2.1.bn2 and ReLU of sum 3");
    }

    #[test]
    fn concatenations_and_excitations_are_rows_too() {
        let dense = rows(Arch::Densenet121, 1);
        assert_eq!(dense[4].layer.name, "concatenation 1");
        assert_eq!(
            dense[4].takes,
            "features.pool0 and features.denseblock1.denselayer1.conv2"
        );
        let efficient = rows(Arch::EfficientNetB0, 1);
        let scaling = efficient.iter().find(|row| row.layer.name == "scaling 1");
        assert_eq!(
            scaling.unwrap().takes,
            "SiLU of features.1.0.block.0.1 and sigmoid of features.1.0.block.1.fc2"
        );
    }

    #[test]
    fn every_output_is_in_the_table() {
        for arch in Arch::ALL {
            let anatomy = Anatomy::of(*arch, arch.row().size).unwrap();
            let names = anatomy.names();
            let nodes = &anatomy.graph.nodes;
            for (id, name) in names.iter().enumerate() {
                let taken = || nodes.iter().any(|node| node.inputs.contains(&id));
                assert!(!name.is_empty() || taken(), "{arch} {id}");
                let rows = names.iter().filter(|other| *other == name);
                assert!(name.is_empty() || rows.count() == 1, "{arch} {name}");
            }
            let rows = anatomy.rows(0..nodes.len());
            let first = rows.iter().filter(|row| row.takes.is_empty());
            assert_eq!(first.count(), 1, "{arch}: only the image takes nothing");
        }
    }
}

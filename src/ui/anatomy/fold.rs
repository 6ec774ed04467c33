//! A network folded as its authors named it: stages, in them blocks, in them layers.
//!
//! A part is always a run of nodes that follow one another, so that what is between folded parts runs forward as well.

use std::ops::Range;

use crate::network::Graph;
use crate::network::graph::NodeId;

/// Up to so many nodes of a block are shown at once, not folded again.
const FLAT: usize = 40;
/// Fewer nodes than these are not worth a fold.
const FEWEST: usize = 4;

/// A piece of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A single node.
    Node(NodeId),
    /// Several under one name.
    Group(Group),
}

/// Nodes under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What the names of its layers have in common, or the stage's name.
    pub name: String,
    /// Its nodes.
    pub nodes: Range<NodeId>,
    /// What it is made of, in order.
    pub parts: Vec<Part>,
}

impl Part {
    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> Range<NodeId> {
        match self {
            Self::Node(id) => *id..id + 1,
            Self::Group(group) => group.nodes.clone(),
        }
    }
}

/// The parts of the nodes of a stage of that name.
pub(super) fn parts(graph: &Graph, stage: &str, nodes: Range<NodeId>) -> Vec<Part> {
    Level { graph, stage }.parts(nodes, 0, true)
}

/// What is the same for all parts of a stage.
#[derive(Clone, Copy)]
struct Level<'a> {
    graph: &'a Graph,
    stage: &'a str,
}

impl<'a> Level<'a> {
    /// The parts of some nodes whose names agree up to their component `depth`.
    fn parts(self, nodes: Range<NodeId>, depth: usize, top: bool) -> Vec<Part> {
        if !top && nodes.len() <= FLAT {
            return nodes.map(Part::Node).collect();
        }
        let owners = self.owners(nodes.clone(), depth);
        let mut runs: Vec<(Range<NodeId>, Option<&str>)> = Vec::new();
        let mut start = nodes.start;
        for run in owners.chunk_by(|a, b| a == b) {
            let range = start..start + run.len();
            start = range.end;
            runs.push((range, run[0].filter(|_| run.len() >= FEWEST)));
        }
        let groups = runs.iter().filter(|run| run.1.is_some()).count();
        let mut parts = Vec::new();
        for (range, owner) in runs {
            let Some(owner) = owner else {
                parts.extend(range.map(Part::Node));
                continue;
            };
            // One box in a box says nothing, nor does one with the stage's own name.
            if groups == 1 || (top && owner == self.stage) {
                parts.extend(self.parts(range, depth + 1, top));
            } else {
                parts.push(Part::Group(Group {
                    name: self.name(range.clone(), depth),
                    parts: self.parts(range.clone(), depth + 1, false),
                    nodes: range,
                }));
            }
        }
        parts
    }

    /// Component `depth` of each node's name where others follow it; what has no name goes with its neighbours.
    fn owners(self, nodes: Range<NodeId>, depth: usize) -> Vec<Option<&'a str>> {
        let start = nodes.start;
        let mut owners: Vec<Option<&str>> = Vec::with_capacity(nodes.len());
        for id in nodes.clone() {
            let named = (id..nodes.end).find(|id| !self.graph.nodes[*id].name.is_empty());
            let next = named.and_then(|named| component(&self.graph.nodes[named].name, depth));
            let owner = match owners.last() {
                Some(previous) if named != Some(id) && *previous != next => {
                    self.unnamed(id, start, &owners, next)
                }
                _ => next,
            };
            owners.push(owner);
        }
        owners
    }

    /// Where a node without a name belongs that stands between two groups.
    fn unnamed(
        self,
        id: NodeId,
        start: NodeId,
        owners: &[Option<&'a str>],
        next: Option<&'a str>,
    ) -> Option<&'a str> {
        let previous = owners.last().copied().flatten();
        let inputs = &self.graph.nodes[id].inputs;
        if let [input] = inputs[..] {
            // It goes on with what stands before it, or begins a branch.
            return if input + 1 == id { previous } else { next };
        }
        let same = owners.iter().rev().take_while(|owner| **owner == previous);
        let run = start + owners.len() - same.count()..id;
        let taken = |input: &NodeId| {
            let mut takers = self.graph.nodes[run.clone()].iter();
            run.contains(input) || takers.any(|node| node.inputs.contains(input))
        };
        // A shortcut past the group ends in it; branches side by side end behind them.
        previous.filter(|_| inputs.iter().all(taken))
    }

    /// The common name of some nodes, up to component `depth`.
    fn name(self, nodes: Range<NodeId>, depth: usize) -> String {
        let mut names = self.graph.nodes[nodes].iter().map(|node| &node.name);
        let name = names.find(|name| component(name, depth).is_some());
        let components = name.map_or("", String::as_str).split('.').take(depth + 1);
        components.collect::<Vec<_>>().join(".")
    }
}

/// A component of a name, if it is not the last.
fn component(name: &str, depth: usize) -> Option<&str> {
    let mut rest = name.split('.').skip(depth);
    let component = rest.next()?;
    rest.next().map(|_| component)
}

#[cfg(test)]
mod tests {
    use super::super::stage::stages;
    use super::*;
    use crate::network::Arch;

    fn names(parts: &[Part]) -> Vec<&str> {
        let groups = parts.iter().filter_map(|part| match part {
            Part::Group(group) => Some(group.name.as_str()),
            Part::Node(_) => None,
        });
        groups.collect()
    }

    fn tile(parts: &[Part], nodes: &Range<NodeId>) {
        let mut at = nodes.start;
        for part in parts {
            let inside = part.nodes();
            assert_eq!(inside.start, at);
            at = inside.end;
            if let Part::Group(group) = part {
                assert!(group.nodes.len() >= FEWEST);
                tile(&group.parts, &group.nodes);
            }
        }
        assert_eq!(at, nodes.end);
    }

    #[test]
    fn parts_hold_every_node_once_and_in_order() {
        for arch in Arch::ALL {
            let graph = arch.graph();
            let stages = stages(&graph);
            let mut at = 0;
            for stage in &stages {
                assert_eq!(stage.nodes.start, at, "{arch}");
                at = stage.nodes.end;
                tile(&stage.parts, &stage.nodes);
                assert!(
                    stage.parts.len() <= 120,
                    "{arch} {} {}",
                    stage.name,
                    stage.parts.len()
                );
            }
            assert_eq!(at, graph.nodes.len(), "{arch}");
        }
    }

    #[test]
    fn blocks_are_those_of_the_papers() {
        let of = |arch: Arch, stage: usize| stages(&arch.graph())[stage].parts.clone();
        assert_eq!(names(&of(Arch::ResNet18, 4)), ["layer4.0", "layer4.1"]);
        let layers = of(Arch::Densenet121, 1);
        assert_eq!(names(&layers).len(), 7);
        assert_eq!(names(&layers)[0], "features.denseblock1.denselayer1");
        assert_eq!(names(&layers)[6], "features.transition1");
        assert_eq!(names(&of(Arch::Vgg16, 1)), [""; 0]);
    }

    #[test]
    fn a_shortcut_ends_in_its_block() {
        let graph = Arch::ResNet50.graph();
        let stages = stages(&graph);
        for stage in &stages[1..] {
            for part in &stage.parts {
                let Part::Group(block) = part else { continue };
                let last = &graph.nodes[block.nodes.end - 1];
                assert_eq!(
                    last.op,
                    crate::network::graph::Op::Activation(crate::network::graph::Activation::Relu)
                );
                assert_eq!(
                    graph.nodes[block.nodes.end - 2].op,
                    crate::network::graph::Op::Add
                );
            }
        }
    }
}

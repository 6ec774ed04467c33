//! In which order a network runs, and what runs as one: a convolution with the norm, the sum and the `ReLU` behind it.

use std::collections::BTreeSet;

use super::graph::{Activation, Graph, NodeId, Op};

/// What the plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To answer: what only a training does falls away.
    Inference,
    /// To train, with its dropout and stochastic depth.
    Training,
}

/// What runs as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// `act(norm(conv(x)) + residual)`.
    Conv {
        /// The convolution's node.
        conv: NodeId,
        /// That of the norm behind it.
        norm: Option<NodeId>,
        /// Whether `ReLU` follows.
        relu: bool,
    },
    /// `act(norm(x))`, without a convolution before it.
    Norm {
        /// The norm's node.
        norm: NodeId,
        /// Whether `ReLU` follows.
        relu: bool,
    },
    /// A node by itself.
    Node(NodeId),
}

impl Run {
    /// The first of the nodes, whose weights have its name.
    #[must_use]
    pub const fn first(self) -> NodeId {
        match self {
            Self::Conv { conv, .. } => conv,
            Self::Norm { norm, .. } => norm,
            Self::Node(node) => node,
        }
    }
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What runs.
    pub run: Run,
    /// Whose outputs it takes.
    pub inputs: Vec<NodeId>,
    /// Whose output is added.
    pub residual: Option<NodeId>,
    /// Whose output it gives: the last node's of those that run as one.
    pub output: NodeId,
    /// The stage it belongs to.
    pub stage: usize,
    /// Outputs that no later step takes.
    pub last_uses: Vec<NodeId>,
}

/// A network in the order in which it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// Whose output stands for that of each node: its own, or that of the one before what does nothing.
    origins: Vec<NodeId>,
}

impl Plan {
    /// Of a graph. Outputs that a stage passes to a later one, and those with names of their own, are all computed.
    #[must_use]
    pub fn new(graph: &Graph, mode: Mode) -> Self {
        let origins = origins(graph, mode);
        let inputs = |id: NodeId| graph.nodes[id].inputs.iter().map(|input| origins[*input]);
        let mut users: Vec<Vec<NodeId>> = vec![Vec::new(); graph.nodes.len()];
        for (id, origin) in origins.iter().enumerate() {
            if *origin == id {
                inputs(id).for_each(|input| users[input].push(id));
            }
        }
        let mut kept: BTreeSet<NodeId> = graph.taps.iter().map(|(_, id)| origins[*id]).collect();
        for stages in 0..=graph.stage_count() {
            kept.extend(graph.frontier(stages).into_iter().map(|id| origins[id]));
        }
        let mut taken = vec![false; graph.nodes.len()];
        let mut steps = Vec::new();
        for (id, node) in graph.nodes.iter().enumerate() {
            if taken[id] || origins[id] != id || matches!(node.op, Op::Input(_)) {
                continue;
            }
            let next = |end: NodeId| match users[end][..] {
                [user] if !kept.contains(&end) && graph.nodes[user].stage == node.stage => {
                    Some(user)
                }
                _ => None,
            };
            let (mut end, mut norm, mut residual, mut relu) = (id, None, None, false);
            let is_conv = matches!(node.op, Op::Conv(_));
            while let Some(user) = next(end).filter(|user| !taken[*user] && !relu) {
                match &graph.nodes[user].op {
                    Op::Norm(_) if is_conv && end == id => norm = Some(user),
                    Op::Add if is_conv && residual.is_none() => {
                        let other = inputs(user).find(|input| *input != end);
                        if other.is_none() {
                            break;
                        }
                        residual = other;
                    }
                    Op::Activation(Activation::Relu)
                        if is_conv || matches!(node.op, Op::Norm(_)) =>
                    {
                        relu = true;
                    }
                    _ => break,
                }
                taken[user] = true;
                end = user;
            }
            let run = match node.op {
                Op::Conv(_) => Run::Conv {
                    conv: id,
                    norm,
                    relu,
                },
                Op::Norm(_) => Run::Norm { norm: id, relu },
                _ => Run::Node(id),
            };
            steps.push(Step {
                run,
                inputs: inputs(id).collect(),
                residual,
                output: end,
                stage: node.stage,
                last_uses: Vec::new(),
            });
        }
        // A sum waits for both of its sides.
        steps.sort_by_key(|step| step.output);
        let mut seen = BTreeSet::new();
        for step in steps.iter_mut().rev() {
            let uses: BTreeSet<NodeId> =
                (step.inputs.iter().copied()).chain(step.residual).collect();
            step.last_uses = uses.into_iter().filter(|id| seen.insert(*id)).collect();
        }
        Self { steps, origins }
    }

    /// Whose output stands for that of a node.
    #[must_use]
    pub fn origin(&self, id: NodeId) -> NodeId {
        self.origins[id]
    }

    /// Runs the steps of these stages on the outputs that they take from those before: `run` computes one from its
    /// inputs and what is added to it. Gives what the steps behind would take, `wanted`, in order.
    pub fn run<T: Clone>(
        &self,
        stages: impl Fn(usize) -> bool,
        given: Vec<(NodeId, T)>,
        wanted: &[NodeId],
        mut run: impl FnMut(&Step, Vec<T>, Option<T>) -> T,
    ) -> Vec<T> {
        let mut values: Vec<Option<T>> = (0..self.origins.len()).map(|_| None).collect();
        for (id, value) in given {
            values[self.origins[id]] = Some(value);
        }
        let wanted: Vec<NodeId> = wanted.iter().map(|id| self.origins[*id]).collect();
        for step in self.steps.iter().filter(|step| stages(step.stage)) {
            let mut take = |id: NodeId, again: bool| {
                let last = step.last_uses.contains(&id) && !wanted.contains(&id) && !again;
                if last {
                    values[id].take()
                } else {
                    values[id].clone()
                }
            };
            // What is both an input and added is taken once more.
            let all: Vec<NodeId> = step.inputs.iter().copied().chain(step.residual).collect();
            let mut taken = all
                .iter()
                .enumerate()
                .map(|(at, id)| take(*id, all[at + 1..].contains(id)));
            let inputs: Vec<T> = taken.by_ref().take(step.inputs.len()).flatten().collect();
            let residual = taken.next().flatten();
            values[step.output] = Some(run(step, inputs, residual));
        }
        wanted
            .into_iter()
            .filter_map(|id| values[id].clone())
            .collect()
    }
}

/// Whose output stands for that of each node.
fn origins(graph: &Graph, mode: Mode) -> Vec<NodeId> {
    let mut origins: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    for (id, node) in graph.nodes.iter().enumerate() {
        let nothing = match node.op {
            Op::Dropout(p) | Op::StochasticDepth(p) => mode == Mode::Inference || p == 0.0,
            _ => false,
        };
        origins.push(if nothing { origins[node.inputs[0]] } else { id });
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::families::Arch;

    #[test]
    fn a_residual_block_runs_as_its_convolutions() {
        let graph = Arch::ResNet18.graph();
        let plan = Plan::new(&graph, Mode::Inference);
        let convs = (plan.steps.iter()).filter(|step| matches!(step.run, Run::Conv { .. }));
        // 20 convolutions, the stem's pool, the global one.
        assert_eq!(convs.clone().count(), 20);
        assert_eq!(plan.steps.len(), 22);
        let sums = convs.filter(|step| step.residual.is_some()).count();
        assert_eq!(sums, 8);
    }

    #[test]
    fn what_only_a_training_does_is_in_its_plan_alone() {
        let graph = Arch::EfficientNetB0.graph();
        let chance = |mode| {
            let plan = Plan::new(&graph, mode);
            let steps = plan.steps.iter();
            steps
                .filter(|step| {
                    matches!(step.run, Run::Node(id) if matches!(graph.nodes[id].op, Op::StochasticDepth(_)))
                })
                .count()
        };
        assert_eq!(chance(Mode::Inference), 0);
        assert_eq!(chance(Mode::Training), 9);
    }
}

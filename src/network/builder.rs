//! Putting a [`Graph`] together, node by node.

use super::graph::{Activation, Conv, Graph, HeadName, Linear, Lrn, Node, NodeId, Norm, Op, Pool};

/// What torch's `BatchNorm2d` adds to a variance.
pub const EPSILON: f64 = 1e-5;

/// The output of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// Whose.
    pub id: NodeId,
    /// C; of a flattened image not known here.
    pub channels: usize,
}

/// A graph in the making. What is put in belongs to the stage begun last.
#[derive(Debug, Clone)]
pub struct Builder {
    graph: Graph,
    /// Of every batch norm.
    epsilon: f64,
    momentum: f64,
}

impl Builder {
    /// An empty graph, and the images `[N,3,H,W]` that go into it. `head` is what the last layer is called.
    #[must_use]
    pub fn new(head: &str) -> (Self, Value) {
        let graph = Graph {
            nodes: Vec::new(),
            stages: Vec::new(),
            head: HeadName {
                alone: head.to_owned(),
                sequence: head.to_owned(),
            },
            taps: Vec::new(),
        };
        let mut builder = Self {
            graph,
            epsilon: EPSILON,
            momentum: 0.1,
        };
        let images = builder.put(Op::Input(3), &[], "", 3);
        (builder, images)
    }

    /// With another name for a head of several layers.
    #[must_use]
    pub fn sequence_head(mut self, name: &str) -> Self {
        self.graph.head.sequence = name.to_owned();
        self
    }

    /// With another epsilon and momentum of the batch norms.
    #[must_use]
    pub const fn norms(mut self, epsilon: f64, momentum: f64) -> Self {
        self.epsilon = epsilon;
        self.momentum = momentum;
        self
    }

    /// Begins a stage.
    pub fn stage(&mut self, name: &str) {
        self.graph.stages.push(name.to_owned());
    }

    /// Notes that this output has a name of its own.
    pub fn tap(&mut self, name: &str, value: Value) {
        self.graph.taps.push((name.to_owned(), value.id));
    }

    /// A convolution of that name.
    pub fn conv(&mut self, x: Value, name: &str, conv: Conv) -> Value {
        let (input, output) = (x.channels, conv.output);
        self.put(Op::Conv(Conv { input, ..conv }), &[x], name, output)
    }

    /// A batch norm of that name.
    pub fn norm(&mut self, x: Value, name: &str) -> Value {
        self.norm_with(x, name, false)
    }

    /// A batch norm at the end of a block, which begins as nothing.
    pub fn zero_norm(&mut self, x: Value, name: &str) -> Value {
        self.norm_with(x, name, true)
    }

    fn norm_with(&mut self, x: Value, name: &str, zero: bool) -> Value {
        let norm = Norm {
            channels: x.channels,
            epsilon: self.epsilon,
            momentum: self.momentum,
            zero,
        };
        self.put(Op::Norm(norm), &[x], name, x.channels)
    }

    /// A function of each value.
    pub fn activation(&mut self, x: Value, activation: Activation) -> Value {
        self.put(Op::Activation(activation), &[x], "", x.channels)
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, x: Value) -> Value {
        self.activation(x, Activation::Relu)
    }

    /// The largest value under a window.
    pub fn max_pool(&mut self, x: Value, name: &str, pool: Pool) -> Value {
        self.put(Op::MaxPool(pool), &[x], name, x.channels)
    }

    /// The mean under a window.
    pub fn avg_pool(&mut self, x: Value, name: &str, pool: Pool) -> Value {
        self.put(Op::AvgPool(pool), &[x], name, x.channels)
    }

    /// The means of so many rows and columns.
    pub fn adaptive_avg_pool(&mut self, x: Value, name: &str, size: [usize; 2]) -> Value {
        self.put(Op::AdaptiveAvgPool(size), &[x], name, x.channels)
    }

    /// The mean of each plane.
    pub fn global_avg_pool(&mut self, x: Value, name: &str) -> Value {
        self.put(Op::GlobalAvgPool, &[x], name, x.channels)
    }

    /// The sum of what a block computes and its shortcut.
    pub fn add(&mut self, x: Value, shortcut: Value) -> Value {
        self.put(Op::Add, &[x, shortcut], "", x.channels)
    }

    /// One behind the other along the channels.
    pub fn concat(&mut self, values: &[Value]) -> Value {
        let channels = values.iter().map(|value| value.channels).sum();
        self.put(Op::Concat, values, "", channels)
    }

    /// Each plane times its factor.
    pub fn scale(&mut self, x: Value, factors: Value) -> Value {
        self.put(Op::Scale, &[x, factors], "", x.channels)
    }

    /// Times a number.
    pub fn multiply(&mut self, x: Value, by: f64) -> Value {
        self.put(Op::Multiply(by), &[x], "", x.channels)
    }

    /// Zeros added above, left, below, right; what is negative is cut off.
    pub fn pad(&mut self, x: Value, pad: [isize; 4]) -> Value {
        self.put(Op::Pad(pad), &[x], "", x.channels)
    }

    /// Local response normalisation.
    pub fn lrn(&mut self, x: Value, lrn: Lrn) -> Value {
        self.put(Op::Lrn(lrn), &[x], "", x.channels)
    }

    /// Dropout.
    pub fn dropout(&mut self, x: Value, p: f64) -> Value {
        self.put(Op::Dropout(p), &[x], "", x.channels)
    }

    /// Stochastic depth.
    pub fn stochastic_depth(&mut self, x: Value, p: f64) -> Value {
        self.put(Op::StochasticDepth(p), &[x], "", x.channels)
    }

    /// Planes of `height` by `width` to one vector.
    pub fn flatten(&mut self, x: Value, [height, width]: [usize; 2]) -> Value {
        self.put(Op::Flatten, &[x], "", x.channels * height * width)
    }

    /// A linear layer with bias of that name.
    pub fn linear(&mut self, x: Value, name: &str, output: usize) -> Value {
        let linear = Linear {
            input: x.channels,
            output,
            bias: true,
        };
        self.put(Op::Linear(linear), &[x], name, output)
    }

    /// The graph; the last node's output is the features.
    #[must_use]
    pub fn finish(self) -> Graph {
        self.graph
    }

    fn put(&mut self, op: Op, inputs: &[Value], name: &str, channels: usize) -> Value {
        self.graph.nodes.push(Node {
            op,
            inputs: inputs.iter().map(|value| value.id).collect(),
            name: name.to_owned(),
            stage: self.graph.stages.len(),
        });
        let id = self.graph.nodes.len() - 1;
        Value { id, channels }
    }
}

//! A network as one value: its nodes in order. Everything else follows from it: shapes and cost, the tensors of its
//! checkpoint, the frozen forward pass, the trained one with its cut, the table of layers, the drawing, ONNX.

use serde::{Deserialize, Serialize};

/// The number of a node in [`Graph::nodes`].
pub type NodeId = usize;

/// A tensor that a checkpoint is to hold: name and shape.
pub type Shaped = (String, Vec<usize>);

/// The parts of a batch norm, in torch's order.
pub const NORM: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

/// A network from images `[N,3,H,W]` to features `[N,C,1,1]`, which is what its last node gives. What makes classes of
/// them, the head, is no part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// Each after those whose output it takes. The first is [`Op::Input`].
    pub nodes: Vec<Node>,
    /// Names of the stages, the parts that a training freezes or trains as a whole, from the input on; what comes
    /// before the first of them is the stem, stage 0.
    pub stages: Vec<String>,
    /// What the last layer is called in a checkpoint.
    pub head: HeadName,
    /// Nodes whose output has a name of its own, where others show it too: `layer1`.
    pub taps: Vec<(String, NodeId)>,
}

/// What the head is called in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadName {
    /// A lone linear layer.
    pub alone: String,
    /// Several layers: layer i is called this, a dot, i.
    pub sequence: String,
}

/// One operation, and what it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// Whose outputs it takes.
    pub inputs: Vec<NodeId>,
    /// Of what has weights, its name in a checkpoint; of others what it is called in the table of layers, if anything.
    pub name: String,
    /// The stage it belongs to, from 1; 0 is the stem. Never smaller than that of the node before.
    pub stage: usize,
}

/// What a node computes. Shapes are `[N,C,H,W]` all the way; vectors are `[N,C,1,1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// The normalised images, of so many channels.
    Input(usize),
    /// A convolution.
    Conv(Conv),
    /// A batch norm.
    Norm(Norm),
    /// A function of each value by itself.
    Activation(Activation),
    /// The largest value under a window; what is added round the image never wins.
    MaxPool(Pool),
    /// The mean under a window.
    AvgPool(Pool),
    /// The means of so many rows and columns of areas, which may overlap by a pixel (torch's `AdaptiveAvgPool2d`).
    AdaptiveAvgPool([usize; 2]),
    /// The mean of each plane, to `[N,C,1,1]`.
    GlobalAvgPool,
    /// The sum of two.
    Add,
    /// All of them, one behind the other along the channels.
    Concat,
    /// The first, each plane times its number in the second, `[N,C,1,1]`: the end of squeeze and excitation.
    Scale,
    /// Times a number.
    Multiply(f64),
    /// Zeros added above, left, below, right; what is negative is cut off.
    Pad([isize; 4]),
    /// Local response normalisation.
    Lrn(Lrn),
    /// In training, zeroes each value with this probability and scales the others up; else nothing.
    Dropout(f64),
    /// In training, zeroes whole images with this probability and scales the others up (Huang et al. 2016,
    /// arXiv:1603.09382); else nothing.
    StochasticDepth(f64),
    /// `[N,C,H,W]` to `[N,C*H*W,1,1]`.
    Flatten,
    /// A matrix and a bias.
    Linear(Linear),
}

/// A convolution's numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Pixels from one output to the next, in both directions.
    pub stride: usize,
    /// Pixels from one weight to the next, in both directions.
    pub dilation: usize,
    /// Inputs and outputs fall into so many groups.
    pub groups: usize,
    /// What is added round the image.
    pub padding: Padding,
    /// Whether there is a bias.
    pub bias: bool,
}

/// What a window sees beyond the edge of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// So many rows above and below, so many columns left and right.
    Each([usize; 2]),
    /// As many as give `ceil(size / stride)` outputs, the odd one below and right: TensorFlow's SAME.
    Same,
}

/// A batch norm's numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Norm {
    /// Channels.
    pub channels: usize,
    /// Added to the variance.
    pub epsilon: f64,
    /// Share of a batch's statistics in the running ones.
    pub momentum: f64,
    /// Whether a new network has weight 0 here, so that its block begins as its shortcut (Goyal et al. 2017,
    /// arXiv:1706.02677, section 5.1).
    pub zero: bool,
}

/// A function of each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x * sigmoid(x)`.
    Silu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
}

/// The window of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Rows and columns.
    pub kernel: usize,
    /// Pixels from one to the next.
    pub stride: usize,
    /// What is added round the image.
    pub padding: Padding,
    /// Whether a last window that reaches beyond the padded image counts.
    pub ceil: bool,
    /// Whether a mean counts the padding as zeros.
    pub counts_padding: bool,
}

/// `x / (k + alpha / size * sum of the squares of so many neighbouring channels) ^ beta` (Krizhevsky et al. 2012).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Lrn {
    pub size: usize,
    pub alpha: f64,
    pub beta: f64,
    pub k: f64,
}

/// A linear layer's numbers: `[N,input,1,1]` to `[N,output,1,1]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Linear {
    pub input: usize,
    pub output: usize,
    pub bias: bool,
}

impl Conv {
    /// A square kernel of stride 1 in one group without bias, padded so that the size stays.
    #[must_use]
    pub const fn new(output: usize, kernel: usize) -> Self {
        Self::rectangular(output, [kernel; 2])
    }

    /// The same with any odd number of rows and columns.
    #[must_use]
    pub const fn rectangular(output: usize, kernel: [usize; 2]) -> Self {
        Self {
            // Known where it is put into a graph.
            input: 0,
            output,
            kernel,
            stride: 1,
            dilation: 1,
            groups: 1,
            padding: Padding::Each([kernel[0] / 2, kernel[1] / 2]),
            bias: false,
        }
    }

    /// With that stride.
    #[must_use]
    pub const fn stride(mut self, stride: usize) -> Self {
        self.stride = stride;
        self
    }

    /// In so many groups.
    #[must_use]
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// With so many rows and columns of zeros on each side.
    #[must_use]
    pub const fn padding(mut self, padding: usize) -> Self {
        self.padding = Padding::Each([padding; 2]);
        self
    }

    /// With TensorFlow's padding.
    #[must_use]
    pub const fn same(mut self) -> Self {
        self.padding = Padding::Same;
        self
    }

    /// With a bias.
    #[must_use]
    pub const fn bias(mut self) -> Self {
        self.bias = true;
        self
    }

    /// Shape of the weight, `[output, input / groups, rows, columns]`.
    #[must_use]
    pub const fn weight_shape(&self) -> [usize; 4] {
        let [rows, columns] = self.kernel;
        [self.output, self.input / self.groups, rows, columns]
    }
}

impl Pool {
    /// A window with padding, which a mean counts, as torch does when nothing is said.
    #[must_use]
    pub const fn new(kernel: usize, stride: usize, padding: usize) -> Self {
        Self {
            kernel,
            stride,
            padding: Padding::Each([padding; 2]),
            ceil: false,
            counts_padding: true,
        }
    }

    /// Counting a last window that reaches beyond the padded image.
    #[must_use]
    pub const fn ceil(mut self) -> Self {
        self.ceil = true;
        self
    }

    /// With TensorFlow's padding.
    #[must_use]
    pub const fn same(mut self) -> Self {
        self.padding = Padding::Same;
        self
    }

    /// A mean of the image's own pixels only.
    #[must_use]
    pub const fn without_padding_in_mean(mut self) -> Self {
        self.counts_padding = false;
        self
    }
}

impl Node {
    /// Names and shapes of its float tensors in a checkpoint, in torch's order.
    #[must_use]
    pub fn tensors(&self) -> Vec<Shaped> {
        let part = |part: &str, shape: Vec<usize>| (format!("{}.{part}", self.name), shape);
        let bias = |has: bool, n: usize| has.then(|| part("bias", vec![n]));
        match &self.op {
            Op::Conv(conv) => std::iter::once(part("weight", conv.weight_shape().to_vec()))
                .chain(bias(conv.bias, conv.output))
                .collect(),
            Op::Linear(linear) => {
                std::iter::once(part("weight", vec![linear.output, linear.input]))
                    .chain(bias(linear.bias, linear.output))
                    .collect()
            }
            Op::Norm(norm) => NORM.map(|name| part(name, vec![norm.channels])).into(),
            _ => Vec::new(),
        }
    }

    /// Trainable values.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        match &self.op {
            Op::Norm(norm) => 2 * norm.channels as u64,
            _ => (self.tensors().iter())
                .map(|(_, shape)| shape.iter().product::<usize>() as u64)
                .sum(),
        }
    }
}

impl Graph {
    /// Names and shapes of all float tensors of a checkpoint, without the head and without the norms' counters.
    #[must_use]
    pub fn tensors(&self) -> Vec<Shaped> {
        self.nodes.iter().flat_map(Node::tensors).collect()
    }

    /// Channels of each node's output, in order.
    #[must_use]
    pub fn channels(&self) -> Vec<usize> {
        let mut out: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let input = |at: usize| node.inputs.get(at).map_or(0, |id| out[*id]);
            let channels = match &node.op {
                Op::Input(channels) => *channels,
                Op::Conv(conv) => conv.output,
                Op::Linear(linear) => linear.output,
                Op::Concat => node.inputs.iter().map(|id| out[*id]).sum(),
                // What a flattened image becomes depends on its size; the layer behind it knows.
                _ => input(0),
            };
            out.push(channels);
        }
        out
    }

    /// Width of the features, C.
    #[must_use]
    pub fn features(&self) -> usize {
        self.channels().pop().unwrap_or(0)
    }

    /// Number of stages behind the stem.
    #[must_use]
    pub fn stage_count(&self) -> usize {
        self.stages.len()
    }

    /// The name of a stage by its number, as nodes have it; that of stage 0 is "stem".
    #[must_use]
    pub fn stage_name(&self, stage: usize) -> &str {
        match stage.checked_sub(1) {
            Some(behind) => self.stages.get(behind).map_or("", String::as_str),
            None => "stem",
        }
    }

    /// The name of a tensor of the first layer, by which the network is known in a checkpoint.
    #[must_use]
    pub fn mark(&self) -> Option<String> {
        let first = self.nodes.iter().find(|n| matches!(n.op, Op::Conv(_)))?;
        Some(format!("{}.weight", first.name))
    }

    /// The node whose tensors have this name in a checkpoint.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// How many nodes take each one's output.
    #[must_use]
    pub fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        for id in self.nodes.iter().flat_map(|node| &node.inputs) {
            uses[*id] += 1;
        }
        uses
    }

    /// The outputs that cross from the first `stages` stages, and the stem, into what comes behind them; all of it, the
    /// features, where nothing does.
    #[must_use]
    pub fn frontier(&self, stages: usize) -> Vec<NodeId> {
        let last = self.nodes.len().saturating_sub(1);
        if stages >= self.stage_count() {
            return vec![last];
        }
        let behind = self.nodes.iter().filter(|node| node.stage > stages);
        let mut crossing: Vec<NodeId> = behind
            .flat_map(|node| node.inputs.iter().copied())
            .filter(|id| self.nodes[*id].stage <= stages)
            .collect();
        crossing.sort_unstable();
        crossing.dedup();
        crossing
    }

    /// The same network in which nothing is left to chance: without dropout and stochastic depth.
    #[must_use]
    pub fn without_chance(mut self) -> Self {
        for node in &mut self.nodes {
            if let Op::Dropout(p) | Op::StochasticDepth(p) = &mut node.op {
                *p = 0.0;
            }
        }
        self
    }
}

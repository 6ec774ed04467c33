//! The nodes of a network and of its head, one after another.

use super::pools::pads;
use super::writer::{Writer, float, int, ints};
use crate::error::{Error, Result};
use crate::network::Graph;
use crate::network::graph::{Activation, Conv, Linear, Lrn, NORM, NodeId, Norm, Op};
use crate::network::head::{HeadSpec, Step};
use crate::network::shape::Shape;
use crate::onnx::HEAD_EPSILON;

/// The values of a model's tensors.
pub(super) struct Tensors<'t, 'a> {
    pub tensor: &'t dyn Fn(&str) -> Option<&'a [f32]>,
}

impl<'a> Tensors<'_, 'a> {
    fn get(&self, name: &str, shape: &[usize]) -> Result<&'a [f32]> {
        let fail = |reason: String| Error::weights("export", format!("tensor {name}: {reason}"));
        let values = (self.tensor)(name).ok_or_else(|| fail("is missing".into()))?;
        if values.len() != shape.iter().product::<usize>() {
            return Err(fail(format!("{} values for shape {shape:?}", values.len())));
        }
        Ok(values)
    }

    /// What a norm multiplies each channel by, and what it adds then.
    fn norm(&self, name: &str, norm: &Norm) -> Result<(Vec<f64>, Vec<f64>)> {
        let part = |part: &str| self.get(&format!("{name}.{part}"), &[norm.channels]);
        let (weight, bias) = (part("weight")?, part("bias")?);
        let (mean, variance) = (part("running_mean")?, part("running_var")?);
        let scale: Vec<f64> = (weight.iter().zip(variance))
            .map(|(weight, variance)| {
                f64::from(*weight) / (f64::from(*variance) + norm.epsilon).sqrt()
            })
            .collect();
        let shift = (bias.iter().zip(mean).zip(&scale))
            .map(|((bias, mean), scale)| f64::from(*bias) - f64::from(*mean) * scale)
            .collect();
        Ok((scale, shift))
    }
}

/// The output of a node.
#[derive(Clone)]
struct Value {
    name: String,
    /// Whether it is `[N,C]` in the file, and not `[N,C,H,W]`.
    flat: bool,
}

/// A network's nodes as they are written.
pub(super) struct Layers<'w, 'a> {
    pub(super) w: &'w mut Writer,
    graph: &'w Graph,
    shapes: &'w [Shape],
    tensors: &'w Tensors<'w, 'a>,
    values: Vec<Value>,
}

impl<'w, 'a> Layers<'w, 'a> {
    /// Of a network whose nodes' outputs have these shapes.
    pub fn new(
        w: &'w mut Writer,
        graph: &'w Graph,
        shapes: &'w [Shape],
        tensors: &'w Tensors<'w, 'a>,
    ) -> Self {
        Self {
            w,
            graph,
            shapes,
            tensors,
            values: Vec::new(),
        }
    }

    /// From images `[N,3,S,S]` to features `[N,C]`.
    pub fn backbone(&mut self, images: String) -> Result<String> {
        let folded = self.folded();
        for (id, norm) in folded.into_iter().enumerate() {
            let value = self.node(id, &images, norm)?;
            self.values.push(value);
        }
        Ok(self.flat(self.graph.nodes.len() - 1))
    }

    /// For each convolution the norm that becomes part of it: the only one to take its output.
    fn folded(&self) -> Vec<Option<NodeId>> {
        let nodes = &self.graph.nodes;
        let uses = self.graph.uses();
        let mut folded = vec![None; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            if let (Op::Norm(_), [input]) = (&node.op, &node.inputs[..])
                && matches!(nodes[*input].op, Op::Conv(_))
                && uses[*input] == 1
            {
                folded[*input] = Some(id);
                folded[id] = Some(id);
            }
        }
        folded
    }

    fn node(&mut self, id: NodeId, images: &str, folded: Option<NodeId>) -> Result<Value> {
        let graph = self.graph;
        let node = &graph.nodes[id];
        let inputs = &node.inputs;
        let shape = |at: usize| self.shapes[inputs[at]];
        let own = (!node.name.is_empty()).then_some(node.name.as_str());
        let wish = |kind: &str| own.map_or_else(|| format!("{kind}_{id}"), str::to_owned);
        let planes = |name| Value { name, flat: false };
        Ok(match &node.op {
            Op::Input(_) => planes(images.to_owned()),
            Op::Dropout(_) | Op::StochasticDepth(_) => self.values[inputs[0]].clone(),
            Op::Norm(_) if folded.is_some() => self.values[inputs[0]].clone(),
            Op::Conv(conv) => {
                let [_, height, width] = shape(0);
                let x = self.planes(inputs[0]);
                planes(self.conv(conv, &node.name, &x, [height, width], folded)?)
            }
            Op::Norm(norm) => {
                let x = self.values[inputs[0]].clone();
                Value {
                    name: self.norm(norm, &node.name, &node.name, &x.name)?,
                    flat: x.flat,
                }
            }
            Op::Activation(activation) => {
                let x = self.values[inputs[0]].clone();
                Value {
                    name: self.activation(*activation, &x.name, id)?,
                    flat: x.flat,
                }
            }
            Op::MaxPool(pool) => {
                let [_, height, width] = shape(0);
                let x = self.planes(inputs[0]);
                planes(self.max_pool(pool, &x, [height, width], &wish("max_pool")))
            }
            Op::AvgPool(pool) => {
                let [_, height, width] = shape(0);
                let x = self.planes(inputs[0]);
                planes(self.avg_pool(pool, &x, [height, width], &wish("avg_pool")))
            }
            Op::AdaptiveAvgPool(areas) => {
                let [_, height, width] = shape(0);
                let x = self.planes(inputs[0]);
                planes(self.adaptive(*areas, x, [height, width], &wish("avg_pool"))?)
            }
            Op::GlobalAvgPool => {
                let x = self.planes(inputs[0]);
                planes(self.w.op("GlobalAveragePool", &[&x], &wish("mean"), vec![]))
            }
            Op::Add => {
                let [x, y] = [0, 1].map(|at| self.planes(inputs[at]));
                planes(self.w.op("Add", &[&x, &y], &wish("add"), vec![]))
            }
            Op::Concat => {
                let all: Vec<String> = inputs.iter().map(|input| self.planes(*input)).collect();
                let all: Vec<&str> = all.iter().map(String::as_str).collect();
                planes(
                    self.w
                        .op("Concat", &all, &wish("concat"), vec![int("axis", 1)]),
                )
            }
            Op::Scale => {
                let [x, factors] = [0, 1].map(|at| self.planes(inputs[at]));
                planes(self.w.op("Mul", &[&x, &factors], &wish("scale"), vec![]))
            }
            Op::Multiply(by) => {
                let x = self.values[inputs[0]].clone();
                let by = self
                    .w
                    .floats(&format!("multiply_{id}.by"), &[], &[*by as f32])?;
                let name = self.w.op("Mul", &[&x.name, &by], &wish("multiply"), vec![]);
                Value { name, flat: x.flat }
            }
            Op::Pad([top, left, bottom, right]) => {
                let pads = [0, 0, *top, *left, 0, 0, *bottom, *right].map(|n| n as i64);
                let x = self.planes(inputs[0]);
                planes(self.pad(&x, &pads, &wish("pad")))
            }
            Op::Lrn(lrn) => {
                let x = self.planes(inputs[0]);
                planes(self.lrn(lrn, &x, &wish("lrn"))?)
            }
            Op::Flatten => Value {
                name: self.flat(inputs[0]),
                flat: true,
            },
            Op::Linear(linear) => {
                let x = self.flat(inputs[0]);
                let name = &node.name;
                Value {
                    name: self.linear(linear, name, name, &x)?,
                    flat: true,
                }
            }
        })
    }

    /// A node's output as `[N,C,H,W]`.
    fn planes(&mut self, id: NodeId) -> String {
        let Value { name, flat } = self.values[id].clone();
        if !flat {
            return name;
        }
        let axes = self.w.ints(&format!("{name}.axes"), &[2, 3]);
        self.w.op(
            "Unsqueeze",
            &[&name, &axes],
            &format!("{name}.planes"),
            vec![],
        )
    }

    /// A node's output as `[N,C*H*W]`.
    fn flat(&mut self, id: NodeId) -> String {
        let Value { name, flat } = self.values[id].clone();
        if flat {
            return name;
        }
        self.w.op(
            "Flatten",
            &[&name],
            &format!("{name}.flat"),
            vec![int("axis", 1)],
        )
    }

    fn conv(
        &mut self,
        conv: &Conv,
        name: &str,
        x: &str,
        size: [usize; 2],
        norm: Option<NodeId>,
    ) -> Result<String> {
        let shape = conv.weight_shape();
        let weight = self.tensors.get(&format!("{name}.weight"), &shape)?;
        let bias = match conv.bias {
            true => Some(self.tensors.get(&format!("{name}.bias"), &[conv.output])?),
            false => None,
        };
        let norm = match norm.map(|id| &self.graph.nodes[id]) {
            Some(node) => match &node.op {
                Op::Norm(norm) => Some(self.tensors.norm(&node.name, norm)?),
                _ => None,
            },
            None => None,
        };
        let of_weight = format!("{name}.weight");
        let (weight, bias) = match norm {
            None => (
                self.w.matrix(&of_weight, &shape, weight)?,
                bias.map(<[f32]>::to_vec),
            ),
            Some((scale, shift)) => {
                let each = weight
                    .chunks_exact((weight.len() / conv.output).max(1))
                    .zip(&scale);
                let weight: Vec<f32> = each
                    .flat_map(|(part, scale)| {
                        part.iter().map(move |v| (f64::from(*v) * scale) as f32)
                    })
                    .collect();
                let bias = (0..conv.output).map(|at| {
                    let before = bias.map_or(0.0, |bias| f64::from(bias[at]));
                    before.mul_add(scale[at], shift[at]) as f32
                });
                (
                    self.w.matrix(&of_weight, &shape, &weight)?,
                    Some(bias.collect()),
                )
            }
        };
        let mut inputs = vec![x, &weight];
        let bias = match bias {
            Some(bias) => self
                .w
                .floats(&format!("{name}.bias"), &[conv.output], &bias)?,
            None => String::new(),
        };
        if !bias.is_empty() {
            inputs.push(&bias);
        }
        let reach = conv.reach();
        let around = |axis: usize| {
            conv.padding
                .around(axis, size[axis], reach[axis], conv.stride)
        };
        let settings = vec![
            ints("dilations", &[conv.dilation; 2]),
            int("group", conv.groups as i64),
            ints("kernel_shape", &conv.kernel),
            pads(around(0), around(1)),
            ints("strides", &[conv.stride; 2]),
        ];
        Ok(self.w.op("Conv", &inputs, name, settings))
    }

    /// A norm by itself; `of` is what its tensors are called, `name` what it is called in the file.
    fn norm(&mut self, norm: &Norm, of: &str, name: &str, x: &str) -> Result<String> {
        let mut inputs = vec![x.to_owned()];
        for part in NORM {
            let values = self
                .tensors
                .get(&format!("{of}.{part}"), &[norm.channels])?;
            inputs.push(
                self.w
                    .floats(&format!("{name}.{part}"), &[norm.channels], values)?,
            );
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        // Here the momentum is the share of the new, there of the old.
        let settings = vec![
            float("epsilon", norm.epsilon),
            float("momentum", 1.0 - norm.momentum),
        ];
        Ok(self.w.op("BatchNormalization", &inputs, name, settings))
    }

    fn activation(&mut self, activation: Activation, x: &str, id: NodeId) -> Result<String> {
        let w = &mut *self.w;
        Ok(match activation {
            Activation::Relu => w.op("Relu", &[x], &format!("relu_{id}"), vec![]),
            Activation::Relu6 => {
                let least = w.floats(&format!("relu6_{id}.least"), &[], &[0.0])?;
                let most = w.floats(&format!("relu6_{id}.most"), &[], &[6.0])?;
                w.op("Clip", &[x, &least, &most], &format!("relu6_{id}"), vec![])
            }
            Activation::Silu => {
                let sigmoid = w.op("Sigmoid", &[x], &format!("silu_{id}.sigmoid"), vec![]);
                w.op("Mul", &[x, &sigmoid], &format!("silu_{id}"), vec![])
            }
            Activation::Sigmoid => w.op("Sigmoid", &[x], &format!("sigmoid_{id}"), vec![]),
            Activation::Tanh => w.op("Tanh", &[x], &format!("tanh_{id}"), vec![]),
        })
    }

    fn lrn(&mut self, lrn: &Lrn, x: &str, name: &str) -> Result<String> {
        if lrn.size.is_multiple_of(2) {
            let reason = "an even number of neighbours lies otherwise in ONNX than in torch";
            return Err(Error::shape(name, reason));
        }
        let settings = vec![
            float("alpha", lrn.alpha),
            float("beta", lrn.beta),
            float("bias", lrn.k),
            int("size", lrn.size as i64),
        ];
        Ok(self.w.op("LRN", &[x], name, settings))
    }

    /// `of` is what its tensors are called, `name` what it is called in the file.
    fn linear(&mut self, linear: &Linear, of: &str, name: &str, x: &str) -> Result<String> {
        let Linear {
            input,
            output,
            bias,
        } = *linear;
        let shape = [output, input];
        let weight = self.tensors.get(&format!("{of}.weight"), &shape)?;
        let weight = self.w.matrix(&format!("{name}.weight"), &shape, weight)?;
        let mut inputs = vec![x.to_owned(), weight];
        if bias {
            let bias = self.tensors.get(&format!("{of}.bias"), &[output])?;
            inputs.push(self.w.floats(&format!("{name}.bias"), &[output], bias)?);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        Ok(self.w.op("Gemm", &inputs, name, vec![int("transB", 1)]))
    }

    /// From features `[N,C]` to logits `[N,K]`.
    pub fn head(&mut self, head: &HeadSpec, features: String) -> Result<String> {
        let mut x = features;
        for (at, step) in head.steps.iter().enumerate() {
            let of = head.name(at);
            let name = match of.strip_prefix("fc.") {
                Some(number) => format!("{}.{number}", self.graph.head.sequence),
                None => self.graph.head.alone.clone(),
            };
            x = match *step {
                Step::Linear { input, output } => {
                    let linear = Linear {
                        input,
                        output,
                        bias: true,
                    };
                    self.linear(&linear, &of, &name, &x)?
                }
                Step::Relu => self.w.op("Relu", &[&x], &format!("{name}.relu"), vec![]),
                Step::Dropout(_) => x,
                Step::BatchNorm(channels) => {
                    let norm = Norm {
                        channels,
                        epsilon: HEAD_EPSILON,
                        momentum: 0.1,
                        zero: false,
                    };
                    self.norm(&norm, &of, &name, &x)?
                }
            };
        }
        Ok(x)
    }
}

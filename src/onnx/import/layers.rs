//! Nodes of a file that are layers of a network.

use super::constant::Const;
use super::fold::{resolve, squeezed, unsqueezed};
use super::network::{Net, Network};
use super::node::{Fault, View, counted, unknown};
use crate::network::graph::{Activation, Conv, Linear, Lrn, NORM, Norm, Op, Padding};

/// Most groups and neighbours.
const MOST: i64 = 1 << 20;

impl Network {
    /// The layer that a node is; `nets` are those of its inputs that are outputs of the network.
    ///
    /// # Errors
    /// If it is not known.
    pub(super) fn layer(&mut self, view: &View<'_>, nets: &[Option<Net>]) -> Result<Net, Fault> {
        let op = view.op();
        if let ("MatMul", Some(None), Some(Some(x))) = (op, nets.first(), nets.get(1)) {
            return self.averaged_rows(view, x);
        }
        if matches!(op, "Add" | "Sub" | "Mul" | "Div") {
            return self.arithmetic(view, nets);
        }
        let Some(x) = nets.first().and_then(Option::as_ref) else {
            return unknown("of a constant");
        };
        match op {
            "Conv" => self.conv(view, x),
            "BatchNormalization" => self.norm(view, x),
            "Relu" => self.activation(Activation::Relu, x),
            "Sigmoid" => self.activation(Activation::Sigmoid, x),
            "Tanh" => self.activation(Activation::Tanh, x),
            "Swish" if view.float("alpha", 1.0) == 1.0 => self.activation(Activation::Silu, x),
            "Clip" => {
                let bound = |at: usize, name: &str, otherwise: f64| match view.has(at) {
                    true => view.constant(at).and_then(Const::scalar),
                    false => Some(view.float(name, otherwise)),
                };
                match (bound(1, "min", f64::MIN), bound(2, "max", f64::MAX)) {
                    (Some(0.0), Some(6.0)) => self.activation(Activation::Relu6, x),
                    (Some(0.0), Some(most)) if most > 1e30 => self.activation(Activation::Relu, x),
                    _ => unknown("to other bounds than 0 and 6"),
                }
            }
            "MaxPool" | "AveragePool" => self.pool(view, x),
            "GlobalAveragePool" => {
                planes(x)?;
                self.put(Op::GlobalAvgPool, &[x], "")
            }
            "ReduceMean" => self.reduce_mean(view, x),
            "Concat" => self.concat(view, nets),
            "Pad" => self.pad(view, x),
            "LRN" => {
                let size = view.int("size", 0);
                if size % 2 == 0 || !(1..=MOST).contains(&size) {
                    return unknown("of an even number of neighbours");
                }
                planes(x)?;
                let lrn = Lrn {
                    size: size as usize,
                    alpha: view.float("alpha", 1e-4),
                    beta: view.float("beta", 0.75),
                    k: view.float("bias", 1.0),
                };
                self.put(Op::Lrn(lrn), &[x], "")
            }
            "Dropout" => {
                let p = view
                    .constant(1)
                    .and_then(Const::scalar)
                    .unwrap_or(view.float("ratio", 0.5));
                if (0.0..1.0).contains(&p) {
                    self.put(Op::Dropout(p), &[x], "")
                } else {
                    Ok(x.clone())
                }
            }
            "Identity" | "Cast" => Ok(x.clone()),
            "Flatten" => {
                let at = counted(view.int("axis", 1), x.dims.len());
                if at != Some(1) {
                    return unknown("from another axis than the first");
                }
                let rest = x.dims[1..].iter().product();
                self.shaped(x, vec![x.dims[0], rest])
            }
            "Reshape" => {
                let to = view
                    .constant(1)
                    .and_then(Const::as_ints)
                    .or(view.ints("shape"));
                let shape = resolve(&x.dims, to.unwrap_or(&[]), view.int("allowzero", 0) != 0);
                shape.map_or_else(
                    || unknown("to sizes that are computed"),
                    |shape| self.shaped(x, shape),
                )
            }
            "Squeeze" => {
                let axes = view.axes(1, x.dims.len())?;
                self.shaped(x, squeezed(&x.dims, axes.as_deref()))
            }
            "Unsqueeze" => {
                let axes = view.new_axes(x.dims.len())?;
                self.shaped(x, unsqueezed(&x.dims, &axes))
            }
            "Gemm" | "MatMul" => self.linear(view, x),
            "Softmax" | "LogSoftmax" => {
                let last = counted(view.int("axis", -1), x.dims.len());
                if x.dims.len() != 2 || last != Some(1) {
                    return unknown("of planes");
                }
                Ok(Net {
                    softmax: true,
                    ..x.clone()
                })
            }
            _ => unknown(""),
        }
    }

    /// What the layer that a node is is called.
    fn name(&mut self, view: &View<'_>, kind: &str) -> String {
        let weight = view.node.input.get(1).map_or("", String::as_str);
        let weight = self.origin(weight).to_owned();
        let own = view.node.name.as_deref().unwrap_or("");
        self.names.of(&weight, own, kind)
    }

    pub(super) fn activation(&mut self, activation: Activation, x: &Net) -> Result<Net, Fault> {
        let out = self.put(Op::Activation(activation), &[x], "")?;
        Ok(Net {
            dims: x.dims.clone(),
            ..out
        })
    }

    fn conv(&mut self, view: &View<'_>, x: &Net) -> Result<Net, Fault> {
        let [input, height, width] = planes(x)?;
        let Some(weight) = view.constant(1) else {
            return unknown("with a kernel that is computed");
        };
        let &[output, per_group, rows, columns] = &weight.shape[..] else {
            return unknown(format!("with a kernel {:?}", weight.shape));
        };
        let kernel = view.pair("kernel_shape", 1, [rows, columns])?;
        let group = view.int("group", 1);
        let groups = usize::try_from(group)
            .ok()
            .filter(|_| (1..=MOST).contains(&group));
        let groups = groups.filter(|groups| per_group.checked_mul(*groups) == Some(input));
        let (Some(groups), true) = (groups, kernel == [rows, columns]) else {
            return unknown("whose kernel does not fit");
        };
        let [stride, across] = view.pair("strides", 1, [1; 2])?;
        let [dilation, along] = view.pair("dilations", 1, [1; 2])?;
        if stride != across || dilation != along {
            return unknown("of another stride or dilation down than across");
        }
        let mut conv = Conv {
            input,
            output,
            kernel,
            stride,
            dilation,
            groups,
            padding: Padding::Same,
            bias: view.has(2),
        };
        let mut x = x.clone();
        if let Some(mut pads) = view.pads()? {
            let mut size = [height, width];
            // Zeros that a node of their own adds.
            if let Op::Pad(zeros) = self.nodes[x.id].op
                && pads == [0; 4]
                && zeros.iter().all(|n| *n >= 0)
            {
                let before = self.nodes[x.id].inputs[0];
                let [_, height, width] = self.shapes[before];
                pads = zeros.map(isize::unsigned_abs);
                size = [height, width];
                x = Net {
                    id: before,
                    dims: vec![x.dims[0], input, height, width],
                    softmax: false,
                };
            }
            let [top, left, bottom, right] = pads;
            let reach = conv.reach();
            let same = |axis: usize| Padding::Same.around(axis, size[axis], reach[axis], stride);
            if [top, left] == [bottom, right] {
                conv.padding = Padding::Each([top, left]);
            } else if [same(0), same(1)] != [[top, bottom], [left, right]] {
                conv.padding = Padding::Each([0; 2]);
                let zeros = pads.map(|n| n as isize);
                x = self.put(Op::Pad(zeros), &[&x], "")?;
            }
        }
        let name = self.name(view, "conv");
        let out = self.put(Op::Conv(conv.clone()), &[&x], &name)?;
        self.keep(format!("{name}.weight"), &conv.weight_shape(), weight)?;
        if conv.bias {
            let Some(bias) = view.constant(2) else {
                return unknown("with a bias that is computed");
            };
            self.keep(format!("{name}.bias"), &[output], bias)?;
        }
        Ok(out)
    }

    fn norm(&mut self, view: &View<'_>, x: &Net) -> Result<Net, Fault> {
        if view.int("training_mode", 0) != 0 {
            return unknown("in training");
        }
        let parts: Option<Vec<&Const>> = (1..5).map(|at| view.constant(at)).collect();
        let Some(parts) = parts else {
            return unknown("by numbers that are computed");
        };
        let channels = parts[0].len();
        let norm = Norm {
            channels,
            epsilon: view.float("epsilon", 1e-5),
            // There the momentum is the share of the old, here of the new.
            momentum: ((1.0 - view.float("momentum", 0.9)) * 1e6).round() / 1e6,
            zero: false,
        };
        if parts.iter().any(|part| part.shape != [channels]) {
            return unknown("whose tensors do not fit");
        }
        let name = self.name(view, "norm");
        let out = self.put(Op::Norm(norm), &[x], &name)?;
        for (part, values) in NORM.into_iter().zip(parts) {
            self.keep(format!("{name}.{part}"), &[channels], values)?;
        }
        Ok(out)
    }

    fn concat(&mut self, view: &View<'_>, nets: &[Option<Net>]) -> Result<Net, Fault> {
        let all: Option<Vec<&Net>> = nets.iter().map(Option::as_ref).collect();
        let Some(all) = all else {
            return unknown("of constants");
        };
        let rank = all[0].dims.len();
        if counted(view.int("axis", 0), rank) != Some(1)
            || all.iter().any(|net| net.dims.len() != rank)
        {
            return unknown("along another axis than the channels");
        }
        self.put(Op::Concat, &all, "")
    }

    fn pad(&mut self, view: &View<'_>, x: &Net) -> Result<Net, Fault> {
        planes(x)?;
        let given = if view.has(1) {
            view.constant(1).and_then(Const::as_ints)
        } else {
            view.ints("pads")
        };
        let zero = if view.has(2) {
            view.constant(2).and_then(Const::scalar)
        } else {
            Some(view.float("value", 0.0))
        };
        let constant = matches!(view.text("mode"), None | Some("constant"));
        let (Some(given), Some(0.0), true) = (given, zero, constant) else {
            return unknown("with anything but zeros");
        };
        let axes = view.axes(3, 4)?.unwrap_or_else(|| (0..4).collect());
        let most = super::front::MOST_SIZE as u64;
        if given.len() != 2 * axes.len() || given.iter().any(|n| n.unsigned_abs() > most) {
            return unknown("of another number of axes");
        }
        let mut pads = [0isize; 8];
        for (at, axis) in axes.iter().enumerate() {
            pads[*axis] = given[at] as isize;
            pads[4 + axis] = given[axes.len() + at] as isize;
        }
        let [n, c, top, left, after_n, after_c, bottom, right] = pads;
        if [n, c, after_n, after_c] != [0; 4] {
            return unknown("of channels");
        }
        if [top, left, bottom, right] == [0; 4] {
            return Ok(x.clone());
        }
        self.put(Op::Pad([top, left, bottom, right]), &[x], "")
    }

    /// The same values in other sizes.
    fn shaped(&mut self, x: &Net, dims: Vec<usize>) -> Result<Net, Fault> {
        let [channels, height, width] = self.shapes[x.id];
        let kept = |dims: Vec<usize>| Ok(Net { dims, ..x.clone() });
        if dims == x.dims {
            return kept(dims);
        }
        let Some((&batch, rest)) = dims.split_first() else {
            return unknown("of planes");
        };
        // A result without a batch is one of a batch of one.
        if dims == [channels] && x.dims[0] == 1 && height * width == 1 {
            return kept(vec![1, channels]);
        }
        let others = || rest.iter().filter(|n| **n != 1);
        let vector = height * width == 1
            && (others().eq([&channels]) || (channels == 1 && others().count() == 0));
        if batch == x.dims[0] && vector {
            return kept(dims);
        }
        if batch == x.dims[0] && rest == [channels * height * width] {
            let out = self.put(Op::Flatten, &[x], "")?;
            return kept_as(out, dims);
        }
        let sizes: Vec<i64> = dims.iter().map(|n| *n as i64).collect();
        unknown(format!("to {}", super::node::listed(&sizes)))
    }

    /// A matrix, with a bias or without.
    fn linear(&mut self, view: &View<'_>, x: &Net) -> Result<Net, Fault> {
        let Some(matrix) = view.constant(1).filter(|m| m.shape.len() == 2) else {
            return unknown("of no matrix that is known");
        };
        if x.dims.len() == 4 && view.op() == "MatMul" {
            return self.averaged_columns(matrix, x);
        }
        let turned = view.op() == "Gemm" && view.int("transB", 0) != 0;
        if x.dims.len() != 2 || view.int("transA", 0) != 0 {
            return unknown("of planes");
        }
        if view.float("alpha", 1.0) != 1.0 || (view.has(2) && view.float("beta", 1.0) != 1.0) {
            return unknown("times a number");
        }
        let (mut output, mut input) = (matrix.shape[0], matrix.shape[1]);
        let name = self.name(view, "linear");
        if !turned {
            (input, output) = (output, input);
        }
        let bias = view.has(2);
        let out = self.put(
            Op::Linear(Linear {
                input,
                output,
                bias,
            }),
            &[x],
            &name,
        )?;
        let mut weight = matrix.clone();
        if !turned {
            let Some(values) = matrix.as_floats() else {
                return unknown("of whole numbers");
            };
            let column = |at: usize| values[at..].iter().step_by(output).copied();
            let values: Vec<f32> = (0..output).flat_map(column).collect();
            weight = Const {
                dtype: matrix.dtype,
                ..Const::floats(vec![output, input], values)
            };
        }
        self.keep(format!("{name}.weight"), &[output, input], &weight)?;
        if bias {
            let Some(bias) = view.constant(2) else {
                return unknown("with a bias that is computed");
            };
            self.keep(format!("{name}.bias"), &[output], bias)?;
        }
        Ok(out)
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the end of a function that fails")]
fn kept_as(net: Net, dims: Vec<usize>) -> Result<Net, Fault> {
    Ok(Net { dims, ..net })
}

/// Channels, rows and columns of what is `[N,C,H,W]`.
pub(super) fn planes(x: &Net) -> Result<[usize; 3], Fault> {
    match x.dims[..] {
        [_, channels, height, width] => Ok([channels, height, width]),
        _ => unknown(format!("of {} axes", x.dims.len())),
    }
}

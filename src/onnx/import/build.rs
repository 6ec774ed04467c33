//! Nodes and tensors of the network as they are put in.

use std::rc::Rc;

use super::constant::Const;
use super::network::{Net, Network, Tensor};
use super::node::{Fault, unknown};
use crate::network::graph::{NORM, Node, Norm, Op};
use crate::network::shape::{self, Shape};

/// Most values of one image's output.
const MOST_VALUES: usize = 1 << 28;

/// Added to the variance of a norm that stands for a product and a sum: a training would divide by nothing else where all
/// values are the same.
const AFFINE_EPSILON: f64 = 1e-5;

impl Network {
    /// Puts a node in, whose output has the same number of axes as that of its first input, or four.
    ///
    /// # Errors
    /// If it does not fit what it takes.
    pub fn put(&mut self, op: Op, inputs: &[&Net], name: &str) -> Result<Net, Fault> {
        let node = Node {
            op,
            inputs: inputs.iter().map(|net| net.id).collect(),
            name: name.to_owned(),
            stage: 0,
        };
        let shape = shape::output(&node, &self.shapes);
        let values = |shape: &Shape| shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        let fits = |shape: &Shape| values(shape).is_some_and(|n| (1..=MOST_VALUES).contains(&n));
        let Some(shape) = shape.filter(fits) else {
            let sizes: Vec<String> = inputs
                .iter()
                .take(4)
                .map(|net| format!("{:?}", net.dims))
                .collect();
            return unknown(format!("does not fit {}", sizes.join(" and ")));
        };
        let (batch, rank) = inputs
            .first()
            .map_or((1, 4), |net| (net.dims[0], net.dims.len()));
        let mut dims = [&[batch][..], &shape[..]].concat();
        if rank != 4 && shape[1..] == [1, 1] {
            dims.truncate(2);
        }
        self.nodes.push(node);
        self.shapes.push(shape);
        Ok(Net {
            id: self.nodes.len() - 1,
            dims,
            softmax: false,
        })
    }

    /// Keeps a tensor of a layer.
    ///
    /// # Errors
    /// If it is no tensor of numbers, has another shape, or a number that is not finite; if the file's tensors are taken
    /// too often.
    pub fn keep(&mut self, name: String, shape: &[usize], constant: &Const) -> Result<(), Fault> {
        let Some(data) = constant
            .as_floats()
            .filter(|data| data.len() == shape.iter().product::<usize>())
        else {
            return unknown(format!("with a tensor {:?} for {name}", constant.shape));
        };
        self.take(data.len())?;
        crate::weights::check_finite(data).map_err(|reason| format!("tensor {name}: {reason}"))?;
        self.tensors.push(Tensor {
            name,
            shape: shape.to_vec(),
            dtype: constant.dtype,
            data: Rc::clone(data),
        });
        Ok(())
    }

    fn take(&mut self, values: usize) -> Result<(), Fault> {
        match self.budget.checked_sub(values) {
            Some(rest) => self.budget = rest,
            None => {
                return Err(Fault::Broken(
                    "the same values are taken again and again".into(),
                ));
            }
        }
        Ok(())
    }

    /// Each channel times a number, plus a number: a norm whose mean is 0 and whose variance with epsilon is 1.
    pub fn affine(
        &mut self,
        x: &Net,
        times: Vec<f32>,
        plus: Vec<f32>,
        name: &str,
    ) -> Result<Net, Fault> {
        let channels = times.len();
        let norm = Norm {
            channels,
            epsilon: AFFINE_EPSILON,
            momentum: 0.1,
            zero: false,
        };
        let variance = 1.0 - AFFINE_EPSILON as f32;
        let out = self.put(Op::Norm(norm), &[x], name)?;
        for (part, values) in
            NORM.into_iter()
                .zip([times, plus, vec![0.0; channels], vec![variance; channels]])
        {
            let values = Const::floats(vec![channels], values);
            self.keep(format!("{name}.{part}"), &[channels], &values)?;
        }
        Ok(out)
    }
}

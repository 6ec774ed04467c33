//! Sums and products of a file: of two outputs, or of one and a constant.

use super::constant::Const;
use super::network::{Net, Network};
use super::node::{Fault, View, unknown};
use crate::network::graph::{Activation, Op};

impl Network {
    pub(super) fn arithmetic(
        &mut self,
        view: &View<'_>,
        nets: &[Option<Net>],
    ) -> Result<Net, Fault> {
        match (nets, view.op()) {
            ([Some(x), Some(y)], "Add") if x.dims == y.dims => self.put(Op::Add, &[x, y], ""),
            ([Some(x), Some(y)], "Mul") => self.product(x, y),
            ([Some(x), None], op) => self.with_constant(view, x, 1, op),
            ([None, Some(x)], "Add" | "Mul") => self.with_constant(view, x, 0, view.op()),
            _ => unknown("of these two"),
        }
    }

    fn product(&mut self, x: &Net, y: &Net) -> Result<Net, Fault> {
        for (x, sigmoid) in [(x, y), (y, x)] {
            let node = &self.nodes[sigmoid.id];
            if node.op == Op::Activation(Activation::Sigmoid)
                && node.inputs == [x.id]
                && x.dims == sigmoid.dims
            {
                return self.activation(Activation::Silu, x);
            }
        }
        for (x, factors) in [(x, y), (y, x)] {
            if x.dims.len() == 4 && factors.dims.len() == 4 && factors.dims[2..] == [1, 1] {
                return self.put(Op::Scale, &[x, factors], "");
            }
        }
        unknown("of two planes")
    }

    /// With the constant that is the input of that number.
    fn with_constant(
        &mut self,
        view: &View<'_>,
        x: &Net,
        at: usize,
        op: &str,
    ) -> Result<Net, Fault> {
        let Some(constant) = view.constant(at).filter(|c| c.as_floats().is_some()) else {
            return unknown("with what is no number");
        };
        let [channels, ..] = self.shapes[x.id];
        let rank = x.dims.len();
        // Lined up at the last axis, one number for all or one for each channel.
        let along = |at: usize| at + rank == 1 + constant.shape.len();
        let fits = constant.shape.len() <= rank
            && constant
                .shape
                .iter()
                .enumerate()
                .all(|(at, n)| *n == 1 || (along(at) && *n == channels));
        if !fits {
            return unknown(format!("with a constant {:?}", constant.shape));
        }
        if let Some(number) = constant.scalar().filter(|_| channels != 1) {
            match op {
                "Mul" => return self.put(Op::Multiply(number), &[x], ""),
                "Div" if number != 0.0 => return self.put(Op::Multiply(number.recip()), &[x], ""),
                "Add" | "Sub" if number == 0.0 => return Ok(x.clone()),
                _ => {}
            }
        }
        if op == "Add"
            && constant.len() == channels
            && self.is_taken_once(x.id)
            && self.add_bias(x, constant)?
        {
            return Ok(x.clone());
        }
        let each: Vec<f64> = (0..channels)
            .filter_map(|channel| constant.at(if constant.len() == 1 { 0 } else { channel }))
            .collect();
        let of = |f: fn(f64) -> f64| each.iter().map(|v| f(*v) as f32).collect::<Vec<_>>();
        let same = |value: f32| vec![value; channels];
        let (times, plus) = match op {
            "Add" => (same(1.0), of(|v| v)),
            "Sub" => (same(1.0), of(|v| -v)),
            "Mul" => (of(|v| v), same(0.0)),
            _ => (of(f64::recip), same(0.0)),
        };
        let name = self
            .names
            .of("", view.node.name.as_deref().unwrap_or(""), "affine");
        self.affine(x, times, plus, &name)
    }

    /// Gives the layer that made `x` a bias, if it has none.
    fn add_bias(&mut self, x: &Net, bias: &Const) -> Result<bool, Fault> {
        let node = &mut self.nodes[x.id];
        match &mut node.op {
            Op::Conv(conv) if !conv.bias => conv.bias = true,
            Op::Linear(linear) if !linear.bias => linear.bias = true,
            _ => return Ok(false),
        }
        let name = format!("{}.bias", node.name);
        self.keep(name, &[bias.len()], &bias.reshaped(vec![bias.len()]))?;
        Ok(true)
    }
}

//! A graph that a file brings: nothing in it is believed.

use std::collections::BTreeSet;

use super::graph::{Conv, Graph, Node, Op, Padding, Pool};

/// Most nodes; the largest networks have a tenth of it.
const NODES: usize = 20_000;

/// Most rows, columns or steps of a window.
const WINDOW: usize = 1024;

/// Most channels.
const CHANNELS: usize = 1 << 20;

/// Most values between two layers for one image.
const VALUES: usize = 1 << 27;

impl Graph {
    /// Checks that it can be run on square images of that edge, and that no number in it is absurd.
    ///
    /// # Errors
    /// The reason, naming the node.
    pub fn check(&self, size: usize) -> Result<(), String> {
        if self.nodes.len() > NODES {
            return Err(format!("has more than {NODES} nodes"));
        }
        if !matches!(self.nodes.first().map(|node| &node.op), Some(Op::Input(3))) {
            return Err("does not begin with images of three channels".into());
        }
        let mut stage = 0;
        let mut names = BTreeSet::new();
        for (id, node) in self.nodes.iter().enumerate() {
            let called = |what: &str| format!("node {id} {:?} {what}", node.name);
            if node.stage < stage || node.stage > self.stages.len() {
                return Err(called("is in a stage out of order"));
            }
            stage = node.stage;
            if id > 0 && matches!(node.op, Op::Input(_)) {
                return Err(called("is a second input"));
            }
            if !is_sound(node) {
                return Err(called("has a number that no network has"));
            }
            let weighted = matches!(node.op, Op::Conv(_) | Op::Norm(_) | Op::Linear(_));
            if weighted && (node.name.is_empty() || !names.insert(&node.name)) {
                return Err(called("has no name of its own"));
            }
        }
        if let Some((name, _)) = self.taps.iter().find(|(_, id)| *id >= self.nodes.len()) {
            return Err(format!("names an output {name:?} that is not there"));
        }
        let shapes = self.shapes([size; 2])?;
        let large = |shape: &[usize; 3]| {
            let values = shape.iter().try_fold(1usize, |all, n| all.checked_mul(*n));
            values.is_none_or(|values| values > VALUES)
        };
        if shapes.iter().any(large) {
            return Err("is larger between two layers than a tab can hold".into());
        }
        match shapes.last() {
            Some([_, 1, 1]) => Ok(()),
            _ => Err("does not end in features".into()),
        }
    }
}

fn is_sound(node: &Node) -> bool {
    let channels = |n: usize| (1..=CHANNELS).contains(&n);
    let probability = |p: f64| (0.0..1.0).contains(&p);
    match &node.op {
        Op::Conv(conv) => {
            let Conv {
                input,
                output,
                kernel,
                stride,
                dilation,
                groups,
                padding,
                ..
            } = conv;
            let window = kernel.iter().chain([stride, dilation]);
            channels(*input)
                && channels(*output)
                && channels(*groups)
                && window.into_iter().all(|n| (1..=WINDOW).contains(n))
                && is_small(*padding)
        }
        Op::MaxPool(pool) | Op::AvgPool(pool) => {
            let Pool {
                kernel,
                stride,
                padding,
                ..
            } = pool;
            // A window of nothing but padding has no value.
            let padded = match padding {
                Padding::Each(each) => each.iter().all(|n| 2 * n <= *kernel),
                Padding::Same => true,
            };
            [kernel, stride]
                .into_iter()
                .all(|n| (1..=WINDOW).contains(n))
                && is_small(*padding)
                && padded
        }
        Op::AdaptiveAvgPool(size) => size.iter().all(|n| (1..=WINDOW).contains(n)),
        Op::Norm(norm) => {
            channels(norm.channels)
                && norm.epsilon > 0.0
                && norm.epsilon < 1.0
                && probability(norm.momentum)
        }
        Op::Linear(linear) => linear.input <= 1 << 24 && channels(linear.output),
        Op::Multiply(by) => by.is_finite(),
        Op::Pad(pad) => pad.iter().all(|n| n.unsigned_abs() <= WINDOW),
        Op::Lrn(lrn) => {
            (1..=WINDOW).contains(&lrn.size)
                && [lrn.alpha, lrn.beta, lrn.k].iter().all(|n| n.is_finite())
        }
        Op::Dropout(p) | Op::StochasticDepth(p) => probability(*p),
        Op::Add | Op::Scale => node.inputs.len() == 2,
        Op::Concat => !node.inputs.is_empty(),
        Op::Input(_) | Op::Activation(_) | Op::GlobalAvgPool | Op::Flatten => true,
    }
}

const fn is_small(padding: Padding) -> bool {
    match padding {
        Padding::Each([rows, columns]) => rows <= WINDOW && columns <= WINDOW,
        Padding::Same => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Arch;

    #[test]
    fn every_network_here_is_sound() {
        for &arch in Arch::ALL {
            assert_eq!(arch.graph().check(arch.row().size), Ok(()), "{arch}");
        }
    }

    #[test]
    fn what_a_file_makes_up_is_refused() {
        let refused = |change: fn(&mut Graph)| {
            let mut graph = Arch::ResNet18.graph();
            change(&mut graph);
            graph.check(64).unwrap_err()
        };
        refused(|graph| graph.nodes[5].inputs = vec![9]);
        refused(|graph| graph.nodes[5].inputs.clear());
        refused(|graph| graph.nodes[7].stage = 40);
        refused(|graph| graph.nodes[1].name.clear());
        refused(|graph| graph.taps.push(("x".into(), 1 << 40)));
        refused(|graph| graph.nodes.clear());
        refused(|graph| graph.nodes.truncate(3));
        refused(|graph| {
            if let Op::Conv(conv) = &mut graph.nodes[1].op {
                conv.padding = Padding::Each([usize::MAX; 2]);
            }
        });
        refused(|graph| {
            if let Op::Conv(conv) = &mut graph.nodes[1].op {
                conv.stride = 0;
            }
        });
        refused(|graph| graph.nodes[3].op = Op::Multiply(f64::NAN));
    }
}

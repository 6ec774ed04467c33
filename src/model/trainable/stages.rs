//! The trained end of a backbone on the autodiff device.
//!
//! With frozen batch norms what is trained is each convolution's folded weight and bias: a step costs no
//! statistics, a small batch does no harm, and what is trained is what will run. With trained ones the
//! convolution and its norm are apart, as in PyTorch's training mode, and folded where it is measured.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::layers::{After, TrainableConv, TrainableLinear, TrainableNorm};
use super::{frozen_stages, trains};
use crate::config::{NormMode, Scope};
use crate::error::Result;
use crate::model::backbone::Backbone;
use crate::model::ops;
use crate::network::graph::{self, Graph, NodeId, Op};
use crate::network::plan::{Mode, Plan, Run};
use crate::random::Random;
use crate::weights::NamedTensor;

/// The trained end of a backbone. Layers stand in the order of the graph's nodes.
#[derive(Module, Debug)]
pub struct TrainableStages {
    convs: Vec<TrainableConv>,
    norms: Vec<TrainableNorm>,
    linears: Vec<TrainableLinear>,
    #[module(skip)]
    trained: Trained,
}

/// Which layers are trained.
#[derive(Debug, Clone)]
struct Trained {
    graph: Arc<Graph>,
    plan: Arc<Plan>,
    scope: Scope,
    /// By node: its place among the layers of its kind.
    places: Vec<usize>,
    /// What runs as one and is trained, in the order of the nodes.
    runs: Vec<Run>,
}

impl Trained {
    fn new(graph: &Arc<Graph>, scope: Scope) -> Self {
        let plan = Plan::new(graph, Mode::Training);
        let mut runs: Vec<Run> = (plan.steps.iter())
            .filter(|step| trains(graph, scope, step.stage))
            .map(|step| step.run)
            .collect();
        runs.sort_by_key(|run| run.first());
        let mut places = vec![0; graph.nodes.len()];
        let mut counts = [0; 3];
        for run in &runs {
            let kind = match (run, &graph.nodes[run.first()].op) {
                (Run::Conv { .. }, _) => 0,
                (Run::Norm { .. }, _) => 1,
                (_, Op::Linear(_)) => 2,
                _ => continue,
            };
            places[run.first()] = counts[kind];
            counts[kind] += 1;
        }
        Self {
            graph: graph.clone(),
            plan: Arc::new(plan),
            scope,
            places,
            runs,
        }
    }

    fn node(&self, id: NodeId) -> &graph::Node {
        &self.graph.nodes[id]
    }

    fn layer(&self, run: Run) -> Layer<'_> {
        let place = self.places[run.first()];
        let node = self.node(run.first());
        match (run, &node.op) {
            (Run::Conv { norm, relu, .. }, Op::Conv(conv)) => Layer::Conv {
                place,
                name: &node.name,
                conv,
                norm: norm.and_then(|id| match &self.node(id).op {
                    Op::Norm(norm) => Some((self.node(id).name.as_str(), norm)),
                    _ => None,
                }),
                relu,
            },
            (Run::Norm { relu, .. }, Op::Norm(norm)) => Layer::Norm {
                place,
                name: &node.name,
                norm,
                relu,
            },
            (_, Op::Linear(linear)) => Layer::Linear {
                place,
                name: &node.name,
                linear: *linear,
            },
            (_, op) => Layer::Weightless(op),
        }
    }

    /// The layers with weights, each with its node and its stage; the stem's is 0.
    fn layers(&self) -> impl Iterator<Item = (NodeId, usize, Layer<'_>)> {
        self.runs.iter().map(|run| {
            let first = run.first();
            (first, self.node(first).stage, self.layer(*run))
        })
    }
}

/// What runs as one, with its place among the trained layers of its kind.
enum Layer<'a> {
    Conv {
        place: usize,
        name: &'a str,
        conv: &'a graph::Conv,
        norm: Option<(&'a str, &'a graph::Norm)>,
        relu: bool,
    },
    Norm {
        place: usize,
        name: &'a str,
        norm: &'a graph::Norm,
        relu: bool,
    },
    Linear {
        place: usize,
        name: &'a str,
        linear: graph::Linear,
    },
    Weightless(&'a Op),
}

impl TrainableStages {
    /// What `scope` trains of a backbone with its norms frozen, to begin with its weights; `device` has
    /// gradients or not.
    #[must_use]
    pub fn of(backbone: &Backbone, scope: Scope, device: &Device) -> Self {
        let trained = Trained::new(backbone.graph(), scope);
        let (mut convs, mut norms, mut linears) = (Vec::new(), Vec::new(), Vec::new());
        for (node, _, layer) in trained.layers() {
            let Some(frozen) = backbone.layer(node) else {
                continue;
            };
            match layer {
                Layer::Conv { conv, norm, .. } => {
                    convs.extend(TrainableConv::of(conv, norm.is_some(), frozen, device));
                }
                Layer::Norm { .. } => norms.extend(TrainableNorm::of(frozen, device)),
                Layer::Linear { .. } => linears.extend(TrainableLinear::of(frozen, device)),
                Layer::Weightless(_) => {}
            }
        }
        Self {
            convs,
            norms,
            linears,
            trained,
        }
    }

    /// What `scope` trains of a network, norms and all; `take` gives the values of a tensor by name and shape, or says
    /// why not.
    ///
    /// # Errors
    /// What `take` says.
    pub fn with_norms(
        graph: &Arc<Graph>,
        scope: Scope,
        device: &Device,
        mut take: impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        let trained = Trained::new(graph, scope);
        let (mut convs, mut norms, mut linears) = (Vec::new(), Vec::new(), Vec::new());
        for (_, _, layer) in trained.layers() {
            match layer {
                Layer::Conv {
                    name, conv, norm, ..
                } => {
                    let norm = norm.map(|(name, _)| name);
                    convs.push(TrainableConv::take(name, conv, norm, device, &mut take)?);
                }
                Layer::Norm { name, norm, .. } => {
                    norms.push(TrainableNorm::take(name, norm, device, &mut take)?);
                }
                Layer::Linear { name, linear, .. } => {
                    linears.push(TrainableLinear::take(name, linear, device, &mut take)?);
                }
                Layer::Weightless(_) => {}
            }
        }
        Ok(Self {
            convs,
            norms,
            linears,
            trained,
        })
    }

    /// What is trained.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.trained.scope
    }

    /// What becomes of its batch norms.
    #[must_use]
    pub fn norm(&self) -> NormMode {
        let of_conv = self.convs.iter().any(TrainableConv::has_norm);
        if of_conv || self.norms.iter().any(TrainableNorm::has_norm) {
            NormMode::Trained
        } else {
            NormMode::Frozen
        }
    }

    /// The weight `[output, input / groups, rows, columns]` of a trained convolution, by its name in a
    /// checkpoint.
    #[must_use]
    pub fn weight(&self, name: &str) -> Option<Tensor<4>> {
        let mut layers = self.trained.layers();
        layers.find_map(|(_, _, layer)| match layer {
            Layer::Conv {
                place, name: own, ..
            } if own == name => Some(self.convs[place].weight.val()),
            _ => None,
        })
    }

    /// Stages of the whole network.
    #[must_use]
    pub fn stage_count(&self) -> usize {
        self.trained.graph.stage_count()
    }

    /// The name of a stage of the whole network, by its number.
    #[must_use]
    pub fn stage_name(&self, stage: usize) -> String {
        self.trained.graph.stage_name(stage).to_string()
    }

    /// The stage of each parameter, the stem's being 0, in the order in which burn visits them.
    pub fn stages(&self) -> impl Iterator<Item = usize> {
        let (mut convs, mut norms, mut linears) = (Vec::new(), Vec::new(), Vec::new());
        for (_, stage, layer) in self.trained.layers() {
            let (list, parameters) = match layer {
                Layer::Conv { place, .. } => (&mut convs, self.convs[place].parameters()),
                Layer::Norm { place, .. } => (&mut norms, self.norms[place].parameters()),
                Layer::Linear { place, .. } => (&mut linears, self.linears[place].parameters()),
                Layer::Weightless(_) => continue,
            };
            list.extend(std::iter::repeat_n(stage, parameters));
        }
        convs.into_iter().chain(norms).chain(linears)
    }

    /// The frozen part's outputs `[N,C,H,W]` to features `[N,C]`, norms by their running statistics.
    #[must_use]
    pub fn forward(&self, input: Vec<Tensor<4>>) -> Tensor<2> {
        run(&self.trained, input, |layer, x, after| match layer {
            Layer::Conv {
                place, conv, norm, ..
            } => self.convs[place].measure(conv, norm.map(|(_, norm)| norm), x, after),
            Layer::Norm { place, norm, .. } => self.norms[place].measure(norm, x, after),
            Layer::Linear { place, .. } => self.linears[place].forward(x),
            Layer::Weightless(_) => x,
        })
    }

    /// The same in training: trained norms by the batch, which their running statistics follow; what is left to chance
    /// comes from `random`.
    #[must_use]
    pub fn forward_train(&mut self, input: Vec<Tensor<4>>, random: &mut Random) -> Tensor<2> {
        let Self {
            convs,
            norms,
            linears,
            trained,
        } = self;
        run(trained, input, |layer, x, after| match layer {
            Layer::Conv {
                place, conv, norm, ..
            } => convs[place].forward_train(conv, norm.map(|(_, norm)| norm), x, after),
            Layer::Norm { place, norm, .. } => norms[place].forward_train(norm, x, after),
            Layer::Linear { place, .. } => linears[place].forward(x),
            Layer::Weightless(op) => by_chance(op, x, random),
        })
    }

    /// What a checkpoint holds for the trained layers, under their names there.
    ///
    /// # Errors
    /// [`Error::Gpu`](crate::error::Error::Gpu) if the device does not give them.
    pub async fn state(&self) -> Result<Vec<NamedTensor>> {
        let mut out = Vec::new();
        for (_, _, layer) in self.trained.layers() {
            match layer {
                Layer::Conv {
                    place,
                    name,
                    conv,
                    norm,
                    ..
                } => self.convs[place].state(name, conv, norm, &mut out).await?,
                Layer::Norm {
                    place, name, norm, ..
                } => self.norms[place].state(name, norm, &mut out).await?,
                Layer::Linear { place, name, .. } => {
                    self.linears[place].state(name, &mut out).await?;
                }
                Layer::Weightless(_) => {}
            }
        }
        Ok(out)
    }
}

/// Runs the trained stages on what crosses into them, to features `[N,C]`: `layer` computes what has weights or is left
/// to chance.
fn run(
    trained: &Trained,
    input: Vec<Tensor<4>>,
    mut layer: impl FnMut(Layer<'_>, Tensor<4>, After) -> Tensor<4>,
) -> Tensor<2> {
    let Trained {
        graph, plan, scope, ..
    } = trained;
    let from = match frozen_stages(graph, *scope) {
        Some(stages) => graph.frontier(stages),
        // The images.
        None => vec![0],
    };
    let given = from.into_iter().zip(input).collect();
    let wanted = graph.frontier(usize::MAX);
    let is_trained = |stage| trains(graph, *scope, stage);
    let outputs = plan.run(is_trained, given, &wanted, |step, mut inputs, residual| {
        let what = trained.layer(step.run);
        let relu = match &what {
            Layer::Conv { relu, .. } | Layer::Norm { relu, .. } => *relu,
            Layer::Weightless(op) if !matches!(op, Op::Dropout(_) | Op::StochasticDepth(_)) => {
                return ops::apply(op, inputs);
            }
            _ => false,
        };
        layer(what, inputs.swap_remove(0), After { residual, relu })
    });
    let features = (outputs.into_iter().next()).expect("a network ends in its features");
    let [n, c, ..] = features.dims();
    features.reshape([n, c])
}

/// Zeroes values, or whole images, by chance and scales the others up. The masks come from `random`, not from the
/// device's generator, so that a run gives the same numbers in the page and natively.
fn by_chance(op: &Op, x: Tensor<4>, random: &mut Random) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    let (p, shape) = match *op {
        Op::Dropout(p) => (p, [n, c, h, w]),
        Op::StochasticDepth(p) => (p, [n, 1, 1, 1]),
        _ => return x,
    };
    let scale = (1.0 - p).recip() as f32;
    let keep = |_| if random.uniform() < p { 0.0 } else { scale };
    let mask: Vec<f32> = (0..shape.iter().product()).map(keep).collect();
    x.clone() * Tensor::from_data(TensorData::new(mask, shape), &x.device())
}

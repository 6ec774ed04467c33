//! A network without its last layer, frozen: batch norms folded in, on the inner (no gradient) device.

mod load;

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use self::load::Loader;
pub(super) use self::load::{Affine, Frozen, Linear};
use super::ops;
use crate::error::{Error, Result};
use crate::kernels::conv::Conv2d;
use crate::kernels::gpu::launch::Gpu;
use crate::kernels::relu;
use crate::kernels::shape::{ConvShape, bytes_of};
use crate::network::Arch;
use crate::network::graph::{Graph, NodeId, Op};
use crate::network::plan::{Mode, Plan, Run};
use crate::network::shape::Shape;
use crate::weights::Checkpoint;

/// Bytes that WebGPU lets a kernel bind by default: a batch with a larger tensor in it goes through in parts.
const BINDING: u64 = 128 << 20;

/// A network without its last layer, on a device.
#[derive(Debug, Clone)]
pub struct Backbone {
    arch: Arch,
    graph: Arc<Graph>,
    plan: Arc<Plan>,
    /// By node: the layers with weights, each under the first of the nodes that run as one.
    layers: Vec<Option<Frozen>>,
    device: Device,
}

impl Backbone {
    /// Builds the network; `take` gives the values of a tensor by name and shape, or says why not.
    ///
    /// # Errors
    /// What `take` says; [`Error::Weights`] naming a running variance that is none, or the tensor that is larger than what
    /// the GPU takes in one piece.
    pub fn load(
        arch: Arch,
        device: &Device,
        take: impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        Self::load_graph(arch, Arc::new(arch.graph()), device, take)
    }

    /// The same of a graph.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_graph(
        arch: Arch,
        graph: Arc<Graph>,
        device: &Device,
        mut take: impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        check_binding(arch, &graph, device)?;
        let plan = Arc::new(Plan::new(&graph, Mode::Inference));
        let mut loader = Loader::new(device, &mut take);
        let mut layers: Vec<Option<Frozen>> = (0..graph.nodes.len()).map(|_| None).collect();
        // In the order of the nodes, which is that of a checkpoint, so that the first tensor amiss is the one named.
        let mut steps: Vec<_> = plan.steps.iter().map(|step| step.run).collect();
        steps.sort_by_key(|run| run.first());
        for run in steps {
            layers[run.first()] = loader.layer(&graph, run)?;
        }
        Ok(Self {
            arch,
            graph,
            plan,
            layers,
            device: device.clone(),
        })
    }

    /// The same network on the same device with the weights of a checkpoint; a head among them is left alone.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn reload(&self, mut checkpoint: Checkpoint) -> Result<Self> {
        let take = |name: &str, shape: &[usize]| checkpoint.take_f32(name, shape);
        Self::load_graph(self.arch, self.graph.clone(), &self.device, take)
    }

    /// Which backbone this is.
    #[must_use]
    pub const fn arch(&self) -> Arch {
        self.arch
    }

    /// What it computes.
    #[must_use]
    pub const fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// Width of the features, C.
    #[must_use]
    pub fn features(&self) -> usize {
        self.graph.features()
    }

    /// Where the weights are.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// Normalised images `[N,3,S,S]` to features `[N,C]`.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let [n, _, height, width] = images.dims();
        let part = self.images_at_once(height.max(width));
        if n <= part {
            return self.forward_observed(images, |_, _| {});
        }
        let parts = images.split(part, 0).into_iter();
        let features = parts.map(|part| self.forward_observed(part, |_, _| {}));
        Tensor::cat(features.collect(), 0)
    }

    /// The same at once, showing each output that has a name of its own, `[N,C,H,W]`, under torchvision's (`maxpool`,
    /// `layer1` ...; `pool0`, `denseblock1` ... `norm5`; `features.0` ...).
    pub fn forward_observed(
        &self,
        images: Tensor<4>,
        mut observe: impl FnMut(&str, &Tensor<4>),
    ) -> Tensor<2> {
        let out = self.run(images, usize::MAX, &mut observe);
        let features = out.into_iter().next();
        let features = features.expect("a network ends in its features");
        let [n, c, ..] = features.dims();
        features.reshape([n, c])
    }

    /// Normalised images `[N,3,S,S]` to what crosses from the stem and the first `stages` stages into the next:
    /// `[N,C,H,W]`, one in most networks.
    #[must_use]
    pub fn forward_until(&self, images: Tensor<4>, stages: usize) -> Vec<Tensor<4>> {
        self.run(images, stages, &mut |_, _| {})
    }

    fn run(
        &self,
        images: Tensor<4>,
        stages: usize,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Vec<Tensor<4>> {
        let wanted = self.graph.frontier(stages);
        let named = |id: NodeId| {
            let taps = self.graph.taps.iter();
            taps.filter(move |(_, tap)| self.plan.origin(*tap) == id)
        };
        self.plan.run(
            |stage| stage <= stages,
            vec![(0, images)],
            &wanted,
            |step, inputs, residual| {
                let output = self.step(step.run, inputs, residual);
                for (name, _) in named(step.output) {
                    observe(name, &output);
                }
                output
            },
        )
    }

    fn step(&self, run: Run, mut inputs: Vec<Tensor<4>>, residual: Option<Tensor<4>>) -> Tensor<4> {
        let node = &self.graph.nodes[run.first()];
        match (&self.layers[run.first()], run) {
            (Some(Frozen::Conv { conv, zeros }), Run::Conv { relu, .. }) => {
                let mut x = inputs.swap_remove(0);
                if let (true, Op::Conv(spec)) = (*zeros, &node.op) {
                    x = ops::with_zeros(x, spec);
                }
                conv.forward(x, residual.as_ref(), relu)
            }
            (Some(Frozen::Norm(affine)), Run::Norm { relu, .. }) => {
                let y = affine.forward(inputs.swap_remove(0));
                if relu { relu::relu(y) } else { y }
            }
            (Some(Frozen::Linear(linear)), _) => linear.forward(inputs.swap_remove(0)),
            _ => ops::apply(&node.op, inputs),
        }
    }

    /// Every convolution with its sizes when `images` images of `size` by `size` come, in the order they
    /// run; as many images as [`Self::forward`] takes at once.
    #[must_use]
    pub fn layers(&self, images: usize, size: usize) -> Vec<(&Conv2d, ConvShape)> {
        self.layers_behind(None, images.min(self.images_at_once(size)), size)
    }

    /// The same of the stages behind the first `stages` and all images at once, as a training has them; with none
    /// given, the stem's too.
    #[must_use]
    pub fn layers_behind(
        &self,
        stages: Option<usize>,
        images: usize,
        size: usize,
    ) -> Vec<(&Conv2d, ConvShape)> {
        // A size too small for the network has no shapes.
        let Ok(shapes) = self.graph.shapes([size; 2]) else {
            return Vec::new();
        };
        let steps = self.plan.steps.iter();
        let behind = steps.filter(|step| stages.is_none_or(|stages| step.stage > stages));
        let convs = behind.filter_map(|step| {
            let first = step.run.first();
            let Some(Frozen::Conv { conv, zeros }) = &self.layers[first] else {
                return None;
            };
            let [channels, height, width]: Shape = shapes[step.inputs[0]];
            let mut dims = [images, channels, height, width];
            if let (true, Op::Conv(spec)) = (*zeros, &self.graph.nodes[first].op) {
                let around = ops::zeros_around(spec, [height, width]);
                dims[2] += around[0].iter().sum::<usize>();
                dims[3] += around[1].iter().sum::<usize>();
            }
            let shape = ConvShape::of(dims, conv.weight().dims(), conv.geometry())?;
            Some((conv, shape))
        });
        convs.collect()
    }

    /// Most images of an edge whose widest tensor a kernel can bind: a power of two, so that few sizes of
    /// batch are to be tuned and tested.
    fn images_at_once(&self, size: usize) -> usize {
        let layers = self.layers_behind(None, 1, size).into_iter();
        let widest = layers
            .map(|(_, sizes)| bytes_of(&sizes.in_dims()).max(bytes_of(&sizes.out_dims())))
            .max();
        let fit = BINDING / widest.unwrap_or(1).max(1);
        1 << fit.max(1).ilog2().min(16)
    }

    /// The layer whose weights a node has.
    pub(super) fn layer(&self, node: NodeId) -> Option<&Frozen> {
        self.layers[node].as_ref()
    }

    /// Images as they come from the preprocessing, `[3,S,S]` each, to one batch `[N,3,S,S]`.
    #[must_use]
    pub fn batch(&self, pixels: Vec<f32>, size: usize) -> Tensor<4> {
        let n = pixels.len() / (3 * size * size);
        Tensor::from_data(TensorData::new(pixels, [n, 3, size, size]), &self.device)
    }
}

/// Refuses a network with a tensor that a GPU cannot bind: where it is tried, what fails is only found at the end, without a
/// name. The first hidden layer of a VGG has 392 MiB, that of an `AlexNet` 144, and some adapters take 128.
fn check_binding(arch: Arch, graph: &Graph, device: &Device) -> Result<()> {
    let Some(gpu) = Gpu::of(device) else {
        return Ok(());
    };
    let sizes = graph.tensors().into_iter();
    let sizes = sizes.map(|(name, shape)| (bytes_of(&shape), name));
    let Some((bytes, name)) = sizes.max().filter(|(bytes, _)| *bytes > gpu.max_binding()) else {
        return Ok(());
    };
    let reason = format!(
        "tensor {name} has {} MiB, and this GPU takes at most {} MiB in one piece; run it on the CPU",
        bytes >> 20,
        gpu.max_binding() >> 20
    );
    Err(Error::weights(arch.name(), reason))
}

//! A training step: forward, loss, all gradients, clipped, AdamW and an average of the weights, every layer and batch norm
//! trained. Its gradients run on the kernels' defaults, which are not tuned in the program either.

use std::sync::Arc;

use burn::tensor::{Device, Distribution, Tensor};
use retune::config::{Arch, HeadKind, NormMode, OptimizerKind, Scope, TrainConfig};
use retune::error::Result;
use retune::model::head::{Head, HeadSpec};
use retune::model::trainable::TrainableStages;
use retune::train::learner::{Batch, Input, Learner};
use serde_json::{Value, json};

use crate::Bench;
use crate::counts::Counts;
use crate::measure::{Peer, Times, repeats, wall_ms};
use crate::network::value;

/// Classes of the images.
const CLASSES: usize = 6;
/// A measurement lasts about so long, in milliseconds.
const AIM: f64 = 200.0;
/// Most steps of one.
const MOST: u32 = 64;

/// A learner, and what it learns again and again.
pub struct Step {
    learner: Learner,
    images: Tensor<4>,
}

impl Step {
    /// A network that is trained whole.
    pub fn new(arch: Arch, batch: usize, size: usize, device: &Device) -> Result<Self> {
        let config = TrainConfig {
            scope: Scope::All,
            norm: NormMode::Trained,
            optimizer: OptimizerKind::AdamW,
            weight_decay: 0.05,
            clip_norm: 1.0,
            ema: 0.99,
            ..TrainConfig::default()
        };
        let gradients = device.clone().autodiff();
        let graph = Arc::new(arch.graph());
        let tail = TrainableStages::with_norms(&graph, Scope::All, &gradients, value)?;
        let spec = HeadSpec::of(HeadKind::Linear, graph.features(), CLASSES);
        let head = Head::load(spec, &gradients, value)?;
        let images = Tensor::random(
            [batch, 3, size, size],
            Distribution::Uniform(-1.0, 1.0),
            device,
        );
        Ok(Self {
            learner: Learner::new(&config, Some(tail), head, &[10; CLASSES]),
            images,
        })
    }

    /// Queues a step.
    pub fn queue(&mut self) {
        let labels: Vec<usize> = (0..self.images.dims()[0]).map(|i| i % CLASSES).collect();
        let targets = self.learner.objective().one_hot(&labels);
        let input = Input::Maps(vec![self.images.clone()]);
        self.learner.step(Batch::new(input, targets), 1.0);
    }
}

/// Rows of both peers at one batch, one after the other: two trainings at once may not fit the memory.
pub async fn measure(bench: &Bench, arch: Arch, batch: usize, size: usize) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for peer in Peer::ALL {
        peer.select(&bench.gpu);
        let mut step = Step::new(arch, batch, size, &bench.device)?;
        // The first compiles and allocates, the second has what later ones have.
        step.queue();
        step.queue();
        let counts = Counts::of(&bench.gpu, || step.queue());
        let mut step = || step.queue();
        let count = repeats(wall_ms(&bench.gpu, 1, &mut step).await?, AIM, MOST);
        let mut times = Times::default();
        for _ in 0..bench.runs {
            times.push(wall_ms(&bench.gpu, count, &mut step).await?);
        }
        println!(
            "{} {size} x{batch} {:>6}, a training step: {:.3} ms ({:.3} to {:.3}, n={}), {} launches",
            arch.name(),
            peer.name(),
            times.median(),
            times.min(),
            times.max(),
            times.n(),
            counts.all,
        );
        let mut row = json!({
            "arch": arch.name(),
            "size": size,
            "batch": batch,
            "what": "step",
            "peer": peer.name(),
            "ms_min": times.min(),
            "ms_median": times.median(),
            "ms_max": times.max(),
            "n": times.n(),
            "images_s": 1000.0 * batch as f64 / times.median(),
        });
        counts.note(&mut row);
        rows.push(row);
    }
    Peer::Retune.select(&bench.gpu);
    Ok(rows)
}

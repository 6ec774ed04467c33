//! How long a training will take and how much memory: one batch is timed on every part of the way.

use super::training::{split_of, trainable_stages};
use crate::config::{Scope, StartFrom, TrainConfig};
use crate::engine::{Engine, JobContext, image_loader};
use crate::error::{Error, Result};
use crate::model::backbone::Backbone;
use crate::model::head::{HeadSpec, to_host};
use crate::model::trainable::trains;
use crate::network::graph::Op;
use crate::platform::time;
use crate::protocol::{Estimate, Event};
use crate::train::batches::BatchSampler;
use crate::train::feature_source::{BUDGET, CachePlan, Request};
use crate::train::learner::{Batch, Input, Learner, init_head};

/// Steps that are timed, after one that is not.
const STEPS: usize = 2;

/// Images that are timed through the frozen part.
const SOME: usize = 8;

/// What was timed, in milliseconds.
struct Timed {
    /// One image read, decoded, augmented.
    load: f64,
    /// One image through the frozen part.
    frozen: f64,
    /// One step behind that.
    step: f64,
    /// One validation image behind the frozen part.
    validation: f64,
    /// Parameters trained.
    parameters: usize,
    /// Values between the layers for one image.
    activations: usize,
}

impl Engine {
    /// Says how long a training will take. The model that it would begin from is in use meanwhile.
    pub(in crate::engine) async fn estimate(
        &mut self,
        config: &TrainConfig,
        start: StartFrom,
    ) -> Result<()> {
        config.check()?;
        let replaced = self.begin_from(start.of(config)).await?;
        let estimated = match self.context() {
            Ok(context) => estimate(context, config).await,
            Err(error) => Err(error),
        };
        if let Some(before) = replaced {
            self.exchange(before);
        }
        estimated
    }
}

/// Times a step of a training and says what all of it will take.
async fn estimate(mut context: JobContext<'_>, config: &TrainConfig) -> Result<()> {
    let classifier = &context.model.classifier;
    let graph = classifier.backbone.graph().clone();
    let set = &context.data.set;
    if let Some(problem) = &set.problem {
        return Err(Error::Dataset(problem.clone()));
    }
    let split = split_of(set, config);
    let size = config.input_size.unwrap_or(classifier.preprocess.size);
    // Half of a run of growing sizes is before its middle.
    let size = config.size_at(config.epochs.div_ceil(2), size);
    let timed = time_step(&mut context, config, size, &split.train).await?;

    let (train, validation) = (split.train.len(), split.validation.len());
    let steps = BatchSampler::new(config).count(train);
    let per_image = timed.load + timed.frozen;
    let plan = CachePlan::new(&graph, config, size, [train, validation], BUDGET);
    let prepare = if plan.kept {
        plan.images as f64 * per_image
    } else {
        0.0
    };
    let each = config.batch.min(train.max(1)) as f64;
    let anew = plan.changes || !plan.kept;
    let step = timed.step + if anew { each * per_image } else { 0.0 };
    let measure = timed.validation + if plan.kept { 0.0 } else { per_image };
    let epoch = steps as f64 * step + validation as f64 * measure;
    // Weights, gradients, the best epoch's, the optimizer's, an average.
    let copies = 3 + config.optimizer.state_copies() + u64::from(config.ema > 0.0);
    let kept = if plan.kept { plan.bytes() } else { 0 };
    // Each value between two layers has a gradient.
    let between = 2 * timed.activations as u64 * config.batch as u64;
    let values = timed.parameters as u64 * copies + between;
    context.mailbox.emit(Event::Estimated {
        estimate: Estimate {
            steps,
            step_milliseconds: step,
            prepare_milliseconds: prepare,
            epoch_milliseconds: epoch,
            milliseconds: prepare + config.epochs as f64 * epoch,
            bytes: 4 * values + kept,
            views: if plan.views > 1 { plan.views } else { 0 },
        },
    });
    Ok(())
}

async fn time_step(
    context: &mut JobContext<'_>,
    config: &TrainConfig,
    size: usize,
    train: &[usize],
) -> Result<Timed> {
    let JobContext {
        mailbox,
        model,
        data,
        ..
    } = context;
    let stages = match config.scope {
        Scope::Head => None,
        _ => Some(trainable_stages(model, config).await?),
    };
    let old = &model.classifier;
    let classes = data.set.classes.len();
    let backbone = &old.backbone;
    let some: Vec<Request> = train
        .iter()
        .take(SOME)
        .map(|&sample| Request {
            sample,
            view: Some(1),
            size,
        })
        .collect();
    let start = time::now();
    let images = image_loader::load(
        &mut data.set,
        &some,
        &old.preprocess,
        &config.augment,
        config.seed,
    )
    .await;
    let load = (time::now() - start) / some.len().max(1) as f64;
    let images: Vec<Vec<f32>> = images.into_iter().filter_map(Result::ok).collect();
    let n = images.len();
    if n == 0 {
        return Err(Error::Dataset(
            "the first images cannot be read".to_string(),
        ));
    }
    let images = backbone.batch(images.concat(), size);
    // Twice: the first time kernels are compiled.
    let (mut frozen, mut values) = (0.0, Vec::new());
    for _ in 0..2 {
        let start = time::now();
        let output = Input::frozen(backbone, images.clone(), config.scope);
        values = output.to_host().await?;
        frozen = (time::now() - start) / n as f64;
        mailbox.poll_commands(None).await?;
    }
    let batch = config.batch.min(train.len().max(1));
    let of_batch = values.len() / n * batch;
    let values: Vec<f32> = values.into_iter().cycle().take(of_batch).collect();
    let input = || Input::from_host(backbone, config.scope, size, values.clone());
    let spec = HeadSpec::of(config.head, old.features(), classes);
    let head = init_head(config, spec, &backbone.device().clone().autodiff());
    let mut learner = Learner::new(config, stages, head, &vec![1; classes]);
    let labels: Vec<usize> = (0..batch).map(|i| i % classes).collect();
    let targets = learner.objective().one_hot(&labels);
    let mut step = 0.0;
    for timed in 0..=STEPS {
        let start = time::now();
        learner.step(Batch::new(input(), targets.clone()), 1.0);
        learner.sums().await?;
        if timed > 0 {
            step += (time::now() - start) / STEPS as f64;
        }
        mailbox.poll_commands(None).await?;
    }
    let student = learner.model();
    let start = time::now();
    to_host(student.forward(input())).await?;
    let validation = (time::now() - start) / batch as f64;
    let parameters = crate::train::parameters::collect(&student)
        .iter()
        .map(|tensor| tensor.dims()[0])
        .sum();
    let activations = activations(backbone, config, size);
    Ok(Timed {
        load,
        frozen,
        step,
        validation,
        parameters,
        activations,
    })
}

/// Values that the trained convolutions put out for one image, and their norms and activations behind them.
fn activations(backbone: &Backbone, config: &TrainConfig, size: usize) -> usize {
    if config.scope == Scope::Head {
        return 0;
    }
    let graph = backbone.graph();
    let Ok(shapes) = graph.shapes([size; 2]) else {
        return 0;
    };
    let trained = (graph.nodes.iter().zip(shapes))
        .filter(|(node, _)| trains(graph, config.scope, node.stage));
    // What is kept for the gradients: of a convolution its output, and with it that of the norm and the activation.
    let kept = trained.map(|(node, shape)| {
        let values: usize = shape.iter().product();
        match node.op {
            Op::Conv(_) => 2 * values,
            Op::Concat | Op::Scale | Op::Linear(_) => values,
            _ => 0,
        }
    });
    kept.sum()
}

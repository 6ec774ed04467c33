//! How long a training will take and how much memory: one batch is timed on every part of the way.

use burn::tensor::{Tensor, TensorData};

use super::head::views;
use super::{Engine, JobContext, pictures};
use crate::config::{Optimizer, Scope, TrainConfig};
use crate::data;
use crate::error::{Error, Result};
use crate::model::arch::check_scope;
use crate::model::backbone::Backbone;
use crate::model::head::{HeadSpec, to_host};
use crate::model::resnet::ResNetConfig;
use crate::model::trainable::{forward_frozen, input_shape, trains};
use crate::platform::time;
use crate::protocol::{Estimate, Event};
use crate::train::batches::BatchSampler;
use crate::train::feature_source::{BUDGET, Request};
use crate::train::learner::{Batch, Input, Learner, fresh_head};

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
    /// Times a step of a training and says what all of it will take.
    pub(super) async fn estimate(&mut self, config: &TrainConfig) -> Result<()> {
        config.check()?;
        check_scope(self.model()?.classifier.backbone.arch(), config.scope)?;
        let (set, classes) = {
            let data = self.data()?;
            if let Some(problem) = &data.set.problem {
                return Err(Error::Dataset(problem.clone()));
            }
            (&data.set, data.set.classes.len())
        };
        let split = data::split(set, config.val_fraction, config.split_seed);
        let size = config
            .input_size
            .unwrap_or(self.model()?.classifier.preprocess.size);
        // Half of a run of growing sizes is before its middle.
        let size = config.size_at(config.epochs.div_ceil(2), size);
        let timed = self.time_step(config, classes, size, &split.train).await?;

        let (train, validation) = (split.train.len(), split.validation.len());
        let steps = BatchSampler::new(config).count(train);
        let views = if config.scope == Scope::Head {
            views(&config.augment)
        } else {
            1
        };
        let per_image = timed.load + timed.frozen;
        let arch = self.model()?.classifier.backbone.arch();
        let width = match config.scope {
            Scope::Head => self.model()?.classifier.features(),
            scope => input_shape(arch, scope, size).iter().product(),
        };
        let (images, on_the_fly) = match config.scope {
            Scope::Head => (train * views + validation, false),
            _ if config.changes_inputs() => (validation, true),
            _ => (train + validation, false),
        };
        let kept = images as u64 * width as u64;
        let fits = config.scope == Scope::Head || 4 * kept <= BUDGET as u64;
        let prepare = if fits { images as f64 * per_image } else { 0.0 };
        let each = config.batch.min(train.max(1)) as f64;
        let again = on_the_fly || !fits;
        let step = timed.step + if again { each * per_image } else { 0.0 };
        let measure = timed.validation + if fits { 0.0 } else { per_image };
        let epoch = steps as f64 * step + validation as f64 * measure;
        let moments = match config.optimizer {
            Optimizer::Sgd => 1_u64,
            _ => 2,
        };
        // Weights, gradients, the best epoch's, moments, an average.
        let copies = 3 + moments + u64::from(config.ema > 0.0);
        let kept = if fits { kept } else { 0 };
        // Each value between two layers has a gradient.
        let between = 2 * timed.activations as u64 * config.batch as u64;
        let values = timed.parameters as u64 * copies + between + kept;
        self.mailbox.emit(Event::Estimated {
            estimate: Estimate {
                steps,
                step_milliseconds: step,
                prepare_milliseconds: prepare,
                epoch_milliseconds: epoch,
                milliseconds: prepare + config.epochs as f64 * epoch,
                bytes: 4 * values,
                views: if views > 1 { views } else { 0 },
            },
        });
        Ok(())
    }

    async fn time_step(
        &mut self,
        config: &TrainConfig,
        classes: usize,
        size: usize,
        train: &[usize],
    ) -> Result<Timed> {
        let tail = match config.scope {
            Scope::Head => None,
            _ => Some(self.tail(config).await?),
        };
        let JobContext {
            mailbox,
            classifier: old,
            data,
            ..
        } = self.context()?;
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
        let images = pictures::load(
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
        let (mut frozen, mut maps) = (0.0, Vec::new());
        for _ in 0..2 {
            let start = time::now();
            maps = match config.scope {
                Scope::Head => to_host(backbone.forward(images.clone())).await?,
                scope => to_host(forward_frozen(backbone, images.clone(), scope)).await?,
            };
            frozen = (time::now() - start) / n as f64;
            mailbox.poll_commands(None).await?;
        }
        let batch = config.batch.min(train.len().max(1));
        let rows: Vec<f32> = maps
            .iter()
            .copied()
            .cycle()
            .take(maps.len() / n * batch)
            .collect();
        let device = backbone.device().clone();
        let input = || match config.scope {
            Scope::Head => {
                let data = TensorData::new(rows.clone(), [batch, rows.len() / batch]);
                Input::Features(Tensor::from_data(data, &device))
            }
            scope => {
                let [c, h, w] = input_shape(backbone.arch(), scope, size);
                let data = TensorData::new(rows.clone(), [batch, c, h, w]);
                Input::Maps(Tensor::from_data(data, &device))
            }
        };
        let spec = HeadSpec::of(config.head, old.features(), classes);
        let head = fresh_head(config, spec, &device.clone().autodiff());
        let mut learner = Learner::new(config, tail, head, &vec![1; classes]);
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
}

/// Values that the trained convolutions put out for one image, and their norms and activations behind them.
fn activations(backbone: &Backbone, config: &TrainConfig, size: usize) -> usize {
    if config.scope == Scope::Head {
        return 0;
    }
    let layout = ResNetConfig::of(backbone.arch()).layout();
    let names: Vec<&str> = layout.convs().map(|conv| conv.name.as_str()).collect();
    let outputs = backbone.layers(1, size);
    // The layers run in another order than the layout has, in which a projection comes last in its block; but
    // block by block they are the same, and so is the stage.
    let trained = names
        .iter()
        .filter(|name| trains(config.scope, name))
        .count();
    let last = outputs.iter().rev().take(trained);
    2 * last
        .map(|(_, sizes)| sizes.out_dims().iter().product::<usize>())
        .sum::<usize>()
}

//! What learns: a head, and with it the trained end of a backbone, if there is one; its optimizer, its
//! average, its streams of chance.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::average::Average;
use super::gradients::GradientNorms;
use super::objective::Objective;
use super::optimizer::Optimizer;
use super::parameters::{collect, replace};
use super::running::RunningMetrics;
use crate::config::{Scope, TrainConfig};
use crate::error::{Error, Result};
use crate::model::backbone::Backbone;
use crate::model::head::{Head, HeadSpec, to_host};
use crate::model::trainable::{TrainableStages, forward_frozen, input_shapes};
use crate::network::shape::Shape;
use crate::protocol::StageGradient;
use crate::random::Random;
use crate::weights::{Checkpoint, NamedTensor};

/// The trained modules.
#[derive(Module, Debug)]
pub struct Student {
    /// The trained end of the backbone; none where only the head is trained.
    pub tail: Option<TrainableStages>,
    /// What stands on it.
    pub head: Head,
}

/// What goes into a student, on the inner device.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one a batch")]
pub enum Input {
    /// Pooled features `[N,C]`, for a head alone.
    Features(Tensor<2>),
    /// What the frozen part gives, `[N,C,H,W]`: one in most networks.
    Maps(Vec<Tensor<4>>),
}

impl Input {
    /// Normalised images `[N,3,S,S]` through what a training of that scope leaves frozen.
    #[must_use]
    pub fn frozen(backbone: &Backbone, images: Tensor<4>, scope: Scope) -> Self {
        match scope {
            Scope::Head => Self::Features(backbone.forward(images)),
            _ => Self::Maps(forward_frozen(backbone, images, scope)),
        }
    }

    /// The same from values that [`to_host`](Self::to_host) gave for images of edge `size`, one after the other.
    #[must_use]
    pub fn from_host(backbone: &Backbone, scope: Scope, size: usize, values: Vec<f32>) -> Self {
        let device = backbone.device();
        if scope == Scope::Head {
            let width = backbone.features();
            let n = values.len() / width;
            return Self::Features(Tensor::from_data(
                TensorData::new(values, [n, width]),
                device,
            ));
        }
        let shapes = input_shapes(backbone.graph(), scope, size);
        let lengths: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
        let n = values.len() / lengths.iter().sum::<usize>();
        let map = |[c, h, w]: Shape, values: Vec<f32>| {
            Tensor::from_data(TensorData::new(values, [n, c, h, w]), device)
        };
        if let [shape] = shapes[..] {
            return Self::Maps(vec![map(shape, values)]);
        }
        // An image's maps follow one another.
        let mut parts = vec![Vec::new(); shapes.len()];
        let mut rest = &values[..];
        for _ in 0..n {
            for (part, length) in parts.iter_mut().zip(&lengths) {
                let (own, others) = rest.split_at(*length);
                part.extend_from_slice(own);
                rest = others;
            }
        }
        let maps = shapes.into_iter().zip(parts);
        Self::Maps(maps.map(|(shape, values)| map(shape, values)).collect())
    }

    /// Several, one after the other; of one kind, and not none.
    #[must_use]
    pub fn cat(parts: Vec<Self>) -> Self {
        let (mut features, mut maps) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Self::Features(part) => features.push(part),
                Self::Maps(part) => {
                    maps.resize_with(part.len(), Vec::new);
                    for (maps, part) in maps.iter_mut().zip(part) {
                        maps.push(part);
                    }
                }
            }
        }
        if maps.is_empty() {
            Self::Features(Tensor::cat(features, 0))
        } else {
            Self::Maps(maps.into_iter().map(|maps| Tensor::cat(maps, 0)).collect())
        }
    }

    /// The values, row after row.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails.
    pub async fn to_host(self) -> Result<Vec<f32>> {
        match self {
            Self::Features(features) => to_host(features).await,
            Self::Maps(mut maps) if maps.len() == 1 => to_host(maps.swap_remove(0)).await,
            Self::Maps(maps) => {
                let rows = maps.into_iter().map(|map| map.flatten::<2>(1, 3)).collect();
                to_host(Tensor::cat(rows, 1)).await
            }
        }
    }
}

/// What a step learns from.
#[derive(Debug, Clone)]
pub struct Batch {
    /// N examples, on the inner device.
    pub input: Input,
    /// `[N,K]`, shares of classes that sum to 1.
    pub targets: Vec<f32>,
    /// A teacher's probabilities `[N,K]`, on the inner device.
    pub teacher: Option<Tensor<2>>,
}

impl Batch {
    /// Without a teacher.
    #[must_use]
    pub const fn new(input: Input, targets: Vec<f32>) -> Self {
        Self {
            input,
            targets,
            teacher: None,
        }
    }

    /// N.
    #[must_use]
    pub fn images(&self, classes: usize) -> usize {
        self.targets.len() / classes.max(1)
    }
}

impl Student {
    /// The logits `[N,K]`; for a student without gradients.
    #[must_use]
    pub fn forward(&self, input: Input) -> Tensor<2> {
        self.head.forward(match (input, &self.tail) {
            (Input::Maps(maps), Some(tail)) => tail.forward(maps),
            (Input::Maps(_), None) => unreachable!("a head alone is given features"),
            (Input::Features(features), _) => features,
        })
    }

    fn forward_train(&mut self, input: Input, dropout: &mut Random) -> Tensor<2> {
        let features = match (input, &mut self.tail) {
            (Input::Maps(maps), Some(tail)) => {
                let maps = maps.into_iter().map(Tensor::autodiff).collect();
                tail.forward_train(maps, dropout)
            }
            (Input::Maps(_), None) => unreachable!("a head alone is given features"),
            (Input::Features(features), _) => features.autodiff(),
        };
        self.head.forward_train(features, dropout)
    }
}

/// The head that a run begins with.
#[must_use]
pub fn init_head(config: &TrainConfig, spec: HeadSpec, device: &Device) -> Head {
    let seed = Random::for_purpose(config.seed, "head").bits();
    Head::init(spec, seed, device)
}

/// A student on its way.
pub struct Learner {
    student: Student,
    optimizer: Optimizer,
    average: Option<Average>,
    objective: Objective,
    learning_rate: f64,
    seed: u64,
    dropout: Random,
    device: Device,
    pub(super) sums: RunningMetrics,
    /// Where they are asked for and convolutions are trained.
    gradients: Option<GradientNorms>,
}

impl Learner {
    /// Begins with the modules given, both on a device with gradients; `counts` are the training images of each
    /// class.
    #[must_use]
    pub fn new(
        config: &TrainConfig,
        tail: Option<TrainableStages>,
        head: Head,
        counts: &[usize],
    ) -> Self {
        let device = head.device();
        let student = Student { tail, head };
        // The head's rate is the rate; a stage has the factor, lowered once for each stage behind it.
        let stages: Vec<usize> = (student.tail.iter().flat_map(TrainableStages::stages)).collect();
        let count = student
            .tail
            .as_ref()
            .map_or(0, TrainableStages::stage_count);
        let rate = |stage: &usize| {
            // The stem's is that of the first stage.
            let behind = count.saturating_sub((*stage).max(1)) as i32;
            config.backbone_lr_factor * config.stage_lr_decay.powi(behind)
        };
        let parameters = collect(&student).len();
        let rest = parameters - stages.len();
        let rates = (stages.iter().map(rate)).chain(std::iter::repeat_n(1.0, rest));
        let gradients = (student.tail.as_ref())
            .filter(|_| config.gradient_norms)
            .map(|tail| GradientNorms::new(&stages, parameters, |n| tail.stage_name(n)));
        Self {
            optimizer: Optimizer::new(config, rates),
            average: (config.ema > 0.0).then(|| Average::new(config.ema, collect(&student))),
            objective: Objective::new(config, counts),
            learning_rate: config.learning_rate,
            seed: config.seed,
            dropout: Random::for_purpose(config.seed, "dropout 1"),
            student,
            device,
            sums: RunningMetrics::default(),
            gradients,
        }
    }

    /// The loss.
    #[must_use]
    pub const fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The head's description.
    #[must_use]
    pub fn spec(&self) -> &HeadSpec {
        self.student.head.spec()
    }

    /// The head's learning rate where the schedule says `factor`.
    #[must_use]
    pub fn rate(&self, factor: f64) -> f64 {
        self.learning_rate * factor
    }

    /// Begins an epoch, from 1: what is drawn in it follows from its number, so that a run can go on from any.
    pub fn begin(&mut self, epoch: usize) {
        self.dropout = Random::for_purpose(self.seed, &format!("dropout {epoch}"));
    }

    /// One step on a batch; `factor` is the schedule's.
    pub fn step(&mut self, batch: Batch, factor: f64) {
        let Batch {
            input,
            targets,
            teacher,
        } = batch;
        let logits = self.student.forward_train(input, &mut self.dropout);
        let teacher = teacher.map(Tensor::autodiff);
        let loss = self.objective.loss(logits.clone(), &targets, teacher);
        self.sums.add(&loss, logits, &targets);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.student);
        if let Some(norms) = &mut self.gradients {
            norms.add(&self.student, &gradients);
        }
        let student = self.student.clone();
        self.student = (self.optimizer).step(self.rate(factor), student, gradients);
        if let Some(average) = &mut self.average {
            average.follow(&self.student, self.optimizer.flat());
        }
    }

    /// Mean loss and accuracy over the examples since the last call.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails, [`Error::Diverged`] if the loss is not finite.
    pub async fn sums(&mut self) -> Result<(f64, f64)> {
        self.sums.take().await
    }

    /// The norm of each trained stage's gradient before clipping, the head's last: the mean over the steps since the
    /// last call. Empty where it is not recorded.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails.
    pub async fn gradient_norms(&mut self) -> Result<Vec<StageGradient>> {
        match &mut self.gradients {
            Some(norms) => norms.take().await,
            None => Ok(Vec::new()),
        }
    }

    /// What is measured and kept, without gradients: the average if there is one, else the student as it is.
    #[must_use]
    pub fn model(&self) -> Student {
        let student = self.student.valid();
        match &self.average {
            Some(average) => replace(student, average.numbers()),
            None => student,
        }
    }

    /// A student as [`Self::model`] gives it, of these numbers.
    ///
    /// # Errors
    /// [`Error::Weights`] naming what does not fit.
    pub fn model_of(&self, kept: &mut Checkpoint) -> Result<Student> {
        let student = self.student.valid();
        let values = take_all(kept, "model", &collect(&student))?;
        Ok(replace(student, values))
    }

    /// All that the next step depends on, to be kept.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device does not give it.
    pub async fn state(&self) -> Result<Vec<NamedTensor>> {
        let mut out = numbers("student", collect(&self.student)).await?;
        if let Some(average) = &self.average {
            out.extend(numbers("average", average.numbers()).await?);
        }
        out.extend(self.optimizer.state().await?);
        Ok(out)
    }

    /// Takes such a state up again.
    ///
    /// # Errors
    /// [`Error::Weights`] naming what does not fit.
    pub fn restore(&mut self, kept: &mut Checkpoint) -> Result<()> {
        let now = collect(&self.student);
        let values = take_all(kept, "student", &now)?;
        let average = match &self.average {
            Some(average) => {
                let numbers = take_all(kept, "average", &now)?;
                Some(Average::new(average.decay(), numbers))
            }
            None => None,
        };
        self.optimizer.restore(kept, &inner(&self.device))?;
        self.student = replace(self.student.clone(), values);
        self.average = average;
        Ok(())
    }
}

/// The numbers of a model, to be kept.
///
/// # Errors
/// [`Error::Gpu`] if the device does not give them.
pub async fn model_state(model: &Student) -> Result<Vec<NamedTensor>> {
    numbers("model", collect(model)).await
}

async fn numbers(name: &str, tensors: Vec<Tensor<1>>) -> Result<Vec<NamedTensor>> {
    let mut out = Vec::with_capacity(tensors.len());
    for (place, tensor) in tensors.into_iter().enumerate() {
        let values = to_host(tensor).await?;
        out.push((format!("{name}.{place}"), vec![values.len()], values));
    }
    Ok(out)
}

/// Tensors of the same sizes as `like`, on its device.
fn take_all(kept: &mut Checkpoint, name: &str, like: &[Tensor<1>]) -> Result<Vec<Tensor<1>>> {
    let each = like.iter().enumerate().map(|(place, old)| {
        let shape = old.dims();
        let values = kept.take_f32(&format!("{name}.{place}"), &shape)?;
        Ok(Tensor::from_data(
            TensorData::new(values, shape),
            &old.device(),
        ))
    });
    each.collect()
}

/// The device without gradients.
fn inner(device: &Device) -> Device {
    device.clone().inner()
}

/// What a validation says of a model that overflows.
pub(super) fn not_a_number() -> Error {
    Error::weights(
        "model",
        "its output is not a number: its weights are too large",
    )
}

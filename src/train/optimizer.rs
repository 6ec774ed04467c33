//! Adam, `AdamW` and SGD with Nesterov's momentum, by PyTorch's formulas.
//!
//! burn has all three. Ours are here because burn's read their state back synchronously, which a browser's
//! GPU cannot, so a run could not be kept; and because they know neither a limit on the norm of the whole
//! gradient nor rates by stage. On a GPU they are some twenty launches a parameter; there a step is
//! `flat`'s, by the same formulas.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::flat::{Common, FlatState, parameters};
use super::gradients::squares;
use super::parameters::{flat, like};
use crate::config::{self, TrainConfig};
use crate::error::{Error, Result};
use crate::kernels::optimizer::{Flat, SegmentStep, usable};
use crate::model::head::to_host;
use crate::weights::{Checkpoint, NamedTensor};

/// PyTorch's defaults.
const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// Adam's rate over the first mean's correction, and the root of the second's, after so many steps.
fn corrected(rate: f64, steps: i32) -> (f64, f64) {
    let [beta1, beta2] = BETAS;
    (
        rate / (1.0 - beta1.powi(steps)),
        (1.0 - beta2.powi(steps)).sqrt(),
    )
}

/// What is known of one parameter; nothing of what has no gradient.
#[derive(Debug, Clone, Default)]
struct ParameterState {
    /// Momentum, or the mean of the gradient; flat.
    first: Option<Tensor<1>>,
    /// The mean of the squared gradient; flat.
    second: Option<Tensor<1>>,
}

/// An optimizer and its state. It is not to be cloned: a step on a GPU changes the state in place.
#[derive(Debug)]
pub struct Optimizer {
    rule: config::OptimizerKind,
    momentum: f64,
    decay: f64,
    clip: f64,
    /// In the order of [`super::parameters::collect`]: learning rate over the head's, and the state.
    states: Vec<(f64, ParameterState)>,
    /// The state, where it lies in flat buffers on a GPU; then there is none in `states`.
    flat: Option<FlatState>,
    /// Steps taken.
    steps: i32,
}

impl Optimizer {
    /// For parameters whose rates are these over the head's, in the order in which burn visits them.
    #[must_use]
    pub fn new(config: &TrainConfig, rates: impl IntoIterator<Item = f64>) -> Self {
        Self {
            rule: config.optimizer,
            momentum: config.momentum,
            decay: config.weight_decay,
            clip: config.clip_norm,
            states: rates
                .into_iter()
                .map(|rate| (rate, ParameterState::default()))
                .collect(),
            flat: None,
            steps: 0,
        }
    }

    /// One step with the head's learning rate `rate`. Parameters without a gradient stay.
    pub fn step<M: Module>(&mut self, rate: f64, module: M, mut gradients: GradientsParams) -> M {
        self.steps += 1;
        let module = match self.flat_step(rate, module, &gradients) {
            Ok(module) => return module,
            Err(module) => module,
        };
        self.leave_flat();
        let scale = self.scale(&module, &gradients);
        let mut mapper = Mapper {
            optimizer: self,
            rate,
            gradients: &mut gradients,
            scale,
            at: 0,
        };
        module.map(&mut mapper)
    }

    /// The values that the last step gave, where it was one of `flat`'s.
    #[must_use]
    pub fn flat(&self) -> Option<&Flat> {
        self.flat.as_ref()?.values()
    }

    /// The step on flat buffers; the module as it was where there can be none.
    fn flat_step<M: Module>(
        &mut self,
        rate: f64,
        module: M,
        gradients: &GradientsParams,
    ) -> std::result::Result<M, M> {
        let found = parameters(&module, gradients);
        let Some(parameters) = found.filter(|found| found.len() == self.states.len()) else {
            return Err(module);
        };
        let fits = |flat: &FlatState| usable(&flat.gpu()) && flat.is_for(&parameters);
        if !self.flat.as_ref().is_some_and(fits) {
            self.leave_flat();
            let states = self.states.iter();
            let states = states.map(|(_, state)| [state.first.clone(), state.second.clone()]);
            let squares = self.rule != config::OptimizerKind::Sgd;
            self.flat = FlatState::new(&parameters, &states.collect::<Vec<_>>(), squares);
        }
        let Some(mut flat) = self.flat.take() else {
            return Err(module);
        };
        for (_, state) in &mut self.states {
            *state = ParameterState::default();
        }
        let each = self.states.iter().zip(&parameters);
        let steps = each
            .map(|((factor, _), parameter)| self.segment_step(rate * factor, parameter.is_weight));
        let steps: Vec<SegmentStep> = steps.collect();
        let common = match self.rule {
            config::OptimizerKind::Sgd => Common::Sgd {
                momentum: self.momentum,
            },
            config::OptimizerKind::Adam | config::OptimizerKind::AdamW => Common::Adam {
                betas: BETAS,
                epsilon: EPSILON,
            },
        };
        let module = flat.step(common, self.clip, &steps, module, parameters);
        self.flat = Some(flat);
        Ok(module)
    }

    /// A step of one parameter with its own rate; the numbers are rounded to `f32` where burn's ops round them.
    fn segment_step(&self, rate: f64, decays: bool) -> SegmentStep {
        let decay = if decays { self.decay } else { 0.0 };
        let (shrink, decay) = match self.rule {
            config::OptimizerKind::AdamW => (1.0 - rate * decay, 0.0),
            config::OptimizerKind::Adam | config::OptimizerKind::Sgd => (1.0, decay),
        };
        let (rate, root) = match self.rule {
            config::OptimizerKind::Sgd => (rate, 1.0),
            config::OptimizerKind::Adam | config::OptimizerKind::AdamW => {
                corrected(rate, self.steps)
            }
        };
        SegmentStep {
            shrink: shrink as f32,
            decay: decay as f32,
            rate: rate as f32,
            root: root as f32,
        }
    }

    /// Takes the state out of flat buffers, for a step of burn's ops.
    fn leave_flat(&mut self) {
        let Some(flat) = self.flat.take() else { return };
        for (place, (_, state)) in self.states.iter_mut().enumerate() {
            [state.first, state.second] = flat.parts(place);
        }
    }

    /// What gradients are multiplied by, `[1]`, so that their norm keeps the limit; PyTorch's
    /// `clip_grad_norm_`. It stays on the device.
    fn scale<M: Module>(&self, module: &M, gradients: &GradientsParams) -> Option<Tensor<1>> {
        if self.clip <= 0.0 {
            return None;
        }
        let norm = squares(module, gradients, 1, |_| 0).pop()??.sqrt();
        Some((norm + 1e-6).recip().mul_scalar(self.clip).clamp_max(1.0))
    }

    /// The state as tensors to be kept, named by the parameter's place.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device does not give them.
    pub async fn state(&self) -> Result<Vec<NamedTensor>> {
        let mut out = vec![("steps".to_string(), vec![1], vec![self.steps as f32])];
        for (place, (_, state)) in self.states.iter().enumerate() {
            let [first, second] = match &self.flat {
                Some(flat) => flat.parts(place),
                None => [state.first.clone(), state.second.clone()],
            };
            for (part, tensor) in [("first", first), ("second", second)] {
                if let Some(tensor) = tensor {
                    let values = to_host(tensor).await?;
                    out.push((format!("{part}.{place}"), vec![values.len()], values));
                }
            }
        }
        Ok(out)
    }

    /// Takes such a state up again.
    ///
    /// # Errors
    /// [`Error::Weights`] naming what is missing.
    pub fn restore(&mut self, kept: &mut Checkpoint, device: &Device) -> Result<()> {
        let steps = kept.take_f32("steps", &[1])?;
        // f32 counts without a gap to 16 million.
        self.steps = steps[0] as i32;
        self.flat = None;
        for (place, (_, state)) in self.states.iter_mut().enumerate() {
            let mut take = |part: &str| -> Result<Option<Tensor<1>>> {
                let name = format!("{part}.{place}");
                let Some(shape) = kept.shape(&name).map(<[usize]>::to_vec) else {
                    return Ok(None);
                };
                let values = kept.take_f32(&name, &shape)?;
                let n = values.len();
                Ok(Some(Tensor::from_data(
                    TensorData::new(values, [n]),
                    device,
                )))
            };
            state.first = take("first")?;
            state.second = take("second")?;
        }
        if let Some(name) = kept.tensors.keys().next() {
            let reason = format!("{name} belongs to no parameter of this training");
            return Err(Error::weights(&kept.file, reason));
        }
        Ok(())
    }

    /// The change of one parameter, all flat; `decays` says whether weights are pulled towards zero.
    fn update(
        &mut self,
        place: usize,
        rate: f64,
        value: Tensor<1>,
        gradient: Tensor<1>,
        decays: bool,
    ) -> Tensor<1> {
        let decay = if decays { self.decay } else { 0.0 };
        let (rule, momentum, steps) = (self.rule, self.momentum, self.steps);
        let Some((factor, state)) = self.states.get_mut(place) else {
            return value;
        };
        let rate = rate * *factor;
        let (value, gradient) = match rule {
            config::OptimizerKind::AdamW if decay > 0.0 => (value * (1.0 - rate * decay), gradient),
            config::OptimizerKind::Adam | config::OptimizerKind::Sgd if decay > 0.0 => {
                let gradient = gradient + value.clone() * decay;
                (value, gradient)
            }
            _ => (value, gradient),
        };
        let follow = |old: Option<Tensor<1>>, new: Tensor<1>, beta: f64| {
            let new = new * (1.0 - beta);
            match old {
                Some(old) => old * beta + new,
                None => new,
            }
        };
        match rule {
            config::OptimizerKind::Sgd => {
                let velocity = match state.first.take() {
                    Some(velocity) => velocity * momentum + gradient.clone(),
                    None => gradient.clone(),
                };
                state.first = Some(velocity.clone());
                value - (gradient + velocity * momentum) * rate
            }
            config::OptimizerKind::Adam | config::OptimizerKind::AdamW => {
                let [beta1, beta2] = BETAS;
                let squared = gradient.clone() * gradient.clone();
                let first = follow(state.first.take(), gradient, beta1);
                let second = follow(state.second.take(), squared, beta2);
                state.first = Some(first.clone());
                state.second = Some(second.clone());
                // In PyTorch's order: the step by the first correction, the root over the second's.
                let (step, root) = corrected(rate, steps);
                value - first * step / (second.sqrt() / root + EPSILON)
            }
        }
    }
}

/// Takes a step with each parameter.
struct Mapper<'a> {
    optimizer: &'a mut Optimizer,
    rate: f64,
    gradients: &'a mut GradientsParams,
    scale: Option<Tensor<1>>,
    at: usize,
}

impl ModuleMapper for Mapper<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let place = self.at;
        self.at += 1;
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return param;
        };
        let (id, old, _) = param.consume();
        let mut gradient = flat(gradient);
        if let Some(scale) = &self.scale {
            gradient = gradient * scale.clone();
        }
        // Norms and biases are lists, weights are not.
        let value = flat(old.clone());
        let new = self
            .optimizer
            .update(place, self.rate, value, gradient, D > 1);
        Param::initialized(id, like(new, old))
    }
}

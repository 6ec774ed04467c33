//! A step of the optimizer on a GPU, on all parameters at once: [`crate::kernels::optimizer`] for a module.

use std::sync::Arc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::parameters::{flat, like};
use crate::kernels::gpu::launch::{Buffer, Gpu};
use crate::kernels::optimizer::segments::Segments;
use crate::kernels::optimizer::{
    self as kernels, Flat, Gradient, Rule, SegmentStep, clip_scale, update,
};

/// One parameter in a step.
pub(super) struct Parameter {
    /// On the inner device, `[n]`.
    value: Buffer,
    /// The same; none if it takes no step.
    gradient: Option<Buffer>,
    /// Whether it has several dimensions, as weights have, and norms and biases have not.
    pub(super) is_weight: bool,
}

/// The parameters of a module in the order of [`super::parameters::collect`]; `None` where they are not on a GPU that our
/// kernels work on.
pub(super) fn parameters(
    module: &impl Module,
    gradients: &GradientsParams,
) -> Option<Vec<Parameter>> {
    let mut collector = Collector {
        gradients,
        found: Some(Vec::new()),
    };
    module.visit(&mut collector);
    collector.found.filter(|found| !found.is_empty())
}

struct Collector<'a> {
    gradients: &'a GradientsParams,
    found: Option<Vec<Parameter>>,
}

impl Collector<'_> {
    fn parameter<const D: usize>(&self, param: &Param<Tensor<D>>) -> Option<Parameter> {
        let value = Buffer::of(&flat(param.val()))?;
        let gradient = match self.gradients.get::<D>(param.id) {
            Some(gradient) => Some(Buffer::of(&flat(gradient))?),
            None => None,
        };
        Some(Parameter {
            value,
            gradient,
            is_weight: D > 1,
        })
    }
}

impl ModuleVisitor for Collector<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let parameter = self.found.is_some().then(|| self.parameter(param));
        match (&mut self.found, parameter.flatten()) {
            (Some(found), Some(parameter)) => found.push(parameter),
            _ => self.found = None,
        }
    }
}

/// What all parameters of a step have in common.
#[derive(Debug, Clone, Copy)]
pub(super) enum Common {
    /// Adam and `AdamW`.
    Adam {
        betas: [f64; 2],
        epsilon: f64,
    },
    Sgd {
        momentum: f64,
    },
}

/// The state of an optimizer in flat buffers, and the values that its last step gave.
#[derive(Debug)]
pub(super) struct FlatState {
    segments: Arc<Segments>,
    /// What the module's parameters are parts of; nothing before the first step.
    values: Option<Flat>,
    gradient: Flat,
    /// Momentum, or the mean of the gradient.
    first: Flat,
    /// The mean of the squared gradient.
    second: Option<Flat>,
    /// Whether a parameter ever took a step, and so has a state.
    stepped: Vec<bool>,
    /// Whether a parameter's segment of the gradient is not 0.
    filled: Vec<bool>,
    /// 1, `[1]`: the scale of a gradient that is not clipped.
    one: Buffer,
}

/// A parameter's state as tensors: `first`, `second`.
pub(super) type Parts = [Option<Tensor<1>>; 2];

impl FlatState {
    /// For these parameters, with the state that each has so far; `None` where one is too large for a buffer, or our
    /// kernels are out of use.
    pub(super) fn new(parameters: &[Parameter], state: &[Parts], squares: bool) -> Option<Self> {
        let value = &parameters.first()?.value;
        let gpu = value.gpu();
        if !kernels::usable(&gpu) || state.len() < parameters.len() {
            return None;
        }
        let lengths = parameters.iter().map(|p| p.value.dims()[0]);
        let segments = Arc::new(Segments::new(lengths, kernels::most_values(&gpu))?);
        let device = value.clone().into_tensor::<1>().device();
        let one = Tensor::<1>::from_data(TensorData::new(vec![1.0_f32], [1]), &device);
        let mut new = Self {
            values: None,
            gradient: Flat::zeros(&device, &segments)?,
            first: Flat::zeros(&device, &segments)?,
            second: match squares {
                true => Some(Flat::zeros(&device, &segments)?),
                false => None,
            },
            stepped: state.iter().map(|[first, _]| first.is_some()).collect(),
            filled: vec![false; parameters.len()],
            one: Buffer::of(&one)?,
            segments,
        };
        for (part, flat) in [Some(&mut new.first), new.second.as_mut()]
            .into_iter()
            .enumerate()
        {
            let parts = state.iter().enumerate();
            let parts = parts.filter_map(|(place, state)| {
                let tensor = state[part].as_ref()?;
                Some((place, Buffer::of(tensor)?))
            });
            if let Some(flat) = flat {
                flat.gather(&parts.collect::<Vec<_>>());
            }
        }
        Some(new)
    }

    /// Whether it is for parameters of these sizes.
    pub(super) fn is_for(&self, parameters: &[Parameter]) -> bool {
        let segments = self.segments.all();
        let same = |(segment, parameter): (&kernels::segments::Segment, &Parameter)| {
            segment.length == parameter.value.dims()[0]
        };
        segments.len() == parameters.len() && segments.iter().zip(parameters).all(same)
    }

    /// The GPU.
    pub(super) fn gpu(&self) -> Gpu {
        self.gradient.gpu()
    }

    /// What the last step gave; nothing before the first.
    pub(super) const fn values(&self) -> Option<&Flat> {
        self.values.as_ref()
    }

    /// A parameter's state. It shares the memory, so nothing may be kept of it beyond the next step.
    pub(super) fn parts(&self, place: usize) -> Parts {
        let part = |flat: &Flat| flat.part(place).into_tensor();
        match self.stepped.get(place) {
            Some(true) => [Some(part(&self.first)), self.second.as_ref().map(part)],
            _ => [None, None],
        }
    }

    /// A step of those parameters that have a gradient; `steps` has an entry for each parameter. A norm above `clip` is
    /// brought down to it, if it is not 0.
    pub(super) fn step<M: Module>(
        &mut self,
        common: Common,
        clip: f64,
        steps: &[SegmentStep],
        module: M,
        parameters: Vec<Parameter>,
    ) -> M {
        let trained: Vec<bool> = parameters.iter().map(|p| p.gradient.is_some()).collect();
        self.fill(&trained, &parameters);
        let values = self.values.take();
        let values = values.filter(|values| {
            let places = parameters.iter().enumerate();
            let mut trained = places.filter(|(place, _)| trained[*place]);
            trained.all(|(place, p)| values.has_part(place, &p.value))
        });
        let values = values.unwrap_or_else(|| {
            // The first step, or other values were put in.
            let mut values = Flat::empty(&self.gpu(), &self.segments);
            let places = parameters.iter().enumerate();
            let trained = places.filter(|(place, _)| trained[*place]);
            let tensors: Vec<_> = trained.map(|(n, p)| (n, p.value.clone())).collect();
            values.gather(&tensors);
            values
        });
        let scale = match clip > 0.0 {
            true => &clip_scale(&self.gradient, clip as f32),
            false => &self.one,
        };
        let rule = match (common, &mut self.second) {
            (Common::Adam { betas, epsilon }, Some(second)) => Rule::Adam {
                betas,
                epsilon,
                first: &mut self.first,
                second,
            },
            (Common::Adam { .. }, None) => unreachable!("made with squares"),
            (Common::Sgd { momentum }, _) => Rule::Sgd {
                momentum,
                velocity: &mut self.first,
            },
        };
        let gradient = Gradient {
            values: &self.gradient,
            scale,
        };
        let steps = steps.iter().zip(&trained);
        let steps: Vec<_> = steps
            .map(|(&step, trained)| trained.then_some(step))
            .collect();
        let new = update(rule, &values, &gradient, &steps);
        // What lies in the flat buffer, or from now on does.
        let replaced = parameters.iter().enumerate().map(|(place, parameter)| {
            let inside = trained[place] || values.has_part(place, &parameter.value);
            inside.then(|| new.part(place).into_tensor())
        });
        let module = module.map(&mut Replacer(replaced.collect::<Vec<_>>().into_iter()));
        for (stepped, trained) in self.stepped.iter_mut().zip(&trained) {
            *stepped |= trained;
        }
        self.values = Some(new);
        module
    }

    /// Gathers the gradients; segments of parameters without one are 0.
    fn fill(&mut self, trained: &[bool], parameters: &[Parameter]) {
        let mut pairs = self.filled.iter().zip(trained);
        if pairs.any(|(filled, trained)| *filled && !trained) {
            let device = self.one.clone().into_tensor::<1>().device();
            if let Some(zeros) = Flat::zeros(&device, &self.segments) {
                self.gradient = zeros;
            }
        }
        self.filled = trained.to_vec();
        let gradients = parameters.iter().enumerate();
        let gradients = gradients.filter_map(|(place, p)| Some((place, p.gradient.clone()?)));
        self.gradient.gather(&gradients.collect::<Vec<_>>());
    }
}

/// Puts tensors in place of parameters; none leaves one as it is.
struct Replacer(std::vec::IntoIter<Option<Tensor<1>>>);

impl ModuleMapper for Replacer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(new) = self.0.next().flatten() else {
            return param;
        };
        let (id, old, _) = param.consume();
        Param::initialized(id, like(new, old))
    }
}

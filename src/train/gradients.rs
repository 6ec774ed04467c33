//! Norms of gradients, all of them together or stage by stage. They stay on the device until they are shown.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::parameters::flat;
use crate::error::Result;
use crate::model::head::to_host;
use crate::protocol::StageGradient;

/// The sum of the squared gradients of each of so many groups of parameters, `[1]`; none where no parameter of it has a
/// gradient. `group` gives a parameter's group by its place in the order of [`super::parameters::collect`].
pub fn squares(
    module: &impl Module,
    gradients: &GradientsParams,
    groups: usize,
    group: impl Fn(usize) -> usize,
) -> Vec<Option<Tensor<1>>> {
    let mut squares = Squares {
        gradients,
        group,
        place: 0,
        sums: vec![None; groups],
    };
    module.visit(&mut squares);
    squares.sums
}

struct Squares<'a, F> {
    gradients: &'a GradientsParams,
    group: F,
    place: usize,
    sums: Vec<Option<Tensor<1>>>,
}

impl<F: Fn(usize) -> usize> ModuleVisitor for Squares<'_, F> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let group = (self.group)(self.place);
        self.place += 1;
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let gradient = flat(gradient);
            let square = (gradient.clone() * gradient).sum();
            let sum = &mut self.sums[group];
            *sum = Some(match sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
}

/// The norm of each stage's gradient, summed over the steps since it was last taken.
#[derive(Debug)]
pub struct GradientNorms {
    /// Names, from the input to the head.
    stages: Vec<String>,
    /// Of each parameter, in the order in which burn visits them, its place among the stages.
    places: Vec<usize>,
    /// `[S]`.
    sum: Option<Tensor<1>>,
    steps: usize,
}

impl GradientNorms {
    /// For parameters of these stages, by number, and others behind them, which are the head's. `name` gives a stage's
    /// name.
    pub fn new(of_parameters: &[usize], parameters: usize, name: impl Fn(usize) -> String) -> Self {
        let mut numbers = of_parameters.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        let place = |stage: &usize| numbers.partition_point(|number| number < stage);
        let mut places: Vec<usize> = of_parameters.iter().map(place).collect();
        places.resize(parameters, numbers.len());
        let names = numbers.iter().map(|&number| name(number));
        Self {
            stages: names.chain(["head".to_string()]).collect(),
            places,
            sum: None,
            steps: 0,
        }
    }

    /// Counts a step in.
    pub fn add(&mut self, module: &impl Module, gradients: &GradientsParams) {
        let squares = squares(module, gradients, self.stages.len(), |n| self.places[n]);
        let Some(device) = squares.iter().flatten().next().map(Tensor::device) else {
            return;
        };
        let squares = squares
            .into_iter()
            .map(|sum| sum.unwrap_or_else(|| Tensor::zeros([1], &device)));
        let norms = Tensor::cat(squares.collect(), 0).sqrt();
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + norms,
            None => norms,
        });
        self.steps += 1;
    }

    /// The mean over the steps since the last call, from the input to the head; nothing of no steps.
    ///
    /// # Errors
    /// [`Error::Gpu`](crate::error::Error::Gpu) if the device fails.
    pub async fn take(&mut self) -> Result<Vec<StageGradient>> {
        let steps = std::mem::take(&mut self.steps).max(1) as f64;
        let Some(sum) = self.sum.take() else {
            return Ok(Vec::new());
        };
        let sums = to_host(sum).await?;
        let stages = self.stages.iter().zip(sums).map(|(stage, sum)| {
            // A report is JSON, which has no infinity: a square beyond f32 counts as its largest number.
            let sum = if sum.is_finite() { sum } else { f32::MAX };
            StageGradient {
                stage: stage.clone(),
                norm: f64::from(sum) / steps,
            }
        });
        Ok(stages.collect())
    }
}

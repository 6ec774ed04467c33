//! The moving average of a model's numbers, which is measured and kept in place of the numbers themselves.

use burn::module::Module;
use burn::tensor::Tensor;

use super::parameters::collect;
use crate::kernels::gpu::launch::Buffer;
use crate::kernels::optimizer::{self as kernels, Flat};

/// The average of everything that [`collect`] gives.
#[derive(Debug)]
pub struct Average {
    /// What is kept of it each step.
    decay: f64,
    numbers: Numbers,
}

#[derive(Debug)]
enum Numbers {
    /// A tensor each.
    Each(Vec<Tensor<1>>),
    /// Side by side on a GPU.
    Flat(Flat),
}

impl Average {
    /// Begins with these numbers.
    #[must_use]
    pub const fn new(decay: f64, numbers: Vec<Tensor<1>>) -> Self {
        Self {
            decay,
            numbers: Numbers::Each(numbers),
        }
    }

    /// What is kept of it each step.
    #[must_use]
    pub const fn decay(&self) -> f64 {
        self.decay
    }

    /// The numbers, flat and without gradients.
    #[must_use]
    pub fn numbers(&self) -> Vec<Tensor<1>> {
        match &self.numbers {
            Numbers::Each(numbers) => numbers.clone(),
            Numbers::Flat(flat) => {
                let places = 0..flat.segments().all().len();
                places.map(|place| flat.part(place).into_tensor()).collect()
            }
        }
    }

    /// Counts in the numbers after a step; `flat` holds those of them that the step's kernels changed, if they did.
    pub fn follow(&mut self, module: &impl Module, flat: Option<&Flat>) {
        let now = collect(module);
        let new = flat.and_then(|flat| self.on_gpu(&now, flat));
        self.numbers = match new {
            Some(new) => Numbers::Flat(new),
            None => {
                let pairs = self.numbers().into_iter().zip(now);
                let mean = pairs.map(|(mean, now)| mean * self.decay + now * (1.0 - self.decay));
                Numbers::Each(mean.collect())
            }
        };
    }

    fn on_gpu(&self, now: &[Tensor<1>], flat: &Flat) -> Option<Flat> {
        let now: Vec<Buffer> = now.iter().map(Buffer::of).collect::<Option<_>>()?;
        let lengths = now.iter().map(|x| x.dims()[0]);
        if !lengths.eq(flat.segments().all().iter().map(|s| s.length)) {
            return None;
        }
        let gathered;
        let mean = match &self.numbers {
            Numbers::Flat(mean) if mean.segments() == flat.segments() => mean,
            _ => {
                let numbers = self.numbers();
                let numbers = numbers.iter().map(Buffer::of).collect::<Option<Vec<_>>>()?;
                let mut mean = Flat::empty(&flat.gpu(), flat.segments());
                mean.gather(&numbers.into_iter().enumerate().collect::<Vec<_>>());
                gathered = mean;
                &gathered
            }
        };
        let others = now.into_iter().enumerate();
        let others = others.filter(|(place, x)| !flat.has_part(*place, x));
        Some(kernels::average(
            mean,
            flat,
            &others.collect::<Vec<_>>(),
            self.decay,
        ))
    }
}

//! How a time is taken: turns, so that a GPU that slows down slows all, and enough work for the clock.

use burn_cubecl::cubecl::profile::TimingMethod;
use retune::error::{Error, Result};
use retune::kernels::autotune::time_of;
use retune::kernels::gpu::launch::Gpu;
use retune::platform::time;

/// Whose code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Our kernels.
    Retune,
    /// burn's own ops, as this project builds burn: without fusion and autotuning.
    Burn,
}

impl Peer {
    /// Both, in the order of their turns.
    pub const ALL: [Self; 2] = [Self::Retune, Self::Burn];

    /// As in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retune => "retune",
            Self::Burn => "burn",
        }
    }

    /// From now on its code runs.
    pub fn select(self, gpu: &Gpu) {
        gpu.set_enabled(self == Self::Retune);
    }
}

/// Times of one figure, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// One more.
    pub fn push(&mut self, ms: f64) {
        let at = self.0.partition_point(|&other| other < ms);
        self.0.insert(at, ms);
    }

    /// The fastest.
    pub fn min(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }

    /// The middle one, or the mean of the two there.
    pub fn median(&self) -> f64 {
        let n = self.0.len();
        if n == 0 {
            return f64::NAN;
        }
        f64::midpoint(self.0[(n - 1) / 2], self.0[n / 2])
    }

    /// The slowest.
    pub fn max(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }

    /// How many.
    pub const fn n(&self) -> usize {
        self.0.len()
    }
}

/// Which clock [`device_ms`] reads.
pub fn clock(gpu: &Gpu) -> &'static str {
    if gpu.client().properties().timing_method == TimingMethod::Device {
        "device timestamps"
    } else {
        "wall clock"
    }
}

/// Milliseconds of one run of `work`, of `repeats` in a row, by the device's clock if it has one.
pub async fn device_ms(gpu: &Gpu, repeats: u32, work: &(impl Fn() + Sync)) -> Result<f64> {
    let ms = time_of(gpu, || (0..repeats).for_each(|_| work())).await?;
    checked(gpu, ms / f64::from(repeats))
}

/// The same by the wall clock, from one idle moment to the next: what a caller waits for.
pub async fn wall_ms(gpu: &Gpu, repeats: u32, mut work: impl FnMut()) -> Result<f64> {
    idle(gpu).await?;
    let start = time::now();
    (0..repeats).for_each(|_| work());
    idle(gpu).await?;
    checked(gpu, (time::now() - start) / f64::from(repeats))
}

/// Repeats that last about `aim` milliseconds, of work that took `ms`.
pub fn repeats(ms: f64, aim: f64, most: u32) -> u32 {
    // Saturates where `ms` is 0.
    ((aim / ms).ceil() as u32).clamp(1, most)
}

/// Waits until the GPU has nothing to do.
async fn idle(gpu: &Gpu) -> Result<()> {
    let done = gpu.client().sync().await;
    done.map_err(|error| Error::Gpu(error.to_string()))
}

/// The time, unless the GPU left work out.
fn checked(gpu: &Gpu, ms: f64) -> Result<f64> {
    match gpu.state().take_fault() {
        Some(fault) => Err(Error::Gpu(fault)),
        None if ms.is_finite() => Ok(ms),
        None => Err(Error::Gpu("the GPU gave no time".to_string())),
    }
}

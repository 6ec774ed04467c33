//! What is launched: how many kernels, ours and burn's, and the bytes that ours read and write.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};
use retune::kernels::conv::Conv2d;
use retune::kernels::conv::model::{Chip, dispatches, seconds};
use retune::kernels::conv::select;
use retune::kernels::gpu::launch::Gpu;
use retune::kernels::shape::ConvShape;
use serde_json::{Value, json};

use crate::peak::Peaks;

#[derive(Default)]
struct Launches(AtomicUsize);

impl LaunchObserver for Launches {
    fn launched(&self, _: &'static str) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The launches of some work.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Launches, burn's among them.
    pub all: usize,
    ours: u64,
    bytes: u64,
}

impl Counts {
    /// Counts while `work` queues; nothing else may.
    pub fn of(gpu: &Gpu, work: impl FnOnce()) -> Self {
        let launches = Arc::new(Launches::default());
        let before = gpu.traffic();
        let observation = LaunchObservation::new(launches.clone());
        work();
        drop(observation);
        let after = gpu.traffic();
        Self {
            all: launches.0.load(Ordering::Relaxed),
            ours: after.launches - before.launches,
            bytes: after.bytes - before.bytes,
        }
    }

    /// Adds them to a row of the report.
    pub fn note(&self, row: &mut Value) {
        row["launches"] = json!(self.all);
        row["launches_ours"] = json!(self.ours);
        row["mb_ours"] = json!(self.bytes as f64 / 1e6);
    }
}

/// As cells of a table.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let megabytes = self.bytes as f64 / 1e6;
        write!(f, "{} | {} | {megabytes:.0}", self.all, self.ours)
    }
}

/// Milliseconds of the convolutions by the kernels' model, on a chip of these peaks; `None` where one of them runs on
/// burn's op. What a launch costs and how many workgroups fill the chip are those of a typical one.
pub fn computed_ms(gpu: &Gpu, layers: &[(&Conv2d, ConvShape)], peaks: &Peaks) -> Option<f64> {
    let chip = Chip {
        name: "this",
        flops: peaks.tflops * 1e12,
        bandwidth: peaks.gb_s * 1e9,
        ..Chip::TYPICAL
    };
    let of = |(layer, conv): &(&Conv2d, ConvShape)| {
        let (weights, _) = layer.on_gpu()?;
        let algorithm = select::choose(gpu, conv, weights)?;
        Some(1000.0 * seconds(&dispatches(algorithm, conv), &chip))
    };
    layers.iter().map(of).sum()
}
